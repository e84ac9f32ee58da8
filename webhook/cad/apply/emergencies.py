"""What the CAD's events change in 911 calls."""

from typing import Any

from db import emergencies
from db.calls import CallKey
from db.emergencies import EmergencyCall
from webhook.cad.apply.event import apply
from webhook.cad.apply.matching import (
    CallLocation,
    call_repeated_by,
    move_dispatches,
    panic_of_call,
    pressed_by,
    property_at,
)
from webhook.cad.apply.occurrences import CallReport, compare_911, emergency_call, emergency_key
from webhook.cad.arrival import Arrival
from webhook.cad.events.calls import Call911, Removed911
from webhook.cad.events.event import emergency_subject, panic_subject
from webhook.cad.own.alarm_calls import join_alarm, note_alarm_call
from webhook.protocol.context import Change
from webhook.protocol.events import Subject
from webhook.queries.models import alarm_subject


@apply.register
async def store_911(event: Call911, change: Change, arrival: Arrival) -> list[Subject]:
    """Store a 911 call; one that says the same as another is counted on that one's card."""
    stored = await emergency_call(change, arrival, event.call_id)
    stamp = arrival.stamp(event.updated, change.happened)
    if stored is not None and stamp is not None and stamp < (stored.updated or 0):
        return await subjects_of_911(change, stored)
    report = await compare_911(change, arrival, event, stored) if stored is not None else None
    subjects: list[Subject] = []
    if report is CallReport.OF_EARLIER:
        return []
    if stored is None:
        key = CallKey(arrival.cad, event.call_id)
    elif report is CallReport.OF_NEXT:
        key = CallKey(arrival.cad, event.call_id, stored.occurrence + 1)
        if stored.removed_at is None:
            gone = await emergencies.mark_removed(change.sql, stored.key, change.received)
            subjects += await subjects_of_911(change, gone)
        stored = None
    else:
        key = stored.key
    call = await emergencies.put(
        change.sql,
        key,
        **await _columns(change, event),
        now=change.received,
        age=change.age,
        updated=stamp,
    )
    call = await join_alarm(change, call, event.meta_data.get("uuid"))
    earlier = stored.description if stored is not None and stored.seen else None
    if earlier is None or (call.repeats_key is not None and call.description != earlier):
        # What it said before is on the card of another call, which counts one less now.
        subjects += [emergency_subject(call.repeats_key)] if call.repeats_key is not None else []
        repeated = await call_repeated_by(change, call)
        call = await emergencies.mark_repeated(change.sql, call, repeated)
    subjects = await subjects_of_911(change, call) + subjects
    if call.dispatch_key is not None:
        subjects += await move_dispatches(change, call)
    return subjects


@apply.register
async def store_removed_911(event: Removed911, change: Change, arrival: Arrival) -> list[Subject]:
    found = []
    for call_id in event.call_ids:
        key = await emergency_key(change, arrival, call_id)
        before = await emergencies.get(change.sql, *key)
        call = await emergencies.mark_removed(change.sql, key, change.received, change.age)
        if before is not None and before.is_open:
            await note_alarm_call(change, call, "police-over")
        found += await subjects_of_911(change, call)
    return found


async def subjects_of_911(change: Change, call: EmergencyCall) -> list[Subject]:
    """Return the subjects of events about a 911 call: the panic too if the call is its own.

    The panic's card then shows the call; where panics have no channel, the call's own card does. A
    call that says the same as another is shown on that one's card alone.
    """
    if call.repeats_key is not None:
        return [emergency_subject(call.repeats_key)]
    own = emergency_subject(call.key)
    if call.alarm_id is not None:
        return [alarm_subject(call.alarm_id), own]
    if call.pressed_by is None:
        return [own]
    panic_id = call.panic_id
    if panic_id is None:
        panic_id = await panic_of_call(change, call)
        if panic_id is None:
            return [own]
        await emergencies.fold_into_panic(change.sql, call.key, panic_id)
    return [panic_subject(panic_id), own]


async def _columns(change: Change, event: Call911) -> dict[str, Any]:
    point = (event.coordinates.x, event.coordinates.y) if event.coordinates else None
    location = CallLocation(event.location, event.postal or "", point)
    return {
        "is_emergency": event.is_emergency,
        "caller": event.caller,
        "location": event.location,
        "postal": event.postal or "",
        "description": event.description,
        "property_id": await property_at(change.sql, location),
        "pressed_by": pressed_by(event.description),
        "x": point and point[0],
        "y": point and point[1],
    }
