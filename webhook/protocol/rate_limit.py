"""How many messages somebody may send: a steady rate, and bursts of twice that."""

import time

from webhook.protocol.errors import RateLimited


class RateLimiter:
    """A token bucket."""

    def __init__(self, per_second: int) -> None:
        self._rate = per_second
        self._left = self._most = float(2 * per_second)
        self._at = time.monotonic()

    def take(self) -> None:
        """Count one message.

        Raises:
            RateLimited: there were too many.
        """
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            raise RateLimited("more than {rate} messages a second", rate=self._rate)
        self._left -= 1
