"""Pages, station alerts and callouts: announcements of the CAD, each with a card of its own."""

from typing import Literal, NamedTuple

from db.database import Reader, Transaction

Kind = Literal["pager", "station", "callout"]


class Notice(NamedTuple):
    """One announcement; `data` is that of its event, as JSON text, `key` the kind and places of
    a callout.

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
    sql: Transaction,
    cad: str,
    kind: Kind,
    key: str,
    data: str,
    now: int,
    age: int = 0,
    *,
    since: int = 0,
) -> int:
    """Store an announcement and return its id.

    It replaces one with its key that happened since a time.
    """
    earlier = None
    if key:
        same = "cad = ? AND kind = ? AND key = ? AND at - age >= ? ORDER BY at DESC LIMIT 1"
        found = await sql.select(Notice, f"notices WHERE {same}", cad, kind, key, since)
        earlier = found[0].id if found else None
    if earlier is None:
        return await sql.insert("notices", cad=cad, kind=kind, key=key, data=data, at=now, age=age)
    await sql.update("notices", {"data": data}, id=earlier)
    return earlier


async def get(sql: Reader, notice_id: int) -> Notice | None:
    return await sql.find(Notice, "notices", id=notice_id)


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` announcements older than a time; return how many."""
    oldest = "SELECT id FROM notices WHERE at < ? ORDER BY at LIMIT ?"
    return await sql.count_changes(f"DELETE FROM notices WHERE id IN ({oldest})", before, limit)
