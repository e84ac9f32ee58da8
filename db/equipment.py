"""Equipment of a property: cameras, badge readers, drones."""

from typing import NamedTuple

from db.database import Reader, Transaction
from db.search import beginning, best_first, fold_case, holding, is_indexed

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
    """Add a piece of equipment and return its id."""
    return await sql.insert(
        "INSERT INTO equipment (property_id, type, description, added_at, searched)"
        " VALUES (?, ?, ?, ?, ?)",
        property_id,
        type_id,
        description,
        now,
        fold_case(description),
    )


async def get(sql: Reader, equipment_id: int) -> Equipment | None:
    """Return a piece of equipment that has not been removed."""
    return await sql.one(
        Equipment, f"{_SELECT} WHERE equipment.id = ? AND removed_at IS NULL", equipment_id
    )


async def get_even_removed(sql: Reader, equipment_id: int) -> Equipment | None:
    """Return a piece of equipment, removed or not, for the cards that still speak of it."""
    return await sql.one(Equipment, f"{_SELECT} WHERE equipment.id = ?", equipment_id)


async def of_property(sql: Reader, property_id: int) -> list[Equipment]:
    """Return what a property has, by id."""
    return await sql.all(
        Equipment,
        f"{_SELECT} WHERE property_id = ? AND removed_at IS NULL ORDER BY equipment.id",
        property_id,
    )


async def remove(sql: Transaction, equipment_id: int, now: int) -> None:
    """Remove a piece of equipment from every answer; the row stays for the cards."""
    await sql.run("UPDATE equipment SET removed_at = ? WHERE id = ?", now, equipment_id)


async def suggest(sql: Reader, typed: str, type_id: int, limit: int) -> list[Equipment]:
    """Return the equipment of a type that is most likely meant: by id, word's beginning, anywhere.

    With nothing typed, that which was added last.
    """
    search = fold_case(typed)
    wanted = "type = ? AND removed_at IS NULL"

    async def of_id(_: int) -> list[Equipment]:
        is_id = typed.isascii() and typed.isdigit() and len(typed) < 19
        found = await get(sql, int(typed)) if is_id else None
        return [] if found is None or found.type != type_id else [found]

    async def found(question: str, most: int) -> list[Equipment]:
        return await sql.all(
            Equipment,
            f"{_SELECT.replace(' FROM equipment', _FROM_INDEX)} WHERE equipment_index MATCH ?"
            f" AND {wanted} ORDER BY equipment_index.rowid LIMIT ?",
            question,
            type_id,
            most,
        )

    async def at_word(most: int) -> list[Equipment]:
        return await found(beginning(search.split()), most) if search.split() else []

    async def anywhere(most: int) -> list[Equipment]:
        return await found(holding(search), most) if is_indexed(search) else []

    async def newest(most: int) -> list[Equipment]:
        latest = f"{_SELECT} WHERE {wanted} ORDER BY equipment.id DESC LIMIT ?"
        return [] if search else await sql.all(Equipment, latest, type_id, most)

    return await best_first(limit, lambda row: row.id, of_id, at_word, anywhere, newest)


_FROM_INDEX = " FROM equipment_index CROSS JOIN equipment ON equipment.id = equipment_index.rowid"
