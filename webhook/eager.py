"""Starting work at once: most of it never waits, and a task costs more than what it does."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


def begin(group: asyncio.TaskGroup, work: Coroutine[Any, Any, None]) -> asyncio.Task[None] | None:
    """Run work as far as it goes without waiting; return a task of the group for what is left.

    Python itself offers this from 3.12 on. Until its first wait the work must not ask for the
    current task, as `asyncio.timeout` does: it would be the caller's.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return group.create_task(_rest(work, waits_for))


async def _rest(work: Coroutine[Any, Any, None], waits_for: Any) -> None:
    await _going_on(work, waits_for)


@coroutine
def _going_on(work: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Wait for what the work waits for, and hand it what comes of it."""
    while True:
        try:
            try:
                came = yield waits_for
            except BaseException as fault:
                waits_for = work.throw(fault)
            else:
                waits_for = work.send(came)
        except StopIteration:
            return
