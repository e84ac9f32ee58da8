"""The feed entries of one channel: up to ten share a message, and old ones are counted."""

import logging
import math
import time
from contextlib import suppress
from dataclasses import replace

import discord

from cogs.delivery.delivery_context import DeliveryContext
from cogs.delivery.holds import FEED, Holds
from cogs.delivery.posting import Poster, signed
from cogs.delivery.rest.errors import (
    ChannelGone,
    DeliveryError,
    MessageGone,
    MessageTooOld,
    Postponed,
    Rejected,
)
from cogs.delivery.rest.messenger import SentMessage
from cogs.delivery.thread_keeping import PostOfDay
from cogs.feeds import entry_embed, summary_embed
from cogs.ui.embeds import EMBED, HEADLINE, MessageContent, embed_length
from cogs.ui.text import fitting
from db import feeds, journal, settings
from db.cards import MAX_REASON
from db.feeds import FeedEntry
from webhook.protocol.bus import StoredEvent
from webhook.protocol.context import now
from webhook.queries.daily_report import MESSAGES

MAX_EMBEDS = 10
"""Embeds that a message has at most."""

ROOM_TO_GROW = 100
"""Characters that an embed of a feed may grow until it is sent."""

log = logging.getLogger(__name__)


class FeedQueue:
    """What the feeds of one channel have still to show, in order."""

    def __init__(
        self, context: DeliveryContext, names: list[str], poster: Poster, holds: Holds
    ) -> None:
        self._context = context
        self._database = context.database
        self._pace = context.pace
        self._names = names
        self._poster = poster
        self._holds = holds
        self._last_feed = -math.inf
        self._post_of_day = PostOfDay(poster.channel_id, names)

    async def deliver_due(self) -> float:
        """Post the next feed message if it is due; return the seconds until it is.

        Which entries share a message, and whether it only counts them, is on disk before it is
        posted: after a crash the same message is posted under the same reference.
        """
        entries = await feeds.waiting(self._database.read, self._names, MAX_EMBEDS)
        if not entries:
            return math.inf
        if wait := self._holds.current().get(FEED):
            return wait
        first = entries[0]
        if first.batch is not None:  # perhaps it was posted already
            await self._post_feed(first, first.batch)
            return 0.0
        (event,) = await journal.by_id(self._database.read, [first.journal_id])
        too_old = now() - self._context.feed_age
        is_old = bool(self._context.feed_age) and event.at < too_old
        wait = 0.0 if is_old else self._wait_for_entries(event.at, len(entries))
        if wait > 0:
            return wait
        together = await self._first_that_fit(entries)
        async with self._database.write() as sql:
            if is_old:
                await feeds.sum_up(sql, self._names, first.journal_id, too_old)
            else:
                await feeds.put_into_batch(sql, together)
        await self._post_feed(first._replace(summed=int(is_old)), first.journal_id)
        return 0.0

    def _wait_for_entries(self, oldest_at: int, number: int) -> float:
        """Return the seconds until so many entries, the oldest of a time, are posted."""
        since_last = time.monotonic() - self._last_feed
        if number == MAX_EMBEDS:
            return self._pace.full - since_last
        gathered = self._pace.gather - (now() - oldest_at) / 1000
        # The clock may have been put back since the event.
        return max(min(gathered, self._pace.gather), self._pace.feed - since_last)

    async def _post_feed(self, first: FeedEntry, batch: int) -> None:
        """Post the message of a batch and take its entries off the list.

        If Discord rejects several entries together, each gets a message of its own.
        """
        reference = f"{self._context.before.instance}-f{batch}"
        content, number = await self._feed_content(batch, is_summed=bool(first.summed))
        try:
            with self._poster.counting(first.channel, "feed"):
                is_doubtful = batch <= self._context.before.event
                sent = await self._post_feed_message(
                    signed(content, reference), reference, is_doubtful=is_doubtful
                )
        except Rejected as fault:
            await self._note_rejected_feed(batch, number, fault)
        except (Postponed, MessageGone, MessageTooOld) as fault:
            self._holds.postpone(FEED, f"the feed entries from event {batch} on", fault)
        else:
            if self._holds.release(FEED):
                log.info("Discord takes the feed entries from event %s on now", batch)
            async with self._database.write() as sql:
                await feeds.mark_batch_shown(sql, batch)
                await settings.add(sql, MESSAGES, 1)
                await self._post_of_day.note(sql, sent)
        self._context.unconfirmed.pop(reference, None)
        self._last_feed = time.monotonic()

    async def _post_feed_message(
        self, content: MessageContent, reference: str, *, is_doubtful: bool
    ) -> SentMessage:
        """Post a feed's message; in a forum into the post of the day, or as a new one."""
        content = replace(content, thread_name=self._post_of_day.title())
        post_id = await self._post_of_day.find(self._database.read)
        if post_id:
            with suppress(ChannelGone):  # somebody deleted the post
                sent = await self._poster.post(
                    content, reference, is_doubtful=is_doubtful, into=post_id
                )
                return sent._replace(channel_id=post_id)
        return await self._poster.post(content, reference, is_doubtful=is_doubtful)

    async def _first_that_fit(self, entries: list[FeedEntry]) -> list[FeedEntry]:
        """Return the entries without a batch that share the next message."""
        unsent = [entry for entry in entries if entry.batch is None]
        rows = await journal.by_id(self._database.read, [entry.journal_id for entry in unsent])
        embeds = [
            await entry_embed(self._database.read, StoredEvent.from_journal(row)) for row in rows
        ]
        return unsent[: count_that_fit(embeds)]

    async def _note_rejected_feed(self, batch: int, number: int, fault: DeliveryError) -> None:
        if number > 1:
            log.warning("Discord rejects %s feed entries together: %s", number, fault)
        else:
            log.error("Discord rejects the feed entry of event %s: %s", batch, fault)
        async with self._database.write() as sql:
            if number > 1:
                await feeds.split_batch(sql, batch)
            else:
                await feeds.mark_batch_rejected(sql, batch, now(), str(fault)[:MAX_REASON])

    async def _feed_content(self, batch: int, *, is_summed: bool) -> tuple[MessageContent, int]:
        """Show up to ten entries, or count old ones, which ping nobody any more.

        Return the message and how many entries it shows, 1 for a count.
        """
        read = self._database.read
        if is_summed:
            return MessageContent([summary_embed(await feeds.counts(read, batch))]), 1
        entries = await feeds.of_batch(read, batch, MAX_EMBEDS)
        events = await journal.by_id(read, [entry.journal_id for entry in entries])
        embeds = [await entry_embed(read, StoredEvent.from_journal(row)) for row in events]
        roles = dict.fromkeys(entry.mention for entry in entries if entry.mention)
        pinging = {entry.journal_id for entry in entries if entry.mention}
        titles = [
            embed.title or ""
            for row, embed in zip(events, embeds, strict=True)
            if row.id in pinging
        ]
        headline = fitting(titles, " · ", HEADLINE)
        content = MessageContent(embeds, headline=headline, role_mentions=tuple(roles))
        return content, len(entries)


def count_that_fit(embeds: list[discord.Embed]) -> int:
    """Return how many of the first embeds one message takes, at least one.

    Names in them may be longer by the time they are sent, so some room is left.
    """
    left = EMBED
    for number, embed in enumerate(embeds):
        left -= embed_length(embed) + ROOM_TO_GROW
        if left < 0 and number:
            return number
    return len(embeds)
