"""A backup takes the place of the database: whole, or not at all, and nothing is thrown away."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.backup import restore
from bot.locks import alone_on_database
from bot.settings import DatabaseSettings, Settings
from db import backup as db_backup
from db.backup import copy
from db.integrity import full_check
from db.migrate import migrations
from tests.db.damage import PAGE, folder, names, start, start_and_kill, tear

NEWEST = migrations()[-1][0]


class Place:
    """A folder with a backup of old, and a database of now whose bot was killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "sentinel.db"
        self.backup = folder / "backup.db"
        start(folder / "past.db", "old")
        copy(folder / "past.db", self.backup)
        (folder / "past.db").unlink()
        start_and_kill(self.path, "now")

    def restore(self, file: Path | None = None) -> tuple[int, list[str]]:
        """Restore; return the exit code and what it says."""
        said: list[str] = []
        settings = Settings(database=DatabaseSettings(path=self.path))
        return restore(settings, file or self.backup, said.append), said

    def kept(self) -> Path:
        """Return the database that was replaced."""
        (kept,) = self.folder.glob("sentinel-replaced-*.db")
        return kept


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A place in a folder of its own."""
    return Place(tmp_path)


def test_the_backup_takes_the_place_and_the_old_one_is_kept(place: Place) -> None:
    before = place.backup.read_bytes()
    code, said = place.restore()
    assert code == 0
    assert said == [
        f"the database as it was is kept in {place.kept()}",
        f"restored {place.backup} to {place.path}: start the bot",
    ]
    assert place.backup.read_bytes() == before
    # What the killed bot had in its -wal belongs to the kept one, and to no other.
    assert not Path(f"{place.path}-wal").exists()
    assert names(place.path) == ["old"]
    assert names(place.kept()) == ["now"]
    start(place.path, "new")
    assert names(place.path) == ["new", "old"]


def test_what_was_kept_can_be_restored_too(place: Place) -> None:
    place.restore()
    first = place.kept()
    assert place.restore(first)[0] == 0
    assert names(place.path) == ["now"]


@pytest.mark.skipif(os.name == "nt", reason="there are no such rights on Windows")
def test_nobody_else_may_read_what_was_restored(place: Place) -> None:
    place.backup.chmod(0o644)
    place.restore()
    assert place.path.stat().st_mode & 0o777 == 0o600


def test_without_a_database_the_backup_becomes_it(place: Place) -> None:
    for file in place.folder.glob("sentinel.db*"):
        file.unlink()
    assert place.restore() == (0, [f"restored {place.backup} to {place.path}: start the bot"])
    assert names(place.path) == ["old"]


@pytest.mark.parametrize("damage", ["torn", "empty", "folder"])
def test_whatever_is_in_the_place_is_kept(place: Place, damage: str) -> None:
    if damage == "torn":
        tear(place.path, 1)
    else:
        place.path.unlink()
        place.path.touch() if damage == "empty" else place.path.mkdir()
    assert place.restore()[0] == 0
    assert names(place.path) == ["old"]
    assert place.kept().is_dir() == (damage == "folder")


def test_beside_a_running_bot_nothing_is_restored(place: Place) -> None:
    before = folder(place.folder)
    with alone_on_database(place.path):
        code, (said,) = place.restore()
    assert code == 1
    assert said.startswith(f"nothing was restored: another copy of the bot (process {os.getpid()},")
    assert folder(place.folder) == before


def other_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {NEWEST + 1}")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (other_program, "of another program"),
        (newer, f"has schema {NEWEST + 1}, this version of CAD Sentinel knows {NEWEST}"),
        (lambda path: tear(path, 1), "is damaged"),
        (lambda path: tear(path, path.stat().st_size // PAGE - 1), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[: -3 * PAGE]), "is damaged"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("dear diary"), "is damaged"),
        (lambda path: path.unlink(), "there is no database"),
        (lambda path: (path.unlink(), path.mkdir()), "there is no database"),
    ],
)
def test_what_is_no_sound_backup_changes_nothing(place: Place, make: Any, reason: str) -> None:
    make(place.backup)
    before = folder(place.folder)
    code, (said,) = place.restore()
    assert code == 1
    assert said.startswith("nothing was restored: ")
    assert reason in said
    assert str(place.backup) in said
    assert folder(place.folder) == before
    assert names(place.path) == ["now"]


def test_the_database_itself_is_no_backup(place: Place) -> None:
    code, (said,) = place.restore(place.path)
    assert code == 1
    assert "is the database itself" in said
    assert names(place.path) == ["now"]


def test_an_older_schema_is_migrated_at_the_next_start(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = (NEWEST + 1, "CREATE TABLE added (x INTEGER) STRICT")
    monkeypatch.setattr("db.migrate.migrations", lambda: [*migrations(), added])
    assert place.restore()[0] == 0
    assert full_check(place.path) == NEWEST
    start(place.path)
    assert full_check(place.path) == NEWEST + 1
    assert names(place.path) == ["old"]


class Crash(BaseException):
    """The machine stops here."""


@pytest.mark.parametrize("links", [True, False])
def test_a_crash_at_any_step_leaves_the_old_one_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    found = []
    for step in range(1, 20):
        (inside := tmp_path / str(step)).mkdir()
        place = Place(inside)
        steps = 0

        def stepping(does: Any, step: int = step) -> Any:
            def run(*arguments: Any) -> Any:
                nonlocal steps
                steps += 1
                if steps == step:
                    raise Crash
                return does(*arguments)

            return run

        def no_links(*_: Any) -> None:
            raise PermissionError("no links here")

        with monkeypatch.context() as broken:
            broken.setattr(os, "replace", stepping(os.replace))
            broken.setattr(os, "link", stepping(os.link if links else no_links))
            broken.setattr(os, "fsync", stepping(os.fsync))
            try:
                db_backup.restore(place.backup, place.path)
            except Crash:
                pass
            else:
                break
        assert place.path.exists() or not links
        start(place.path)
        full_check(place.path)
        (name,) = names(place.path)
        found.append(name)
        if name == "old":
            assert names(place.kept()) == ["now"]
        assert place.restore()[0] == 0
        assert names(place.path) == ["old"]
    # Not a mixture: up to one step it is the database of now, from then on the restored one.
    assert found == sorted(found)
    assert set(found) == {"now", "old"}
    assert len(found) >= 7
