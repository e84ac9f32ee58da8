"""Follows the journal: marks cards stale and queues feed entries, each event exactly once."""

import asyncio
import logging
from collections.abc import Callable, Collection

from cogs.cards import CARDS, board
from cogs.cards.dependents import DependentCards, own_calls
from cogs.delivery.direct_messages import direct_place
from cogs.delivery.private import letters
from cogs.feeds import FEEDS
from cogs.routing.facts import gather_facts, is_pressed
from cogs.routing.rules import Decision, Router
from db import cards, feeds, journal, settings
from db.database import Database, Transaction
from db.errors import StorageUnavailable
from db.journal import Entry
from webhook.protocol.bus import Bus
from webhook.protocol.events import ALL, StoredEvent, Subject
from webhook.protocol.metrics import Metrics

CURSOR = "discord.cursor"
"""The setting that holds the number of the last event taken in."""

BATCH = 100
"""Events taken in by one transaction, in which nobody else has a turn."""

GATHERED = 0.05
"""Seconds in which events without a card are gathered: feeds have time, a look is a write."""

RETRY = 2.0
"""Seconds until storage that cannot be written is tried again."""

log = logging.getLogger(__name__)


class Follower:
    """Takes events from the journal to the cards and feeds of the channels that are in use.

    A channel is named as in the channel map, or by its id if a rule chose it. Where the follower
    stands is written in the same transaction as what it did, so that a crash neither loses an event
    nor takes one in twice.
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
        self._wake = wake
        self._router = router
        self._is_home = False
        self._published = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        # In order: the card of a call goes to Discord before the board that lists it.
        self._marked: dict[str, None] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        self._bus.subscribe(ALL, self._hear)
        try:
            while True:
                self._published.clear()
                try:
                    await self.bring_home()
                    while await self.take_in() == BATCH:
                        pass
                except StorageUnavailable as fault:
                    log.warning("storage cannot be written, Discord waits: %s", fault)
                    await asyncio.sleep(RETRY)
                    continue
                await self._published.wait()
        finally:
            self._bus.unsubscribe(ALL, self._hear)

    def look(self) -> None:
        """Look whether there is something to take in."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._published.set()

    async def take_in(self) -> int:
        """Take in the next events and wake the deliveries of them; return how many there were.

        One that cannot be taken in is passed over, and those beside it are taken in.
        """
        cursor = int(await settings.get(self._database.read, CURSOR) or 0)
        entries = await journal.after_for_discord(self._database.read, cursor, BATCH)
        try:
            await self._take_in_all(entries)
        except StorageUnavailable:
            raise
        except Exception:
            log.warning("one of the events %s to %s fails", entries[0].id, entries[-1].id)
            for entry in entries:
                await self._take_in_or_pass_over(entry)
        return len(entries)

    async def _take_in_or_pass_over(self, entry: Entry) -> None:
        try:
            await self._take_in_all([entry])
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("event %s (%s) is passed over", entry.id, entry.name)
            async with self._database.write() as sql:
                await settings.put(sql, CURSOR, str(entry.id))
            self._metrics.passed_over.inc()

    async def _take_in_all(self, entries: list[Entry]) -> None:
        if not entries:
            return
        self._marked.clear()
        async with self._database.write() as sql:
            events = [StoredEvent.from_journal(entry) for entry in entries]
            dependents = DependentCards(sql)
            for event in events:
                await self._take_in(sql, event)
                await dependents.add(event)
            for subject in dependents.subjects:
                if (place := await cards.touch(sql, str(subject))) is not None:
                    self._marked[place] = None
            on_board = [event.at for event in events if board.touches_board(event.name)]
            if on_board and board.CHANNEL in self._in_use:
                await board.mark_changed(sql, on_board[-1])
                self._marked[board.CHANNEL] = None
            await settings.put(sql, CURSOR, str(entries[-1].id))
        self._wake(self._marked)

    async def _take_in(self, sql: Transaction, event: StoredEvent) -> None:
        for subject in await self._carded(sql, event):
            kind = CARDS.get(subject.kind)
            if kind is not None:
                await self._mark_card(sql, event, subject, kind.channel)
        for subject, member_id in await letters(sql, event):
            await self._mark_stale(sql, event, subject, direct_place(member_id))
        feed = FEEDS.get(event.name)
        if feed is not None:
            decision = await self._decide(sql, event, None, feed.channel)
            if self._is_posted(decision):
                await feeds.add(sql, event.id, decision.channel, decision.mention)
                self._marked[decision.channel] = None

    async def _carded(self, sql: Transaction, event: StoredEvent) -> list[Subject]:
        """Return what may get a card: where panics have no channel, also their own 911 calls."""
        found = list(event.subjects)
        if CARDS["panic"].channel not in self._in_use:
            for subject in event.subjects:
                if subject.kind == "panic":
                    found += await own_calls(sql, subject)
        return list(dict.fromkeys(found))

    async def _mark_card(
        self, sql: Transaction, event: StoredEvent, subject: Subject, home: str
    ) -> None:
        """Mark a card stale where it is; a subject without one gets it where the rules say."""
        card = await cards.of_subject(sql, str(subject))
        if card is not None:
            if card.channel in self._in_use:
                await self._mark_stale(sql, event, subject, card.channel)
            return
        decision = await self._decide(sql, event, subject, home)
        if self._is_posted(decision):
            await self._mark_stale(sql, event, subject, decision.channel, decision.mention)

    async def _mark_stale(
        self, sql: Transaction, event: StoredEvent, subject: Subject, place: str, mention: int = 0
    ) -> None:
        await cards.mark_stale(sql, str(subject), place, event.at, mention)
        self._marked[place] = None

    async def _decide(
        self, sql: Transaction, event: StoredEvent, subject: Subject | None, home: str
    ) -> Decision:
        try:
            if not self._router.has_rules:
                return self._router.default(home, is_pressed=is_pressed(event, subject))
            facts = await gather_facts(sql, event, subject)
        except (AttributeError, KeyError, TypeError, ValueError):
            log.exception("no rule can be asked about the event %s", event.id)
            return Decision(None, home)
        return self._router.decide(facts, event.at, home)

    def _is_posted(self, decision: Decision) -> bool:
        return not decision.silent and decision.channel in self._in_use

    async def bring_home(self) -> None:
        """Give what lies in channels of rules that are gone back to the channel map, once."""
        if self._is_home:
            return
        homes = set[str]()
        async with self._database.write() as sql:
            for place in await cards.channels(sql):
                if self._is_gone(place):
                    for kind, card in CARDS.items():
                        await cards.move(sql, place, kind, card.channel)
                        homes.add(card.channel)
            for place in await feeds.channels(sql):
                if self._is_gone(place):
                    for name, feed in FEEDS.items():
                        await feeds.move(sql, place, name, feed.channel)
                        homes.add(feed.channel)
        self._is_home = True
        if homes:
            self._wake(homes)

    async def refresh_board(self) -> None:
        """Have the board shown again: calls and units that grow old leave it without an event."""
        async with self._database.write() as sql:
            await cards.touch(sql, str(board.SUBJECT))
        self._wake({board.CHANNEL})

    def _is_gone(self, place: str) -> bool:
        return place.isdigit() and place not in self._in_use

    def _hear(self, event: StoredEvent) -> None:
        if any(subject.kind in CARDS for subject in event.subjects):
            self.look()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHERED, self.look)
