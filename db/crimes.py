"""Crimes that were reported, at a property or elsewhere."""

from typing import NamedTuple

from db.database import Reader, Transaction


class Area(NamedTuple):
    """A circle on the map."""

    x: int
    y: int
    radius: int


async def add(
    sql: Transaction, property_id: int | None, client_id: str | None, description: str, now: int
) -> int:
    """Record a crime and return its id."""
    return await sql.insert(
        "INSERT INTO crimes (property_id, client_id, description, at) VALUES (?, ?, ?, ?)",
        property_id,
        client_id,
        description,
        now,
    )


_AT_PROPERTY = "property_id IN (SELECT id FROM properties WHERE removed_at IS NULL"


async def count(sql: Reader, start: int, end: int, area: Area | None) -> int:
    """Count the crimes of a span of time, everywhere or at the properties in an area."""
    if area is None:
        condition, parameters = f"(property_id IS NULL OR {_AT_PROPERTY}))", []
    else:
        condition = f"{_AT_PROPERTY} AND (x - ?) * (x - ?) + (y - ?) * (y - ?) <= ? * ?)"
        parameters = [area.x, area.x, area.y, area.y, area.radius, area.radius]
    found = await sql.one(
        int,
        f"SELECT count(*) FROM crimes WHERE at >= ? AND at < ? AND {condition}",
        start,
        end,
        *parameters,
    )
    return found or 0


async def count_at(sql: Reader, start: int, end: int, property_id: int) -> int:
    """Count the crimes of a span of time at one property."""
    found = await sql.one(
        int,
        "SELECT count(*) FROM crimes WHERE at >= ? AND at < ? AND property_id = ?",
        start,
        end,
        property_id,
    )
    return found or 0
