"""An alarm and its 911 call are one incident: either side's end reaches the other."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from db import emergencies
from tests.fake_cad.echoes import WAYS, Echo
from tests.webhook.cad_api.conftest import CAD, COUNTY, AskedCad
from webhook.cad.store import store_push
from webhook.protocol.context import Context, PoliceRules
from webhook.protocol.errors import Conflict
from webhook.protocol.postals import read_postals
from webhook.queries.alarms import (
    NewAlert,
    OfAlarm,
    Settlement,
    add_alert,
    police_alarm,
    settle_alarm,
)
from webhook.queries.cad.incidents import OfIncident
from webhook.queries.cad.responders import respond_to_call
from webhook.queries.police import request_of


def _context(asked: AskedCad, at: Any = "alert", *tiers: int) -> Context:
    return replace(asked.context(), police=PoliceRules(at, frozenset(tiers)))


async def _raise(asked: AskedCad, context: Context, **data: object) -> int:
    """Raise the alarm of a new property; return the alarm."""
    property_id = await asked.harness.add_property(x=100, y=-50, tier=2, **data)
    raised = await add_alert(context, NewAlert(property_id=property_id, user_id="license:a"))
    return raised.alarm_id


async def _placed(asked: AskedCad, alarm_id: int) -> int:
    """Wait until the 911 call of an alarm is placed; return its number."""
    request = await request_of(asked.harness.database.read, alarm_id)
    assert request is not None
    asked_by = request.asked_by.removeprefix("discord:")
    number: int = orjson.loads((await asked.ended(request.id, asked_by)).answer)["callId"]
    return number


async def _steps(asked: AskedCad, alarm_id: int) -> list[str]:
    return await asked.harness.database.read.all(
        str, "SELECT action FROM alarm_steps WHERE alarm_id = ? ORDER BY id", alarm_id
    )


@pytest.mark.parametrize("when", WAYS)
async def test_an_alarm_has_one_call_until_it_is_resolved(
    asked: AskedCad, when: Echo | None
) -> None:
    fake, read = asked.fake, asked.harness.database.read
    fake.echoes = {} if when is None else {"create-911": when, "remove-911": when}
    near = {"callId": 7, "location": "x", "metaData": {"x": "90", "y": "-40", "postal": "8031"}}
    nearer = {"callId": 8, "location": "x", "metaData": {"x": "99", "y": "-50", "postal": "8" * 60}}
    for heard in (near, nearer):
        await asked.pushed("EVENT_911", {"call": heard})
    context = _context(asked, "alert", 2)
    async with asked.working():
        alarm_id = await _raise(asked, context, location="Villa Lomax")
        number = await _placed(asked, alarm_id)
        (placed,) = fake.emergencies.values()
        assert (placed["location"], placed["metaData"]["postal"]) == ("Villa Lomax", "8031")
        assert (placed["metaData"]["x"], placed["metaData"]["y"]) == ("100.00", "-50.00")
        assert "Villa Lomax" in placed["description"]
        await fake.push_late_echoes()
        (call,) = await emergencies.of_alarm(read, alarm_id)
        assert call.call_id == number
        subjects = [
            {str(subject) for subject in event.subjects}
            for event in await asked.harness.journal_events()
            if event.name == "cad.EVENT_911"
        ][2:]
        assert subjects == [{f"alarm:{alarm_id}", f"emergency:{number}@{CAD}"}]
        with pytest.raises(Conflict):
            await police_alarm(context, OfAlarm(alarm_id=alarm_id))
        await settle_alarm(context, Settlement(alarm_id=alarm_id, outcome="false"))
        await fake.until(lambda: not fake.emergencies)
        await fake.push_late_echoes()
    assert await _steps(asked, alarm_id) == ["police", "false"]


def _dispatched(asked: AskedCad, number: int) -> dict[str, Any]:
    """Return the dispatch call 500 that a dispatcher makes from a 911 call."""
    call = {"callId": 500, "status": 1, "priority": 1, "title": "Alarm", "idents": [7]}
    asked.fake.dispatches[500] = call | {"notes": [], "metaData": {"origin911": str(number)}}
    return asked.fake.dispatches[500]


async def test_police_actions_are_shown_on_the_alarm(asked: AskedCad) -> None:
    fake, context = asked.fake, _context(asked, "never")
    async with asked.working():
        alarm_id = await _raise(asked, context)
        await police_alarm(context, OfAlarm(alarm_id=alarm_id))
        call = _dispatched(asked, await _placed(asked, alarm_id))
        await asked.pushed("EVENT_DISPATCH_NEW", {"dispatch": call})
        await asked.pushed("EVENT_REMOVE_911", {"callIds": [int(call["metaData"]["origin911"])]})
        for ended in (False, True):
            await asked.pushed("EVENT_DISPATCH_CLOSED", {"callIds": [500]})
            asked.skip(120)
            await asked.pushed("EVENT_DISPATCH_EDIT", {"dispatch": {"callId": 500, "status": 1}})
            if not ended:
                await settle_alarm(context, Settlement(alarm_id=alarm_id, outcome="resolved"))
                await fake.until(lambda: bool(call["notes"]))
        assert [note["content"] for note in call["notes"]] == ["The alarm is resolved."]
    assert await _steps(asked, alarm_id) == [
        "police",
        "police-dispatched",
        "police-closed",
        "police-reopened",
        "resolved",
        "police-reopened",
    ]


async def test_who_takes_the_call_while_the_alarm_ends_is_told(asked: AskedCad) -> None:
    fake, context = asked.fake, _context(asked)
    async with asked.working():
        alarm_id = await _raise(asked, context)
        number = await _placed(asked, alarm_id)
        fake.held = {"create-dispatch"}
        fake.begin_holding()
        about = f"emergency:{number}@{CAD}"
        made = await respond_to_call(context, OfIncident(subject=about))
        await fake.until(lambda: bool(fake.asked("create-dispatch")))
        await settle_alarm(context, Settlement(alarm_id=alarm_id, outcome="false"))
        fake.end_holding()
        await asked.ended(made or "")
        (call,) = fake.dispatches.values()
        await fake.until(lambda: bool(call["notes"]) and not fake.emergencies)
    assert [note["content"] for note in call["notes"]] == ["It was a false alarm."]


async def test_a_closed_call_is_reported_and_the_police_can_be_called_again(
    asked: AskedCad,
) -> None:
    context = _context(asked)
    async with asked.working():
        alarm_id = await _raise(asked, context)
        number = await _placed(asked, alarm_id)
        del asked.fake.emergencies[number]
        await asked.pushed("EVENT_REMOVE_911", {"callIds": [number]})
        asked.skip(120)
        asked.fake.use_numbers_again()
        await police_alarm(context, OfAlarm(alarm_id=alarm_id))
        assert await _placed(asked, alarm_id) == number
    assert await _steps(asked, alarm_id) == ["police", "police-over", "police"]


@pytest.mark.parametrize("told_by", ["push", "reading"])
async def test_a_911_call_that_the_cad_has_again_is_on_the_alarm_until_that_ends(
    asked: AskedCad, told_by: str
) -> None:
    """Afterwards it is a call like any other, with a card and a mention."""
    fake, context, read = asked.fake, _context(asked), asked.harness.database.read
    async with asked.working():
        alarm_id = await _raise(asked, context)
        number = await _placed(asked, alarm_id)
        call = fake.emergencies.pop(number)
        await asked.pushed("EVENT_REMOVE_911", {"callIds": [number]})

        async def come_back() -> list[str]:
            asked.skip(120)
            fake.emergencies[number] = call
            asked.harness.take_events()
            if told_by == "push":
                await asked.pushed("EVENT_911", {"call": call})
            else:
                await asked.outbox.ask_for_state()
                while not any(name == "cad.EVENT_911" for name, _ in events):
                    await fake.next_request()
                    events.extend(asked.harness.take_events())
            last = (await asked.harness.journal_events())[-1]
            return sorted(map(str, last.subjects))

        events: list[Any] = []
        await come_back()
        assert await _steps(asked, alarm_id) == ["police", "police-over", "police-again"]
        await settle_alarm(context, Settlement(alarm_id=alarm_id, outcome="resolved"))
        await fake.until(lambda: not fake.emergencies)
        while any(one.is_open for one in await emergencies.of_alarm(read, alarm_id)):
            await fake.next_request()
        events.clear()
        await come_back()
    alone = await emergencies.get(read, CAD, number)
    assert alone is not None
    assert (alone.is_open, alone.alarm_id) == (True, None)
    assert len(await emergencies.of_alarm(read, alarm_id)) == 2


async def test_a_call_that_comes_only_after_the_end_of_the_alarm_is_taken_back(
    asked: AskedCad,
) -> None:
    """Its answer was lost, and the CAD could not be read for so long that it was given up."""
    fake, context = asked.fake, _context(asked)
    fake.lose["create-911"], fake.refuse_429["calls"] = 1, 1_000
    async with asked.working():
        alarm_id = await _raise(asked, context)
        request = await request_of(asked.harness.database.read, alarm_id)
        assert request is not None
        await fake.until(lambda: bool(fake.asked("calls")))
        asked.skip(16 * 60)
        asked.outbox.wake()
        assert (await asked.ended(request.id)).state == "unknown"
        await settle_alarm(context, Settlement(alarm_id=alarm_id, outcome="resolved"))
    del fake.refuse_429["calls"]
    async with asked.working():
        await fake.until(lambda: bool(fake.created) and not fake.emergencies)
    assert len(fake.created) == 1


async def test_the_next_alarm_has_a_call_of_its_own(asked: AskedCad) -> None:
    postals = read_postals(b'[{"x": 9, "y": 9, "code": "7"}, {"x": 99, "y": -51, "code": 8040}]')
    context = replace(asked.context(), police=PoliceRules("alert", postals=postals))
    async with asked.working():
        first = await _raise(asked, context)
        number = await _placed(asked, first)
        placed = await request_of(asked.harness.database.read, first)
        assert placed is not None
        same_mark = {"call": {"callId": 9, "location": "x", "metaData": {"uuid": placed.id}}}
        await store_push(asked.context(), COUNTY, {"type": "EVENT_911", "data": same_mark})
        calls = await emergencies.of_alarm(asked.harness.database.read, first)
        assert [call.cad for call in calls] == [CAD]
        await settle_alarm(context, Settlement(alarm_id=first, outcome="resolved"))
        again = await add_alert(context, NewAlert(property_id=1, user_id="license:a"))
        assert again.alarm_id != first
        assert await _placed(asked, again.alarm_id) != number
        await asked.fake.until(lambda: len(asked.fake.emergencies) == 1)
    assert [call["metaData"]["postal"] for call in asked.fake.created] == ["8040", "8040"]


async def test_an_alarm_that_ends_before_its_call_is_placed_cancels_the_call(
    asked: AskedCad,
) -> None:
    context = _context(asked)
    asked.fake.begin_holding()
    async with asked.working():
        alarm_id = await _raise(asked, context)
        await asked.fake.until(lambda: bool(asked.fake.asked("create-911")))
        await settle_alarm(context, Settlement(alarm_id=alarm_id, outcome="false"))
        asked.fake.end_holding()
        await asked.fake.until(lambda: bool(asked.fake.asked("remove-911")))
        await asked.fake.until(lambda: not asked.fake.emergencies)
    assert len(asked.fake.created) == 1


async def test_rules_leave_other_tiers_and_drills_alone(asked: AskedCad) -> None:
    context, read = _context(asked, "alert", 3), asked.harness.database.read
    other_tier = await _raise(asked, context)
    number = (await asked.harness.ask("begin-simulation"))["simulationId"]
    drill = await _raise(asked, _context(asked), clientId=f"simulation:{number}:owner")
    late = await _raise(asked, replace(_context(asked), age=10 * 60_000))
    for alarm_id in (other_tier, drill, late):
        assert await request_of(read, alarm_id) is None
