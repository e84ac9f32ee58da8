"""The journal: everything that happened, in order, each under a number that is never reused."""

from typing import NamedTuple

from db import settings
from db.database import Reader, Transaction


class Entry(NamedTuple):
    """One event. `subjects` and `data` are JSON text; `at` is in milliseconds since 1970."""

    id: int
    at: int
    name: str
    subjects: str
    data: str


_PRUNED = "journal.pruned"
"""The setting that holds the newest number ever forgotten."""

_COLUMNS = ", ".join(Entry._fields)


async def append(
    sql: Transaction, at: int, name: str, subjects: str, data: str, *, published: bool = True
) -> int:
    """Add an event and return its number."""
    return await sql.insert(
        "INSERT INTO journal (at, name, subjects, data, published) VALUES (?, ?, ?, ?, ?)"
        " RETURNING id",
        at,
        name,
        subjects,
        data,
        published,
    )


async def after(sql: Reader, number: int, limit: int) -> list[Entry]:
    """Return the published events behind this number, oldest first."""
    return await sql.all(
        Entry,
        f"SELECT {_COLUMNS} FROM journal WHERE id > ? AND published ORDER BY id LIMIT ?",
        number,
        limit,
    )


async def named(sql: Reader, numbers: list[int]) -> list[Entry]:
    """Return the events with these numbers, oldest first."""
    marks = ", ".join("?" * len(numbers))
    return await sql.all(
        Entry, f"SELECT {_COLUMNS} FROM journal WHERE id IN ({marks}) ORDER BY id", *numbers
    )


async def recent(sql: Reader, limit: int) -> list[Entry]:
    """Return the newest published events, newest first."""
    return await sql.all(
        Entry, f"SELECT {_COLUMNS} FROM journal WHERE published ORDER BY id DESC LIMIT ?", limit
    )


async def bounds(sql: Reader) -> tuple[int, int]:
    """Return from which number on all are held and the newest ever given; (1, 0) at first.

    Older ones may be held too: those that a feed has still to show.
    """
    newest = await sql.one(int, "SELECT seq FROM sqlite_sequence WHERE name = 'journal'") or 0
    oldest = await sql.one(int, "SELECT id FROM journal ORDER BY id LIMIT 1")
    return max(newest + 1 if oldest is None else oldest, await _pruned(sql) + 1), newest


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Forget up to `limit` events older than a time that no feed still has to show; count them."""
    gone = await sql.all(
        int,
        "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE at < ?"
        " AND id NOT IN (SELECT journal_id FROM feed_entries) ORDER BY at LIMIT ?) RETURNING id",
        before,
        limit,
    )
    if gone:
        await settings.put(sql, _PRUNED, str(max(await _pruned(sql), *gone)))
    return len(gone)


async def _pruned(sql: Reader) -> int:
    return int(await settings.get(sql, _PRUNED) or 0)
