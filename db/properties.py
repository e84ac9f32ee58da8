"""Properties: a place with an owner, a tier, a rectangle on the map and a status."""

from typing import NamedTuple

from db.database import Reader, Transaction
from db.search import MATCHES, folded

PENDING = "PENDING"
"""Added, and not approved yet."""

ACTIVE = "ACTIVE"
"""Approved."""

REJECTED = "REJECTED"
"""Not approved; it can still be."""

REMOVED = "REMOVED"
"""Its removal was requested, and not settled yet."""


class Property(NamedTuple):
    """A property; `x` and `y` are GTA map coordinates, `width` and `height` metres."""

    id: int
    location: str
    tier: int
    x: int
    y: int
    width: int
    height: int
    status: str
    status_by: str | None
    description: str
    owner: str
    added_at: int
    removed_at: int | None


class PropertyDetail(NamedTuple):
    """What hangs on a property by name: its tier, its price and its owner."""

    tier_name: str
    price: str
    owner_full_name: str


_COLUMNS = ", ".join(Property._fields)


async def add(
    sql: Transaction,
    *,
    location: str,
    tier: int,
    x: int,
    y: int,
    width: int,
    height: int,
    description: str,
    owner: str,
    now: int,
) -> int:
    """Add a pending property and return its id."""
    return await sql.insert(
        "INSERT INTO properties (location, tier, x, y, width, height, status, description, owner,"
        " added_at, searched) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        location,
        tier,
        x,
        y,
        width,
        height,
        PENDING,
        description,
        owner,
        now,
        folded(location, description),
    )


async def get(sql: Reader, property_id: int) -> Property | None:
    """Return a property that has not been removed."""
    return await sql.one(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE id = ? AND removed_at IS NULL",
        property_id,
    )


async def get_even_removed(sql: Reader, property_id: int) -> Property | None:
    """Return a property, removed or not, for the cards that still speak of it."""
    return await sql.one(Property, f"SELECT {_COLUMNS} FROM properties WHERE id = ?", property_id)


async def detail(sql: Reader, property_id: int) -> PropertyDetail | None:
    """Return the names that hang on a property."""
    return await sql.one(
        PropertyDetail,
        "SELECT tiers.name, tiers.price, coalesce(users.full_name, owner) FROM properties"
        " JOIN tiers ON tiers.id = tier LEFT JOIN users ON users.id = owner"
        " WHERE properties.id = ? AND removed_at IS NULL",
        property_id,
    )


async def page(sql: Reader, search: str, limit: int, offset: int) -> list[Property]:
    """Return properties whose location, description or id holds the search text, by id."""
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE removed_at IS NULL AND {MATCHES}"
        " ORDER BY id LIMIT ? OFFSET ?",
        folded(search),
        folded(search),
        limit,
        offset,
    )


async def page_of_status(
    sql: Reader, status: str, search: str = "", limit: int = -1, offset: int = 0
) -> list[Property]:
    """Return properties of one status that match the search text, by id."""
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE status = ? AND removed_at IS NULL"
        f" AND {MATCHES} ORDER BY id LIMIT ? OFFSET ?",
        status,
        folded(search),
        folded(search),
        limit,
        offset,
    )


class Owned(NamedTuple):
    """A property of somebody and what its tier costs."""

    property: Property
    price: str


def _owned(*columns: object) -> Owned:
    *own, price = columns
    return Owned(Property(*own), str(price))  # type: ignore[arg-type]


async def of_owner(sql: Reader, owner: str) -> list[Owned]:
    """Return somebody's properties with their tiers' prices, by id."""
    columns = ", ".join(f"properties.{name}" for name in Property._fields)
    return await sql.all(
        _owned,
        f"SELECT {columns}, tiers.price FROM properties JOIN tiers ON tiers.id = tier"
        " WHERE owner = ? AND removed_at IS NULL ORDER BY properties.id",
        owner,
    )


async def resize(sql: Transaction, property_id: int, width: int, height: int) -> None:
    """Change the rectangle's size, in metres."""
    await sql.run(
        "UPDATE properties SET width = ?, height = ? WHERE id = ?", width, height, property_id
    )


async def move(sql: Transaction, property_id: int, x: int, y: int) -> None:
    """Change where the property lies."""
    await sql.run("UPDATE properties SET x = ?, y = ? WHERE id = ?", x, y, property_id)


async def set_status(sql: Transaction, property_id: int, status: str, by: str) -> None:
    """Change the status, and keep who did."""
    await sql.run(
        "UPDATE properties SET status = ?, status_by = ? WHERE id = ?", status, by, property_id
    )


async def set_tier(sql: Transaction, property_id: int, tier: int) -> None:
    """Change the tier."""
    await sql.run("UPDATE properties SET tier = ? WHERE id = ?", tier, property_id)


async def remove(sql: Transaction, property_id: int, now: int) -> None:
    """Remove a property and its equipment from every answer; the rows stay for the cards."""
    await sql.run("UPDATE properties SET removed_at = ? WHERE id = ?", now, property_id)
    await sql.run(
        "UPDATE equipment SET removed_at = ? WHERE property_id = ? AND removed_at IS NULL",
        now,
        property_id,
    )
