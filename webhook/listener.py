"""The listening socket, and what one connection may cost before anybody knows who it is."""

import asyncio
import logging
import ssl
import sys
import time
from collections import deque
from collections.abc import Callable

from aiohttp import web, web_protocol
from aiohttp.http_exceptions import HttpProcessingError

from webhook.gate import Gate

KEEP_ALIVE = 75.0
"""Seconds that a connection may take to its first request, or rest after one.

More than the minute after which usual clients give up a connection that rests: were it less, a push
could be sent into a connection that is just being closed, and the CAD does not send it again.
"""

LINGERING = 1.0
"""Seconds in which the rest of a body that was refused is still taken, so that the answer is read.
"""

READ_AT_ONCE = 16 * 1024
"""Bytes taken from one connection before the others have their turn."""

LITTLE = 4096
"""Bytes of who is trusted that need not wait for their turn: most messages have fewer."""

SPELL = 0.01
REST = 0.03
"""Seconds of the event loop given to reading, and then to everything else while strangers wait."""

WAITING_TO_BE_READ = 64 * 1024

FULL = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

HEADERS = 48
HEADER_BYTES = 2048
"""The most headers of a request, and the longest: programs send ten, browsers behind proxies 30."""

BACKLOG = 4096
"""Connections that wait for the event loop to take them."""

# Nobody sends many requests without waiting for answers, save to fill the memory with them: each
# may have as many headers as the others. aiohttp has no setting for it.
web_protocol.MAX_MSG_QUEUE_SIZE = 2

SPARE_FILES = 256
"""Files besides connections: the database, Discord, the log, and what libraries open."""

log = logging.getLogger("webhook.http")


class Turns:
    """Hands what came to aiohttp: a little at a time, from everybody in turn, strangers last.

    However many connections send however much, whatever else the program does has its turn soon.
    """

    def __init__(self) -> None:
        self._trusted: deque[Callable[[], None]] = deque()
        self._strangers: deque[Callable[[], None]] = deque()
        self._spent = 0.0

    def at_once(self, take: Callable[[], object]) -> bool:
        """Have something little taken at once; False: a spell's time went on such in this turn."""
        if self._spent > SPELL:
            return False
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._begin_anew)
        began = time.perf_counter()
        take()
        self._spent += time.perf_counter() - began
        return True

    def _begin_anew(self) -> None:
        self._spent = 0.0

    def add(self, take: Callable[[], None], *, is_trusted: bool) -> None:
        """Have something taken in its turn."""
        if not self._trusted and not self._strangers:
            asyncio.get_running_loop().call_soon(self._next)
        (self._trusted if is_trusted else self._strangers).append(take)

    def _next(self) -> None:
        end = time.perf_counter() + SPELL
        try:
            while waiting := self._trusted or self._strangers:
                waiting.popleft()()
                if time.perf_counter() > end:
                    break
        finally:
            self._rest()

    def _rest(self) -> None:
        if self._trusted or self._strangers:
            asyncio.get_running_loop().call_later(0 if self._trusted else REST, self._next)


class Entrance(asyncio.BufferedProtocol):
    """Stands before aiohttp's protocol, which comes into being when somebody says something."""

    # Of all connections together: it is filled and copied without anybody else having a turn.
    _buffer = bytearray(READ_AT_ONCE)

    def __init__(self, gate: Gate, turns: Turns, server: web.Server) -> None:
        self._gate = gate
        self._turns = turns
        self._server = server
        self._inner: web.RequestHandler | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the gate decide, and say at once if it says no."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if self._gate.enter(transport, str(peer[0]) if peer else ""):
            self._patience = asyncio.get_running_loop().call_later(KEEP_ALIVE, transport.abort)
        else:
            transport.write(FULL)
            transport.close()

    def connection_lost(self, fault: Exception | None) -> None:
        """Make room."""
        self._gate.leave(self._transport)
        self._be_patient_no_more()
        if self._inner is not None:
            self._inner.connection_lost(fault)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where to put what was received."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was received, and take no more before that was done."""
        data = bytes(self._buffer[:nbytes])
        is_trusted = self._gate.is_trusted(self._transport)
        is_little = is_trusted and nbytes <= LITTLE
        if not (is_little and self._turns.at_once(lambda: self._pass_on(data))):
            self._transport.pause_reading()
            self._turns.add(lambda: self._take(data), is_trusted=is_trusted)

    def _take(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        inner = self._pass_on(data)
        # Where aiohttp has paused, as nobody reads what it has, it is aiohttp that goes on.
        if not (inner._reading_paused or inner._buffer_paused or self._transport.is_closing()):
            self._transport.resume_reading()

    def _pass_on(self, data: bytes) -> web.RequestHandler:
        if self._inner is None:
            self._be_patient_no_more()
            self._inner = self._server()
            self._inner.connection_made(self._transport)
        self._inner.data_received(data)
        return self._inner

    def _be_patient_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def eof_received(self) -> None:
        """Let the transport close: aiohttp's protocol does nothing else about it."""

    def pause_writing(self) -> None:
        """Pass on that the peer does not read."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that it reads again."""
        if self._inner is not None:
            self._inner.resume_writing()


class Listener:
    """An application that listens."""

    def __init__(self, runner: web.AppRunner, server: asyncio.Server, gate: Gate) -> None:
        self._gate = gate
        self._runner = runner
        self._server = server
        self.port: int = server.sockets[0].getsockname()[1]

    @classmethod
    async def start(
        cls,
        app: web.Application,
        gate: Gate,
        host: str,
        port: int,
        finishing: float,
        tls: ssl.SSLContext | None = None,
    ) -> "Listener":
        """Listen; `finishing`: seconds that requests have to end when it is closed.

        Raises:
            OSError: the port cannot be listened on.
        """
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=log,
            shutdown_timeout=finishing,
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=LINGERING,
            read_bufsize=WAITING_TO_BE_READ,
            max_headers=HEADERS,
            max_field_size=HEADER_BYTES,
            # webhook.bodies unpacks what is compressed, and knows where to stop.
            auto_decompress=False,
        )
        await runner.setup()
        http, turns = runner.server, Turns()
        if http is None:
            raise RuntimeError("the application could not be set up")
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: Entrance(gate, turns, http), host, port, ssl=tls, backlog=BACKLOG
            )
        except OSError:
            await runner.cleanup()
            raise
        return cls(runner, server, gate)

    async def close(self) -> None:
        """Listen no more, and let what was begun end."""
        self._server.close()
        await self._runner.cleanup()
        self._gate.close()


def affordable(connections: int) -> int:
    """Return how many of these connections the system's limit of open files leaves room for.

    The limit is raised to what is allowed; a listener without files would accept nobody at all.
    """
    if sys.platform == "win32":
        return connections
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            connections = max(16, soft - SPARE_FILES)
            log.warning(
                "only %s connections at a time: the system allows this program %s open files",
                connections,
                soft,
            )
    return connections


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell our mistakes from HTTP that makes no sense, and from those who hang up."""
    fault = record.exc_info[1] if record.exc_info else None
    return not isinstance(fault, HttpProcessingError | web.RequestPayloadError | ConnectionError)


log.addFilter(_is_ours)
