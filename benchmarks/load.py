"""The load: clients that cost far less than what they measure."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from yarl import URL

from benchmarks.figure import PROCESSOR, RATE, Round
from benchmarks.servers import Server

WARM_UP = 0.5
"""Seconds of load before anything is counted."""

DRAIN = 0.3
"""Seconds for the last answers to arrive once nothing more is asked."""


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


class Tally:
    """Answers, counted until it is over."""

    def __init__(self) -> None:
        self.count = 0
        self.is_over = False

    async def measure(self, server: Server, seconds: float) -> Round:
        """Return the answers a second after a warm-up, and the server's processor time for one."""
        async with wide_awake():
            await asyncio.sleep(WARM_UP)
            counted, used, began = self.count, server.processor, time.perf_counter()
            await asyncio.sleep(seconds)
            answers = self.count - counted
            rate = answers / (time.perf_counter() - began)
            processor = (server.processor - used) / answers * 1e6
        self.is_over = True
        await asyncio.sleep(DRAIN)
        return {RATE: rate, PROCESSOR: processor}


class Asker(WSListener):
    """Sends one request after the other, each once the one before is answered."""

    def __init__(self, requests: Iterator[bytes], tally: Tally) -> None:
        self._requests = requests
        self._tally = tally

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, next(self._requests))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        self._tally.count += 1
        if not self._tally.is_over:
            transport.send(WSMsgType.TEXT, next(self._requests))


async def ask(
    server: Server, requests: Sequence[bytes], *, connections: int, seconds: float
) -> Round:
    """Measure requests over websockets."""
    tally, sent = Tally(), cycle(requests)
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            await stack.enter_async_context(
                connected(lambda: Asker(sent, tally), f"{server.url}/ws", server.headers)
            )
        return await tally.measure(server, seconds)


@asynccontextmanager
async def connected(
    listener: Callable[[], WSListener], url: str, headers: dict[str, str]
) -> AsyncIterator[WSTransport]:
    """Hold a websocket open."""
    transport, _ = await ws_connect(
        listener,
        url.replace("http", "ws", 1),
        extra_headers=headers,
        websocket_handshake_timeout=30,
    )
    try:
        yield transport
    finally:
        transport.disconnect()
        await transport.wait_disconnected()


class Subscriber(WSListener):
    """Subscribes to events, and ignores whatever arrives after that."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._unanswered = len(names)
        self.subscribed = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        for name in self._names:
            frame = {"type": "subscribe", "data": {"id": f"events.{name}"}}
            transport.send(WSMsgType.TEXT, orjson.dumps(frame))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT or not self._unanswered:
            return
        self._unanswered -= 1
        if not frame.get_payload_as_bytes().startswith(b'{"type":"status"'):
            self.subscribed.set_exception(RuntimeError(frame.get_payload_as_utf8_text()))
        elif not self._unanswered:
            self.subscribed.set_result(None)


@asynccontextmanager
async def subscribed(server: Server, *names: str) -> AsyncIterator[None]:
    """Hold a websocket open that has subscribed to events."""
    subscriber = Subscriber(names)
    async with connected(lambda: subscriber, f"{server.url}/ws", server.headers):
        await subscriber.subscribed
        yield


class Poster(asyncio.Protocol):
    """Sends one request after the other, each once the one before is answered."""

    def __init__(self, requests: Iterator[bytes], tally: Tally) -> None:
        self._requests = requests
        self._tally = tally
        self._received = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not _is_ok(self._received):
            return
        self._received = b""
        self._tally.count += 1
        if not self._tally.is_over:
            self._transport.write(next(self._requests))


def _is_ok(received: bytes) -> bool:
    """Tell whether an answer has arrived whole.

    Raises:
        RuntimeError: it is another one than `OK`.
    """
    if received.endswith(b"\r\n\r\nOK"):
        return True
    if b"\r\n\r\n" in received and not received.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the answer was {received!r}")
    return False


def request(path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def post(
    server: Server, requests: Iterator[bytes], *, connections: int, seconds: float
) -> Round:
    """Measure requests that are answered `OK`."""
    tally, url = Tally(), URL(server.url)
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(connections):
        transport, _poster = await loop.create_connection(
            lambda: Poster(requests, tally), url.host or "", url.port or 0
        )
        transports.append(transport)
    try:
        return await tally.measure(server, seconds)
    finally:
        for transport in transports:
            transport.abort()


class Line(asyncio.Protocol):
    """A connection that stays open; each request waits for its answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            if _is_ok(self._received):
                self._answered.set_result(None)
        except RuntimeError as fault:
            self._answered.set_exception(fault)

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
