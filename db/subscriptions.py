"""What each client has subscribed to, for the session that it resumes."""

import json
from collections.abc import Collection

from db.database import Reader, Transaction


async def of_client(sql: Reader, client: str) -> list[str]:
    return await sql.all(str, "SELECT event FROM subscriptions WHERE client = ?", client)


async def count_clients(sql: Reader, prefix: str) -> int:
    """Count the clients with subscriptions whose names begin with this."""
    counted = "SELECT count(DISTINCT client) FROM subscriptions WHERE client >= ? AND client < ?"
    return await sql.one(int, counted, prefix, prefix + "\U0010ffff") or 0


async def longest_away(sql: Reader, prefix: str, connected: Collection[str]) -> str | None:
    """Return the client that is away for the longest, of those whose names begin with this."""
    away = (
        "SELECT client FROM subscriptions WHERE client >= ? AND client < ?"
        " AND client NOT IN (SELECT value FROM json_each(?))"
        " GROUP BY client ORDER BY max(used) LIMIT 1"
    )
    return await sql.one(str, away, prefix, prefix + "\U0010ffff", json.dumps(list(connected)))


async def add(sql: Transaction, client: str, event: str, now: int) -> None:
    put = "INSERT OR REPLACE INTO subscriptions (client, event, used) VALUES (?, ?, ?)"
    await sql.run(put, client, event, now)


async def touch(sql: Transaction, clients: Collection[str], now: int) -> None:
    """Store that these clients are connected."""
    touched = "UPDATE subscriptions SET used = ? WHERE client IN (SELECT value FROM json_each(?))"
    await sql.run(touched, now, json.dumps(list(clients)))


async def forget(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` subscriptions that were last used before a time; return how many."""
    unused = "SELECT client, event FROM subscriptions WHERE used < ? LIMIT ?"
    gone = f"DELETE FROM subscriptions WHERE (client, event) IN ({unused})"
    return await sql.count_changes(gone, before, limit)


async def remove(sql: Transaction, client: str, event: str) -> None:
    await sql.delete("subscriptions", client=client, event=event)


async def remove_all(sql: Transaction, client: str) -> None:
    await sql.delete("subscriptions", client=client)
