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
from tests.databases import put_database
from tests.db.damage import PAGE, folder, names, root_pages, start, start_and_kill, tear

NEWEST = migrations()[-1][0]


class RestoreCase:
    """A folder with a backup of old, and a database of now whose bot was killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "sentinel.db"
        self.backup = folder / "backup.db"
        put_database(folder / "past.db")
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
def case(tmp_path: Path) -> RestoreCase:
    """A case in a folder of its own."""
    return RestoreCase(tmp_path)


def test_restore_replaces_the_database_and_keeps_the_old_one(case: RestoreCase) -> None:
    before = case.backup.read_bytes()
    code, said = case.restore()
    assert code == 0
    assert said == [
        f"the old database is kept in {case.kept()}",
        f"restored {case.backup} to {case.path}: start the bot",
    ]
    assert case.backup.read_bytes() == before
    # What the killed bot had in its -wal belongs to the kept one, and to no other.
    assert not Path(f"{case.path}-wal").exists()
    assert names(case.path) == ["old"]
    assert names(case.kept()) == ["now"]
    start(case.path, "new")
    assert names(case.path) == ["new", "old"]


def test_replaced_database_can_be_restored(case: RestoreCase) -> None:
    case.restore()
    first = case.kept()
    assert case.restore(first)[0] == 0
    assert names(case.path) == ["now"]


@pytest.mark.skipif(os.name == "nt", reason="there are no such rights on Windows")
def test_restored_database_is_readable_by_its_owner_only(case: RestoreCase) -> None:
    case.backup.chmod(0o644)
    case.restore()
    assert case.path.stat().st_mode & 0o777 == 0o600


def test_restore_without_a_database(case: RestoreCase) -> None:
    for file in case.folder.glob("sentinel.db*"):
        file.unlink()
    assert case.restore() == (0, [f"restored {case.backup} to {case.path}: start the bot"])
    assert names(case.path) == ["old"]


@pytest.mark.parametrize("damage", ["torn", "empty", "folder"])
def test_restore_keeps_a_damaged_database(case: RestoreCase, damage: str) -> None:
    if damage == "torn":
        tear(case.path, 1)
    else:
        case.path.unlink()
        case.path.touch() if damage == "empty" else case.path.mkdir()
    assert case.restore()[0] == 0
    assert names(case.path) == ["old"]
    assert case.kept().is_dir() == (damage == "folder")


def test_restore_is_rejected_while_a_bot_runs(case: RestoreCase) -> None:
    before = folder(case.folder)
    with alone_on_database(case.path):
        code, (said,) = case.restore()
    assert code == 1
    assert said.startswith(f"nothing was restored: another copy of the bot (process {os.getpid()},")
    assert folder(case.folder) == before


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
        (lambda path: tear(path, max(root_pages(path).values())), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[: -3 * PAGE]), "is damaged"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("dear diary"), "is damaged"),
        (lambda path: path.unlink(), "there is no database"),
        (lambda path: (path.unlink(), path.mkdir()), "there is no database"),
    ],
)
def test_damaged_backup_is_not_restored(case: RestoreCase, make: Any, reason: str) -> None:
    make(case.backup)
    before = folder(case.folder)
    code, (said,) = case.restore()
    assert code == 1
    assert said.startswith("nothing was restored: ")
    assert reason in said
    assert str(case.backup) in said
    assert folder(case.folder) == before
    assert names(case.path) == ["now"]


def test_database_is_not_restored_from_itself(case: RestoreCase) -> None:
    code, (said,) = case.restore(case.path)
    assert code == 1
    assert "is the database itself" in said
    assert names(case.path) == ["now"]


def test_restored_older_schema_is_migrated_at_the_next_start(
    case: RestoreCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = (NEWEST + 1, "CREATE TABLE added (x INTEGER)")
    monkeypatch.setattr("db.migrate.migrations", lambda: [*migrations(), added])
    assert case.restore()[0] == 0
    assert full_check(case.path) == NEWEST
    start(case.path)
    assert full_check(case.path) == NEWEST + 1
    assert names(case.path) == ["old"]


class Crash(BaseException):
    """The machine stops here."""


@pytest.mark.parametrize("links", [True, False])
def test_crash_at_any_step_of_a_restore_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    found = []
    for step in range(1, 20):
        (inside := tmp_path / str(step)).mkdir()
        case = RestoreCase(inside)
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
                db_backup.restore(case.backup, case.path)
            except Crash:
                pass
            else:
                break
        assert case.path.exists() or not links
        start(case.path)
        full_check(case.path)
        (name,) = names(case.path)
        found.append(name)
        if name == "old":
            assert names(case.kept()) == ["now"]
        assert case.restore()[0] == 0
        assert names(case.path) == ["old"]
    # Not a mixture: up to one step it is the database of now, from then on the restored one.
    assert found == sorted(found)
    assert set(found) == {"now", "old"}
    assert len(found) >= 7
