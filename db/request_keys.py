"""Stored answers to requests with an idempotency key."""

from typing import NamedTuple

from db.database import Reader, Transaction


class StoredAnswer(NamedTuple):
    """The answer to a request, and the digest of the request."""

    digest: bytes
    answer: str


async def get(sql: Reader, sender: str, key: str) -> StoredAnswer | None:
    return await sql.find(StoredAnswer, "request_keys", sender=sender, key=key)


async def add(sql: Transaction, sender: str, key: str, answer: StoredAnswer, now: int) -> None:
    await sql.insert("request_keys", sender=sender, key=key, at=now, **answer._asdict())


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` answers older than a time; return how many."""
    oldest = "SELECT sender, key FROM request_keys WHERE at < ? ORDER BY at LIMIT ?"
    return await sql.count_changes(
        f"DELETE FROM request_keys WHERE (sender, key) IN ({oldest})", before, limit
    )
