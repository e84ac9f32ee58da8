"""Shared by all kinds of connections: limits, the queue of frames, the running of messages."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aiohttp import web

from webhook.protocol.messages import ClientMessage

MAX_IN_FLIGHT = 64
"""Messages of one connection that are carried out at the same time."""

MAX_INVALID = 100
"""Invalid messages in a row after which the connection is closed."""

PAUSE = 0.01
"""Seconds before the next frame is read after a message that is invalid or over the rate limit."""


DRAINED_BYTES = 64 * 1024
"""With no more bytes than this waiting for the client, replaying missed events goes on."""

CLOSE_TIMEOUT = 1.0
"""Seconds that a client which does not read has to take its close frame."""


@dataclass(frozen=True)
class ConnectionLimits:
    """How much one connection and one client may take."""

    frame_bytes: int = 256 * 1024
    waiting_bytes: int = 16 * 1024 * 1024
    connections_per_client: int = 1_000


class ConnectionCounter:
    """Counts the open connections of each client, whatever their kind."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._most = limits.connections_per_client
        self._open: Counter[str] = Counter()

    @contextmanager
    def count(self, client: str) -> Iterator[None]:
        """Count a connection for as long as the block lasts.

        Raises:
            web.HTTPTooManyRequests: the client has as many as it may have.
        """
        if self._open[client] >= self._most:
            raise web.HTTPTooManyRequests(text="too many connections of this client")
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1


class Frame(Protocol):
    """Something that waits to be sent; only its length matters here."""

    def __len__(self) -> int: ...


FrameT = TypeVar("FrameT", bound=Frame)


class SendQueue(Generic[FrameT]):
    """Frames that wait for one client.

    Once more than `max_bytes` wait, the queue closes and calls `on_overflow`.
    """

    def __init__(self, max_bytes: int, on_overflow: Callable[[], object]) -> None:
        self._max_bytes = max_bytes
        self._on_overflow = on_overflow
        self._frames: deque[FrameT] = deque()
        self._waiting_bytes = 0
        self._is_ready = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.is_closed = False

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: FrameT) -> None:
        """Queue a frame; never waits, never raises."""
        if self.is_closed:
            return
        self._waiting_bytes += len(frame)
        if self._waiting_bytes > self._max_bytes:
            self.close()
            self._on_overflow()
            return
        self._frames.append(frame)
        self._is_ready.set()
        if self._waiting_bytes > DRAINED_BYTES:
            self._has_room.clear()

    async def wait(self) -> None:
        """Wait until there is a frame or the queue is closed."""
        await self._is_ready.wait()

    def oldest(self, max_bytes: int) -> list[FrameT]:
        """Return the oldest frames, which stay until they are removed: one, or as many as fit."""
        frames: list[FrameT] = []
        size = 0
        for frame in self._frames:
            size += len(frame)
            if frames and size > max_bytes:
                break
            frames.append(frame)
        return frames

    def remove(self, count: int) -> None:
        """Remove the oldest frames: they have been sent."""
        for _ in range(min(count, len(self._frames))):  # closing has removed them all
            self._waiting_bytes -= len(self._frames.popleft())
        if not self._frames and not self.is_closed:
            self._is_ready.clear()
        if self._waiting_bytes <= DRAINED_BYTES:
            self._has_room.set()

    async def drain(self) -> None:
        """Wait until few bytes are left to send."""
        await self._has_room.wait()

    def close(self) -> None:
        """Drop all frames, and take no more."""
        self.is_closed = True
        self._frames.clear()
        self._waiting_bytes = 0
        self._is_ready.set()
        self._has_room.set()


class MessageRunner:
    """Carries out the messages of one connection.

    A message without an identifier is carried out before the next one is read, so that these are
    answered in order; those with an identifier run concurrently, in tasks of the group.
    """

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def run(
        self, message: ClientMessage, handle: Callable[[ClientMessage], Awaitable[None]]
    ) -> None:
        if message.identifier is None:
            await handle(message)
            await asyncio.sleep(0)  # some answers wait for nothing: others have their turn
        else:
            await self._slots.acquire()
            self._group.create_task(self._run_and_release(message, handle))

    async def _run_and_release(
        self, message: ClientMessage, handle: Callable[[ClientMessage], Awaitable[None]]
    ) -> None:
        try:
            await handle(message)
        finally:
            self._slots.release()


async def disconnect(
    request: web.Request, socket: web.WebSocketResponse, code: int, reason: bytes
) -> None:
    """Close a websocket whose client may neither take its close frame nor stop sending."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await socket.close(code=code, message=reason, drain=False)
    if request.transport is not None:
        request.transport.abort()
