"""Which other cards show a change too: a call's card names its units, 911 call and property."""

from collections.abc import Awaitable, Callable

from cogs.cards import board
from db import alarms, dispatches, emergencies, units
from db.database import Reader
from webhook.protocol.events import StoredEvent, Subject

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


class DependentCards:
    """The subjects, beside those of the events, whose cards may show something of the events.

    What is stored must not change meanwhile: many events are about the same few units, and each is
    looked up once.
    """

    def __init__(self, sql: Reader) -> None:
        self._sql = sql
        self._found: dict[Subject, list[Subject]] = {}
        self.subjects: dict[Subject, None] = {}

    async def add(self, event: StoredEvent) -> None:
        """Add those of one event."""
        found: list[Subject] = []
        for subject in event.subjects:
            if subject not in self._found:
                self._found[subject] = await dependents_of(self._sql, subject)
            found += self._found[subject]
        if event.name in _CHANGING_DRONES:
            property_id = int(event.data["propertyId"])
            found += await _calls_at(self._sql, property_id)
            alarm = await alarms.open_of_property(self._sql, property_id)
            found += [] if alarm is None else [Subject("alarm", str(alarm.id))]
        self.subjects.update((each, None) for each in found if each not in event.subjects)


async def dependents_of(sql: Reader, subject: Subject) -> list[Subject]:
    """Return the other subjects whose cards show something of this one."""
    find = _FIND.get(subject.kind)
    return [] if find is None else await find(sql, subject.key)


async def linking_to(sql: Reader, subject: Subject) -> list[Subject]:
    """Return the subjects whose cards can link to this one's card."""
    found = await dependents_of(sql, subject)
    return [*found, board.SUBJECT] if subject.kind in ("emergency", "dispatch") else found


async def _of_unit(sql: Reader, key: str) -> list[Subject]:
    ident, cad = _number(key)
    calls = await dispatches.calls_of_unit(sql, cad, ident)
    found = [Subject("dispatch", f"{call_id}@{cad}") for call_id in calls]
    panic_id = await units.open_panic(sql, cad, ident)
    return found if panic_id is None else [*found, Subject("panic", str(panic_id))]


async def _of_emergency(sql: Reader, key: str) -> list[Subject]:
    call_id, cad = _number(key)
    call = await emergencies.get(sql, cad, call_id)
    found = []
    if call is not None and call.dispatch_call_id is not None:
        found.append(Subject("dispatch", f"{call.dispatch_call_id}@{cad}"))
    if call is not None and call.panic_id is not None:
        found.append(Subject("panic", str(call.panic_id)))
    return found


async def _of_dispatch(sql: Reader, key: str) -> list[Subject]:
    call_id, cad = _number(key)
    call = await dispatches.get(sql, cad, call_id)
    if call is None or call.emergency_call_id is None:
        return []
    made_from = Subject("emergency", f"{call.emergency_call_id}@{cad}")
    return [made_from, *await _of_emergency(sql, made_from.key)]


async def own_calls(sql: Reader, panic: Subject) -> list[Subject]:
    """Return the 911 calls that scripts made of a panic."""
    calls = await emergencies.of_panic(sql, int(panic.key))
    return [Subject("emergency", f"{call.call_id}@{call.cad}") for call in calls]


async def _of_panic(sql: Reader, key: str) -> list[Subject]:
    found = await own_calls(sql, Subject("panic", key))
    for call in await emergencies.of_panic(sql, int(key)):
        if call.dispatch_call_id is not None:
            found.append(Subject("dispatch", f"{call.dispatch_call_id}@{call.cad}"))
    start = await units.panic_start(sql, int(key))
    if start is not None:
        for unit in await units.panic_units(sql, int(key)):
            found += await _of_unit(sql, f"{unit.ident}@{start[0]}")
    return found


async def _calls_at(sql: Reader, property_id: int) -> list[Subject]:
    """Return the open calls at a property: they say how many drones are free there."""
    waiting = await emergencies.open_at(sql, property_id)
    calls = await dispatches.open_at(sql, property_id)
    panics = {call.panic_id for call in waiting if call.panic_id is not None}
    return [
        *(Subject("panic", str(panic_id)) for panic_id in panics),
        *(Subject("emergency", f"{call.call_id}@{call.cad}") for call in waiting),
        *(Subject("dispatch", f"{call.call_id}@{call.cad}") for call in calls),
    ]


async def _of_alarm(_: Reader, key: str) -> list[Subject]:
    return [Subject("alarm-owner", key)]


def _number(key: str) -> tuple[int, str]:
    number, _, cad = key.partition("@")
    return int(number), cad


_FIND: dict[str, Callable[[Reader, str], Awaitable[list[Subject]]]] = {
    "unit": _of_unit,
    "emergency": _of_emergency,
    "dispatch": _of_dispatch,
    "panic": _of_panic,
    "alarm": _of_alarm,
}
