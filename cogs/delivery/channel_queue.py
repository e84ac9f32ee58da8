"""Makes Discord agree with the stored state: posts and edits cards, posts feeds.

One queue per Discord channel, each request awaited before the next, so that a dead channel holds
nobody up and the order stays. What is posted carries its reference twice: as the nonce, by which
Discord itself refuses a second copy for some minutes, and in the footer, by which it is found in
the channel after a crash that came between Discord's answer and our note of it.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import discord

from cogs.cards import CARDS, CardKind, render
from cogs.cards.dependents import dependents_of
from cogs.delivery.discord_errors import (
    ChannelClosed,
    DeliveryError,
    HeldBack,
    MessageGone,
    MessageTooOld,
    NotWanted,
    Refused,
    SlowDown,
)
from cogs.delivery.messenger import Messenger, Sent
from cogs.delivery.references import References, sign
from cogs.feeds import entry_embed, summary_embed
from cogs.ui.embeds import MessageContent
from db import cards, feeds, journal, settings
from db.cards import DIRECT, Card
from db.database import Database
from db.errors import StorageUnavailable
from webhook.protocol.context import now
from webhook.protocol.daily_report import MESSAGES
from webhook.protocol.events import StoredEvent, Subject
from webhook.protocol.metrics import Metrics

EMBEDS = 10
LONGEST_RETRY = 60.0
LONGEST_WAIT = 3_600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How long the queues wait, in seconds.

    `edit`: between two edits in a channel, so that ten changes in a second are one edit. `gather`:
    from a feed entry until it is posted, together with those that come meanwhile; ten never wait.
    `feed`: between two feed messages that are not full, `full`: that are. `retry`: after a first
    failure; doubles up to a minute. `closed`: until a channel that the bot may not post in is tried
    again. `watch`: at most, between two looks for alarms of which something is due.
    """

    edit: float = 1.0
    gather: float = 0.2
    feed: float = 1.0
    full: float = 0.0
    retry: float = 1.0
    closed: float = 300.0
    watch: float = 5.0


@dataclass(frozen=True)
class Outlet:
    """What every queue works with.

    `feed_age`: feed entries older than these milliseconds are counted, not shown; 0: all are shown.
    `closed`: where it is written down why a channel takes nothing, by its id. `started_at`: when
    the process began, in milliseconds. `unconfirmed`: messages that this process tried to post
    without storing their ids, by reference; it outlives the queues, which /setup replaces.
    """

    database: Database
    messenger: Messenger
    pace: Pace
    instance: str
    started_at: int
    unconfirmed: set[str]
    feed_age: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    closed: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Batch:
    """Feed entries that share a message; `since`: when it could have been posted first."""

    number: int
    channel: str
    since: int
    summed: bool


class Delivery:
    """The queues of all channels.

    `places` are Discord channel ids by what cards and feeds call them: the names of the channel
    map, and for channels that rules choose their ids.
    """

    def __init__(self, outlet: Outlet, places: Mapping[str, int]) -> None:
        names: dict[int, list[str]] = {}
        for name, channel_id in places.items():
            names.setdefault(channel_id, []).append(name)
        self._queues = [
            ChannelQueue(outlet, channel_id, of, self.wake) for channel_id, of in names.items()
        ]
        self._queue_of = {name: queue for queue in self._queues for name in queue.names}

    @property
    def closed(self) -> list[str]:
        """What the places are called that the bot could not post to when it tried last."""
        return [name for queue in self._queues if queue.is_closed for name in queue.names]

    async def run(self) -> None:
        """Deliver until `stop`; what is in flight then is finished."""
        async with asyncio.TaskGroup() as group:
            for queue in self._queues:
                group.create_task(queue.run(), name=f"channel {queue.channel_id}")

    def wake(self, places: Collection[str]) -> None:
        """Have the queues of these places look what there is to deliver.

        The others sleep on: each that wakes delays the request of the one that has something.
        """
        for place in places:
            if place in self._queue_of:
                self._queue_of[place].wake()

    def retry(self) -> None:
        """Have waiting queues try again at once: Discord is back, or permissions changed."""
        for queue in self._queues:
            queue.retry()

    def stop(self) -> None:
        """End `run` once nothing is in flight."""
        for queue in self._queues:
            queue.stop()


class ChannelQueue:
    """What one Discord channel has still to show."""

    def __init__(
        self,
        outlet: Outlet,
        channel_id: int,
        names: list[str],
        wake: Callable[[Collection[str]], None],
    ) -> None:
        self.channel_id = channel_id
        self.is_closed = False
        self._closed = outlet.closed
        self._database = outlet.database
        self._messenger = outlet.messenger
        self._pace = outlet.pace
        self._instance = outlet.instance
        self._feed_age = outlet.feed_age
        self._metrics = outlet.metrics
        self.names = names
        self._wake_others = wake
        self._work = asyncio.Event()
        self._try_again = asyncio.Event()
        self._stopping = False
        self._failures = 0
        self._last_card = 0
        self._next_edit = 0.0
        self._next_of_card: dict[int, float] = {}
        self._edit_due = math.inf
        self._feed_due = math.inf
        self._last_feed = -math.inf
        self._references = References(
            outlet.messenger, channel_id, outlet.started_at, outlet.unconfirmed
        )

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
            self._try_again.clear()  # here, so that what changes during the try is not missed
            try:
                delivered = await self._deliver_next()
            except ChannelClosed as fault:
                self._note_closed(fault)
                await self._pause(self._pace.closed)
            except HeldBack as fault:
                await self._pause(fault.seconds)
            except Exception as fault:
                self._note_failure(fault)
                await self._pause(self._wait_after(fault))
            else:
                self._note_success(delivered=delivered)
                if not delivered:
                    await self._wait_for_work()

    def _wait_after(self, fault: Exception) -> float:
        """Return the seconds until the next try: each time more, and what Discord asks for."""
        wait: float = min(LONGEST_RETRY, self._pace.retry * 2 ** min(self._failures - 1, 10))
        wait *= random.uniform(0.8, 1.2)  # noqa: S311 - spreads load
        return max(wait, min(fault.seconds, LONGEST_WAIT)) if isinstance(fault, SlowDown) else wait

    async def _wait_for_work(self) -> None:
        """Wait until there is something new, or an edit or a feed message is due."""
        due = min(self._edit_due, self._feed_due)
        wait = None if due == math.inf else max(0.0, due - time.monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await self._work.wait()
                await asyncio.sleep(0)  # who waits for an answer goes first

    async def _deliver_next(self) -> bool:
        """Deliver a card and a message of feed entries; tell whether there was either."""
        card = await self._next_card()
        if card is not None:
            await self._deliver_card(card)
        batch = await self._next_batch()
        if batch is not None:
            await self._deliver_feed(batch)
        return card is not None or batch is not None

    async def _next_card(self) -> Card | None:
        """Return what to post, or else what to edit if an edit is due again.

        Edits take turns: a card that changes all the time lets the others through.
        """
        read = self._database.read
        card = await cards.next_unposted(read, self.names)
        if card is not None:
            return card
        self._edit_due = math.inf
        card = await self._next_due(self._last_card)
        if card is None and self._last_card:
            card = await self._next_due(0)
        if card is not None:
            self._last_card = card.id
        return card

    async def _next_due(self, behind: int) -> Card | None:
        """Return the first card, by id above `behind`, whose edit is due; note when others are."""
        read = self._database.read
        while (card := await cards.next_outdated(read, self.names, behind)) is not None:
            due = max(self._next_edit, self._next_of_card.get(card.id, 0.0))
            if due <= time.monotonic():
                return card
            self._edit_due = min(self._edit_due, due)
            if due == self._next_edit:  # so the whole channel waits
                return None
            behind = card.id
        return None

    async def _deliver_card(self, card: Card) -> None:
        content = await self._content(card)
        digest = content.digest() if content is not None else ""
        if content is None or (card.message_id is not None and digest == card.digest):
            await self._mark_shown(card, digest, card.channel_id, card.message_id, card.picture)
            return
        if self._is_worn(card):
            await self._messenger.delete(card.channel_id or 0, card.message_id or 0)
            await self._mark_lost(card)
            return
        if every := _kind(card).every:
            self._next_of_card[card.id] = time.monotonic() + every
        try:
            if card.message_id is None or (self.channel_id and not card.channel_id):
                await self._post_card(card, content, digest)
            else:
                sent = Sent(card.message_id, card.picture)
                await self._edit_card(card, card.channel_id or 0, sent, content, digest)
        except Refused as fault:
            # Nobody is helped by trying again; the next change gets its chance.
            level = logging.INFO if isinstance(fault, NotWanted) else logging.ERROR
            log.log(level, "Discord refuses the card of %s: %s", card.subject, fault)
            await self._mark_shown(card, "", card.channel_id, card.message_id, card.picture)

    async def _content(self, card: Card) -> MessageContent | None:
        """Make the card; one that cannot be made is logged and passed over."""
        subject = Subject.parse(card.subject)
        try:
            content = await render(self._database.read, subject)
        except (KeyError, TypeError, ValueError):
            log.exception("the card of %s cannot be made", card.subject)
            return None
        if content is None:
            return None
        calls = dict.fromkeys(filter(None, (card.mention, *content.role_mentions)))
        is_first = card.posting == 1  # posted afresh it calls nobody again
        return replace(content, role_mentions=tuple(calls) if is_first else ())

    async def _post_card(self, card: Card, content: MessageContent, digest: str) -> None:
        reference = f"{self._instance}-c{card.id}.{card.posting}"
        with self._counted(card.channel, "card post"):
            is_new, sent = await self._post(reference, content, card.created_at)
        async with self._database.write() as sql:
            await settings.add(sql, MESSAGES, 1)
            if is_new:
                await cards.mark_shown(sql, card, digest, self.channel_id, *sent)
            else:
                # It may show an older state; the card stays stale, and an edit follows.
                await cards.mark_posted(sql, card, self.channel_id, sent.message_id)
            touched = [
                await cards.touch(sql, str(other))
                for other in await dependents_of(sql, Subject.parse(card.subject))
            ]
        self._references.settle(reference)
        self._wake_others([place for place in touched if place])  # they can link to this one now

    def _is_worn(self, card: Card) -> bool:
        """Tell whether a card's message is to be replaced, as Discord edits old ones rarely."""
        lasts = _kind(card).lasts
        if not lasts or not card.message_id:
            return False
        return discord.utils.snowflake_time(card.message_id).timestamp() + lasts < time.time()

    async def _edit_card(
        self, card: Card, channel_id: int, sent: Sent, content: MessageContent, digest: str
    ) -> None:
        # Changes that come until then go into the same edit.
        self._next_edit = time.monotonic() + self._pace.edit
        sign(content, f"{self._instance}-c{card.id}.{card.posting}")
        try:
            with self._counted(card.channel, "card edit"):
                sent = await self._messenger.edit(channel_id, sent, content)
        except MessageGone:
            log.warning("the card of %s was deleted in Discord, it is posted afresh", card.subject)
            await self._mark_lost(card)
        except MessageTooOld:
            await self._messenger.delete(channel_id, sent.message_id)
            await self._mark_lost(card)
        except ChannelClosed:
            if channel_id == self.channel_id:
                raise
            await self._mark_lost(card)  # the configuration names another channel by now
        else:
            await self._mark_shown(card, digest, channel_id, *sent)

    async def _next_batch(self) -> Batch | None:
        """Return the next feed message if it is due; its members and its kind are on disk by then.

        What was settled comes first and as it was settled: it may have been posted already.
        """
        waiting = await feeds.waiting(self._database.read, self.names, EMBEDS)
        if not waiting:
            self._feed_due = math.inf
            return None
        first = waiting[0]
        (event,) = await journal.by_id(self._database.read, [first.journal_id])
        if first.batch is not None:
            return Batch(first.batch, first.channel, event.at, bool(first.summed))
        too_old = now() - self._feed_age
        is_old = bool(self._feed_age) and event.at < too_old
        next_full = self._last_feed + self._pace.full
        is_full = len(waiting) == EMBEDS and next_full <= time.monotonic()
        if not (is_old or is_full or self._is_feed_due()):
            return None
        async with self._database.write() as sql:
            if is_old:
                await feeds.sum_up(sql, self.names, first.journal_id, too_old)
            else:
                entries = [entry for entry in waiting if entry.batch is None]
                await feeds.put_into_batch(sql, entries)
        return Batch(first.journal_id, first.channel, now(), is_old)

    def _is_feed_due(self) -> bool:
        """Tell whether a feed message that is not full has waited for others long enough."""
        time_now = time.monotonic()
        if self._feed_due == math.inf:
            next_feed = self._last_feed + self._pace.feed
            self._feed_due = max(time_now + self._pace.gather, next_feed)
        return self._feed_due <= time_now

    async def _deliver_feed(self, batch: Batch) -> None:
        """Post a feed message and take its entries off the list."""
        reference = f"{self._instance}-f{batch.number}"
        posted = 1
        try:
            content = await self._feed_content(batch)
            with self._counted(batch.channel, "feed"):
                await self._post(reference, content, batch.since)
        except Refused as fault:
            log.error("Discord refuses the feed entries from %s on: %s", batch.number, fault)
            posted = 0
        async with self._database.write() as sql:
            await feeds.mark_batch_shown(sql, batch.number)
            await settings.add(sql, MESSAGES, posted)
        self._references.settle(reference)
        self._feed_due = math.inf
        self._last_feed = time.monotonic()

    async def _feed_content(self, batch: Batch) -> MessageContent:
        """Show up to ten entries, or count those that had grown old; they call nobody any more."""
        read = self._database.read
        if batch.summed:
            return MessageContent([summary_embed(await feeds.counts(read, batch.number))])
        entries = await feeds.of_batch(read, batch.number, EMBEDS)
        events = await journal.by_id(read, [entry.journal_id for entry in entries])
        embeds = [await entry_embed(read, StoredEvent.from_journal(row)) for row in events]
        calls = dict.fromkeys(entry.mention for entry in entries if entry.mention)
        return MessageContent(embeds, role_mentions=tuple(calls))

    async def _post(self, reference: str, content: MessageContent, since: int) -> tuple[bool, Sent]:
        """Post a message unless it is there already; return whether it is surely new, and it.

        `since`: when it could have been posted first, in milliseconds.
        """
        doubtful = self._references.is_doubtful(reference, since)
        found = await self._references.find(reference, since) if doubtful else None
        if found is not None:
            return False, Sent(found)
        sign(content, reference)
        self._references.doubt(reference)
        sent = await self._messenger.post(self.channel_id, content, reference)
        # A request that got no answer may arrive after the channel was searched; its message, with
        # an older state, is then what the nonce brings back.
        return not doubtful, sent

    @contextmanager
    def _counted(self, channel: str, kind: str) -> Iterator[None]:
        """Count a request to Discord by what becomes of it."""
        outcome = "failed"
        try:
            yield
            outcome = "ok"
        except DeliveryError as fault:
            outcome = fault.outcome
            raise
        finally:
            # A series a member would grow without end, and name members.
            label = "direct" if channel.startswith(DIRECT) else channel
            self._metrics.deliveries.labels(label, kind, outcome).inc()

    async def _mark_shown(
        self,
        card: Card,
        digest: str,
        channel_id: int | None,
        message_id: int | None,
        picture: str,
    ) -> None:
        async with self._database.write() as sql:
            await cards.mark_shown(sql, card, digest, channel_id, message_id, picture)

    async def _mark_lost(self, card: Card) -> None:
        async with self._database.write() as sql:
            await cards.mark_lost(sql, card)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._try_again.wait()

    def _note_closed(self, fault: ChannelClosed) -> None:
        if not self.is_closed:
            log.error("channel %s (%s): %s", self.channel_id, ", ".join(self.names), fault)
        self.is_closed = True
        self._closed[self.channel_id] = str(fault)

    def _note_failure(self, fault: Exception) -> None:
        self._failures += 1
        if not isinstance(fault, DeliveryError | StorageUnavailable):
            log.error("channel %s: delivery failed", self.channel_id, exc_info=fault)
        elif self._failures == 1:
            log.warning("channel %s: deliveries wait: %s", self.channel_id, fault)

    def _note_success(self, *, delivered: bool) -> None:
        if delivered:
            self._closed.pop(self.channel_id, None)  # perhaps a queue before this one's note
        if delivered and (self._failures or self.is_closed):
            log.info("channel %s: deliveries go on", self.channel_id)
            self._failures, self.is_closed = 0, False


def _kind(card: Card) -> CardKind:
    return CARDS[Subject.parse(card.subject).kind]
