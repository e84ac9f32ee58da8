"""Every database that a release could have written comes through the migrations whole."""

import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db import migrate
from db.database import Database
from db.errors import StorageError
from db.integrity import full_check
from db.migrate import APPLICATION_ID, migrations
from db.sqlite_support import portable
from tests.db.release import RELEASED, dumped, fill, tables

NEWEST = migrations()[-1][0]
SCHEMAS = sorted(int(file.stem) for file in RELEASED.glob("*.sql"))

_COUNTED = "is counted when somebody asks"
CHANGED: dict[str, str] = {
    "visit_totals": _COUNTED,
    "visitors": _COUNTED,
    "alarm_totals": _COUNTED,
    "property_totals": _COUNTED,
    "property_codes": "is in property_search",
    "alarm_calls": "is in escalations",
    "alarm_steps.text": "numbers are in alarm_steps.number",
}
"""Tables and columns ("flights", "flights.drone_id") whose values a later migration changes or
drops, and why; whatever is not named here must be found again."""

BOARD = "board:units"
"""The subject of the card that stood in the channel units until it got one of its own."""

Schema = dict[tuple[str, str], str]
Rows = list[dict[str, Any]]


def load(number: int, path: Path) -> None:
    """Make the database of a release."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(portable((RELEASED / f"{number:04}.sql").read_text("utf-8")))


def schema(path: Path) -> Schema:
    """Return what makes each table, index and trigger; blanks and line breaks do not count."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_schema")
        return {(kind, name): re.sub(r"\s+", " ", sql) for kind, name, sql in found}


def rows(path: Path) -> dict[str, Rows]:
    """Return every row of every table; what a search's index keeps for itself is none."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]  # noqa: S608
            for name in tables(connection)[0]
        }


def missing(before: dict[str, Rows], after: dict[str, Rows]) -> dict[str, Counter[Any]]:
    """Return the rows that are not there any more, by table."""
    gone = {}
    for table, old in before.items():
        if not old or table in CHANGED:
            continue
        columns = [name for name in old[0] if f"{table}.{name}" not in CHANGED]
        kept, found = (
            Counter(tuple(row.get(name, "no such column") for name in columns) for row in some)
            for some in (old, after.get(table, []))
        )
        if lost := kept - found:
            gone[table] = lost
    return gone


def only_up_to(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Know no later migration."""
    known = [(each, sql) for each, sql in migrations() if each <= number]
    monkeypatch.setattr(migrate, "migrations", lambda: known)


@pytest.mark.parametrize("number", SCHEMAS)
async def test_a_released_schema_is_migrated_with_all_its_data(number: int, tmp_path: Path) -> None:
    path = tmp_path / "sentinel.db"
    load(number, path)
    before = rows(path)
    for card in before["cards"]:
        if card["subject"] == BOARD:
            card["channel"] = "board"
    async with Database.open(path):
        pass
    assert missing(before, rows(path)) == {}
    assert full_check(path) == NEWEST
    async with Database.open(tmp_path / "fresh.db"):
        pass
    assert schema(path) == schema(tmp_path / "fresh.db")


@pytest.mark.parametrize("number", SCHEMAS)
async def test_the_migrations_of_a_released_schema_are_not_changed_any_more(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(number, tmp_path / "released.db")
    only_up_to(number, monkeypatch)
    async with Database.open(tmp_path / "fresh.db"):
        pass
    assert schema(tmp_path / "released.db") == schema(tmp_path / "fresh.db")


@pytest.mark.parametrize("number", SCHEMAS)
def test_a_released_schema_is_kept_with_rows_in_every_table(number: int, tmp_path: Path) -> None:
    load(number, tmp_path / "released.db")
    assert full_check(tmp_path / "released.db") == number
    assert [table for table, some in rows(tmp_path / "released.db").items() if not some] == []


def test_the_first_schema_is_among_the_released_ones() -> None:
    assert SCHEMAS[0] == 1
    assert SCHEMAS[-1] <= NEWEST


async def test_dumped_schema_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.db"
    await fill(path)
    number, sql = dumped(path)
    assert number == NEWEST
    with closing(sqlite3.connect(tmp_path / "again.db")) as connection:
        connection.executescript(sql)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert rows(tmp_path / "again.db") == rows(path)
    assert schema(tmp_path / "again.db") == schema(path)


async def test_lost_rows_are_detected(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.db"
    load(1, path)
    before = rows(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM users WHERE id = (SELECT min(id) FROM users)")
        connection.execute("ALTER TABLE visits RENAME COLUMN user_id TO visitor")
        connection.execute("UPDATE crimes SET description = 'another'")
        connection.commit()
    assert set(missing(before, rows(path))) == {"users", "visits", "crimes"}


@pytest.mark.parametrize("number", SCHEMAS)
async def test_a_copy_is_kept_before_a_migration(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "sentinel.db"
    load(number, path)
    before = rows(path)
    added = (NEWEST + 1, "DELETE FROM crimes")
    monkeypatch.setattr("db.migrate.migrations", lambda: [*migrations(), added])
    caplog.set_level("INFO")
    async with Database.open(path):
        pass
    kept = tmp_path / f"sentinel-schema-{number}.db"
    assert str(kept) in caplog.text
    assert full_check(kept) == number
    assert rows(kept) == before
    async with Database.open(path):
        pass
    assert rows(kept) == before


async def test_a_migration_that_fails_half_way_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sentinel.db"
    load(SCHEMAS[-1], path)
    async with Database.open(path):
        pass
    before = (rows(path), schema(path))
    half = "DELETE FROM crimes; CREATE TABLE half (x INTEGER); INSERT INTO nowhere VALUES (1)"
    monkeypatch.setattr("db.migrate.migrations", lambda: [*migrations(), (NEWEST + 1, half)])
    with pytest.raises(StorageError, match="nowhere"):
        async with Database.open(path):
            pass
    assert (rows(path), schema(path)) == before
    assert full_check(path) == NEWEST
