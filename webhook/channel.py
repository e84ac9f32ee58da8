"""`GET /ws`: the websocket that scripts hold open."""

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakSet

from aiohttp import WSCloseCode, WSMsgType, web

from webhook.authentication import Door
from webhook.catalogue import Catalogue
from webhook.context import Caller, Context
from webhook.errors import BadMessage
from webhook.messages import Incoming, Message, read
from webhook.session import Rules, Session

log = logging.getLogger(__name__)

HEARTBEAT = 30.0
"""Seconds between pings; a peer that is gone is noticed after one and a half times that."""

IN_FLIGHT = 64
"""Messages of one connection that are carried out at the same time."""

NONSENSE = 100
"""Messages in a row that are none, after which the connection is closed."""

PAUSE = 0.01
"""Seconds before the next frame is read after one that is no message or one too many."""

CLOSING = 1.0
"""Seconds that a client which does not read has to take its close frame."""


@dataclass(frozen=True)
class Limits:
    """How much one connection and one client may take."""

    frame_bytes: int = 256 * 1024
    waiting_frames: int = 2_000
    waiting_bytes: int = 16 * 1024 * 1024
    connections_per_client: int = 1_000


_BINARY = Incoming(BadMessage("frames are text, not binary"), None)
_CONTROL = Incoming(BadMessage("a ping or pong"), None)


class Outbox:
    """Frames on their way to one client; a client that lets too many pile up is given up."""

    def __init__(self, socket: web.WebSocketResponse, limits: Limits) -> None:
        self._socket = socket
        self._limits = limits
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()
        self._bytes = 0
        self.overflowed = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Queue a frame; never waits, never raises."""
        if self.overflowed.is_set():
            return
        self._bytes += len(frame)
        if (
            self._frames.qsize() >= self._limits.waiting_frames
            or self._bytes > self._limits.waiting_bytes
        ):
            self.overflowed.set()
            return
        self._frames.put_nowait(frame)

    async def taken(self) -> None:
        """Wait until every frame has gone out, or the client was given up."""
        empty = asyncio.ensure_future(self._frames.join())
        full = asyncio.ensure_future(self.overflowed.wait())
        try:
            await asyncio.wait({empty, full}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            empty.cancel()
            full.cancel()

    async def run(self) -> None:
        """Send what is queued until the connection ends."""
        while True:
            frame = await self._frames.get()
            await self._socket.send_frame(frame, WSMsgType.TEXT)
            self._bytes -= len(frame)
            self._frames.task_done()


class Channel:
    """The handler of `GET /ws`."""

    def __init__(
        self, context: Context, catalogue: Catalogue, rules: Rules, door: Door, limits: Limits
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._rules = rules
        self._door = door
        self._limits = limits
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self._connections: Counter[str] = Counter()

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Authenticate, upgrade, and converse until the client leaves."""
        caller = await self._door.admit(request)
        if self._connections[caller.name] >= self._limits.connections_per_client:
            raise web.HTTPTooManyRequests(text="too many connections of this client")
        self._connections[caller.name] += 1
        self._rules.metrics.websockets.inc()
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT,
            max_msg_size=self._limits.frame_bytes,
            compress=False,
            autoping=False,
        )
        try:
            await socket.prepare(request)
            self._sockets.add(socket)
            await self._converse(request, socket, caller)
        finally:
            self._connections[caller.name] -= 1
            self._rules.metrics.websockets.dec()
        return socket

    async def close(self) -> None:
        """Tell every client that the server goes away."""
        await asyncio.gather(
            *(
                socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server shuts down")
                for socket in set(self._sockets)
            ),
            return_exceptions=True,
        )

    async def _converse(
        self, request: web.Request, socket: web.WebSocketResponse, caller: Caller
    ) -> None:
        outbox = Outbox(socket, self._limits)
        session = Session(
            self._context.of(caller), self._catalogue, self._rules, outbox.put, outbox.taken
        )
        sender = asyncio.create_task(outbox.run(), name="outbox")
        receiver = asyncio.create_task(self._receive(socket, session), name="receiver")
        overflow = asyncio.create_task(outbox.overflowed.wait(), name="overflow")
        tasks = (sender, receiver, overflow)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            session.close()
            for task in tasks:
                task.cancel()
            _, ended, _ = await asyncio.gather(*tasks, return_exceptions=True)
            if isinstance(ended, Exception):
                log.warning("a connection of %s ended: %s", caller.name, ended, exc_info=ended)
        # Only now: aiohttp does not wait for its close frame to be taken while somebody receives.
        if outbox.overflowed.is_set():
            self._rules.metrics.too_slow.inc()
            await _give_up(request, socket, WSCloseCode.TRY_AGAIN_LATER, b"too slow")
        elif ended is False:
            log.warning("a connection of %s was closed: it sent only nonsense", caller.name)
            await _give_up(request, socket, WSCloseCode.POLICY_VIOLATION, b"too much nonsense")

    async def _receive(self, socket: web.WebSocketResponse, session: Session) -> bool:
        """Read until the client leaves; False: what it sends makes no sense to read on.

        A message without an identifier is carried out before the next one is read, so that these
        are answered in order; those with one go side by side.
        """
        slots = asyncio.Semaphore(IN_FLIGHT)
        nonsense = 0

        async def side_by_side(incoming: Incoming) -> None:
            try:
                await session.receive(incoming)
            finally:
                slots.release()

        async with asyncio.TaskGroup() as group:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    given = read(frame.data)
                elif frame.type is WSMsgType.BINARY:
                    given = _BINARY
                elif frame.type in (WSMsgType.PING, WSMsgType.PONG):
                    given = _CONTROL
                else:
                    break
                incoming = session.count(given)
                if frame.type is WSMsgType.PING:
                    with suppress(ConnectionError):
                        await socket.pong(frame.data)
                elif given is _CONTROL:
                    pass
                elif incoming.identifier is None:
                    await session.receive(incoming)
                else:
                    await slots.acquire()
                    group.create_task(side_by_side(incoming))
                if isinstance(given.message, Message):
                    nonsense = 0
                elif given is not _CONTROL:
                    nonsense += 1
                if nonsense == NONSENSE:
                    return False
                # Even what is answered without waiting lets the others have their turn in between.
                await asyncio.sleep(PAUSE if incoming is not given or nonsense else 0)
        return True


async def _give_up(
    request: web.Request, socket: web.WebSocketResponse, code: WSCloseCode, reason: bytes
) -> None:
    """Close on a client that may not take its close frame, or send on instead."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(CLOSING):
            await socket.close(code=code, message=reason, drain=False)
    if request.transport is not None:
        request.transport.abort()
