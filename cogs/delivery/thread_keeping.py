"""Keeps the threads of cards as the cards are, and a feed's post of the day in a forum."""

import logging
from datetime import UTC, datetime

from cogs.cards import CARDS
from cogs.delivery.rest.errors import ChannelClosed, ChannelGone, Postponed, Rejected
from cogs.delivery.rest.messenger import Messenger, SentMessage
from cogs.delivery.rest.threads import ThreadLocked, thread_name
from cogs.ui.embeds import MessageContent
from cogs.ui.text import format_day
from db import cards, settings
from db.cards import ARCHIVED, OPEN, RENAMED, WANTED, Card
from db.database import Database, Reader, Transaction
from webhook.protocol.events import Subject

log = logging.getLogger(__name__)


async def keep_thread(
    database: Database, messenger: Messenger, card: Card, content: MessageContent
) -> None:
    """Open the thread that a card is to have, archive it in the end, and open it again.

    One whose name says what was redacted gets another.

    A thread that cannot be had is left for the card's next change: the card matters more.
    """
    is_over = content.is_over and not CARDS[Subject.parse(card.subject).kind].max_age
    wanted = ARCHIVED if is_over else OPEN
    is_post = bool(card.message_id) and card.channel_id == card.message_id
    thread = card.thread or (OPEN if is_post else "")
    if not card.message_id or not card.channel_id or thread in ("", wanted):
        return
    try:
        if thread == RENAMED:
            name = thread_name(content)
            await messenger.rename_thread(card.message_id, name, archived=is_over)
        elif thread == WANTED:
            await messenger.open_thread(card.channel_id, card.message_id, thread_name(content))
        if thread in (OPEN, ARCHIVED) or (thread == WANTED and is_over):
            await messenger.archive_thread(card.message_id, archived=is_over)
    except ChannelGone:
        wanted = ""  # somebody deleted the thread
    except (ChannelClosed, Postponed, Rejected, ThreadLocked) as fault:
        log.warning("the thread of %s is left as it is: %s", card.subject, fault)
        return
    async with database.write() as sql:
        await cards.set_thread(sql, card.id, wanted)


class PostOfDay:
    """The post of a forum into which the messages of feeds go, one for each day (UTC)."""

    def __init__(self, channel_id: int, names: list[str]) -> None:
        self._setting = f"forum.day.{channel_id}"
        self._names = names

    def title(self) -> str:
        return f"{', '.join(self._names)} · {format_day(_today())}"

    async def find(self, sql: Reader) -> int:
        """Return the id of today's post, 0 if there is none."""
        day, _blank, post_id = (await settings.get(sql, self._setting) or "").partition(" ")
        return int(post_id) if day == _today() else 0

    async def note(self, sql: Transaction, sent: SentMessage) -> None:
        """Store the post that a message made or was put into; other channels have none."""
        if sent.channel_id:
            await settings.put(sql, self._setting, f"{_today()} {sent.channel_id}")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
