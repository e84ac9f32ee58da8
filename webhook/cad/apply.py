"""What the CAD's events change: calls, units and panics, as the cards show them.

Pushes carry no number and no time and come in any order, some twice; so each is stored in a way
that the order of arrival does not matter where the events themselves leave a choice.

Every function returns the subjects of its event.
"""

from functools import singledispatch
from typing import Any

from db import dispatches, emergencies, notices, units
from db.emergencies import EmergencyCall
from webhook.cad.calls import (
    Call911,
    DispatchClosed,
    DispatchEdit,
    DispatchNew,
    DispatchNote,
    DispatchReport,
    Note,
    Removed911,
    ToggleBodycam,
    UnitAttach,
    UnitDetach,
)
from webhook.cad.events import (
    CadEvent,
    dispatch_subject,
    emergency_subject,
    notice_subject,
    panic_subject,
    unit_subjects,
)
from webhook.cad.matching import (
    CallLocation,
    fold_earlier_calls,
    panic_of_call,
    pressed_by,
    property_at,
)
from webhook.cad.notices import Callout, PagerMessage, StationAlert
from webhook.cad.records import PrintRecord
from webhook.cad.units import (
    UnitGroupAdd,
    UnitGroupRemove,
    UnitGroupRename,
    UnitLogin,
    UnitLogout,
    UnitPanic,
    UnitStatus,
    UnitUpdate,
)
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

CLOSED = "CLOSED"
OFFLINE = "OFFLINE"

_POSITION = frozenset({"block", "address", "postal", "x", "y", "emergency_call_id"})
"""The columns of a dispatch call from which its property is found."""

_RENAMED = {"primary": "primary_unit", "origin_911": "emergency_call_id"}
"""The fields of a dispatch event whose columns have other names."""

_NOTICE_KINDS: dict[str, notices.Kind] = {
    PagerMessage.type: "pager",
    StationAlert.type: "station",
    Callout.type: "callout",
}


@singledispatch
async def apply(event: CadEvent, change: Change, cad: str) -> list[Subject]:
    """Store what an event changes and return its subjects; most events are only journalled."""
    return []


# Calls


@apply.register
async def store_911(event: Call911, change: Change, cad: str) -> list[Subject]:
    point = (event.coordinates.x, event.coordinates.y) if event.coordinates else None
    location = CallLocation(event.location, event.postal or "", point)
    call = await emergencies.put(
        change.sql,
        cad,
        event.call_id,
        is_emergency=event.is_emergency,
        caller=event.caller,
        location=event.location,
        postal=event.postal or "",
        description=event.description,
        property_id=await property_at(change.sql, location),
        pressed_by=pressed_by(event.description),
        now=change.received,
        age=change.age,
    )
    subjects = await _subjects_of(change, call)
    if call.dispatch_call_id is not None:
        subjects += await _move_dispatches(change, call)
    return subjects


@apply.register
async def store_removed_911(event: Removed911, change: Change, cad: str) -> list[Subject]:
    found = []
    for call_id in event.call_ids:
        call = await emergencies.mark_removed(change.sql, cad, call_id, change.received, change.age)
        found += await _subjects_of(change, call)
    return found


@apply.register
async def store_dispatch_new(event: DispatchNew, change: Change, cad: str) -> list[Subject]:
    values = _columns_of({name: getattr(event, name) for name in type(event).model_fields})
    call = await dispatches.put_first_report(
        change.sql, cad, event.call_id, values, event.idents, change.received, change.age
    )
    await _find_property(change, call)
    return await _store_rest(event, change, cad)


@apply.register
async def store_dispatch_edit(event: DispatchEdit, change: Change, cad: str) -> list[Subject]:
    changes = event.changes()
    values = _columns_of(changes)
    call = await dispatches.put_edit(
        change.sql, cad, event.call_id, values, changes.get("idents"), change.received, change.age
    )
    if values.keys() & _POSITION:
        await _find_property(change, call)
    return await _store_rest(event, change, cad)


@apply.register
async def store_dispatch_closed(event: DispatchClosed, change: Change, cad: str) -> list[Subject]:
    for call_id in event.call_ids:
        await dispatches.close(change.sql, cad, call_id, change.received, change.age)
    return [dispatch_subject(cad, call_id) for call_id in event.call_ids]


@apply.register
async def store_dispatch_note(event: DispatchNote, change: Change, cad: str) -> list[Subject]:
    await dispatches.ensure(change.sql, cad, event.call_id, change.received, change.age)
    await _add_notes(change, cad, event.call_id, [event.note])
    return [dispatch_subject(cad, event.call_id)]


@apply.register
async def attach_units(event: UnitAttach, change: Change, cad: str) -> list[Subject]:
    await dispatches.ensure(change.sql, cad, event.call_id, change.received, change.age)
    await dispatches.attach(change.sql, cad, event.call_id, event.idents)
    return [dispatch_subject(cad, event.call_id)]


@apply.register
async def detach_units(event: UnitDetach, change: Change, cad: str) -> list[Subject]:
    if event.call_id is not None:
        await dispatches.ensure(change.sql, cad, event.call_id, change.received, change.age)
        await dispatches.detach(change.sql, cad, event.call_id, event.idents)
        return [dispatch_subject(cad, event.call_id)]
    left = []
    for ident in event.idents:
        for call_id in await dispatches.calls_of_units(change.sql, cad, [ident]):
            await dispatches.detach(change.sql, cad, call_id, [ident])
            left.append(dispatch_subject(cad, call_id))
    return left


# Units


@apply.register
async def store_unit_login(event: UnitLogin, change: Change, cad: str) -> list[Subject]:
    values = event.unit.changes() | {"is_dispatch": event.is_dispatch, "on_duty": True}
    await _store_unit(change, cad, event.unit.id, values)
    return unit_subjects(cad, [event.unit.id])


@apply.register
async def store_unit_logout(event: UnitLogout, change: Change, cad: str) -> list[Subject]:
    for ident in event.idents:
        await units.log_out(change.sql, cad, ident, change.received)
    ended = await units.clear_panic(change.sql, cad, event.idents, change.happened)
    return unit_subjects(cad, event.idents) + [panic_subject(panic_id) for panic_id in ended]


@apply.register
async def store_unit_status(event: UnitStatus, change: Change, cad: str) -> list[Subject]:
    described = {unit.id: unit.changes() for unit in event.units}
    status = {"status": event.status, "status_code": event.status_code}
    for ident in event.idents:
        await _store_unit(change, cad, ident, described.get(ident, {}) | status)
    return unit_subjects(cad, event.idents)


@apply.register
async def store_unit_update(event: UnitUpdate, change: Change, cad: str) -> list[Subject]:
    for unit in event.units:
        await _store_unit(change, cad, unit.id, unit.changes())
    return unit_subjects(cad, [unit.id for unit in event.units])


@apply.register
async def store_group_add(event: UnitGroupAdd, change: Change, cad: str) -> list[Subject]:
    for ident in event.idents:
        await units.put(change.sql, cad, ident, {"group_name": event.group_name}, change.received)
    return unit_subjects(cad, event.idents)


@apply.register
async def store_group_remove(event: UnitGroupRemove, change: Change, cad: str) -> list[Subject]:
    await units.leave_group(change.sql, cad, event.idents, event.group_name, change.received)
    return unit_subjects(cad, event.idents)


@apply.register
async def store_group_rename(event: UnitGroupRename, change: Change, cad: str) -> list[Subject]:
    stored = await units.members_of(change.sql, cad, event.old_name) if event.old_name else []
    members = list(dict.fromkeys([*event.idents, *stored]))
    for ident in members:
        await units.put(change.sql, cad, ident, {"group_name": event.new_name}, change.received)
    return unit_subjects(cad, members)


@apply.register
async def name_units(event: ToggleBodycam | PrintRecord, change: Change, cad: str) -> list[Subject]:
    return unit_subjects(cad, event.idents)


@apply.register
async def store_panic(event: UnitPanic, change: Change, cad: str) -> list[Subject]:
    if not event.is_panic:
        ended = await units.clear_panic(change.sql, cad, event.idents, change.happened)
        return [panic_subject(panic_id) for panic_id in ended]
    started = await units.start_panic(change.sql, cad, event.idents, change.received, change.age)
    if started is None:
        return []
    own_calls = await fold_earlier_calls(change, cad, started)
    # Their cards may be there by now; the panic's takes over.
    return [panic_subject(started), *(emergency_subject(cad, call_id) for call_id in own_calls)]


# Notices


@apply.register
async def store_notice(
    event: PagerMessage | StationAlert | Callout, change: Change, cad: str
) -> list[Subject]:
    key = event.id if isinstance(event, Callout) else ""
    data = event.model_dump_json(by_alias=True)
    kind = _NOTICE_KINDS[event.type]
    return [
        notice_subject(
            await notices.put(change.sql, cad, kind, key, data, change.received, change.age)
        )
    ]


# What several events share


async def _subjects_of(change: Change, call: EmergencyCall) -> list[Subject]:
    """Return the subjects of events about a 911 call: the panic too if the call is its own.

    The panic's card then shows the call; where panics have no channel, the call's own card does.
    """
    own = emergency_subject(call.cad, call.call_id)
    if call.pressed_by is None:
        return [own]
    panic_id = call.panic_id
    if panic_id is None:
        panic_id = await panic_of_call(change, call)
        if panic_id is None:
            return [own]
        await emergencies.fold_into_panic(change.sql, call.cad, call.call_id, panic_id)
    return [panic_subject(panic_id), own]


async def _move_dispatches(change: Change, origin: EmergencyCall) -> list[Subject]:
    """Find the properties of dispatch calls anew when their 911 call has come or changed."""
    made = await dispatches.made_from(change.sql, origin.cad, origin.call_id)
    calls = [await dispatches.get(change.sql, origin.cad, call_id) for call_id in made]
    return [
        dispatch_subject(call.cad, call.call_id)
        for call in calls
        if call is not None and await _find_property(change, call)
    ]


async def _find_property(change: Change, call: dispatches.DispatchCall) -> bool:
    """Find the property of a dispatch call, or else of its 911 call; return whether it changed."""
    point = None if call.x is None or call.y is None else (call.x, call.y)
    location = CallLocation(f"{call.block} {call.address}", call.postal, point)
    found = await property_at(change.sql, location)
    if found is None and call.emergency_call_id is not None:
        origin = await emergencies.get(change.sql, call.cad, call.emergency_call_id)
        found = origin.property_id if origin is not None else None
    if found == call.property_id:
        return False
    await dispatches.set_property(change.sql, call.cad, call.call_id, found)
    return True


def _columns_of(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a dispatch call for those of its fields that a push set."""
    columns = {_RENAMED.get(name, name): value for name, value in fields.items()}
    if "coordinates" in columns:
        point = columns["coordinates"]
        columns |= {"x": point and point.x, "y": point and point.y}
    columns = {name: value for name, value in columns.items() if name in dispatches.PUSHED}
    for text in ("priority", "postal"):
        if text in columns:
            columns[text] = str(columns[text] or "")
    return columns


async def _store_rest(event: DispatchReport, change: Change, cad: str) -> list[Subject]:
    """Store what depends on a reported call: notes, the 911 call it was made from, its end."""
    await _add_notes(change, cad, event.call_id, event.notes)
    subjects = [dispatch_subject(cad, event.call_id)]
    if event.origin_911 is not None:
        origin = await emergencies.mark_dispatched(
            change.sql, cad, event.origin_911, event.call_id, change.received, change.age
        )
        subjects += await _subjects_of(change, origin)
    if event.status == CLOSED:
        await dispatches.close(change.sql, cad, event.call_id, change.received, change.age)
    return subjects


async def _add_notes(change: Change, cad: str, call_id: int, notes: list[Note]) -> None:
    rows = [
        dispatches.CallNote(note.time, note.label, note.content) for note in notes if note.content
    ]
    await dispatches.add_notes(change.sql, cad, call_id, rows)


async def _store_unit(change: Change, cad: str, ident: int, values: dict[str, Any]) -> None:
    # `is_panic` is set by panics alone: a status from before one may arrive after it.
    if "group" in values:
        values["group_name"] = values["group"]
    if values.get("status") == OFFLINE:
        values["on_duty"] = False
    await units.put(change.sql, cad, ident, values, change.received)
