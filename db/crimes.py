"""Crimes that were reported, at a property or elsewhere."""

from collections.abc import Sequence
from typing import NamedTuple

from db.database import Reader, Transaction
from db.days import Span, with_days


class Circle(NamedTuple):
    """A circle on the map."""

    x: int
    y: int
    radius: int


async def forget_at(sql: Transaction, property_id: int) -> None:
    await sql.run("DELETE FROM crimes WHERE property_id = ?", property_id)


async def add(
    sql: Transaction, property_id: int | None, client_id: str | None, description: str, now: int
) -> int:
    return await sql.insert(
        "crimes", property_id=property_id, client_id=client_id, description=description, at=now
    )


class CrimesOfDay(NamedTuple):
    """How many crimes a day had."""

    day: str
    crimes: int


async def counts(
    sql: Reader, spans: Sequence[Span], where: Circle | int | None
) -> list[CrimesOfDay]:
    """Count the crimes of days: everywhere, at the properties in an area, or at one property.

    A removed property does not count, nor what happened there.
    """
    if isinstance(where, Circle):
        condition = "(x - ?) * (x - ?) + (y - ?) * (y - ?) <= ? * ?"
        given = [where.x, where.x, where.y, where.y, where.radius, where.radius]
    elif where is not None:
        condition, given = "property_id = ?", [where]
    else:
        condition, given = "TRUE", []
    days, parameters = with_days(spans)
    return await sql.all(
        CrimesOfDay,
        f"WITH {days} SELECT day, (SELECT count(*) FROM crimes"
        " LEFT JOIN properties ON properties.id = property_id"
        f" WHERE at >= start AND at < stop AND removed_at IS NULL AND {condition}) FROM days",
        *parameters,
        *given,
    )
