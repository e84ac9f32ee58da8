"""Which pushes came lately, so that the second delivery of one is known for what it is."""

from db.database import Transaction


async def is_duplicate(
    sql: Transaction, digest: bytes, transport: str, since: int, now: int
) -> bool:
    """Take note of a push; tell whether it came since then over another transport already.

    What comes twice over one transport happened twice: the nth copy of each transport is the
    same event as the nth of the others.
    """
    found = await sql.one(
        int,
        "SELECT id FROM fingerprints WHERE digest = ? AND at >= ?"
        " AND NOT instr(' ' || transports || ' ', ' ' || ? || ' ') ORDER BY at, id LIMIT 1",
        digest,
        since,
        transport,
    )
    if found is not None:
        await sql.run(
            "UPDATE fingerprints SET transports = transports || ' ' || ? WHERE id = ?",
            transport,
            found,
        )
        return True
    await sql.run(
        "INSERT INTO fingerprints (digest, transports, at) VALUES (?, ?, ?)", digest, transport, now
    )
    return False


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Forget those of the first `limit` pushes that are older than a time; count them."""
    gone = await sql.all(
        int,
        "DELETE FROM fingerprints WHERE id IN"
        " (SELECT id FROM fingerprints ORDER BY id LIMIT ?) AND at < ? RETURNING id",
        limit,
        before,
    )
    return len(gone)
