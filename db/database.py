"""The SQLite file: one writer that takes turns, readers that never block it.

There is one way to run a statement: await it; aiosqlite runs it in its connection's own thread.

Writers share commits. A commit waits for the disk, some milliseconds, so write transactions that
wait for the writer at the same moment are put into one batch: the first of them runs BEGIN, each
later one works behind a savepoint of its own, and one COMMIT ends them all. A transaction that
fails is undone alone, by a rollback to its savepoint. If BEGIN or COMMIT fails, nothing of the
batch was stored, and each of its writers gets the error. docs/decisions/0004 says why.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import aiosqlite

from db.backup import copy, finish_restore
from db.connection import BUSY_TIMEOUT, connect, finish_uncancelled
from db.errors import StorageError, StorageUnavailable, is_locked, is_transient, storage_error
from db.integrity import quick_check, read_only, sqlite_uri
from db.migrate import APPLICATION_ID, check_is_current, migrate, newest
from db.sqlite_support import check_sqlite

T = TypeVar("T")
R = TypeVar("R", bound=NamedTuple)

log = logging.getLogger(__name__)

READERS = 2
"""Connections for reading; each has a thread."""

CACHE = 8_000
"""KiB of pages that a reader caches at most; SQLite's own 2,000 are few for a million rows."""

CHECKPOINT = 4_000
"""Pages of 4 KiB in the write-ahead log that are then copied into the database.

With SQLite's own 1,000, the pages that every write changes are copied four times as often.
"""

LOG_BYTES = 64 * 1024 * 1024
"""Bytes to which the write-ahead log is cut once a reader that held it up has gone."""

BUSY_RETRY = 0.01
"""Seconds between two tries to begin a transaction while the file is locked."""


class Reader:
    """Runs statements and makes a value of each row of the result."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def all(self, row: Callable[..., T], sql: str, *parameters: Any) -> list[T]:
        """Return every row, made by `row` from its columns in order.

        Raises:
            StorageUnavailable: storage cannot be used right now.
            sqlite3.Error: the statement is wrong, or violates a constraint.
        """
        try:
            rows = await self._connection.execute_fetchall(sql, parameters)
        except (sqlite3.Error, MemoryError) as fault:
            raise _translated(fault) from fault
        return [row(*columns) for columns in rows]

    async def one(self, row: Callable[..., T], sql: str, *parameters: Any) -> T | None:
        """Return the first row or None; raises as `all` does."""
        rows = await self.all(row, sql, *parameters)
        return rows[0] if rows else None

    async def select(self, row: type[R], rest: str, *parameters: Any) -> list[R]:
        """Select the columns that `row` has; `rest` is what follows FROM. Raises as `all` does."""
        return await self.all(row, f"SELECT {', '.join(row._fields)} FROM {rest}", *parameters)

    async def find(self, row: type[R], table: str, **where: Any) -> R | None:
        """Return the row of a table with these values, or None; raises as `all` does."""
        found = await self.select(row, f"{table} WHERE {_equal(where)}", *where.values())
        return found[0] if found else None

    async def count(self, rest: str, *parameters: Any) -> int:
        """Count rows; `rest` is what follows FROM. Raises as `all` does."""
        return await self.one(int, f"SELECT count(*) FROM {rest}", *parameters) or 0


class Transaction(Reader):
    """The one write transaction; reads through it see what it has written."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self.callbacks: list[Callable[[], None]] = []

    async def run(self, sql: str, *parameters: Any) -> None:
        """Run a statement for its effect; raises as `all` does."""
        await self.all(_ignored, sql, *parameters)

    async def insert(self, table: str, **values: Any) -> int:
        """Insert a row with these columns and return its id; raises as `all` does."""
        try:
            row = await self._connection.execute_insert(
                _insert_into(table, values), tuple(values.values())
            )
        except (sqlite3.Error, MemoryError) as fault:
            raise _translated(fault) from fault
        return int(row[0]) if row is not None else 0

    async def insert_new(self, table: str, **values: Any) -> bool:
        """Insert a row unless there is one like it; return whether there was none."""
        sql = f"{_insert_into(table, values)} ON CONFLICT DO NOTHING"
        return await self.count_changes(sql, *values.values()) > 0

    async def upsert(
        self, row: type[R], table: str, key: dict[str, Any], values: dict[str, Any], **first: Any
    ) -> R:
        """Store values in the row with a key, and return it; a new row gets `first` too."""
        new = {**key, **values, **first}
        await self.run(
            f"{_insert_into(table, new)} ON CONFLICT ({', '.join(key)}) DO UPDATE SET"
            f" {', '.join(f'{column} = excluded.{column}' for column in values)}",
            *new.values(),
        )
        (stored,) = await self.select(row, f"{table} WHERE {_equal(key)}", *key.values())
        return stored

    async def update(self, table: str, values: dict[str, Any], **where: Any) -> None:
        """Set values in the rows with these values; raises as `all` does."""
        sql = f"UPDATE {table} SET {_equal(values, ', ')} WHERE {_equal(where)}"
        await self.run(sql, *values.values(), *where.values())

    async def delete(self, table: str, **where: Any) -> None:
        """Delete the rows with these values; raises as `all` does."""
        await self.run(f"DELETE FROM {table} WHERE {_equal(where)}", *where.values())

    async def count_changes(self, sql: str, *parameters: Any) -> int:
        """Run a statement; return how many rows it changed; raises as `all` does."""
        await self.run(sql, *parameters)
        return await self.one(int, "SELECT changes()") or 0

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once the transaction is on disk, in commit order; never if it is undone."""
        self.callbacks.append(callback)


class _Batch:
    """Transactions that share one commit.

    `changes`: how many rows the connection had changed when it began.
    """

    def __init__(self, changes: int) -> None:
        self.callbacks: list[Callable[[], None]] = []
        self.changes = changes
        self.transactions = 0
        self._end: asyncio.Future[BaseException | None] = asyncio.Future()

    async def committed(self) -> None:
        """Wait for the commit.

        Raises:
            StorageUnavailable: it failed.
        """
        fault = await asyncio.shield(self._end)
        if fault is not None:
            raise StorageUnavailable(str(fault) or "interrupted") from fault

    def succeed(self) -> None:
        """Call back, and let the writers go on."""
        for callback in self.callbacks:
            try:
                callback()
            except Exception:
                log.exception("a callback after a commit failed")
        self._end.set_result(None)

    def fail(self, fault: BaseException) -> None:
        """Raise in every writer, also in those that still come to wait."""
        self._end.set_result(fault)


class Database:
    """Opened with `Database.open`; `read` for reading, `write()` for a transaction."""

    def __init__(self, writer: aiosqlite.Connection, readers: list[aiosqlite.Connection]) -> None:
        self._writer = writer
        self._readers = cycle([Reader(connection) for connection in readers])
        self._turn = asyncio.Lock()
        self._writing: asyncio.Task[Any] | None = None
        self._batch: _Batch | None = None
        self._failed_begins = 0
        self._commits: set[asyncio.Task[None]] = set()
        self.is_writable = True
        """Whether the last attempt to write did not fail for want of storage."""

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator["Database"]:
        """Open the file, create it or bring its schema up to date, after keeping a copy.

        Raises:
            StorageError: the file cannot be opened, is damaged, or is newer than this
                program.
        """
        async with AsyncExitStack() as stack:
            try:
                check_sqlite()
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                await asyncio.to_thread(_prepare, path)
                writer = await stack.enter_async_context(connect(path))
                await writer.execute_fetchall("PRAGMA synchronous = FULL")
                await writer.execute_fetchall(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
                await writer.execute_fetchall(f"PRAGMA journal_size_limit = {LOG_BYTES}")
                await migrate(writer)
                # Written into the file, so only after the check that it is ours.
                await writer.execute_fetchall("PRAGMA journal_mode = WAL")
                readers = [await stack.enter_async_context(connect(path)) for _ in range(READERS)]
                for reader in readers:
                    await reader.execute_fetchall("PRAGMA query_only = ON")
                    await reader.execute_fetchall(f"PRAGMA cache_size = {-CACHE}")
            except (sqlite3.Error, OSError) as fault:
                raise storage_error(path, fault) from fault
            # From now on `_begin_when_unlocked` waits for a lock, without holding up the thread.
            await writer.execute_fetchall("PRAGMA busy_timeout = 0")
            database = cls(writer, readers)
            try:
                yield database
            finally:
                await database._finish()

    @property
    def read(self) -> Reader:
        """A reader; every statement sees all that was committed before it."""
        return next(self._readers)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a transaction: all of its block or nothing; on disk when the block has ended.

        A cancellation inside the block undoes it; one behind its end does not.

        Raises:
            StorageUnavailable: it could not be written; nothing of it was kept.
            RuntimeError: the task has one open already, for which it would wait for ever.
        """
        if self._writing is not None and self._writing is asyncio.current_task():
            raise RuntimeError("this task has a transaction open already")
        error: Exception | None = None
        failed_begins = self._failed_begins
        try:
            async with self._take_turn():
                batch = self._batch or await self._begin(failed_begins)
                transaction = Transaction(self._writer)
                number = batch.transactions
                try:
                    if number:  # the first of a batch needs no savepoint
                        await transaction.run(f"SAVEPOINT change_{number}")
                    batch.transactions += 1
                    yield transaction
                except BaseException as fault:
                    await finish_uncancelled(self._undo(batch, number, fault))
                    if not isinstance(fault, Exception):
                        raise
                    error = fault
                else:
                    batch.callbacks += transaction.callbacks
            # Also after an error: it may rest on what an earlier one of the batch has written.
            await batch.committed()
            if error is not None:
                raise error
        except StorageUnavailable:
            self.is_writable = False
            raise

    @asynccontextmanager
    async def _take_turn(self) -> AsyncIterator[None]:
        async with self._turn:
            self._writing = asyncio.current_task()
            try:
                yield
            finally:
                self._writing = None

    async def _begin(self, failed_begins: int) -> _Batch:
        """Begin a batch. Its commit queues for the turn: behind all who wait now, before others.

        `failed_begins`: how many there were when this writer came. If that has changed, the file
        is locked, and each of many writers would wait out the timeout, one after the other.
        """
        if self._failed_begins != failed_begins:
            raise StorageUnavailable("an earlier writer could not begin")
        try:
            await self._begin_when_unlocked()
        except StorageUnavailable:
            self._failed_begins += 1
            raise
        except asyncio.CancelledError:  # BEGIN may be under way in the thread
            await finish_uncancelled(self._try("ROLLBACK"))
            raise
        batch = self._batch = _Batch(self._writer.total_changes)
        commit = asyncio.create_task(self._commit(batch), name="commit")
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        return batch

    async def _begin_when_unlocked(self) -> None:
        deadline = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                if self._writer.in_transaction:  # which could not be undone
                    await self._run("ROLLBACK")
                await self._run("BEGIN IMMEDIATE")
            except StorageUnavailable as fault:
                if not is_locked(fault) or time.monotonic() > deadline:
                    raise
            else:
                return
            await asyncio.sleep(BUSY_RETRY)

    async def _commit(self, batch: _Batch) -> None:
        async with self._turn:
            if self._batch is not batch:  # undone meanwhile
                return
            self._batch = None
            try:
                await self._run("COMMIT")
            except Exception as fault:  # whatever it is, writers wait for the batch to end
                await self._discard()
                batch.fail(fault)
                return
            if self._writer.total_changes != batch.changes:
                self.is_writable = True
            batch.succeed()

    async def _undo(self, batch: _Batch, number: int, fault: BaseException) -> None:
        """Undo the last transaction of a batch."""
        if number == 0:
            await self._try("ROLLBACK")
            self._batch = None
            batch.succeed()
        elif not await self._try(f"ROLLBACK TO change_{number}", f"RELEASE change_{number}"):
            # SQLite has already rolled back the whole batch.
            await self._discard()
            self._batch = None
            batch.fail(fault)

    async def _discard(self) -> None:
        """Undo a whole batch, on disk too.

        If only the wait for the disk failed, the commit stands in the file already, and a process
        that is killed now would find it there. So another commit takes its place, whether that one
        fails or not.
        """
        await self._try("ROLLBACK")
        await self._try(f"PRAGMA application_id = {APPLICATION_ID}")

    async def _try(self, *statements: str) -> bool:
        """Run statements until one fails; tell whether none did."""
        try:
            for sql in statements:
                await self._run(sql)
        except (sqlite3.Error, StorageUnavailable):
            return False
        return True

    async def _run(self, sql: str) -> None:
        await Transaction(self._writer).run(sql)

    async def _finish(self) -> None:
        """Let the last commits end before the connections close."""
        while self._commits:
            await asyncio.wait(self._commits)


@asynccontextmanager
async def open_read_only(path: Path, *, at_rest: bool = False) -> AsyncIterator[Reader]:
    """Read a file without changing anything, whether its bot runs or not.

    `at_rest`: for one quick look, which leaves no files beside it if the bot does not run.

    Raises:
        StorageError: the file cannot be read, or its schema is not this program's.
    """
    try:
        async with connect(sqlite_uri(path, read_only(path, at_rest=at_rest))) as connection:
            await check_is_current(connection)
            yield Reader(connection)
    except sqlite3.Error as fault:
        raise StorageError(f"cannot read the database {path}: {fault}") from fault


async def size(sql: Reader) -> int:
    """Return how many bytes the database has."""
    pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    return await sql.one(int, pages) or 0


def _prepare(path: Path) -> None:
    """Finish a restore, reject a damaged file, copy a file that will be migrated.

    A new file is for its owner only; SQLite gives the files beside it the same rights.
    """
    if finish_restore(path) is not None:
        log.warning("finished a restore that was interrupted")
    schema = quick_check(path)
    if 0 < schema < newest():
        kept = path.with_name(f"{path.stem}-schema-{schema}{path.suffix}")
        copy(path, kept)
        log.info("updating the schema; a copy of the old database is kept in %s", kept)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def marks(values: Collection[object]) -> str:
    """Return a parameter for each value of a list."""
    return ", ".join("?" * len(values))


def where_equal(**columns: Any) -> tuple[str, list[Any]]:
    """Return the WHERE clause for columns with these values, where not None, and its parameters.

    Blank if all are None: without any WHERE, SQLite counts a large table without reading its rows.
    """
    given = {column: value for column, value in columns.items() if value is not None}
    return f"WHERE {_equal(given)}" if given else "", list(given.values())


def _insert_into(table: str, values: dict[str, Any]) -> str:
    """Return the statement that inserts a row with these columns."""
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks(values)})"


def _equal(values: Iterable[str], separator: str = " AND ") -> str:
    return separator.join(f"{column} = ?" for column in values)


def _translated(fault: sqlite3.Error | MemoryError) -> Exception:
    if isinstance(fault, MemoryError):  # so Python calls SQLITE_NOMEM
        return StorageUnavailable("out of memory")
    return StorageUnavailable(str(fault)) if is_transient(fault) else fault


def _ignored(*_: object) -> None:
    """Drop a row of a statement that is run for its effect."""
