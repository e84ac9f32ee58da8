"""What the CAD's events change: calls, units and panics, as the cards show them.

Pushes carry no number and no time and come in any order, some twice; so each is kept in a way that
the order of arrival does not matter where the events themselves leave a choice.
"""

from functools import singledispatch
from typing import Any

from db import dispatches, emergencies, units
from webhook.cad.alerts import PrintRecord
from webhook.cad.calls import (
    Call911,
    DispatchCall,
    DispatchClosed,
    DispatchEdit,
    DispatchNew,
    DispatchNote,
    Removed911,
    ToggleBodycam,
    UnitAttach,
    UnitDetach,
)
from webhook.cad.events import CadEvent, Note
from webhook.cad.units import (
    Unit,
    UnitGroupAdd,
    UnitGroupRemove,
    UnitLogin,
    UnitLogout,
    UnitPanic,
    UnitStatus,
    UnitUpdate,
)
from webhook.context import Change
from webhook.events import Subject

CLOSED = "CLOSED"


def emergency_subject(cad: str, call_id: int) -> Subject:
    """Return the subject of events about a 911 call."""
    return Subject("emergency", f"{call_id}@{cad}")


def dispatch_subject(cad: str, call_id: int) -> Subject:
    """Return the subject of events about a dispatch call."""
    return Subject("dispatch", f"{call_id}@{cad}")


def panic_subject(panic_id: int) -> Subject:
    """Return the subject of events about a panic."""
    return Subject("panic", str(panic_id))


def _unit_subjects(cad: str, idents: list[int]) -> list[Subject]:
    return [Subject("unit", f"{ident}@{cad}") for ident in idents]


@singledispatch
async def keep(event: CadEvent, change: Change, cad: str) -> list[Subject]:
    """Keep what an event changes and return what it is about; most only stand in the journal."""
    return []


@keep.register
async def _(event: Call911, change: Change, cad: str) -> list[Subject]:
    await emergencies.put(
        change.sql,
        cad,
        event.call_id,
        is_emergency=event.is_emergency,
        caller=event.caller,
        location=event.location,
        postal=event.postal or "",
        description=event.description,
        now=change.now,
    )
    return [emergency_subject(cad, event.call_id)]


@keep.register
async def _(event: Removed911, change: Change, cad: str) -> list[Subject]:
    for call_id in event.call_ids:
        await emergencies.mark_removed(change.sql, cad, call_id, change.now)
    return [emergency_subject(cad, call_id) for call_id in event.call_ids]


@keep.register
async def _(event: DispatchNew, change: Change, cad: str) -> list[Subject]:
    told = _told({name: getattr(event, name) for name in type(event).model_fields})
    await dispatches.put_first_report(change.sql, cad, event.call_id, told, change.now)
    await dispatches.list_first_units(change.sql, cad, event.call_id, event.idents)
    return await _keep_call(event, change, cad)


@keep.register
async def _(event: DispatchEdit, change: Change, cad: str) -> list[Subject]:
    changes = event.changes()
    await dispatches.put_edit(change.sql, cad, event.call_id, _told(changes), change.now)
    if "idents" in changes:
        await dispatches.list_units(change.sql, cad, event.call_id, event.idents)
    return await _keep_call(event, change, cad)


@keep.register
async def _(event: DispatchClosed, change: Change, cad: str) -> list[Subject]:
    for call_id in event.call_ids:
        await dispatches.close(change.sql, cad, call_id, change.now)
    return [dispatch_subject(cad, call_id) for call_id in event.call_ids]


@keep.register
async def _(event: DispatchNote, change: Change, cad: str) -> list[Subject]:
    await dispatches.ensure(change.sql, cad, event.call_id, change.now)
    await _add_notes(change, cad, event.call_id, [event.note])
    return [dispatch_subject(cad, event.call_id)]


@keep.register
async def _(event: UnitAttach, change: Change, cad: str) -> list[Subject]:
    await dispatches.ensure(change.sql, cad, event.call_id, change.now)
    await dispatches.attach(change.sql, cad, event.call_id, event.idents)
    return [dispatch_subject(cad, event.call_id)]


@keep.register
async def _(event: UnitDetach, change: Change, cad: str) -> list[Subject]:
    if event.call_id is not None:
        await dispatches.ensure(change.sql, cad, event.call_id, change.now)
        await dispatches.detach(change.sql, cad, event.call_id, event.idents)
        return [dispatch_subject(cad, event.call_id)]
    left = []
    for ident in event.idents:
        for call_id in await dispatches.calls_of_unit(change.sql, cad, ident):
            await dispatches.detach(change.sql, cad, call_id, [ident])
            left.append(dispatch_subject(cad, call_id))
    return left


@keep.register
async def _(event: UnitLogin, change: Change, cad: str) -> list[Subject]:
    await _keep_unit(event.unit, change, cad, on_duty=True)
    return _unit_subjects(cad, [event.unit.id])


@keep.register
async def _(event: UnitLogout, change: Change, cad: str) -> list[Subject]:
    for ident in event.idents:
        await units.put(change.sql, cad, ident, {"on_duty": False}, change.now)
    return _unit_subjects(cad, event.idents)


@keep.register
async def _(event: UnitStatus, change: Change, cad: str) -> list[Subject]:
    for unit in event.units:
        await _keep_unit(unit, change, cad)
    for ident in event.idents:
        await units.put(change.sql, cad, ident, {"status": event.status}, change.now)
    return _unit_subjects(cad, event.idents)


@keep.register
async def _(event: UnitUpdate, change: Change, cad: str) -> list[Subject]:
    for unit in event.units:
        await _keep_unit(unit, change, cad)
    return _unit_subjects(cad, [unit.id for unit in event.units])


@keep.register(UnitGroupAdd)
@keep.register(UnitGroupRemove)
@keep.register(ToggleBodycam)
@keep.register(PrintRecord)
async def _(
    event: UnitGroupAdd | UnitGroupRemove | ToggleBodycam | PrintRecord, change: Change, cad: str
) -> list[Subject]:
    return _unit_subjects(cad, event.idents)


@keep.register
async def _(event: UnitPanic, change: Change, cad: str) -> list[Subject]:
    if not event.is_panic:
        ended = await units.clear_panic(change.sql, cad, event.idents, change.now)
        return [panic_subject(panic_id) for panic_id in ended]
    started = await units.start_panic(change.sql, cad, event.idents, change.now)
    return [] if started is None else [panic_subject(started)]


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a dispatch call for those of its fields that were told."""
    renamed = {"primary": "primary_unit", "origin_911": "emergency_call_id"}
    told = {renamed.get(name, name): value for name, value in fields.items()}
    told = {column: value for column, value in told.items() if column in dispatches.TOLD}
    for text in ("priority", "postal"):
        if text in told:
            told[text] = str(told[text] or "")
    return told


async def _keep_call(event: DispatchCall, change: Change, cad: str) -> list[Subject]:
    """Keep what hangs on a reported call: notes, the 911 call it was made from, its end."""
    await _add_notes(change, cad, event.call_id, event.notes)
    about = [dispatch_subject(cad, event.call_id)]
    if event.origin_911 is not None:
        await emergencies.mark_dispatched(
            change.sql, cad, event.origin_911, event.call_id, change.now
        )
        about.append(emergency_subject(cad, event.origin_911))
    if event.status == CLOSED:
        await dispatches.close(change.sql, cad, event.call_id, change.now)
    return about


async def _add_notes(change: Change, cad: str, call_id: int, notes: list[Note]) -> None:
    for note in notes:
        if note.content:
            row = dispatches.Note(note.time, note.label, note.content)
            await dispatches.add_note(change.sql, cad, call_id, row)


async def _keep_unit(unit: Unit, change: Change, cad: str, **told: Any) -> None:
    await units.put(change.sql, cad, unit.id, unit.changes() | told, change.now)
