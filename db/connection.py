"""Connections to the SQLite file, which end before their event loop does."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

T = TypeVar("T")

STATEMENTS = 512
"""Prepared statements that a connection caches: more than this program has."""

BUSY_TIMEOUT = 5.0
"""Seconds to wait while another process, a backup for example, has the file locked."""


class _Connection(aiosqlite.Connection):
    """A connection that can be waited for until its thread has nothing left to do.

    A thread that still has something to report when the event loop has ended fails. aiosqlite
    itself does not wait for it if the file cannot be opened, or if somebody cancels.
    """

    def __init__(self, path: Path | str) -> None:
        def connect() -> sqlite3.Connection:
            # isolation_level=None: transactions begin and end where db.database says so only.
            return sqlite3.connect(
                path,
                timeout=BUSY_TIMEOUT,
                isolation_level=None,
                cached_statements=STATEMENTS,
                uri=isinstance(path, str),
            )

        super().__init__(connect, iter_chunk_size=64)
        self._stopped: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        self._stopped = super().stop()
        return self._stopped

    async def open(self) -> None:
        await self

    async def finish(self) -> None:
        """Close it, and wait for its thread."""
        await self.close()
        if self._stopped is not None:
            await self._stopped


@asynccontextmanager
async def connect(path: Path | str) -> AsyncIterator[aiosqlite.Connection]:
    connection = _Connection(path)
    try:
        await finish_uncancelled(connection.open())
        yield connection
    finally:
        await finish_uncancelled(connection.finish())


async def finish_uncancelled(work: Coroutine[Any, Any, T]) -> T:
    """Finish what must not stay half done, then let the cancellation through."""
    task = asyncio.ensure_future(work)
    cancellation = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as fault:  # once, or again while the work still goes on
            cancellation = fault
    if cancellation is not None:
        raise cancellation from (None if task.cancelled() else task.exception())
    return task.result()
