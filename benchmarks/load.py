"""The load: clients that cost far less than what they measure."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect
from yarl import URL

WARM_UP = 0.5
"""Seconds of load before anything is counted."""

SETTLING = 0.3
"""Seconds that the answers under way have to arrive once nothing more is asked."""


@asynccontextmanager
async def wide_awake() -> AsyncIterator[None]:
    """Never let this process sleep in the block.

    A write to somebody who sleeps takes several times as long, as it wakes them. The baselines keep
    the load busy all the time; without this the bot, which does more, would pay for that as well.
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

    async def rate(self, seconds: float) -> float:
        """Return how many there were in a second, once it has warmed up."""
        async with wide_awake():
            await asyncio.sleep(WARM_UP)
            counted, began = self.count, time.perf_counter()
            await asyncio.sleep(seconds)
            rate = (self.count - counted) / (time.perf_counter() - began)
        self.is_over = True
        await asyncio.sleep(SETTLING)
        return rate


class Asker(WSListener):
    """Keeps some questions in flight on one connection: each answer brings the next question."""

    def __init__(self, questions: Iterator[bytes], in_flight: int, tally: Tally) -> None:
        self._questions = questions
        self._in_flight = in_flight
        self._tally = tally

    def on_ws_connected(self, transport: WSTransport) -> None:
        for _ in range(self._in_flight):
            transport.send(WSMsgType.TEXT, next(self._questions))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        self._tally.count += 1
        if not self._tally.is_over:
            transport.send(WSMsgType.TEXT, next(self._questions))


async def ask(
    url: str,
    headers: dict[str, str],
    questions: Sequence[bytes],
    *,
    connections: int,
    in_flight: int,
    seconds: float,
) -> float:
    """Return the answers a second over websockets."""
    tally, asked = Tally(), cycle(questions)
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            await stack.enter_async_context(
                connected(lambda: Asker(asked, in_flight, tally), url, headers)
            )
        return await tally.rate(seconds)


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


class Hearer(WSListener):
    """Subscribes to events, and calls back for each one that arrives."""

    def __init__(self, names: Sequence[str], heard: Callable[[], None]) -> None:
        self._names = names
        self._heard = heard
        self._unanswered = len(names)
        self.subscribed = asyncio.get_running_loop().create_future()
        if not names:
            self.subscribed.set_result(None)

    def on_ws_connected(self, transport: WSTransport) -> None:
        for name in self._names:
            question = {"type": "subscribe", "data": {"id": f"events.{name}"}}
            transport.send(WSMsgType.TEXT, orjson.dumps(question))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        if not self._unanswered:
            self._heard()
            return
        self._unanswered -= 1
        if not frame.get_payload_as_bytes().startswith(b'{"type":"status"'):
            self.subscribed.set_exception(RuntimeError(frame.get_payload_as_utf8_text()))
        elif not self._unanswered:
            self.subscribed.set_result(None)


@asynccontextmanager
async def hearing(
    url: str, headers: dict[str, str], *names: str, heard: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """Hold a websocket open that has subscribed to events; without names, to whatever comes."""
    hearer = Hearer(names, heard)
    async with connected(lambda: hearer, url, headers):
        await hearer.subscribed
        yield


class Audience:
    """Many subscribers, of whom the last one counts."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._missing = 0
        self._all_have_it: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def listen(
        self, stack: AsyncExitStack, url: str, headers: dict[str, str], *names: str
    ) -> None:
        """Connect all of them, for as long as the stack."""
        for _ in range(self._size):
            await stack.enter_async_context(hearing(url, headers, *names, heard=self._heard))

    async def told(self, tell: Callable[[], Awaitable[object]]) -> float:
        """Have something told; return the seconds until the last subscriber has it."""
        self._missing = self._size
        self._all_have_it = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await tell()
        return await self._all_have_it - began

    def _heard(self) -> None:
        self._missing -= 1
        if not self._missing:
            self._all_have_it.set_result(time.perf_counter())


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
    """Write a POST of JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def post(url: str, requests: Iterator[bytes], *, connections: int, seconds: float) -> float:
    """Return the requests a second that were answered `OK`."""
    tally, where = Tally(), URL(url)
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(connections):
        transport, _poster = await loop.create_connection(
            lambda: Poster(requests, tally), where.host or "", where.port or 0
        )
        transports.append(transport)
    try:
        return await tally.rate(seconds)
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
async def line_to(url: str) -> AsyncIterator[Line]:
    """Open a connection to a server."""
    where = URL(url)
    loop = asyncio.get_running_loop()
    transport, line = await loop.create_connection(Line, where.host or "", where.port or 0)
    try:
        yield line
    finally:
        transport.abort()
