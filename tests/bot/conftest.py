"""A running instance: the real application on a real database, listening on loopback."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.commands.client import InstanceClient
from bot.settings import (
    CadSettings,
    ClientSettings,
    DatabaseSettings,
    HttpSettings,
    NamedKey,
    Settings,
    WebsocketSettings,
)
from db import community, journal
from db.community import EquipmentType, Tier
from db.database import Database
from tests.databases import open_new_database
from webhook.cad import EVENT_NAMES
from webhook.http.app import AppDependencies, make_app
from webhook.http.authentication import LOCAL, Authenticator, Client
from webhook.http.push import CadKey
from webhook.protocol.bus import Bus
from webhook.protocol.context import Context, Scope
from webhook.protocol.session import SessionSettings
from webhook.queries import CATALOGUE
from webhook.queries.cad.lookup import store_cads

KEY = "SCAD-KISS-4F1C9E77-TEST"
TOKEN = "a-token-for-the-tests"

TIERS = [Tier(1, "Basic", "59.99"), Tier(2, "Premium", "99.99")]
KINDS = [EquipmentType(1, "Camera"), EquipmentType(2, "Badge reader"), EquipmentType(3, "Drone")]


def configured(
    folder: Path, http: HttpSettings, *, keys: bool = True, clients: bool = True
) -> Settings:
    """A configuration with or without secrets in it."""
    return Settings(
        http=http,
        cad=CadSettings(keys=[NamedKey(key=KEY)] if keys else []),
        websocket=WebsocketSettings(
            clients=[ClientSettings(name="script", token=TOKEN)] if clients else []
        ),
        database=DatabaseSettings(path=folder / "data" / "sentinel.db"),
    )


async def serve(
    stack: AsyncExitStack,
    app: web.Application,
    port: int = 0,
    context: ssl.SSLContext | None = None,
) -> int:
    """Listen on loopback until the stack is closed; return the port."""
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    return int(runner.addresses[0][1])


class BotServer:
    """The bot's HTTP server on a real database; it can be stopped and started on the same port."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.context = Context(database, Bus(), LOCAL, ZoneInfo("UTC"))
        self._port = 0
        self._listening = AsyncExitStack()
        self.is_listening = False
        self._polled_after = asyncio.Queue[str | None]()

    @property
    def url(self) -> str:
        """Where it listens, or listened last."""
        return f"http://127.0.0.1:{self._port}"

    def client(self, key: str = KEY, token: str = TOKEN) -> InstanceClient:
        return InstanceClient(self.url, key, token)

    async def start(self) -> None:
        authenticator = Authenticator(
            [Client("script", TOKEN, Scope.WRITE)], [], open_to_loopback=False
        )
        dependencies = AppDependencies(
            context=self.context,
            catalogue=CATALOGUE,
            cad_keys=[CadKey("cad", KEY)],
            authenticator=authenticator,
            sessions=SessionSettings(EVENT_NAMES),
            health=lambda: (True, {}),
            push_bytes=1024 * 1024,
        )
        app = make_app(dependencies)
        app.middlewares.append(self._note_poll)
        self._port = await serve(self._listening, app, self._port)
        self.is_listening = True

    async def stop(self) -> None:
        """Listen no longer; open requests get no answer."""
        self.is_listening = False
        await self._listening.aclose()

    async def stop_during_poll(self, after: int) -> None:
        """Stop once a client waits for events after a number.

        A connection that is made while aiohttp stops would stay open without an answer.
        """
        while await self._polled_after.get() != str(after):
            pass
        await self.stop()

    @web.middleware
    async def _note_poll(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/api/events":
            self._polled_after.put_nowait(request.query.get("after"))
        return await handler(request)

    async def offer(self, tiers: list[Tier], kinds: list[EquipmentType]) -> None:
        """Have exactly these tiers and equipment types."""
        async with self.database.write() as sql:
            await community.replace(sql, tiers, kinds)
            await store_cads(sql, ["cad"])

    async def journal_names(self) -> list[str]:
        """Return the names of all events so far, in order."""
        return [entry.name for entry in await journal.after(self.database.read, 0, 10_000)]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[BotServer]:
    """A server that listens, with tiers and equipment types."""
    async with open_new_database(tmp_path / "sentinel.db") as database:
        server = BotServer(database)
        await server.offer(TIERS, KINDS)
        await server.start()
        yield server
        await server.stop()


@pytest.fixture
def client(server: BotServer) -> InstanceClient:
    return server.client()


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Have the log as it was, after `start_logging`."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    changed = ("discord.client", "webhook.http.push", "webhook.protocol.messages")
    levels = {name: logging.getLogger(name).level for name in ("root", "aiosqlite", "discord")}
    filters = {name: logging.getLogger(name).filters[:] for name in changed}
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    for name, before in filters.items():
        logging.getLogger(name).filters[:] = before
    logging.getLogger("aiohttp.access").disabled = False
