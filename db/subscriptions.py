"""What a client had subscribed to, for the session that it resumes."""

from db.database import Reader, Transaction


async def of_client(sql: Reader, client: str) -> list[str]:
    """Return the event names that a client had subscribed to."""
    return await sql.all(str, "SELECT event FROM subscriptions WHERE client = ?", client)


async def add(sql: Transaction, client: str, event: str) -> None:
    """Remember a subscription."""
    await sql.run(
        "INSERT INTO subscriptions (client, event) VALUES (?, ?) ON CONFLICT DO NOTHING",
        client,
        event,
    )


async def remove(sql: Transaction, client: str, event: str) -> None:
    """Forget one subscription."""
    await sql.run("DELETE FROM subscriptions WHERE client = ? AND event = ?", client, event)


async def remove_all(sql: Transaction, client: str) -> None:
    """Forget all subscriptions of a client."""
    await sql.run("DELETE FROM subscriptions WHERE client = ?", client)
