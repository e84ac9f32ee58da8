"""The listening socket, and what one connection may cost before anybody knows who it is."""

import asyncio
import logging
import ssl
import sys

from aiohttp import web, web_protocol
from aiohttp.http_exceptions import HttpProcessingError

from webhook.http.connection_limits import ConnectionLimiter

KEEP_ALIVE = 75.0
"""Seconds that a connection may take to its first request, or rest after one.

More than the minute after which usual clients give up a connection that rests: were it less, a push
could be sent into a connection that is just being closed, and the CAD does not send it again.
"""

LINGERING = 1.0
"""Seconds in which the rest of a body that was refused is still taken, so that the answer is read.
"""

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


class LimitedProtocol(asyncio.Protocol):
    """Stands before aiohttp's protocol, which comes into being when somebody says something."""

    def __init__(self, limiter: ConnectionLimiter, server: web.Server) -> None:
        self._limiter = limiter
        self._server = server
        self._inner: web.RequestHandler | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let the gate decide, and say at once if it says no."""
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if not self._limiter.enter(transport, str(peer[0]) if peer else ""):
            transport.write(FULL)
            transport.close()

    def connection_lost(self, fault: Exception | None) -> None:
        """Make room."""
        self._limiter.leave(self._transport)
        if self._inner is not None:
            self._inner.connection_lost(fault)

    def data_received(self, data: bytes) -> None:
        """Pass on what was received."""
        if self._inner is None:
            self._inner = self._server()
            self._inner.connection_made(self._transport)
        self._inner.data_received(data)

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

    def __init__(
        self, runner: web.AppRunner, server: asyncio.Server, limiter: ConnectionLimiter
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
            # webhook.http.bodies unpacks what is compressed, and knows where to stop.
            auto_decompress=False,
        )
        await runner.setup()
        http = runner.server
        if http is None:
            raise RuntimeError("the application could not be set up")
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: LimitedProtocol(limiter, http), host, port, ssl=tls, backlog=BACKLOG
            )
        except OSError:
            await runner.cleanup()
            raise
        return cls(runner, server, limiter)

    async def close(self) -> None:
        """Listen no more, and let what was begun end."""
        self._server.close()
        await self._runner.cleanup()
        self._limiter.close()


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
