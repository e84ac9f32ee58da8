"""The load: clients that cost far less than what they measure."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from yarl import URL

from benchmarks.figure import PROCESSOR, RATE, Round
from benchmarks.servers import Server

WARM_UP = 0.5
"""Seconds of load before anything is counted."""


@asynccontextmanager
async def wide_awake() -> AsyncIterator[None]:
    """Keep this process from sleeping in the block.

    A write to a process that sleeps takes several times as long, as it wakes it. The plain program
    keeps the load busy; without this the bot, which does more, would pay for waking it as well.
    """

    async def spin() -> None:
        while True:  # noqa: ASYNC110 - it waits for nothing
            await asyncio.sleep(0)

    spinning = asyncio.create_task(spin())
    try:
        yield
    finally:
        spinning.cancel()


async def measure(
    server: Server, clients: Sequence[Callable[[], Awaitable[object]]], seconds: float
) -> Round:
    """Have each client send one request after the other, each once the one before is answered.

    Return the answers a second after a warm-up, and the server's processor time for one.
    """
    answers, is_over = 0, False

    async def send(client: Callable[[], Awaitable[object]]) -> None:
        nonlocal answers
        while not is_over:
            await client()
            answers += 1

    async with wide_awake(), asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(send(client))
        await asyncio.sleep(WARM_UP)
        before, used, began = answers, server.processor, time.perf_counter()
        await asyncio.sleep(seconds)
        counted, took = answers - before, time.perf_counter() - began
        processor = (server.processor - used) / counted * 1e6
        is_over = True
    return {RATE: counted / took, PROCESSOR: processor}


class Socket(WSListener):
    """A websocket with one request in flight; what else arrives is ignored."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT and self._answer is not None:
            answer, self._answer = self._answer, None
            answer.set_result(frame.get_payload_as_bytes())

    async def ask(self, frame: bytes) -> bytes:
        """Send a frame and return the next one that arrives."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.send(WSMsgType.TEXT, frame)
        return await self._answer


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Socket]:
    """Hold a websocket open."""
    socket = Socket()
    transport, _ = await ws_connect(
        lambda: socket,
        f"{server.url}/ws".replace("http", "ws", 1),
        extra_headers=server.headers,
        websocket_handshake_timeout=30,
    )
    try:
        yield socket
    finally:
        transport.disconnect()
        await transport.wait_disconnected()


@asynccontextmanager
async def subscribed(server: Server, *names: str) -> AsyncIterator[None]:
    """Hold a websocket open that has subscribed to events."""
    async with connected(server) as socket:
        for name in names:
            frame = {"type": "subscribe", "data": {"id": f"events.{name}"}}
            answer = await socket.ask(orjson.dumps(frame))
            if orjson.loads(answer)["type"] != "status":
                raise RuntimeError(answer.decode())
        yield


def request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Line(asyncio.Protocol):
    """A connection for HTTP that stays open; each request waits for its answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(b"\r\n\r\nOK"):
            self._answered.set_result(None)
        elif b"\r\n\r\n" in self._received and not self._received.startswith(b"HTTP/1.1 200"):
            self._answered.set_exception(RuntimeError(f"the answer was {self._received!r}"))

    async def send(self, written: bytes) -> None:
        """Send a request; return once it is answered `OK`."""
        self._received = b""
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(written)
        await self._answered


@asynccontextmanager
async def line_to(server: Server) -> AsyncIterator[Line]:
    url = URL(server.url)
    loop = asyncio.get_running_loop()
    transport, line = await loop.create_connection(Line, url.host or "", url.port or 0)
    try:
        yield line
    finally:
        transport.abort()
