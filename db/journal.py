"""The journal: everything that happened, in order, each under a number that is never reused."""

import json
from enum import IntEnum
from typing import NamedTuple

from db import settings
from db.database import Reader, Transaction, marks


class Entry(NamedTuple):
    """One event. `subjects` and `data` are JSON text.

    `at`: when it was received, in milliseconds since 1970; `age`: how many after it happened.
    """

    id: int
    at: int
    name: str
    subjects: str
    data: str
    age: int


class Audience(IntEnum):
    """Who receives an event."""

    NOBODY = 0
    EVERYBODY = 1
    DISCORD = 2


_PRUNED = "journal.pruned"
"""The setting that holds the newest number ever forgotten."""


async def append(
    sql: Transaction,
    at: int,
    name: str,
    subjects: str,
    data: str,
    *,
    age: int = 0,
    audience: Audience = Audience.EVERYBODY,
) -> int:
    """Add an event and return its number."""
    return await sql.insert(
        "journal", at=at, name=name, subjects=subjects, data=data, age=age, published=audience
    )


async def after(sql: Reader, number: int, limit: int) -> list[Entry]:
    """Return the events for everybody behind this number, oldest first."""
    return await _after(sql, number, limit, Audience.EVERYBODY)


async def after_for_discord(sql: Reader, number: int, limit: int) -> list[Entry]:
    """Return the events for everybody or for Discord alone behind this number, oldest first."""
    return await _after(sql, number, limit, Audience.DISCORD)


async def _after(sql: Reader, number: int, limit: int, widest: Audience) -> list[Entry]:
    behind = "journal WHERE id > ? AND published BETWEEN 1 AND ? ORDER BY id LIMIT ?"
    return await sql.select(Entry, behind, number, widest, limit)


async def by_id(sql: Reader, numbers: list[int]) -> list[Entry]:
    """Return the events with these numbers, oldest first."""
    return await sql.select(Entry, f"journal WHERE id IN ({marks(numbers)}) ORDER BY id", *numbers)


async def recent(sql: Reader, limit: int) -> list[Entry]:
    """Return the newest events for everybody or for Discord alone, newest first."""
    return await sql.select(Entry, "journal WHERE published ORDER BY id DESC LIMIT ?", limit)


async def bounds(sql: Reader) -> tuple[int, int]:
    """Return from which number on all are stored, and the newest ever given; (1, 0) at first.

    Older ones may be stored too: those that a feed still has to show.
    """
    newest = await sql.one(int, "SELECT seq FROM sqlite_sequence WHERE name = 'journal'") or 0
    oldest = await sql.one(int, "SELECT id FROM journal ORDER BY id LIMIT 1")
    return max(newest + 1 if oldest is None else oldest, await _pruned(sql) + 1), newest


async def counts(sql: Reader, since: int, until: int) -> dict[str, int]:
    """Count the events from a time up to, not including, another by their names."""
    pairs: list[tuple[str, int]] = await sql.all(
        lambda name, number: (name, number),
        "SELECT name, count(*) FROM journal WHERE at >= ? AND at < ? GROUP BY name",
        since,
        until,
    )
    return dict(pairs)


async def count_subjects(
    sql: Reader, name: str, kind: str, since: int, until: int, *, path: str | None = None
) -> int:
    """Count the subjects of a kind, each once, that events of a name in this time were about.

    `path`: only events whose data is true there count.
    """
    counted = (
        "SELECT count(DISTINCT value) FROM journal, json_each(subjects)"
        " WHERE at >= ?1 AND at < ?2 AND name = ?3 AND value LIKE ?4 || ':%'"
        " AND (?5 IS NULL OR json_extract(data, ?5) IS TRUE)"
    )
    return await sql.one(int, counted, since, until, name, kind, path) or 0


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` events older than a time that no feed has to show; return how many.

    What Discord rejected goes with them.
    """
    gone = await sql.all(
        int,
        "SELECT id FROM journal WHERE at < ?"
        " AND NOT EXISTS (SELECT 1 FROM feed_entries"
        " WHERE journal_id = journal.id AND rejected_at IS NULL)"
        " ORDER BY at LIMIT ?",
        before,
        limit,
    )
    if gone:
        these = "id IN (SELECT value FROM json_each(?))"
        await sql.run(f"DELETE FROM journal WHERE {these}", json.dumps(gone))
        await settings.put(sql, _PRUNED, str(max(await _pruned(sql), *gone)))
    return len(gone)


async def _pruned(sql: Reader) -> int:
    return int(await settings.get(sql, _PRUNED) or 0)
