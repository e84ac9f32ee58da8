"""Requests to remove a property, and how they were settled."""

from typing import Literal, NamedTuple

from db.database import Reader, Transaction, marks

RemovalOutcome = Literal["approved", "denied", "withdrawn"]


class Removal(NamedTuple):
    """A request; open while `outcome` is None. `answer` is the reason given with the outcome.

    `requested_by` is the game user it was made for, `asked_by` the caller who made it.
    """

    id: int
    property_id: int
    requested_at: int
    requested_by: str | None
    reason: str | None
    previous_status: str
    outcome: RemovalOutcome | None
    settled_at: int | None
    settled_by: str | None
    answer: str | None
    asked_by: str


async def request(
    sql: Transaction,
    property_id: int,
    requested_by: str | None,
    asked_by: str,
    reason: str | None,
    previous_status: str,
    now: int,
) -> int:
    return await sql.insert(
        "removals",
        property_id=property_id,
        requested_at=now,
        requested_by=requested_by,
        asked_by=asked_by,
        reason=reason,
        previous_status=previous_status,
    )


async def get(sql: Reader, removal_id: int) -> Removal | None:
    return await sql.find(Removal, "removals", id=removal_id)


async def open_of_property(sql: Reader, property_id: int) -> Removal | None:
    where = "removals WHERE property_id = ? AND outcome IS NULL"
    found = await sql.select(Removal, where, property_id)
    return found[0] if found else None


async def open_of_properties(sql: Reader, property_ids: list[int]) -> list[Removal]:
    where = f"removals WHERE property_id IN ({marks(property_ids)}) AND outcome IS NULL"
    return await sql.select(Removal, where, *property_ids)


async def newest_of_property(sql: Reader, property_id: int) -> Removal | None:
    """Return the newest request of a property, open or not."""
    newest = "removals WHERE property_id = ? ORDER BY id DESC LIMIT 1"
    found = await sql.select(Removal, newest, property_id)
    return found[0] if found else None


async def settle(
    sql: Transaction,
    removal_id: int,
    outcome: RemovalOutcome,
    settled_by: str,
    answer: str | None,
    now: int,
) -> None:
    end = {"outcome": outcome, "settled_by": settled_by, "answer": answer, "settled_at": now}
    await sql.update("removals", end, id=removal_id)
