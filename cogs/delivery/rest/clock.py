"""Discord's time, by the `Date` of its answers: this machine's clock may be wrong.

Whatever is compared with the time of a message is compared by this clock.
"""

import time
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import aiohttp

WORTH_TELLING = 30.0
"""Seconds that this machine's clock may be wrong without anybody being told."""

HALF_A_SECOND = 0.5
"""`Date` has no fractions."""


class DiscordClock:
    """What time it is in Discord; until the first answer, what this machine believes."""

    def __init__(self) -> None:
        self._offset: float | None = None

    def note(self, date: str | None) -> None:
        """Read the `Date` of an answer that came just now; an unreadable one is ignored."""
        try:
            sent_at = parsedate_to_datetime(date or "").timestamp()
        except ValueError:
            return
        self._offset = sent_at + HALF_A_SECOND - time.monotonic()

    def now(self) -> float:
        """Return the seconds since 1970."""
        return time.time() if self._offset is None else self._offset + time.monotonic()

    def error(self) -> float:
        """Return the seconds that this machine's clock is ahead; negative: behind."""
        return time.time() - self.now()

    async def read(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        request: aiohttp.TraceRequestEndParams,
    ) -> None:
        """Read the time of an answer; for aiohttp's traces."""
        self.note(request.response.headers.get("Date"))
