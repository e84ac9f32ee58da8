"""The journal: rising numbers, never reused; forgets by age, and knows what it forgot."""

from db import feeds, journal
from db.database import Database
from db.feeds import FeedEntry
from db.journal import Audience


async def append(
    database: Database, *times: int, audience: Audience = Audience.EVERYBODY
) -> list[int]:
    async with database.write() as sql:
        return [
            await journal.append(sql, at, "alerts", "[]", "{}", audience=audience) for at in times
        ]


async def prune(database: Database, before: int, limit: int = 1_000) -> int:
    async with database.write() as sql:
        return await journal.prune(sql, before, limit)


async def held(database: Database) -> list[int]:
    return [entry.id for entry in await journal.after(database.read, 0, 1_000)]


async def test_an_empty_journal_has_nothing_to_miss(database: Database) -> None:
    assert await journal.bounds(database.read) == (1, 0)


async def test_numbers_rise_and_are_never_reused(database: Database) -> None:
    assert await append(database, 1, 2, 3) == [1, 2, 3]
    assert await prune(database, 100) == 3
    assert await journal.bounds(database.read) == (4, 3)
    assert await append(database, 4) == [4]


async def test_after_returns_what_came_later_in_order_and_at_most_so_many(
    database: Database,
) -> None:
    await append(database, 5, 4, 3, 2, 1)
    assert [entry.id for entry in await journal.after(database.read, 1, 3)] == [2, 3, 4]


async def test_unpublished_entries_are_not_returned(database: Database) -> None:
    await append(database, 1)
    await append(database, 2, audience=Audience.NOBODY)
    await append(database, 3)
    assert await held(database) == [1, 3]
    assert [entry.id for entry in await journal.by_id(database.read, [3, 2])] == [2, 3]


async def test_pruning_deletes_old_entries_in_batches(database: Database) -> None:
    await append(database, *range(10))
    assert await prune(database, 6, limit=4) == 4
    assert await prune(database, 6, limit=4) == 2
    assert await prune(database, 6, limit=4) == 0
    assert await held(database) == [7, 8, 9, 10]
    assert await journal.bounds(database.read) == (7, 10)


async def test_pruning_keeps_entries_that_a_feed_still_has_to_show(database: Database) -> None:
    await append(database, 1, 2, 3)
    async with database.write() as sql:
        await feeds.add(sql, FeedEntry(2, "visits"))
    assert await prune(database, 100) == 2
    assert await held(database) == [2]


async def test_a_kept_entry_does_not_hide_the_gap_after_it(database: Database) -> None:
    await append(database, 1, 2, 3, 4)
    async with database.write() as sql:
        await feeds.add(sql, FeedEntry(1, "visits"))
    await prune(database, 4)
    assert await held(database) == [1, 4]
    assert await journal.bounds(database.read) == (4, 4)


async def test_a_clock_that_was_set_back_does_not_hide_a_gap(database: Database) -> None:
    await append(database, 100, 1, 100)
    await prune(database, 50)
    assert await held(database) == [1, 3]
    assert await journal.bounds(database.read) == (3, 3)
