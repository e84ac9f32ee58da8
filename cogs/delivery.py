"""Makes Discord agree with the stored state: posts and edits cards, posts feeds.

One queue per Discord channel, each request awaited before the next, so that a dead channel holds
nobody up and the order stays. What is posted carries its reference twice: as the nonce, by which
Discord itself refuses a second copy for some minutes, and in the footer, by which it is found in
the channel after a crash that came between Discord's answer and our note of it.
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from cogs.cards import render
from cogs.content import Content
from cogs.feeds import entry_embed
from cogs.messenger import (
    ChannelClosed,
    DeliveryError,
    MessageGone,
    MessageTooOld,
    Messenger,
    Refused,
)
from db import cards, feeds, journal, settings
from db.cards import Card
from db.database import Database
from db.errors import StorageUnavailable
from db.feeds import FeedEntry
from webhook.context import now
from webhook.events import Published, Subject

INSTANCE = "discord.instance"
"""The setting that tells this database's messages from those of another one."""

FOOTER = "ref "
EMBEDS = 10
LONGEST_RETRY = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How long the queues wait, in seconds.

    `edit`: between two edits in a channel, so that ten changes in a second are one edit.
    `retry`: after a first failure; doubles up to a minute. `closed`: until a channel that the bot
    may not post in is tried again.
    """

    edit: float = 1.0
    retry: float = 1.0
    closed: float = 300.0


@dataclass(frozen=True)
class Outlet:
    """What every queue works with. `calls`: the role that a kind of card mentions when posted."""

    database: Database
    messenger: Messenger
    pace: Pace
    instance: str
    calls: Mapping[str, int]


class Delivery:
    """The queues of all channels; `places` are Discord channel ids by their configured names."""

    def __init__(self, outlet: Outlet, places: Mapping[str, int]) -> None:
        names: dict[int, list[str]] = {}
        for name, channel_id in places.items():
            names.setdefault(channel_id, []).append(name)
        self._queues = [ChannelQueue(outlet, channel_id, of) for channel_id, of in names.items()]

    async def run(self) -> None:
        """Deliver until `stop`; what is in flight then is finished."""
        async with asyncio.TaskGroup() as group:
            for queue in self._queues:
                group.create_task(queue.run(), name=f"channel {queue.channel_id}")

    def wake(self) -> None:
        """Have every queue look whether there is something to deliver."""
        for queue in self._queues:
            queue.wake()

    def retry(self) -> None:
        """Have waiting queues try again at once: Discord is back, or permissions changed."""
        for queue in self._queues:
            queue.retry()

    def stop(self) -> None:
        """End `run` once nothing is in flight."""
        for queue in self._queues:
            queue.stop()

    def closed_channels(self) -> list[int]:
        """Return the channels that are gone or that the bot may not post in."""
        return [queue.channel_id for queue in self._queues if queue.is_closed]


class ChannelQueue:
    """What one Discord channel has still to show."""

    def __init__(self, outlet: Outlet, channel_id: int, names: list[str]) -> None:
        self.channel_id = channel_id
        self.is_closed = False
        self._database = outlet.database
        self._messenger = outlet.messenger
        self._pace = outlet.pace
        self._instance = outlet.instance
        self._calls = outlet.calls
        self._names = names
        self._work = asyncio.Event()
        self._try_again = asyncio.Event()
        self._stopping = False
        self._failures = 0
        self._last_card = 0
        self._next_edit = 0.0
        self._edit_waits = False
        self._references = _References(outlet.messenger, channel_id)

    def wake(self) -> None:
        """Look whether there is something to deliver."""
        self._work.set()

    def retry(self) -> None:
        """Cut a pause short."""
        self._try_again.set()

    def stop(self) -> None:
        """End `run` after the delivery in flight."""
        self._stopping = True
        self.wake()
        self.retry()

    async def run(self) -> None:
        """Deliver until `stop`; a failure waits and tries again, and never ends the queue."""
        while not self._stopping:
            self._work.clear()
            try:
                delivered = await self._deliver_next()
            except ChannelClosed as fault:
                self._note_closed(fault)
                await self._pause(self._pace.closed)
            except Exception as fault:
                self._note_failure(fault)
                wait = min(LONGEST_RETRY, self._pace.retry * 2 ** min(self._failures - 1, 10))
                await self._pause(wait * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load
            else:
                self._note_success(delivered=delivered)
                if not delivered:
                    await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        """Wait until there is something new, or an edit is due again."""
        wait = max(0.0, self._next_edit - time.monotonic()) if self._edit_waits else None
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._work.wait()

    async def _deliver_next(self) -> bool:
        """Deliver a card and a message of feed entries; tell whether there was either."""
        card = await self._next_card()
        if card is not None:
            await self._deliver_card(card)
        entries = await feeds.waiting(self._database.read, self._names, EMBEDS)
        if entries:
            await self._deliver_feed(entries)
        return card is not None or bool(entries)

    async def _next_card(self) -> Card | None:
        """Return what to post, or else what to edit if an edit is due again.

        Edits take turns: a card that changes all the time lets the others through.
        """
        read = self._database.read
        card = await cards.next_unposted(read, self._names)
        if card is not None:
            return card
        card = await cards.next_outdated(read, self._names, self._last_card)
        if card is None and self._last_card:
            card = await cards.next_outdated(read, self._names, 0)
        self._edit_waits = card is not None and time.monotonic() < self._next_edit
        if card is None or self._edit_waits:
            return None
        self._last_card = card.id
        return card

    async def _deliver_card(self, card: Card) -> None:
        content = await self._content(card)
        digest = content.digest() if content is not None else ""
        if content is None or (card.message_id is not None and digest == card.digest):
            await self._mark_shown(card, digest, card.channel_id, card.message_id)
            return
        try:
            if card.message_id is None or (self.channel_id and not card.channel_id):
                await self._post_card(card, content, digest)
            else:
                await self._edit_card(card, card.channel_id or 0, card.message_id, content, digest)
        except Refused as fault:
            # Nobody is helped by trying again; the next change gets its chance.
            log.error("Discord refuses the card of %s: %s", card.subject, fault)
            await self._mark_shown(card, "", card.channel_id, card.message_id)

    async def _content(self, card: Card) -> Content | None:
        """Make the card; one that cannot be made is logged and passed over."""
        subject = Subject.parse(card.subject)
        try:
            content = await render(self._database.read, subject)
        except (KeyError, TypeError, ValueError):
            log.exception("the card of %s cannot be made", card.subject)
            return None
        if content is None:
            return None
        return replace(content, calls=self._calls.get(subject.kind, 0))

    async def _post_card(self, card: Card, content: Content, digest: str) -> None:
        reference = f"{self._instance}-c{card.id}.{card.posting}"
        is_new, message_id = await self._post(reference, content, card.created_at)
        async with self._database.write() as sql:
            if is_new:
                await cards.mark_shown(sql, card, digest, self.channel_id, message_id)
            else:
                # It may show an older state; the card stays stale, and an edit follows.
                await cards.mark_posted(sql, card, self.channel_id, message_id)
        self._references.settle(reference)

    async def _edit_card(
        self, card: Card, channel_id: int, message_id: int, content: Content, digest: str
    ) -> None:
        # Changes that come until then go into the same edit.
        self._next_edit = time.monotonic() + self._pace.edit
        _sign(content, f"{self._instance}-c{card.id}.{card.posting}")
        try:
            await self._messenger.edit(channel_id, message_id, content)
        except MessageGone:
            log.warning("the card of %s was deleted in Discord, it is posted afresh", card.subject)
            await self._mark_lost(card)
        except MessageTooOld:
            await self._messenger.delete(channel_id, message_id)
            await self._mark_lost(card)
        except ChannelClosed:
            if channel_id == self.channel_id:
                raise
            await self._mark_lost(card)  # the configuration names another channel by now
        else:
            await self._mark_shown(card, digest, channel_id, message_id)

    async def _deliver_feed(self, waiting: list[FeedEntry]) -> None:
        """Post up to ten entries as one message; its members are settled before it is sent."""
        batch = waiting[0].batch
        entries = [entry for entry in waiting if entry.batch == batch]
        numbers = [entry.journal_id for entry in entries]
        events = await journal.named(self._database.read, numbers)
        since = events[0].at
        if batch is None:
            batch, since = numbers[0], now()
            async with self._database.write() as sql:
                await feeds.put_into_batch(sql, entries)
        content = Content(
            [await entry_embed(self._database.read, Published.from_journal(row)) for row in events]
        )
        reference = f"{self._instance}-f{batch}"
        try:
            await self._post(reference, content, since)
        except Refused as fault:
            log.error("Discord refuses the feed entries from %s on: %s", batch, fault)
        async with self._database.write() as sql:
            await feeds.mark_shown(sql, entries)
        self._references.settle(reference)

    async def _post(self, reference: str, content: Content, since: int) -> tuple[bool, int]:
        """Post a message unless it is there already; return whether it is surely new, and its id.

        `since`: when it could have been posted first, in milliseconds.
        """
        doubtful = self._references.is_doubtful(reference, since)
        found = await self._references.find(reference, since) if doubtful else None
        if found is not None:
            return False, found
        _sign(content, reference)
        # A request of our own that got no answer may arrive after the channel was searched; its
        # message, with an older state, is then what the nonce brings back.
        is_new = not self._references.was_tried(reference)
        self._references.doubt(reference)
        message_id = await self._messenger.post(self.channel_id, content, reference)
        return is_new, message_id

    async def _mark_shown(
        self, card: Card, digest: str, channel_id: int | None, message_id: int | None
    ) -> None:
        async with self._database.write() as sql:
            await cards.mark_shown(sql, card, digest, channel_id, message_id)

    async def _mark_lost(self, card: Card) -> None:
        async with self._database.write() as sql:
            await cards.mark_lost(sql, card)

    async def _pause(self, seconds: float) -> None:
        self._try_again.clear()
        if self._stopping:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._try_again.wait()

    def _note_closed(self, fault: ChannelClosed) -> None:
        if not self.is_closed:
            log.error("channel %s (%s): %s", self.channel_id, ", ".join(self._names), fault)
        self.is_closed = True

    def _note_failure(self, fault: Exception) -> None:
        self._failures += 1
        if not isinstance(fault, DeliveryError | StorageUnavailable):
            log.error("channel %s: delivery failed", self.channel_id, exc_info=fault)
        elif self._failures == 1:
            log.warning("channel %s: deliveries wait: %s", self.channel_id, fault)

    def _note_success(self, *, delivered: bool) -> None:
        if delivered and (self._failures or self.is_closed):
            log.info("channel %s: deliveries go on", self.channel_id)
            self._failures, self.is_closed = 0, False


class _References:
    """Which messages of a channel may have been posted without our note of it."""

    def __init__(self, messenger: Messenger, channel_id: int) -> None:
        self._messenger = messenger
        self._channel_id = channel_id
        self._started_at = now()
        self._doubted: set[str] = set()
        self._footers: dict[str, int] | None = None
        self._searched_since = 0

    def is_doubtful(self, reference: str, since: int) -> bool:
        """Tell whether the message may be there: the process before this one, or a failed try."""
        return since < self._started_at or reference in self._doubted

    def was_tried(self, reference: str) -> bool:
        """Tell whether this process has tried to post the message and has no note of it."""
        return reference in self._doubted

    def doubt(self, reference: str) -> None:
        """Note that a try begins."""
        self._doubted.add(reference)

    def settle(self, reference: str) -> None:
        """Note that the try is on disk."""
        self._doubted.discard(reference)

    async def find(self, reference: str, since: int) -> int | None:
        """Look for the message in the channel; one look serves all that a crash left open."""
        stale = reference in self._doubted or since < self._searched_since
        if self._footers is None or stale:
            self._footers = await self._messenger.footers(self._channel_id, since)
            self._searched_since = since
        return self._footers.get(f"{FOOTER}{reference}")


def _sign(content: Content, reference: str) -> None:
    content.embeds[-1].set_footer(text=f"{FOOTER}{reference}")


async def instance_name(database: Database) -> str:
    """Return what tells this database's messages from those of another one; made up once."""
    name = await settings.get(database.read, INSTANCE)
    if name is None:
        name = secrets.token_hex(3)
        async with database.write() as sql:
            await settings.put(sql, INSTANCE, name)
    return name
