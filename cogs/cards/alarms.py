"""Cards of alarms, for staff."""

import discord

from cogs.cards.alarm_history import NOTES_READ, history, step_line
from cogs.cards.alarm_texts import STATES, alerts_text, begin_card, find_alarm
from cogs.cards.incidents import response_lines
from cogs.i18n.language import _
from cogs.pictures.backdrop import stored_backdrop
from cogs.pictures.property_map import property_map
from cogs.ui.cad_answers import request_line
from cogs.ui.embeds import EMBED, Button, MessageContent
from cogs.ui.names import headline, linked_name, property_facts, user_name
from cogs.ui.pages import first_page
from cogs.ui.text import inert, inert_line, length, newest_that_fit, timestamp, when
from db import alarm_steps, emergencies, flights
from db.alarm_steps import AlarmStep
from db.alarms import Alarm
from db.database import Reader
from webhook.cad.events.event import dispatch_subject, emergency_subject
from webhook.protocol.events import Subject
from webhook.queries.police import may_call_police, request_of

NOTES = 2_400
"""Characters of the notes on a card, if the reason leaves as many."""

REASON = 2_400
"""Characters of the reason: of an alarm in Discord all, however much of it is escaped."""

ROOM_FOR_THE_REST = 700
"""Characters that are left for the footer and the newest steps."""

ROOM_FOR_AUTHOR = 150
"""Characters that are left before a note for its time and who wrote it."""


async def alarm(sql: Reader, subject: Subject) -> MessageContent | None:
    """Show staff an alarm: who, where, how often, what was done; buttons until it is settled."""
    found = await find_alarm(sql, subject.number)
    if found is None:
        return None
    shown, property_ = found
    raised_with = await _reason(sql, shown)
    reason = "" if raised_with is None else inert(raised_with.text, REASON)
    card = begin_card(shown, property_, STATES[shown.state].for_staff)
    facts = f"{await property_facts(sql, property_)} · {property_.x}, {property_.y}"
    texts = [reason, card.description, facts, await _raised(sql, shown)]
    card.description = "\n".join(filter(None, texts))
    room = min(NOTES, EMBED - ROOM_FOR_THE_REST - length(card.title) - length(card.description))
    notes, total = await alarm_steps.last_notes(sql, shown.id, NOTES_READ)
    notes = [note for note in notes if note != raised_with]
    lines = list(map(step_line, notes))
    if lines and length(lines[-1]) >= room:
        lines[-1] = step_line(notes[-1], room - ROOM_FOR_AUTHOR)
    written = newest_that_fit(lines, room)
    card.add_long("Notes", "\n".join(written))
    card.add("Police", await _police(sql, shown), inline=False)
    card.add("History", await history(sql, shown.id), inline=False)
    buttons = list(await _buttons(sql, shown))
    is_cut = any(text.endswith("…") for text in (reason, *written))
    if is_cut or len(written) + (raised_with is not None) < total:
        buttons.append(Button("Show all", first_page("history", str(shown.id))))
    begun_with = "" if raised_with is None else inert_line(raised_with.text, 100)
    has_map = await stored_backdrop(sql) is not None
    return MessageContent(
        [card.build()],
        tuple(buttons),
        headline=headline(card.title, begun_with),
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
    return f"{text} · {alerts_text(shown)}, {last}"


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


async def _buttons(sql: Reader, shown: Alarm) -> tuple[Button, ...]:
    if shown.outcome is not None:
        return ()
    alarm_id, by, styles = shown.id, shown.acknowledged_by, discord.ButtonStyle
    if by is None:
        buttons = [Button("Acknowledge", f"alarm:acknowledge:{alarm_id}", styles.success)]
    else:
        # With whom it is taken from: of two who press, the second learns who was first.
        take = Button("Take over", f"alarm:take:{alarm_id}:{by}")
        buttons = [take, Button("Release", f"alarm:release:{alarm_id}")]
    if await flights.free_drones(sql, shown.property_id):
        buttons.append(Button("Dispatch drone", f"alarm:drone:{alarm_id}", styles.primary))
    if await may_call_police(sql, shown):
        buttons.append(Button("Call the police", f"alarm:police:{alarm_id}", styles.primary))
    buttons.append(Button("Note", f"alarm:note:{alarm_id}"))
    if shown.snoozed_until is None:
        buttons.append(Button("Snooze 15 min", f"alarm:snooze:{alarm_id}"))
        buttons.append(Button("Snooze 1 h", f"alarm:snoozelong:{alarm_id}"))
    buttons.append(Button("False alarm", f"alarm:false:{alarm_id}", styles.danger))
    buttons.append(Button("Resolve", f"alarm:resolve:{alarm_id}", styles.success))
    for call in await emergencies.of_alarm(sql, alarm_id):
        if call.is_open:
            about = f"call:respond:{emergency_subject(call.key)}"
            buttons.append(Button("Responding", about, styles.success))
    return tuple(buttons)
