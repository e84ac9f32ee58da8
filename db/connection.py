"""A connection to SQLite that can be asked in its thread, or at once where that is quicker.

A hop to a thread and back costs more than most statements, and each of them waits for the
interpreter's lock when the event loop is busy. docs/decisions/0009 says what runs where.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import aiosqlite

from db.errors import StorageUnavailable, is_passing

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

    _looks = 0

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
            return list(await self.execute_fetchall(sql, parameters))
        except sqlite3.Error as fault:
            raise _told(fault) from fault

    def fetch_at_once(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run a statement here and now; nothing else may use the connection at the same time.

        Raises: as `fetch`.
        """
        self._looks = 0
        try:
            return self._conn.execute(sql, parameters).fetchall()
        except sqlite3.Error as fault:
            raise _told(fault) from fault

    def insert_at_once(self, sql: str, parameters: Sequence[Any]) -> int:
        """Run an INSERT as `fetch_at_once` does; return the id of its row.

        RETURNING would cost as much again: SQLite keeps what it returns in a table of its own.
        """
        try:
            return self._conn.execute(sql, parameters).lastrowid or 0
        except sqlite3.Error as fault:
            raise _told(fault) from fault

    async def limit_steps(self, most: int) -> None:
        """Have every statement that takes more steps of SQLite's machine fail: `was_too_long`.

        SQLite looks after so many steps, counting those of the statement's last run too: so a
        statement fails at the second look, after at most twice as many.
        """

        def look() -> bool:
            self._looks += 1
            return self._looks > 1

        await self.set_progress_handler(look, most)


def was_too_long(fault: sqlite3.Error) -> bool:
    """Tell whether a statement failed for `limit_steps`."""
    return getattr(fault, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT


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
