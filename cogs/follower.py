"""Follows the journal: marks cards stale and queues feed entries, each event exactly once."""

import asyncio
import logging
from collections.abc import Callable

from cogs.cards import CARDS
from cogs.feeds import FEEDS
from db import cards, feeds, journal, settings
from db.database import Database, Transaction
from db.errors import StorageUnavailable
from webhook.bus import Bus
from webhook.events import ALL, Published

CURSOR = "discord.cursor"
"""The setting that holds the number of the last event taken in."""

BATCH = 500
RETRY = 2.0
"""Seconds until storage that cannot be written is tried again."""

log = logging.getLogger(__name__)


class Follower:
    """Takes events from the journal to the cards and feeds of the channels that are in use.

    Where it stands is written in the same transaction as what it did, so that a crash neither
    loses an event nor takes one in twice.
    """

    def __init__(
        self, database: Database, bus: Bus, in_use: frozenset[str], wake: Callable[[], None]
    ) -> None:
        self._database = database
        self._bus = bus
        self._in_use = in_use
        self._wake = wake
        self._published = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        self._bus.subscribe(ALL, self._hear)
        try:
            while True:
                self._published.clear()
                try:
                    while await self.take_in():
                        self._wake()
                except StorageUnavailable as fault:
                    log.warning("storage cannot be written, Discord waits: %s", fault)
                    await asyncio.sleep(RETRY)
                    continue
                await self._published.wait()
        finally:
            self._bus.unsubscribe(ALL, self._hear)

    async def take_in(self) -> bool:
        """Take in the next events; tell whether there were any."""
        cursor = int(await settings.get(self._database.read, CURSOR) or 0)
        entries = await journal.after(self._database.read, cursor, BATCH)
        if not entries:
            return False
        async with self._database.write() as sql:
            for entry in entries:
                await self._take_in(sql, Published.from_journal(entry))
            await settings.put(sql, CURSOR, str(entries[-1].id))
        return True

    async def _take_in(self, sql: Transaction, event: Published) -> None:
        for subject in event.subjects:
            kind = CARDS.get(subject.kind)
            if kind is not None and kind.channel in self._in_use:
                await cards.mark_stale(sql, str(subject), kind.channel, event.at)
        feed = FEEDS.get(event.name)
        if feed is not None and feed.channel in self._in_use:
            await feeds.add(sql, event.id, feed.channel)

    def _hear(self, _number: int, _frame: bytes) -> None:
        self._published.set()
