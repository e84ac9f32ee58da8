"""Which rule sends an event where, and why: for `/route test` and `cad-sentinel route`."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import orjson

from cogs.cards import CARDS
from cogs.feeds import feed_of
from cogs.i18n.language import _
from cogs.routing.facts import CARD_EVENTS, event_type, gather_facts
from cogs.routing.rules import Decision, Router
from cogs.routing.troubles import TYPES
from db import cards, journal
from db.database import Reader
from webhook import cad
from webhook.protocol.bus import StoredEvent
from webhook.protocol.context import now
from webhook.protocol.errors import FieldProblem, InvalidData, NotFound
from webhook.protocol.events import CAD, EVENTS, SYSTEM_EVENTS, Subject, TroubleChanged
from webhook.protocol.json_reader import parse_json

CARD_OF = {
    **{each.type: each.card for each in cad.EVENTS.values() if each.card},
    **{name: kind for kind, name in CARD_EVENTS.items()},
    "approved-remove-property": "removal",
    "denied-remove-property": "removal",
    "approval-given": "approval",
    "withdrawn-remove-property": "removal",
    "drone-recalled": "flight",
    "alarm-changed": "alarm",
    "incident-changed": "dispatch",
}
"""The kind of card that an event has; without one it is a feed's or nobody's."""


@dataclass(frozen=True)
class Routed:
    """What the rules say of one card or feed entry of an event.

    `current_channel`: where the card is already, as cards do not move.
    """

    label: str
    decision: Decision
    is_posted: bool
    current_channel: str | None = None


@dataclass
class Routes:
    """The rules, and the channels in use by their name or their id; /setup changes both."""

    router: Router
    in_use: frozenset[str]

    async def find(self, sql: Reader, event: StoredEvent) -> list[Routed]:
        """Return where an event is posted; nothing if no card or feed shows it at all."""
        found: list[Routed] = []
        if event.is_redundant:
            return found
        for subject in event.subjects:
            kind = CARDS.get(subject.kind)
            if kind is None:
                continue
            facts = await gather_facts(sql, event, subject)
            card = await cards.of_subject(sql, str(subject))
            current_channel = card.channel if card is not None else None
            label = _("card of {subject}").format(subject=subject) if event.id else _("card")
            decision = self.router.decide(facts, event.at, kind.channel, event.age)
            found.append(self._routed(label, decision, current_channel))
        feed = feed_of(event.name)
        if feed is not None:
            decision = self.router.decide(
                await gather_facts(sql, event, None), event.at, feed.channel, event.age
            )
            found.append(self._routed(_("feed entry"), decision, None))
        return found

    def _routed(self, label: str, decision: Decision, current_channel: str | None) -> Routed:
        is_posted = not decision.silent and decision.channel in self.in_use
        return Routed(label, decision, is_posted, current_channel)


def explain(event: StoredEvent, found: list[Routed]) -> Iterator[str]:
    """Write what the rules say, a line for each rule; texts from the game are not escaped yet."""
    number = f"{_('event')} {event.id}, " if event.id else ""
    yield f"{number}{event_type(event)}"
    if not found:
        yield _("This event is never posted, whatever the rules say.")
    for routed in found:
        yield f"{routed.label}: {_outcome(routed)}"
        yield from (f"- {line}" for line in routed.decision.explanation)
        if not routed.decision.explanation:
            yield f"- {_('there are no rules')}"


def _outcome(routed: Routed) -> str:
    decision = routed.decision
    if decision.silent:
        outcome = _("not posted, as {rule} is silent").format(rule=decision.rule)
    elif not routed.is_posted:
        text = _("not posted, as no channel {channel} is configured")
        outcome = text.format(channel=decision.channel)
    else:
        rule = decision.rule or _("the channel map")
        outcome = _("goes to {channel} by {rule}").format(channel=decision.channel, rule=rule)
    if routed.is_posted and decision.mention:
        outcome += _(", mentions role {role}").format(role=decision.mention)
    if routed.is_posted and decision.thread:
        outcome += _(", with a thread of its own")
    if routed.current_channel is None:
        return outcome
    stays = _("{outcome}; but its card is already in {channel} and stays there")
    return stays.format(outcome=outcome, channel=routed.current_channel)


async def resolve_event(sql: Reader, typed: str, data: str | None) -> StoredEvent:
    """Return the stored event of a number, or an event made of a name and JSON.

    The JSON of a push may be as the CAD sends it or as docs/cad.md shows the event.

    Raises:
        NotFound: no event has this number or name.
        InvalidData, BadJson: the data is no JSON object.
    """
    typed = typed.strip()
    if typed.isascii() and typed.isdigit() and len(typed) < 19:
        stored = await journal.by_id(sql, [int(typed)])
        if not stored:
            raise NotFound("the journal has no event {number}", number=typed)
        return StoredEvent.from_journal(stored[0])
    name = typed.removeprefix("events.").removeprefix(f"{CAD}.")
    read = parse_json(data) if data and data.strip() else {}
    if not isinstance(read, dict):
        raise InvalidData(FieldProblem("data", "no JSON object"))
    if name in TYPES:
        return _made(TroubleChanged.name, TroubleChanged.name, {"key": name.partition(".")[2]})
    if name in EVENTS or name in SYSTEM_EVENTS:
        return _made(name, name, read)
    kind = name.upper()
    if kind not in cad.EVENTS and typed.startswith((f"{CAD}.", f"events.{CAD}.")):
        return _made(f"{CAD}.{kind}", kind, read)  # a push type that this program does not know
    if kind not in cad.EVENTS:
        names = {one.casefold(): one for one in (*EVENTS, *SYSTEM_EVENTS, *cad.EVENTS)}
        if close := get_close_matches(name[:64].casefold(), names, n=1):
            event = names[close[0]]
            raise NotFound(
                "unknown event {name!r}; did you mean {event}?", name=name[:64], event=event
            )
        raise NotFound("unknown event {name!r}", name=name[:64])
    return _made(f"{CAD}.{kind}", kind, _normalised(kind, read))


def _made(name: str, own: str, data: dict[str, Any]) -> StoredEvent:
    """Make an event that did not happen; its card has a number that no card has."""
    kind = CARD_OF.get(own)
    subjects = [] if kind is None else [Subject(kind, "-1@")]
    return StoredEvent(0, now(), name, subjects, orjson.dumps(data))


def _normalised(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Read the data of a push; what cannot be a push is taken for the event's own data."""
    try:
        events = cad.parse({"type": kind, "data": data})
    except (cad.InvalidPush, cad.UnhandledType):
        return data
    return events[0].model_dump(by_alias=True) | data if events else data
