"""Replies that mention the roles which a card did not, because they came too late."""

from dataclasses import replace

import discord

from cogs.cards.alarm_texts import find_alarm, place_of
from cogs.cards.calls import panic_headline
from cogs.i18n.language import _
from cogs.routing.facts import CARD_EVENTS, event_type, starts_panic
from cogs.ui.embeds import CardBuilder, CardInServer, Colour, MessageContent
from cogs.ui.names import linked_name, user_name
from cogs.ui.text import timestamp
from db import alarms, cards, emergencies, units
from db.cards import AGAIN
from db.database import Reader
from webhook.cad.events.event import call_of
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import AlertRaised, Subject
from webhook.queries.guilds import home_guild


def again_subject(card: Subject) -> Subject:
    """Return the subject of the one reply to a card: `alarm-again:12` for `alarm:12`."""
    return Subject(card.kind + AGAIN, card.key)


async def age_of(sql: Reader, card: Subject) -> int:
    """Return how late a card's alarm, panic or 911 call came, in milliseconds; 0 for others."""
    if card.kind in ("alarm", "alarm-owner"):
        alarm_ = await alarms.get(sql, card.number)
        return 0 if alarm_ is None else alarm_.age
    if card.kind == "panic":
        start = await units.panic_start(sql, card.number)
        return 0 if start is None else start.age
    if card.kind == "emergency":
        call = await emergencies.get(sql, *call_of(card))
        return 0 if call is None else call.age
    return 0


def happens_again(event: StoredEvent, card: Subject) -> bool:
    """Return whether an event is another press of a button, or another call that says the same."""
    if starts_panic(event, card):
        return True
    if card.kind == "alarm-owner":
        return event.name == AlertRaised.name
    if CARD_EVENTS.get(card.kind) != event_type(event):
        return False
    if card.kind == "emergency":
        return event.data.get("callId") != card.number
    return card.kind == "alarm"


async def reference_to(sql: Reader, subject: Subject) -> discord.MessageReference | None:
    """Return the reference that makes a message a reply to a card; None if it is not posted."""
    card = await cards.of_subject(sql, str(subject))
    if card is None or not card.channel_id or not card.message_id:
        return None
    return discord.MessageReference(
        message_id=card.message_id, channel_id=card.channel_id, fail_if_not_exists=False
    )


async def card_in_server(sql: Reader, subject: Subject) -> CardInServer | None:
    """Return where the card of a subject is, and whom it mentioned; None if there is none."""
    card, guild = await cards.of_subject(sql, str(subject)), await home_guild(sql)
    if card is None or guild is None:
        return None
    return CardInServer(int(guild), card.channel_id or 0, card.message_id or 0, card.mention)


async def owners_alarm(sql: Reader, subject: Subject) -> MessageContent | None:
    """Say the same to the owner, whose message came too late to make a sound."""
    content = await alarm(sql, subject)
    if content is None:
        return None
    reply_to = await reference_to(sql, Subject("alarm-owner", subject.key))
    about = await card_in_server(sql, Subject("alarm", str(subject.number)))
    return replace(content, reply_to=reply_to, about=about)


async def alarm(sql: Reader, subject: Subject) -> MessageContent | None:
    """Say that the alarm button was pressed again."""
    found = await find_alarm(sql, subject.number)
    if found is None:
        return None
    shown, property_ = found
    text = _("{who} pressed the alarm button again, {time}.").format(
        who=await user_name(sql, shown.last_by), time=timestamp(shown.last_at)
    )
    title = _("Alarm raised again · {where}").format(where=place_of(property_))
    return await _reply(sql, Subject("alarm", str(subject.number)), title, text)


async def panic(sql: Reader, subject: Subject) -> MessageContent | None:
    """Say that the panic button was pressed again."""
    if await units.panic_start(sql, subject.number) is None:
        return None
    text = _("The panic button was pressed again.")
    line = await panic_headline(sql, subject.number)
    return await _reply(sql, Subject("panic", subject.key), _("PANIC"), text, line)


async def emergency(sql: Reader, subject: Subject) -> MessageContent | None:
    """Say that another 911 call says the same, or that its panic goes on."""
    if await emergencies.get(sql, *call_of(Subject("emergency", subject.key))) is None:
        return None
    text = _("It was reported again.")
    title = _("911 call {number}").format(number=subject.number)
    return await _reply(sql, Subject("emergency", subject.key), title, text)


async def _reply(
    sql: Reader, card: Subject, title: str, text: str, headline: str = ""
) -> MessageContent:
    link = await linked_name(sql, card, _("See the card."))
    built = CardBuilder(title=title, colour=Colour.DANGER, description=f"{text} {link}").build()
    reply_to = await reference_to(sql, card)
    return MessageContent([built], headline=headline or title, reply_to=reply_to)
