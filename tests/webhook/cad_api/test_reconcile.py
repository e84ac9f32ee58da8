"""What the CAD has after the bot was down is taken over, without inventing or pinging anything."""

from typing import Any

from db import dispatches, emergencies, units
from tests.webhook.cad_api.conftest import CAD, AskedCad


def _call(number: int, **fields: Any) -> dict[str, Any]:
    given = {"callId": number, "status": 1, "priority": 1, "title": f"Fire {number}", "code": ""}
    return given | {"idents": [], "notes": [], "metaData": {}} | fields


def _emergency(number: int, **fields: Any) -> dict[str, Any]:
    given = {"callId": number, "isEmergency": True, "caller": "Wren", "location": "Forum Dr"}
    return given | {"description": f"Smoke {number}.", "metaData": {}} | fields


async def _read(asked: AskedCad) -> None:
    """Start the bot, and wait until it has read the CAD's state."""
    async with asked.working():
        await asked.outbox.ask_for_state()
        read = asked.harness.database.read
        while await read.count("cad_requests WHERE ended_at IS NULL"):
            await asked.fake.next_request()


async def test_missed_changes_are_adopted(asked: AskedCad) -> None:
    fake, read = asked.fake, asked.harness.database.read
    for number in (1, 2):
        await asked.pushed("EVENT_DISPATCH_NEW", {"dispatch": _call(number)})
        await asked.pushed("EVENT_911", {"call": _emergency(number)})
    await asked.pushed("EVENT_UNIT_LOGIN", {"unit": {"id": 9, "status": 2, "data": {}}})
    await asked.take_names()
    fake.dispatches = {2: _call(2, idents=[7], title="Big fire"), 3: _call(3)}
    fake.emergencies = {2: _emergency(2), 3: _emergency(3)}
    await _read(asked)
    frames = asked.harness.take_events()
    assert all(data["reconciled"] for name, data in frames if name.startswith("cad."))
    assert sorted(name.removeprefix("cad.EVENT_") for name, _ in frames) == [
        "911",
        "DISPATCH_CLOSED",
        "DISPATCH_EDIT",
        "DISPATCH_NEW",
        "REMOVE_911",
        "UNIT_LOGIN",
        "UNIT_LOGOUT",
    ]
    edited = await dispatches.get(read, CAD, 2)
    assert edited is not None
    assert (edited.title, await dispatches.units(read, CAD, 2)) == ("Big fire", [7])
    gone = await emergencies.get(read, CAD, 1)
    assert gone is not None
    assert gone.removed_at is not None
    assert [unit.ident for unit in await units.on_duty(read)] == [7]
    await _read(asked)
    assert await asked.take_names() == []


async def test_pushes_during_a_reconciliation_win(asked: AskedCad) -> None:
    fake, read = asked.fake, asked.harness.database.read
    fake.dispatches = {5: _call(5)}
    await asked.pushed("EVENT_DISPATCH_NEW", {"dispatch": _call(5)})
    fake.snapshot_calls()
    async with asked.working():
        fake.begin_holding()
        await asked.outbox.ask_for_state()
        await fake.until(lambda: bool(fake.asked("calls")))
        await asked.pushed("EVENT_DISPATCH_CLOSED", {"callIds": [5]})
        await asked.pushed("EVENT_911", {"call": _emergency(8)})
        await asked.take_names()
        fake.end_holding()
        while await read.count("cad_requests WHERE ended_at IS NULL"):
            await fake.next_request()
    names = await asked.take_names()
    assert names == ["UNIT_LOGIN"]  # unit 7, of which nobody had pushed anything
    closed = await dispatches.get(read, CAD, 5)
    assert closed is not None
    assert closed.closed_at is not None
    pushed = await emergencies.get(read, CAD, 8)
    assert pushed is not None
    assert pushed.removed_at is None


async def test_an_answer_without_lists_ends_nothing(asked: AskedCad) -> None:
    await asked.pushed("EVENT_DISPATCH_NEW", {"dispatch": _call(1)})
    await asked.pushed("EVENT_UNIT_LOGIN", {"unit": {"id": 9, "status": 2, "data": {}}})
    await asked.take_names()
    asked.fake.answers = {"calls": {"somethingElse": 1}, "units": {"somethingElse": 1}}
    await _read(asked)
    assert await asked.take_names() == []
