"""The real application on a real socket of loopback."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from tests.webhook.harness import AppHarness
from webhook.cad import EVENT_NAMES
from webhook.cad.store import PushConfig
from webhook.cad_api.game_server import GameServerTransport
from webhook.http.addresses import Network
from webhook.http.app import AppDependencies, make_app
from webhook.http.authentication import Authenticator, Client
from webhook.http.connection import ConnectionLimits
from webhook.http.connection_limits import ConnectionLimiter
from webhook.http.listener import Listener
from webhook.http.push import CadKey
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Scope
from webhook.protocol.metrics import Metrics
from webhook.protocol.session import SessionSettings
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
GAME_PAGE = "https://cfx-nui-cad_tablet"


@dataclass(frozen=True)
class AppOptions:
    """What a test wants to be different."""

    clients: list[Client] = field(default_factory=lambda: CLIENTS)
    open_to_loopback: bool = False
    catalogue: Catalogue = CATALOGUE
    push_bytes: int = 1536 * 1024
    messages_per_second: int = 200
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    push_config: PushConfig = field(default_factory=PushConfig)
    metrics: Metrics = field(default_factory=Metrics)
    max_connections: int = 2_000
    cad_keys: tuple[CadKey, ...] = (CadKey("cad", KEY), CadKey("second", SECOND_KEY))
    trusted_proxies: tuple[Network, ...] = ()
    port: int = 0
    allowed_origins: tuple[str, ...] = (PAGE, "https://cfx-nui-*")
    game_cads: Mapping[str, GameServerTransport] = field(default_factory=dict)
    game_server_came: Callable[[], None] = lambda: None


class RunningApp:
    """The listening application, and a client to talk to it."""

    def __init__(
        self,
        harness: AppHarness,
        authenticator: Authenticator,
        listener: Listener,
        http: aiohttp.ClientSession,
    ) -> None:
        self.harness = harness
        self.authenticator = authenticator
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
async def serve(
    harness: AppHarness, options: AppOptions | None = None
) -> AsyncIterator[RunningApp]:
    """Serve the application until the block ends."""
    wanted = options or AppOptions()
    limiter = ConnectionLimiter(wanted.max_connections)
    authenticator = Authenticator(
        wanted.clients, wanted.allowed_origins, limiter, open_to_loopback=wanted.open_to_loopback
    )
    app = make_app(
        AppDependencies(
            context=harness.context(),
            catalogue=wanted.catalogue,
            cad_keys=list(wanted.cad_keys),
            authenticator=authenticator,
            sessions=SessionSettings(
                EVENT_NAMES, wanted.messages_per_second, metrics=wanted.metrics
            ),
            health=lambda: (True, {}),
            push_bytes=wanted.push_bytes,
            limits=wanted.limits,
            push_config=wanted.push_config,
            trusted_proxies=wanted.trusted_proxies,
            game_cads=wanted.game_cads,
            game_server_came=wanted.game_server_came,
        )
    )
    listener = await Listener.start(app, limiter, "127.0.0.1", wanted.port, shutdown_timeout=1.0)
    try:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as http:
            yield RunningApp(harness, authenticator, listener, http)
    finally:
        await listener.close()
