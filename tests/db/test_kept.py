"""What was made of rows is kept as long as it is true, and no longer."""

import asyncio
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from db import community, kept, properties, users
from db.community import Tier
from db.database import Database

OF_USERS = frozenset({"users"})
OF_BOTH = frozenset({"users", "properties"})
OF_TIERS = frozenset({"tiers"})


def put(database: Database, tables: kept.Tables, key: bytes = b"key") -> None:
    database.kept.put(tables, key, b"made", database.kept.version)


async def add_property(database: Database, owner: str) -> int:
    async with database.write() as sql:
        await community.replace(sql, [Tier(1, "Basic", "1")], [])
        return await properties.add(
            sql,
            location="Forum Dr",
            tier=1,
            x=0,
            y=0,
            width=0,
            height=0,
            description="",
            owner=owner,
            now=1,
        )


async def test_what_is_put_in_is_there_under_its_tables_and_its_key(database: Database) -> None:
    put(database, OF_USERS)
    assert database.kept.get(OF_USERS, b"key") == b"made"
    assert database.kept.get(OF_USERS, b"other") is None
    assert database.kept.get(OF_BOTH, b"key") is None


async def test_a_change_of_one_table_makes_untrue_all_that_is_made_of_it(
    database: Database,
) -> None:
    for tables in (OF_USERS, OF_BOTH, OF_TIERS):
        put(database, tables)
    async with database.write() as sql:
        await users.put(sql, "license:a", "Ann")
        assert database.kept.get(OF_USERS, b"key") == b"made"  # what is committed is still that
    assert database.kept.get(OF_USERS, b"key") is None
    assert database.kept.get(OF_BOTH, b"key") is None
    assert database.kept.get(OF_TIERS, b"key") == b"made"


async def test_whoever_is_told_that_a_change_is_on_disk_finds_nothing_older(
    database: Database,
) -> None:
    put(database, OF_USERS)
    found: list[bytes | None] = []
    async with database.write() as sql:
        await users.put(sql, "license:a", "Ann")
        sql.after_commit(lambda: found.append(database.kept.get(OF_USERS, b"key")))
    assert found == [None]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET full_name = 'Bob'",
        "DELETE FROM users",
        "INSERT OR REPLACE INTO users (id, full_name, searched) VALUES ('license:a', 'B', 'b')",
        "INSERT INTO users (id, full_name, searched) VALUES ('license:b', 'B', 'b')",
    ],
)
async def test_every_way_to_change_a_row_is_noticed(database: Database, statement: str) -> None:
    async with database.write() as sql:
        await users.put(sql, "license:a", "Ann")
    put(database, OF_USERS)
    async with database.write() as sql:
        await sql.run(statement)
    assert database.kept.get(OF_USERS, b"key") is None


async def test_rows_that_go_with_others_are_noticed(database: Database) -> None:
    number = await add_property(database, "license:a")
    async with database.write() as sql:
        await sql.run("INSERT INTO allowed_users VALUES (?, 'license:b')", number)
    allowed = frozenset({"allowed_users"})
    put(database, allowed)
    async with database.write() as sql:
        await sql.run("DELETE FROM properties")
    assert database.kept.get(allowed, b"key") is None


async def test_a_statement_that_changes_no_row_leaves_what_is_kept(database: Database) -> None:
    async with database.write() as sql:
        await users.put(sql, "license:a", "Ann")
    put(database, OF_USERS)
    async with database.write() as sql:
        await users.add_seen(sql, "license:a")
    assert database.kept.get(OF_USERS, b"key") == b"made"


async def test_a_change_that_is_taken_back_does_no_harm(database: Database) -> None:
    put(database, OF_USERS)
    with suppress(LookupError):
        async with database.write() as sql:
            await users.put(sql, "license:a", "Ann")
            raise LookupError
    put(database, OF_USERS)
    async with database.write() as sql:
        await sql.run("UPDATE tiers SET name = name")
    assert database.kept.get(OF_USERS, b"key") == b"made"


async def test_what_was_read_before_a_change_is_not_kept_after_it(database: Database) -> None:
    version = database.kept.version
    async with database.write() as sql:
        await users.put(sql, "license:a", "Ann")
    database.kept.put(OF_USERS, b"key", b"older", version)
    assert database.kept.get(OF_USERS, b"key") is None


async def test_what_another_program_writes_is_seen_after_a_moment(
    database: Database, database_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LONGEST", 0.0)
    put(database, OF_USERS)
    with closing(sqlite3.connect(database_path)) as other:
        other.execute("INSERT INTO users (id, full_name, searched) VALUES ('a', 'Ann', 'ann')")
        other.commit()
    expired = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.0, expired.set_result, None)  # behind the other timer
    await expired
    assert database.kept.get(OF_USERS, b"key") is None


async def test_not_more_is_kept_than_there_is_room_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 1_000)
    for number in range(1_000):
        put(database, OF_USERS, b"%d" % number)
    there = sum(database.kept.get(OF_USERS, b"%d" % number) is not None for number in range(1_000))
    assert 50 < there < 200
    assert database.kept.get(OF_USERS, b"999") == b"made"
