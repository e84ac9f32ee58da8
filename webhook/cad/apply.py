"""What the CAD's events change: calls, units and panics, as the cards show them.

Pushes carry no number and no time and come in any order, some twice; so each is stored in a way
that the order of arrival does not matter where the events themselves leave a choice.

Every function returns the subjects of its event.
"""

from functools import singledispatch
from typing import Any

from db import dispatches, emergencies, notices, units
from db.calls import CallKey
from db.dispatches import DispatchCall
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
from webhook.cad.occurrences import dispatch_key, emergency_key
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

REPEATED = 60_000
"""Milliseconds within which a callout that comes again is the same one."""

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
    key = await emergency_key(change, cad, event.call_id)
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
        occurrence=key.occurrence,
    )
    subjects = await _subjects_of(change, call)
    if call.dispatch_call_id is not None:
        subjects += await _move_dispatches(change, call)
    return subjects


@apply.register
async def store_removed_911(event: Removed911, change: Change, cad: str) -> list[Subject]:
    found = []
    for call_id in event.call_ids:
        call = await emergencies.mark_removed(
            change.sql, await emergency_key(change, cad, call_id), change.received, change.age
        )
        found += await _subjects_of(change, call)
    return found


@apply.register
async def store_dispatch_new(event: DispatchNew, change: Change, cad: str) -> list[Subject]:
    values = _columns_of({name: getattr(event, name) for name in type(event).model_fields})
    key = await dispatch_key(change, cad, event.call_id)
    values |= await _origin_of(event, change, cad)
    call = await dispatches.put_first_report(
        change.sql,
        cad,
        event.call_id,
        values,
        event.idents,
        change.received,
        change.age,
        key.occurrence,
    )
    await _find_property(change, call)
    return await _store_rest(event, change, call)


@apply.register
async def store_dispatch_edit(event: DispatchEdit, change: Change, cad: str) -> list[Subject]:
    changes = event.changes()
    values = _columns_of(changes) | await _origin_of(event, change, cad)
    key = await dispatch_key(change, cad, event.call_id)
    call = await dispatches.put_edit(
        change.sql, key, values, changes.get("idents"), change.received, change.age
    )
    if values.keys() & _POSITION:
        await _find_property(change, call)
    return await _store_rest(event, change, call)


@apply.register
async def store_dispatch_closed(event: DispatchClosed, change: Change, cad: str) -> list[Subject]:
    closed = [await dispatch_key(change, cad, call_id) for call_id in event.call_ids]
    for call in closed:
        await dispatches.close(change.sql, call, change.received, change.age)
    return [dispatch_subject(call) for call in closed]


@apply.register
async def store_dispatch_note(event: DispatchNote, change: Change, cad: str) -> list[Subject]:
    call = await dispatch_key(change, cad, event.call_id)
    await dispatches.ensure(change.sql, call, change.received, change.age)
    await _add_notes(change, call, [event.note])
    return [dispatch_subject(call)]


@apply.register
async def attach_units(event: UnitAttach, change: Change, cad: str) -> list[Subject]:
    call = await dispatch_key(change, cad, event.call_id)
    await dispatches.ensure(change.sql, call, change.received, change.age)
    await dispatches.attach(change.sql, call, event.idents)
    return [dispatch_subject(call)]


@apply.register
async def detach_units(event: UnitDetach, change: Change, cad: str) -> list[Subject]:
    if event.call_id is not None:
        call = await dispatch_key(change, cad, event.call_id)
        await dispatches.ensure(change.sql, call, change.received, change.age)
        await dispatches.detach(change.sql, call, event.idents)
        return [dispatch_subject(call)]
    left = []
    for ident in event.idents:
        for call in await dispatches.calls_of_units(change.sql, cad, [ident]):
            await dispatches.detach(change.sql, call, [ident])
            left.append(dispatch_subject(call))
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
    return [panic_subject(started), *(emergency_subject(call) for call in own_calls)]


# Notices


@apply.register
async def store_notice(
    event: PagerMessage | StationAlert | Callout, change: Change, cad: str
) -> list[Subject]:
    # The id of a callout is the kind that the game server offers ("armed_suspect").
    key = event.id if isinstance(event, Callout) else ""
    data = event.model_dump_json(by_alias=True)
    kind = _NOTICE_KINDS[event.type]
    since = change.received - REPEATED
    notice_id = await notices.put(
        change.sql, cad, kind, key, data, change.received, change.age, since=since
    )
    return [notice_subject(notice_id)]


# What several events share


async def _subjects_of(change: Change, call: EmergencyCall) -> list[Subject]:
    """Return the subjects of events about a 911 call: the panic too if the call is its own.

    The panic's card then shows the call; where panics have no channel, the call's own card does.
    """
    own = emergency_subject(call.key)
    if call.pressed_by is None:
        return [own]
    panic_id = call.panic_id
    if panic_id is None:
        panic_id = await panic_of_call(change, call)
        if panic_id is None:
            return [own]
        await emergencies.fold_into_panic(change.sql, call.key, panic_id)
    return [panic_subject(panic_id), own]


async def _move_dispatches(change: Change, origin: EmergencyCall) -> list[Subject]:
    """Find the properties of dispatch calls anew when their 911 call has come or changed."""
    calls = await dispatches.made_from(change.sql, origin.key)
    return [dispatch_subject(call.key) for call in calls if await _find_property(change, call)]


async def _find_property(change: Change, call: DispatchCall) -> bool:
    """Find the property of a dispatch call, or else of its 911 call; return whether it changed."""
    point = None if call.x is None or call.y is None else (call.x, call.y)
    location = CallLocation(f"{call.block} {call.address}", call.postal, point)
    found = await property_at(change.sql, location)
    if found is None and call.emergency_key is not None:
        origin = await emergencies.get(change.sql, *call.emergency_key)
        found = origin.property_id if origin is not None else None
    if found == call.property_id:
        return False
    await dispatches.set_property(change.sql, call.cad, call.call_id, found, call.occurrence)
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


async def _origin_of(event: DispatchReport, change: Change, cad: str) -> dict[str, int]:
    """Return which call of its number the 911 call is that a reported call was made from."""
    if event.origin_911 is None:
        return {}
    origin = await emergency_key(change, cad, event.origin_911)
    return {"emergency_occurrence": origin.occurrence}


async def _store_rest(event: DispatchReport, change: Change, call: DispatchCall) -> list[Subject]:
    """Store what depends on a reported call: notes, the 911 call it was made from, its end."""
    await _add_notes(change, call.key, event.notes)
    subjects = [dispatch_subject(call.key)]
    if event.origin_911 is not None and call.emergency_key is not None:
        origin = await emergencies.mark_dispatched(
            change.sql, call.emergency_key, call.key, change.received, change.age
        )
        subjects += await _subjects_of(change, origin)
    if event.status == CLOSED:
        await dispatches.close(change.sql, call.key, change.received, change.age)
    return subjects


async def _add_notes(change: Change, call: CallKey, notes: list[Note]) -> None:
    rows = [
        dispatches.CallNote(note.time, note.label, note.content) for note in notes if note.content
    ]
    await dispatches.add_notes(change.sql, call, rows)


async def _store_unit(change: Change, cad: str, ident: int, values: dict[str, Any]) -> None:
    # `is_panic` is set by panics alone: a status from before one may arrive after it.
    if "group" in values:
        values["group_name"] = values["group"]
    if values.get("status") == OFFLINE:
        values["on_duty"] = False
    await units.put(change.sql, cad, ident, values, change.received)
