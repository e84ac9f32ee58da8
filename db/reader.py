"""Reading: at once where it takes a moment, in a thread where it may take longer."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from db.connection import BUSY_TIMEOUT, Connection, Rows, connect, was_too_long
from db.errors import StorageError, StorageUnavailable
from db.migrate import check_is_current

T = TypeVar("T")

SPELL = 0.01
"""Seconds of one turn of the event loop for reads, after which the others go to threads."""

AtOnce = Callable[[str, Sequence[Any]], Rows | None]
"""Runs a statement here and now, or returns None if a thread should."""


def _never(_sql: str, _parameters: Sequence[Any]) -> None:
    return None


class Reader:
    """Runs statements, at once if that is possible, and makes a row of every result."""

    def __init__(self, connection: Connection, at_once: AtOnce = _never) -> None:
        self._connection = connection
        self._at_once = at_once

    async def all(self, row: Callable[..., T], sql: str, *parameters: Any) -> list[T]:
        """Return every row, made by `row` from its columns in order."""
        rows = self._at_once(sql, parameters)
        if rows is None:
            rows = await self._connection.fetch(sql, parameters)
        return [row(*columns) for columns in rows]

    async def one(self, row: Callable[..., T], sql: str, *parameters: Any) -> T | None:
        """Return the first row or None."""
        rows = self._at_once(sql, parameters)
        if rows is None:
            rows = await self._connection.fetch(sql, parameters)
        return row(*rows[0]) if rows else None

    async def search(self, row: Callable[..., T], sql: str, *parameters: Any) -> list[T]:
        """Do as `all`, for a statement that asks an index of texts, whose work is not counted."""
        return [row(*columns) for columns in await self._connection.fetch(sql, parameters)]


class Moments:
    """A connection whose statements run at once, while the event loop has time for them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._spent = 0.0

    def fetch(self, sql: str, parameters: Sequence[Any]) -> Rows | None:
        """Return the rows, or None if a thread should find them."""
        if self._spent > SPELL:
            return None
        if not self._spent:
            asyncio.get_running_loop().call_soon(self._begin_anew)
        began = time.perf_counter()
        try:
            return self._connection.fetch_at_once(sql, parameters)
        except sqlite3.Error as fault:
            if was_too_long(fault):
                return None
            raise
        except StorageUnavailable:  # it may be a lock, for which this connection does not wait
            return None
        finally:
            self._spent += time.perf_counter() - began

    def _begin_anew(self) -> None:
        self._spent = 0.0


@asynccontextmanager
async def looking_into(path: Path) -> AsyncIterator[Reader]:
    """Read a file without changing anything, whether its bot runs or not.

    Raises:
        StorageError: the file cannot be read, or its schema is not this program's.
    """
    try:
        uri = await asyncio.to_thread(_read_only, path)
        async with connect(uri, uri=True, timeout=BUSY_TIMEOUT) as connection:
            await check_is_current(connection)
            yield Reader(connection)
    except sqlite3.Error as fault:
        raise StorageError(f"cannot read the database {path}: {fault}") from fault


async def size(sql: Reader) -> int:
    """Return how many bytes the database has."""
    pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    return await sql.one(int, pages) or 0


def _read_only(path: Path) -> str:
    """Return a file's address for reading."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    # Fail here if it cannot be opened: a thread of aiosqlite outlives its own failure.
    sqlite3.connect(uri, uri=True).close()
    return uri
