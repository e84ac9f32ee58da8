"""Where statements run: at once if they take a moment, in a thread if they may take longer."""

import asyncio
import sqlite3
from collections.abc import Coroutine
from typing import Any

import pytest

from db.database import Database

LONG = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
    " SELECT max(i) FROM n"
)


def at_once(read: Coroutine[Any, Any, object]) -> object:
    """Return what a read finds without waiting."""
    try:
        read.send(None)
    except StopIteration as done:
        return done.value
    read.close()
    raise AssertionError("it waits")


async def turns_during(read: Coroutine[Any, Any, object]) -> tuple[int, object]:
    """Return how many turns the event loop had until a read was done, and what it found."""
    reading = asyncio.create_task(read)
    turns = 0
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    return turns, await reading


async def test_a_quick_read_waits_for_nothing(database: Database) -> None:
    assert at_once(database.read.one(int, "SELECT 7")) == 7
    assert at_once(database.read.all(int, "SELECT 7 UNION SELECT 8")) == [7, 8]


async def test_a_long_read_leaves_the_event_loop_to_others(database: Database) -> None:
    turns, found = await turns_during(database.read.one(int, LONG))
    assert found == 200_000
    assert turns > 2


async def test_many_quick_runs_of_a_statement_are_no_long_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.reader.SPELL", 60.0)
    for number in range(5_000):
        assert at_once(database.read.one(int, "SELECT ? + 1", number)) == number + 1


async def test_reads_beyond_a_turns_time_leave_the_event_loop_to_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.reader.SPELL", 0.0)
    assert at_once(database.read.one(int, "SELECT 1")) == 1
    with pytest.raises(AssertionError, match="it waits"):
        at_once(database.read.one(int, "SELECT 2"))
    await asyncio.sleep(0)
    assert at_once(database.read.one(int, "SELECT 3")) == 3


async def test_a_search_leaves_the_event_loop_to_others(database: Database) -> None:
    turns, found = await turns_during(database.read.search(int, "SELECT 7"))
    assert found == [7]
    assert turns > 1


async def test_statements_of_a_transaction_wait_for_nothing_and_see_each_other(
    database: Database,
) -> None:
    async with database.write() as sql:
        at_once(sql.run("INSERT INTO settings (name, value) VALUES ('a', '1')"))
        assert at_once(sql.one(str, "SELECT value FROM settings")) == "1"
        assert at_once(database.read.one(str, "SELECT value FROM settings")) is None
    assert at_once(database.read.one(str, "SELECT value FROM settings")) == "1"


async def test_an_insert_returns_the_id_of_its_row_whatever_its_triggers_insert(
    database: Database,
) -> None:
    added = []
    async with database.write() as sql:
        await sql.run("INSERT INTO tiers (id, name, price) VALUES (1, 'Basic', '1')")
        for _ in range(3):
            number = await sql.insert(
                "INSERT INTO properties (location, tier, x, y, width, height, status, description,"
                " owner, added_at, searched, place)"
                " VALUES ('Mill', 1, 0, 0, 0, 0, 'ACTIVE', '', 'o', 1, 'mill', 'mill')"
            )
            added.append(number)
    assert added == await database.read.all(int, "SELECT id FROM properties ORDER BY id")


async def test_a_wrong_statement_is_told_as_what_it_is(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await database.read.all(int, "SELECT * FROM nowhere")
