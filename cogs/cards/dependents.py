"""Which other cards show a change too: a call's card names its units, 911 call and property."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from cogs.cards import board
from db import alarms, cards, dispatches, emergencies, escalations, units
from db.database import Reader
from webhook.cad.events.event import (
    call_of,
    dispatch_subject,
    emergency_subject,
    panic_subject,
    unit_subjects,
)
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import (
    CadRequestChanged,
    CardsOutdated,
    PropertyOwnerChange,
    Subject,
)
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

_CHANGING_STATUS = frozenset(
    {
        "property-status-change",
        "requested-remove-property",
        "withdrawn-remove-property",
        "denied-remove-property",
        "approved-remove-property",
        "property-removed",
        "property-restored",
    }
)
"""Events by which a property has another status, which the card shows that approved it."""


async def dependent_subjects(sql: Reader, events: Sequence[StoredEvent]) -> list[Subject]:
    """Return the subjects beside those of the events whose cards may show something of them."""
    subjects = dict.fromkeys(subject for event in events for subject in event.subjects)
    outdated = [
        Subject.parse(text)
        for event in events
        if event.name in (CardsOutdated.name, CadRequestChanged.name)
        for text in event.data["subjects"]
    ]
    found = outdated + await _dependents_of(sql, [*subjects, *outdated])
    for event in events:
        if event.name in _CHANGING_DRONES:
            property_id = int(event.data["propertyId"])
            found += await _calls_at(sql, property_id)
            found += await _alarm_at(sql, property_id)
        if event.name in _CHANGING_STATUS:
            found.append(Subject("approval", str(event.data["propertyId"])))
        if event.name == PropertyOwnerChange.name:
            concerned = await _alarm_at(sql, int(event.data["propertyId"]))
            found += [*concerned, *await _of_alarms(sql, concerned)]
    return [each for each in dict.fromkeys(found) if each not in subjects]


async def linking_to(sql: Reader, subject: Subject) -> list[Subject]:
    """Return the subjects whose cards can link to this one's card."""
    found = await _dependents_of(sql, [subject])
    return [*found, board.SUBJECT] if subject.kind in ("emergency", "dispatch") else found


async def _dependents_of(sql: Reader, subjects: Iterable[Subject]) -> list[Subject]:
    by_kind = defaultdict[str, list[Subject]](list)
    for subject in subjects:
        by_kind[subject.kind].append(subject)
    found: list[Subject] = []
    for kind, find in _FIND.items():
        if kind in by_kind:
            found += await find(sql, by_kind[kind])
    return found


async def _of_units(sql: Reader, subjects: list[Subject]) -> list[Subject]:
    found: list[Subject] = []
    for cad, idents in _numbers_by_cad(subjects).items():
        calls = await dispatches.calls_of_units(sql, cad, idents)
        panics = await units.open_panics(sql, cad, idents)
        found += [dispatch_subject(call) for call in calls]
        found += [panic_subject(panic_id) for panic_id in panics.values()]
    return found


async def _of_emergencies(sql: Reader, subjects: list[Subject]) -> list[Subject]:
    found: list[Subject] = []
    for call in await emergencies.by_keys(sql, [call_of(subject) for subject in subjects]):
        if call.repeats_key is not None:
            found.append(emergency_subject(call.repeats_key))
        if call.dispatch_key is not None:
            found.append(dispatch_subject(call.dispatch_key))
        if call.panic_id is not None:
            found.append(panic_subject(call.panic_id))
        if call.alarm_id is not None:
            found.append(alarm_subject(call.alarm_id))
    return found


async def _of_dispatches(sql: Reader, subjects: list[Subject]) -> list[Subject]:
    calls = await dispatches.by_keys(sql, [call_of(subject) for subject in subjects])
    origins = [call.emergency_key for call in calls if call.emergency_key is not None]
    made_from = [emergency_subject(origin) for origin in origins]
    return made_from + await _of_emergencies(sql, made_from)


async def own_calls(sql: Reader, panic: Subject) -> list[Subject]:
    """Return the 911 calls that scripts made of a panic."""
    calls = await emergencies.of_panic(sql, panic.number)
    return [emergency_subject(call.key) for call in calls]


async def _of_panics(sql: Reader, subjects: list[Subject]) -> list[Subject]:
    found: list[Subject] = []
    for panic in subjects:
        for call in await emergencies.of_panic(sql, panic.number):
            found.append(emergency_subject(call.key))
            if call.dispatch_key is not None:
                found.append(dispatch_subject(call.dispatch_key))
        start = await units.panic_start(sql, panic.number)
        if start is not None:
            members = await units.panic_units(sql, panic.number)
            found += await _of_units(
                sql, unit_subjects(start.cad, [member.ident for member in members])
            )
    return found


async def _calls_at(sql: Reader, property_id: int) -> list[Subject]:
    """Return the open calls at a property: they say how many drones are free there."""
    waiting = await emergencies.open_at(sql, property_id)
    calls = await dispatches.open_at(sql, property_id)
    panics = {call.panic_id for call in waiting if call.panic_id is not None}
    return [
        *(panic_subject(panic_id) for panic_id in panics),
        *(emergency_subject(call.key) for call in waiting),
        *(dispatch_subject(call.key) for call in calls),
    ]


async def _alarm_at(sql: Reader, property_id: int) -> list[Subject]:
    """Return the open alarm at a property."""
    alarm = await alarms.open_of_property(sql, property_id)
    return [] if alarm is None else [alarm_subject(alarm.id)]


async def _of_alarms(sql: Reader, subjects: list[Subject]) -> list[Subject]:
    found: list[Subject] = []
    for alarm in subjects:
        owners = await cards.subjects_beginning(sql, f"alarm-owner:{alarm.key}@")
        found += [Subject.parse(owner) for owner in owners]
        numbers = await escalations.numbers(sql, alarm.number)
        found += [Subject("alarm-call", f"{alarm.key}-{number}") for number in numbers]
    return found


async def _of_removals(_: Reader, subjects: list[Subject]) -> list[Subject]:
    return [Subject("removal-owner", removal.key) for removal in subjects]


def _numbers_by_cad(subjects: list[Subject]) -> dict[str, list[int]]:
    found = defaultdict[str, list[int]](list)
    for subject in subjects:
        found[subject.cad].append(subject.number)
    return found


_FIND: dict[str, Callable[[Reader, list[Subject]], Awaitable[list[Subject]]]] = {
    "unit": _of_units,
    "emergency": _of_emergencies,
    "dispatch": _of_dispatches,
    "panic": _of_panics,
    "alarm": _of_alarms,
    "removal": _of_removals,
}
