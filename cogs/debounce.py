"""Looks once at what many changes in a short time have changed."""

import asyncio
from collections.abc import Callable


class Debounce:
    """Calls a function for a change: at once, and then once for all changes of an interval."""

    def __init__(self, interval: float, function: Callable[[], None]) -> None:
        self._interval = interval
        self._function = function
        self._called_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def note(self) -> None:
        """Call the function as soon as the interval allows."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due = max(loop.time(), self._called_at + self._interval)
            self._timer = loop.call_at(due, self.act)

    def act(self) -> None:
        """Call the function now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._called_at = asyncio.get_running_loop().time()
        self._function()
