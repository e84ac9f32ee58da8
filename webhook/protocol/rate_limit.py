"""The rate at which somebody may send messages."""

import time

from webhook.protocol.errors import RateLimited


class RateLimiter:
    """A token bucket: a steady rate, and bursts of twice that."""

    def __init__(self, per_second: int) -> None:
        self._rate = per_second
        self._tokens = self._most_tokens = float(2 * per_second)
        self._refilled_at = time.monotonic()

    def take(self) -> None:
        """Count one message.

        Raises:
            RateLimited: there were too many.
        """
        now = time.monotonic()
        refill = (now - self._refilled_at) * self._rate
        self._tokens = min(self._most_tokens, self._tokens + refill)
        self._refilled_at = now
        if self._tokens < 1:
            raise RateLimited("rate limit exceeded: {rate} messages a second", rate=self._rate)
        self._tokens -= 1
