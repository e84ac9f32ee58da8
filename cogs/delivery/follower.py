"""Follows the journal: marks cards stale and queues feed entries, each event exactly once."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import replace

from cogs.cards import CARDS, board
from cogs.cards.again import again_subject, age_of, happens_again
from cogs.cards.dependents import dependent_subjects, own_calls
from cogs.delivery.direct_messages import DIRECT_MESSAGES
from cogs.feeds import FEEDS, feed_of
from cogs.routing.facts import calls_for, gather_facts, may_mention
from cogs.routing.rules import Decision, Router
from db import cards, feeds, journal, settings
from db.cards import StaleCard
from db.database import Database, Transaction
from db.errors import StorageUnavailable
from db.feeds import FeedEntry
from webhook.protocol.bus import Bus, StoredEvent
from webhook.protocol.events import ALL, CadRequestChanged, CardsOutdated, MemberLinked, Subject
from webhook.protocol.metrics import Metrics

CURSOR = "discord.cursor"
"""The setting that holds the number of the last event that was applied."""

BATCH = 100
"""Events applied by one transaction, in which nobody else can write."""

FEED_DELAY = 0.05
"""Seconds in which events without a card are collected: feeds have time, each batch is a write."""

RETRY = 2.0
"""Seconds until storage that cannot be written is tried again."""

_FOLLOWED = (ALL, CardsOutdated.name, CadRequestChanged.name, MemberLinked.name)

log = logging.getLogger(__name__)


class Follower:
    """Applies the events of the journal to the cards and feeds of the channels that are in use.

    A channel is named as in the channel map, or by its id if a rule chose it. The cursor is written
    in the same transaction as what the events did, so that a crash neither loses an event nor
    applies one twice.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        in_use: frozenset[str],
        wake: Callable[[Collection[str]], None],
        router: Router = Router(),  # noqa: B008 - frozen
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._database = database
        self._bus = bus
        self._in_use = in_use
        self._wake_queues = wake
        self._router = router
        self._cursor: int | None = None
        self._published = deque[StoredEvent](maxlen=BATCH)
        self._woken = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._has_rerouted = False

    async def run(self) -> None:
        """Follow until cancelled."""
        for name in _FOLLOWED:
            self._bus.subscribe(name, self._on_event)
        try:
            while True:
                self._woken.clear()
                try:
                    if not self._has_rerouted:
                        await self._reroute_orphans()
                    while await self.apply_next() == BATCH:
                        pass
                except StorageUnavailable as fault:
                    log.warning("storage cannot be written, Discord waits: %s", fault)
                    await asyncio.sleep(RETRY)
                    continue
                await self._woken.wait()
        finally:
            for name in _FOLLOWED:
                self._bus.unsubscribe(name, self._on_event)

    def wake(self) -> None:
        """Look for events now, also for such as are not published."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._woken.set()

    def _on_event(self, event: StoredEvent) -> None:
        self._published.append(event)
        if any(subject.kind in CARDS for subject in event.subjects):
            self.wake()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FEED_DELAY, self.wake)

    async def apply_next(self) -> int:
        """Apply the next events and wake the queues that have work; return how many there were.

        An event that cannot be applied is skipped, and those beside it are applied.
        """
        events = await self._next_events()
        try:
            await self._apply(events)
        except StorageUnavailable:
            raise
        except Exception:
            log.warning(
                "one of the events %s to %s cannot be applied, trying each by itself",
                events[0].id,
                events[-1].id,
            )
            for event in events:
                await self._apply_or_skip(event)
        return len(events)

    async def _next_events(self) -> list[StoredEvent]:
        """Return the events after the cursor.

        The published ones are all if no number is missing among them. Otherwise the journal is
        read: after a start, after a failure, and where an event is for Discord alone.
        """
        if self._cursor is None:
            self._cursor = int(await settings.get(self._database.read, CURSOR) or 0)
        published = list(self._published)
        self._published.clear()
        if published and published[-1].id - self._cursor == len(published):
            return published
        entries = await journal.after_for_discord(self._database.read, self._cursor, BATCH)
        return [StoredEvent.from_journal(entry) for entry in entries]

    async def _apply(self, events: list[StoredEvent]) -> None:
        if not events:
            return
        news = [event for event in events if not event.is_redundant]
        async with self._database.write() as sql:
            stale = await self._stale_cards(sql, news)
            await cards.mark_stale(sql, *stale)
            entries = await self._feed_entries(sql, news)
            await feeds.add(sql, *entries)
            dependents = await dependent_subjects(sql, news)
            # In order: the card of a call goes to Discord before the board that lists it.
            channels = [card.channel for card in stale]
            channels += [entry.channel for entry in entries]
            channels += await cards.touch(sql, [str(subject) for subject in dependents])
            on_board = [event.at for event in events if event.name in board.EVENTS]
            if on_board and board.CHANNEL in self._in_use:
                await board.mark_changed(sql, on_board[-1])
                channels.append(board.CHANNEL)
            await settings.put(sql, CURSOR, str(events[-1].id))
        self._cursor = events[-1].id
        self._wake_queues(dict.fromkeys(channels))

    async def _apply_or_skip(self, event: StoredEvent) -> None:
        try:
            await self._apply([event])
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("event %s (%s) is skipped, please report this", event.id, event.name)
            async with self._database.write() as sql:
                await settings.put(sql, CURSOR, str(event.id))
            self._cursor = event.id
            self._metrics.passed_over.inc()

    async def _stale_cards(self, sql: Transaction, events: list[StoredEvent]) -> list[StaleCard]:
        """Return the cards of events where they are, and new ones where the rules say."""
        subjects = [await self._subjects_of_cards(sql, event) for event in events]
        places = await cards.channels_of(sql, [str(each) for found in subjects for each in found])
        stale: list[StaleCard] = []
        for event, found in zip(events, subjects, strict=True):
            for subject in found:
                card = str(subject)
                if card not in places:
                    decision = await self._route(sql, event, subject, CARDS[subject.kind].channel)
                    if self._is_posted(decision):
                        places[card] = decision.channel
                        thread = cards.WANTED if decision.thread else ""
                        stale.append(
                            StaleCard(card, decision.channel, event.at, decision.mention, thread)
                        )
                    continue
                # Also where its channel is out of use, so that it is right when that is back.
                stale.append(StaleCard(card, places[card], event.at))
                if places[card] in self._in_use:
                    stale += await self._replies(sql, event, subject, places[card])
            find = DIRECT_MESSAGES.get(event.name)
            messages = await find(sql, event) if find is not None else []
            for each in messages:
                stale.append(StaleCard(str(each.subject), each.channel, event.at))
                if await self._is_first_in_time(sql, event, each.subject):
                    again = str(again_subject(each.subject))
                    stale.append(StaleCard(again, each.channel, event.at))
        return stale

    async def _is_first_in_time(
        self, sql: Transaction, event: StoredEvent, subject: Subject
    ) -> bool:
        """Return whether this happens now, while the message about it made no sound, being late."""
        if not happens_again(event, subject) or self._router.is_too_late(event.age):
            return False
        return self._router.is_too_late(await age_of(sql, subject))

    async def _replies(
        self, sql: Transaction, event: StoredEvent, subject: Subject, channel: str
    ) -> list[StaleCard]:
        """Return what mentions people in reply to a card that came too late to do so itself.

        A card has one such reply, however often the same happens again.
        """
        if not await self._is_first_in_time(sql, event, subject):
            return []
        decision = await self._route(sql, event, subject, CARDS[subject.kind].channel)
        if decision.silent or not decision.mention:
            return []
        return [StaleCard(str(again_subject(subject)), channel, event.at, decision.mention)]

    async def _feed_entries(self, sql: Transaction, events: list[StoredEvent]) -> list[FeedEntry]:
        """Return the feed entries of events, where the rules say."""
        entries: list[FeedEntry] = []
        for event in events:
            feed = feed_of(event.name)
            if feed is not None and not event.is_reconciled:
                decision = await self._route(sql, event, None, feed.channel)
                if self._is_posted(decision):
                    entries.append(FeedEntry(event.id, decision.channel, decision.mention))
        return entries

    async def _subjects_of_cards(self, sql: Transaction, event: StoredEvent) -> list[Subject]:
        """Return what may get a card: where panics have no channel, also their own 911 calls."""
        found = [subject for subject in event.subjects if subject.kind in CARDS]
        if CARDS["panic"].channel not in self._in_use:
            for subject in event.subjects:
                if subject.kind == "panic":
                    found += await own_calls(sql, subject)
        return list(dict.fromkeys(found))

    async def _route(
        self, sql: Transaction, event: StoredEvent, subject: Subject | None, usual: str
    ) -> Decision:
        """Decide where an event goes and whom it mentions.

        A drill mentions nobody unasked, nor does what was only found when the CAD was read.
        """
        decision = await self._decide(sql, event, subject, usual)
        if event.is_reconciled or (decision.mention and not await may_mention(sql, event, subject)):
            return replace(decision, mention=0)
        return decision

    async def _decide(
        self, sql: Transaction, event: StoredEvent, subject: Subject | None, usual: str
    ) -> Decision:
        """Ask the rules; a mistake in that is logged, and the event goes to its usual channel."""
        if not self._router.rules and not self._router.pauses:
            return self._router.default(usual, calls=calls_for(event, subject), age=event.age)
        try:
            facts = await gather_facts(sql, event, subject)
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("the rules fail on event %s, it goes to its usual channel", event.id)
            return Decision(None, usual)
        return self._router.decide(facts, event.at, usual, event.age)

    def _is_posted(self, decision: Decision) -> bool:
        return not decision.silent and decision.channel in self._in_use

    async def _reroute_orphans(self) -> None:
        """Give what is in channels of rules that are gone to the channels of the map."""
        channels = set[str]()
        async with self._database.write() as sql:
            for gone in filter(self._is_gone, await cards.channels(sql)):
                for kind, card in CARDS.items():
                    await cards.move(sql, gone, kind, card.channel)
                    channels.add(card.channel)
            for gone in filter(self._is_gone, await feeds.channels(sql)):
                for name, feed in FEEDS.items():
                    await feeds.move(sql, gone, name, feed.channel)
                    channels.add(feed.channel)
                await feeds.forget_channel(sql, gone)
            # The board goes where its channel is now.
            channels.update(await cards.touch(sql, [str(board.SUBJECT)]))
        self._has_rerouted = True
        if channels:
            self._wake_queues(channels)

    def _is_gone(self, channel: str) -> bool:
        return channel.isdigit() and channel not in self._in_use

    async def refresh_board(self) -> None:
        """Have the board shown again: calls and units that grow old leave it without an event."""
        async with self._database.write() as sql:
            await cards.touch(sql, [str(board.SUBJECT)])
        self._wake_queues({board.CHANNEL})
