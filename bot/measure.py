"""What is looked up for /metrics when somebody asks: queues, sizes, states."""

import asyncio
from collections.abc import Collection
from pathlib import Path

from cogs.bot import DiscordStatus
from db import cards, feeds, journal
from db.cards import Backlog
from db.database import Database
from db.errors import StorageUnavailable
from webhook.protocol.context import now
from webhook.protocol.metrics import Metrics

KINDS = ("card post", "card edit", "feed")


class Measure:
    """Brings the gauges of the metrics up to date; `places`: the channels in use."""

    def __init__(
        self,
        metrics: Metrics,
        database: Database,
        path: Path,
        connection: DiscordStatus,
        places: Collection[str],
    ) -> None:
        self._metrics = metrics
        self._database = database
        self._path = path
        self._connection = connection
        self._places = places

    async def __call__(self) -> None:
        """Look everything up; while storage cannot be read, its last figures stay."""
        self._metrics.discord.state(self._connection.state)
        self._metrics.writable.set(self._database.is_writable)
        for file, size in (await asyncio.to_thread(_sizes, self._path)).items():
            self._metrics.database_bytes.labels(file).set(size)
        try:
            read = self._database.read
            waiting = [*await cards.backlog(read), *await feeds.backlog(read)]
            _, newest = await journal.bounds(read)
        except StorageUnavailable:
            return
        self._metrics.newest_event.set(newest)
        self._note_waiting(waiting)

    def _note_waiting(self, waiting: list[Backlog]) -> None:
        found = {(queue.channel, queue.kind): queue for queue in waiting}
        for place in self._places:
            for kind in KINDS:
                queue = found.get((place, kind))
                number = queue.number if queue is not None else 0
                self._metrics.waiting.labels(place, kind).set(number)
                if kind != "card edit":  # nobody notes since when a message is outdated
                    since = queue.since if queue is not None else None
                    age = max(0, now() - since) / 1000 if since is not None else 0.0
                    self._metrics.oldest_waiting.labels(place, kind).set(age)


def _sizes(path: Path) -> dict[str, int]:
    """Return the bytes of the database's files; one that is not there has none."""
    files = {"main": path, "wal": path.with_name(f"{path.name}-wal")}
    return {name: file.stat().st_size if file.exists() else 0 for name, file in files.items()}
