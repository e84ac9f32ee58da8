"""How the bot is: ready or not and what is wrong for /healthz, queues and sizes for /metrics."""

import asyncio
from collections import Counter
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from cogs.connection import DiscordStatus
from cogs.i18n.language import ENGLISH, using_locale
from cogs.routing.troubles import Troubles
from db import cards, feeds, journal
from db.cards import Backlog
from db.database import Database
from db.errors import StorageUnavailable
from webhook.protocol.context import now
from webhook.protocol.game_servers import GameServers
from webhook.protocol.metrics import Metrics

DELIVERY_KINDS = ("card post", "card edit", "feed")

VERSION = version("cad-sentinel")


class Health:
    """Ready while pushes can be stored; what else is wrong is listed beside it.

    The answer is public: the sentences of troubles name neither ids nor what things are called in
    Discord, their cures may.
    """

    def __init__(
        self,
        database: Database,
        connection: DiscordStatus,
        stop: asyncio.Event,
        troubles: Troubles,
        game_servers: GameServers | None = None,
    ) -> None:
        self._database = database
        self._connection = connection
        self._stop = stop
        self._troubles = troubles
        self._game_servers = game_servers or GameServers()

    def __call__(self) -> tuple[bool, dict[str, object]]:
        """Return whether the bot is ready, and details."""
        is_ready = self._database.is_writable and not self._stop.is_set()
        with using_locale(ENGLISH):
            problems = [trouble.sentence for trouble in self._troubles.present()]
        return is_ready, {
            "problems": [*(["The program is stopping."] if self._stop.is_set() else []), *problems],
            "version": VERSION,
            "discord": self._connection.state,
            "gameServers": [
                {
                    "client": client,
                    "resource": server.resource,
                    "version": server.version,
                    "connected": self._game_servers.is_connected(server),
                    "secondsAgo": self._game_servers.silence(server) // 1000,
                    "waiting": server.waiting,
                    "refused": server.refused,
                }
                for client, server in self._game_servers.by_client().items()
            ],
        }


class MetricsRefresher:
    """Sets the gauges when somebody asks for /metrics; `channels`: the channels in use."""

    def __init__(
        self,
        metrics: Metrics,
        database: Database,
        path: Path,
        connection: DiscordStatus,
        channels: Collection[str],
        game_servers: GameServers | None = None,
    ) -> None:
        self._game_servers = game_servers or GameServers()
        self._metrics = metrics
        self._database = database
        self._path = path
        self._connection = connection
        self._channels = channels

    async def __call__(self) -> None:
        """Set every gauge; while storage cannot be read, its last figures stay."""
        self._metrics.discord.state(self._connection.state)
        self._metrics.writable.set(self._database.is_writable)
        for client, server in self._game_servers.by_client().items():
            is_connected = self._game_servers.is_connected(server)
            self._metrics.game_server_connected.labels(client).set(is_connected)
            self._metrics.game_server_waiting.labels(client).set(server.waiting)
            self._metrics.game_server_refused.labels(client).set(server.refused)
        for file, size in (await asyncio.to_thread(_sizes, self._path)).items():
            self._metrics.database_bytes.labels(file).set(size)
        try:
            read = self._database.read
            backlog = [*await cards.backlog(read), *await feeds.backlog(read)]
            rejections = [*await cards.rejections(read), *await feeds.rejections(read)]
            _, newest = await journal.bounds(read)
        except StorageUnavailable:
            return
        self._metrics.newest_event.set(newest)
        self._set_backlog(backlog)
        refused = Counter[str]()
        for rejection in rejections:
            refused[rejection.channel] += rejection.number
        for channel in self._channels:
            self._metrics.refused.labels(channel).set(refused[channel])

    def _set_backlog(self, backlog: list[Backlog]) -> None:
        found = {(queue.channel, queue.kind): queue for queue in backlog}
        for channel in self._channels:
            for kind in DELIVERY_KINDS:
                queue = found.get((channel, kind))
                number = queue.number if queue is not None else 0
                self._metrics.waiting.labels(channel, kind).set(number)
                if kind != "card edit":  # since when a message is outdated is not stored
                    since = queue.since if queue is not None else None
                    age = max(0, now() - since) / 1000 if since is not None else 0.0
                    self._metrics.oldest_waiting.labels(channel, kind).set(age)


def _sizes(path: Path) -> dict[str, int]:
    """Return the sizes of the database's files in bytes; 0 for one that is not there."""
    files = {"main": path, "wal": path.with_name(f"{path.name}-wal")}
    return {name: file.stat().st_size if file.exists() else 0 for name, file in files.items()}
