"""Feeds: journal entries that a channel has still to show, in order, several to a message."""

from typing import NamedTuple

from db.database import Reader, Transaction


class FeedEntry(NamedTuple):
    """A journal entry that waits for its channel; `batch` numbers the message it was put into."""

    journal_id: int
    channel: str
    batch: int | None


_COLUMNS = ", ".join(FeedEntry._fields)


async def add(sql: Transaction, journal_id: int, channel: str) -> None:
    """Have a channel show a journal entry."""
    await sql.run(
        "INSERT INTO feed_entries (journal_id, channel) VALUES (?, ?)"
        " ON CONFLICT (journal_id) DO NOTHING",
        journal_id,
        channel,
    )


async def waiting(sql: Reader, channels: list[str], limit: int) -> list[FeedEntry]:
    """Return the oldest entries that wait for these channels."""
    marks = ", ".join("?" * len(channels))
    return await sql.all(
        FeedEntry,
        f"SELECT {_COLUMNS} FROM feed_entries WHERE channel IN ({marks})"
        " ORDER BY journal_id LIMIT ?",
        *channels,
        limit,
    )


async def put_into_batch(sql: Transaction, entries: list[FeedEntry]) -> None:
    """Settle, before it is sent, that these entries share one message, named by the first."""
    marks = ", ".join("?" * len(entries))
    await sql.run(
        f"UPDATE feed_entries SET batch = ? WHERE journal_id IN ({marks})",
        entries[0].journal_id,
        *(entry.journal_id for entry in entries),
    )


async def mark_shown(sql: Transaction, entries: list[FeedEntry]) -> None:
    """Take entries that Discord shows off the list."""
    marks = ", ".join("?" * len(entries))
    await sql.run(
        f"DELETE FROM feed_entries WHERE journal_id IN ({marks})",
        *(entry.journal_id for entry in entries),
    )
