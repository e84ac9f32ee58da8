"""Reading: at once where it takes a moment, in a thread where it may take longer."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from db.connection import BUSY_TIMEOUT, Connection, connect
from db.errors import StorageError
from db.migrate import check_is_current

T = TypeVar("T")


class Reader:
    """Runs statements and makes a row of every result."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def all(self, row: Callable[..., T], sql: str, *parameters: Any) -> list[T]:
        """Return every row, made by `row` from its columns in order."""
        return [row(*columns) for columns in await self._connection.fetch(sql, parameters)]

    async def one(self, row: Callable[..., T], sql: str, *parameters: Any) -> T | None:
        """Return the first row or None."""
        rows = await self._connection.fetch(sql, parameters)
        return row(*rows[0]) if rows else None


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
