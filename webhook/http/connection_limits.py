"""How many connections may be open, and which is closed when there are too many."""

import asyncio
import logging
import sys
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Protocol

from aiohttp import web

LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")

MAX_TRUSTED = 1_000
"""Addresses that are remembered because a key or token came from them."""

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

MAX_LOGGED = 100
"""Refusals of ten minutes that are logged apart; of further addresses and kinds the number is."""

OTHERS = "other addresses"

READ_AT_ONCE = 1024
"""Bytes that are read from one connection before the others are read.

A turn of the event loop reads every connection. With the 256 KiB that event loops read, the 500
that may be unauthenticated make a turn seconds long, and a push, which waits for the database
several times, waits as many turns (`tests.soak.floods endless`).
"""

READS_A_TURN = 16
"""Reads of one sender, over all its connections, in a turn of the event loop.

Each may start the work of a request. When 500 unauthenticated connections asked for /healthz in the
same turn, it took 0.5 s.
"""

TLS_HANDSHAKE = 0x16
"""The first byte that a client of https sends."""

UNREAD_TIMEOUT = 60.0
"""Seconds that a client has to read what waits in its connection, beyond a few bytes."""

SPARE_FILES = 256
"""Files besides connections: the database, Discord, the log, and what libraries open."""

log = logging.getLogger(__name__)


REJECTION_WINDOW = 600
"""Seconds in which a rejection of one kind and address is logged once."""


class RejectionLog:
    """Logs the first rejection of each kind and address, and ten minutes later how many there were.

    Nobody who mistyped an address or a key is left without a line in the log, and nobody who
    floods the program can fill the log.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, what: str, address: str, advice: str = "", *, verb: str = "refused") -> None:
        """Count a rejection, say of "a push with a wrong key"; the advice says what to do.

        `verb` is for what was not rejected as a whole.
        """
        what = f"{verb} {what}"
        if not self._counts:
            asyncio.get_running_loop().call_later(REJECTION_WINDOW, self.log_totals)
        if (what, address) not in self._counts:
            if len(self._counts) < MAX_LOGGED:
                log.warning("%s from %s%s", what, address, advice and f": {advice}")
            else:
                address = OTHERS
                if (what, address) not in self._counts and len(self._counts) >= 2 * MAX_LOGGED:
                    what = f"{verb} other messages"
        self._counts[what, address] += 1

    def log_totals(self) -> None:
        """Log how often each was refused, and start again."""
        for (what, address), count in self._counts.items():
            if count > 1 or address is OTHERS:
                log.warning("%s from %s, %s times in ten minutes", what, address, count)
        self._counts.clear()


class ReadTurns:
    """Spreads what one sender sends over turns of the event loop, however many its connections."""

    def __init__(self) -> None:
        self._left = READS_A_TURN
        self._is_counting = False
        self._waiting: deque[Callable[[], None]] = deque()

    def take(self) -> bool:
        """Count a read; False: it must wait for another turn."""
        self._count()
        self._left -= 1
        return self._left >= 0

    def wait(self, read: Callable[[], None]) -> None:
        """Have `read` called in one of the next turns, after those that wait already."""
        self._count()
        self._waiting.append(read)

    def _count(self) -> None:
        if not self._is_counting:
            self._is_counting = True
            asyncio.get_running_loop().call_soon(self._begin_turn)

    def _begin_turn(self) -> None:
        self._left = READS_A_TURN
        self._is_counting = False
        if self._waiting:
            self._count()
        while self._waiting and self._left:
            self._left -= 1
            self._waiting.popleft()()


class Abortable(Hashable, Protocol):
    """A transport, as far as the limiter needs it."""

    def abort(self) -> None: ...


class ConnectionLimiter:
    """Limits connections; one is authenticated once a valid key or token came over it.

    A quarter of the places is for unauthenticated connections, and for nothing else. When it is
    full, the oldest of them is evicted, so that a newcomer is always served: the CAD, whose key
    stands in the body, is one at every push. One address may have half of those places, unless a
    key or token has come from it before; this machine may have them all.
    """

    def __init__(self, maximum: int = 2_000) -> None:
        self.rejection_log = RejectionLog()
        self._max_unauthenticated = maximum // 4
        self._max_authenticated = maximum - maximum // 4
        self._unauthenticated: dict[Abortable, str] = {}
        self._authenticated: dict[Abortable, ReadTurns] = {}
        self._turns = defaultdict[str, ReadTurns](ReadTurns)
        self._turns_of_strangers = ReadTurns()
        self._per_address: Counter[str] = Counter()
        self._trusted = dict.fromkeys(LOOPBACK)
        self._waiting: dict[Abortable, asyncio.Task[object]] = {}

    def admit(self, connection: Abortable, address: str) -> bool:
        """Take a new connection in; False: its address has too many."""
        is_full = self._per_address[address] >= self._max_unauthenticated // 2
        if is_full and address not in self._trusted:
            self.rejection_log.count("a connection beyond the limit", address)
            return False
        if len(self._unauthenticated) >= self._max_unauthenticated:
            oldest = next(iter(self._unauthenticated))
            self.rejection_log.count("an idle connection", self._unauthenticated[oldest])
            self.remove(oldest)
            oldest.abort()
        self._unauthenticated[connection] = address
        self._per_address[address] += 1
        return True

    def is_authenticated(self, connection: Abortable | None) -> bool:
        """Return whether a key or token has come over a connection."""
        return connection in self._authenticated

    def read_turns_of(self, connection: Abortable) -> ReadTurns:
        """Return the turns of a connection's sender; all strangers together are one."""
        return self._authenticated.get(connection, self._turns_of_strangers)

    def mark_authenticated(self, connection: Abortable | None, sender: str) -> bool:
        """Note that a sender's key or token came over a connection; False: too many are open."""
        address = self._unauthenticated.get(connection) if connection is not None else None
        if connection is None or address is None:
            return True
        if len(self._authenticated) >= self._max_authenticated:
            return False
        self.remove(connection)
        self._authenticated[connection] = self._turns[sender]
        self._trusted.pop(address, None)
        self._trusted[address] = None
        if len(self._trusted) > MAX_TRUSTED:
            del self._trusted[next(iter(self._trusted))]
        return True

    def remove(self, connection: Abortable) -> None:
        """Forget a connection."""
        self._authenticated.pop(connection, None)
        address = self._unauthenticated.pop(connection, None)
        if address is not None:
            self._per_address[address] -= 1
            if not self._per_address[address]:
                del self._per_address[address]

    @contextmanager
    def cancel_when_lost(self, connection: Abortable | None) -> Iterator[None]:
        """Cancel the task if the connection ends inside the block, which would wait in vain."""
        task = asyncio.current_task()
        if connection is None or task is None:
            raise ConnectionResetError
        self._waiting[connection] = task
        try:
            yield
        finally:
            self._waiting.pop(connection, None)

    def note_lost(self, connection: Abortable) -> None:
        """Forget a connection that has ended, and cancel who waits for its client."""
        self.remove(connection)
        task = self._waiting.pop(connection, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Abort the unauthenticated connections that are left."""
        for connection in list(self._unauthenticated):
            connection.abort()


def peer_address(transport: asyncio.BaseTransport) -> str:
    """Return the address at the other end; blank if it has left already."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


class LimitedProtocol(asyncio.BufferedProtocol):
    """Stands before aiohttp's protocol, which is only made once the peer sends something.

    A connection that is idle from its start costs a few hundred bytes this way.
    """

    # Shared by all connections: it is filled and copied before another one is read. A view, as
    # asyncio's TLS fills slices of it.
    _buffer = memoryview(bytearray(READ_AT_ONCE))

    def __init__(self, limiter: ConnectionLimiter, server: web.Server) -> None:
        self._limiter = limiter
        self._server = server
        self._inner: web.RequestHandler | None = None
        self._received = b""
        self._is_waiting = False
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        if not self._limiter.admit(transport, peer_address(transport)):
            transport.write(UNAVAILABLE)
            transport.close()

    def connection_lost(self, exception: Exception | None) -> None:
        self._limiter.note_lost(self._transport)
        self._stop_waiting()
        if self._inner is not None:
            self._inner.connection_lost(exception)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on what was received, or wait for a turn; a full buffer always waits for one."""
        self._received += self._buffer[:nbytes]
        turns = self._limiter.read_turns_of(self._transport)
        if self._is_waiting:  # aiohttp has resumed reading
            self._transport.pause_reading()
        elif nbytes < READ_AT_ONCE and turns.take():
            self._pass_on()
        else:
            self._is_waiting = True
            self._transport.pause_reading()
            turns.wait(self._read_on)

    def _read_on(self) -> None:
        self._is_waiting = False
        if not self._transport.is_closing():
            self._transport.resume_reading()  # first, as aiohttp may pause it again
            self._pass_on()

    def _pass_on(self) -> None:
        received, self._received = self._received, b""
        if self._inner is None:
            if received[0] == TLS_HANDSHAKE:
                self._limiter.rejection_log.count(
                    "a TLS connection",
                    peer_address(self._transport),
                    "this port speaks plain http; begin the address with http://,"
                    " or set [http] certificate and private_key",
                )
            self._inner = self._server()
            self._inner.connection_made(self._transport)
        self._inner.data_received(received)

    def eof_received(self) -> None:
        """Let the transport close."""

    def pause_writing(self) -> None:
        """Give a client that does not read what it asked for some time, and no more."""
        loop = asyncio.get_running_loop()
        self._unread = loop.call_later(UNREAD_TIMEOUT, self._transport.abort)
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._stop_waiting()
        if self._inner is not None:
            self._inner.resume_writing()

    def _stop_waiting(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def affordable(connections: int) -> int:
    """Raise the limit of open files for so many connections; return for how many it suffices.

    A listener without free files would accept nobody at all.
    """
    if sys.platform == "win32":
        return connections
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < needed:
            connections = max(16, soft - SPARE_FILES)
            log.warning(
                "only %s connections at a time, as the system allows this program %s open files",
                connections,
                soft,
            )
    return connections
