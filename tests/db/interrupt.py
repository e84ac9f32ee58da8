"""Cancels a piece of work exactly where it waits, however fast the threads behind it are."""

import asyncio
from collections.abc import Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any


class Interruption:
    """What became of interrupted work: how often it waited, and whether it was cut short."""

    def __init__(self) -> None:
        self.waits = 0
        self.cut_short = False


async def interrupt(work: Coroutine[Any, Any, None], *points: int) -> Interruption:
    """Run work in a task of its own that is cancelled at its n-th wait, for each n of points."""
    seen = Interruption()

    async def run() -> None:
        await _driven(work, frozenset(points), seen)

    outcome = (await asyncio.gather(asyncio.create_task(run()), return_exceptions=True))[0]
    seen.cut_short = isinstance(outcome, asyncio.CancelledError)
    if isinstance(outcome, Exception):
        raise outcome
    return seen


@coroutine
def _driven(
    work: Coroutine[Any, Any, None], points: frozenset[int], seen: Interruption
) -> Generator[Any, Any, None]:
    step: partial[Any] = partial(work.send, None)
    while True:
        try:
            waited_for = step()
        except StopIteration:
            return
        seen.waits += 1
        task = asyncio.current_task()
        if task is not None and seen.waits in points:
            task.cancel()
        try:
            step = partial(work.send, (yield waited_for))
        except BaseException as fault:
            step = partial(work.throw, fault)
