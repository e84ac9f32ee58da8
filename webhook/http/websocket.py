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
from webhook.protocol.messages import ClientMessage, read_message
from webhook.protocol.session import Session, SessionSettings

log = logging.getLogger(__name__)

HEARTBEAT = 15.0
"""Seconds of silence before a ping, and then before the connection is closed."""

MAX_IN_FLIGHT = 64
"""Messages of one connection that are carried out at the same time."""

MAX_INVALID = 100
"""Invalid messages in a row after which the connection is closed."""

PAUSE = 0.01
"""Seconds before the next frame is read after a message that is invalid or over the rate limit."""

CLOSE_TIMEOUT = 1.0
"""Seconds that a client which does not read has to take its close frame."""

_BINARY = ClientMessage("", {}, error=BadMessage("frames must be text, not binary"))
_CONTROL = ClientMessage("", {})


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
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.WriteTransport,
        max_bytes: int,
        on_overflow: Callable[[], object],
    ) -> None:
        self._socket = socket
        self._transport = transport
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

    async def send(self, frame: bytes) -> None:
        """Send a frame at once if nothing waits, which saves waking `write`; else queue it."""
        if self._waiting_bytes or self._transport.get_write_buffer_size():
            self.put(frame)
        else:
            await self._write(frame)

    async def drain(self) -> None:
        """Wait until every queued frame has been sent."""
        await self._frames.join()

    async def write(self) -> None:
        """Send queued frames until cancelled."""
        while True:
            frame = await self._frames.get()
            await self._write(frame)
            self._waiting_bytes -= len(frame)
            self._frames.task_done()

    async def _write(self, frame: bytes) -> None:
        with suppress(ConnectionError, ClientConnectionError):
            await self._socket.send_frame(frame, WSMsgType.TEXT)


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
        if request.transport is None:
            return
        queue = SendQueue(
            socket, request.transport, self._limits.waiting_bytes, lambda: receiver.cancel()
        )
        session = Session(self._context.of(caller), self._catalogue, self._settings, queue)
        connection = FrameReceiver(socket, session)
        receiver = asyncio.create_task(connection.receive(), name="websocket-receiver")
        writer = asyncio.create_task(queue.write(), name="websocket-writer")
        silence = asyncio.create_task(connection.wait_for_silence(), name="websocket-heartbeat")
        try:
            await asyncio.wait({receiver, silence}, return_when=asyncio.FIRST_COMPLETED)
            if silence.done():
                request.transport.abort()
        finally:
            session.close()
            for task in (receiver, writer, silence):
                task.cancel()
            (is_valid,) = await asyncio.gather(receiver, return_exceptions=True)
            if isinstance(is_valid, Exception):
                log.warning("a websocket of %s failed", caller.name, exc_info=is_valid)
        # Only now: aiohttp does not wait for its close frame to be taken while somebody receives.
        if queue.has_overflowed:
            self._settings.metrics.too_slow.inc()
            await _disconnect(request, socket, WSCloseCode.TRY_AGAIN_LATER, b"too slow")
        elif is_valid is False:
            log.warning("closed a websocket of %s that sent only invalid messages", caller.name)
            await _disconnect(
                request, socket, WSCloseCode.POLICY_VIOLATION, b"too many invalid messages"
            )


class FrameReceiver:
    """Reads the frames of one connection."""

    def __init__(self, socket: web.WebSocketResponse, session: Session) -> None:
        self._socket = socket
        self._session = session
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._is_silent = False

    async def receive(self) -> bool:
        """Read until the client leaves; False: it sent too many invalid messages.

        A message without an identifier is carried out before the next one is read, so that these
        are answered in order; those with an identifier run side by side.
        """
        invalid_in_a_row = 0
        async with asyncio.TaskGroup() as group:
            async for frame in self._socket:
                self._is_silent = False
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
                limited = self._session.limit_rate(message)
                if message is _CONTROL:
                    if frame.type is WSMsgType.PING:
                        with suppress(ConnectionError):
                            await self._socket.pong(frame.data)
                elif message.identifier is None:
                    await self._session.handle(limited)
                    await asyncio.sleep(0)  # some answers wait for nothing: others have their turn
                else:
                    await self._slots.acquire()
                    group.create_task(self._handle_and_release(limited))
                if invalid_in_a_row == MAX_INVALID:
                    return False
                if limited.error is not None:
                    await asyncio.sleep(PAUSE)
        return True

    async def wait_for_silence(self) -> None:
        """Ping a client that sends nothing; return if it does not answer either.

        aiohttp's own heartbeat takes a twentieth of the time of a message.
        """
        while not self._is_silent:
            self._is_silent = True
            await asyncio.sleep(HEARTBEAT)
            if self._is_silent:
                with suppress(ConnectionError):
                    await self._socket.ping()
                await asyncio.sleep(HEARTBEAT)

    async def _handle_and_release(self, message: ClientMessage) -> None:
        try:
            await self._session.handle(message)
        finally:
            self._slots.release()


async def _disconnect(
    request: web.Request, socket: web.WebSocketResponse, code: WSCloseCode, reason: bytes
) -> None:
    """Close a connection whose client may neither take its close frame nor stop sending."""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await socket.close(code=code, message=reason, drain=False)
    if request.transport is not None:
        request.transport.abort()
