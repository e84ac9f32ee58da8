"""Private messages to members: what happens to what is theirs, and who they are in the game."""

from dataclasses import replace

import discord

from cogs.cards.again import card_in_server
from cogs.cards.alarm_history import NOTES_READ
from cogs.cards.alarm_texts import STATES, alerts_text, begin_card, find_alarm, place_of
from cogs.cards.properties import approval, removal
from cogs.i18n.language import N_, _
from cogs.ui.embeds import DESCRIPTION, TITLE, Button, CardBuilder, Colour, MessageContent
from cogs.ui.names import headline, user_name, whole_user_name
from cogs.ui.text import SHOWN_AGE, duration, fitting, inert, inert_line, timestamp, when, who
from db import alarm_steps, audit, journal, links, properties, removals
from db.alarms import Alarm
from db.database import Reader
from db.properties import ACTIVE, REJECTED, Property
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import (
    PropertyOwnerChange,
    PropertyRemoved,
    PropertyRestored,
    Subject,
)
from webhook.queries.models import property_subject


async def alarm(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell the owner of a property about an alarm there, and how it ended; a former one no more."""
    found = await find_alarm(sql, subject.number)
    if found is None:
        return None
    shown, property_ = found
    member = subject.key.partition("@")[2]
    if member and property_.owner not in await links.game_ids(sql, int(member)):
        title = _("Alarm over · {where}").format(where=place_of(property_))
        text = _("This property is not yours any more.")
        return MessageContent([CardBuilder(title, Colour.OVER, text).build()], only_edits=True)
    handles = bool(member) and shown.acknowledged_by == links.discord_user(int(member))
    is_own = handles and shown.state == "acknowledged"
    text = N_("You are handling it.") if is_own else STATES[shown.state].for_owner
    card = begin_card(shown, property_, text)
    if shown.state == "waiting" and shown.age >= SHOWN_AGE:
        late = _("Alarm, reported {duration} late · {where}")
        card.title = late.format(duration=duration(shown.age), where=place_of(property_))
    # Escaped, a note can be twice as long.
    notes, total = await alarm_steps.alert_notes(sql, shown.id, NOTES_READ)
    said = fitting([inert(note, 2 * DESCRIPTION) for note in notes], "\n", 2 * DESCRIPTION, total)
    card.description = "\n".join(filter(None, [said, card.description]))
    card.add("Raised by", await user_name(sql, shown.raised_by))
    card.add("Raised", when(shown.raised_at, shown.age))
    card.add("Alerts", alerts_text(shown))
    if shown.repeats > 1:
        card.add("Last", f"{await user_name(sql, shown.last_by)}, {timestamp(shown.last_at)}")
    about = await card_in_server(sql, Subject("alarm", str(shown.id)))
    buttons = _alarm_buttons(shown, is_own=is_own)
    line = headline(card.title, inert_line(notes[0], 100, blank="") if notes else "")
    return MessageContent([card.build()], buttons, headline=line, about=about, age=shown.age)


def _alarm_buttons(shown: Alarm, *, is_own: bool) -> tuple[Button, ...]:
    if shown.outcome is not None:
        return ()
    styles = discord.ButtonStyle
    buttons = []
    if shown.acknowledged_by is None:
        buttons.append(Button("I'm on it", f"alarm:acknowledge:{shown.id}", styles.success))
    buttons.append(Button("False alarm", f"alarm:false:{shown.id}", styles.danger))
    if is_own:
        buttons.append(Button("Resolve", f"alarm:resolve:{shown.id}", styles.success))
    return tuple(buttons)


async def approval_answer(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell the owner of a new property what was decided."""
    property_ = await properties.get_even_removed(sql, subject.number)
    if property_ is None or not property_.has_status(ACTIVE, REJECTED):
        return None
    return _with_buttons(await approval(sql, subject))


async def removal_answer(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell the owner, or whoever asked for a removal, what was decided."""
    request = await removals.get(sql, subject.number)
    if request is None or request.outcome is None:
        return None
    return _with_buttons(await removal(sql, subject))


async def removal_owner(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell the owner that somebody wants their property removed; they can withdraw that."""
    request = await removals.get(sql, subject.number)
    if request is None:
        return None
    withdraw = Button("Withdraw", f"removal:withdraw:{request.id}")
    return _with_buttons(await removal(sql, subject), *[withdraw] * (request.outcome is None))


async def property_message(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell an owner, or a former one, that a property was removed, restored or given away."""
    entries = await journal.by_id(sql, [subject.number])
    if not entries:
        return None  # it waited for so long that the journal has forgotten it
    event = StoredEvent.from_journal(entries[0])
    property_ = await properties.get_even_removed(sql, int(event.data["propertyId"]))
    if property_ is None:
        return None
    author = await audit.author(sql, str(property_subject(property_.id)), event.at)
    by = who(author or "")
    if event.name == PropertyOwnerChange.name:
        card = await _of_owner_change(sql, event, property_, by, int(subject.cad))
    else:
        card = _CHANGES[event.name](property_, by)
    return MessageContent([card.build()], headline=card.title)


def _removed(property_: Property, by: str) -> CardBuilder:
    text = _(
        "{who} removed your property. If that is wrong, ask an approver soon: a removed property"
        " can be restored for some time."
    )
    title = _("Property removed · {where}").format(where=_where(property_))
    return CardBuilder(title, Colour.OVER, text.format(who=by))


def _restored(property_: Property, by: str) -> CardBuilder:
    text = _("{who} restored your property with its equipment.")
    title = _("Property restored · {where}").format(where=_where(property_))
    return CardBuilder(title, Colour.GOOD, text.format(who=by))


_CHANGES = {PropertyRemoved.name: _removed, PropertyRestored.name: _restored}


async def _of_owner_change(
    sql: Reader, event: StoredEvent, property_: Property, by: str, member_id: int
) -> CardBuilder:
    where, new_owner = _where(property_), event.data["owner"]
    if await links.member_of(sql, new_owner) == member_id:
        text = _("{who} made it your property. /property show shows what belongs to it.")
        title = _("Property received · {where}").format(where=where)
        return CardBuilder(title, Colour.GOOD, text.format(who=by))
    text = _("{who} gave your property to {owner}.")
    title = _("Property given away · {where}").format(where=where)
    owner = await user_name(sql, new_owner)
    return CardBuilder(title, Colour.OVER, text.format(who=by, owner=owner))


async def linked(sql: Reader, subject: Subject) -> MessageContent | None:
    """Tell a member who they are in the game since they typed their code there."""
    entries = await journal.by_id(sql, [subject.number])
    if not entries:
        return None
    user_id = StoredEvent.from_journal(entries[0]).data["userId"]
    text = _("You are **{user}** in the game.").format(user=await whole_user_name(sql, user_id))
    hint = _("/property mine shows your properties, /link alarms sends you their alarms.")
    card = CardBuilder(_("Linked"), Colour.GOOD, f"{text}\n{hint}")
    return MessageContent([card.build()], headline=text)


def _with_buttons(content: MessageContent | None, *buttons: Button) -> MessageContent | None:
    return None if content is None else replace(content, buttons=buttons)


def _where(property_: Property) -> str:
    return f"{inert_line(property_.location, TITLE - 80)} #{property_.id}"
