"""`GET /ws`: the websocket that scripts hold open."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from struct import pack
from weakref import WeakSet

from aiohttp import ClientConnectionError, WSCloseCode, WSMsgType, web

from webhook.authentication import Door
from webhook.catalogue import Catalogue
from webhook.context import Caller, Context
from webhook.eager import begin
from webhook.errors import BadMessage
from webhook.messages import Incoming, Message, read
from webhook.session import Rules, Session

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
class Limits:
    """How much one connection and one client may take."""

    frame_bytes: int = 256 * 1024
    waiting_bytes: int = 16 * 1024 * 1024
    connections_per_client: int = 1_000


_BINARY = Incoming(BadMessage("frames are text, not binary"), None)
_CONTROL = Incoming(BadMessage("a ping or pong"), None)


class Rounds:
    """Counts turns of the event loop, and empties outboxes at the end of each."""

    def __init__(self) -> None:
        self.turn = 0
        self.has_begun = False
        self._full: list[Outbox] = []

    def begin(self) -> None:
        """Begin a turn: from now on, until others have had theirs, its number stays."""
        self.has_begun = True
        asyncio.get_running_loop().call_soon(self._end)

    def call_at(self, outbox: "Outbox") -> None:
        """Have an outbox emptied at the end of this turn."""
        self._full.append(outbox)

    def _end(self) -> None:
        self.turn += 1
        self.has_begun = False
        full, self._full = self._full, []
        for outbox in full:
            outbox.empty()


@lru_cache(maxsize=1)
def _framed(text: bytes) -> bytes:
    """Write a frame as RFC 6455, 5.2 has it: text, whole, not masked.

    The last one is remembered, as an event is the same for all who hear it.
    """
    length = len(text)
    if length < 126:
        return bytes((_WHOLE_TEXT, length)) + text
    if length < 2**16:
        return pack("!BBH", _WHOLE_TEXT, 126, length) + text
    return pack("!BBQ", _WHOLE_TEXT, 127, length) + text


_WHOLE_TEXT = 0x81


class Outbox:
    """Sends frames to one client; one that lets too much pile up is given up.

    The first frame of a turn of the event loop goes out at once, so that many clients do not wait
    for each other; what is put in after it goes out together, as each write may wake the other
    side, which takes longer than an answer. What the client does not take waits in the transport.
    `give_up` is called once, when that is too much.
    """

    def __init__(
        self, request: web.Request, socket: web.WebSocketResponse, most: int, rounds: Rounds
    ) -> None:
        self._request = request
        self._transport = request.transport
        self._socket = socket
        self._most = most
        self._rounds = rounds
        self._frames: list[bytes] = []
        self._written_in = -1
        self.has_overflowed = False
        self.give_up: Callable[[], object] = lambda: None

    def put(self, frame: bytes) -> None:
        """Send a frame; never waits, never raises."""
        rounds = self._rounds
        if not rounds.has_begun:
            rounds.begin()
        if self._written_in != rounds.turn:
            self._written_in = rounds.turn
            self._write(_framed(frame))
            return
        if not self._frames:
            rounds.call_at(self)
        self._frames.append(_framed(frame))

    async def taken(self) -> None:
        """Wait until most of what was put has gone out, or the client is gone."""
        await asyncio.sleep(0)
        with suppress(ClientConnectionError):
            await self._request.writer.drain()

    def empty(self) -> None:
        """Write what was put in since the first frame of the turn."""
        data = b"".join(self._frames)
        self._frames.clear()
        self._write(data)

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or self._socket.closed:
            return
        if transport.get_write_buffer_size() + len(data) > self._most:
            self._transport = None
            self.has_overflowed = True
            self.give_up()
        else:
            transport.write(data)


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
        self._rounds = Rounds()
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
        outbox = Outbox(request, socket, self._limits.waiting_bytes, self._rounds)
        session = Session(
            self._context.of(caller), self._catalogue, self._rules, outbox.put, outbox.taken
        )
        receiver = asyncio.create_task(self._receive(socket, session), name="receiver")
        outbox.give_up = receiver.cancel
        try:
            await asyncio.wait({receiver})
        finally:
            session.close()
            receiver.cancel()
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
                elif given is _CONTROL or session.answer_at_once(incoming):
                    pass
                elif incoming.identifier is None:
                    await session.receive(incoming)
                elif (task := begin(group, session.receive(incoming))) is not None:
                    await slots.acquire()
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
