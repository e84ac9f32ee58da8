"""`GET /ws`: the websocket that scripts hold open."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakSet

from aiohttp import ClientConnectionError, WSCloseCode, WSMsgType, web

from webhook.http.authentication import Authenticator
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Caller, Context
from webhook.protocol.errors import BadMessage
from webhook.protocol.messages import Incoming, Message, read
from webhook.protocol.session import Session, SessionSettings

log = logging.getLogger(__name__)

HEARTBEAT = 30.0
"""Seconds between pings; a peer that is gone is noticed after one and a half times that."""

IN_FLIGHT = 64
"""Messages of one connection that are carried out at the same time."""

IN_A_ROW = 64
"""Messages of one connection that are carried out before the others have their turn."""

NONSENSE = 100
"""Messages in a row that are none, after which the connection is closed."""

PAUSE = 0.01
"""Seconds before the next frame is read after one that is no message or one too many."""

CLOSING = 1.0
"""Seconds that a client which does not read has to take its close frame."""


@dataclass(frozen=True)
class ConnectionLimits:
    """How much one connection and one client may take."""

    frame_bytes: int = 256 * 1024
    waiting_bytes: int = 16 * 1024 * 1024
    connections_per_client: int = 1_000


_BINARY = Incoming(BadMessage("frames are text, not binary"), None)
_CONTROL = Incoming(BadMessage("a ping or pong"), None)


class Outbox:
    """Sends frames to one client; one that lets too many bytes pile up is given up."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, most: int) -> None:
        self._request = request
        self._socket = socket
        self._most = most
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()
        self._waiting = 0
        self.has_overflowed = False
        self.give_up: Callable[[], object] = lambda: None

    def put(self, frame: bytes) -> None:
        """Have a frame sent; never waits, never raises."""
        self._waiting += len(frame)
        if self._waiting > self._most and not self.has_overflowed:
            self.has_overflowed = True
            self.give_up()
        elif not self.has_overflowed:
            self._frames.put_nowait(frame)

    async def taken(self) -> None:
        """Wait until what was put has been handed on, or the client is gone."""
        await self._frames.join()

    async def write(self) -> None:
        """Send what is put in until cancelled."""
        while True:
            frame = await self._frames.get()
            with suppress(ConnectionError, ClientConnectionError):
                await self._socket.send_frame(frame, WSMsgType.TEXT)
            self._waiting -= len(frame)
            self._frames.task_done()


class WebSocketHandler:
    """The handler of `GET /ws`."""

    def __init__(
        self,
        context: Context,
        catalogue: Catalogue,
        rules: SessionSettings,
        authenticator: Authenticator,
        limits: ConnectionLimits,
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._rules = rules
        self._authenticator = authenticator
        self._limits = limits
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self._connections: Counter[str] = Counter()

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Authenticate, upgrade, and converse until the client leaves."""
        caller = await self._authenticator.authenticate(request)
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
        outbox = Outbox(request, socket, self._limits.waiting_bytes)
        session = Session(
            self._context.of(caller), self._catalogue, self._rules, outbox.put, outbox.taken
        )
        receiver = asyncio.create_task(self._receive(socket, session), name="receiver")
        writer = asyncio.create_task(outbox.write(), name="writer")
        outbox.give_up = receiver.cancel
        try:
            await asyncio.wait({receiver})
        finally:
            session.close()
            receiver.cancel()
            writer.cancel()
            (ended,) = await asyncio.gather(receiver, return_exceptions=True)
            if isinstance(ended, Exception):
                log.warning("a connection of %s ended: %s", caller.name, ended, exc_info=ended)
        # Only now: aiohttp does not wait for its close frame to be taken while somebody receives.
        if outbox.has_overflowed:
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
        nonsense = in_a_row = 0

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
                    task = group.create_task(session.receive(incoming))
                    task.add_done_callback(lambda _: slots.release())
                if isinstance(given.message, Message):
                    nonsense = 0
                elif given is not _CONTROL:
                    nonsense += 1
                if nonsense == NONSENSE:
                    return False
                in_a_row = (in_a_row + 1) % IN_A_ROW
                if incoming is not given or nonsense:
                    await asyncio.sleep(PAUSE)
                elif not in_a_row:
                    await asyncio.sleep(0)
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
