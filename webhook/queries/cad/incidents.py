"""Incidents: a 911 call, the dispatch call made from it, the panic it belongs to, taken together.

People act on the card of any of them, and what they did stands on the cards of all.
"""

from typing import Annotated, Any, NamedTuple

from pydantic import StringConstraints

from db import cards, dispatches, emergencies, incidents, units
from db.calls import CallKey
from db.database import Reader
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.incidents import IncidentNote
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Change, Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import IncidentChanged, Subject
from webhook.protocol.wire import TEXT, Request
from webhook.queries.cad.lookup import configured_cads

KINDS = ("emergency", "dispatch", "panic")
"""The kinds of subjects that are incidents."""

MAX_NOTE = 1_000
"""Characters of a note."""

MAX_NOTES = 100
"""Notes that an incident takes."""


class Incident(NamedTuple):
    """What belongs together, and `subject`, the part of it that was asked for."""

    subject: Subject
    emergencies: list[EmergencyCall]
    dispatches: list[DispatchCall]
    open_panics: list[int]
    subjects: list[Subject]

    @property
    def is_open(self) -> bool:
        """Whether a part of it is not over."""
        return (
            bool(self.open_panics)
            or any(call.is_open for call in self.emergencies)
            or any(call.closed_at is None for call in self.dispatches)
        )


class OfIncident(Request):
    """One incident, by any of its subjects: `dispatch:10@county`."""

    subject: str


class NewIncidentNote(OfIncident):
    """A note on an incident."""

    text: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NOTE), TEXT
    ]


async def find_incident(sql: Reader, subject: Subject) -> Incident | None:
    """Return the incident that a subject is a part of; None if it is not stored."""
    if subject.kind not in KINDS:
        return None
    key = CallKey(subject.cad, subject.number, subject.occurrence)
    dispatch_keys: list[CallKey] = []
    panic_ids: list[int] = []
    if subject.kind == "dispatch":
        dispatch_keys.append(key)
        calls = await emergencies.made_into(sql, key)
    elif subject.kind == "emergency":
        call = await emergencies.get(sql, *key)
        calls = [] if call is None else [call, *await emergencies.repeats(sql, key)]
    else:
        panic_ids.append(subject.number)
        calls = await emergencies.of_panic(sql, subject.number)
    dispatch_keys += [call.dispatch_key for call in calls if call.dispatch_key is not None]
    panic_ids += [call.panic_id for call in calls if call.panic_id is not None]
    made = await dispatches.by_keys(sql, list(dict.fromkeys(dispatch_keys)))
    pressed = [
        (panic_id, members)
        for panic_id in dict.fromkeys(panic_ids)
        if (members := await units.panic_units(sql, panic_id))
    ]
    subjects = [
        *(Subject("emergency", str(call.repeats_key or call.key)) for call in calls),
        *(Subject("dispatch", str(call.key)) for call in made),
        *(Subject("panic", str(panic_id)) for panic_id, _members in pressed),
    ]
    if subject not in subjects:
        return None
    return Incident(
        subject,
        calls,
        made,
        [panic for panic, members in pressed if any(m.cleared_at is None for m in members)],
        list(dict.fromkeys([subject, *subjects])),
    )


async def open_incident(sql: Reader, subject: str) -> Incident:
    """Return an incident that is not over.

    Raises:
        NotFound: it is not stored.
        Conflict: it is over.
    """
    incident = await existing_incident(sql, subject)
    if not incident.is_open:
        raise Conflict("this call is over")
    return incident


async def existing_incident(sql: Reader, subject: str) -> Incident:
    """Return an incident, also one that is over.

    Raises:
        NotFound: it is not stored.
    """
    incident = await find_incident(sql, Subject.parse(subject))
    if incident is None:
        raise NotFound("this call is no longer stored")
    return incident


async def publish_act(change: Change, incident: Incident, action: str, text: str = "") -> None:
    """Publish what the caller did about an incident; its other cards follow from their links."""
    subject = incident.subject
    several = subject.cad and len(await configured_cads(change.sql)) > 1
    given: dict[str, Any] = {"cad": subject.cad} if several else {}
    given |= {"text": text} if text else {}
    event = IncidentChanged(
        kind=subject.kind, number=subject.number, action=action, by=change.caller.name, **given
    )
    await change.emit(event, subject)


@operation(scope=Scope.WRITE)
async def note_incident(context: Context, ask: NewIncidentNote) -> None:
    """Add a note to an incident that is not over.

    Raises:
        Conflict: it is over, or has too many notes.
    """
    async with context.change() as change:
        incident = await open_incident(change.sql, ask.subject)
        written = await incidents.notes(change.sql, list(map(str, incident.subjects)))
        if len(written) >= MAX_NOTES:
            raise Conflict("this call has {number} notes already", number=len(written))
        note = IncidentNote(str(incident.subject), change.caller.name, change.received, ask.text)
        await incidents.add_note(change.sql, note)
        await publish_act(change, incident, "noted", ask.text)


@operation(scope=Scope.WRITE)
async def open_thread(context: Context, ask: OfIncident) -> None:
    """Have the card that was asked for get a thread; its end archives it.

    Raises:
        NotFound: the card is not posted.
        Conflict: the incident is over, or the card has a thread.
    """
    async with context.change() as change:
        incident = await open_incident(change.sql, ask.subject)
        card = await cards.of_subject(change.sql, ask.subject)
        if card is None or not card.message_id:
            raise NotFound("this card is not posted, so it can have no thread")
        if card.thread:
            raise Conflict("this card has a thread already")
        await cards.want_thread(change.sql, ask.subject)
        await publish_act(change, incident, "thread")


@operation(scope=Scope.READ)
async def get_incident(context: Context, ask: OfIncident) -> Incident:
    """Return an incident that is not over, for what is about to be done about it."""
    return await open_incident(context.read, ask.subject)


@operation(scope=Scope.READ)
async def get_notes(context: Context, ask: OfIncident) -> list[IncidentNote]:
    """Return the notes on an incident, oldest first."""
    incident = await existing_incident(context.read, ask.subject)
    return await incidents.notes(context.read, list(map(str, incident.subjects)))
