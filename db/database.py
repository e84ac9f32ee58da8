"""The SQLite file: one writer that takes turns, readers that never block it."""

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from db.copies import copy, finish_restore
from db.errors import StorageError, StorageUnavailable, is_passing, refusal
from db.migrate import APPLICATION_ID, check_is_current, migrate, newest
from db.soundness import glance

T = TypeVar("T")

log = logging.getLogger(__name__)

READERS = 2
"""Connections for reading; each is a thread, and most reads take microseconds."""

BUSY_TIMEOUT = 5_000
"""Milliseconds that a statement waits for another process, a backup for example."""


class Reader:
    """Runs statements, one thread hop each, and makes a row of every result."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def all(self, row: Callable[..., T], sql: str, *parameters: Any) -> list[T]:
        """Return every row, made by `row` from its columns in order."""
        return [row(*columns) for columns in await self._fetch(sql, parameters)]

    async def one(self, row: Callable[..., T], sql: str, *parameters: Any) -> T | None:
        """Return the first row or None."""
        for columns in await self._fetch(sql, parameters):
            return row(*columns)
        return None

    async def _fetch(self, sql: str, parameters: Sequence[Any]) -> list[sqlite3.Row]:
        try:
            return list(await self._connection.execute_fetchall(sql, parameters))
        except sqlite3.Error as fault:
            if is_passing(fault):
                raise StorageUnavailable(str(fault)) from fault
            raise


class Transaction(Reader):
    """The one write transaction; reads through it see what it has written."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self._after_commit: list[Callable[[], None]] = []

    async def run(self, sql: str, *parameters: Any) -> None:
        """Run a statement for its effect."""
        await self._fetch(sql, parameters)

    async def insert(self, sql: str, *parameters: Any) -> int:
        """Run an INSERT … RETURNING id and return the id."""
        (row,) = await self._fetch(sql, parameters)
        return int(row[0])

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once the transaction is on disk, in commit order; never if it is undone."""
        self._after_commit.append(callback)


class _Batch:
    """Transactions that share one commit, and so one wait for the disk.

    `changes`: how many rows the connection had changed when it began.
    """

    def __init__(self, changes: int) -> None:
        self.callbacks: list[Callable[[], None]] = []
        self.changes = changes
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Nobody may be left to hear of a failure when every writer was cancelled.
        self.done.add_done_callback(lambda done: done.exception())

    def fail(self, fault: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(StorageUnavailable(str(fault)))


class Database:
    """Opened with `Database.open`; `read` for reading, `write()` for a transaction."""

    def __init__(self, writer: aiosqlite.Connection, readers: list[aiosqlite.Connection]) -> None:
        self._writer = writer
        self._readers = cycle([Reader(connection) for connection in readers])
        self._turn = asyncio.Lock()
        self._batch: _Batch | None = None
        self._begun_in_vain = 0
        self._commits: set[asyncio.Task[None]] = set()
        self.is_writable = True
        """Whether the last attempt to write did not fail for want of storage."""

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator["Database"]:
        """Open the file, create it or bring its schema up to date, after keeping a copy.

        Raises:
            StorageError: the file cannot be opened, is no sound database, or is newer than this
                program.
        """
        async with AsyncExitStack() as stack:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                await asyncio.to_thread(_prepare, path)
                writer = await stack.enter_async_context(_connect(path))
                await writer.execute_fetchall("PRAGMA synchronous = FULL")
                await migrate(writer)
                # Written into the file, so only once it is known to be ours.
                await writer.execute_fetchall("PRAGMA journal_mode = WAL")
                readers = [await stack.enter_async_context(_connect(path)) for _ in range(READERS)]
                for reader in readers:
                    await reader.execute_fetchall("PRAGMA query_only = ON")
            except (sqlite3.Error, OSError) as fault:
                raise refusal(path, fault) from fault
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

        Writers that wait at the same moment share one commit; each stays all-or-nothing through
        its own savepoint. A cancellation inside the block undoes it; one behind its end does not.

        Raises:
            StorageUnavailable: it could not be written; nothing of it was kept.
        """
        try:
            async with self._write() as transaction:
                yield transaction
        except StorageUnavailable:
            self.is_writable = False
            raise

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[Transaction]:
        refusal: Exception | None = None
        begun_in_vain = self._begun_in_vain
        async with self._turn:
            batch = self._batch
            if batch is None:
                if self._begun_in_vain != begun_in_vain:
                    # Each of many waiters would wait out a lock on the file, one after the other.
                    raise StorageUnavailable("the writer before could not begin")
                batch = await _in_spite_of_cancellation(self._begin())
            transaction = Transaction(self._writer)
            try:
                await transaction.run("SAVEPOINT change")
                yield transaction
            except BaseException as fault:
                await _in_spite_of_cancellation(self._undo(batch, fault))
                if not isinstance(fault, Exception):
                    raise
                refusal = fault
            else:
                await _in_spite_of_cancellation(self._keep(batch, transaction))
        # A refusal waits too: it may rest on what an earlier transaction of the batch has written.
        await asyncio.shield(batch.done)
        if refusal is not None:
            raise refusal

    async def _begin(self) -> _Batch:
        """Begin a batch. Its commit queues for the turn: behind all who wait now, before others."""
        try:
            await Transaction(self._writer).run("BEGIN IMMEDIATE")
        except StorageUnavailable:
            self._begun_in_vain += 1
            raise
        batch = self._batch = _Batch(self._writer.total_changes)
        commit = asyncio.create_task(self._commit(batch), name="commit")
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        return batch

    async def _commit(self, batch: _Batch) -> None:
        async with self._turn:
            if self._batch is not batch:
                return
            self._batch = None
            try:
                await self._writer.execute_fetchall("COMMIT")
            except sqlite3.Error as fault:
                await self._take_back()
                batch.fail(fault)
                return
            if self._writer.total_changes != batch.changes:
                self.is_writable = True
            try:
                for callback in batch.callbacks:
                    callback()
            finally:
                batch.done.set_result(None)

    async def _keep(self, batch: _Batch, transaction: Transaction) -> None:
        """Let one transaction become part of its batch."""
        try:
            await transaction.run("RELEASE change")
        except BaseException as fault:
            await self._undo(batch, fault)
            raise
        batch.callbacks += transaction._after_commit

    async def _undo(self, batch: _Batch, fault: BaseException) -> None:
        """Take back one transaction; SQLite may already have taken back the whole batch."""
        try:
            await self._writer.execute_fetchall("ROLLBACK TO change")
            await self._writer.execute_fetchall("RELEASE change")
        except sqlite3.Error:
            await self._take_back()
            self._batch = None
            batch.fail(fault if isinstance(fault, Exception) else StorageError("interrupted"))

    async def _take_back(self) -> None:
        """Take back the whole batch, on disk too.

        If only the wait for the disk failed, the commit stands in the file already, and a process
        that is killed now would find it there. So another one takes its place, if it fails or not.
        """
        for statement in ("ROLLBACK", f"PRAGMA application_id = {APPLICATION_ID}"):
            with suppress(sqlite3.Error):
                await self._writer.execute_fetchall(statement)

    async def _finish(self) -> None:
        """Let the last commits end before the connections close."""
        while self._commits:
            await asyncio.wait(self._commits)


@asynccontextmanager
async def looking_into(path: Path) -> AsyncIterator[Reader]:
    """Read a file without changing anything, whether its bot runs or not.

    Raises:
        StorageError: the file cannot be read, or its schema is not this program's.
    """
    try:
        uri = await asyncio.to_thread(_read_only, path)
        async with aiosqlite.connect(uri, uri=True) as connection:
            await check_is_current(connection)
            yield Reader(connection)
    except sqlite3.Error as fault:
        raise StorageError(f"cannot read the database {path}: {fault}") from fault


async def size(sql: Reader) -> int:
    """Return how many bytes the database has."""
    pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    return await sql.one(int, pages) or 0


def _read_only(path: Path) -> str:
    """Return a file's address for reading; fail here if it cannot be opened, as in `_prepare`."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    sqlite3.connect(uri, uri=True).close()
    return uri


def _prepare(path: Path) -> None:
    """Finish a restore, refuse a file that is not sound, keep a copy of what will be migrated.

    A new file is for its owner only; SQLite gives the files beside it the same rights.
    """
    if finish_restore(path) is not None:
        log.warning("a restore that was interrupted is finished")
    schema = glance(path)
    if 0 < schema < newest():
        kept = path.with_name(f"{path.stem}-schema-{schema}{path.suffix}")
        copy(path, kept)
        log.info("the schema is brought up to date; the database as it was is kept in %s", kept)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    # Fail here if it cannot be opened: a thread of aiosqlite outlives its own failure.
    sqlite3.connect(path).close()


def _connect(path: Path) -> aiosqlite.Connection:
    # isolation_level=None: transactions begin and end where this module says so, nowhere else.
    return aiosqlite.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT / 1000)


async def _in_spite_of_cancellation(work: Coroutine[Any, Any, T]) -> T:
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
