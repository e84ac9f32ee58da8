"""Delivers cards and feeds: one queue per Discord channel, and a loop over what is due.

Each request is awaited before the next one, so that messages keep their order and a dead channel
holds up nobody else. A member's private messages are a channel as well. What is to be posted or
edited is read from the database. Every message carries its reference twice: as the nonce, by which
Discord itself rejects a second copy for some minutes, and in the footer, by which the message is
found after a crash that came between Discord's answer and our storing of it.
"""

import asyncio
import logging
import math
import random
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

import discord

from cogs.cards import CARDS, CardKind
from cogs.cards.dependents import linking_to
from cogs.delivery.discord_errors import (
    ChannelClosed,
    CircuitOpen,
    DeliveryError,
    DirectMessagesClosed,
    DiscordRateLimited,
    MessageGone,
    MessageTooOld,
    Rejected,
)
from cogs.delivery.messenger import Messenger, SentMessage
from cogs.feeds import entry_embed, summary_embed
from cogs.ui.embeds import MessageContent
from db import cards, feeds, journal, links, settings
from db.cards import DIRECT, Card
from db.database import Database
from db.errors import StorageUnavailable
from db.feeds import FeedEntry
from webhook.protocol.bus import StoredEvent
from webhook.protocol.context import now
from webhook.protocol.events import Subject
from webhook.protocol.metrics import Metrics
from webhook.queries.daily_report import MESSAGES

MAX_EMBEDS = 10
"""Embeds that a message has at most."""

MAX_BACKOFF = 60.0
MAX_RETRY_AFTER = 3_600.0
STORAGE_RETRY = 2.0

INSTANCE = "discord.instance"
"""The setting that tells this database's messages from those of another one."""

FOOTER = "ref "

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How long the queues wait, in seconds.

    `edit`: between two edits in a channel, so that ten changes in a second are one edit. `gather`:
    from an event until its feed entry is posted, together with those that come meanwhile; ten never
    wait. `feed`: between two feed messages that are not full, `full`: that are. `retry`: after a
    first failure; doubles up to a minute. `closed`: until a channel that the bot may not post in is
    tried again. `watch`: at most, between two looks for alarms of which something is due. `settle`:
    that a trouble must last, or be gone, until people are told.
    """

    edit: float = 1.0
    gather: float = 0.2
    feed: float = 1.0
    full: float = 0.0
    retry: float = 1.0
    closed: float = 300.0
    watch: float = 5.0
    settle: float = 10.0


@dataclass(frozen=True)
class DeliveryContext:
    """What all queues share.

    `instance` tells this database's messages from those of another one. `started_at`: when the
    process began, in milliseconds. `feed_age`: feed entries older than these milliseconds are
    counted, not shown; 0: all are shown. `unconfirmed`: the references of messages that this
    process tried to post and whose ids it has not stored; it outlives the queues, which /setup
    replaces. `closed`: why nothing can be posted to a channel, by its id.
    """

    database: Database
    messenger: Messenger
    pace: Pace
    instance: str
    started_at: int
    feed_age: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    unconfirmed: set[str] = field(default_factory=set)
    closed: dict[int, str] = field(default_factory=dict)


class Delivery:
    """The queues of all channels, and of members while there is something to tell them.

    `channels`: Discord ids by the names that cards and feeds use: those of the channel map, and for
    channels that rules choose their ids.
    """

    def __init__(self, context: DeliveryContext, channels: Mapping[str, int]) -> None:
        self._context = context
        names: dict[int, list[str]] = {}
        for name, channel_id in channels.items():
            names.setdefault(channel_id, []).append(name)
        self._channels = [
            ChannelQueue(context, of_channel, channel_id, self.wake)
            for channel_id, of_channel in names.items()
        ]
        self._queues = {name: queue for queue in self._channels for name in queue.names}
        self._tasks: asyncio.TaskGroup | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Deliver until `stop`; what is in flight then is finished."""
        async with asyncio.TaskGroup() as self._tasks:
            for queue in self._channels:
                self._tasks.create_task(queue.run(), name=f"channel {queue.channel_id}")
            await self._resume_direct_messages()
            await self._stopping.wait()

    def wake(self, channels: Collection[str]) -> None:
        """Have the queues of these channels look for something to deliver.

        The others sleep on: each that wakes delays the request of the one that has something.
        """
        for name in channels:
            queue = self._queues.get(name)
            if queue is not None:
                queue.wake()
            elif name.startswith(DIRECT) and self._tasks and not self._stopping.is_set():
                self._tasks.create_task(self._deliver_direct_messages(name), name=name)

    def retry(self) -> None:
        """Have waiting queues try again at once: Discord is back, or permissions changed."""
        for queue in set(self._queues.values()):
            queue.retry()

    def stop(self) -> None:
        """End `run` once nothing is in flight."""
        self._stopping.set()
        for queue in set(self._queues.values()):
            queue.stop()

    async def _resume_direct_messages(self) -> None:
        """Go on with the private messages that waited when the process ended."""
        while not self._stopping.is_set():
            try:
                self.wake(await cards.stale_channels(self._context.database.read, DIRECT))
            except StorageUnavailable as fault:
                log.warning("storage cannot be read, private messages wait: %s", fault)
                await _wait(self._stopping, STORAGE_RETRY)
            else:
                return

    async def _deliver_direct_messages(self, name: str) -> None:
        """Deliver what there is for a member, and what comes meanwhile."""
        if name not in self._queues and not self._stopping.is_set():
            queue = self._queues[name] = ChannelQueue(self._context, [name], 0, self.wake)
            await queue.run()
            del self._queues[name]


class ChannelQueue:
    """What one Discord channel, or the private messages to one member, has still to show.

    The channel of private messages is opened when the first is posted, and their queue ends when
    nothing waits in it.
    """

    def __init__(
        self,
        context: DeliveryContext,
        names: list[str],
        channel_id: int,
        wake: Callable[[Collection[str]], None],
    ) -> None:
        self.names = names
        self.channel_id = channel_id
        self.is_closed = False
        self._member_id = int(names[0].removeprefix(DIRECT)) if names[0].startswith(DIRECT) else 0
        self._context = context
        self._database = context.database
        self._messenger = context.messenger
        self._pace = context.pace
        self._wake_queues = wake
        self._woken = asyncio.Event()
        self._retried = asyncio.Event()
        self._stopping = False
        self._failures = 0
        # Of the loop's clock: when the channel, and each of its cards, may be edited again.
        self._next_edit = -math.inf
        self._next_edit_of_card: dict[int, float] = {}
        self._last_feed = -math.inf
        # The bot's own messages in the channel since a time in milliseconds, by their footers.
        self._own_messages: dict[str, int] = {}
        self._own_messages_since: float = math.inf

    def wake(self) -> None:
        self._woken.set()

    def retry(self) -> None:
        """Try again at once; what Discord said before may no longer be so."""
        self._context.closed.pop(self.channel_id, None)
        self._retried.set()

    def stop(self) -> None:
        """End `run` after the delivery in flight."""
        self._stopping = True
        self.wake()
        self.retry()

    async def run(self) -> None:
        """Deliver until `stop`; a failure waits and tries again, and never ends the queue."""
        while not self._stopping:
            self._woken.clear()
            self._retried.clear()  # here, so that what changes during the try is not missed
            try:
                # 0: something was delivered, so look again; infinity: nothing waits.
                wait = min(await self._deliver_due_card(), await self._deliver_due_feed())
            except Exception as fault:
                await _wait(self._retried, self._note_failure(fault))
                continue
            self._note_success(wait)
            if wait == math.inf and self._member_id and not self._woken.is_set():
                return
            if wait > 0:
                await _wait(self._woken, wait)

    # Cards

    async def _deliver_due_card(self) -> float:
        """Post a card without a message, or else edit one; return the seconds until one is due."""
        card = await cards.next_unposted(self._database.read, self.names)
        wait = 0.0
        if card is None:
            card, wait = await self._next_outdated()
        if card is not None:
            await self._deliver_card(card)
        return wait

    async def _next_outdated(self) -> tuple[Card | None, float]:
        """Return the card to edit, or none and the seconds until one may be edited.

        First comes the one that has waited longest since its last edit: a card that changes all the
        time lets the others through.
        """
        clock = time.monotonic()
        if self._next_edit > clock:
            return None, self._next_edit - clock
        outdated = {card.id: card for card in await cards.outdated(self._database.read, self.names)}
        self._next_edit_of_card = {
            card_id: at
            for card_id, at in self._next_edit_of_card.items()
            if card_id in outdated or at > clock
        }
        if not outdated:
            return None, math.inf
        first = min(outdated, key=lambda card_id: self._next_edit_of_card.get(card_id, -math.inf))
        wait = self._next_edit_of_card.get(first, -math.inf) - clock
        return (None, wait) if wait > 0 else (outdated[first], 0.0)

    async def _deliver_card(self, card: Card) -> None:
        """Make the card's message show the card; a failure raises and leaves the card stale."""
        subject = Subject.parse(card.subject)
        kind = CARDS[subject.kind]
        content = await self._render(card, kind, subject)
        digest = content.digest() if content is not None else ""
        if content is None or (card.message_id is not None and digest == card.digest):
            await self._mark_shown(card._replace(digest=digest))
            return
        if kind.is_answer and card.message_id is None and await self._edit_answer(content):
            await self._mark_shown(card._replace(digest=digest))
            return
        if kind.max_age and card.message_id and _age(card.message_id) > kind.max_age:
            await self._messenger.delete(card.channel_id or 0, card.message_id or 0)
            await self._mark_lost(card)
            return
        self._next_edit_of_card[card.id] = time.monotonic() + kind.edit_interval
        reference = f"{self._context.instance}-c{card.id}.{card.posting}"
        content = signed(content, reference)
        try:
            if self._member_id and not self.channel_id:
                self.channel_id = await self._messenger.open_direct(self._member_id)
            # A card that was posted while Discord was off is only in the log.
            if card.message_id is None or (self.channel_id and not card.channel_id):
                await self._post_card(card._replace(digest=digest), content, reference)
            else:
                await self._edit_card(card._replace(digest=digest), content)
        except Rejected as fault:
            # Trying again helps nobody; the next change gets its chance.
            level = logging.INFO if isinstance(fault, DirectMessagesClosed) else logging.ERROR
            log.log(level, "Discord rejects the card of %s: %s", card.subject, fault)
            await self._mark_shown(card._replace(digest=""))

    async def _render(self, card: Card, kind: CardKind, subject: Subject) -> MessageContent | None:
        """Render a card; a mistake in that is logged and must not hold up other cards."""
        try:
            content = await kind.render(self._database.read, subject)
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("the card of %s cannot be rendered", card.subject)
            return None
        if content is None:
            return None
        roles = dict.fromkeys(filter(None, (card.mention, *content.role_mentions)))
        is_first = card.posting == 1  # posted again it pings nobody
        return replace(content, role_mentions=tuple(roles) if is_first else ())

    async def _edit_answer(self, content: MessageContent) -> bool:
        """Have the private answer that the member waits with show a card; return whether it does.

        A crash before that is stored does it again, which nobody sees.
        """
        answer = await links.answer_of(self._database.read, self._member_id, now())
        return answer is not None and await self._messenger.edit_answer(
            answer.token, answer.message_id, content
        )

    async def _post_card(self, card: Card, content: MessageContent, reference: str) -> None:
        if content.only_edits:
            message_id = await self._find_posted(reference, card.created_at)
            if message_id is None:
                await self._mark_shown(card)
                return
        with self._counting(card.channel, "card post"):
            sent, is_new = await self._post(content, reference, card.created_at)
        card = card._replace(
            channel_id=self.channel_id, message_id=sent.message_id, picture=sent.picture
        )
        async with self._database.write() as sql:
            await settings.add(sql, MESSAGES, 1)
            if is_new:
                await cards.mark_shown(sql, card)
            else:  # it may show an older state, so the card stays stale and is edited
                await cards.mark_posted(sql, card)
            # Other cards can link to this one now.
            others = await linking_to(sql, Subject.parse(card.subject))
            touched = await cards.touch(sql, [str(other) for other in others])
        self._context.unconfirmed.discard(reference)
        self._wake_queues(dict.fromkeys(touched))

    async def _edit_card(self, card: Card, content: MessageContent) -> None:
        # Changes that come until then go into the same edit.
        self._next_edit = time.monotonic() + self._pace.edit
        channel_id, message_id = card.channel_id or 0, card.message_id or 0
        try:
            with self._counting(card.channel, "card edit"):
                sent = await self._messenger.edit(
                    channel_id, SentMessage(message_id, card.picture), content
                )
        except MessageGone:
            log.warning("the card of %s was deleted in Discord, it is posted again", card.subject)
            await self._mark_lost(card)
        except MessageTooOld:
            await self._messenger.delete(channel_id, message_id)
            await self._mark_lost(card)
        except ChannelClosed:
            if channel_id == self.channel_id:
                raise
            await self._mark_lost(card)  # the configuration names another channel by now
        else:
            await self._mark_shown(card._replace(picture=sent.picture))

    async def _mark_shown(self, card: Card) -> None:
        async with self._database.write() as sql:
            await cards.mark_shown(sql, card)

    async def _mark_lost(self, card: Card) -> None:
        async with self._database.write() as sql:
            await cards.mark_lost(sql, card)

    # Feeds

    async def _deliver_due_feed(self) -> float:
        """Post the next feed message if it is due; return the seconds until it is.

        Which entries share a message, and whether it only counts them, is on disk before it is
        posted: after a crash the same message is posted under the same reference.
        """
        entries = await feeds.waiting(self._database.read, self.names, MAX_EMBEDS)
        if not entries:
            return math.inf
        first = entries[0]
        (event,) = await journal.by_id(self._database.read, [first.journal_id])
        if first.batch is not None:  # perhaps it was posted already
            await self._post_feed(first, first.batch, event.at)
            return 0.0
        too_old = now() - self._context.feed_age
        is_old = bool(self._context.feed_age) and event.at < too_old
        wait = 0.0 if is_old else self._wait_for_entries(event.at, len(entries))
        if wait > 0:
            return wait
        async with self._database.write() as sql:
            if is_old:
                await feeds.sum_up(sql, self.names, first.journal_id, too_old)
            else:
                unsent = [entry for entry in entries if entry.batch is None]
                await feeds.put_into_batch(sql, unsent)
        await self._post_feed(first._replace(summed=int(is_old)), first.journal_id, now())
        return 0.0

    def _wait_for_entries(self, oldest_at: int, number: int) -> float:
        """Return the seconds until so many entries, the oldest of a time, are posted."""
        since_last = time.monotonic() - self._last_feed
        if number == MAX_EMBEDS:
            return self._pace.full - since_last
        gathered = self._pace.gather - (now() - oldest_at) / 1000
        # The clock may have been put back since the event.
        return max(min(gathered, self._pace.gather), self._pace.feed - since_last)

    async def _post_feed(self, first: FeedEntry, batch: int, since: int) -> None:
        """Post the message of a batch and take its entries off the list.

        `since`: when it could have been posted first, in milliseconds.
        """
        reference = f"{self._context.instance}-f{batch}"
        posted = 1
        try:
            content = signed(
                await self._feed_content(batch, is_summed=bool(first.summed)), reference
            )
            with self._counting(first.channel, "feed"):
                await self._post(content, reference, since)
        except Rejected as fault:
            log.error(
                "Discord rejects the feed entries from event %s on, they are dropped: %s",
                batch,
                fault,
            )
            posted = 0
        async with self._database.write() as sql:
            await feeds.mark_batch_shown(sql, batch)
            await settings.add(sql, MESSAGES, posted)
        self._context.unconfirmed.discard(reference)
        self._last_feed = time.monotonic()

    async def _feed_content(self, batch: int, *, is_summed: bool) -> MessageContent:
        """Show up to ten entries, or count old ones, which ping nobody any more."""
        read = self._database.read
        if is_summed:
            return MessageContent([summary_embed(await feeds.counts(read, batch))])
        entries = await feeds.of_batch(read, batch, MAX_EMBEDS)
        events = await journal.by_id(read, [entry.journal_id for entry in entries])
        embeds = [await entry_embed(read, StoredEvent.from_journal(row)) for row in events]
        roles = dict.fromkeys(entry.mention for entry in entries if entry.mention)
        return MessageContent(embeds, role_mentions=tuple(roles))

    # Both

    async def _post(
        self, content: MessageContent, reference: str, since: int
    ) -> tuple[SentMessage, bool]:
        """Post a message unless it is there already; return it and whether it is surely new.

        It may be there if it could have been posted before this process began, or if this process
        tried and did not store what came of it.
        """
        found = await self._find_posted(reference, since)
        if found is not None:
            return SentMessage(found), False
        is_doubtful = self._is_doubtful(reference, since)
        self._context.unconfirmed.add(reference)
        sent = await self._messenger.post(self.channel_id, content, reference)
        # A request that got no answer may arrive after the channel was searched; its message, with
        # an older state, is then what the nonce brings back.
        return sent, not is_doubtful

    def _is_doubtful(self, reference: str, since: int) -> bool:
        return reference in self._context.unconfirmed or since < self._context.started_at

    async def _find_posted(self, reference: str, since: int) -> int | None:
        """Return the id of a message that was posted without our knowing; None if there is none."""
        if not self._is_doubtful(reference, since):
            return None
        # One search serves all that a crash left open.
        if reference in self._context.unconfirmed or since < self._own_messages_since:
            self._own_messages = await self._messenger.own_footers(self.channel_id, since)
            self._own_messages_since = since
        return self._own_messages.get(f"{FOOTER}{reference}")

    @contextmanager
    def _counting(self, channel: str, kind: str) -> Iterator[None]:
        outcome = "failed"
        try:
            yield
            outcome = "ok"
        except DeliveryError as fault:
            outcome = fault.outcome
            raise
        finally:
            # A series per member would grow without end, and name members.
            label = "direct" if self._member_id else channel
            self._context.metrics.deliveries.labels(label, kind, outcome).inc()

    def _note_failure(self, fault: Exception) -> float:
        """Log a failure, once; return the seconds until the next try."""
        if isinstance(fault, CircuitOpen):
            return fault.seconds
        if isinstance(fault, ChannelClosed):
            if not self.is_closed:
                log.error(
                    "cannot post in channel %s (%s): %s; its messages wait, and"
                    " cad-sentinel check says what is missing",
                    self.channel_id,
                    ", ".join(self.names),
                    fault,
                )
            self.is_closed = True
            self._context.closed[self.channel_id] = str(fault)
            return self._pace.closed
        self._failures += 1
        if not isinstance(fault, DeliveryError | StorageUnavailable):
            log.error("channel %s: delivery failed, trying again", self.channel_id, exc_info=fault)
        elif self._failures == 1:
            log.warning("channel %s: deliveries are waiting: %s", self.channel_id, fault)
        backoff: float = min(MAX_BACKOFF, self._pace.retry * 2 ** min(self._failures - 1, 10))
        backoff *= random.uniform(0.8, 1.2)  # noqa: S311 - spreads load
        if isinstance(fault, DiscordRateLimited):
            return max(backoff, min(fault.seconds, MAX_RETRY_AFTER))
        return backoff

    def _note_success(self, wait: float) -> None:
        """Forget earlier failures once something was delivered, or nothing waits any more.

        `wait`: the seconds until something is due. What only waits for its time may fail again.
        """
        if wait not in (0.0, math.inf):
            return
        if wait == 0.0:
            self._context.closed.pop(self.channel_id, None)  # perhaps an earlier queue's note
            if self.is_closed or self._failures:
                log.info("channel %s: deliveries resumed", self.channel_id)
            self.is_closed = False
        self._failures = 0


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds if seconds != math.inf else None):
            await event.wait()


def _age(message_id: int) -> float:
    return time.time() - discord.utils.snowflake_time(message_id).timestamp()


def signed(content: MessageContent, reference: str) -> MessageContent:
    *before, last = content.embeds
    return replace(content, embeds=[*before, last.copy().set_footer(text=f"{FOOTER}{reference}")])


async def instance_name(database: Database) -> str:
    """Return what tells this database's messages from those of another one; made up once."""
    name = await settings.get(database.read, INSTANCE)
    if name is None:
        name = secrets.token_hex(3)
        async with database.write() as sql:
            await settings.put(sql, INSTANCE, name)
    return name
