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
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, NoReturn

import discord

from cogs.cards import CARDS, CardKind, card_name
from cogs.cards.dependents import linking_to
from cogs.delivery.discord_clock import DiscordClock
from cogs.delivery.discord_codes import cure_of
from cogs.delivery.discord_errors import (
    ChannelClosed,
    ChannelGone,
    CircuitOpen,
    DeliveryError,
    DirectMessagesClosed,
    DiscordRateLimited,
    Hindrance,
    MessageGone,
    MessageTooOld,
    Postponed,
    Rejected,
    Unreachable,
)
from cogs.delivery.holds import FEED, Holds
from cogs.delivery.messenger import Messenger, SentMessage
from cogs.delivery.outage import Outage
from cogs.delivery.thread_keeping import PostOfDay, keep_thread
from cogs.delivery.threads import ThreadLocked
from cogs.feeds import entry_embed, summary_embed
from cogs.i18n.language import _
from cogs.ui.embeds import EMBED, HEADLINE, Button, MessageContent, embed_length
from cogs.ui.text import fitting, plain_line
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
from webhook.queries.guilds import home_name

MAX_EMBEDS = 10
"""Embeds that a message has at most."""

MAX_BACKOFF = 60.0
MAX_RETRY_AFTER = 3_600.0
STORAGE_RETRY = 2.0

INSTANCE = "discord.instance"
"""The setting that tells this database's messages from those of another one."""

ROOM_TO_GROW = 100
"""Characters that an embed of a feed may grow until it is sent."""

SENDER = "CAD Sentinel"

SEARCHED_BEFORE = timedelta(minutes=5)
"""How long before its first try a message is looked for, as Discord's clocks differ a little."""

MAX_REASON = 500
"""Characters that are stored of why Discord rejects a message."""

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


class PostedBefore(NamedTuple):
    """What an earlier process may have posted: up to these cards and events, each included.

    `instance` tells this database's messages from those of another one.
    """

    instance: str
    card: int
    event: int

    @classmethod
    async def read(cls, database: Database) -> "PostedBefore":
        """Read it before anything is posted. Times would not do: the clock may have been wrong."""
        _oldest, event = await journal.bounds(database.read)
        return cls(await instance_name(database), await cards.newest_id(database.read), event)


@dataclass(frozen=True)
class DeliveryContext:
    """What all queues share.

    `feed_age`: feed entries older than these milliseconds are
    counted, not shown; 0: all are shown. `unconfirmed`: when, by Discord's clock, this process
    first tried to post messages whose ids it has not stored, by their references; it outlives the
    queues, which /setup replaces. `hindered`: why messages of a channel wait, by its id.
    `ping_within`: milliseconds after which it is too late for a private message to make a sound.
    """

    database: Database
    messenger: Messenger
    pace: Pace
    before: PostedBefore
    clock: DiscordClock
    feed_age: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    unconfirmed: dict[str, float] = field(default_factory=dict)
    hindered: dict[int, Hindrance] = field(default_factory=dict)
    outage: Outage = field(default_factory=Outage)
    ping_within: int = 120_000


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
        self._is_closed = False
        self._member_id = int(names[0].removeprefix(DIRECT)) if names[0].startswith(DIRECT) else 0
        self._called = f"channel {names[0]}"
        self._context = context
        self._database = context.database
        self._messenger = context.messenger
        self._pace = context.pace
        self._wake_queues = wake
        self._woken = asyncio.Event()
        self._retried = asyncio.Event()
        self._stopping = False
        self._failures = 0
        self._is_delayed = False
        self._holds = Holds(self._backoff)
        # Of the loop's clock: when the channel, and each of its cards, may be edited again.
        self._next_edit = -math.inf
        self._next_edit_of_card: dict[int, float] = {}
        self._last_feed = -math.inf
        # Without Discord: what the log shows of cards that have a message there, by their ids.
        self._logged: dict[int, int] = {}
        # The bot's own messages in the channel when the queue began, by their references.
        self._own_messages: dict[str, SentMessage] | None = None
        self._post_of_day = PostOfDay(channel_id, names)

    def wake(self) -> None:
        self._woken.set()

    def retry(self) -> None:
        """Try again at once; what Discord said before may no longer be so."""
        self._context.hindered.pop(self.channel_id, None)
        self._holds.retry()
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
        self._context.outage.forget(self._called)

    # Cards

    async def _deliver_due_card(self) -> float:
        """Post a card without a message, or else edit one; return the seconds until one is due."""
        held = self._holds.current()
        card = await cards.next_unposted(self._database.read, self.names, held)
        wait = 0.0
        if card is None:
            card, wait = await self._next_outdated(held)
        if card is not None:
            await self._deliver_card(card)
        return min([wait, *held.values()]) if wait else 0.0

    async def _next_outdated(self, held: Collection[int]) -> tuple[Card | None, float]:
        """Return the card to edit, not a held one, or none and the seconds until one may be edited.

        First comes the one that has waited longest since its last edit: a card that changes all the
        time lets the others through.
        """
        clock = time.monotonic()
        if self._next_edit > clock:
            return None, self._next_edit - clock
        outdated = {
            card.id: card
            for card in await cards.outdated(self._database.read, self.names)
            if card.id not in held and self._logged.get(card.id) != card.version
        }
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
        if content is not None and self._member_id:
            content = await self._for_member(card, content)
        digest = content.digest() if content is not None else ""
        is_shown = card.message_id is not None and digest == card.digest
        if content is None or (is_shown and not self._is_elsewhere(card, kind)):
            if content is not None:
                await keep_thread(self._database, self._messenger, card, content)
            await self._mark_shown(card._replace(digest=digest))
            return
        if kind.is_answer and card.message_id is None and await self._edit_answer(content):
            await self._mark_shown(card._replace(digest=digest))
            return
        self._next_edit_of_card[card.id] = time.monotonic() + kind.edit_interval
        reference = f"{self._context.before.instance}-c{card.id}.{card.posting}"
        content = signed(content, reference, card_name(subject))
        card = card._replace(digest=digest)
        try:
            if self._member_id and not self.channel_id:
                self.channel_id = await self._messenger.open_direct(self._member_id)
            # A card that was posted while Discord was off is only in the log.
            if card.message_id is None or (self.channel_id and not card.channel_id):
                await self._post_card(card, content, reference)
            elif self._is_worn(card, kind) or self._is_elsewhere(card, kind):
                await self._remove_message(card)
            else:
                await self._edit_card(card, content)
                await keep_thread(self._database, self._messenger, card, content)
        except (Postponed, MessageGone, MessageTooOld, Rejected) as fault:
            await self._note_refusal(card, fault)
        else:
            if self._holds.release(card.id):
                log.info("Discord takes the card of %s now", card.subject)

    async def _note_refusal(self, card: Card, fault: DeliveryError) -> None:
        """Have a card wait, or give it up if its content can never be taken.

        Raises:
            Postponed: it waits.
        """
        if self._member_id and isinstance(fault, DirectMessagesClosed):
            log.info("member %s takes no private messages: %s", self._member_id, fault)
            await self._mark_shown(card._replace(digest=""))
        elif isinstance(fault, Rejected):
            # Trying again helps nobody; the next change gets its chance.
            log.error("Discord rejects the card of %s: %s", card.subject, fault)
            async with self._database.write() as sql:
                await cards.mark_rejected(sql, card, now(), str(fault)[:MAX_REASON])
        else:
            self._hold(card.id, f"the card of {card.subject}", fault)
        self._holds.release(card.id)

    def _hold(self, what: int, called: str, fault: DeliveryError) -> NoReturn:
        """Have a message wait for itself, and tell so once."""
        if self._holds.add(what):
            log.warning("Discord does not take %s now, it waits: %s", called, fault)
        postponed = fault if isinstance(fault, Postponed) else Postponed(str(fault))
        postponed.code = fault.code
        raise postponed from fault

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

    async def _for_member(self, card: Card, content: MessageContent) -> MessageContent | None:
        """Make a message private: say which server it is from; None if the member knows already.

        They do if the card that it is about mentioned a role of theirs.
        """
        content = from_server(content, await home_name(self._database.read))
        content = replace(content, is_silent=content.age > self._context.ping_within)
        about = content.about
        if about is None:
            return content
        reader = await self._messenger.reader(self._member_id, about.guild_id, about.channel_id)
        if card.message_id is None and about.mention in reader.roles:
            return None
        if not reader.sees or not about.message_id:
            return content
        link = Button(_("See the card"), "", discord.ButtonStyle.link, url=about.url)
        return replace(content, buttons=(*content.buttons, link))

    async def _post_card(self, card: Card, content: MessageContent, reference: str) -> None:
        is_doubtful = card.id <= self._context.before.card
        if content.only_edits:
            sent_before = await self._find(reference, is_doubtful=is_doubtful)
            if sent_before is None:
                await self._mark_shown(card)
                return
        with self._counting(card.channel, "card post"):
            sent = await self._post(content, reference, is_doubtful=is_doubtful)
        card = card._replace(
            channel_id=sent.channel_id or self.channel_id,
            message_id=sent.message_id,
            picture=sent.picture,
        )
        async with self._database.write() as sql:
            await settings.add(sql, MESSAGES, 1)
            if sent.is_current:
                await cards.mark_shown(sql, card)
            else:  # it may show an older state, so the card stays stale and is edited
                await cards.mark_posted(sql, card)
            # Other cards can link to this one now.
            others = await linking_to(sql, Subject.parse(card.subject))
            touched = await cards.touch(sql, [str(other) for other in others])
        self._context.unconfirmed.pop(reference, None)
        self._wake_queues(dict.fromkeys(touched))
        await keep_thread(self._database, self._messenger, card, content)

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
            await self._forget_message(card, content)
        except ThreadLocked as fault:
            log.info("the card of %s is left as it is: %s", card.subject, fault)
            await self._mark_shown(card)
        except MessageTooOld:
            await self._remove_message(card)
        except ChannelClosed as fault:
            is_post = channel_id == message_id
            if is_post and isinstance(fault, ChannelGone):
                await self._forget_message(card, content)
            elif is_post or channel_id == self.channel_id:
                raise
            else:
                await self._mark_lost(card)  # the configuration names another channel by now
        else:
            if self._messenger.is_discord:
                await self._mark_shown(card._replace(picture=sent.picture))
            else:  # Discord still shows the old state
                self._logged[card.id] = card.version

    async def _forget_message(self, card: Card, content: MessageContent) -> None:
        """Post a card again whose message was deleted, if there is something new to tell.

        A moderator who deletes a message wants it gone: that something ended, or that another card
        changed, does not bring it back.
        """
        if content.is_over or card.news <= card.shown:
            log.info("the card of %s was deleted in Discord, it stays away", card.subject)
            await self._mark_shown(card)
            return
        log.warning("the card of %s was deleted in Discord, it is posted again", card.subject)
        await self._mark_lost(card)

    async def _remove_message(self, card: Card) -> None:
        """Have a card posted afresh; its old message goes first, so that there are never two."""
        try:
            await self._messenger.delete(card.channel_id or 0, card.message_id or 0)
        except ChannelClosed:
            if card.channel_id == self.channel_id:
                raise
        await self._mark_lost(card)

    def _is_worn(self, card: Card, kind: CardKind) -> bool:
        """Tell whether a message is so old that Discord allows few more edits of it."""
        if not kind.max_age or not card.message_id or not self._messenger.is_discord:
            return False
        posted_at = discord.utils.snowflake_time(card.message_id).timestamp()
        return self._context.clock.now() - posted_at > kind.max_age

    def _is_elsewhere(self, card: Card, kind: CardKind) -> bool:
        """Tell whether what is replaced now and then follows its channel; other cards stay."""
        moved = card.channel_id != self.channel_id
        return moved and bool(kind.max_age and card.channel_id and self.channel_id)

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
                await feeds.sum_up(sql, self.names, first.journal_id, too_old)
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
            with self._counting(first.channel, "feed"):
                is_doubtful = batch <= self._context.before.event
                sent = await self._post_feed_message(
                    signed(content, reference), reference, is_doubtful=is_doubtful
                )
        except Rejected as fault:
            await self._note_rejected_feed(batch, number, fault)
        except (Postponed, MessageGone, MessageTooOld) as fault:
            self._hold(FEED, f"the feed entries from event {batch} on", fault)
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
                sent = await self._post(content, reference, is_doubtful=is_doubtful, into=post_id)
                return sent._replace(channel_id=post_id)
        return await self._post(content, reference, is_doubtful=is_doubtful)

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

    # Both

    async def _post(
        self, content: MessageContent, reference: str, *, is_doubtful: bool, into: int = 0
    ) -> SentMessage:
        """Post a message unless it is there already; `into` a post of this channel, a forum.

        `is_doubtful`: an earlier process may have posted it. So may this one, if it tried and did
        not learn or store what came of it.
        """
        found = await self._find(reference, is_doubtful=is_doubtful)
        if found is not None:
            return found
        is_first_try = reference not in self._context.unconfirmed
        self._context.unconfirmed.setdefault(reference, self._context.clock.now())
        try:
            return await self._messenger.post(into or self.channel_id, content, reference)
        except Unreachable:
            raise
        except DeliveryError:
            if is_first_try:  # Discord answered, so it is not there
                del self._context.unconfirmed[reference]
            raise

    async def _find(self, reference: str, *, is_doubtful: bool) -> SentMessage | None:
        """Return a message that was posted without our knowing, None if there is none.

        When an earlier process posted it nobody knows, as the clock may have been another: the
        last messages are looked through, once for all. What this process tried, since then.
        """
        tried_at = self._context.unconfirmed.get(reference)
        if tried_at is not None:
            after = datetime.fromtimestamp(tried_at, UTC) - SEARCHED_BEFORE
            own = await self._messenger.own_references(self.channel_id, after)
        elif not is_doubtful:
            return None
        elif self._own_messages is None:
            own = self._own_messages = await self._messenger.own_references(self.channel_id, None)
        else:
            own = self._own_messages
        return own.get(reference)

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
        if isinstance(fault, ChannelClosed | Postponed) and not self._member_id:
            is_closed = isinstance(fault, ChannelClosed)
            self._context.hindered[self.channel_id] = Hindrance(str(fault), fault.code, is_closed)
        if isinstance(fault, ChannelClosed):
            if not self._is_closed:
                log.error(
                    "cannot post in channel %s (%s), its messages wait: %s: %s",
                    self.channel_id,
                    ", ".join(self.names),
                    fault,
                    cure_of(fault.code),
                )
            self._is_closed = True
            return self._pace.closed
        if isinstance(fault, Postponed):  # told when it began to wait; the others are tried soon
            return self._backoff(len(self._holds))
        self._failures += 1
        backoff = self._backoff(self._failures)
        if not isinstance(fault, DeliveryError | StorageUnavailable):
            log.error("channel %s: delivery failed, trying again", self.channel_id, exc_info=fault)
        elif isinstance(fault, Unreachable):
            self._context.outage.begin(self._called, str(fault))
        elif not self._is_delayed:
            log.warning("channel %s: deliveries are waiting: %s", self.channel_id, fault)
        self._is_delayed = self._is_delayed or not isinstance(fault, Unreachable)
        if isinstance(fault, DiscordRateLimited):
            return max(backoff, min(fault.seconds, MAX_RETRY_AFTER))
        return backoff

    def _backoff(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row."""
        backoff: float = min(MAX_BACKOFF, self._pace.retry * 2 ** min(failures - 1, 10))
        return backoff * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load

    def _note_success(self, wait: float) -> None:
        """Forget earlier failures once something was delivered, or nothing waits any more.

        `wait`: the seconds until something is due. What only waits for its time may fail again.
        """
        if wait not in (0.0, math.inf):
            return
        self._context.outage.end(self._called)
        if wait == math.inf:
            self._holds.clear()
        if not self._holds and not self._is_closed:
            self._context.hindered.pop(self.channel_id, None)
        if wait == 0.0:
            if self._is_closed or self._is_delayed:
                log.info("channel %s: deliveries resumed", self.channel_id)
                self._context.hindered.pop(self.channel_id, None)
            self._is_closed = self._is_delayed = False
        self._failures = 0


async def _wait(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds if seconds != math.inf else None):
            await event.wait()


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


def signed(content: MessageContent, reference: str, name: str = "") -> MessageContent:
    """Write into the footer what a message is, who sent it and, as its last word, its reference."""
    *before, last = content.embeds
    text = " · ".join(filter(None, [name, SENDER, reference]))
    return replace(content, embeds=[*before, last.copy().set_footer(text=text)])


def from_server(content: MessageContent, name: str) -> MessageContent:
    """Have a private message begin with the server that it is from."""
    if not name:
        return content
    first, *others = content.embeds
    return replace(content, embeds=[first.copy().set_author(name=plain_line(name, 256)), *others])


async def instance_name(database: Database) -> str:
    """Return what tells this database's messages from those of another one; made up once."""
    name = await settings.get(database.read, INSTANCE)
    if name is None:
        name = secrets.token_hex(3)
        async with database.write() as sql:
            await settings.put(sql, INSTANCE, name)
    return name
