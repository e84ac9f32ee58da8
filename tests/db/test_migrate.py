"""The file is ours and up to date, or it is refused and left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db import migrate
from db.database import Database
from db.errors import StorageError
from db.migrate import APPLICATION_ID, migrations
from db.sqlite_support import KNOWS_STRICT

NEWEST = migrations()[-1][0]
DIARY = b"dear diary, " * 1_000


def look(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def tables(path: Path) -> set[object]:
    return {name for (name,) in look(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")}


def foreign(path: Path, *statements: str) -> bytes:
    """Make a database of another program; return what is in the file."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path.read_bytes()


def diary(path: Path) -> None:
    path.write_bytes(DIARY)


def contents(path: Path) -> bytes:
    return path.read_bytes()


async def refusal(path: Path) -> str:
    with pytest.raises(StorageError) as refused:
        async with Database.open(path):
            raise AssertionError("opened")
    return str(refused.value)


async def test_a_fresh_file_gets_the_newest_schema(database_path: Path) -> None:
    async with Database.open(database_path):
        pass
    assert look(database_path, "PRAGMA user_version") == [(NEWEST,)]
    assert look(database_path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert look(database_path, "PRAGMA journal_mode") == [("wal",)]
    assert {"journal", "properties", "flights", "cards"} <= tables(database_path)
    assert look(database_path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.skipif(
    sqlite3.sqlite_version_info < KNOWS_STRICT, reason="this SQLite has no STRICT tables"
)
async def test_every_table_is_strict(database_path: Path) -> None:
    async with Database.open(database_path):
        pass
    listed = look(
        database_path, "SELECT name FROM pragma_table_list WHERE NOT strict AND type = 'table'"
    )
    assert {name for (name,) in listed} == {
        "sqlite_schema",
        "sqlite_temp_schema",
        "sqlite_sequence",
    }


async def test_missing_directories_are_made(tmp_path: Path) -> None:
    async with Database.open(tmp_path / "a" / "b" / "sentinel.db"):
        pass
    assert (tmp_path / "a" / "b" / "sentinel.db").is_file()


async def test_opening_again_keeps_everything(database_path: Path) -> None:
    async with Database.open(database_path) as database, database.write() as sql:
        await sql.run("INSERT INTO settings VALUES ('colour', 'blue')")
    async with Database.open(database_path) as database:
        assert await database.read.one(str, "SELECT value FROM settings") == "blue"


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE theirs (x)"],
        ["CREATE TABLE theirs (x)", "PRAGMA user_version = 7"],
        ["CREATE TABLE theirs (x)", f"PRAGMA user_version = {NEWEST}"],
        ["CREATE TABLE theirs (x)", "PRAGMA application_id = 77"],
        ["PRAGMA user_version = 3"],
    ],
)
async def test_a_database_of_another_program_is_refused_and_untouched(
    database_path: Path, statements: list[str]
) -> None:
    before = foreign(database_path, *statements)
    assert "of another program" in await refusal(database_path)
    assert contents(database_path) == before


async def test_a_newer_schema_is_refused_and_the_text_says_what_to_do(database_path: Path) -> None:
    before = foreign(
        database_path,
        "CREATE TABLE ours (x)",
        f"PRAGMA application_id = {APPLICATION_ID}",
        f"PRAGMA user_version = {NEWEST + 1}",
    )
    said = await refusal(database_path)
    assert f"schema {NEWEST + 1}" in said
    assert "newer version" in said
    assert "backup" in said
    assert contents(database_path) == before


async def test_a_file_that_is_not_a_database_is_rejected(database_path: Path) -> None:
    diary(database_path)
    assert f"cannot use the database {database_path}" in await refusal(database_path)
    assert contents(database_path) == DIARY


async def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert f"cannot use the database {tmp_path}" in await refusal(tmp_path)


async def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    assert "cannot use the database" in await refusal(tmp_path / "data" / "sentinel.db")


async def test_a_failing_migration_leaves_nothing_of_itself(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database.open(database_path):
        pass
    before = tables(database_path)
    broken = (NEWEST + 1, "CREATE TABLE half (x INTEGER); INSERT INTO nowhere VALUES (1)")
    monkeypatch.setattr(migrate, "migrations", lambda: [*migrations(), broken])
    assert "nowhere" in await refusal(database_path)
    assert tables(database_path) == before
    assert look(database_path, "PRAGMA user_version") == [(NEWEST,)]
    monkeypatch.undo()
    async with Database.open(database_path):
        pass


async def test_a_failing_first_migration_leaves_an_empty_file(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [(1, "CREATE TABLE half (x INTEGER); CREATE TABEL typo (x)")]
    monkeypatch.setattr(migrate, "migrations", lambda: broken)
    await refusal(database_path)
    assert tables(database_path) == set()
    monkeypatch.undo()
    async with Database.open(database_path):
        pass


async def test_a_newer_migration_runs_once_on_an_older_file(
    database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database.open(database_path):
        pass
    added = (NEWEST + 1, "CREATE TABLE added (x INTEGER)")
    monkeypatch.setattr(migrate, "migrations", lambda: [*migrations(), added])
    for _ in range(2):
        async with Database.open(database_path):
            pass
    assert "added" in tables(database_path)
    assert look(database_path, "PRAGMA user_version") == [(NEWEST + 1,)]


async def test_ids_of_users_are_brought_into_one_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sentinel.db"
    earlier = [(number, sql) for number, sql in migrations() if number < 10]
    with monkeypatch.context() as before:
        before.setattr("db.migrate.migrations", lambda: earlier)
        async with Database.open(path):
            pass
    written = ("steam:11AB", "Steam:11ab", " steam:11ab", "QBX:9F", "license:ee")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO tiers (id, name, price) VALUES (1, 'Basic', '1')")
        connection.execute(
            "INSERT INTO properties (id, location, tier, x, y, width, height, status, description,"
            " owner, added_at, searched, place) VALUES (1, 'l', 1, 0, 0, 0, 0, 'A', '',"
            " 'STEAM:11AB', 0, '', '')"
        )
        for number, user in enumerate(written, 1):
            name = "Wren" if number == 3 else user
            connection.execute("INSERT INTO users VALUES (?, ?, ?, '')", (number, user, name))
            connection.execute("INSERT INTO allowed_users VALUES (1, ?)", (user,))
            connection.execute("INSERT INTO links VALUES (?, ?, ?, '', 0)", (number, user, number))
        connection.execute("INSERT INTO crimes (description, at) VALUES ('', 0)")
        connection.execute("INSERT INTO subscriptions VALUES ('t/LICENSE:EE', 'all', 0)")
        connection.commit()
    async with Database.open(path):
        pass
    assert look(path, "SELECT id, full_name FROM users ORDER BY number") == [
        ("steam:11ab", "Wren"),
        ("QBX:9F", "QBX:9F"),
        ("license:ee", "license:ee"),
    ]
    assert look(path, "SELECT user_id FROM allowed_users") == [
        ("QBX:9F",),
        ("license:ee",),
        ("steam:11ab",),
    ]
    assert look(path, "SELECT member_id, user_id FROM links ORDER BY 1") == [
        (3, "steam:11ab"),
        (4, "QBX:9F"),
        (5, "license:ee"),
    ]
    assert look(path, "SELECT owner FROM properties") == [("steam:11ab",)]
    assert look(path, "SELECT client, event FROM subscriptions ORDER BY 2") == [
        ("t/license:ee", "all"),
        ("t/license:ee", "all+cad"),
    ]
