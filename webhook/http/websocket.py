"""`GET /ws`: the websocket that scripts hold open."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from weakref import WeakSet

from aiohttp import ClientConnectionError, WSCloseCode, WSMsgType, web

from webhook.http.authentication import Authenticator
from webhook.http.connection import (
    MAX_INVALID,
    PAUSE,
    ConnectionCounter,
    ConnectionLimits,
    MessageRunner,
    SendQueue,
    WaitingBytes,
    abort_if_unread,
    disconnect,
)
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Caller, Context
from webhook.protocol.messages import ClientMessage
from webhook.protocol.session import Session, SessionSettings

log = logging.getLogger(__name__)

HEARTBEAT = 15.0
"""Seconds of silence before a ping, and then before the connection is closed."""

_CONTROL = ClientMessage("", {})


class FrameSender:
    """Sends a session's frames over a websocket."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.WriteTransport,
        queue: SendQueue[bytes],
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._queue = queue
        self.put = queue.put
        self.drain = queue.drain

    async def send(self, frame: bytes) -> None:
        """Send a frame at once if nothing waits, which saves waking `write`; else queue it."""
        if self._queue or self._transport.get_write_buffer_size():
            self.put(frame)
        else:
            await self._write(frame)

    async def write(self) -> None:
        """Send queued frames until cancelled, or too many of them wait."""
        while not self._queue.is_closed:
            await self._queue.wait()
            for frame in self._queue.oldest(0):
                await self._write(frame)
                self._queue.remove(1)

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
        connections: ConnectionCounter,
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._settings = settings
        self._authenticator = authenticator
        self._limits = limits
        self._sockets: WeakSet[web.WebSocketResponse] = WeakSet()
        self._connections = connections

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Authenticate, upgrade, and answer until the client leaves."""
        caller = await self._authenticator.authenticate(request)
        with (
            self._connections.count(caller.name) as waiting,
            self._settings.metrics.websockets.track_inprogress(),
        ):
            socket = web.WebSocketResponse(
                max_msg_size=self._limits.frame_bytes,
                compress=False,
                autoping=False,
                decode_text=False,  # aiohttp closes at bytes that are not UTF-8
            )
            await socket.prepare(request)
            self._sockets.add(socket)
            await self._serve(request, socket, caller, waiting)
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
        self,
        request: web.Request,
        socket: web.WebSocketResponse,
        caller: Caller,
        waiting: WaitingBytes,
    ) -> None:
        """Read and write until the client leaves, sends only nonsense, or reads too slowly."""
        if request.transport is None:
            return
        queue = SendQueue[bytes](waiting, lambda: receiver.cancel())
        sender = FrameSender(socket, request.transport, queue)
        session = Session(self._context.of(caller), self._catalogue, self._settings, sender)
        connection = FrameReceiver(socket, session, self._catalogue.read)
        receiver = asyncio.create_task(connection.receive(), name="websocket-receiver")
        writer = asyncio.create_task(sender.write(), name="websocket-writer")
        silence = asyncio.create_task(connection.wait_for_silence(), name="websocket-heartbeat")
        try:
            await asyncio.wait({receiver, silence}, return_when=asyncio.FIRST_COMPLETED)
            if silence.done() and request.transport is not None:
                request.transport.abort()
        finally:
            session.close()
            is_slow = queue.is_closed
            queue.close()
            for task in (receiver, writer, silence):
                task.cancel()
            (is_valid,) = await asyncio.gather(receiver, return_exceptions=True)
            if isinstance(is_valid, Exception):
                log.warning("a websocket of %s failed", caller.name, exc_info=is_valid)
        # Only now: aiohttp does not wait for its close frame to be taken while somebody receives.
        if is_slow:
            self._settings.metrics.too_slow.inc()
            await disconnect(request, socket, WSCloseCode.TRY_AGAIN_LATER, b"too slow")
        elif is_valid is False:
            log.warning("closed a websocket of %s that sent only invalid messages", caller.name)
            await disconnect(
                request, socket, WSCloseCode.POLICY_VIOLATION, b"too many invalid messages"
            )
        else:
            abort_if_unread(request.transport)


class FrameReceiver:
    """Reads the frames of one connection."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        session: Session,
        read: Callable[[bytes | str], ClientMessage],
    ) -> None:
        self._socket = socket
        self._session = session
        self._read = read
        self._is_silent = False

    async def receive(self) -> bool:
        """Read until the client leaves; False: it sent too many invalid messages."""
        invalid_in_a_row = 0
        async with asyncio.TaskGroup() as group:
            runner = MessageRunner(group)
            async for frame in self._socket:
                self._is_silent = False
                if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                    message = self._read(frame.data)
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
                else:
                    await runner.run(limited, self._session.handle)
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
