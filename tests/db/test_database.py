"""Transactions: whole or not at all, many to a commit, in spite of whatever happens."""

import asyncio
import logging
import os
import sqlite3
import stat
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from itertools import combinations, count
from pathlib import Path
from typing import Any

import pytest

from db import settings
from db.database import Database, open_read_only
from db.errors import StorageError, StorageUnavailable
from tests.db.interrupt import interrupt


@pytest.fixture
async def commits(database: Database) -> AsyncIterator[list[str]]:
    """Every COMMIT that SQLite is told, as it comes."""
    seen: list[str] = []
    writer = database._writer
    await writer.set_trace_callback(lambda sql: seen.append(sql) if sql == "COMMIT" else None)
    yield seen
    await writer.set_trace_callback(None)  # type: ignore[arg-type]


async def names(database: Database) -> set[str]:
    return set(await database.read.all(str, "SELECT name FROM settings"))


async def put(database: Database, *keys: str, value: str = "") -> None:
    async with database.write() as sql:
        for key in keys:
            await settings.put(sql, key, value)


async def put_and_fail(database: Database, key: str) -> None:
    async with database.write() as sql:
        await settings.put(sql, key, "")
        raise ArithmeticError


async def at_rest(database: Database) -> bool:
    """Whether no transaction is open, once the commits under way have ended."""
    await put(database, "rest")
    return not database._writer.in_transaction


async def test_write_is_on_disk_after_its_block(database: Database, database_path: Path) -> None:
    await put(database, "a")
    other = sqlite3.connect(database_path)
    assert other.execute("SELECT name FROM settings").fetchall() == [("a",)]
    other.close()


async def test_readers_do_not_see_uncommitted_rows(database: Database) -> None:
    async with database.write() as sql:
        await settings.put(sql, "a", "")
        assert await settings.get(sql, "a") == ""
        assert await names(database) == set()


async def test_failed_block_is_rolled_back(database: Database) -> None:
    with pytest.raises(ArithmeticError):
        await put_and_fail(database, "a")
    assert await names(database) == set()
    assert await at_rest(database)


async def test_failed_statement_rolls_back_the_whole_block(database: Database) -> None:
    async def write() -> None:
        async with database.write() as sql:
            await settings.put(sql, "a", "")
            await sql.run("INSERT INTO settings (name, value) VALUES ('b', NULL)")

    with pytest.raises(sqlite3.IntegrityError):
        await write()
    assert await names(database) == set()


async def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(StorageUnavailable):
        await database.read.all(str, "DELETE FROM settings")


async def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        async with database.write() as sql:
            await sql.run("INSERT INTO feed_entries (journal_id, channel) VALUES (1, 'x')")


async def test_waiting_writers_share_a_commit(database: Database, commits: list[str]) -> None:
    await asyncio.gather(*(put(database, f"n{number}") for number in range(100)))
    assert len(await names(database)) == 100
    assert len(commits) <= 3


async def test_single_writer_commits_by_itself(database: Database, commits: list[str]) -> None:
    for number in range(3):
        await put(database, f"n{number}")
    assert len(commits) == 3


async def test_failure_in_a_batch_rolls_back_only_itself(
    database: Database, commits: list[str]
) -> None:
    outcomes = await asyncio.gather(
        *(
            put_and_fail(database, f"bad{number}") if number % 3 else put(database, f"good{number}")
            for number in range(60)
        ),
        return_exceptions=True,
    )
    assert [outcome is None for outcome in outcomes] == [number % 3 == 0 for number in range(60)]
    assert await names(database) == {f"good{number}" for number in range(0, 60, 3)}
    assert len(commits) <= 3


@pytest.mark.parametrize("error", [ArithmeticError, asyncio.CancelledError])
async def test_first_writer_of_a_batch_fails_alone(
    database: Database, error: type[BaseException]
) -> None:
    published: list[str] = []

    async def write(name: str, fault: type[BaseException] | None = None) -> None:
        async with database.write() as sql:
            sql.after_commit(lambda: published.append(name))
            await settings.put(sql, name, "")
            if fault is not None:
                raise fault

    outcomes = await asyncio.gather(
        write("first", error), write("second"), write("third"), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [error, type(None), type(None)]
    assert published == ["second", "third"]
    assert await names(database) == {"second", "third"}


async def test_callbacks_run_in_commit_order_and_not_after_a_rollback(
    database: Database,
) -> None:
    called: list[int] = []
    written: list[int] = []

    async def write(number: int) -> None:
        async with database.write() as sql:
            sql.after_commit(lambda: called.append(number))
            await settings.put(sql, f"n{number}", "")
            if number % 4 == 0:
                raise ArithmeticError
            written.append(number)

    await asyncio.gather(*(write(number) for number in range(40)), return_exceptions=True)
    assert called == written
    assert len(called) == 30


async def test_callbacks_run_after_the_commit_and_before_the_writer_continues(
    database: Database, database_path: Path
) -> None:
    seen: list[object] = []
    other = sqlite3.connect(database_path)
    async with database.write() as sql:
        await settings.put(sql, "a", "")
        sql.after_commit(
            lambda: seen.extend(other.execute("SELECT count(*) FROM settings").fetchone())
        )
    assert seen == [1]
    other.close()


async def test_raising_callback_does_not_stop_the_others(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[str] = []

    def fail() -> None:
        raise ArithmeticError

    async def write(name: str) -> None:
        async with database.write() as sql:
            await settings.put(sql, name, "")
            sql.after_commit(fail)
            sql.after_commit(lambda: called.append(name))

    await asyncio.gather(write("a"), write("b"))
    assert called == ["a", "b"]
    assert caplog.text.count("a callback after a commit failed") == 2


async def test_write_cancelled_at_any_await_is_atomic(database: Database) -> None:
    point = 0
    while True:
        point += 1
        pair = {f"{point}a", f"{point}b"}
        seen, *_ = await asyncio.gather(
            interrupt(put(database, *pair), point),
            put(database, f"{point}before"),
            put(database, f"{point}after"),
        )
        assert await at_rest(database)
        stored = await names(database)
        assert pair <= stored or not pair & stored
        assert seen.cut_short or pair <= stored
        # The neighbours in its batch never notice.
        assert {f"{point}before", f"{point}after"} <= stored
        if seen.waits < point:
            break
    assert point > 1


async def test_write_cancelled_twice_is_atomic(database: Database) -> None:
    for points in combinations(range(1, 10), 2):
        pair = {f"{points}a", f"{points}b"}
        neighbour = f"{points}c"
        await asyncio.gather(interrupt(put(database, *pair), *points), put(database, neighbour))
        assert await at_rest(database)
        stored = await names(database)
        assert pair <= stored or not pair & stored
        assert neighbour in stored


async def test_write_cancelled_inside_its_block_is_rolled_back(database: Database) -> None:
    async def write() -> None:
        async with database.write() as sql:
            await settings.put(sql, "a", "")
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
            await settings.put(sql, "b", "")

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(write())
    assert await at_rest(database)
    assert await names(database) == {"rest"}


async def test_write_cancelled_during_its_rollback_is_rolled_back(database: Database) -> None:
    for point in range(1, 12):
        with suppress(ArithmeticError):
            await interrupt(put_and_fail(database, "a"), point)
        assert await at_rest(database)
        assert await names(database) == {"rest"}


async def test_cancelled_waiters_do_not_block_others(database: Database) -> None:
    waiting = [asyncio.create_task(put(database, f"n{number}")) for number in range(20)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    kept = {f"n{number}" for number in range(1, 20, 2)}
    assert all(outcome is None for outcome in outcomes[1::2])
    assert kept <= await names(database)
    assert await at_rest(database)


async def test_close_waits_for_running_commits(database_path: Path) -> None:
    async with Database.open(database_path) as database:
        task = asyncio.create_task(put(database, "a"))
        while not database._commits:  # noqa: ASYNC110 - it has nothing to wait for
            await asyncio.sleep(0)
    await task
    async with Database.open(database_path) as database:
        assert await names(database) == {"a"}


class SlowThreads(logging.Handler):
    """Makes each step of a connection's thread slow, and remembers the threads."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[threading.Thread] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if (thread := threading.current_thread()) is not threading.main_thread():
            self.threads.add(thread)
            time.sleep(0.001)

    def have_ended(self) -> bool:
        """Whether all have come to an end; pytest fails the test if one did with an error."""
        for thread in self.threads:
            thread.join(10)
        return bool(self.threads) and not any(thread.is_alive() for thread in self.threads)


@pytest.fixture
def slow_threads() -> Iterator[SlowThreads]:
    handler, logger = SlowThreads(), logging.getLogger("aiosqlite")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


async def open_and_write(path: Path) -> None:
    async with Database.open(path) as database:
        await put(database, "a")


async def open_and_read(path: Path) -> None:
    async with open_read_only(path) as sql:
        await settings.get(sql, "a")


async def _fail(*_: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_no_thread_outlives_a_failed_open(
    database_path: Path, slow_threads: SlowThreads, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StorageError):
        asyncio.run(open_and_read(database_path))
    assert slow_threads.have_ended()
    monkeypatch.setattr("db.database.migrate", _fail)
    with pytest.raises(StorageError):
        asyncio.run(open_and_write(database_path))
    assert slow_threads.have_ended()


@pytest.mark.parametrize("work", [open_and_read, open_and_write])
def test_no_thread_outlives_a_cancellation_at_any_await(
    work: Callable[[Path], Coroutine[Any, Any, None]],
    database_path: Path,
    slow_threads: SlowThreads,
) -> None:
    asyncio.run(open_and_write(database_path))
    for point in count(1):
        slow_threads.threads.clear()
        seen = asyncio.run(interrupt(work(database_path), point))
        assert not slow_threads.threads or slow_threads.have_ended()
        if seen.waits < point:
            break
    assert point > 1


async def limit_pages(database: Database, pages: int) -> None:
    """Have the disk full at this size; SQLite never goes below what it has."""
    async with database.write() as sql:
        await sql.all(int, f"PRAGMA max_page_count = {pages}")


async def test_full_disk_keeps_exactly_the_acknowledged_writes(
    database: Database,
) -> None:
    used = await database.read.one(int, "PRAGMA page_count") or 0
    await limit_pages(database, used + 20)
    acknowledged: set[str] = set()
    refused: set[str] = set()

    async def fill(key: str) -> None:
        try:
            await put(database, key, f"{key} too", value="x" * 3_000)
        except StorageUnavailable:
            refused.add(key)
        else:
            acknowledged.update({key, f"{key} too"})

    for start in range(0, 60, 4):
        await asyncio.gather(*(fill(f"n{number}") for number in range(start, start + 4)))
    assert acknowledged
    assert refused
    assert await names(database) == acknowledged
    assert not database._writer.in_transaction


async def test_writes_succeed_after_a_full_disk(database: Database) -> None:
    used = await database.read.one(int, "PRAGMA page_count") or 0
    await limit_pages(database, used)
    with pytest.raises(StorageUnavailable):
        await put(database, "a", value="x" * 100_000)
    await limit_pages(database, 100_000)
    await put(database, "a", value="x" * 100_000)
    assert await names(database) == {"a"}


async def test_locked_file_is_unavailable_until_unlocked(
    database: Database, database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.database.BUSY_TIMEOUT", 0.05)
    other = sqlite3.connect(database_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable):
        await put(database, "a")
    other.execute("ROLLBACK")
    other.close()
    await put(database, "b")
    assert await names(database) == {"b"}


async def test_waiting_for_a_lock_does_not_block_the_event_loop(
    database: Database, database_path: Path
) -> None:
    other = sqlite3.connect(database_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(put(database, "a"))
    for _ in range(10):
        assert await names(database) == set()
        await asyncio.sleep(0)
    assert not writing.done()
    other.execute("ROLLBACK")
    other.close()
    await writing
    assert await names(database) == {"a"}


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no such bits")
async def test_new_files_are_readable_by_their_owner_only(database_path: Path) -> None:
    async with Database.open(database_path) as database:
        async with database.write():
            pass
        files = list(database_path.parent.glob("sentinel.db*"))
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


async def test_transaction_within_a_transaction_is_refused_instead_of_waiting_for_ever(
    database: Database,
) -> None:
    async def write_twice() -> None:
        async with database.write() as sql:
            await settings.put(sql, "outer", "1")
            async with database.write():
                pass

    with pytest.raises(RuntimeError, match="open already"):
        await write_twice()
    async with database.write() as sql:
        await settings.put(sql, "after", "1")
    assert await database.read.all(str, "SELECT name FROM settings") == ["after"]
