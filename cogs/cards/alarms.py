"""Cards of alarms: for those who answer them, the calls for help, and the owner's own message."""

import discord

from cogs.i18n.language import N_, _, plural
from cogs.pictures.property_map import property_map
from cogs.ui.embeds import TITLE, Button, CardBuilder, Colour, MessageContent, MessageRef
from cogs.ui.names import user_name
from cogs.ui.text import duration, inert_line, timestamp, who
from db import alarms, cards, flights, properties
from db.alarms import Alarm, AlarmStep
from db.database import Reader
from db.properties import Property
from webhook.protocol.events import Subject

STEPS = 5
"""Steps that a card shows, the newest."""

NOTE = 90
"""Characters of a note on a card."""

_STATES = {
    "waiting": (
        N_("Alarm · {where}"),
        Colour.DANGER,
        N_("Not acknowledged yet. Waiting since {since}."),
        N_("Not acknowledged yet."),
    ),
    "acknowledged": (
        N_("Alarm acknowledged · {where}"),
        Colour.WARNING,
        N_("{acknowledged_by} is handling it. Acknowledged {acknowledged}."),
        N_("Somebody is handling it."),
    ),
    "snoozed": (
        N_("Alarm snoozed · {where}"),
        Colour.NORMAL,
        N_("Snoozed by {snoozed_by} until {until}. It does not escalate before then."),
        N_("It is snoozed until {until}."),
    ),
    "resolved": (
        N_("Alarm resolved · {where}"),
        Colour.GOOD,
        N_("Resolved by {settled_by}, {settled}."),
        N_("It is resolved."),
    ),
    "false": (
        N_("False alarm · {where}"),
        Colour.OVER,
        N_("Marked as a false alarm by {settled_by}, {settled}."),
        N_("It was a false alarm."),
    ),
    "quiet": (
        N_("Alarm expired · {where}"),
        Colour.OVER,
        N_("Nothing more happened. It expired {settled}."),
        N_("It expired."),
    ),
    "removed": (
        N_("Alarm over · {where}"),
        Colour.OVER,
        N_("{settled_by} removed the property, {settled}."),
        N_("The property was removed."),
    ),
}
"""By an alarm's state: the title, the colour, what staff read, what the owner reads."""

_STEPS = {
    "acknowledged": N_("{who} acknowledged it"),
    "noted": N_("{who}: {text}"),
    "snoozed": N_("{who} snoozed it until {until}"),
    "snooze-ended": N_("The snooze ended"),
    "drone": N_("{who} sent out drone {text}"),
    "resolved": N_("{who} resolved it"),
    "false": N_("{who}: false alarm"),
    "quiet": N_("It expired"),
    "removed": N_("{who} removed the property"),
}

_CALLED = {"1": N_("Escalated to the dispatchers"), "2": N_("Escalated to the supervisors")}
"""What a step says of the stage that was called."""


async def alarm(sql: Reader, key: str) -> MessageContent | None:
    """Show an alarm: who, where, how often, what was done; buttons until it is settled."""
    found = await _found(sql, key)
    if found is None:
        return None
    stored, place = found
    card = _begun(stored, place, 2)
    card.add(_("Property"), str(place.id))
    card.add(_("Coordinates"), f"{place.x}, {place.y}")
    card.add(_("Owner"), await user_name(sql, place.owner))
    card.add(_("Raised by"), await user_name(sql, stored.raised_by))
    card.add(_("Raised"), timestamp(stored.raised_at))
    card.add(_("Alerts"), _often(stored))
    if stored.repeats > 1:
        card.add(_("Last"), f"{await user_name(sql, stored.last_by)}, {timestamp(stored.last_at)}")
    card.add(_("History"), await _done(sql, stored.id), inline=False)
    shown = await property_map(sql, place.id)
    return MessageContent([card.build()], await _buttons(sql, stored), picture=shown)


async def call(sql: Reader, key: str) -> MessageContent | None:
    """Call those who are to answer an alarm, as a reply to its card, while nobody has."""
    number, _dash, stage = key.partition("-")
    found = await _found(sql, number)
    called = await alarms.get_escalation(sql, int(number), int(stage or 0))
    if found is None or called is None or found[0].state != "waiting":
        return None
    stored, place = found
    about = await cards.of_subject(sql, str(Subject("alarm", number)))
    card = CardBuilder(
        title=_("Nobody has acknowledged the alarm at {where}").format(where=_where(place)),
        colour=Colour.DANGER,
        description=_("Since {since}.").format(since=timestamp(stored.waiting_since)),
    )
    return MessageContent(
        [card.build()],
        role_mentions=tuple(int(role) for role in called.roles.split()),
        reply_to=MessageRef(about.channel_id, about.message_id)
        if about and about.channel_id and about.message_id
        else None,
    )


async def owner(sql: Reader, key: str) -> MessageContent | None:
    """Tell the owner of a property of an alarm there, and how it ended."""
    found = await _found(sql, key)
    if found is None:
        return None
    stored, place = found
    card = _begun(stored, place, 3)
    card.add(_("Property"), str(place.id))
    card.add(_("Raised"), timestamp(stored.raised_at))
    card.add(_("Alerts"), _often(stored))
    return MessageContent([card.build()])


async def _found(sql: Reader, key: str) -> tuple[Alarm, Property] | None:
    stored = await alarms.get(sql, int(key))
    place = stored and await properties.get_even_removed(sql, stored.property_id)
    return (stored, place) if stored is not None and place is not None else None


def _begun(stored: Alarm, place: Property, said: int) -> CardBuilder:
    """Begin a card with its title, its colour and what it says of the alarm's state."""
    texts = _STATES[stored.state]
    return CardBuilder(
        title=_(texts[0]).format(where=_where(place)),
        colour=texts[1],
        description=_(str(texts[said])).format(
            since=timestamp(stored.waiting_since),
            acknowledged_by=who(stored.acknowledged_by or ""),
            acknowledged=timestamp(stored.acknowledged_at or 0),
            snoozed_by=who(stored.snoozed_by or ""),
            until=timestamp(stored.snoozed_until or 0),
            settled_by=who(stored.settled_by or ""),
            settled=timestamp(stored.settled_at or 0),
        ),
    )


def _where(place: Property) -> str:
    return inert_line(place.location, TITLE - 60)


def _often(stored: Alarm) -> str:
    """Say how often the alarm was raised, and within how long."""
    if stored.repeats == 1:
        return _("Once")
    times = plural("{number} time", "{number} times", stored.repeats)
    span = duration(stored.last_at - stored.raised_at)
    return _("{times} within {span}").format(times=times, span=span)


async def _done(sql: Reader, alarm_id: int) -> str:
    """Say who did what and when, the newest last; earlier steps are counted."""
    steps, total = await alarms.last_steps(sql, alarm_id, STEPS)
    lines = [f"<t:{step.at // 1000}:T> {_said(step)}" for step in steps]
    if total > len(steps):
        earlier = plural("{number} earlier step", "{number} earlier steps", total - len(steps))
        lines.insert(0, earlier)
    return "\n".join(lines)


def _said(step: AlarmStep) -> str:
    if step.action == "called":
        return _(_CALLED[step.text])
    until = timestamp(int(step.text)) if step.action == "snoozed" else ""
    text = inert_line(step.text, NOTE)
    return _(_STEPS[step.action]).format(who=who(step.who), text=text, until=until)


async def _buttons(sql: Reader, stored: Alarm) -> tuple[Button, ...]:
    """Offer what can be done about an open alarm."""
    if stored.outcome is not None:
        return ()
    styles = discord.ButtonStyle
    offered: list[tuple[str, str, discord.ButtonStyle]] = []
    if stored.acknowledged_at is None:
        offered.append((_("Acknowledge"), "acknowledge", styles.success))
    if await flights.free_drones(sql, stored.property_id):
        offered.append((_("Dispatch drone"), "drone", styles.primary))
    offered.append((_("Note"), "note", styles.secondary))
    if stored.state == "waiting":
        offered.append((_("Snooze 15 min"), "snooze", styles.secondary))
        offered.append((_("Snooze 1 h"), "snoozelong", styles.secondary))
    offered.append((_("False alarm"), "false", styles.danger))
    offered.append((_("Resolve"), "resolve", styles.success))
    return tuple(
        Button(label, f"alarm:{action}:{stored.id}", style) for label, action, style in offered
    )
