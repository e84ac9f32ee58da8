"""`/events/*`: SockJS, with which web pages connect over a websocket or, failing that, plain HTTP.

https://github.com/sockjs/sockjs-protocol, with the answers of Vert.x (vertx-web 4.2.4). `jsonp`
and `htmlfile`, for the browsers of 2010, are left out.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import orjson
from aiohttp import ClientConnectionError, WSCloseCode, WSMsgType, web

from webhook.http.authentication import Authenticator
from webhook.http.bodies import BodyReader
from webhook.http.connection import PAUSE, ConnectionCounter, ConnectionLimits, disconnect
from webhook.http.sockjs_session import SockJsSession
from webhook.protocol.context import Caller
from webhook.protocol.errors import BadJson, TooLarge
from webhook.protocol.json_reader import parse_json
from webhook.protocol.metrics import Metrics

PREFIX = "/events"
SESSION = PREFIX + "/{server:[^/.]+}/{session:[^/.]+}"

STREAMED_BYTES = 128 * 1024
"""Bytes after which a streaming answer ends; the client asks again."""

POST_FRAMES = 4
"""The most bytes of a POST, in frames: it holds all that a page has sent since the last one."""

PRELUDE = b"h" * 2048 + b"\n"
"""Begins a streaming answer, because some browsers show nothing of it before so many bytes."""

INVALID_DELAY = 1.0
"""Seconds before a client that sends an invalid frame is closed, as it would connect again."""

IN_USE = b'c[2010,"Another connection still open"]'

NOT_STORED = {"Cache-Control": "no-store, no-cache, no-transform, must-revalidate, max-age=0"}
STREAMED = NOT_STORED | {"X-Accel-Buffering": "no"}  # nginx would hold it back


class InvalidFrame(Exception):
    """A client sent something that is not a SockJS frame."""


@dataclass(frozen=True)
class HttpTransport:
    """How an answer carries frames; it ends after `max_bytes` of them."""

    content_type: str
    prelude: bytes
    pack: Callable[[bytes], bytes]
    max_bytes: int


def _line(frame: bytes) -> bytes:
    return frame + b"\n"


def _server_sent_event(frame: bytes) -> bytes:
    return b"data: %b\r\n\r\n" % frame.replace(b"%", b"%25")  # the client decodes it like an URL


_JAVASCRIPT = "application/javascript; charset=UTF-8"
XHR = HttpTransport(_JAVASCRIPT, b"", _line, 1)
XHR_STREAMING = HttpTransport(_JAVASCRIPT, PRELUDE, _line, STREAMED_BYTES)
EVENTSOURCE = HttpTransport(
    "text/event-stream; charset=UTF-8", b"\r\n", _server_sent_event, STREAMED_BYTES
)


class SockJs:
    """The handlers below `/events`; `serve` is what a session does."""

    def __init__(
        self,
        serve: Callable[[SockJsSession], Awaitable[None]],
        max_silence: float,
        authenticator: Authenticator,
        limits: ConnectionLimits,
        connections: ConnectionCounter,
        bodies: BodyReader,
        metrics: Metrics,
    ) -> None:
        self._serve = serve
        self._max_silence = max_silence
        self._authenticator = authenticator
        self._limits = limits
        self._connections = connections
        self._bodies = bodies
        self._metrics = metrics
        self._sessions: set[SockJsSession] = set()
        self._over_http: dict[tuple[str, str], tuple[SockJsSession, ExitStack]] = {}
        self._is_closing = False

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(PREFIX, _welcome)
        router.add_get(f"{PREFIX}/", _welcome)
        router.add_get(f"{PREFIX}/info", self.info)
        router.add_get(f"{PREFIX}/websocket", self.raw_websocket, allow_head=False)
        router.add_get(f"{SESSION}/websocket", self.websocket, allow_head=False)
        router.add_post(f"{SESSION}/xhr", partial(self._receive_over_http, XHR))
        router.add_post(f"{SESSION}/xhr_streaming", partial(self._receive_over_http, XHR_STREAMING))
        receive_events = partial(self._receive_over_http, EVENTSOURCE)
        router.add_get(f"{SESSION}/eventsource", receive_events, allow_head=False)
        router.add_post(f"{SESSION}/xhr_send", self.xhr_send)

    def close(self) -> None:
        """End all sessions."""
        self._is_closing = True
        for session in list(self._sessions):
            session.close()

    async def info(self, request: web.Request) -> web.Response:
        """Say which transports there are; the random number seeds those of old browsers."""
        await self._authenticator.authenticate(request)
        answer = {
            "websocket": True,
            "cookie_needed": False,
            "origins": ["*:*"],
            "entropy": secrets.randbits(32),
        }
        return web.Response(
            body=orjson.dumps(answer),
            headers=NOT_STORED | {"Content-Type": "application/json; charset=UTF-8"},
        )

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Hold a session over a websocket of its own, in frames of SockJS."""

        async def send(socket: web.WebSocketResponse, session: SockJsSession) -> None:
            async def send_frame(frame: bytes) -> bool:
                await socket.send_frame(frame, WSMsgType.TEXT)
                return True

            await session.send_frames(send_frame)

        return await self._converse(request, unpack, send, WSCloseCode.OK, b"Go away!")

    async def raw_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Hold a session over a websocket whose frames are the messages themselves."""

        async def send(socket: web.WebSocketResponse, session: SockJsSession) -> None:
            while not session.is_closed:
                for message in await session.next_messages(0):
                    await socket.send_frame(bytes(message), WSMsgType.TEXT)
                    session.confirm(1)

        return await self._converse(
            request, lambda text: [text], send, WSCloseCode.GOING_AWAY, b"Session expired"
        )

    async def xhr_send(self, request: web.Request) -> web.Response:
        """Take messages for a session over HTTP: a JSON array of strings."""
        caller = await self._authenticator.authenticate(request)
        session, _ = self._over_http.get(_key(caller, request), (None, None))
        if session is None:
            return web.Response(status=404, text="Not Found")
        async with session.turn:
            await session.wait_for_room()  # so that one body at a time is held in memory
            try:
                body = await self._bodies.read(request, POST_FRAMES * self._limits.frame_bytes)
                if not body:
                    return web.Response(status=500, text="Payload expected.")
                texts = unpack(body)
            except TooLarge as error:
                return web.Response(status=413, text=error.message)
            except (BadJson, InvalidFrame):
                return web.Response(status=500, text="Broken JSON encoding.")
            if session.is_closed:
                return web.Response(status=404, text="Not Found")
            await session.receive(texts)
        return web.Response(status=204, content_type="text/plain", charset="UTF-8")

    async def _receive_over_http(
        self, transport: HttpTransport, request: web.Request
    ) -> web.StreamResponse:
        """Send a session's frames as the answer to a request; the first one opens the session."""
        caller = await self._authenticator.authenticate(request)
        key = _key(caller, request)
        session = self._find_or_open(caller, key)
        is_receiver = session.attach(request)
        response = web.StreamResponse(headers=STREAMED | {"Content-Type": transport.content_type})
        sent_bytes = 0

        async def send(frame: bytes) -> bool:
            nonlocal sent_bytes
            chunk = transport.pack(frame)
            await response.write(chunk)
            sent_bytes += len(chunk)
            return sent_bytes < transport.max_bytes

        try:
            with self._authenticator.limiter.cancel_when_lost(request.transport):
                await response.prepare(request)
                if transport.prelude:
                    await response.write(transport.prelude)
                if is_receiver:
                    await session.send_frames(send)
                else:
                    await send(IN_USE)
        finally:
            if is_receiver:
                session.detach(partial(self._remove, key))
        return response

    async def _converse(
        self,
        request: web.Request,
        unpack: Callable[[str], list[str]],
        send: Callable[[web.WebSocketResponse, SockJsSession], Awaitable[None]],
        code: int,
        reason: bytes,
    ) -> web.WebSocketResponse:
        """Read and write until the client leaves or the session ends."""
        caller = await self._authenticator.authenticate(request)
        socket = web.WebSocketResponse(
            max_msg_size=self._limits.frame_bytes,
            compress=False,
            autoping=False,
            decode_text=False,  # aiohttp closes at bytes that are not UTF-8
        )
        if not socket.can_prepare(request):
            raise web.HTTPBadRequest(text='Can "Upgrade" only to "WebSocket".')
        with self._open(caller) as session:
            await socket.prepare(request)
            session.attach(request)
            reader = asyncio.create_task(_read(socket, session, unpack), name="sockjs-reader")
            try:
                with suppress(ConnectionError, ClientConnectionError):
                    await send(socket, session)
            finally:
                session.close()
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)
            await disconnect(request, socket, code, reason)
        return socket

    def _find_or_open(self, caller: Caller, key: tuple[str, str]) -> SockJsSession:
        if key not in self._over_http:
            resources = ExitStack()
            session = resources.enter_context(self._open(caller))
            self._over_http[key] = session, resources
        return self._over_http[key][0]

    @contextmanager
    def _open(self, caller: Caller) -> Iterator[SockJsSession]:
        """Open a session for as long as the block lasts."""
        if self._is_closing:
            raise web.HTTPServiceUnavailable(text="the server shuts down")
        with (
            self._connections.count(caller.name) as waiting,
            self._metrics.event_bus.track_inprogress(),
        ):
            session = SockJsSession(
                caller,
                waiting,
                self._max_silence,
                self._metrics,
                self._serve,
            )
            self._sessions.add(session)
            try:
                yield session
            finally:
                session.close()
                self._sessions.discard(session)

    def _remove(self, key: tuple[str, str]) -> None:
        _, resources = self._over_http.pop(key)
        resources.close()


def unpack(frame: str | bytes) -> list[str]:
    """Return the messages of a frame: an array of strings, or one string.

    Raises:
        InvalidFrame: it is something else.
    """
    if not frame:
        return []
    try:
        document = parse_json(frame)
    except BadJson as error:
        raise InvalidFrame from error
    texts = [document] if isinstance(document, str) else document
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidFrame
    return texts


async def _read(
    socket: web.WebSocketResponse, session: SockJsSession, unpack: Callable[[str], list[str]]
) -> None:
    """Read until the client leaves or sends something invalid; that ends the session."""
    try:
        async for frame in socket:
            texts: list[str] = []
            if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                texts = unpack(frame.data.decode("utf-8", "replace"))
            elif frame.type is WSMsgType.PING:
                await socket.pong(frame.data)
            elif frame.type is not WSMsgType.PONG:
                break
            await session.receive(texts)
            if not texts:
                await asyncio.sleep(PAUSE)
    except ConnectionError:
        pass
    except InvalidFrame:
        await asyncio.sleep(INVALID_DELAY)
    finally:
        session.close()


def _key(caller: Caller, request: web.Request) -> tuple[str, str]:
    """Return the key of a session over HTTP, which includes the client's name.

    Its id is read from the path, as the router's names are not there after needless slashes.
    """
    return caller.name, request.rel_url.raw_parts[-2]


async def _welcome(_: web.Request) -> web.Response:
    return web.Response(text="Welcome to SockJS!\n")
