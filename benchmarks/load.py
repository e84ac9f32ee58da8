"""The load: clients that cost far less than what they measure."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle

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
    """Answers, counted between `begin` and `end`."""

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


class Poster(asyncio.Protocol):
    """Sends one request after the other, each once the one before is answered."""

    def __init__(self, requests: Iterator[bytes], answer: bytes, tally: Tally) -> None:
        self._requests = requests
        self._answer = answer
        self._tally = tally
        self._received = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(self._answer):
            if b"\r\n\r\n" in self._received and not self._received.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"the answer was {self._received!r}")
            return
        self._received = b""
        self._tally.count += 1
        if not self._tally.is_over:
            self._transport.write(next(self._requests))


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
            lambda: Poster(requests, b"\r\n\r\nOK", tally), where.host or "", where.port or 0
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
        if self._received.endswith(b"\r\n\r\nOK"):
            self._answered.set_result(None)
        elif not self._received.startswith(b"HTTP/1.1 200"):
            self._answered.set_exception(RuntimeError(f"the answer was {self._received!r}"))

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
