"""A running instance: the real application on a real database, listening on loopback."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from bot.client import InstanceClient
from db import community, journal
from db.community import EquipmentType, Tier
from db.database import Database
from webhook import cad
from webhook.http.app import AppDependencies, make_app
from webhook.http.authentication import LOCAL, Authenticator, Client
from webhook.http.push import CadKey
from webhook.protocol.bus import Bus
from webhook.protocol.context import Context, Scope
from webhook.protocol.events import ALL, CAD, EVENTS
from webhook.queries import CATALOGUE

KEY = "SCAD-KISS-4F1C9E77-TEST"
TOKEN = "a-token-for-the-tests"

EVENT_NAMES = frozenset({ALL, CAD, *EVENTS, *(f"{CAD}.{kind}" for kind in cad.EVENTS)})
TIERS = [Tier(1, "Basic", "59.99"), Tier(2, "Premium", "99.99")]
KINDS = [EquipmentType(1, "Camera"), EquipmentType(2, "Badge reader"), EquipmentType(3, "Drone")]


async def serve(stack: AsyncExitStack, app: web.Application, port: int = 0) -> int:
    """Listen on loopback until the stack is closed; return the port."""
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return int(runner.addresses[0][1])


class House:
    """The bot's insides; what listens can be stopped and started again on the same port."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.context = Context(database, Bus(), LOCAL, ZoneInfo("UTC"))
        self._port = 0
        self._listening = AsyncExitStack()

    @property
    def url(self) -> str:
        """Return where it listens, or listened last."""
        return f"http://127.0.0.1:{self._port}"

    def instance(self, key: str = KEY, token: str = TOKEN) -> InstanceClient:
        """Return a client of it."""
        return InstanceClient(self.url, key, token)

    async def start(self) -> None:
        """Listen."""
        authenticator = Authenticator(
            [Client("script", TOKEN, Scope.WRITE)], [], open_to_loopback=False
        )
        dependencies = AppDependencies(
            context=self.context,
            catalogue=CATALOGUE,
            cad_keys=[CadKey("cad", KEY)],
            authenticator=authenticator,
            event_names=EVENT_NAMES,
            health=lambda: (True, {}),
            push_bytes=1024 * 1024,
            messages_per_second=200,
        )
        self._port = await serve(self._listening, make_app(dependencies), self._port)

    async def stop(self) -> None:
        """Listen no longer; who waits for an answer gets none."""
        await self._listening.aclose()

    async def put_on_offer(self, tiers: list[Tier], kinds: list[EquipmentType]) -> None:
        """Have exactly these tiers and equipment types."""
        async with self.database.write() as sql:
            await community.replace(sql, tiers, kinds)

    async def journalled(self) -> list[str]:
        """Return the names of all events so far, in order."""
        return [entry.name for entry in await journal.after(self.database.read, 0, 10_000)]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house that listens, with tiers and equipment on offer."""
    async with Database.open(tmp_path / "sentinel.db") as database:
        house = House(database)
        await house.put_on_offer(TIERS, KINDS)
        await house.start()
        yield house
        await house.stop()


@pytest.fixture
async def instance(house: House) -> AsyncIterator[InstanceClient]:
    """A client of the house."""
    async with house.instance() as instance:
        yield instance
