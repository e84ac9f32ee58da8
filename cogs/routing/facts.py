"""What routing rules look at: an event's own fields, and what is stored of its call and units."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cogs.routing.rules import RoutingFacts
from cogs.routing.troubles import type_of_trouble
from db import dispatches, emergencies, notices, simulations, units
from db.database import Reader
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from webhook import cad
from webhook.cad.events.event import call_of
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import CAD, Subject, TroubleChanged
from webhook.protocol.wire import MAX_ID

NOTES = 50
"""Notes of a call that keywords are looked for in, the newest."""

CARD_EVENTS = {
    **{each.card: each.type for each in cad.EVENTS.values() if each.names_card},
    "approval": "property-added",
    "removal": "requested-remove-property",
    "flight": "drone-dispatched",
    "alarm": "alerts",
    "trouble": TroubleChanged.name,
}
"""The event that normally creates each kind of card; the others about it count as it too."""

_TEXTS = ("title", "description", "body", "message", "name", "reason")
_PANIC = f"{CAD}.EVENT_UNIT_PANIC"


def event_type(event: StoredEvent) -> str:
    """Return an event's name as rules write it: the CAD's push type, or the protocol's name."""
    return event.name.removeprefix(f"{CAD}.")


def facts_of_event(event: StoredEvent, subject: Subject | None) -> RoutingFacts:
    """Gather what the event itself says for one of its cards, or for its feed entry."""
    name, kind = event_type(event), subject.kind if subject is not None else ""
    types = frozenset({name, CARD_EVENTS.get(kind, name)})
    if event.name == TroubleChanged.name:
        return RoutingFacts(types | {type_of_trouble(str(event.data.get("key")))})
    is_panic = _is_panic(event, subject)
    if kind == "emergency" and name != CARD_EVENTS["emergency"]:
        return RoutingFacts(types)  # its fields describe the dispatch call
    data = event.data
    is_emergency = data.get("isEmergency")
    return RoutingFacts(
        types=types,
        is_panic=is_panic,
        calls=calls_for(event, subject),
        priority=_word(data.get("priority")),
        emergency=is_emergency if isinstance(is_emergency, bool) else None,
        departments=frozenset(
            filter(None, (_word(unit.get("department")) for unit in _units(data)))
        ),
        postal=_word(data.get("postal")),
        text="\n".join(_texts(data)),
        properties=frozenset(_properties(name, data)),
    )


def calls_for(event: StoredEvent, subject: Subject | None) -> str:
    """Return the kind of card whose role an event calls; blank if it calls nobody by itself."""
    if starts_panic(event, subject):
        return "panic"
    kind = subject.kind if subject is not None else ""
    if kind == "alarm" and event.name == CARD_EVENTS["alarm"]:
        return kind
    is_new_call = kind == "emergency" and event_type(event) == CARD_EVENTS["emergency"]
    return kind if is_new_call and event.data.get("isEmergency") is True else ""


def starts_panic(event: StoredEvent, subject: Subject | None) -> bool:
    return _is_panic(event, subject) and bool(event.data.get("isPanic"))


def _is_panic(event: StoredEvent, subject: Subject | None) -> bool:
    kind = subject.kind if subject is not None else ""
    return kind == "panic" or event.name == _PANIC


async def gather_facts(sql: Reader, event: StoredEvent, subject: Subject | None) -> RoutingFacts:
    """Gather what the event says and, where it does not, what is stored of its call and units."""
    facts = facts_of_event(event, subject)
    idents = set(_idents(event.data))
    subjects = [*([] if subject is None else [subject]), *event.subjects]
    cad = next((each.cad for each in subjects if each.cad), "")
    kind = subject.kind if subject is not None else ""
    number = subject.number if subject is not None else 0
    if subject is not None and kind == "emergency":
        call = await emergencies.get(sql, *call_of(subject))
        if call is None:
            return facts
        if facts.emergency is None and call.seen:
            facts = replace(facts, emergency=bool(call.is_emergency))
        return _with_call(facts, call, [call.description])
    if subject is not None and kind == "dispatch":
        key = call_of(subject)
        dispatched = await dispatches.get(sql, *key)
        if dispatched is not None:
            notes = await dispatches.last_notes(sql, key, NOTES)
            texts = [dispatched.title, dispatched.description, *(note.content for note in notes)]
            facts = replace(facts, priority=facts.priority or dispatched.priority)
            facts = _with_call(facts, dispatched, texts)
        idents |= set(await dispatches.units(sql, *key))
    elif kind == "panic":
        start = await units.panic_start(sql, number)
        cad = start.cad if start is not None else cad
        idents |= {unit.ident for unit in await units.panic_units(sql, number)}
    elif kind == "notice":
        notice = await notices.get(sql, number)
        cad = notice.cad if notice is not None else cad
    found = await units.by_ident(sql, cad, sorted(idents)) if idents else {}
    of_units = {unit.department for unit in found.values() if unit.department}
    return replace(facts, departments=facts.departments | of_units)


async def may_mention(sql: Reader, event: StoredEvent, subject: Subject | None) -> bool:
    """Return whether people may be called by an event: not by a drill that did not ask for it."""
    subjects = [*([] if subject is None else [subject]), *event.subjects]
    calls = {each.number for each in subjects if each.kind in ("emergency", "dispatch")}
    idents = {each.number for each in subjects if each.kind == "unit"}
    for each in subjects:
        if each.kind == "panic":
            idents |= {unit.ident for unit in await units.panic_units(sql, each.number)}
    properties = set(_properties(event.name, event.data))
    return not await simulations.is_silent(sql, calls, idents, properties)


def _with_call(
    facts: RoutingFacts, call: EmergencyCall | DispatchCall, texts: list[str]
) -> RoutingFacts:
    at = frozenset() if call.property_id is None else frozenset({call.property_id})
    return replace(
        facts,
        postal=facts.postal or call.postal,
        text="\n".join([facts.text, *texts]),
        properties=facts.properties | at,
    )


def _word(value: object) -> str:
    """Read a value that is one word, like a priority; a typed event may contain anything."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _list(data: dict[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


def _units(data: dict[str, Any]) -> list[dict[str, Any]]:
    described = [data.get("unit"), *_list(data, "units")]
    return [unit for unit in described if isinstance(unit, dict)]


def _idents(data: dict[str, Any]) -> Iterable[int]:
    idents = [*_list(data, "idents"), data.get("primary")]
    idents += [unit.get("id") for unit in _units(data)]
    return (ident for ident in idents if isinstance(ident, int) and 0 <= ident <= MAX_ID)


def _texts(data: dict[str, Any]) -> Iterable[str]:
    """List what people wrote: titles, descriptions, notes, messages; a record's name and kind."""
    record = data.get("record")
    if isinstance(record, dict):
        data = data | {"title": record.get("kind"), "name": record.get("name")}
    yield from (data[name] for name in _TEXTS if isinstance(data.get(name), str))
    for note in [data.get("note"), *_list(data, "notes")]:
        if isinstance(note, dict):
            yield str(note.get("content", ""))


def _properties(name: str, data: dict[str, Any]) -> Iterable[int]:
    number = _word(data.get("id" if name == "property-added" else "propertyId"))
    if number.isascii() and number.isdigit() and len(number) < 20:
        yield int(number)
