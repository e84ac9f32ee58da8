"""Which other cards show a change too: a call's card names its units, 911 call and property."""

from collections.abc import Awaitable, Callable, Sequence

from cogs.cards import board
from db import alarms, dispatches, emergencies, units
from db.database import Reader
from webhook.cad.events import (
    dispatch_subject,
    emergency_subject,
    panic_subject,
    unit_subjects,
)
from webhook.protocol.events import StoredEvent, Subject
from webhook.queries.models import alarm_subject

_CHANGING_DRONES = frozenset(
    {
        "drone-dispatched",
        "drone-recalled",
        "property-equipment-change",
        "property-removed",
        "approved-remove-property",
    }
)
"""Events by which another number of drones is free at a property."""


async def dependent_subjects(sql: Reader, events: Sequence[StoredEvent]) -> list[Subject]:
    """Return the subjects beside those of the events whose cards may show something of them."""
    subjects = dict.fromkeys(subject for event in events for subject in event.subjects)
    found: list[Subject] = []
    for subject in subjects:
        found += await _dependents_of(sql, subject)
    for event in events:
        if event.name in _CHANGING_DRONES:
            property_id = int(event.data["propertyId"])
            found += await _calls_at(sql, property_id)
            alarm = await alarms.open_of_property(sql, property_id)
            found += [] if alarm is None else [alarm_subject(alarm.id)]
    return [each for each in dict.fromkeys(found) if each not in subjects]


async def linking_to(sql: Reader, subject: Subject) -> list[Subject]:
    """Return the subjects whose cards can link to this one's card."""
    found = await _dependents_of(sql, subject)
    return [*found, board.SUBJECT] if subject.kind in ("emergency", "dispatch") else found


async def _dependents_of(sql: Reader, subject: Subject) -> list[Subject]:
    find = _FIND.get(subject.kind)
    return [] if find is None else await find(sql, subject)


async def _of_unit(sql: Reader, unit: Subject) -> list[Subject]:
    ident, cad = unit.number, unit.cad
    calls = await dispatches.calls_of_unit(sql, cad, ident)
    found = [dispatch_subject(cad, call_id) for call_id in calls]
    panic_id = await units.open_panic(sql, cad, ident)
    return found if panic_id is None else [*found, panic_subject(panic_id)]


async def _of_emergency(sql: Reader, emergency: Subject) -> list[Subject]:
    call = await emergencies.get(sql, emergency.cad, emergency.number)
    found = []
    if call is not None and call.dispatch_call_id is not None:
        found.append(dispatch_subject(call.cad, call.dispatch_call_id))
    if call is not None and call.panic_id is not None:
        found.append(panic_subject(call.panic_id))
    return found


async def _of_dispatch(sql: Reader, dispatch: Subject) -> list[Subject]:
    call = await dispatches.get(sql, dispatch.cad, dispatch.number)
    if call is None or call.emergency_call_id is None:
        return []
    made_from = emergency_subject(call.cad, call.emergency_call_id)
    return [made_from, *await _of_emergency(sql, made_from)]


async def own_calls(sql: Reader, panic: Subject) -> list[Subject]:
    """Return the 911 calls that scripts made of a panic."""
    calls = await emergencies.of_panic(sql, panic.number)
    return [emergency_subject(call.cad, call.call_id) for call in calls]


async def _of_panic(sql: Reader, panic: Subject) -> list[Subject]:
    calls = await emergencies.of_panic(sql, panic.number)
    found = [emergency_subject(call.cad, call.call_id) for call in calls]
    found += [
        dispatch_subject(call.cad, call.dispatch_call_id)
        for call in calls
        if call.dispatch_call_id is not None
    ]
    start = await units.panic_start(sql, panic.number)
    if start is not None:
        members = await units.panic_units(sql, panic.number)
        for unit in unit_subjects(start[0], [member.ident for member in members]):
            found += await _of_unit(sql, unit)
    return found


async def _calls_at(sql: Reader, property_id: int) -> list[Subject]:
    """Return the open calls at a property: they say how many drones are free there."""
    waiting = await emergencies.open_at(sql, property_id)
    calls = await dispatches.open_at(sql, property_id)
    panics = {call.panic_id for call in waiting if call.panic_id is not None}
    return [
        *(panic_subject(panic_id) for panic_id in panics),
        *(emergency_subject(call.cad, call.call_id) for call in waiting),
        *(dispatch_subject(call.cad, call.call_id) for call in calls),
    ]


async def _of_alarm(_: Reader, alarm: Subject) -> list[Subject]:
    return [Subject("alarm-owner", alarm.key)]


_FIND: dict[str, Callable[[Reader, Subject], Awaitable[list[Subject]]]] = {
    "unit": _of_unit,
    "emergency": _of_emergency,
    "dispatch": _of_dispatch,
    "panic": _of_panic,
    "alarm": _of_alarm,
}
