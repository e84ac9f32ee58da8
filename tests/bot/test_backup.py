"""Backups: whole, sound, seen by nobody else, and neither too many nor too few."""

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

from bot.backup import Backups, backup, keep_backed_up, list_backups, way_back
from bot.settings import DatabaseSettings, Settings
from db import backup as db_backup
from db.backup import CopyStopped, copy
from db.database import Database
from db.errors import StorageError
from db.integrity import full_check
from tests.db.damage import PAGE, folder, names, start, start_and_kill, tear

NOW = datetime(2026, 11, 22, 9, 30, 5, tzinfo=UTC)


class Place:
    """A database, and the command that backs it up."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.target = path.with_name("copy.db")
        self.settings = Settings(database=DatabaseSettings(path=path))
        self.backups = Backups.of(self.settings)

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
def place(database_path: Path) -> Place:
    """A place whose database has one setting."""
    start(database_path, "a")
    return Place(database_path)


def test_a_backup_is_one_sound_file_with_everything(place: Place) -> None:
    code, said = place.backup()
    assert code == 0
    assert f"backed up to {place.target}: 0." in said
    assert full_check(place.target) > 0
    assert names(place.target) == ["a"]
    assert place.target.read_bytes()[18:20] == b"\x01\x01"  # it needs no -wal, as SQLite has it
    left = {path.name for path in place.path.parent.iterdir()}
    assert {name for name in left if name.startswith("copy")} == {"copy.db"}


@pytest.mark.skipif(os.name == "nt", reason="there are no such rights on Windows")
def test_nobody_else_may_read_a_backup(place: Place) -> None:
    old = os.umask(0)
    try:
        place.backup()
    finally:
        os.umask(old)
    assert stat.S_IMODE(place.target.stat().st_mode) == 0o600


def test_what_a_killed_bot_left_is_in_the_backup(database_path: Path) -> None:
    start_and_kill(database_path, "a", "b")
    assert Place(database_path).backup()[0] == 0
    assert names(database_path.with_name("copy.db")) == ["a", "b"]


def test_a_backup_is_of_one_moment_and_holds_up_nobody_who_writes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_backup, "PAGES", 1)
    writer = sqlite3.connect(place.path, timeout=0, isolation_level=None)
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
        copy(place.path, place.target, stop=Writing())
    assert written == 50
    assert names(place.target) == ["a"]
    assert len(names(place.path)) == 101


async def test_a_running_bot_writes_on_while_it_is_backed_up(
    database_path: Path, tmp_path: Path
) -> None:
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


def test_a_file_that_exists_is_replaced_only_by_force(place: Place) -> None:
    place.target.write_text("precious")
    code, said = place.backup()
    assert (code, place.target.read_text()) == (1, "precious")
    assert "--force" in said
    assert place.backup(force=True)[0] == 0
    assert names(place.target) == ["a"]


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal", ".lock"])
def test_not_even_force_writes_over_the_database_itself(place: Place, suffix: str) -> None:
    before = folder(place.path.parent)
    code, said = place.backup(Path(f"{place.path}{suffix}"), force=True)
    assert code == 1
    assert "belongs to the database itself" in said
    assert folder(place.path.parent) == before


def test_every_failure_is_one_sentence_and_leaves_nothing(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = folder(tmp_path)
    assert place.backup(tmp_path / "none" / "copy.db") == (
        1,
        f"there is no folder {tmp_path / 'none'}: make it, or choose another one",
    )
    assert place.backup(tmp_path) == (1, f"{tmp_path} is a folder: name a file in it")
    missing = Place(tmp_path / "missing.db").backup()
    assert missing == (1, f"there is no database {tmp_path / 'missing.db'}")

    def no_room(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    assert place.backup() == (
        1,
        f"{place.target} cannot be written: there is no room left on the disk",
    )
    assert folder(tmp_path) == before


def test_a_damaged_database_gives_no_backup_and_the_old_one_stays(place: Place) -> None:
    start(place.path, *(f"{number:0>200}" for number in range(200)))
    assert place.backup()[0] == 0
    sound = place.target.read_bytes()
    tear(place.path, place.path.stat().st_size // PAGE - 1)
    code, said = place.backup(force=True)
    assert code == 1
    assert f"{place.path} cannot be copied: it is damaged (" in said
    assert place.target.read_bytes() == sound


def test_a_database_of_another_program_gives_no_backup(database_path: Path) -> None:
    with closing(sqlite3.connect(database_path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    code, said = Place(database_path).backup()
    assert code == 1
    assert "of another program" in said


@pytest.mark.parametrize("after", [0, 1, 20])
def test_a_copy_that_is_to_stop_stops_and_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(db_backup, "PAGES", 1)
    asked = 0

    class Stopping(Event):
        def is_set(self) -> bool:
            nonlocal asked
            asked += 1
            return asked > after

    before = folder(place.path.parent)
    with pytest.raises(CopyStopped):
        copy(place.path, place.target, stop=Stopping())
    assert folder(place.path.parent) == before


def test_the_bot_keeps_its_newest_and_touches_nothing_else(place: Place) -> None:
    backups = Backups(place.path, place.backups.folder, timedelta(hours=1), kept=3)
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
    assert place.made() == sorted([*theirs, *own])
    assert {(backups.folder / name).read_text() for name in theirs} == {"precious"}


def test_a_backup_that_fails_costs_no_older_one(place: Place) -> None:
    backups = Backups(place.path, place.backups.folder, timedelta(hours=1), kept=1)
    backups.make(NOW, Event())
    tear(place.path, place.path.stat().st_size // PAGE - 1)
    tear(place.path, 2)
    with pytest.raises(StorageError):
        backups.make(NOW + timedelta(days=1), Event())
    assert place.made() == ["sentinel-20261122-093005.db"]


def test_a_clock_that_was_wrong_costs_no_new_backup(place: Place) -> None:
    backups = Backups(place.path, place.backups.folder, timedelta(hours=1), kept=1)
    backups.make(NOW + timedelta(days=365), Event())
    assert backups.is_due(NOW)
    backups.make(NOW, Event())
    assert place.made() == ["sentinel-20261122-093005.db"]


def test_a_backup_is_due_by_the_age_of_the_newest(place: Place) -> None:
    backups = Backups(place.path, place.backups.folder, timedelta(hours=24), kept=7)
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


async def test_a_failure_is_told_once_and_tried_again_until_it_works(
    database_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.to_thread(start, database_path)
    monkeypatch.setattr("bot.backup.LOOK", 0.0)
    caplog.set_level("INFO")
    backups = Counted(database_path, database_path.with_name("backups"), timedelta(hours=1), kept=7)
    for episode in (1, 2):
        await asyncio.to_thread(backups.folder.write_text, "in the way")
        keeping = asyncio.create_task(keep_backed_up(backups))
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


async def test_cancelled_while_it_copies_it_ends_and_leaves_nothing(
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
    backups = Backups.of(Settings(database=DatabaseSettings(path=database_path)))
    keeping = asyncio.create_task(keep_backed_up(backups))
    await copying.wait()
    keeping.cancel()
    await asyncio.wait({keeping})
    may_go_on.set()
    assert isinstance(await ended, CopyStopped)
    assert list(backups.folder.iterdir()) == []


def test_the_list_says_which_backups_are_sound(place: Place) -> None:
    assert place.listed() == (0, [f"there is no backup in {place.backups.folder}"])
    first = place.backups.make(NOW, Event())
    second = place.backups.make(NOW + timedelta(hours=1), Event())
    code, lines = place.listed()
    assert code == 0
    assert len(lines) == 2
    assert all("schema" in line and line.endswith("sound") and " MB " in line for line in lines)
    os.utime(second, (2_000_000_000, 2_000_000_000))
    tear(second, second.stat().st_size // PAGE - 1)
    tear(second, 2)
    code, lines = place.listed()
    assert code == 1
    assert f"{second}  NOT SOUND: " in lines[0]
    assert str(first) in lines[1]


def test_the_way_back_is_the_newest_sound_backup(place: Place) -> None:
    assert way_back(place.settings).startswith("there is no sound backup in")
    sound = place.backups.make(NOW, Event())
    newer = place.backups.folder / "copy.db"
    newer.write_bytes(b"damaged" * 1_000)
    os.utime(newer, (2_000_000_000, 2_000_000_000))
    assert way_back(place.settings).endswith(f"cad-sentinel restore {sound}")
