"""Equipment of a property: cameras, badge readers, drones."""

from typing import NamedTuple

from db.database import Reader, Transaction
from db.search import fold_case

CAMERA = 1
"""The equipment type that scans visitors."""

DRONE = 3
"""The equipment type that flies."""


class Equipment(NamedTuple):
    """A piece of equipment; `name` is that of its type."""

    id: int
    property_id: int
    type: int
    description: str
    name: str


_SELECT = (
    "SELECT equipment.id, property_id, type, description, equipment_types.name FROM equipment"
    " JOIN equipment_types ON equipment_types.id = type"
)


async def add(sql: Transaction, property_id: int, type_id: int, description: str, now: int) -> int:
    texts = {"description": description, "searched": fold_case(description)}
    return await sql.insert(
        "equipment", property_id=property_id, type=type_id, added_at=now, **texts
    )


async def refold(sql: Transaction) -> None:
    """Fold searched texts again that were folded in another way."""
    rows = await sql.all(lambda *row: row, "SELECT id, description, searched FROM equipment")
    for number, description, searched in rows:
        if searched != fold_case(description):
            await sql.update("equipment", {"searched": fold_case(description)}, id=number)


async def get(sql: Reader, equipment_id: int) -> Equipment | None:
    """Return a piece of equipment that has not been removed."""
    return await sql.one(
        Equipment, f"{_SELECT} WHERE equipment.id = ? AND removed_at IS NULL", equipment_id
    )


async def get_even_removed(sql: Reader, equipment_id: int) -> Equipment | None:
    """Return a piece of equipment, removed or not, for the cards that still show it."""
    return await sql.one(Equipment, f"{_SELECT} WHERE equipment.id = ?", equipment_id)


async def of_property(
    sql: Reader, property_id: int, limit: int = -1, offset: int = 0
) -> list[Equipment]:
    present = f"{_SELECT} WHERE property_id = ? AND removed_at IS NULL"
    return await sql.all(
        Equipment,
        f"{present} ORDER BY equipment.id LIMIT ? OFFSET ?",
        property_id,
        limit,
        offset,
    )


async def remove(sql: Transaction, equipment_id: int, now: int) -> None:
    """Remove a piece of equipment from every answer; the row stays for the cards."""
    await sql.update("equipment", {"removed_at": now}, id=equipment_id)


async def suggest(sql: Reader, typed: str, type_id: int, limit: int) -> list[Equipment]:
    """Return equipment of a type that somebody who types probably wants, the likeliest first.

    First the piece with the typed id, then those where a word of the description begins with the
    text, then those that contain it; with nothing typed, the newest.
    """
    if not typed:
        latest = (
            f"{_SELECT} WHERE type = ? AND removed_at IS NULL ORDER BY equipment.id DESC LIMIT ?"
        )
        return await sql.all(Equipment, latest, type_id, limit)
    return await sql.all(
        Equipment,
        f"{_SELECT} WHERE type = ?1 AND removed_at IS NULL"
        " AND (equipment.id = ?2 OR instr(searched, ?3))"
        " ORDER BY equipment.id <> ?2, NOT instr(' ' || searched, ' ' || ?3), equipment.id"
        " LIMIT ?4",
        type_id,
        int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0,
        fold_case(typed),
        limit,
    )
