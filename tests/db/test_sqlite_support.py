"""The program runs on SQLite from 3.34 on, and says so where it cannot."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from db import sqlite_support
from db.errors import InvalidDatabase, StorageError
from db.integrity import full_check, quick_check, sqlite_uri
from db.sqlite_support import KNOWS_STRICT, check_sqlite, portable
from tests.db.damage import start

ROOT = Path(__file__).parents[2]

NEWER_THAN_3_34 = re.compile(
    r"\bRETURNING\b|\bunixepoch\(|\bMATERIALIZED\b|->>|\bDROP COLUMN\b|\bIS (NOT )?DISTINCT\b"
    r"|\b(RIGHT|FULL) (OUTER )?JOIN\b|\bconcat(_ws)?\(|\bstring_agg\(|\bjsonb?_(each|insert)?_?b\("
    r"|\bpragma_table_list\b|\boctet_length\(|\btimediff\(|\bunhex\(|\bjsonb_\w+\("
    r"|\b(ceil|floor|ln|log|pow|sqrt|sign)\(|\bjson_array_insert\(|\bformat\('"
)
"""What SQLite learned from 3.35 on: sqlite.org/changes.html."""


def statements() -> Iterator[tuple[str, str]]:
    """Yield every place that has SQL: modules of db, and migrations as an old SQLite gets them."""
    for module in sorted((ROOT / "db").glob("*.py")):
        if module.name != "sqlite_support.py":
            yield module.name, module.read_text("utf-8")
    for script in files("db.migrations").iterdir():
        if script.name.endswith(".sql"):
            yield script.name, script.read_text("utf-8")


def test_no_statement_needs_a_newer_sqlite() -> None:
    found = {
        name: match.group()
        for name, text in statements()
        # Python's own methods are called with a dot before their names.
        if (match := next((m for m in NEWER_THAN_3_34.finditer(text) if not _is_method(m)), None))
    }
    assert found == {}


def _is_method(match: re.Match[str]) -> bool:
    return match.string[match.start() - 1] == "."


def test_without_strict_every_migration_is_the_same_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 0))
    for name, text in statements():
        if name.endswith(".sql"):
            assert "STRICT" not in re.sub(r"--.*", "", portable(text))
    assert portable("CREATE TABLE a (x TEXT) STRICT;\n") == "CREATE TABLE a (x TEXT);\n"


def test_an_older_sqlite_is_refused_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    check_sqlite()
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 33, 0))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.33.0")
    with pytest.raises(StorageError, match=r"has SQLite 3\.33\.0, .* needs 3\.34\.0 or newer"):
        check_sqlite()


def test_a_sqlite_without_full_text_search_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_support, "_NEEDED", ("CREATE VIRTUAL TABLE x USING fts9(text)",))
    with pytest.raises(StorageError, match=r"without a part .*no such module: fts9"):
        check_sqlite()


def written_by_a_newer_sqlite(path: Path) -> None:
    """Make a sound database with a schema that only a newer SQLite understands."""
    start(path, "a")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'WITHOUT ROWID', 'WITHOUT ROWID, BRAVE')"
            " WHERE name = 'settings'"
        )
        connection.commit()
    raw = bytearray(path.read_bytes())
    raw[96:100] = (9_001_002).to_bytes(4, "big")
    path.write_bytes(raw)


def test_a_file_written_by_a_newer_sqlite_is_not_reported_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.db"
    written_by_a_newer_sqlite(path)
    for check in (quick_check, full_check):
        with pytest.raises(StorageError, match=r"SQLite 9\.1\.2 wrote it") as fault:
            check(path)
        assert not isinstance(fault.value, InvalidDatabase)


def test_the_same_from_an_older_sqlite_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.db"
    written_by_a_newer_sqlite(path)
    raw = bytearray(path.read_bytes())
    raw[96:100] = (3_034_000).to_bytes(4, "big")
    path.write_bytes(raw)
    with pytest.raises(InvalidDatabase):
        quick_check(path)


@pytest.mark.parametrize(
    "folder", ["Bot #2", "what?", "100%25 bot", "a b", "c'est", 'say "hi"', "&x=1", "日本", "%23"]
)
def test_a_folder_of_any_name_is_read_and_nothing_is_made_elsewhere(
    tmp_path: Path, folder: str
) -> None:
    path = tmp_path / folder / "sentinel.db"
    start(path, "a")
    assert quick_check(path) == full_check(path) > 0
    assert list(tmp_path.iterdir()) == [path.parent]


def test_shares_are_named_as_sqlite_takes_them() -> None:
    assert sqlite_uri(PurePosixPath("/a/b#1.db"), "mode=ro") == "file:///a/b%231.db?mode=ro"
    assert sqlite_uri(PureWindowsPath("C:/a b/x.db"), "mode=ro") == "file:///C:/a%20b/x.db?mode=ro"
    share = PureWindowsPath(r"\\nas\bots\x.db")
    assert sqlite_uri(share, "mode=ro") == "file:////nas/bots/x.db?mode=ro"


@pytest.mark.skipif(
    sqlite3.sqlite_version_info < KNOWS_STRICT, reason="this SQLite has no STRICT tables"
)
def test_a_database_made_by_an_old_sqlite_is_used_by_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sentinel.db"
    with monkeypatch.context() as old:
        old.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
        start(path, "a")
    start(path, "b")
    assert full_check(path) > 0
