"""Shared by all kinds of connections: limits, the queue of frames, the running of messages."""

import asyncio
from collections import Counter, defaultdict, deque
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
    """How much one connection and one client may take.

    `waiting_bytes`: unread, of one connection; `client_bytes`: of all connections of a client.
    """

    frame_bytes: int = 256 * 1024
    waiting_bytes: int = 16 * 1024 * 1024
    client_bytes: int = 64 * 1024 * 1024
    connections_per_client: int = 1_000


class WaitingBytes:
    """How many bytes wait to be read by one client, over all of its connections."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.total = 0


class ConnectionCounter:
    """Counts the open connections of each client, whatever their kind."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._most = limits.connections_per_client
        self._open: Counter[str] = Counter()
        self._waiting = defaultdict[str, WaitingBytes](lambda: WaitingBytes(limits))

    @contextmanager
    def count(self, client: str) -> Iterator[WaitingBytes]:
        """Count a connection for as long as the block lasts; give what waits for the client.

        Raises:
            web.HTTPTooManyRequests: the client has as many as it may have.
        """
        if self._open[client] >= self._most:
            raise web.HTTPTooManyRequests(text="too many connections of this client")
        self._open[client] += 1
        try:
            yield self._waiting[client]
        finally:
            self._open[client] -= 1


class Frame(Protocol):
    """Something that waits to be sent; only its length matters here."""

    def __len__(self) -> int: ...


FrameT = TypeVar("FrameT", bound=Frame)


class SendQueue(Generic[FrameT]):
    """Frames that wait for one connection of a client.

    Once too many bytes wait, the queue closes and calls `on_overflow`. Where the client has too
    many in all, those of its connections close that have more than a few.
    """

    def __init__(self, of_client: WaitingBytes, on_overflow: Callable[[], object]) -> None:
        self._of_client = of_client
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
        self._count(len(frame))
        if self._is_over():
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
            self._count(-len(self._frames.popleft()))
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
        self._count(-self._waiting_bytes)
        self._is_ready.set()
        self._has_room.set()

    def _count(self, size: int) -> None:
        self._waiting_bytes += size
        self._of_client.total += size

    def _is_over(self) -> bool:
        limits, own = self._of_client.limits, self._waiting_bytes
        is_too_much = self._of_client.total > limits.client_bytes and own > DRAINED_BYTES
        return is_too_much or own > limits.waiting_bytes


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
        else:
            await self._slots.acquire()
            self._group.create_task(self._run_and_release(message, handle))
            await asyncio.sleep(0)  # before the next one is read: others have their turn

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


def abort_if_unread(transport: asyncio.WriteTransport | None) -> None:
    """Break a connection in a moment if its client does not read what is left, however it ended."""
    if transport is not None and transport.get_write_buffer_size():
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, transport.abort)
