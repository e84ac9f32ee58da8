"""Each request has one effect in the CAD and one in our state, whatever gets lost on the way."""

import asyncio
import itertools
from typing import Any

import orjson
import pytest

from db import cad_requests, dispatches, emergencies, units
from tests.fake_cad import FakeCad
from tests.fake_cad.echoes import ECHOED, pairwise
from tests.fake_cad.limits import RateWindows
from tests.webhook.cad_api.conftest import (
    AWAY,
    BODIES,
    CAD,
    COUNTY,
    COUNTY_KEY,
    DORA,
    VIC,
    AskedCad,
)
from webhook.cad.events.event import panic_subject
from webhook.cad_api.game_server import GameServerTransport
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, RateLimited
from webhook.protocol.events import CadRequestChanged, Subject
from webhook.queries.cad.incidents import NewIncidentNote, OfIncident
from webhook.queries.cad.lookup import store_cads
from webhook.queries.cad.requests import (
    NewEmergency,
    NewUnitStatus,
    ask_cad,
    close_call,
    end_panic,
    note_call,
    place_emergency,
    set_own_status,
    store_api_cads,
)
from webhook.queries.cad.responders import leave_call, respond_to_call

SMOKE = NewEmergency(
    location="Forum Dr", description="Smoke from the roof.", caller="Dora", postal="8031"
)

ON_SCENE = NewUnitStatus(status=4)


def call(number: int, **fields: Any) -> dict[str, Any]:
    given = {"callId": number, "status": 1, "priority": 1, "title": f"Fire {number}"}
    return {"dispatch": given | {"idents": [], "notes": []} | fields}


def of(subject: Subject) -> OfIncident:
    return OfIncident(subject=str(subject))


async def responding(context: Context, subject: Subject) -> str:
    request_id = await respond_to_call(context, of(subject))
    assert request_id is not None
    return request_id


async def left(context: Context, subject: Subject) -> str:
    request_id = await leave_call(context, of(subject))
    assert request_id is not None
    return request_id


async def noted(asked: AskedCad, subject: Subject, text: str) -> str:
    ask = NewIncidentNote(subject=str(subject), text=text)
    request_id = await note_call(asked.context(), ask, "Dora")
    assert request_id is not None
    return request_id


async def _open_dispatch(asked: AskedCad) -> int:
    """Open a dispatch call as a dispatcher does in the CAD."""
    number = 55
    data = call(number)
    asked.fake.dispatches[number] = dict(data["dispatch"])
    await asked.pushed("EVENT_DISPATCH_NEW", data)
    await asked.take_names()
    return number


async def test_every_request_is_as_the_documents_want_it(asked: AskedCad) -> None:
    """B1, B8: the fake notes whatever is not."""
    asked.fake.extra_members = True
    number = await _open_dispatch(asked)
    context, subject = asked.context(), asked.dispatch(number)
    await asked.pushed("EVENT_UNIT_PANIC", {"identIds": [7], "isPanic": True})
    async with asked.working():
        for request_id in [
            await responding(context, subject),
            await noted(asked, subject, "Two cars burn."),
            await set_own_status(context, CAD, NewUnitStatus(status=3)),
            await left(context, subject),
            await close_call(context, of(subject)),
            await place_emergency(context, CAD, SMOKE),
        ]:
            assert (await asked.ended(request_id)).state == "done"
        (made,) = asked.fake.emergencies.values()
        removed = await close_call(context, of(asked.emergency(made["callId"])))
        assert (await asked.ended(removed)).state == "done"
        over = await end_panic(context, of(panic_subject(1)))
        assert (await asked.ended(over)).state == "done"
    server = "/v2/emergency/servers/1"
    assert {(kind, method, path) for kind, method, path, _ in asked.fake.requests} == {
        ("attach", "POST", f"{server}/dispatch-calls/55/attachments"),
        ("note", "POST", f"{server}/dispatch-calls/55/notes"),
        ("status", "PATCH", f"{server}/units/status"),
        ("account", "GET", "/v2/general/accounts/account"),
        ("account-units", "GET", f"{server}/accounts/{asked.fake.accounts[DORA]}/units"),
        ("detach", "DELETE", f"{server}/dispatch-calls/attachments"),
        ("close", "POST", f"{server}/dispatch-calls/close"),
        ("create-911", "POST", f"{server}/calls/911"),
        ("remove-911", "DELETE", f"{server}/calls/911/{made['callId']}"),
        ("panic", "PATCH", f"{server}/units/panic"),
    }
    assert asked.fake.asked("panic") == [{"identIds": [7], "isPanic": False}]
    assert not asked.fake.units[7]["isPanic"]
    assert (await units.open_panics(context.read, CAD, [7])) == {}


async def test_a_911_call_becomes_one_dispatch_call_for_all_responders(asked: AskedCad) -> None:
    asked.fake.add_member(VIC, 8)
    async with asked.working():
        placed = await place_emergency(asked.context(), CAD, SMOKE)
        number = orjson.loads((await asked.ended(placed)).answer)["callId"]
        subject = asked.emergency(number)
        first = await responding(asked.context(), subject)
        second = await responding(asked.context(VIC), subject)
        with pytest.raises(Conflict):
            await responding(asked.context(), subject)
        assert (await asked.ended(first)).state == "done"
        assert (await asked.ended(second, VIC)).state == "done"
        await asked.fake.until(lambda: not asked.fake.emergencies)
    ((made, dispatched),) = asked.fake.dispatches.items()
    assert dispatched["idents"] == [7, 8]
    assert dispatched["metaData"]["origin911"] == str(number)
    assert dispatched["address"] == "Forum Dr"
    read = asked.harness.database.read
    origin = await emergencies.get(read, CAD, number)
    assert origin is not None
    assert origin.dispatch_call_id == made
    assert await dispatches.units(read, CAD, made) == [7, 8]


async def test_a_dispatch_call_that_is_found_late_still_replaces_its_911_call(
    asked: AskedCad,
) -> None:
    fake = asked.fake
    async with asked.working():
        placed = await asked.ended(await place_emergency(asked.context(), CAD, SMOKE))
        fake.lose["create-dispatch"], fake.refuse_429["calls"] = 1, 1_000
        subject = asked.emergency(placed.call_id or 0)
        request_id = await responding(asked.context(), subject)
        await fake.until(lambda: bool(fake.asked("calls")))
        asked.skip(6 * 60)
        asked.outbox.wake()
        assert (await asked.ended(request_id)).state == "unknown"
        assert fake.emergencies
    del fake.refuse_429["calls"]
    async with asked.working():
        await fake.until(lambda: not fake.emergencies)
    assert len(fake.dispatches) == 1


@pytest.mark.parametrize("presses", [3, 4])
async def test_the_last_press_counts_while_the_call_is_being_made(
    asked: AskedCad, presses: int
) -> None:
    async with asked.working():
        number = orjson.loads(
            (await asked.ended(await place_emergency(asked.context(), CAD, SMOKE))).answer
        )["callId"]
        asked.fake.begin_holding()
        steps = itertools.cycle([responding, left])
        for step in itertools.islice(steps, presses):
            last = await step(asked.context(), asked.emergency(number))
        asked.fake.end_holding()
        assert (await asked.ended(last)).state == "done"
    (dispatched,) = asked.fake.dispatches.values()
    assert dispatched["idents"] == ([7] if presses % 2 else [])


@pytest.mark.parametrize("array", [False, True])
async def test_echoes_make_no_second_event(asked: AskedCad, *, array: bool) -> None:
    """B5: whatever is pushed back, and when, state and events are the same."""
    fake = asked.fake
    fake.array = array
    played = []
    for fake.echoes in pairwise()[array::2]:
        fake.windows = RateWindows(asked.clock.seconds)
        async with asked.working():
            played.append(await _play(asked))
    assert [each for each in played if each != played[0]] == []


async def _play(asked: AskedCad) -> tuple[list[str], Any]:
    """Place a call, respond, note, leave, close, end a panic; return the events and the state."""
    context, fake = asked.context(), asked.fake
    await asked.take_names()
    member = f"{len(fake.created)}"  # each places one: there is a limit
    ask = SMOKE.model_copy(update={"description": f"Smoke {member}"})

    async def done(request_id: str, by: str = DORA) -> int:
        request = await asked.ended(request_id, by)
        assert request.state == "done"
        await fake.push_late_echoes()
        number: int = orjson.loads(request.answer)["callId"]
        return number

    number = await done(await place_emergency(asked.context(member), CAD, ask), member)
    made = await done(await responding(context, asked.emergency(number)))
    await fake.until(lambda: not fake.emergencies)
    call = asked.dispatch(made)
    await done(await noted(asked, call, "Two cars."))
    await done(await set_own_status(context, CAD, ON_SCENE))
    await done(await left(context, call))
    await done(await responding(context, call))
    await done(await close_call(context, of(call)))
    await asked.pushed("EVENT_UNIT_PANIC", {"identIds": [7], "isPanic": True})
    read = asked.harness.database.read
    pressed = await units.open_panics(read, CAD, [7])
    await done(await end_panic(context, of(panic_subject(pressed[7]))))
    await done(await set_own_status(context, CAD, NewUnitStatus(status=2)))
    unit = (await units.by_ident(read, CAD, [7]))[7]
    stored = await dispatches.get(read, CAD, made)
    origin = await emergencies.get(read, CAD, number)
    assert stored is not None
    assert origin is not None
    notes = [(note.label, note.content) for note in await dispatches.notes(read, stored.key)]
    state = (
        stored.title[:5],
        stored.closed_at is None,
        await dispatches.units(read, CAD, made),
        notes,
        origin.removed_at is None,
        origin.dispatch_call_id == made,
        unit.status,
        await units.open_panics(read, CAD, [7]),
    )
    return sorted(await asked.take_names()), state


async def test_late_echoes_of_what_was_undone_change_nothing(
    asked: AskedCad, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.cad.own.echoes.REORDER_WINDOW", 120_000)  # of hurried time
    fake, context, read = asked.fake, asked.context(), asked.harness.database.read
    fake.echoes = dict.fromkeys(ECHOED, "late")
    number = await _open_dispatch(asked)
    call, press = asked.dispatch(number), {"identIds": [7], "isPanic": True}
    await asked.pushed("EVENT_UNIT_PANIC", press)
    async with asked.working():
        for ask in (
            responding(context, call),
            left(context, call),
            set_own_status(context, CAD, ON_SCENE),
            set_own_status(context, CAD, NewUnitStatus(status=2)),
            end_panic(context, of(panic_subject(1))),
        ):
            assert (await asked.ended(await ask)).state == "done"
    await asked.pushed("EVENT_UNIT_PANIC", press)
    await asked.take_names()
    await fake.push_late_echoes()
    assert await asked.take_names() == []
    assert await dispatches.units(read, CAD, number) == []
    assert (await units.by_ident(read, CAD, [7]))[7].status == "AVAILABLE"
    assert await units.open_panics(read, CAD, [7]) == {7: 1}


async def test_a_repeated_event_is_not_an_echo(asked: AskedCad) -> None:
    number = await _open_dispatch(asked)
    async with asked.working():
        await asked.ended(await responding(asked.context(), asked.dispatch(number)))
        await asked.pushed("EVENT_DISPATCH_UNIT_DETACH", {"callId": number, "idents": [7]})
        await asked.pushed("EVENT_DISPATCH_UNIT_ATTACH", {"callId": number, "idents": [7]})
    assert await dispatches.units(asked.harness.database.read, CAD, number) == [7]
    assert await asked.take_names() == [
        "DISPATCH_UNIT_ATTACH",
        "DISPATCH_UNIT_DETACH",
        "DISPATCH_UNIT_ATTACH",
    ]


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_call_whose_answer_was_lost_is_made_once(asked: AskedCad, lost: str) -> None:
    """B3: it is looked up before it is made again."""
    if lost == "after":
        asked.fake.lose["create-911"] = 1
    else:
        asked.fake.hold_before = asyncio.Event()
    async with asked.working():
        placed = await place_emergency(asked.context(), CAD, SMOKE)
        if asked.fake.hold_before is not None:
            await asked.fake.until(lambda: bool(asked.fake.asked("create-911")))
    if asked.fake.hold_before is not None:
        asked.fake.hold_before = None
    async with asked.working():
        request = await asked.ended(placed)
    assert request.state == "done"
    assert len(asked.fake.created) == 1
    assert len(asked.fake.asked("calls")) >= 1
    assert (await asked.take_names()) == ["911"]


@pytest.mark.parametrize("body", ["", "{}", "<html>", "[]", '{"callId": "n/a"}'])
async def test_a_success_that_does_not_name_the_call_is_looked_up(
    asked: AskedCad, body: str
) -> None:
    asked.fake.bodies["create-911"] = body
    async with asked.working():
        placed = await place_emergency(asked.context(), CAD, SMOKE)
        request = await asked.ended(placed)
    ((number, _call),) = asked.fake.emergencies.items()
    assert (request.state, orjson.loads(request.answer)["callId"]) == ("done", number)


@pytest.mark.parametrize(
    "attached",
    ["", '{"callId": null, "identIds": [null]}', '{"callId": "55", "identIds": ["7"]}'],
)
async def test_successes_without_units_name_those_of_the_member(
    asked: AskedCad, attached: str
) -> None:
    number = await _open_dispatch(asked)
    asked.fake.bodies |= {"attach": attached, "detach": "{}"}
    read = asked.harness.database.read
    async with asked.working():
        request = await asked.ended(await responding(asked.context(), asked.dispatch(number)))
        assert orjson.loads(request.answer) == {"callId": 55, "identIds": [7]}
        assert await dispatches.units(read, CAD, number) == [7]
        gone = await asked.ended(await left(asked.context(), asked.dispatch(number)))
        assert gone.state == "done"
        assert await dispatches.units(read, CAD, number) == []


async def test_a_success_of_which_nobody_knows_whose_units_it_was_is_read(asked: AskedCad) -> None:
    read = asked.harness.database.read
    async with asked.working():
        asked.fake.refuse_429["account"] = 1
        status = await asked.ended(await set_own_status(asked.context(), CAD, ON_SCENE))
        assert status.state == "done"
        await asked.fake.until(lambda: bool(asked.fake.asked("units")))
        while not await units.by_ident(read, CAD, [7]):
            await asked.fake.next_request()
    assert (await units.by_ident(read, CAD, [7]))[7].status == "ON_SCENE"


@pytest.mark.parametrize("units", ["[]", '{"Units": 5}', "[1, {}]"])
async def test_malformed_units_are_harmless(asked: AskedCad, units: str) -> None:
    number = await _open_dispatch(asked)
    asked.fake.bodies |= {"attach": "{}", "account-units": units}
    async with asked.working():
        request = await asked.ended(await responding(asked.context(), asked.dispatch(number)))
        assert request.why == "no-unit"


async def test_a_clock_that_is_set_back_delays_nothing(asked: AskedCad) -> None:
    number = await _open_dispatch(asked)
    asked.fake.lose["create-911"] = 1
    async with asked.working():
        placed = await place_emergency(asked.context(), CAD, SMOKE)
        await asked.fake.until(lambda: bool(asked.fake.created))
        asked.clock.set_back(3_600)
        assert (await asked.ended(placed)).state == "done"
    assert len(asked.fake.created) == 1
    await asked.fake.stop()
    waits = asyncio.Event()
    async with asked.working():
        request_id = await responding(asked.context(), asked.dispatch(number))
        asked.harness.bus.subscribe(
            CadRequestChanged.name,
            lambda event: waits.set() if event.data["state"] == "new" else None,
        )
        await waits.wait()  # after the first try
        asked.clock.set_back(3_600)
        await asked.fake.start(int(asked.fake.url.rpartition(":")[2]))
        assert (await asked.ended(request_id)).state == "done"


async def test_a_note_whose_answer_was_lost_is_not_written_twice(asked: AskedCad) -> None:
    number = await _open_dispatch(asked)
    asked.fake.lose["note"] = 1
    async with asked.working():
        note_id = await noted(asked, asked.dispatch(number), "Two cars burn.")
        assert (await asked.ended(note_id)).state == "unknown"
        assert len(asked.fake.asked("note")) == 1
        note = {"time": "12:00", "label": "Dora", "type": "text", "content": "Two cars burn."}
        await asked.pushed("EVENT_DISPATCH_NOTE", {"callId": number, "note": note})
        assert (await asked.ended(note_id)).state == "done"


async def test_an_attachment_whose_answer_was_lost_is_made_again(asked: AskedCad) -> None:
    number = await _open_dispatch(asked)
    asked.fake.lose["attach"] = 2
    async with asked.working():
        request = await asked.ended(await responding(asked.context(), asked.dispatch(number)))
    assert (request.state, request.tries) == ("done", 3)
    assert await asked.take_names() == ["DISPATCH_UNIT_ATTACH"]


async def test_a_refused_request_says_why(
    asked: AskedCad, caplog: pytest.LogCaptureFixture
) -> None:
    """B6: not linked, no unit, the wrong plan, the wrong key, a closed call."""
    number = await _open_dispatch(asked)
    subject = asked.dispatch(number)
    nobody, waiting = "200000000000000003", "200000000000000004"
    read = asked.harness.database.read
    asked.fake.add_member(waiting)

    async def why(member: str) -> str:
        request = await asked.ended(await responding(asked.context(member), subject), member)
        assert request.state == "refused"
        assert asked.fake.key not in f"{request}"
        return request.why

    async with asked.working():
        assert await why(nobody) == "unlinked"
        for asked.fake.empty_targets in (True, False):
            assert await why(waiting) == "no-unit"
        gone = asked.fake.dispatches.pop(number)
        assert await why(DORA) == "no-call"
        asked.fake.dispatches[number] = gone
        asked.fake.plan_is_too_low = True
        assert await why(DORA) == "plan"
        asked.fake.plan_is_too_low = False
        asked.fake.server_id = 2
        assert await why(DORA) == "server"
        assert asked.outbox.progress[CAD].problem == "server"
        asked.fake.server_id = 1
    sent = [send.endpoint for send in await cad_requests.sends(read, CAD, 0)]
    assert sent.count("account") == len(asked.fake.asked("account")) > 0
    asked.fake.key, key = "ANOTHER-KEY-OF-THE-CAD", asked.fake.key
    good = asked.fake.key
    asked.fake.key = key
    async with asked.working():
        asked.fake.key = good
        assert await why(DORA) == "key"
    assert key not in caplog.text


async def test_nothing_is_asked_of_a_cad_without_a_key(asked: AskedCad) -> None:
    number = await _open_dispatch(asked)
    async with asked.harness.database.write() as sql:
        await store_api_cads(sql, [])
    assert await respond_to_call(asked.context(), of(asked.dispatch(number))) is None
    with pytest.raises(Conflict, match="cannot ask the CAD"):
        await close_call(asked.context(), of(asked.dispatch(number)))


async def test_each_of_two_cads_gets_what_is_about_its_own_calls(asked: AskedCad) -> None:
    """Both number their calls and their units alike; Dora's unit 7 is in both."""
    context, read = asked.context(), asked.harness.database.read
    async with FakeCad(asked.clock.seconds) as county:
        county.key = county.push_key = COUNTY_KEY
        county.server_id, county.bot_url = 2, asked.fake.bot_url
        county.add_member(DORA, 7)
        asked.others = {COUNTY: county}
        async with asked.harness.database.write() as sql:
            await store_api_cads(sql, [CAD, COUNTY])
            await store_cads(sql, [CAD, COUNTY])
        async with asked.working():
            for fake in (asked.fake, county):
                fake.dispatches[55] = dict(call(55)["dispatch"])
                await fake.push("EVENT_DISPATCH_NEW", call(55))
                await fake.push("EVENT_UNIT_PANIC", {"identIds": [7], "isPanic": True})
            theirs = Subject("dispatch", f"55@{COUNTY}")
            placed = await asked.ended(await place_emergency(context, COUNTY, SMOKE))
            number = orjson.loads(placed.answer)["callId"]
            for ask in (
                responding(context, theirs),
                noted(asked, theirs, "Two cars."),
                set_own_status(context, COUNTY, ON_SCENE),
                end_panic(context, of(panic_subject(2))),
                responding(context, Subject("emergency", f"{number}@{COUNTY}")),
                close_call(context, of(theirs)),
            ):
                assert (await asked.ended(await ask)).state == "done"
        assert county.faults == county.windows.exceeded == []
    assert asked.fake.requests == []
    assert not asked.fake.dispatches[55]["idents"]
    assert await dispatches.units(read, CAD, 55) == []
    states = [await dispatches.get(read, cad, 55) for cad in (CAD, COUNTY)]
    assert [one is not None and one.closed_at is None for one in states] == [True, False]
    assert await units.open_panics(read, CAD, [7]) == {7: 1}
    assert await units.open_panics(read, COUNTY, [7]) == {}
    assert await emergencies.get(read, CAD, number) is None


async def test_what_waits_goes_on_with_another_key_or_is_refused(asked: AskedCad) -> None:
    number, fake = await _open_dispatch(asked), asked.fake
    fake.is_down = True
    async with asked.working():
        request_id = await responding(asked.context(), asked.dispatch(number))
        await fake.until(lambda: bool(fake.asked("attach")))
    fake.is_down, fake.key = False, "ANOTHER-KEY-OF-THE-CAD"
    async with asked.working():
        assert (await asked.ended(request_id)).state == "done"
    async with asked.context().change() as change:
        unknown = await ask_cad(change, "removed", "close", BODIES["close"])
        lost = await ask_cad(change, "removed", "create-911", BODIES["create-911"])
        assert await cad_requests.mark_sent(change.sql, lost, change.received)
    note_id = await noted(asked, asked.dispatch(number), "Two cars burn.")
    async with asked.working(GameServerTransport()):
        progress = asked.outbox.progress[CAD]
        assert (await asked.ended(unknown)).why == "no-key"
        assert (await asked.ended(lost)).state == "unknown"
        assert progress.problem == "no-key"
        asked.clock.skip(200)
        assert progress.is_stuck(asked.clock())
        asked.clock.skip(200)
        asked.outbox.wake()
        ended = await asked.ended(note_id)
    assert (ended.state, ended.why) == ("refused", "no-key")


async def test_a_member_places_few_911_calls_in_a_minute(asked: AskedCad) -> None:
    for _ in range(2):
        await place_emergency(asked.context(), CAD, SMOKE)
    with pytest.raises(RateLimited):
        await place_emergency(asked.context(), CAD, SMOKE)
    await place_emergency(asked.context(VIC), CAD, SMOKE)


async def test_the_cad_is_never_asked_too_often(asked: AskedCad) -> None:
    """B2: the fake counts, the game server's own readings too."""
    number = await _open_dispatch(asked)
    asked.fake.refuse_429["attach"], asked.fake.retry_after = 1, "7"
    members = [str(300000000000000000 + n) for n in range(14)]
    for ident, member in enumerate(members, 20):
        asked.fake.add_member(member, ident)
    async with asked.working():
        asking = []
        for member in members:
            asking.append((await responding(asked.context(member), asked.dispatch(number)), member))
            asked.fake.poll_as_game_server() if not len(asking) % 7 else None
        for request_id, member in asking:
            assert (await asked.ended(request_id, member)).state == "done"
    assert len(asked.fake.dispatches[number]["idents"]) == 14
    assert asked.fake.windows.exceeded == []


async def test_what_waits_is_done_once_and_in_order_after_an_hour_of_outage(
    asked: AskedCad,
) -> None:
    """Time is skipped; the fake counts the game server's readings too."""
    number, fake = await _open_dispatch(asked), asked.fake
    members = [str(300000000000000000 + n) for n in range(12)]
    for ident, member in enumerate(members, 20):
        fake.add_member(member, ident)
    asking, hours = [], 2 * 60 * 60_000
    for member in members:
        async with asked.context(member).change() as change:
            body = {"discord": member}
            for kind, more in [
                ("attach", {"callId": number}),
                ("status", {"status": 3}),
                ("status", {"status": 4}),
                ("create-911", BODIES["create-911"]),
            ]:
                whose = {} if kind == "create-911" else body
                request_id = await ask_cad(change, CAD, kind, whose | more, within=hours)
                asking.append((request_id, member))
    fake.is_down = True
    async with asked.working():
        for _minute in range(60):
            asked.clock.skip(60)
            fake.poll_as_game_server()
            tried = len(fake.requests)
            asked.outbox.wake()
            await fake.until(lambda tried=tried: len(fake.requests) > tried)  # type: ignore[misc]
        asked.clock.skip(120)
        outage, fake.is_down = len(fake.requests), False
        while len(fake.created) < len(members):
            asked.clock.skip(10)
            asked.outbox.wake()
            await fake.next_request()
        for request_id, member in asking:
            assert (await asked.ended(request_id, member)).state == "done"
    done = [
        (body["discord"], body.get("status"))
        for kind, _method, _path, body in fake.requests[outage:]
        if kind in ("attach", "status")
    ]
    first, *others = [member for member, status in done if status is None]
    assert [first, *others] == [first, *(member for member in members if member != first)]
    for member in members:
        assert [status for who, status in done if who == member] == [None, 3, 4]
    assert len(fake.created) == len(members)


async def test_a_panic_overtakes_fifty_readings(asked: AskedCad) -> None:
    """B7; what waits for a CAD that is away holds up no other one."""
    await asked.pushed("EVENT_UNIT_PANIC", {"identIds": [7], "isPanic": True})
    number = await _open_dispatch(asked)
    async with asked.harness.context().change() as change:
        for _ in range(600):
            await ask_cad(change, AWAY, "attach", BODIES["attach"])
        for kind in itertools.chain.from_iterable([("calls", "units")] * 25):
            await ask_cad(change, CAD, kind, {}, within=None)
    asked.fake.hold_before = asyncio.Event()
    async with asked.working():
        await asked.fake.until(lambda: bool(asked.fake.requests))
        over = await end_panic(asked.context(), of(panic_subject(1)))
        note_id = await noted(asked, asked.dispatch(number), "Two cars burn.")
        await asked.fake.until(lambda: bool(asked.fake.asked("panic")))
        asked.fake.hold_before.set()
        assert (await asked.ended(over)).state == "done"
        assert (await asked.ended(note_id)).state == "done"
    assert len(asked.fake.requests) < 10


async def test_requests_that_timed_out_are_not_made(asked: AskedCad) -> None:
    number = await _open_dispatch(asked)
    await asked.fake.stop()
    with asked.fake.port_kept():
        async with asked.working():
            request_id = await responding(asked.context(), asked.dispatch(number))
            asked.skip(4 * 60 + 45)
            asked.outbox.wake()
            request = await asked.ended(request_id)
    assert (request.state, request.why) == ("refused", "late")
    assert request.ended_at is not None
    assert 5 * 60_000 <= request.ended_at - request.asked_at < 10 * 60_000


async def test_viewers_may_respond_but_not_close(asked: AskedCad) -> None:
    number = await _open_dispatch(asked)
    viewer = asked.context(scope=Scope.READ)
    await responding(viewer, asked.dispatch(number))
    with pytest.raises(Exception, match="scope"):
        await close_call(viewer, of(asked.dispatch(number)))
