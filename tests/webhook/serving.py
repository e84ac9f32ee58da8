"""The real application on a real socket of loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.webhook.house import EVENT_NAMES, House
from webhook.cad.receive import Intake
from webhook.http.app import Parts, make_app
from webhook.http.authentication import Client, Door
from webhook.http.connection_limits import Gate
from webhook.http.listener import Listener
from webhook.http.proxies import Network
from webhook.http.push import CadKey
from webhook.http.websocket import Limits
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Scope
from webhook.protocol.metrics import Metrics
from webhook.queries import CATALOGUE

KEY = "SCAD-KISS-4F1C9E77-TEST"
SECOND_KEY = "scad-second-91ab"

CLIENTS = [
    Client("reader", "token-of-the-reader", Scope.READ),
    Client("writer", "token-of-the-writer", Scope.WRITE),
    Client("boss", "token-of-the-boss", Scope.ADMIN),
]
READER, WRITER, BOSS = (client.token for client in CLIENTS)
PAGE = "https://panel.example"


@dataclass(frozen=True)
class Setting:
    """What a test wants to be different."""

    clients: list[Client] = field(default_factory=lambda: CLIENTS)
    open_to_loopback: bool = False
    catalogue: Catalogue = CATALOGUE
    push_bytes: int = 1536 * 1024
    messages_per_second: int = 200
    limits: Limits = field(default_factory=Limits)
    intake: Intake = field(default_factory=Intake)
    metrics: Metrics = field(default_factory=Metrics)
    max_connections: int = 2_000
    cad_keys: tuple[CadKey, ...] = (CadKey("cad", KEY), CadKey("second", SECOND_KEY))
    trusted_proxies: tuple[Network, ...] = ()


class Served:
    """A listening house, and a client to talk to it."""

    def __init__(
        self, house: House, door: Door, listener: Listener, http: aiohttp.ClientSession
    ) -> None:
        self.house = house
        self.door = door
        self.listener = listener
        self.http = http
        self.port = listener.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(
        self, token: str | None = BOSS, **headers: str
    ) -> aiohttp.client._WSRequestContextManager:
        """Open a websocket."""
        given = {"Authorization": f"Bearer {token}"} if token else {}
        return self.http.ws_connect(f"{self.url}/ws", headers=given | headers, max_msg_size=0)


@asynccontextmanager
async def serve(house: House, setting: Setting | None = None) -> AsyncIterator[Served]:
    """Serve a house until the block ends."""
    wanted = setting or Setting()
    gate = Gate(wanted.max_connections)
    door = Door(wanted.clients, [PAGE], gate, open_to_loopback=wanted.open_to_loopback)
    app = make_app(
        Parts(
            context=house.context(),
            catalogue=wanted.catalogue,
            cad_keys=list(wanted.cad_keys),
            door=door,
            event_names=EVENT_NAMES,
            health=lambda: (True, {}),
            push_bytes=wanted.push_bytes,
            messages_per_second=wanted.messages_per_second,
            limits=wanted.limits,
            intake=wanted.intake,
            metrics=wanted.metrics,
            trusted_proxies=wanted.trusted_proxies,
        )
    )
    listener = await Listener.start(app, gate, "127.0.0.1", 0, finishing=1.0)
    try:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http:
            yield Served(house, door, listener, http)
    finally:
        await listener.close()
