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
from webhook.protocol.messages import Message, read_message
from webhook.protocol.session import Session, SessionSettings

log = logging.getLogger(__name__)

HEARTBEAT = 30.0
"""Seconds between pings; a peer that is gone is noticed after one and a half times that."""

MAX_IN_FLIGHT = 64
"""Messages of one connection that are carried out at the same time."""

MAX_INVALID = 100
"""Invalid messages in a row after which the connection is closed."""

PAUSE = 0.01
"""Seconds before the next frame is read after a message that is invalid or over the rate limit."""

CLOSE_TIMEOUT = 1.0
"""Seconds that a client which does not read has to take its close frame."""

_BINARY = Message(error=BadMessage("frames must be text, not binary"))
_CONTROL = Message()


@dataclass(frozen=True)
class ConnectionLimits:
    """How much one connection and one client may take."""

    frame_bytes: int = 256 * 1024
    waiting_bytes: int = 16 * 1024 * 1024
    connections_per_client: int = 1_000


class SendQueue:
    """Frames on their way to one client.

    Once more than `max_bytes` wait, `on_overflow` is called and no further frame is taken.
    """

    def __init__(
        self, socket: web.WebSocketResponse, max_bytes: int, on_overflow: Callable[[], object]
    ) -> None:
        self._socket = socket
        self._max_bytes = max_bytes
        self._on_overflow = on_overflow
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()
        self._waiting_bytes = 0
        self.has_overflowed = False

    def put(self, frame: bytes) -> None:
        """Queue a frame; never waits, never raises."""
        if self.has_overflowed:
            return
        self._waiting_bytes += len(frame)
        if self._waiting_bytes > self._max_bytes:
            self.has_overflowed = True
            self._on_overflow()
        else:
            self._frames.put_nowait(frame)

    async def drain(self) -> None:
        """Wait until every queued frame has been sent."""
        await self._frames.join()

    async def write(self) -> None:
        """Send queued frames until cancelled."""
        while True:
            frame = await self._frames.get()
            with suppress(ConnectionError, ClientConnectionError):
                await self._socket.send_frame(frame, WSMsgType.TEXT)
            self._waiting_bytes -= len(frame)
            self._frames.task_done()


class WebSocketHandler:
    """The handler of `GET /ws`."""

    def __init__(
        self,
        context: Context,
        catalogue: Catalogue,
        settings: SessionSettings,
        authenticator: Authenticator,
        limits: ConnectionLimits,
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._settings = settings
        self._authenticator = authenticator
        self._limits = limits
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self._connections: Counter[str] = Counter()

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Authenticate, upgrade, and answer until the client leaves."""
        caller = await self._authenticator.authenticate(request)
        if self._connections[caller.name] >= self._limits.connections_per_client:
            raise web.HTTPTooManyRequests(text="too many connections of this client")
        self._connections[caller.name] += 1
        self._settings.metrics.websockets.inc()
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT,
            max_msg_size=self._limits.frame_bytes,
            compress=False,
            autoping=False,
        )
        try:
            await socket.prepare(request)
            self._sockets.add(socket)
            await self._serve(request, socket, caller)
        finally:
            self._connections[caller.name] -= 1
            self._settings.metrics.websockets.dec()
        return socket

    async def close(self) -> None:
        """Tell every client that the server shuts down."""
        await asyncio.gather(
            *(
                socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server shuts down")
                for socket in set(self._sockets)
            ),
            return_exceptions=True,
        )

    async def _serve(
        self, request: web.Request, socket: web.WebSocketResponse, caller: Caller
    ) -> None:
        """Read and write until the client leaves, sends only nonsense, or reads too slowly."""
        queue = SendQueue(socket, self._limits.waiting_bytes, lambda: receiver.cancel())
        session = Session(
            self._context.of(caller), self._catalogue, self._settings, queue.put, queue.drain
        )
        receiver = asyncio.create_task(_receive(socket, session), name="websocket-receiver")
        writer = asyncio.create_task(queue.write(), name="websocket-writer")
        try:
            await asyncio.wait({receiver})
        finally:
            session.close()
            receiver.cancel()
            writer.cancel()
            (is_valid,) = await asyncio.gather(receiver, return_exceptions=True)
            if isinstance(is_valid, Exception):
                log.warning("A websocket of %s failed.", caller.name, exc_info=is_valid)
        # Only now: aiohttp does not wait for its close frame to be taken while somebody receives.
        if queue.has_overflowed:
            self._settings.metrics.too_slow.inc()
            await _disconnect(request, socket, WSCloseCode.TRY_AGAIN_LATER, b"too slow")
        elif is_valid is False:
            log.warning("Closed a websocket of %s that sent only invalid messages.", caller.name)
            await _disconnect(
                request, socket, WSCloseCode.POLICY_VIOLATION, b"too many invalid messages"
            )


async def _receive(socket: web.WebSocketResponse, session: Session) -> bool:
    """Read until the client leaves; False: it sent too many invalid messages.

    A message without an identifier is carried out before the next one is read, so that these are
    answered in order; those with an identifier run side by side.
    """
    slots = asyncio.Semaphore(MAX_IN_FLIGHT)
    invalid_in_a_row = 0
    async with asyncio.TaskGroup() as group:
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                message = read_message(frame.data)
            elif frame.type is WSMsgType.BINARY:
                message = _BINARY
            elif frame.type in (WSMsgType.PING, WSMsgType.PONG):
                message = _CONTROL
            else:
                break
            if message is not _CONTROL:
                invalid_in_a_row = invalid_in_a_row + 1 if message.error else 0
            limited = session.limit_rate(message)
            if message is _CONTROL:
                if frame.type is WSMsgType.PING:
                    with suppress(ConnectionError):
                        await socket.pong(frame.data)
            elif message.identifier is None:
                await session.handle(limited)
            else:
                await slots.acquire()
                task = group.create_task(session.handle(limited))
                task.add_done_callback(lambda _: slots.release())
            if invalid_in_a_row == MAX_INVALID:
                return False
            # Even a sleep of 0 gives other connections their turn.
            await asyncio.sleep(PAUSE if limited.error else 0)
    return True


async def _disconnect(
    request: web.Request, socket: web.WebSocketResponse, code: WSCloseCode, reason: bytes
) -> None:
    """Close a connection whose client may neither take its close frame nor stop sending."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await socket.close(code=code, message=reason, drain=False)
    if request.transport is not None:
        request.transport.abort()
