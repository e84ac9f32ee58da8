"""Redacting: a moderator has a text disappear from Discord, wherever it stands, for good.

Only Discord is concerned: what is stored stays as the game and the CAD sent it, also for scripts.
"""

from typing import NamedTuple

import orjson

from db import (
    alarm_steps,
    alarms,
    cards,
    dispatches,
    flights,
    incidents,
    notices,
    properties,
    redactions,
    removals,
)
from db.cards import Card
from db.database import Reader
from db.redactions import Redaction
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.events import Subject
from webhook.protocol.redacted_texts import RedactedTexts, redaction_of
from webhook.queries.cad.incidents import KINDS as INCIDENTS
from webhook.queries.cad.incidents import find_incident

NEWEST_CARDS = 500
"""Cards that are shown anew after a text was redacted; older ones are when they change."""

NOTES = 1_000
"""The newest notes of an alarm that are offered."""

MESSAGE = "message"
"""The kind of a subject that is a message without a card: `message:<channel>-<message>`."""


class RedactableText(NamedTuple):
    """A text that a card shows, and what it is: `description`, `caller`, `note` …"""

    what: str
    text: str


@operation(scope=Scope.APPROVE)
async def get_redactable(context: Context, subject: Subject) -> list[RedactableText]:
    """Return the texts on the card of a subject, the likeliest first, each once."""
    found: dict[bytes, RedactableText] = {}
    for one in await _texts_of(context.read, subject):
        redaction = redaction_of(one.text)
        if redaction is not None:
            found.setdefault(redaction.digest, one)
    return list(found.values())


@operation(scope=Scope.APPROVE)
async def card_of_message(context: Context, message_id: int) -> Card | None:
    """Return the card that a message shows; None for other messages."""
    return await cards.of_message(context.read, message_id)


@operation(scope=Scope.APPROVE)
async def list_recent_cards(context: Context, limit: int) -> list[Card]:
    """Return the newest cards, also those whose messages were deleted."""
    return await cards.newest(context.read, limit)


@operation(scope=Scope.APPROVE)
async def redact(
    context: Context, texts: list[Redaction], about: Subject, shown: RedactedTexts
) -> tuple[int, list[str]]:
    """Redact texts that stand on a card or in a message; `shown` is told what it leaves out.

    Return the number of this act, and the channels whose cards are shown anew.
    """
    # Before the commit, so that no card is rendered with them after it.
    with shown.changed(add=texts):
        async with context.change() as change:
            act = await redactions.add(change.sql, texts, change.received)
            await change.audit("redact", about, after={"texts": len(texts)})
            return act, await cards.show_anew(change.sql, str(about), NEWEST_CARDS)


@operation(scope=Scope.APPROVE)
async def undo_redaction(
    context: Context, act: int, about: Subject, shown: RedactedTexts
) -> list[str]:
    """Show again what an act redacted; return the channels whose cards are shown anew."""
    texts = await redactions.of_act(context.read, act)
    with shown.changed(remove=texts):
        async with context.change() as change:
            await redactions.forget(change.sql, act)
            await change.audit("undo-redact", about, before={"texts": len(texts)})
            return await cards.show_anew(change.sql, str(about), NEWEST_CARDS)


async def _texts_of(sql: Reader, subject: Subject) -> list[RedactableText]:
    kind = subject.kind.partition("-")[0]
    if kind in INCIDENTS:
        return await _texts_of_incident(sql, Subject(kind, subject.key))
    if not subject.key.partition("@")[0].partition("-")[0].isdecimal():
        return []
    number = int(subject.key.partition("@")[0].partition("-")[0])
    if kind == "alarm":
        return await _texts_of_alarm(sql, number)
    if kind == "notice":
        notice = await notices.get(sql, number)
        return [] if notice is None else _texts_in(orjson.loads(notice.data))
    if kind in ("approval", "property"):
        return await _texts_of_property(sql, number)
    if kind == "removal":
        removal = await removals.get(sql, number)
        if removal is None:
            return []
        reasons = [removal.reason or "", removal.answer or ""]
        texts = [RedactableText("reason", reason) for reason in reasons]
        return texts + await _texts_of_property(sql, removal.property_id)
    if kind == "flight":
        flight = await flights.get(sql, number)
        if flight is None:
            return []
        texts = [
            RedactableText("reason", flight.reason),
            RedactableText("drone", flight.description),
        ]
        return texts + await _texts_of_property(sql, flight.property_id)
    return []


async def _texts_of_incident(sql: Reader, subject: Subject) -> list[RedactableText]:
    incident = await find_incident(sql, subject)
    if incident is None:
        return []
    texts: list[RedactableText] = []
    for dispatched in incident.dispatches:
        texts.append(RedactableText("title", dispatched.title))
        texts.append(RedactableText("description", dispatched.description))
    for call in incident.emergencies:
        texts.append(RedactableText("description", call.description))
        texts.append(RedactableText("caller", call.caller))
    for dispatched in incident.dispatches:
        notes = await dispatches.notes(sql, dispatched.key)
        texts += [RedactableText("note", note.content) for note in reversed(notes)]
        texts += _texts_in(orjson.loads(dispatched.layout_values))
        texts.append(RedactableText("location", dispatched.address))
    written = await incidents.notes(sql, list(map(str, incident.subjects)))
    texts += [RedactableText("note", note.text) for note in reversed(written)]
    return texts + [RedactableText("location", call.location) for call in incident.emergencies]


async def _texts_of_alarm(sql: Reader, alarm_id: int) -> list[RedactableText]:
    alarm = await alarms.get(sql, alarm_id)
    if alarm is None:
        return []
    notes, _total = await alarm_steps.last_notes(sql, alarm_id, NOTES)
    texts = [RedactableText("note", note.text) for note in reversed(notes)]
    return texts + await _texts_of_property(sql, alarm.property_id)


async def _texts_of_property(sql: Reader, property_id: int) -> list[RedactableText]:
    property_ = await properties.get_even_removed(sql, property_id)
    if property_ is None:
        return []
    return [
        RedactableText("property", property_.location),
        RedactableText("description", property_.description),
        RedactableText("reason", property_.status_reason or ""),
    ]


def _texts_in(value: object) -> list[RedactableText]:
    """Return the texts in a JSON document."""
    if isinstance(value, str):
        return [RedactableText("text", value)]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts_in(one)]
