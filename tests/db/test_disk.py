"""A disk that is full, broken, read-only or slow: nothing half done, and it recovers by itself."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db import settings
from db.database import Database
from db.errors import StorageUnavailable, is_transient
from tests.db.disk import FULL, IOERR_FSYNC, IOERR_WRITE, READONLY, Disk, faulty_disk

FAILURES = {
    "full": {"on_write": FULL},
    "broken": {"on_write": IOERR_WRITE},
    "read-only": {"on_write": READONLY},
    "never done": {"on_sync": IOERR_FSYNC},
}


@pytest.fixture
async def on_disk(database_path: Path) -> AsyncIterator[tuple[Database, Disk]]:
    """A database on a disk that can go wrong."""
    with faulty_disk() as disk:
        async with Database.open(database_path) as database:
            yield database, disk


async def _put(database: Database, name: str) -> None:
    async with database.write() as sql:
        await settings.put(sql, name, "x" * 3_000)


def _after_a_kill(path: Path) -> set[str]:
    """What a new process would find if this one were killed now."""
    copy = path.parent / "copy"
    copy.mkdir()
    for name in (path.name, f"{path.name}-wal"):
        shutil.copy(path.with_name(name), copy)
    with closing(sqlite3.connect(copy / path.name)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {name for (name,) in database.execute("SELECT name FROM settings")}
    shutil.rmtree(copy)
    return found


@pytest.mark.parametrize("failure", FAILURES)
async def test_disk_error_loses_only_rejected_writes(
    on_disk: tuple[Database, Disk], database_path: Path, failure: str
) -> None:
    database, disk = on_disk
    await _put(database, "before")
    for round_ in range(3):
        vars(disk).update(FAILURES[failure])
        outcomes = await asyncio.gather(
            *(_put(database, f"refused-{number}") for number in range(5)), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {StorageUnavailable}
        expected = {"before", *(f"after-{n}" for n in range(round_))}
        assert set(await database.read.all(str, "SELECT name FROM settings")) == expected
        assert _after_a_kill(database_path) == expected
        disk.mend()
        await _put(database, f"after-{round_}")
    assert _after_a_kill(database_path) == expected | {f"after-{round_}"}


async def test_running_out_of_memory_at_the_commit_loses_only_rejected_writes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = database._writer.execute_fetchall
    wanting = {"COMMIT", "ROLLBACK"}

    def run_without_memory(sql: str, parameters: Any = ()) -> Any:
        if sql in wanting:
            wanting.remove(sql)
            raise MemoryError
        return run(sql, parameters)

    monkeypatch.setattr(database._writer, "execute_fetchall", run_without_memory)
    writes = (_put(database, f"refused-{number}") for number in range(3))
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StorageUnavailable}
    assert (wanting, database.is_writable) == (set(), False)
    await _put(database, "after")
    assert await database.read.all(str, "SELECT name FROM settings") == ["after"]
    assert database.is_writable


async def test_slow_disk_does_not_block_readers(on_disk: tuple[Database, Disk]) -> None:
    database, disk = on_disk
    await _put(database, "before")
    disk.slow = 0.5
    writing = asyncio.create_task(_put(database, "slow"))
    reads = 0
    while not writing.done():
        assert "before" in await database.read.all(str, "SELECT name FROM settings")
        reads += 1
    await writing
    assert reads > 10


async def test_waiting_writers_share_one_lock_timeout(
    database: Database, database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.database.BUSY_TIMEOUT", 0.05)
    monkeypatch.setattr("db.database.BUSY_RETRY", 0.03)
    begun: list[str] = []
    await database._writer.set_trace_callback(begun.append)
    with closing(sqlite3.connect(database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = await asyncio.gather(
            *(_put(database, f"refused-{number}") for number in range(20)), return_exceptions=True
        )
        assert {type(outcome) for outcome in outcomes} == {StorageUnavailable}
        assert begun.count("BEGIN IMMEDIATE") <= 3
    await _put(database, "after")
    await database._writer.set_trace_callback(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "passes"),
    [
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_WRITE, True),
        (sqlite3.SQLITE_IOERR_FSYNC, True),
        (sqlite3.SQLITE_IOERR_SHMSIZE, True),
        (sqlite3.SQLITE_READONLY_DBMOVED, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (sqlite3.SQLITE_CANTOPEN, True),
        (sqlite3.SQLITE_PERM, True),
        (sqlite3.SQLITE_PROTOCOL, True),
        (sqlite3.SQLITE_CORRUPT, False),
        (sqlite3.SQLITE_NOTADB, False),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, False),
    ],
)
def test_transient_errors(code: int, passes: bool) -> None:
    fault = sqlite3.OperationalError()
    fault.sqlite_errorcode = code
    assert is_transient(fault) == passes
