"""The SQLite file: one writer that takes turns, readers that never block it."""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

from db.connection import BUSY_TIMEOUT, Connection, connect, in_spite_of_cancellation
from db.copies import copy, finish_restore
from db.errors import StorageError, StorageUnavailable, is_lock, refusal
from db.migrate import APPLICATION_ID, migrate, newest
from db.reader import Reader
from db.soundness import glance

T = TypeVar("T")

log = logging.getLogger(__name__)

READERS = 2
"""Connections for reading; each is a thread, and most reads take microseconds."""

CACHE = 8_000
"""KiB of pages that a reader keeps at most; SQLite's own 2,000 are few for a million rows."""

CHECKPOINT = 4_000
"""Pages of 4 KiB in the write-ahead log that are then copied into the database.

With SQLite's own 1,000, the pages that every write changes are copied four times as often.
"""

BUSY_RETRY = 0.01
"""Seconds between two tries to begin a transaction while another process writes."""


class Transaction(Reader):
    """The one write transaction; reads through it see what it has written."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._after_commit: list[Callable[[], None]] = []

    async def run(self, sql: str, *parameters: Any) -> None:
        """Run a statement for its effect."""
        await self._connection.fetch(sql, parameters)

    async def insert(self, sql: str, *parameters: Any) -> int:
        """Run an INSERT and return the id of the new row."""
        return await self._connection.insert(sql, parameters)

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
        self._waiters: list[asyncio.Future[None]] = []
        self._fault: StorageUnavailable | None = None

    async def ended(self) -> None:
        """Wait for the commit.

        Raises:
            StorageUnavailable: there is none.
        """
        if self._fault is not None:
            raise StorageUnavailable(str(self._fault))
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def end(self) -> None:
        """Let the writers go on."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, fault: Exception) -> None:
        """Tell the writers, also those who still come to wait, that nothing was kept."""
        self._fault = StorageUnavailable(str(fault))
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(StorageUnavailable(str(fault)))


class Database:
    """Opened with `Database.open`; `read` for reading, `write()` for a transaction."""

    def __init__(self, writer: Connection, readers: list[Connection]) -> None:
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
                writer = await stack.enter_async_context(connect(path, timeout=BUSY_TIMEOUT))
                await writer.execute_fetchall("PRAGMA synchronous = FULL")
                await writer.execute_fetchall(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
                await migrate(writer)
                # Written into the file, so only once it is known to be ours.
                await writer.execute_fetchall("PRAGMA journal_mode = WAL")
                readers = [
                    await stack.enter_async_context(connect(path, timeout=BUSY_TIMEOUT))
                    for _ in range(READERS)
                ]
                for reader in readers:
                    await reader.execute_fetchall("PRAGMA query_only = ON")
                    await reader.execute_fetchall(f"PRAGMA cache_size = {-CACHE}")
            except (sqlite3.Error, OSError) as fault:
                raise refusal(path, fault) from fault
            # From now on a lock is waited for where nobody else waits with it.
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

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction; see `write_with`."""
        return self.write_with(lambda transaction: transaction)

    @asynccontextmanager
    async def write_with(self, made_of: Callable[[Transaction], T]) -> AsyncIterator[T]:
        """Open a transaction: all of its block or nothing; on disk when the block has ended.

        The block gets what is made of it. Writers that wait at the same moment share one commit;
        each stays all-or-nothing through its own savepoint. A cancellation inside the block undoes
        it; one behind its end does not.

        Raises:
            StorageUnavailable: it could not be written; nothing of it was kept.
        """
        refusal: Exception | None = None
        begun_in_vain = self._begun_in_vain
        try:
            async with self._turn:
                batch = self._batch or await self._begin(begun_in_vain)
                transaction = Transaction(self._writer)
                try:
                    await self._writer.fetch("SAVEPOINT change")
                    yield made_of(transaction)
                except BaseException as fault:
                    if not await in_spite_of_cancellation(self._undo()):
                        await in_spite_of_cancellation(self._give_up(batch, fault))
                    if not isinstance(fault, Exception):
                        raise
                    refusal = fault
                else:
                    batch.callbacks += transaction._after_commit
                    await self._writer.fetch("RELEASE change")  # cancelled here, it is done
            # A refusal waits too: it may rest on what an earlier one of the batch has written.
            await batch.ended()
        except StorageUnavailable:
            self.is_writable = False
            raise
        if refusal is not None:
            raise refusal

    async def _begin(self, begun_in_vain: int) -> _Batch:
        """Begin a batch. Its commit queues for the turn: behind all who wait now, before others.

        `begun_in_vain`: how often that had failed when this writer came.
        """
        if self._begun_in_vain != begun_in_vain:
            # Each of many waiters would wait out a lock on the file, one after the other.
            raise StorageUnavailable("the writer before could not begin")
        try:
            await self._begin_when_free()
        except StorageUnavailable:
            self._begun_in_vain += 1
            raise
        except asyncio.CancelledError:  # it has begun all the same
            if self._writer.in_transaction:
                await in_spite_of_cancellation(self._writer.fetch("ROLLBACK"))
            raise
        batch = self._batch = _Batch(self._writer.total_changes)
        commit = asyncio.create_task(self._commit(batch), name="commit")
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        return batch

    async def _begin_when_free(self) -> None:
        """Begin, once no other process writes; the event loop goes on meanwhile."""
        deadline = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                await self._writer.fetch("BEGIN IMMEDIATE")
            except StorageUnavailable as fault:
                if not is_lock(fault) or time.monotonic() > deadline:
                    raise
            else:
                return
            await asyncio.sleep(BUSY_RETRY)

    async def _commit(self, batch: _Batch) -> None:
        async with self._turn:
            if self._batch is not batch:
                return
            self._batch = None
            try:
                await self._writer.fetch("COMMIT")
            except (sqlite3.Error, StorageUnavailable) as fault:
                await self._take_back()
                batch.fail(fault)
                return
            if self._writer.total_changes != batch.changes:
                self.is_writable = True
            try:
                for callback in batch.callbacks:
                    callback()
            finally:
                batch.end()

    async def _undo(self) -> bool:
        """Take back one transaction; False: SQLite may have taken back the whole batch already."""
        try:
            await self._writer.fetch("ROLLBACK TO change")
            await self._writer.fetch("RELEASE change")
        except (sqlite3.Error, StorageUnavailable):
            return False
        return True

    async def _give_up(self, batch: _Batch, fault: BaseException) -> None:
        """Take back a whole batch for what went wrong with one of its transactions."""
        await self._take_back()
        self._batch = None
        batch.fail(fault if isinstance(fault, Exception) else StorageError("interrupted"))

    async def _take_back(self) -> None:
        """Take back the whole batch, on disk too.

        If only the wait for the disk failed, the commit stands in the file already, and a process
        that is killed now would find it there. So another one takes its place, if it fails or not.
        """
        for statement in ("ROLLBACK", f"PRAGMA application_id = {APPLICATION_ID}"):
            with suppress(sqlite3.Error, StorageUnavailable):
                await self._writer.fetch(statement)

    async def _finish(self) -> None:
        """Let the last commits end before the connections close."""
        while self._commits:
            await asyncio.wait(self._commits)


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
