"""Fingerprints of recent pushes, by which duplicates are found."""

from db.database import Transaction


async def is_duplicate(
    sql: Transaction, digest: bytes, transport: str, since: int, now: int
) -> bool:
    """Take note of a push; tell whether it came since then over another transport already.

    What comes twice over one transport happened twice: the nth copy of each transport is the
    same event as the nth of the others.
    """
    upsert = (
        "INSERT INTO fingerprints (id, digest, transports, at) VALUES ("
        "(SELECT id FROM fingerprints WHERE digest = ?1 AND at >= ?3"
        " AND NOT instr(' ' || transports || ' ', ' ' || ?2 || ' ') ORDER BY at, id LIMIT 1),"
        " ?1, ?2, ?4) ON CONFLICT (id) DO UPDATE"
        " SET transports = transports || ' ' || excluded.transports RETURNING transports <> ?2"
    )
    return await sql.one(bool, upsert, digest, transport, since, now) or False


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete those of the first `limit` pushes that are older than a time; return how many."""
    return await sql.count_changes(
        "DELETE FROM fingerprints WHERE id IN"
        " (SELECT id FROM fingerprints ORDER BY id LIMIT ?) AND at < ?",
        limit,
        before,
    )
