"""How many connections may be open, and whose gives way when there are too many."""

from collections import Counter
from collections.abc import Hashable
from typing import Protocol

from webhook.http.refusal_log import RefusalLog

HERE = ("127.0.0.1", "::1", "::ffff:127.0.0.1")

MOST_ADDRESSES = 1_000
"""Addresses that are remembered for a key or token that came from them."""


class Connection(Hashable, Protocol):
    """A transport, as far as the gate needs it."""

    def abort(self) -> None: ...


class ConnectionLimiter:
    """Counts connections. Whoever has not yet shown a key or a token on one is a stranger.

    A quarter of the places is for strangers, and for nobody else. When it is full, the connection
    that has been a stranger's for longest gives way, so that a newcomer is always heard: the CAD,
    whose key stands in the body, is one at every push. One address may have half of those places,
    unless a key or token has come from it before; this machine may have them all.
    """

    def __init__(self, most: int = 2_000) -> None:
        self.refusal_log = RefusalLog()
        self._most_strangers = most // 4
        self._most_known = most - most // 4
        self._strangers: dict[Connection, str] = {}
        self._known: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._trusted = dict.fromkeys(HERE)

    def enter(self, connection: Connection, address: str) -> bool:
        """Take a new connection in; False: its address has too many."""
        if self._of_address[address] >= self._most_strangers // 2 and address not in self._trusted:
            self.refusal_log.count("a connection, as there are too many", address)
            return False
        if len(self._strangers) >= self._most_strangers:
            oldest = next(iter(self._strangers))
            self.refusal_log.count("to keep an idle connection", self._strangers[oldest])
            self.leave(oldest)
            oldest.abort()
        self._strangers[connection] = address
        self._of_address[address] += 1
        return True

    def know(self, connection: Connection | None) -> bool:
        """Take note that a key or token came over a connection; False: too many are known."""
        address = self._strangers.get(connection) if connection is not None else None
        if connection is None or address is None:
            return True
        if len(self._known) >= self._most_known:
            return False
        self.leave(connection)
        self._known.add(connection)
        self._trusted.pop(address, None)
        self._trusted[address] = None
        if len(self._trusted) > MOST_ADDRESSES:
            del self._trusted[next(iter(self._trusted))]
        return True

    def is_trusted(self, connection: Connection) -> bool:
        """Tell whether a key or token has come over a connection, or from its address before."""
        return self._strangers.get(connection, HERE[0]) in self._trusted

    def close(self) -> None:
        """End what is left: connections over which nothing was ever said."""
        for connection in list(self._strangers):
            connection.abort()

    def leave(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self._known.discard(connection)
        address = self._strangers.pop(connection, None)
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]
