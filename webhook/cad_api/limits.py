"""How often an endpoint may be used: never more than so often in any minute."""

import math
import time
from collections import deque
from collections.abc import Callable

WINDOW = 60.0
"""Seconds in which the CAD counts."""

LONGEST_BLOCK = 60.0
"""Seconds that a 429 may make us wait; the CAD counts by the minute."""


class SlidingLimit:
    """The uses of an endpoint with one key.

    A use counts until a minute after its answer: when the CAD counted it is not known, but it was
    not later than that.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._ended: deque[float] = deque(maxlen=most)
        self._under_way = 0
        self._blocked_until = 0.0
        self._refusals = 0

    def add_earlier(self, seconds_ago: float) -> None:
        """Count a use from before the start; one from after it, as the clock was set, is of now."""
        self._ended.append(self._clock() - max(0.0, seconds_ago))

    def wait(self) -> float:
        """Return the seconds until it may be used; infinite while others must end first."""
        now = self._clock()
        while self._ended and self._ended[0] + WINDOW <= now:
            self._ended.popleft()
        blocked = max(0.0, self._blocked_until - now)
        if self._under_way + len(self._ended) < self._most:
            return blocked
        return max(blocked, self._ended[0] + WINDOW - now) if self._ended else math.inf

    def begin(self) -> None:
        self._under_way += 1

    def end(self) -> None:
        self._under_way -= 1
        self._ended.append(self._clock())

    def block(self, seconds: float | None) -> None:
        """Do not use it for some seconds; without a number of them longer each time in a row."""
        if seconds is None:
            seconds = 2.0 ** min(self._refusals, 10)
        self._refusals += 1
        self._blocked_until = self._clock() + min(max(seconds, 1.0), LONGEST_BLOCK)

    def unblock(self) -> None:
        """Note that the CAD took a request."""
        self._refusals = 0
