"""An outage of Discord's in two lines of the log: that it began, and that it is over.

Each part that cannot reach Discord says so here; only the first and the last of them are logged.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

GATEWAY = "gateway"
"""The connection over which Discord tells what happens; channels are called by their ids."""

RECONNECTING = "Attempting a reconnect"
"""How discord.py's record begins that it writes, with a traceback, at each try to connect."""

log = logging.getLogger(__name__)


class Outage:
    """Who cannot reach Discord at present, and since when there is somebody."""

    def __init__(self) -> None:
        self._away = set[str]()
        self._began = 0.0

    def begin(self, who: str, reason: str) -> None:
        if not self._away:
            self._began = time.monotonic()
            log.warning("Discord cannot be reached, messages wait: %s", reason)
        self._away.add(who)

    def end(self, who: str, waiting: int | None = None) -> None:
        """Note that somebody reaches Discord again; `waiting`: how many messages wait, if known."""
        if who not in self._away:
            return
        self.forget(who)
        if not self._away:
            seconds = time.monotonic() - self._began
            rest = "" if waiting is None else f"; {waiting} messages wait"
            log.info("Discord is back after %.0f s%s", seconds, rest)

    def forget(self, who: str) -> None:
        """Leave somebody out who is no more."""
        self._away.discard(who)

    @contextmanager
    def instead_of_tracebacks(self) -> Iterator[None]:
        """Meanwhile take in what discord.py logs at each try to connect."""
        logger = logging.getLogger("discord.client")
        logger.addFilter(self._take)
        try:
            yield
        finally:
            logger.removeFilter(self._take)

    def _take(self, record: logging.LogRecord) -> bool:
        if not str(record.msg).startswith(RECONNECTING):
            return True
        fault = record.exc_info[1] if record.exc_info else None
        self.begin(GATEWAY, str(fault) or type(fault).__name__)
        return False
