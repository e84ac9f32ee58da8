"""Pages, station alerts and callouts: announcements of the CAD, each with a card of its own."""

from typing import Literal, NamedTuple

from db.database import Reader, Transaction

Kind = Literal["pager", "station", "callout"]


class Notice(NamedTuple):
    """One announcement; `data` is that of its event, as JSON text, `key` a callout's own id.

    `at`: when it was received, in milliseconds since 1970; `age`: how many after it happened.
    """

    id: int
    cad: str
    kind: Kind
    key: str
    data: str
    at: int
    age: int

    @property
    def happened_at(self) -> int:
        return self.at - self.age


async def put(
    sql: Transaction, cad: str, kind: Kind, key: str, data: str, now: int, age: int = 0
) -> int:
    """Store an announcement and return its id; one with the key of another replaces it."""
    upsert = (
        "INSERT INTO notices (cad, kind, key, data, at, age) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (cad, kind, key) WHERE key <> '' DO UPDATE SET data = excluded.data"
        " RETURNING id"
    )
    return await sql.one(int, upsert, cad, kind, key, data, now, age) or 0


async def get(sql: Reader, notice_id: int) -> Notice | None:
    return await sql.find(Notice, "notices", id=notice_id)


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` announcements older than a time; return how many."""
    oldest = "SELECT id FROM notices WHERE at < ? ORDER BY at LIMIT ?"
    return await sql.count_changes(f"DELETE FROM notices WHERE id IN ({oldest})", before, limit)
