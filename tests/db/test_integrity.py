"""A file that is not sound is refused at the start, and left as it is."""

import os
import sqlite3
from pathlib import Path

import pytest

from db import integrity
from db.errors import InvalidDatabase, StorageError
from db.integrity import full_check, quick_check
from tests.db.damage import PAGE, folder, names, root_pages, start, start_and_kill, tear


def refused(path: Path) -> StorageError:
    """Start on a file; it must be refused and left alone, with all that lies beside it."""
    before = folder(path.parent)
    with pytest.raises(StorageError) as fault:
        start(path)
    assert folder(path.parent) == before
    assert str(path) in str(fault.value)
    assert "\n" not in str(fault.value)
    return fault.value


def test_undamaged_file_passes_both_checks(database_path: Path) -> None:
    assert quick_check(database_path) == 0
    start(database_path, "a")
    assert quick_check(database_path) == full_check(database_path) > 0


def test_damaged_header_is_rejected(database_path: Path) -> None:
    start(database_path, "a")
    tear(database_path, 1)
    assert isinstance(refused(database_path), InvalidDatabase)


def test_damaged_header_with_a_wal_is_rejected(database_path: Path) -> None:
    start_and_kill(database_path, "a")
    tear(database_path, 1)
    assert isinstance(refused(database_path), InvalidDatabase)


def test_damaged_root_page_of_any_table_is_rejected(
    database_path: Path,
) -> None:
    start(database_path, "a")
    sound = database_path.read_bytes()
    roots = root_pages(database_path)
    assert len(roots) > 20
    for page in roots.values():
        database_path.write_bytes(sound)
        tear(database_path, page)
        with pytest.raises(InvalidDatabase):
            quick_check(database_path)
    assert isinstance(refused(database_path), InvalidDatabase)


@pytest.mark.parametrize("kept", [PAGE // 2, PAGE, 10 * PAGE, -PAGE, -PAGE - 1])
def test_truncated_file_is_rejected(database_path: Path, kept: int) -> None:
    start(database_path, "a")
    database_path.write_bytes(database_path.read_bytes()[:kept])
    assert isinstance(refused(database_path), InvalidDatabase)


@pytest.mark.parametrize("is_there", [True, False])
def test_empty_file_with_a_wal_is_rejected(database_path: Path, is_there: bool) -> None:
    start_and_kill(database_path, "a")
    database_path.unlink()
    if is_there:
        database_path.touch()
    assert "sentinel.db-wal beside it is not" in str(refused(database_path))


def test_folder_instead_of_a_file_is_rejected(tmp_path: Path) -> None:
    assert "it is a folder" in str(refused(tmp_path))


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="this user may read everything")
def test_unreadable_file_is_rejected(database_path: Path) -> None:
    start(database_path, "a")
    database_path.chmod(0)
    with pytest.raises(StorageError, match="must be allowed to read"):
        quick_check(database_path)


def test_database_of_a_killed_bot_passes_and_is_complete(database_path: Path) -> None:
    start_and_kill(database_path, "a", "b")
    assert quick_check(database_path) > 0
    start(database_path)
    assert names(database_path) == ["a", "b"]


def test_interrupted_migration_is_rolled_back_at_the_start(
    database_path: Path, tmp_path: Path
) -> None:
    start(database_path, "a")
    # What a restored backup looks like, as its first start begins to migrate it.
    with sqlite3.connect(database_path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    connection = sqlite3.connect(database_path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN")
    connection.execute("DROP TABLE properties")
    connection.execute("CREATE TABLE half (x)")
    for _ in range(50):
        connection.execute("INSERT INTO half VALUES (zeroblob(4000))")
    killed = tmp_path / "killed"
    killed.mkdir()
    for suffix in ("", "-journal"):
        (killed / f"sentinel.db{suffix}").write_bytes(Path(f"{database_path}{suffix}").read_bytes())
    connection.close()
    start(killed / "sentinel.db")
    assert names(killed / "sentinel.db") == ["a"]
    assert "properties" in root_pages(killed / "sentinel.db")


def test_full_check_finds_damage_in_any_page(database_path: Path) -> None:
    start(database_path, *(f"{number:0>200}" for number in range(200)))
    for page in range(2, database_path.stat().st_size // PAGE + 1):
        sound = database_path.read_bytes()
        tear(database_path, page)
        with pytest.raises(InvalidDatabase):
            full_check(database_path)
        database_path.write_bytes(sound)


def test_full_check_finds_dangling_foreign_keys(database_path: Path) -> None:
    start(database_path)
    with sqlite3.connect(database_path) as connection:
        connection.execute("INSERT INTO feed_entries (journal_id, channel) VALUES (1, 'x')")
    connection.close()
    with pytest.raises(InvalidDatabase, match="rows of feed_entries refer to no journal"):
        full_check(database_path)


def test_quick_check_takes_constant_time(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    def counted(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path)
        connection.set_progress_handler(step, 1)
        return connection

    monkeypatch.setattr(integrity, "open_for_reading", counted)
    start(database_path, "a", "b")
    steps = 0
    quick_check(database_path)
    few = steps
    start(database_path, *(f"{number}" for number in range(2_000)))
    steps = 0
    quick_check(database_path)
    assert few > 0
    assert steps == few
