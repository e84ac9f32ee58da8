"""The listening socket, and what one request may cost before anybody knows who sent it."""

import asyncio
import errno
import logging
import ssl
from functools import partial

from aiohttp import web, web_protocol
from aiohttp.http_exceptions import HttpProcessingError

from webhook.http.connection_limits import ConnectionLimiter, LimitedProtocol, RefusalLog

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
        if self.is_taken:
            problem = f"another program already listens on the address {host}:{port}"
            self.mend = "stop it, or choose another [http] port"
        elif isinstance(fault, PermissionError):
            problem = f"this user may not listen on [http] port = {port}"
            self.mend = "choose one above 1023, such as 30150"
        else:
            problem = f"this machine cannot listen on [http] host = {host!r}: {fault}"
            self.mend = (
                "write 127.0.0.1 for programs on this machine, 0.0.0.0 for all, or its own address"
            )
        super().__init__(problem)


class Listener:
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
        if tls is not None:
            tls.sslobject_class = _handshake(limiter.refusal_log)
        await runner.setup()
        if runner.server is None:
            raise RuntimeError("the application could not be set up")
        try:
            server = await asyncio.get_running_loop().create_server(
                partial(LimitedProtocol, limiter, runner.server),
                host,
                port,
                ssl=tls,
                backlog=BACKLOG,
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


def _handshake(refusals: RefusalLog) -> type[ssl.SSLObject]:
    """Return connections that log who speaks plain http; their address is not known yet."""

    class Handshake(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLError as fault:
                if fault.reason == "HTTP_REQUEST":
                    refusals.count(
                        "a plain http request",
                        "somebody",
                        "this port speaks https; begin the address with https://",
                    )
                raise

    return Handshake


def _is_our_fault(record: logging.LogRecord) -> bool:
    """Keep invalid HTTP, and clients that hang up, out of the log."""
    exception = record.exc_info[1] if record.exc_info else None
    return not isinstance(
        exception, HttpProcessingError | web.RequestPayloadError | ConnectionError
    )


log.addFilter(_is_our_fault)
