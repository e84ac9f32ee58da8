"""What is long over is forgotten; its number is free for another call with another card."""

from typing import Any

import pytest

from db import cards, dispatches, emergencies, fingerprints, notices, units
from db.cards import StaleCard
from tests.webhook.harness import DAY, HOUR, AppHarness
from webhook.cad.retention import Retention, forget_old
from webhook.cad.store import store_push

CAD = "cad"
KEEPING = Retention(over=DAY, fingerprints=5_000)

TABLES = (
    "emergency_calls",
    "dispatch_calls",
    "dispatch_units",
    "dispatch_notes",
    "panics",
    "panic_units",
    "notices",
    "fingerprints",
)


async def push(harness: AppHarness, kind: str, data: object) -> None:
    await store_push(harness.context(), CAD, {"type": kind, "data": data})


async def age(harness: AppHarness, later: int, limit: int = 100) -> bool:
    harness.clock.now += later
    return await forget_old(harness.context(), KEEPING, limit)


def kept(harness: AppHarness) -> list[str]:
    """Return which tables still hold something."""
    rows = harness.dump()
    return [name for name in TABLES if rows[name]]


OVER: list[tuple[str, Any]] = [
    ("EVENT_911", {"call": {"callId": 5}}),
    ("EVENT_REMOVE_911", {"callIds": [5]}),
    ("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 5, "idents": [1], "notes": ["one"]}}),
    ("EVENT_DISPATCH_CLOSED", {"callIds": [5]}),
    ("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True}),
    ("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": False}),
]


async def test_closed_calls_are_deleted_a_day_later(harness: AppHarness) -> None:
    for event in OVER:
        await push(harness, *event)
    before = kept(harness)
    assert "panics" in before
    await age(harness, DAY)
    assert [*kept(harness), "fingerprints"] == before
    await age(harness, 1)
    assert kept(harness) == []


async def test_open_calls_are_deleted_three_days_after_the_last_push(
    harness: AppHarness,
) -> None:
    for event in OVER[::2]:
        await push(harness, *event)
    await age(harness, 2 * DAY)
    note = {"callId": 5, "note": "still there"}
    await push(harness, "EVENT_DISPATCH_NOTE", note)
    await age(harness, DAY + 1)
    assert kept(harness) == ["dispatch_calls", "dispatch_units", "dispatch_notes"]
    await age(harness, 2 * DAY)
    assert kept(harness) == []


async def test_911_call_is_kept_for_its_open_dispatch_call(harness: AppHarness) -> None:
    dispatch = {"callId": 9, "metaData": {"origin911": 5}}
    for event in (*OVER[:2], ("EVENT_DISPATCH_NEW", {"dispatch": dispatch})):
        await push(harness, *event)
    await age(harness, DAY + 1)
    assert await emergencies.get(harness.database.read, CAD, 5) is not None
    await push(harness, "EVENT_DISPATCH_CLOSED", {"callIds": [9]})
    await age(harness, DAY + 1)
    assert await emergencies.get(harness.database.read, CAD, 5) is None


async def test_panic_is_deleted_with_its_own_911_call(harness: AppHarness) -> None:
    text = "Unit 7 has pressed their panic button!"
    await push(harness, "EVENT_911", {"call": {"callId": 5, "description": text}})
    for event in OVER[4:]:
        await push(harness, *event)
    await age(harness, DAY + 1)
    assert kept(harness) == []


async def test_deleting_a_panic_ends_it_for_its_units(harness: AppHarness) -> None:
    await push(harness, *OVER[4])
    await age(harness, 3 * DAY + 1)
    unit = await units.get(harness.database.read, CAD, 1)
    assert unit is not None
    assert not unit.is_panic
    await push(harness, *OVER[4])
    assert await units.open_panics(harness.database.read, CAD, [1]) == {1: 2}


async def test_reused_number_is_another_call_with_another_card(harness: AppHarness) -> None:
    await push(harness, "EVENT_911", {"call": {"callId": 5, "caller": "Wren"}})
    await push(harness, "EVENT_REMOVE_911", {"callIds": [5]})
    subject = f"emergency:5@{CAD}"
    async with harness.database.write() as sql:
        await cards.mark_stale(sql, StaleCard(subject, "emergency", harness.clock.now))
        card = await cards.of_subject(sql, subject)
        assert card is not None
        await cards.mark_posted(sql, card._replace(channel_id=10, message_id=20))
        reply = f"emergency-again:5@{CAD}"
        await cards.mark_stale(sql, StaleCard(reply, "emergency", harness.clock.now, 7))
    await age(harness, DAY + 1)
    assert await cards.of_subject(harness.database.read, subject) is None
    assert await cards.of_subject(harness.database.read, reply) is None
    assert await cards.outdated(harness.database.read, ["emergency"]) == []
    await push(harness, "EVENT_911", {"call": {"callId": 5, "caller": "Kit"}})
    call = await emergencies.get(harness.database.read, CAD, 5)
    assert call is not None
    assert (call.caller, call.removed_at, call.received_at) == ("Kit", None, harness.clock.now)
    async with harness.database.write() as sql:
        await cards.mark_stale(sql, StaleCard(subject, "emergency", harness.clock.now))
        fresh = await cards.of_subject(sql, subject)
    assert fresh is not None
    assert (fresh.id != card.id, fresh.message_id) == (True, None)


async def test_deletion_goes_in_batches(harness: AppHarness) -> None:
    for number in range(5):
        await push(harness, "EVENT_DISPATCH_CLOSED", {"callIds": [number]})
    assert await age(harness, DAY + 1, limit=3)
    assert len(harness.dump()["dispatch_calls"]) == 2
    assert not await age(harness, 0, limit=3)
    assert harness.dump()["dispatch_calls"] == []


async def test_unit_without_pushes_for_half_a_day_is_off_duty(harness: AppHarness) -> None:
    await push(harness, "EVENT_UNIT_STATUS", {"identIds": [1], "status": 2})
    await push(harness, "EVENT_UNIT_GROUP_ADD", {"identIds": [1], "groupName": "Bike"})
    await age(harness, 12 * HOUR)
    assert len(await units.on_duty(harness.database.read)) == 1
    await age(harness, 1)
    assert await units.on_duty(harness.database.read) == []
    unit = await units.get(harness.database.read, CAD, 1)
    assert unit is not None
    assert unit.group_name == ""
    await push(harness, "EVENT_UNIT_STATUS", {"identIds": [1], "status": 2})
    assert len(await units.on_duty(harness.database.read)) == 1


@pytest.mark.parametrize(
    ("kind", "data", "made"),
    [
        ("EVENT_PAGER_REBORN", {"addresses": ["E-9"], "body": "Meet"}, 2),
        ("EVENT_STATION_ALERT", {"locations": [], "message": "Fire"}, 2),
        ("EVENT_NEW_CALLOUT", {"callout": {"id": "c-1", "data": {"Name": "Fight"}}}, 1),
        ("EVENT_NEW_CALLOUT", {"callout": {"data": {"Name": "Fight"}}}, 2),
    ],
)
async def test_each_notice_is_stored_for_a_card(
    harness: AppHarness, kind: str, data: object, made: int
) -> None:
    for _ in range(2):
        await push(harness, kind, data)
    assert len(harness.dump()["notices"]) == made
    (*_, last) = await harness.journal_events()
    (subject,) = last.subjects
    assert (subject.kind, subject.key) == ("notice", str(made))
    stored = await notices.get(harness.database.read, made)
    assert stored is not None
    assert (stored.cad, stored.at) == (CAD, harness.clock.now)
    assert stored.data.encode() == last.frame.partition(b'"data":')[2][:-1]


async def test_open_calls_are_listed_by_urgency_then_by_how_long_they_wait(
    harness: AppHarness,
) -> None:
    for number in (1, 2, 3, 4):
        harness.clock.now += 1
        emergency = {"callId": number, "isEmergency": number != 1}
        await push(harness, "EVENT_911", {"call": emergency})
        dispatch = {"callId": number + 10, "priority": 1 if number == 4 else 2}
        await push(harness, "EVENT_DISPATCH_NEW", {"dispatch": dispatch})
    await push(harness, "EVENT_REMOVE_911", {"callIds": [2, 99]})
    await push(harness, "EVENT_DISPATCH_CLOSED", {"callIds": [13]})
    read = harness.database.read
    assert [call.call_id for call in await emergencies.open_calls(read, 2)] == [3, 4]
    assert [call.call_id for call in await emergencies.open_calls(read, 9)] == [3, 4, 1]
    assert [call.call_id for call in await dispatches.open_calls(read, 9)] == [14, 11, 12]


async def test_fingerprints_of_a_clock_that_was_ahead_hold_up_no_others(
    harness: AppHarness,
) -> None:
    async with harness.database.write() as sql:
        for number, at in enumerate([9_000_000, 9_000_000, 1_000, 2_000]):
            await fingerprints.is_duplicate(sql, bytes([number]), "/event", 0, at)
        assert await fingerprints.prune(sql, 5_000, 2) == 2
        left = await sql.all(int, "SELECT at FROM fingerprints")
    assert left == [9_000_000, 9_000_000]
