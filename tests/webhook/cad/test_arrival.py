"""What is late and what is news: numbers that come again, lists, copies over two transports."""

from collections.abc import Sequence
from typing import Any

import pytest

from db import dispatches, emergencies, units
from db.calls import CallKey
from tests.webhook.harness import HOUR, MINUTE, AppHarness
from webhook.cad.store import store_push

CAD, GAME = "/event", "/event+fxserver"
SECOND = 1_000

Step = tuple[str, dict[str, Any]]


async def push(
    harness: AppHarness, kind: str, data: object, via: str = CAD, cad: str = "cad"
) -> None:
    await store_push(harness.context(), cad, {"type": kind, "data": data}, via)


def wait(harness: AppHarness, milliseconds: int) -> None:
    harness.clock.now += milliseconds


def call_911(description: str, call_id: int = 1, **fields: object) -> Step:
    call = {"callId": call_id, "caller": "Ann", "location": "12 Elm St"}
    return "EVENT_911", {"call": call | {"description": description} | fields}


def new(title: str, call_id: int = 1, **fields: object) -> Step:
    return "EVENT_DISPATCH_NEW", {"dispatch": {"callId": call_id, "title": title} | fields}


def edit(call_id: int = 1, **fields: object) -> Step:
    return "EVENT_DISPATCH_EDIT", {"dispatch": {"callId": call_id} | fields}


def close(call_id: int = 1) -> Step:
    return "EVENT_DISPATCH_CLOSED", {"callIds": [call_id]}


def remove(call_id: int = 1) -> Step:
    return "EVENT_REMOVE_911", {"callIds": [call_id]}


def attach(*idents: int, call_id: int = 1) -> Step:
    return "EVENT_DISPATCH_UNIT_ATTACH", {"callId": call_id, "idents": list(idents)}


def detach(*idents: int, call_id: int = 1) -> Step:
    return "EVENT_DISPATCH_UNIT_DETACH", {"callId": call_id, "idents": list(idents)}


def note(content: str, call_id: int = 1) -> Step:
    return "EVENT_DISPATCH_NOTE", {"callId": call_id, "note": {"content": content}}


def panic(*, on: bool, ident: int = 61) -> Step:
    return "EVENT_UNIT_PANIC", {"identIds": [ident], "isPanic": on}


def tone() -> Step:
    return "EVENT_TONE", {"url": "t.mp3", "playTonesTo": [{"type": 0, "label": "All"}]}


async def titles(harness: AppHarness, cad: str = "cad") -> list[tuple[str, bool]]:
    """Return the dispatch calls of number 1, oldest first: title, and whether it is open."""
    found = await dispatches.of_number(harness.database.read, cad, 1)
    return [(call.title, call.closed_at is None) for call in found[::-1]]


async def texts(harness: AppHarness, cad: str = "cad") -> list[tuple[str, bool]]:
    """Return the 911 calls of number 1, oldest first: description, and whether it is open."""
    found = await emergencies.of_number(harness.database.read, cad, 1)
    return [(call.description, call.is_open) for call in found[::-1]]


async def subjects_of_last(harness: AppHarness) -> list[str]:
    return [str(subject) for subject in (await harness.journal_events())[-1].subjects]


# Numbers that come again


@pytest.mark.parametrize("pause", [11 * SECOND, 30 * SECOND, HOUR])
async def test_number_of_a_removed_911_call_names_another_call(
    harness: AppHarness, pause: int
) -> None:
    for event in (call_911("a fire"), remove()):
        await push(harness, *event)
    wait(harness, pause)
    await push(harness, *call_911("a robbery"))
    assert await subjects_of_last(harness) == ["emergency:1.2@cad"]
    assert await texts(harness) == [("a fire", False), ("a robbery", True)]


async def test_number_of_a_closed_call_names_another_call(harness: AppHarness) -> None:
    for event in (new("Fire", idents=[61], notes=["on scene"]), close()):
        await push(harness, *event)
    wait(harness, 30 * SECOND)
    await push(harness, *new("Robbery", idents=[62]))
    assert await subjects_of_last(harness) == ["dispatch:1.2@cad"]
    assert await titles(harness) == [("Fire", False), ("Robbery", True)]
    read = harness.database.read
    assert await dispatches.units(read, "cad", 1, 2) == [62]
    assert await dispatches.last_notes(read, CallKey("cad", 1, 2), 9) == []
    await push(harness, *attach(63))
    assert await dispatches.units(read, "cad", 1, 2) == [62, 63]
    assert await dispatches.units(read, "cad", 1, 1) == [61]


async def test_same_report_after_the_end_is_another_call_too(harness: AppHarness) -> None:
    for pause in (0, 11 * SECOND):
        wait(harness, pause)
        for event in (new("Fire"), close()):
            await push(harness, *event)
    assert await titles(harness) == [("Fire", False), ("Fire", False)]


async def test_number_used_again_without_an_end_ends_the_old_call(harness: AppHarness) -> None:
    """The CAD was wiped, or the push that closed the call was lost."""
    for event in (
        new("Cattle on the road", address="Route 68", priority=3),
        edit(priority=2),
        call_911("a cow", caller="Bo", location="Route 68"),
    ):
        await push(harness, *event)
    wait(harness, 30 * SECOND)
    await push(harness, *new("Robbery", address="Legion Square", priority=1))
    await push(harness, *call_911("armed men", caller="Cy", location="Legion Square"))
    assert await titles(harness) == [("Cattle on the road", False), ("Robbery", True)]
    assert await texts(harness) == [("a cow", False), ("armed men", True)]
    subjects = [str(subject) for subject in (await harness.journal_events())[-2].subjects]
    assert subjects == ["dispatch:1.2@cad", "dispatch:1@cad"]


async def test_a_changed_text_is_not_another_call_for_a_minute(harness: AppHarness) -> None:
    await push(harness, *call_911("smoke"))
    wait(harness, MINUTE)
    await push(harness, *call_911("smoke and flames"))
    assert await texts(harness) == [("smoke and flames", True)]
    wait(harness, MINUTE + 1)
    await push(harness, *call_911("a robbery"))
    assert await texts(harness) == [("smoke and flames", False), ("a robbery", True)]


async def test_repeated_report_is_the_same_call_for_an_hour(harness: AppHarness) -> None:
    await push(harness, *call_911("smoke"))
    wait(harness, HOUR)
    await push(harness, *call_911("smoke"))
    assert await texts(harness) == [("smoke", True)]
    wait(harness, HOUR + 1)
    await push(harness, *call_911("smoke"))
    assert await texts(harness) == [("smoke", False), ("smoke", True)]


async def test_late_first_report_fills_what_edits_left(harness: AppHarness) -> None:
    await push(harness, *edit(title="Big fire"))
    wait(harness, 9 * SECOND)
    await push(harness, *new("Fire", address="Elm St"))
    call = await dispatches.get(harness.database.read, "cad", 1)
    assert call is not None
    assert (call.title, call.address) == ("Big fire", "Elm St")


async def test_number_is_used_again_in_each_cad_for_itself(harness: AppHarness) -> None:
    for cad in ("cad", "county"):
        for event in (new("Fire"), close()):
            await push(harness, *event, cad=cad)
    wait(harness, MINUTE)
    await push(harness, *new("Robbery"), cad="county")
    assert await titles(harness) == [("Fire", False)]
    assert await titles(harness, "county") == [("Fire", False), ("Robbery", True)]


async def test_dispatch_call_is_made_from_the_newest_911_call_of_its_number(
    harness: AppHarness,
) -> None:
    for event in (call_911("a fire"), new("Fire", 5, metaData={"origin911": 1}), remove()):
        await push(harness, *event)
    wait(harness, MINUTE)
    await push(harness, *call_911("a robbery"))
    await push(harness, *new("Robbery", 6, metaData={"origin911": "1"}))
    found = await emergencies.of_number(harness.database.read, "cad", 1)
    assert [call.dispatch_call_id for call in found] == [6, 5]
    calls = [await dispatches.get(harness.database.read, "cad", number) for number in (5, 6)]
    assert [call.emergency_key and call.emergency_key.occurrence for call in calls if call] == [
        1,
        2,
    ]


@pytest.mark.parametrize("opening", [edit(status=1), edit(status="PENDING"), attach(61)])
async def test_closed_call_is_opened_again(harness: AppHarness, opening: Step) -> None:
    for event in (new("Fire"), edit(status=2)):
        await push(harness, *event)
    wait(harness, 10 * SECOND)
    await push(harness, *opening)
    assert await titles(harness) == [("Fire", False)]
    wait(harness, 1)
    await push(harness, *opening)
    assert await titles(harness) == [("Fire", True)]
    call = await dispatches.get(harness.database.read, "cad", 1)
    assert call is not None
    assert call.status != "CLOSED"


@pytest.mark.parametrize(
    "event",
    [edit(title="x"), detach(61), close(), ("EVENT_DISPATCH_NOTE", {"callId": 1, "note": "n"})],
)
async def test_later_events_leave_a_closed_call_closed(harness: AppHarness, event: Step) -> None:
    for first in (new("Fire"), close()):
        await push(harness, *first)
    wait(harness, HOUR)
    await push(harness, *event)
    assert [is_open for _, is_open in await titles(harness)] == [False]


async def test_edit_of_another_call_long_after_the_end_is_not_written_into_the_old_one(
    harness: AppHarness,
) -> None:
    """The first report of the new call was lost."""
    for event in (new("Fire", address="Elm St"), close()):
        await push(harness, *event)
    harness.clock.now += HOUR + 1
    await push(harness, *edit(title="Robbery", status=1))
    assert await titles(harness) == [("Fire", False), ("Robbery", True)]


async def test_report_that_comes_late_keeps_the_stamps_of_edits(harness: AppHarness) -> None:
    await push(harness, *edit(title="newer", updated=NEWER))
    await push(harness, *new("first", address="Elm St"))
    await push(harness, *edit(title="older", description="x", updated=OLD))
    call = await dispatches.get(harness.database.read, "cad", 1)
    assert call is not None
    assert (call.title, call.address, call.description) == ("newer", "Elm St", "x")


async def dispatched(harness: AppHarness) -> list[tuple[str, CallKey | None]]:
    """Return the 911 calls of number 1, oldest first, with the dispatch calls made from them."""
    found = await emergencies.of_number(harness.database.read, "cad", 1)
    return [(call.description, call.dispatch_key) for call in found[::-1]]


FROM_CALL_1 = {"metaData": {"origin911": "1"}}


async def test_edit_of_a_dispatch_call_leaves_a_new_911_call_of_the_same_number_waiting(
    harness: AppHarness,
) -> None:
    for event in (call_911("a fire"), new("Fire", 8, **FROM_CALL_1), remove()):
        await push(harness, *event)
    wait(harness, 5 * MINUTE)
    await push(harness, *call_911("a robbery"))
    await push(harness, *edit(8, title="Big fire", **FROM_CALL_1))
    assert await dispatched(harness) == [("a fire", CallKey("cad", 8)), ("a robbery", None)]


async def test_dispatch_call_is_not_made_from_a_911_call_that_is_long_gone(
    harness: AppHarness,
) -> None:
    for event in (call_911("a fire"), new("Fire", 8, **FROM_CALL_1), remove()):
        await push(harness, *event)
    wait(harness, 5 * MINUTE)
    for event in (new("Robbery", 9, **FROM_CALL_1), call_911("a robbery")):
        await push(harness, *event)
    assert await dispatched(harness) == [
        ("a fire", CallKey("cad", 8)),
        ("a robbery", CallKey("cad", 9)),
    ]


@pytest.mark.parametrize(
    ("lasted", "event"),
    [(58, close()), (2, close()), (58, note("Send a unit."))],
    ids=["over", "soon over", "just heard of"],
)
async def test_a_different_report_is_never_written_into_the_old_card(
    harness: AppHarness, lasted: int, event: Step
) -> None:
    await push(harness, *new("Fire", address="Elm St"))
    wait(harness, lasted * SECOND)
    await push(harness, *event)
    wait(harness, 2 * SECOND)
    await push(harness, *new("Robbery", address="Oak St"))
    assert await titles(harness) == [("Fire", False), ("Robbery", True)]


async def test_stored_reports_count_by_when_they_happened(harness: AppHarness) -> None:
    """The game server kept all this while the bot was away, and sends it at once."""
    callout = ("EVENT_NEW_CALLOUT", {"callout": {"id": "armed_suspect"}})
    story = [
        new("Robbery", idents=[61, 62]), detach(61), note("EN ROUTE"), callout,
        call_911("shop alarm", 7), edit(idents=[61, 62]), note("EN ROUTE"), callout,
        call_911("shop alarm", 8), edit(notes=[]), new("Fire", address="Elm St", description="x"),
    ]  # fmt: skip
    for number, event in enumerate(story):
        harness.age = (len(story) - number) * 2 * MINUTE
        await push(harness, *event)
    read = harness.database.read
    assert await titles(harness) == [("Robbery", False), ("Fire", True)]
    assert await dispatches.units(read, "cad", 1) == [61, 62]
    assert await dispatches.notes(read, CallKey("cad", 1)) == []
    assert len(harness.dump()["notices"]) == 2
    second = await emergencies.get(read, "cad", 8)
    assert second is not None
    assert second.repeats_key is None
    events = await harness.journal_events()
    assert len(events) == len(story)


# Lists, and the CAD's own stamps


@pytest.mark.parametrize(
    ("single", "listed"), [(detach(61), [61, 62]), (attach(63), [61, 62])], ids=["detach", "attach"]
)
async def test_list_of_an_edit_counts_ten_seconds_after_an_attach_or_detach(
    harness: AppHarness, single: Step, listed: list[int]
) -> None:
    for event in (new("Robbery", idents=[61, 62]), single):
        await push(harness, *event)
    before = await dispatches.units(harness.database.read, "cad", 1)
    assert before != listed
    wait(harness, 10 * SECOND)
    await push(harness, *edit(idents=listed))
    assert await dispatches.units(harness.database.read, "cad", 1) == before
    wait(harness, 1)
    await push(harness, *edit(idents=listed))
    assert await dispatches.units(harness.database.read, "cad", 1) == listed


OLD, NEWER = "2026-11-22T09:00:00Z", "2026-11-22T09:00:05Z"


async def test_older_of_two_stamped_edits_changes_only_what_the_newer_left(
    harness: AppHarness,
) -> None:
    await push(harness, *new("Fire"))
    await push(harness, *edit(title="newer", updated=NEWER))
    await push(harness, *edit(title="older", address="Elm St", status=2, updated=OLD), via=GAME)
    call = await dispatches.get(harness.database.read, "cad", 1)
    assert call is not None
    assert (call.title, call.address) == ("newer", "Elm St")
    await push(harness, *edit(title="without a stamp"))
    assert (await titles(harness))[0][0] == "without a stamp"


async def test_older_of_two_stamped_911_calls_changes_nothing(harness: AppHarness) -> None:
    await push(harness, *call_911("newer", updated=NEWER))
    await push(harness, *call_911("older", updated=OLD), via=GAME)
    await push(harness, *call_911("no time", updated="just now"))
    assert await texts(harness) == [("no time", True)]


@pytest.mark.parametrize(
    "impossible", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00", "2099-01-01T00:00:00Z", "soon"]
)
async def test_an_impossible_timestamp_is_ignored(harness: AppHarness, impossible: str) -> None:
    for updated in (OLD, impossible, NEWER):
        text = f"changed at {updated}"
        await push(harness, *edit(title=text, updated=updated))
        await push(harness, *call_911(text, updated=updated))
        assert (await titles(harness), await texts(harness)) == ([(text, True)], [(text, True)])
        wait(harness, 20 * SECOND)


# Copies over the other transport


@pytest.mark.parametrize("late", [7, 55])
async def test_late_copies_change_nothing(harness: AppHarness, late: int) -> None:
    story = [
        call_911("a fire"), new("Fire", idents=[61]), attach(62), detach(61), remove(), close(),
        panic(on=True), panic(on=False), tone(),
    ]  # fmt: skip
    for event in story:
        wait(harness, SECOND)
        await push(harness, *event)
    before, events = harness.dump(), len(await harness.journal_events())
    wait(harness, (late - len(story) + 1) * SECOND)
    for event in story:
        await push(harness, *event, via=GAME)
        wait(harness, SECOND)
    assert len(await harness.journal_events()) == events
    after = harness.dump()
    assert all(after[table] == before[table] for table in before if table != "fingerprints")


async def test_copies_that_arrive_out_of_order_change_nothing(harness: AppHarness) -> None:
    for event in (panic(on=True), panic(on=False)):
        await push(harness, *event)
        wait(harness, SECOND)
    wait(harness, 8 * SECOND)
    for event in (panic(on=False), panic(on=True)):
        await push(harness, *event, via=GAME)
    unit = await units.get(harness.database.read, "cad", 61)
    assert unit is not None
    assert not unit.is_panic


async def test_second_panic_after_late_copies_is_one(harness: AppHarness) -> None:
    for event in (panic(on=True), panic(on=False)):
        await push(harness, *event)
        wait(harness, SECOND)
    wait(harness, 20 * SECOND)
    for event in (panic(on=True), panic(on=False)):
        await push(harness, *event, via=GAME)
        wait(harness, SECOND)
    await push(harness, *panic(on=True))
    unit = await units.get(harness.database.read, "cad", 61)
    assert unit is not None
    assert unit.is_panic
    assert len(await harness.journal_events()) == 3
    wait(harness, 22 * SECOND)
    await push(harness, *panic(on=True), via=GAME)
    assert len(await harness.journal_events()) == 3


LOST: list[tuple[Sequence[Step], Step, Step]] = [
    ([], call_911("a fire"), remove()),
    ([], panic(on=True), panic(on=False)),
    ([new("Fire")], attach(61), detach(61)),
    ([new("Fire", idents=[61])], edit(idents=[]), edit(idents=[61])),
    ([new("Fire")], edit(title="a"), edit(title="b")),
    ([new("Fire")], edit(status=1), close()),
    ([new("Fire"), close()], edit(status=1), edit(status=2)),
]


@pytest.mark.parametrize(("before", "lost", "last"), LOST)
async def test_push_that_one_transport_lost_does_not_undo_what_came_after_it(
    harness: AppHarness, before: Sequence[Step], lost: Step, last: Step
) -> None:
    for event in before:
        await push(harness, *event)
    wait(harness, 20 * SECOND)
    await push(harness, *last)
    wait(harness, 40 * SECOND)
    for event in (lost, last):
        wait(harness, SECOND)
        await push(harness, *event, via=GAME)
    assert [is_open for _, is_open in await texts(harness)] in ([], [False])
    assert await units.open_panics(harness.database.read, "cad", [61]) == {}
    calls = await dispatches.of_number(harness.database.read, "cad", 1)
    if last == edit(idents=[61]):
        assert await dispatches.units(harness.database.read, "cad", 1) == [61]
    elif last == edit(title="b"):
        assert [call.title for call in calls] == ["b"]
    elif last in (close(), edit(status=2)):
        assert [call.closed_at is None for call in calls] == [False]
    else:
        assert await dispatches.units(harness.database.read, "cad", 1) == []
    assert len(await dispatches.of_number(harness.database.read, "cad", 1)) <= 1


async def test_new_call_is_not_removed_by_the_late_removal_of_the_old_one(
    harness: AppHarness,
) -> None:
    await push(harness, *call_911("a cow", caller="Bo", location="Route 68"))
    wait(harness, 30 * SECOND)
    robbery = call_911("armed men", caller="Cy", location="Legion Square")
    await push(harness, *robbery)
    wait(harness, 15 * SECOND)
    await push(harness, *remove(), via=GAME)
    assert await texts(harness) == [("a cow", False), ("armed men", True)]
    await push(harness, *robbery, via=GAME)
    assert await texts(harness) == [("a cow", False), ("armed men", True)]
