"""What the CAD's events change in dispatch calls."""

from typing import Any

import orjson

from db import dispatches, emergencies, stale_ends
from db.calls import CallKey
from db.dispatches import CallNote, DispatchCall
from webhook.cad.apply.emergencies import subjects_of_911
from webhook.cad.apply.event import apply
from webhook.cad.apply.matching import find_property
from webhook.cad.apply.occurrences import (
    CallReport,
    compare_dispatch,
    dispatch_call,
    dispatch_key,
    is_edit_of_next,
    origin_key,
)
from webhook.cad.arrival import REORDER_WINDOW, Arrival
from webhook.cad.events.calls import (
    CLOSED,
    DispatchClosed,
    DispatchEdit,
    DispatchNew,
    DispatchNote,
    DispatchReport,
    Note,
    UnitAttach,
    UnitDetach,
)
from webhook.cad.events.event import dispatch_subject
from webhook.cad.events.ids import origins_911
from webhook.cad.own.alarm_calls import note_alarm_dispatch, note_dispatched
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

_POSITION = frozenset({"block", "address", "postal", "x", "y", "emergency_call_id"})
"""The columns of a dispatch call from which its property is found."""

_RENAMED = {
    "primary": "primary_unit",
    "origin_911": "emergency_call_id",
    "template": "layout_template",
    "values": "layout_values",
}
"""The fields of a dispatch event whose columns have other names."""


@apply.register
async def store_dispatch_new(event: DispatchNew, change: Change, arrival: Arrival) -> list[Subject]:
    """Store a new call; a report that is repeated is an edit of all that it has."""
    fields = {name: getattr(event, name) for name in type(event).model_fields}
    stored = await dispatch_call(change, arrival, event.call_id)
    if stored is None:
        key = CallKey(arrival.cad, event.call_id)
        return await _store_first_report(change, arrival, event, key, fields)
    subject = dispatch_subject(stored.key)
    report = await compare_dispatch(change, arrival, event, stored)
    if report is CallReport.OF_EARLIER:
        return []
    if report is CallReport.OF_NEXT:
        return await _store_next(change, arrival, event, stored, fields)
    if await arrival.may_precede(change, subject, stored.touched_at):
        return await _store_first_report(change, arrival, event, stored.key, fields, stored)
    return await _store_edit(change, arrival, event, stored.key, fields)


@apply.register
async def store_dispatch_edit(
    event: DispatchEdit, change: Change, arrival: Arrival
) -> list[Subject]:
    fields = event.changes()
    stored = await dispatch_call(change, arrival, event.call_id)
    if stored is not None and is_edit_of_next(change, fields, stored):
        return await _store_next(change, arrival, event, stored, fields)
    key = CallKey(arrival.cad, event.call_id) if stored is None else stored.key
    return await _store_edit(change, arrival, event, key, fields)


async def _store_next(
    change: Change,
    arrival: Arrival,
    event: DispatchReport,
    earlier: DispatchCall,
    fields: dict[str, Any],
) -> list[Subject]:
    """Store a call whose number was used again; the earlier one is over, whatever ended it."""
    key = CallKey(arrival.cad, earlier.call_id, earlier.occurrence + 1)
    over: list[Subject] = []
    if earlier.closed_at is None:
        await dispatches.close(change.sql, earlier.key, change.received)
        over = [dispatch_subject(earlier.key)]
    if isinstance(event, DispatchNew):
        return await _store_first_report(change, arrival, event, key, fields) + over
    return await _store_edit(change, arrival, event, key, fields) + over


async def _store_first_report(
    change: Change,
    arrival: Arrival,
    event: DispatchNew,
    key: CallKey,
    fields: dict[str, Any],
    stored: DispatchCall | None = None,
) -> list[Subject]:
    """Store the first report of a call, except what earlier edits have set."""
    columns = _columns_of(fields) | await _origin_of(event, change, arrival, key)
    set_now = {*columns, "idents"} - set(stored.edited.split() if stored is not None else ())
    stamps = orjson.loads(stored.stamps) if stored is not None else {}
    call = await dispatches.put_first_report(
        change.sql,
        key,
        columns
        | {"stamps": _stamps(stamps, set_now, arrival.stamp(event.updated, change.happened))},
        event.idents,
        change.received,
        change.age,
        protected=await _protected_units(change, arrival, key),
    )
    await find_property(change, call)
    await _add_notes(change, arrival, key, event.notes, are_all=True)
    return await _store_rest(event, change, arrival, call)


async def _store_edit(
    change: Change,
    arrival: Arrival,
    event: DispatchReport,
    key: CallKey,
    fields: dict[str, Any],
) -> list[Subject]:
    """Store the fields that a push sets, except where the CAD's own stamps say that it is old."""
    stored = await dispatches.get(change.sql, *key)
    stamps: dict[str, int] = orjson.loads(stored.stamps) if stored is not None else {}
    stamp = arrival.stamp(event.updated, change.happened)
    columns = _columns_of(fields) | await _origin_of(event, change, arrival, key)
    fresh = {
        name
        for name in [*columns, *(fields.keys() & {"idents", "notes"})]
        if stamp is None or stamp >= stamps.get(name, 0)
    }
    call = await dispatches.put_edit(
        change.sql,
        key,
        {
            **{name: value for name, value in columns.items() if name in fresh},
            "stamps": _stamps(stamps, fresh, stamp),
        },
        fields["idents"] if "idents" in fresh else None,
        change.received,
        change.age,
        protected=await _protected_units(change, arrival, key),
    )
    if fresh & _POSITION:
        await find_property(change, call)
    if "notes" in fresh:
        gone = await _add_notes(change, arrival, key, event.notes, are_all=True)
        # A note that arrived just now may be newer than the list.
        before = change.happened - max(arrival.window, REORDER_WINDOW)
        await dispatches.remove_notes(change.sql, [note.id for note in gone if note.at < before])
    await _revive(change, key)
    if "status" in fresh and event.status and event.status != CLOSED:
        await _reopen(change, arrival, call)
    return await _store_rest(event, change, arrival, call, closes="status" in fresh)


@apply.register
async def store_dispatch_closed(
    event: DispatchClosed, change: Change, arrival: Arrival
) -> list[Subject]:
    closed = [await dispatch_key(change, arrival, call_id) for call_id in event.call_ids]
    for call in closed:
        await _close(change, call)
        await stale_ends.forget(change.sql, str(dispatch_subject(call)))
    return [dispatch_subject(call) for call in closed]


@apply.register
async def store_dispatch_note(
    event: DispatchNote, change: Change, arrival: Arrival
) -> list[Subject]:
    call = await dispatch_key(change, arrival, event.call_id)
    await dispatches.ensure(change.sql, call, change.received, change.age)
    await _add_notes(change, arrival, call, [event.note])
    await _revive(change, call)
    return [dispatch_subject(call)]


@apply.register
async def attach_units(event: UnitAttach, change: Change, arrival: Arrival) -> list[Subject]:
    """Put units onto a call, which reopens it if it was closed."""
    key = await dispatch_key(change, arrival, event.call_id)
    await dispatches.ensure(change.sql, key, change.received, change.age)
    await dispatches.attach(change.sql, key, event.idents, change.happened)
    await _revive(change, key)
    call = await dispatches.get(change.sql, *key)
    if call is not None:
        await _reopen(change, arrival, call)
    return [dispatch_subject(key)]


@apply.register
async def detach_units(event: UnitDetach, change: Change, arrival: Arrival) -> list[Subject]:
    if event.call_id is not None:
        call = await dispatch_key(change, arrival, event.call_id)
        await dispatches.ensure(change.sql, call, change.received, change.age)
        await dispatches.detach(change.sql, call, event.idents, change.happened)
        return [dispatch_subject(call)]
    left = []
    for ident in event.idents:
        for call in await dispatches.calls_of_units(change.sql, arrival.cad, [ident]):
            await dispatches.detach(change.sql, call, [ident], change.happened)
            left.append(dispatch_subject(call))
    return left


async def _reopen(change: Change, arrival: Arrival, call: DispatchCall) -> None:
    """Reopen a call, unless the push may have been sent before it was closed."""
    if call.closed_at is None:
        return
    if not await arrival.may_precede(change, dispatch_subject(call.key), call.closed_at):
        await dispatches.reopen(change.sql, call.key)
        await note_alarm_dispatch(change, call.key, "police-reopened")


async def _close(change: Change, call: CallKey) -> None:
    stored = await dispatches.get(change.sql, *call)
    await dispatches.close(change.sql, call, change.received, change.age)
    if stored is not None and stored.closed_at is None:
        await note_alarm_dispatch(change, call, "police-closed")


async def _revive(change: Change, call: CallKey) -> None:
    """Reopen a call that was ended only because there was no news of it."""
    if await stale_ends.forget(change.sql, str(dispatch_subject(call))):
        await dispatches.reopen(change.sql, call)


async def _protected_units(change: Change, arrival: Arrival, call: CallKey) -> list[int]:
    """Return the units whose own attach or detach outranks the list of a push that may be late."""
    since = change.happened - max(arrival.window, REORDER_WINDOW)
    return [
        ident
        for ident, at in await dispatches.explicit_units(change.sql, call, since)
        if await arrival.may_precede(change, dispatch_subject(call), at)
    ]


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
    for layout in ("layout_template", "layout_values"):
        if layout in columns:
            columns[layout] = orjson.dumps(columns[layout]).decode()
    return columns


def _stamps(stored: dict[str, int], columns: set[str], stamp: int | None) -> str:
    """Return the stamps of a call after a push with this stamp has set some columns."""
    others = {name: at for name, at in stored.items() if name not in columns}
    stamps = others if stamp is None else others | dict.fromkeys(columns, stamp)
    return orjson.dumps(stamps).decode()


async def _origin_of(
    event: DispatchReport, change: Change, arrival: Arrival, call: CallKey
) -> dict[str, int]:
    """Return which call of its number the 911 call is that a reported call was made from."""
    if event.origin_911 is None:
        return {}
    origin = await origin_key(change, arrival, call, event.origin_911)
    return {"emergency_occurrence": origin.occurrence}


async def _store_rest(
    event: DispatchReport,
    change: Change,
    arrival: Arrival,
    call: DispatchCall,
    *,
    closes: bool = True,
) -> list[Subject]:
    """Store what depends on a reported call: the 911 calls it was made from, and its end."""
    subjects = [dispatch_subject(call.key)]
    for number in origins_911(event.meta_data):
        key = await origin_key(change, arrival, call.key, number)
        before = await emergencies.get(change.sql, *key)
        origin = await emergencies.mark_dispatched(
            change.sql, key, call.key, change.received, change.age
        )
        if before is not None and before.dispatch_key != call.key:
            await note_dispatched(change, origin, call.key)
        subjects += await subjects_of_911(change, origin)
    if closes and event.status == CLOSED:
        await _close(change, call.key)
    return subjects


async def _add_notes(
    change: Change, arrival: Arrival, call: CallKey, notes: list[Note], *, are_all: bool = False
) -> list[CallNote]:
    """Store notes that are not stored yet in any form; return the stored ones that are not listed.

    `are_all`: the notes are all that the call has, so a note without a time matches a stored one.
    By itself, such a note is new (a repeated status) unless the same one arrived just now.
    """
    others = await dispatches.notes(change.sql, call)
    for note in notes:
        if not note.content:
            continue
        clock = arrival.seconds_of_day(note.time, change.happened)
        given = CallNote(note.time, note.label, note.content, clock, change.happened)
        same = next(
            (
                one
                for one in others
                if _is_same_note(one, given)
                and (are_all or arrival.replayed or _may_be_copy(one, given, arrival.window))
            ),
            None,
        )
        if same is None:
            await dispatches.add_note(change.sql, call, given)
        else:
            others.remove(same)
    return others


def _may_be_copy(stored: CallNote, given: CallNote, window: int) -> bool:
    """Return whether two notes with the same text may be one that arrived twice."""
    timed = [note.clock is not None for note in (stored, given)]
    longest = max(window, REORDER_WINDOW) if any(timed) else REORDER_WINDOW
    return all(timed) or given.at - stored.at <= longest


def _is_same_note(stored: CallNote, given: CallNote) -> bool:
    """Compare two notes, of which one may lack the label, the time or the seconds of it."""
    if stored.content != given.content or (
        stored.label != given.label and stored.label and given.label
    ):
        return False
    if stored.clock is None or given.clock is None:
        return stored.clock != given.clock or stored.time == given.time
    is_same_minute = stored.clock // 60 == given.clock // 60
    return stored.clock == given.clock or (
        is_same_minute and not (stored.clock % 60 and given.clock % 60)
    )
