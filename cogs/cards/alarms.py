"""Cards of alarms: for staff, for the roles that an escalation mentions, and for the owner."""

from typing import NamedTuple

import discord

from cogs.cards.again import card_in_server, reference_to
from cogs.cards.incidents import response_lines
from cogs.i18n.language import N_, _, plural
from cogs.pictures.backdrop import stored_backdrop
from cogs.pictures.property_map import property_map
from cogs.ui.cad_answers import request_line
from cogs.ui.embeds import DESCRIPTION, EMBED, TITLE, Button, CardBuilder, Colour, MessageContent
from cogs.ui.names import headline, linked_name, property_facts, user_name
from cogs.ui.pages import first_page
from cogs.ui.text import (
    SHOWN_AGE,
    duration,
    fitting,
    inert,
    inert_line,
    length,
    pieces,
    timestamp,
    when,
    who,
)
from db import alarm_steps, alarms, emergencies, escalations, flights, links, properties
from db.alarm_steps import AlarmStep
from db.alarms import Alarm
from db.database import Reader
from db.properties import Property
from webhook.cad.events.event import dispatch_subject, emergency_subject
from webhook.protocol.events import Subject
from webhook.queries.police import may_call_police, request_of

SECOND = 1000

MAX_STEPS = 5
"""Steps that a card shows, the newest."""

MAX_NOTE = 2_000
"""Characters of the longest note; escaped, it may have twice as many."""

NOTES = 2_400
"""Characters of the notes on a card, if the reason leaves as many."""

REASON = 2_400
"""Characters of the reason: of an alarm in Discord all, however much of it is escaped."""

ROOM_FOR_THE_REST = 700
"""Characters that are left for the footer and the newest steps."""

WHO = 150
"""Characters that are left before a note for its time and who wrote it."""

READ = 100
"""Notes that a card looks through; an alarm rarely has more than three."""

LINE = 390
"""Characters of a line in the list of all steps, ten of which are a page."""


class AlarmTexts(NamedTuple):
    """What the cards say of an alarm in one state."""

    title: str
    colour: Colour
    for_staff: str
    for_owner: str


_STATES: dict[str, AlarmTexts] = {
    "waiting": AlarmTexts(
        N_("Alarm · {where}"),
        Colour.DANGER,
        N_("Not acknowledged yet. Waiting since {since}."),
        N_("Not acknowledged yet."),
    ),
    "acknowledged": AlarmTexts(
        N_("Alarm acknowledged · {where}"),
        Colour.WARNING,
        N_("{acknowledged_by} is handling it. Acknowledged {acknowledged}."),
        N_("Somebody is handling it."),
    ),
    "snoozed": AlarmTexts(
        N_("Alarm snoozed · {where}"),
        Colour.NORMAL,
        N_("Snoozed by {snoozed_by} until {until}. It does not escalate before then."),
        N_("It is snoozed until {until}."),
    ),
    "resolved": AlarmTexts(
        N_("Alarm resolved · {where}"),
        Colour.GOOD,
        N_("Resolved by {settled_by}, {settled}."),
        N_("It is resolved."),
    ),
    "false": AlarmTexts(
        N_("False alarm · {where}"),
        Colour.OVER,
        N_("Marked as a false alarm by {settled_by}, {settled}."),
        N_("It was a false alarm."),
    ),
    "quiet": AlarmTexts(
        N_("Alarm expired · {where}"),
        Colour.OVER,
        N_("Nothing more happened. It expired {settled}."),
        N_("It expired."),
    ),
    "removed": AlarmTexts(
        N_("Alarm over · {where}"),
        Colour.OVER,
        N_("{settled_by} removed the property, {settled}."),
        N_("The property was removed."),
    ),
}
_STEPS = {
    "acknowledged": N_("{who} acknowledged it"),
    "taken": N_("{who} took it over from {handler}"),
    "released": N_("{who} released it: it waits again"),
    "noted": N_("{who}: {text}"),
    "snoozed": N_("{who} snoozed it until {until}"),
    "snooze-ended": N_("The snooze ended"),
    "drone": N_("{who} sent out drone {number}"),
    "resolved": N_("{who} resolved it"),
    "false": N_("{who}: false alarm"),
    "quiet": N_("It expired"),
    "removed": N_("{who} removed the property"),
    "police": N_("{who} called the police"),
    "police-dispatched": N_("The police opened dispatch call {number}"),
    "police-again": N_("911 call {number} is open in the CAD again"),
    "police-over": N_("911 call {number} is over in the CAD"),
    "police-closed": N_("The police closed dispatch call {number}"),
    "police-reopened": N_("The police reopened dispatch call {number}"),
}

_ANSWERS = {
    "acknowledged": N_("Acknowledged by {who} after {duration}."),
    "snoozed": N_("Snoozed by {who} after {duration}."),
    "resolved": N_("Resolved by {who} after {duration}."),
    "false": N_("Marked as a false alarm by {who} after {duration}."),
    "quiet": N_("Nothing more happened. It expired after {duration}."),
    "removed": N_("{who} removed the property after {duration}."),
}
"""What an escalation says once it is answered."""

_ESCALATED = {1: N_("Escalated to the dispatchers"), 2: N_("Escalated to the supervisors")}
"""What a step says of an escalation, by its level."""


async def alarm(sql: Reader, subject: Subject) -> MessageContent | None:
    """Show staff an alarm: who, where, how often, what was done; buttons until it is settled."""
    found = await _get(sql, subject.number)
    if found is None:
        return None
    shown, property_ = found
    raised_with = await _reason(sql, shown)
    reason = "" if raised_with is None else inert(raised_with.text, REASON)
    card = _card(shown, property_, _STATES[shown.state].for_staff)
    facts = await property_facts(sql, property_)
    card.description = "\n".join(
        filter(
            None,
            [
                reason,
                card.description,
                f"{facts} · {property_.x}, {property_.y}",
                await _raised(sql, shown),
            ],
        )
    )
    room = min(NOTES, EMBED - ROOM_FOR_THE_REST - length(card.title) - length(card.description))
    notes, total = await alarm_steps.last_notes(sql, shown.id, READ)
    notes = [note for note in notes if note != raised_with]
    written = _newest_that_fit(notes, room)
    card.add_long("Notes", "\n".join(written))
    card.add("Police", await _police(sql, shown), inline=False)
    card.add("History", await _history(sql, shown.id), inline=False)
    buttons = list(await _buttons(sql, shown))
    is_cut = any(text.endswith("…") for text in (reason, *written))
    if is_cut or len(written) + (raised_with is not None) < total:
        buttons.append(Button("Show all", first_page("history", str(shown.id))))
    has_map = await stored_backdrop(sql) is not None
    return MessageContent(
        [card.build()],
        tuple(buttons),
        headline=headline(
            card.title, "" if raised_with is None else inert_line(raised_with.text, 100)
        ),
        picture=await property_map(sql, property_.id) if has_map else None,
    )


async def _reason(sql: Reader, shown: Alarm) -> AlarmStep | None:
    """Return the note with which an alarm was raised."""
    first = await alarm_steps.first(sql, shown.id)
    if first is None or first.action != "noted" or first.at != shown.raised_at:
        return None
    return first


async def _raised(sql: Reader, shown: Alarm) -> str:
    """Say who raised an alarm, when and how often."""
    by, at = await user_name(sql, shown.raised_by), when(shown.raised_at, shown.age)
    text = _("Raised by {who}, {time}").format(who=by, time=at)
    if shown.repeats == 1:
        return text
    last = _("the last by {who}, {time}").format(
        who=await user_name(sql, shown.last_by), time=timestamp(shown.last_at)
    )
    return f"{text} · {_alerts(shown)}, {last}"


def _newest_that_fit(notes: list[AlarmStep], room: int) -> list[str]:
    """Return the lines of the newest notes, of one that is too long by itself as much as fits."""
    lines: list[str] = []
    for note in reversed(notes):
        line = _step_line(note)
        if not lines and length(line) >= room:
            line = _step_line(note, room - WHO)
        room -= length(line) + 1
        if room < 0:
            break
        lines.insert(0, line)
    return lines


async def _police(sql: Reader, shown: Alarm) -> str:
    """Say how the 911 call of an alarm stands in the CAD; blank if there is none."""
    lines: list[str] = []
    for call in await emergencies.of_alarm(sql, shown.id):
        name = _("911 call {number}").format(number=call.call_id)
        if call.dispatch_key is not None:
            made = _("dispatch call {number}").format(number=call.dispatch_key.call_id)
            linked = await linked_name(sql, dispatch_subject(call.dispatch_key), made)
            lines.append(f"{name} · {linked}")
        else:
            state = _("nobody has answered it yet") if call.is_open else _("over")
            lines.append(f"{name} · {state}")
        if call.is_open:
            lines += await response_lines(sql, emergency_subject(call.key))
    asked = await request_of(sql, shown.id)
    line = "" if asked is None or shown.outcome is not None else request_line(asked)
    return "\n".join([*lines, line] if line else lines)


async def escalation(sql: Reader, subject: Subject) -> MessageContent | None:
    """Mention the roles of a level in a reply to the alarm's card; later say who answered."""
    alarm_id, _dash, number = subject.key.partition("-")
    found = await _get(sql, int(alarm_id))
    escalated = await escalations.get(sql, int(alarm_id), int(number or 0))
    if found is None or escalated is None:
        return None
    where, answer = _where(found[1]), escalated.answer
    if answer is None:
        card = CardBuilder(
            title=_("Nobody has acknowledged the alarm at {where}").format(where=where),
            colour=Colour.DANGER,
            description=_("Since {since}.").format(since=timestamp(escalated.waiting_since)),
        )
    else:
        waited = (escalated.answered_at or 0) - escalated.waiting_since
        card = CardBuilder(
            title=_(_STATES[answer].title).format(where=where),
            colour=Colour.OVER,
            description=_(_ANSWERS[answer]).format(
                who=who(escalated.answered_by or ""), duration=duration(waited)
            ),
        )
    return MessageContent(
        [card.build()],
        headline=card.title,
        role_mentions=tuple(int(role) for role in escalated.roles.split()),
        reply_to=await reference_to(sql, Subject("alarm", alarm_id)),
        only_edits=answer is not None,
    )


async def owner(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell the owner of a property about an alarm there, and how it ended; a former one no more."""
    found = await _get(sql, subject.number)
    if found is None:
        return None
    shown, property_ = found
    member = subject.key.partition("@")[2]
    if member and property_.owner not in await links.game_ids(sql, int(member)):
        title = _("Alarm over · {where}").format(where=_where(property_))
        text = _("This property is not yours any more.")
        return MessageContent([CardBuilder(title, Colour.OVER, text).build()], only_edits=True)
    handles = bool(member) and shown.acknowledged_by == links.discord_user(int(member))
    is_own = handles and shown.state == "acknowledged"
    card = _card(shown, property_, _("You are handling it.") if is_own else _for_owner(shown))
    if shown.state == "waiting" and shown.age >= SHOWN_AGE:
        late = _("Alarm, reported {duration} late · {where}")
        card.title = late.format(duration=duration(shown.age), where=_where(property_))
    # Escaped, a note can be twice as long.
    notes, total = await alarm_steps.alert_notes(sql, shown.id, READ)
    said = fitting([inert(note, 2 * DESCRIPTION) for note in notes], "\n", 2 * DESCRIPTION, total)
    card.description = "\n".join(filter(None, [said, card.description]))
    card.add("Raised by", await user_name(sql, shown.raised_by))
    card.add("Raised", when(shown.raised_at, shown.age))
    card.add("Alerts", _alerts(shown))
    if shown.repeats > 1:
        card.add("Last", f"{await user_name(sql, shown.last_by)}, {timestamp(shown.last_at)}")
    about = await card_in_server(sql, Subject("alarm", str(shown.id)))
    buttons = _owner_buttons(shown, is_own=is_own)
    return MessageContent([card.build()], buttons, about=about, age=shown.age)


def _for_owner(shown: Alarm) -> str:
    return _(_STATES[shown.state].for_owner)


def _owner_buttons(shown: Alarm, *, is_own: bool) -> tuple[Button, ...]:
    if shown.outcome is not None:
        return ()
    styles = discord.ButtonStyle
    buttons = []
    if shown.acknowledged_by is None:
        buttons.append(Button(_("I'm on it"), f"alarm:acknowledge:{shown.id}", styles.success))
    buttons.append(Button(_("False alarm"), f"alarm:false:{shown.id}", styles.danger))
    if is_own:
        buttons.append(Button(_("Resolve"), f"alarm:resolve:{shown.id}", styles.success))
    return tuple(buttons)


async def _get(sql: Reader, alarm_id: int) -> tuple[Alarm, Property] | None:
    stored = await alarms.get(sql, alarm_id)
    property_ = stored and await properties.get_even_removed(sql, stored.property_id)
    return (stored, property_) if stored is not None and property_ is not None else None


def _card(shown: Alarm, property_: Property, text: str) -> CardBuilder:
    """Begin the card of an alarm with its title, its colour and a text about its state."""
    state = _STATES[shown.state]
    return CardBuilder(
        title=_(state.title).format(where=f"{_where(property_)} #{property_.id}"),
        colour=state.colour,
        description=_(text).format(
            since=timestamp(shown.waiting_since),
            acknowledged_by=who(shown.acknowledged_by or ""),
            acknowledged=timestamp(shown.acknowledged_at or 0),
            snoozed_by=who(shown.snoozed_by or ""),
            until=timestamp(shown.snoozed_until or 0),
            settled_by=who(shown.settled_by or ""),
            settled=timestamp(shown.settled_at or 0),
        ),
    )


def _where(property_: Property) -> str:
    return inert_line(property_.location, TITLE - 60)


def _alerts(shown: Alarm) -> str:
    """Say how many alerts there were, and within how long."""
    if shown.repeats == 1:
        return _("Once")
    times = plural("{number} time", "{number} times", shown.repeats)
    span = shown.last_at - shown.raised_at
    if span < SECOND:
        return times
    return _("{times} within {span}").format(times=times, span=duration(span))


async def _history(sql: Reader, alarm_id: int) -> str:
    """Say who did what and when, the newest last; earlier steps are counted."""
    steps, total = await alarm_steps.last_acts(sql, alarm_id, MAX_STEPS)
    lines = list(map(_step_line, steps))
    if total > len(steps):
        lines.insert(0, earlier_steps(total - len(steps)))
    return "\n".join(lines)


def earlier_steps(number: int) -> str:
    return plural("{number} earlier step", "{number} earlier steps", number)


def _step_line(step: AlarmStep, limit: int = 2 * MAX_NOTE) -> str:
    """Return a step in one text; `limit`: characters of a note."""
    return f"<t:{step.at // 1000}:T> {_step_text(step, limit)}"


def lines_of(step: AlarmStep) -> list[str]:
    """Return a step in lines, none of which is too long for a list in pages."""
    return pieces(_step_line(step).replace("\n", " "), LINE)


def _step_text(step: AlarmStep, limit: int) -> str:
    number = step.number or 0
    if step.action == "called":
        return _(_ESCALATED[number])
    if step.action == "police" and not step.who:
        return _("The police were called")
    if step.action == "released" and not step.who:
        text = _("Nothing more came from {handler}: it waits again")
        return text.format(handler=who(step.text))
    if step.action == "noted":
        note = inert(step.text, limit, blank="")
        return _(_STEPS[step.action]).format(who=who(step.who), text=note)
    return _(_STEPS[step.action]).format(
        who=who(step.who),
        handler=who(step.text),
        number=number,
        until=timestamp(number),
    )


async def _buttons(sql: Reader, shown: Alarm) -> tuple[Button, ...]:
    if shown.outcome is not None:
        return ()
    styles = discord.ButtonStyle
    offered: list[tuple[str, str, discord.ButtonStyle]] = []
    if shown.acknowledged_by is None:
        offered.append((_("Acknowledge"), "acknowledge", styles.success))
    if await flights.free_drones(sql, shown.property_id):
        offered.append((_("Dispatch drone"), "drone", styles.primary))
    if await may_call_police(sql, shown):
        offered.append((_("Call the police"), "police", styles.primary))
    offered.append((_("Note"), "note", styles.secondary))
    if shown.snoozed_until is None:
        offered.append((_("Snooze 15 min"), "snooze", styles.secondary))
        offered.append((_("Snooze 1 h"), "snoozelong", styles.secondary))
    offered.append((_("False alarm"), "false", styles.danger))
    offered.append((_("Resolve"), "resolve", styles.success))
    buttons = [
        Button(label, f"alarm:{action}:{shown.id}", style) for label, action, style in offered
    ]
    if shown.acknowledged_by is not None:
        # With whom it is taken from: of two who press, the second learns who was first.
        take = Button(_("Take over"), f"alarm:take:{shown.id}:{shown.acknowledged_by}")
        buttons[:0] = [take, Button(_("Release"), f"alarm:release:{shown.id}")]
    buttons += [
        Button("Responding", f"call:respond:{emergency_subject(call.key)}", styles.success)
        for call in await emergencies.of_alarm(sql, shown.id)
        if call.is_open
    ]
    return tuple(buttons)
