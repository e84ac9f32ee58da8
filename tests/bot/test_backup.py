"""Backups: complete, checked, readable by their owner only, and as many as configured."""

import asyncio
import errno
import os
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from bot.backup import Backups, back_up_regularly, backup, list_backups, suggested_restore
from bot.settings import DatabaseSettings, Settings
from db import backup as db_backup
from db.backup import CopyStopped, copy
from db.database import Database
from db.errors import StorageError
from db.integrity import full_check
from tests.db.damage import PAGE, folder, names, start, start_and_kill, tear

NOW = datetime(2026, 11, 22, 9, 30, 5, tzinfo=UTC)


class BackupCase:
    """A database, and the commands that back it up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.target = path.with_name("copy.db")
        self.settings = Settings(database=DatabaseSettings(path=path))
        self.backups = Backups(self.settings.database)

    def backup(self, target: Path | None = None, *, force: bool = False) -> tuple[int, str]:
        """Back up; return the exit code and the one line that it says."""
        said: list[str] = []
        code = backup(self.settings, target or self.target, force=force, say=said.append)
        (line,) = said
        return code, line

    def listed(self) -> tuple[int, list[str]]:
        """List the backups."""
        said: list[str] = []
        return list_backups(self.settings, said.append), said

    def made(self) -> list[str]:
        """Return what is in the backup folder."""
        return sorted(path.name for path in self.backups.folder.iterdir())


@pytest.fixture
def case(database_path: Path) -> BackupCase:
    """A database with one setting, and its backups."""
    start(database_path, "a")
    return BackupCase(database_path)


def test_backup_is_one_complete_file(case: BackupCase) -> None:
    code, said = case.backup()
    assert code == 0
    assert f"backed up to {case.target}: 0." in said
    assert full_check(case.target) > 0
    assert names(case.target) == ["a"]
    assert case.target.read_bytes()[18:20] == b"\x01\x01"  # it needs no -wal, as SQLite has it
    left = {path.name for path in case.path.parent.iterdir()}
    assert {name for name in left if name.startswith("copy")} == {"copy.db"}


@pytest.mark.skipif(os.name == "nt", reason="there are no such rights on Windows")
def test_backup_is_readable_by_its_owner_only(case: BackupCase) -> None:
    old = os.umask(0)
    try:
        case.backup()
    finally:
        os.umask(old)
    assert stat.S_IMODE(case.target.stat().st_mode) == 0o600


def test_backup_contains_the_wal_of_a_killed_bot(database_path: Path) -> None:
    start_and_kill(database_path, "a", "b")
    assert BackupCase(database_path).backup()[0] == 0
    assert names(database_path.with_name("copy.db")) == ["a", "b"]


def test_backup_is_a_snapshot_and_does_not_block_writers(
    case: BackupCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_backup, "PAGES", 1)
    writer = sqlite3.connect(case.path, timeout=0, isolation_level=None)
    written = 0

    class Writing(Event):
        """Is asked between two pages whether to stop, and writes a pair then."""

        def is_set(self) -> bool:
            nonlocal written
            if written < 50:
                writer.execute("BEGIN IMMEDIATE")
                for half in "xy":
                    name = f"{written}{half}"
                    writer.execute("INSERT INTO settings VALUES (?, ?)", (name, "x" * 9_000))
                writer.execute("COMMIT")
                written += 1
            return False

    with closing(writer):
        copy(case.path, case.target, stop=Writing())
    assert written == 50
    assert names(case.target) == ["a"]
    assert len(names(case.path)) == 101


async def test_bot_writes_during_a_backup(database_path: Path, tmp_path: Path) -> None:
    async with Database.open(database_path) as database:
        written = 0
        backing = asyncio.create_task(asyncio.to_thread(copy, database_path, tmp_path / "c.db"))
        while not backing.done() or written < 20:
            async with database.write() as sql:
                for half in "xy":
                    await sql.run("INSERT INTO settings VALUES (?, 'v')", f"{written}{half}")
            written += 1
        await backing
    found = names(tmp_path / "c.db")
    assert len(found) % 2 == 0
    assert len(names(database_path)) == 2 * written


def test_a_file_that_exists_is_replaced_only_by_force(case: BackupCase) -> None:
    case.target.write_text("precious")
    code, said = case.backup()
    assert (code, case.target.read_text()) == (1, "precious")
    assert "--force" in said
    assert case.backup(force=True)[0] == 0
    assert names(case.target) == ["a"]


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal", ".lock"])
def test_force_does_not_overwrite_the_database(case: BackupCase, suffix: str) -> None:
    before = folder(case.path.parent)
    code, said = case.backup(Path(f"{case.path}{suffix}"), force=True)
    assert code == 1
    assert "belongs to the database itself" in said
    assert folder(case.path.parent) == before


def test_failed_backup_says_why_and_leaves_no_file(
    case: BackupCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folder(tmp_path)
    assert case.backup(tmp_path / "none" / "copy.db") == (
        1,
        f"there is no folder {tmp_path / 'none'}: create it, or choose another one",
    )
    assert case.backup(tmp_path) == (1, f"{tmp_path} is a folder: name a file in it")
    missing = BackupCase(tmp_path / "missing.db").backup()
    assert missing == (1, f"there is no database {tmp_path / 'missing.db'}")

    def no_room(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    assert case.backup() == (
        1,
        f"{case.target} cannot be written: there is no room left on the disk",
    )
    assert folder(tmp_path) == before


def test_damaged_database_does_not_replace_a_backup(case: BackupCase) -> None:
    start(case.path, *(f"{number:0>200}" for number in range(200)))
    assert case.backup()[0] == 0
    sound = case.target.read_bytes()
    tear(case.path, case.path.stat().st_size // PAGE - 1)
    code, said = case.backup(force=True)
    assert code == 1
    assert f"{case.path} cannot be copied: it is damaged (" in said
    assert case.target.read_bytes() == sound


def test_database_of_another_program_is_not_backed_up(database_path: Path) -> None:
    with closing(sqlite3.connect(database_path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    code, said = BackupCase(database_path).backup()
    assert code == 1
    assert "of another program" in said


@pytest.mark.parametrize("after", [0, 1, 20])
def test_stopped_copy_leaves_no_file(
    case: BackupCase, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(db_backup, "PAGES", 1)
    asked = 0

    class Stopping(Event):
        def is_set(self) -> bool:
            nonlocal asked
            asked += 1
            return asked > after

    before = folder(case.path.parent)
    with pytest.raises(CopyStopped):
        copy(case.path, case.target, stop=Stopping())
    assert folder(case.path.parent) == before


def test_only_the_oldest_backups_of_the_bot_are_deleted(case: BackupCase) -> None:
    backups = Backups(DatabaseSettings(path=case.path, backups_kept=3))
    backups.folder.mkdir()
    theirs = [
        "mine.db",
        "sentinel-holiday.db",
        "sentinel-20261122-0930.db",
        "other-20260101-000000.db",
    ]
    theirs += ["sentinel-20261399-000000.db", "sentinel-20260101-000000.db.txt"]
    for name in theirs:
        (backups.folder / name).write_text("precious")
    (backups.folder / "sentinel-20260101-000000.db.part").write_text("of a bot that was killed")
    for hour in range(5):
        backups.make(NOW + timedelta(hours=hour), Event())
    own = [f"sentinel-20261122-{hour}3005.db" for hour in (11, 12, 13)]
    assert case.made() == sorted([*theirs, *own])
    assert {(backups.folder / name).read_text() for name in theirs} == {"precious"}


def test_failed_backup_deletes_no_older_one(case: BackupCase) -> None:
    backups = Backups(DatabaseSettings(path=case.path, backups_kept=1))
    backups.make(NOW, Event())
    tear(case.path, case.path.stat().st_size // PAGE - 1)
    tear(case.path, 2)
    with pytest.raises(StorageError):
        backups.make(NOW + timedelta(days=1), Event())
    assert case.made() == ["sentinel-20261122-093005.db"]


def test_backup_from_the_future_does_not_prevent_a_new_one(case: BackupCase) -> None:
    backups = Backups(DatabaseSettings(path=case.path, backups_kept=1))
    backups.make(NOW + timedelta(days=365), Event())
    assert backups.is_due(NOW)
    backups.make(NOW, Event())
    assert case.made() == ["sentinel-20261122-093005.db"]


def test_backup_is_due_by_the_age_of_the_newest(case: BackupCase) -> None:
    backups = case.backups
    assert backups.is_due(NOW)
    backups.make(NOW, Event())
    assert not backups.is_due(NOW)
    assert not backups.is_due(NOW + timedelta(hours=23, minutes=59))
    assert backups.is_due(NOW + timedelta(hours=24))


class Counted(Backups):
    """Backups that tell of every attempt."""

    attempts = 0

    def is_due(self, now: datetime) -> bool:
        """Count."""
        type(self).attempts += 1
        return super().is_due(now)


async def _until(backups: Counted, attempts: int) -> None:
    async with asyncio.timeout(20):
        while backups.attempts < attempts:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # the attempts are a thread's


async def test_failure_is_logged_once_and_retried(
    database_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(start, database_path)
    monkeypatch.setattr("bot.backup.CHECK_INTERVAL", 0.0)
    caplog.set_level("INFO")
    backups = Counted(DatabaseSettings(path=database_path))
    for episode in (1, 2):
        await asyncio.to_thread(backups.folder.write_text, "in the way")
        keeping = asyncio.create_task(back_up_regularly(backups))
        await _until(backups, backups.attempts + 4)
        failures = [record for record in caplog.records if record.levelname == "ERROR"]
        assert len(failures) == episode
        assert "no backup could be made" in failures[-1].getMessage()
        await asyncio.to_thread(backups.folder.unlink)
        await _until(backups, backups.attempts + 4)
        assert caplog.text.count("backed up to") == episode
        keeping.cancel()
        await asyncio.wait({keeping})
        for path in backups.folder.glob("*"):
            path.unlink()
        backups.folder.rmdir()


async def test_cancelled_backup_leaves_no_file(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(start, database_path)
    copying, may_go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[BaseException] = loop.create_future()

    def slow(source: Path, target: Path, stop: Event) -> int:
        loop.call_soon_threadsafe(copying.set)
        may_go_on.wait(20)
        try:
            return copy(source, target, stop=stop)
        except BaseException as fault:
            loop.call_soon_threadsafe(ended.set_result, fault)
            raise

    monkeypatch.setattr(db_backup, "copy", slow)
    backups = Backups(DatabaseSettings(path=database_path))
    keeping = asyncio.create_task(back_up_regularly(backups))
    await copying.wait()
    keeping.cancel()
    await asyncio.wait({keeping})
    may_go_on.set()
    assert isinstance(await ended, CopyStopped)
    assert list(backups.folder.iterdir()) == []


def test_list_shows_damaged_backups(case: BackupCase) -> None:
    assert case.listed() == (0, [f"there is no backup in {case.backups.folder}"])
    first = case.backups.make(NOW, Event())
    second = case.backups.make(NOW + timedelta(hours=1), Event())
    code, lines = case.listed()
    assert code == 0
    assert len(lines) == 2
    assert all("schema" in line and line.endswith("ok") and " MB " in line for line in lines)
    os.utime(second, (2_000_000_000, 2_000_000_000))
    tear(second, second.stat().st_size // PAGE - 1)
    tear(second, 2)
    code, lines = case.listed()
    assert code == 1
    assert f"{second}  NOT USABLE: " in lines[0]
    assert str(first) in lines[1]


def test_newest_undamaged_backup_is_suggested(case: BackupCase) -> None:
    assert suggested_restore(case.settings, None).startswith("there is no usable backup in")
    sound = case.backups.make(NOW, Event())
    newer = case.backups.folder / "copy.db"
    newer.write_bytes(b"damaged" * 1_000)
    os.utime(newer, (2_000_000_000, 2_000_000_000))
    assert suggested_restore(case.settings, None).endswith(f": cad-sentinel restore {sound}")
    with_config = suggested_restore(case.settings, Path("other.toml"))
    assert with_config.endswith(f": cad-sentinel --config other.toml restore {sound}")
