"""A connection to SQLite that can be asked in its thread, or at once where that is quicker.

A hop to a thread and back costs more than most statements, and each of them waits for the
interpreter's lock when the event loop is busy. docs/decisions/0009 says what runs where.
"""

import asyncio
import sqlite3
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import aiosqlite

from db.errors import StorageUnavailable, is_passing

T = TypeVar("T")

Rows = list[Any]
"""The rows of a result, each a tuple of its columns."""

BUSY_TIMEOUT = 5.0
"""Seconds that a statement waits for another process, a backup for example."""

STATEMENTS = 512
"""Statements that a connection keeps prepared: all that this program has."""

ROWS_AT_ONCE = 64
"""aiosqlite's default; nothing here reads rows in portions."""


class Connection(aiosqlite.Connection):
    """aiosqlite's connection, with statements that do not hop."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        return self

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run a statement in the connection's thread.

        Raises:
            StorageUnavailable: storage cannot be used right now.
            sqlite3.Error: the statement is wrong, or against the schema.
        """
        try:
            return list(await in_spite_of_cancellation(self._fetched(sql, parameters)))
        except sqlite3.Error as fault:
            raise _told(fault) from fault

    async def insert(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run an INSERT as `fetch` does; return the id of its row."""
        try:
            return await in_spite_of_cancellation(self._inserted(sql, parameters))
        except sqlite3.Error as fault:
            raise _told(fault) from fault

    async def _fetched(self, sql: str, parameters: Sequence[Any]) -> Rows:
        return list(await self.execute_fetchall(sql, parameters))

    async def _inserted(self, sql: str, parameters: Sequence[Any]) -> int:
        async with self.execute(sql, parameters) as cursor:
            return cursor.lastrowid or 0


def connect(path: Path | str, *, timeout: float = 0.0, uri: bool = False) -> Connection:
    """Return a connection that `async with` opens.

    `timeout`: seconds that a statement waits for another process, a backup for example.
    """

    def open_it() -> sqlite3.Connection:
        # isolation_level=None: transactions begin and end where db.database says so, nowhere else.
        return sqlite3.connect(
            path,
            timeout=timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=STATEMENTS,
            uri=uri,
        )

    return Connection(open_it, ROWS_AT_ONCE)


def _told(fault: sqlite3.Error) -> Exception:
    return StorageUnavailable(str(fault)) if is_passing(fault) else fault


async def in_spite_of_cancellation(work: Coroutine[Any, Any, T]) -> T:
    """Finish what must not stay half done, then let the cancellation through."""
    task = asyncio.ensure_future(work)
    cancellation = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as fault:  # once, or again while the work still goes on
            cancellation = fault
    if cancellation is not None:
        raise cancellation
    return task.result()
