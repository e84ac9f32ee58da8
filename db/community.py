"""Tiers and equipment types: what the configuration says, and what older rows still refer to."""

from typing import NamedTuple

from db.database import Reader, Transaction


class Tier(NamedTuple):
    """A protection plan that a property has; `price` is text as the owner writes it."""

    id: int
    name: str
    price: str


class EquipmentType(NamedTuple):
    id: int
    name: str


async def tiers(sql: Reader) -> list[Tier]:
    """Return the tiers on offer, by id."""
    return await sql.select(Tier, "tiers WHERE NOT retired ORDER BY id")


async def first_tier(sql: Reader) -> int | None:
    """Return the lowest tier on offer."""
    return await sql.one(int, "SELECT id FROM tiers WHERE NOT retired ORDER BY id LIMIT 1")


async def get_tier(sql: Reader, tier_id: int) -> Tier | None:
    """Return a tier, also one that is retired."""
    return await sql.find(Tier, "tiers", id=tier_id)


async def equipment_types(sql: Reader) -> list[EquipmentType]:
    """Return the equipment types on offer, by id."""
    return await sql.select(EquipmentType, "equipment_types WHERE NOT retired ORDER BY id")


async def replace(sql: Transaction, tiers: list[Tier], types: list[EquipmentType]) -> None:
    """Put exactly these on offer; others are retired, and stay for the rows that have them."""
    await sql.run("UPDATE tiers SET retired = 1")
    for tier in tiers:
        await sql.run(
            "INSERT INTO tiers (id, name, price) VALUES (?, ?, ?) ON CONFLICT (id)"
            " DO UPDATE SET name = excluded.name, price = excluded.price, retired = 0",
            *tier,
        )
    await sql.run("UPDATE equipment_types SET retired = 1")
    for kind in types:
        await sql.run(
            "INSERT INTO equipment_types (id, name) VALUES (?, ?)"
            " ON CONFLICT (id) DO UPDATE SET name = excluded.name, retired = 0",
            *kind,
        )
