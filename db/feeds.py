"""Feeds: journal entries that a channel still has to show, in order, several to a message."""

import json
from typing import NamedTuple

from db.cards import Backlog, RejectedMessages
from db.database import Reader, Transaction, marks


class FeedEntry(NamedTuple):
    """A journal entry that waits for its channel; `batch` numbers the message it was put into.

    `channel` is a name of the channel map, or the id of a channel that a rule chose; `mention` the
    role that the message calls. With `summed` the message only counts its entries.
    """

    journal_id: int
    channel: str
    mention: int = 0
    batch: int | None = None
    summed: int = 0


class FeedCount(NamedTuple):
    """How many events of a name there were, and when the first and the last of them."""

    name: str
    number: int
    first_at: int
    last_at: int


async def add(sql: Transaction, *entries: FeedEntry) -> None:
    """Add new entries, each once."""
    if not entries:
        return
    await sql.run(
        "INSERT INTO feed_entries (journal_id, channel, mention)"
        " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
        " json_extract(value, '$[2]') FROM json_each(?) WHERE true"
        " ON CONFLICT (journal_id) DO NOTHING",
        json.dumps(entries),
    )


async def waiting(sql: Reader, channels: list[str], limit: int) -> list[FeedEntry]:
    """Return the oldest entries that wait for these channels."""
    waits = f"channel IN ({marks(channels)}) AND rejected_at IS NULL"
    oldest = f"feed_entries WHERE {waits} ORDER BY journal_id LIMIT ?"
    return await sql.select(FeedEntry, oldest, *channels, limit)


async def backlog(sql: Reader) -> list[Backlog]:
    """Count what each channel still has to post."""
    return await sql.all(
        Backlog,
        "SELECT channel, 'feed', number, at FROM journal JOIN ("
        " SELECT channel, count(*) AS number, min(journal_id) AS oldest FROM feed_entries"
        " WHERE rejected_at IS NULL GROUP BY channel) ON id = oldest",
    )


async def of_batch(sql: Reader, batch: int, limit: int) -> list[FeedEntry]:
    """Return the entries that share a message, in order."""
    oldest = "feed_entries WHERE batch = ? ORDER BY journal_id LIMIT ?"
    return await sql.select(FeedEntry, oldest, batch, limit)


async def put_into_batch(sql: Transaction, entries: list[FeedEntry]) -> None:
    """Store, before it is sent, that these entries share one message, named by the first."""
    ids = [entry.journal_id for entry in entries]
    put = f"UPDATE feed_entries SET batch = ? WHERE journal_id IN ({marks(ids)})"
    await sql.run(put, ids[0], *ids)


async def sum_up(sql: Transaction, channels: list[str], batch: int, before: int) -> None:
    """Store, before it is sent, that one message counts all entries from before a time."""
    await sql.run(
        f"UPDATE feed_entries SET batch = ?, summed = 1 WHERE channel IN ({marks(channels)})"
        " AND batch IS NULL AND (SELECT at FROM journal WHERE id = journal_id) < ?",
        batch,
        *channels,
        before,
    )


async def counts(sql: Reader, batch: int) -> list[FeedCount]:
    """Count the entries that share a message by the names of their events, the oldest first."""
    return await sql.all(
        FeedCount,
        "SELECT name, count(*), min(at - age), max(at - age)"
        " FROM feed_entries JOIN journal ON id = journal_id"
        " WHERE batch = ? GROUP BY name ORDER BY min(journal_id)",
        batch,
    )


async def mark_batch_shown(sql: Transaction, batch: int) -> None:
    """Delete the entries of a message."""
    await sql.delete("feed_entries", batch=batch)


async def split_batch(sql: Transaction, batch: int) -> None:
    """Store that each entry of a message gets one of its own."""
    await sql.run("UPDATE feed_entries SET batch = journal_id WHERE batch = ?", batch)


async def mark_batch_rejected(sql: Transaction, batch: int, at: int, reason: str) -> None:
    """Store that Discord rejects a message."""
    await sql.update("feed_entries", {"rejected_at": at, "rejection": reason}, batch=batch)


async def rejections(sql: Reader) -> list[RejectedMessages]:
    """Count the messages that Discord rejected, by channel."""
    # The plus has SQLite take the index of what was rejected, not the one by channel.
    return await sql.all(
        RejectedMessages,
        "SELECT channel, count(DISTINCT batch), max(rejected_at), rejection FROM feed_entries"
        " WHERE rejected_at IS NOT NULL GROUP BY +channel",
    )


async def retry_rejected(sql: Transaction) -> list[str]:
    """Have what Discord rejected tried again; return the channels."""
    found = await sql.all(str, "SELECT channel FROM feed_entries WHERE rejected_at IS NOT NULL")
    await sql.run(
        "UPDATE feed_entries SET rejected_at = NULL, rejection = '' WHERE rejected_at IS NOT NULL"
    )
    return found


async def channels(sql: Reader) -> list[str]:
    """Return every channel that entries wait for."""
    return await sql.all(str, "SELECT DISTINCT channel FROM feed_entries")


async def move(sql: Transaction, channel: str, name: str, new_channel: str) -> None:
    """Move the entries of events of a name to another channel, into messages of its own."""
    await sql.run(
        "UPDATE feed_entries SET channel = ?, batch = NULL, summed = 0 WHERE channel = ?"
        " AND (SELECT name FROM journal WHERE id = journal_id) = ?",
        new_channel,
        channel,
        name,
    )


async def forget_channel(sql: Transaction, channel: str) -> None:
    """Delete the entries that wait for a channel that is gone, and for no other one."""
    await sql.delete("feed_entries", channel=channel)
