"""Cards of /test, which show how a message looks and whom it mentions."""

from typing import NamedTuple

from db import cards
from db.database import Reader, Transaction


class DrillCard(NamedTuple):
    """A card of a kind of event that did not happen; `begun_by` a caller."""

    id: int
    kind: str
    begun_at: int
    begun_by: str
    is_over: int


async def add(sql: Transaction, kind: str, by: str, now: int) -> int:
    """Store a card and return its id."""
    return await sql.insert("drill_cards", kind=kind, begun_at=now, begun_by=by)


async def get(sql: Reader, number: int) -> DrillCard | None:
    return await sql.find(DrillCard, "drill_cards", id=number)


async def due(sql: Reader, begun_until: int) -> list[int]:
    """Return the cards that are not over and began up to a time."""
    open_ = "SELECT id FROM drill_cards WHERE NOT is_over AND begun_at <= ?"
    return await sql.all(int, open_, begun_until)


async def end(sql: Transaction, number: int) -> None:
    await sql.update("drill_cards", {"is_over": 1}, id=number)


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` cards that began before a time; return how many. Messages stay."""
    oldest = "SELECT id FROM drill_cards WHERE is_over AND begun_at < ? ORDER BY id LIMIT ?"
    gone = await sql.all(int, oldest, before, limit)
    for number in gone:
        await cards.release(sql, f"drill:{number}")
        await sql.delete("drill_cards", id=number)
    return len(gone)
