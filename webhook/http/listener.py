"""The listening socket, and what one request may cost before anybody knows who sent it."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Sequence
from functools import partial

from aiohttp import web, web_protocol
from aiohttp.http_exceptions import HttpProcessingError

from webhook.http.connection_limits import ConnectionLimiter, LimitedProtocol

KEEP_ALIVE = 75.0
"""Seconds that a connection may idle after a request.

More than the minute after which usual clients close an idle connection: were it less, a push could
be sent into a connection that is just being closed, and the CAD does not send it again.
"""

LINGERING = 1.0
"""Seconds in which the rest of a rejected body is still read, so that the answer arrives."""

READ_BUFFER = 64 * 1024

MAX_HEADERS = 48
MAX_HEADER_BYTES = 2048
"""The most headers of a request, and the longest: programs send ten, browsers behind proxies 30."""

HANDSHAKE_TIMEOUT = 10.0
"""Seconds that a client of https has for its handshake; it is unauthenticated meanwhile."""

ACCEPT_BACKOFF = 1.0
"""Seconds until connections are accepted again after the system refused one, for want of files."""

BACKLOG = 4096
"""Connections that wait for the event loop to accept them."""

# aiohttp holds up to 32 pipelined requests a connection and has no setting for it. No client needs
# that, and 200 unauthenticated connections fill 1.3 GiB with them (`tests.soak.floods pipelines`);
# with 2 it is 0.3 GiB.
web_protocol.MAX_MSG_QUEUE_SIZE = 2

log = logging.getLogger("webhook.http")


class CannotListen(Exception):
    """The address cannot be listened on; the text names the setting and says what helps."""

    def __init__(self, host: str, port: int, fault: OSError | UnicodeError) -> None:
        self.is_taken = getattr(fault, "errno", 0) == errno.EADDRINUSE
        self.setting = "http.port"
        if self.is_taken:
            problem = f"another program already listens on the address {host}:{port}"
            self.mend = "stop it, or choose another [http] port"
        elif isinstance(fault, PermissionError):
            problem = f"this user may not listen on [http] port = {port}"
            self.mend = "choose one above 1023, such as 30150"
        else:
            problem = f"this machine cannot listen on [http] host = {host!r}: {fault}"
            self.setting = "http.host"
            self.mend = (
                "write 127.0.0.1 for programs on this machine, 0.0.0.0 for all, or its own address"
            )
        super().__init__(problem)


class Listener:
    def __init__(
        self,
        runner: web.AppRunner,
        server: "asyncio.Server | TlsServer",
        limiter: ConnectionLimiter,
    ) -> None:
        self._limiter = limiter
        self._runner = runner
        self._server = server
        self.port: int = server.sockets[0].getsockname()[1]

    @classmethod
    async def start(
        cls,
        app: web.Application,
        limiter: ConnectionLimiter,
        host: str,
        port: int,
        shutdown_timeout: float,
        tls: ssl.SSLContext | None = None,
    ) -> "Listener":
        """Listen; `shutdown_timeout`: seconds that open requests have to end on `close`.

        Raises:
            CannotListen: the address or the port is of no use.
        """
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=log,
            shutdown_timeout=shutdown_timeout,
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=LINGERING,
            read_bufsize=READ_BUFFER,
            max_headers=MAX_HEADERS,
            max_field_size=MAX_HEADER_BYTES,
            auto_decompress=False,  # webhook.http.bodies does it, up to a limit
        )
        await runner.setup()
        if runner.server is None:
            raise RuntimeError("the application could not be set up")
        make_protocol = partial(LimitedProtocol, limiter, runner.server)
        server: asyncio.Server | TlsServer
        try:
            if tls is not None:
                server = TlsServer(await _bind(host, port), limiter, make_protocol, tls)
            else:
                server = await asyncio.get_running_loop().create_server(
                    make_protocol, host, port, backlog=BACKLOG
                )
        except (OSError, UnicodeError) as fault:
            await runner.cleanup()
            raise CannotListen(host, port, fault) from fault
        return cls(runner, server, limiter)

    async def close(self) -> None:
        """Stop listening, and let open requests end."""
        self._server.close()
        await self._runner.cleanup()
        self._limiter.close()


class TlsServer:
    """Accepts connections and encrypts them; each counts before its handshake has begun.

    The event loop's own server makes a connection known only after the handshake, so those that
    say nothing would count for nobody.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        limiter: ConnectionLimiter,
        make_protocol: Callable[[], asyncio.BaseProtocol],
        context: ssl.SSLContext,
    ) -> None:
        self.sockets = sockets
        self._limiter = limiter
        self._make_protocol = make_protocol
        self._context = context
        self._tasks = {asyncio.create_task(self._accept(listening)) for listening in sockets}

    def close(self) -> None:
        """Stop listening; handshakes under way end, encrypted connections go on."""
        for task in self._tasks:
            task.cancel()
        for listening in self.sockets:
            listening.close()

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, peer = await asyncio.get_running_loop().sock_accept(listening)
            except OSError as fault:
                log.warning("cannot accept connections: %s", fault)
                await asyncio.sleep(ACCEPT_BACKOFF)
                continue
            handshake = _Handshake()
            if self._limiter.admit(handshake, str(peer[0])):
                handshake.begin(self._encrypt(handshake, connection, str(peer[0])), self._tasks)
            else:
                connection.close()

    async def _encrypt(
        self, handshake: "_Handshake", connection: socket.socket, address: str
    ) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make_protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
            )
        except (OSError, TimeoutError) as fault:  # an ssl.SSLError is an OSError
            if getattr(fault, "reason", "") == "HTTP_REQUEST":
                self._limiter.rejection_log.count(
                    "a plain http request",
                    address,
                    "this port speaks https; begin the address with https://",
                )
        finally:
            self._limiter.remove(handshake)


class _Handshake:
    """A connection that is not encrypted yet."""

    def begin(self, work: Coroutine[None, None, None], tasks: set[asyncio.Task[None]]) -> None:
        self._task = asyncio.create_task(work)
        tasks.add(self._task)
        self._task.add_done_callback(tasks.discard)

    def abort(self) -> None:
        self._task.cancel()


async def _bind(host: str, port: int) -> list[socket.socket]:
    """Listen on every address of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    bound: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            bound.append(socket.create_server(address[:2], family=family, backlog=BACKLOG))
            bound[-1].setblocking(False)
    except OSError:
        for listening in bound:
            listening.close()
        raise
    return bound


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Keep invalid HTTP, and clients that hang up, out of the log."""
    exception = record.exc_info[1] if record.exc_info else None
    return not isinstance(
        exception, HttpProcessingError | web.RequestPayloadError | ConnectionError
    )


log.addFilter(_is_our_fault)
