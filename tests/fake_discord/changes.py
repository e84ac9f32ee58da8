"""Waiting for the fake to reach a state, woken by its changes instead of by a clock."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """Wakes everybody who waits whenever something in the fake has changed."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def happened(self) -> None:
        """Have every waiting condition looked at again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    async def until(self, condition: Callable[[], T], timeout: float, what: str = "") -> T:  # noqa: ASYNC109
        """The first truthy value of the condition; TimeoutError when it does not come."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not (value := condition()):
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.add(future)
            await asyncio.wait([future], timeout=max(0.0, deadline - loop.time()))
            self._waiting.discard(future)
            if not future.done():
                future.cancel()
                raise TimeoutError(f"not within {timeout} s: {what or condition}")
        return value
