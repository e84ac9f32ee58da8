"""Runs the examples of docs/protocol.md in their order, as the page says: on a fresh database,
on a clock that stands still, through the real application.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web

from bot.settings import CommunitySettings
from db import community, links
from db.community import EquipmentType, Tier
from db.errors import StorageUnavailable
from tests.databases import open_new_database
from tests.docs.page import SECTIONS, Block
from webhook.cad import EVENT_NAMES
from webhook.http.app import AppDependencies, make_app
from webhook.http.authentication import LOCAL, Authenticator, Client
from webhook.http.push import CadKey
from webhook.protocol.bus import Bus
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.session import SessionSettings
from webhook.protocol.wire import StatusReply
from webhook.queries import CATALOGUE

MOMENT = 1_795_339_800_123
"""2026-11-22T09:30:00.123Z, when every example of the page takes place."""

ADMIN, READER = "a-token-that-may-do-anything", "a-token-that-may-only-read"
CAD_KEY = "YOUR-CAD-API-KEY"
LINK_CODE = "XK4T9P"

Frame = dict[str, Any]

_broken = Catalogue()


@_broken.query("break-storage", scope=Scope.READ)
async def _break_storage(context: Context) -> StatusReply:
    raise StorageUnavailable("the disk is full")


@_broken.query("break", scope=Scope.READ)
async def _break(context: Context) -> StatusReply:
    raise RuntimeError("a mistake in the program")


@dataclass(frozen=True)
class ExampleRun:
    """One example that was run: what was sent, what came back, and the events meanwhile."""

    section: str
    request: Block
    expected: Frame
    answer: Frame
    events: list[Frame]

    @property
    def sent(self) -> Frame | None:
        """The frame that was sent, where it is one."""
        try:
            sent: Frame = json.loads(self.request.body)
        except json.JSONDecodeError:
            return None
        return sent


@dataclass
class Results:
    """All examples that were run, and every frame that a subscriber of everything received."""

    runs: list[ExampleRun] = field(default_factory=list)
    events: list[Frame] = field(default_factory=list)


class RunningServer:
    """The application, and its address."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http

    async def connect(self, token: str) -> aiohttp.ClientWebSocketResponse:
        """Open a connection."""
        return await self.http.ws_connect(f"{self.url}/ws", headers=bearer(token), max_msg_size=0)


def bearer(token: str) -> dict[str, str]:
    """Return the header that says who asks."""
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def running_server(folder: Path) -> AsyncIterator[RunningServer]:
    """Start the application as bot/app.py does, beside it two queries that break."""
    offer = CommunitySettings()
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(open_new_database(folder / "sentinel.db"))
        async with database.write() as sql:
            await community.replace(
                sql,
                [Tier(tier.id, tier.name, tier.price) for tier in offer.tiers],
                [EquipmentType(kind.id, kind.name) for kind in offer.equipment_types],
            )
            await links.put_code(sql, LINK_CODE, 200000000000000001, MOMENT + 1, MOMENT)
        clients = [Client("script", ADMIN, Scope.ADMIN), Client("reader", READER, Scope.READ)]
        app = make_app(
            AppDependencies(
                context=Context(database, Bus(), LOCAL, ZoneInfo("UTC"), lambda: MOMENT),
                catalogue=Catalogue.join(CATALOGUE, _broken),
                cad_keys=[CadKey("cad", CAD_KEY)],
                authenticator=Authenticator(clients, [], open_to_loopback=False),
                sessions=SessionSettings(EVENT_NAMES),
                health=lambda: (True, {}),
                push_bytes=1024 * 1024,
            )
        )
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield RunningServer(f"http://127.0.0.1:{runner.addresses[0][1]}", http)


async def run_examples(folder: Path) -> Results:
    """Run every example of the page."""
    done = Results()
    async with running_server(folder) as server:
        listener = await server.connect(ADMIN)
        for name in sorted(EVENT_NAMES):
            await _ask(listener, {"type": "subscribe", "data": {"id": name}})
        connections = {"": await server.connect(ADMIN), "reader": await server.connect(READER)}
        for section in SECTIONS:
            for request, shown in _examples(section.blocks):
                answer = await _send(server, connections, request)
                events = await _events_so_far(listener)
                done.events += events
                expected = json.loads(shown.body) if shown else {}
                done.runs.append(ExampleRun(section.name, request, expected, answer, events))
    return done


def _examples(blocks: tuple[Block, ...]) -> list[tuple[Block, Block | None]]:
    """Pair what is sent with the answer that is shown behind it."""
    pairs: list[tuple[Block, Block | None]] = []
    following = [*blocks[1:], Block("", "")]
    for block, answer in zip(blocks, following, strict=False):
        if " request" in block.info or block.info == "http":
            assert answer.info == "json answer", f"no answer behind {block.body}"
            pairs.append((block, answer))
        elif block.info == "json push":
            pairs.append((block, None))
    return pairs


async def _send(
    server: RunningServer, connections: dict[str, aiohttp.ClientWebSocketResponse], request: Block
) -> Frame:
    if request.info == "http":
        return await _over_http(server, request.body)
    if request.info == "json push":
        push = json.loads(request.body)
        async with server.http.post(f"{server.url}/sonorancad/event", json=push) as response:
            assert await response.text() == "OK"
        return {}
    connection = connections[request.info.partition(" request")[2].strip()]
    return await _ask(connection, request.body)


async def _ask(connection: aiohttp.ClientWebSocketResponse, message: Frame | str) -> Frame:
    """Send a message and return its answer; events that arrive before it are passed over."""
    await connection.send_str(message if isinstance(message, str) else json.dumps(message))
    while True:
        frame: Frame = await connection.receive_json(timeout=5)
        if "id" not in frame:
            return frame


async def _events_so_far(listener: aiohttp.ClientWebSocketResponse) -> list[Frame]:
    """Return the events so far: they are all before the answer to a message sent now."""
    await listener.send_json({"type": "queries.get-tiers"})
    frames: list[Frame] = []
    while True:
        frame: Frame = await listener.receive_json(timeout=5)
        if "id" not in frame:
            return frames
        frames.append(frame)


async def _over_http(server: RunningServer, text: str) -> Frame:
    """Send a request as the page writes it: a line with method and path, headers, a body."""
    head, _, body = text.partition("\n\n")
    method, path = head.splitlines()[0].split(" ")
    async with server.http.request(
        method, server.url + path, data=body or None, headers=bearer(ADMIN)
    ) as response:
        answer: Frame = await response.json()
        return answer


async def provoke_errors(folder: Path) -> dict[str, Frame]:
    """Return the error frames that no harmless message brings about, by their code."""
    async with running_server(folder) as server:
        connection = await server.connect(ADMIN)
        found = {
            "unavailable": await _ask(connection, {"type": "queries.break-storage"}),
            "internal": await _ask(connection, {"type": "queries.break"}),
        }
        async with server.http.post(
            f"{server.url}/api/query", data=b" " * (256 * 1024 + 1), headers=bearer(ADMIN)
        ) as response:
            found["too-large"] = await response.json()
        for user in ("u", "v"):
            message = {"type": "queries.add-user", "data": {"userId": user, "fullName": "U"}}
            async with server.http.post(
                f"{server.url}/api/query",
                json=message,
                headers=bearer(ADMIN) | {"Idempotency-Key": "k"},
            ) as response:
                found["key-reused"] = await response.json()
        hasty = await server.connect(READER)
        for _ in range(1_000):
            await hasty.send_json({"type": "hurry"})
        async with asyncio.timeout(5):
            while (frame := await hasty.receive_json())["data"]["code"] == "unknown-type":
                pass
        found["rate-limited"] = frame
    return found
