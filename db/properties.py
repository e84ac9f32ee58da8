"""Properties: a place with an owner, a tier, a rectangle on the map and a status."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from db.database import Reader, Transaction
from db.search import (
    FIRST,
    beginning,
    best_first,
    fold_case,
    is_indexed,
    may_be_code,
    question,
    span,
    whole_words,
    words,
)

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
    status_reason: str | None


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
    named = words(location)
    number = await sql.insert(
        "INSERT INTO properties (location, tier, x, y, width, height, status, description, owner,"
        " added_at, searched, place) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        fold_case(location, description),
        " ".join(named),
    )
    for code in {*named, *words(description)}:
        if may_be_code(code):
            await sql.run(
                "INSERT INTO property_codes (code, property_id, in_location) VALUES (?, ?, ?)",
                code,
                number,
                code in named,
            )
    return number


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


_HOLDS = "(instr(searched, ?) OR instr(id, ?))"


async def page(sql: Reader, search: str, limit: int, offset: int) -> list[Property]:
    """Return properties whose location, description or id holds the search text, by id.

    The index gives them in that order too, so that a page of a broad search ends early. An address
    has parts that many have, but also codes that few have, by which it is found sooner.
    """
    search = fold_case(search)

    def those(source: str, by: str, *asked: object) -> tuple[Any, ...]:
        """Return the statement for those of a source that hold the text, and what it is given."""
        return (
            f"SELECT {_COLUMNS} {source} AND removed_at IS NULL AND {_HOLDS} ORDER BY {by}"
            " LIMIT ? OFFSET ?",
            *asked,
            search,
            search,
            limit,
            offset,
        )

    if search and not is_indexed(search):
        found = await sql.all(Property, *those("FROM properties WHERE id <= ?", "id", FIRST))
        if len(found) == limit:
            return found
    codes = await _codes_in(sql, search)
    if codes:
        with_codes = _WITH_CODE + _AND_CODE * (len(codes) - 1)
        return await sql.all(Property, *those(with_codes, "id", *codes))
    if search:
        asked = await question(sql, "properties", search)
        if asked is not None:
            return await sql.all(Property, *those(_FOUND, "properties_index.rowid", asked))
    return await sql.all(Property, *those("FROM properties WHERE TRUE", "id"))


_FOUND = (
    "FROM properties_index CROSS JOIN properties ON id = properties_index.rowid"
    " WHERE properties_index MATCH ?"
)
_WITH_CODE = (
    "FROM property_codes AS first CROSS JOIN properties ON id = first.property_id"
    " WHERE first.code = ?"
)
_AND_CODE = (
    " AND EXISTS (SELECT 1 FROM property_codes WHERE code = ? AND property_id = first.property_id)"
)


async def _codes_in(sql: Reader, search: str) -> list[str]:
    """Return the codes that all have who hold a folded text, first one that few have, or none."""
    codes = {word for word in whole_words(search) if may_be_code(word)}
    for code in sorted(codes):
        too_many = "SELECT 1 FROM property_codes WHERE code = ? LIMIT 1 OFFSET ?"
        if await sql.one(int, too_many, code, FIRST) is None:
            return [code, *(codes - {code})]
    return []


async def page_of_status(
    sql: Reader, status: str, search: str = "", limit: int = -1, offset: int = 0
) -> list[Property]:
    """Return properties of one status that match the search text, by id.

    Meant for a status that few have: all that have it are looked through.
    """
    search = fold_case(search)
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE removed_at IS NULL AND status = ? AND {_HOLDS}"
        " ORDER BY id LIMIT ? OFFSET ?",
        status,
        search,
        search,
        limit,
        offset,
    )


async def suggest(sql: Reader, typed: str, limit: int) -> list[Property]:
    """Return the properties that are most likely meant, the likeliest first.

    That of the typed id, those whose location begins so, those with a word that begins so, those
    that hold it anywhere; the last only for texts that the index finds.
    """
    search, named = fold_case(typed), words(typed)

    async def of_id(_: int) -> list[Property]:
        is_id = typed.isascii() and typed.isdigit() and len(typed) < 19
        found = await get(sql, int(typed)) if is_id else None
        return [] if found is None else [found]

    async def at_beginning(most: int) -> list[Property]:
        return await sql.all(
            Property,
            f"SELECT {_COLUMNS} FROM properties WHERE removed_at IS NULL"
            " AND place >= ? AND place < ? ORDER BY place, id LIMIT ?",
            *span(" ".join(named)),
            most,
        )

    async def at_word(most: int) -> list[Property]:
        return await sql.all(
            Property,
            f"SELECT {_COLUMNS} {_FOUND} AND removed_at IS NULL"
            " ORDER BY properties_index.rowid LIMIT ?",
            beginning(named),
            most,
        )

    async def anywhere(most: int) -> list[Property]:
        return await page(sql, typed, most, 0) if is_indexed(search) or not search else []

    by_name = (at_beginning, at_word) if named else ()
    return await best_first(limit, lambda row: row.id, of_id, *by_name, anywhere)


async def count(sql: Reader, status: str | None = None) -> int:
    """Count the properties, or those of a status."""
    where, given = ("TRUE", ()) if status is None else ("status = ?", (status,))
    counted = f"SELECT total(properties) FROM property_totals WHERE {where}"
    return await sql.one(int, counted, *given) or 0


async def statuses(sql: Reader) -> list[str]:
    """Return the statuses that properties have."""
    return await sql.all(str, "SELECT status FROM property_totals ORDER BY status")


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


async def update(sql: Transaction, changed: Property) -> None:
    """Store a property's size, coordinates and tier."""
    await sql.run(
        "UPDATE properties SET width = ?, height = ?, x = ?, y = ?, tier = ? WHERE id = ?",
        changed.width,
        changed.height,
        changed.x,
        changed.y,
        changed.tier,
        changed.id,
    )


async def set_status(
    sql: Transaction, property_id: int, status: str, by: str, reason: str | None = None
) -> None:
    """Change the status, and keep who did and why."""
    await sql.run(
        "UPDATE properties SET status = ?, status_by = ?, status_reason = ? WHERE id = ?",
        status,
        by,
        reason,
        property_id,
    )


async def remove(sql: Transaction, property_id: int, now: int) -> None:
    """Remove a property and its equipment from every answer; the rows stay for the cards."""
    await sql.run("UPDATE properties SET removed_at = ? WHERE id = ?", now, property_id)
    await sql.run(
        "UPDATE equipment SET removed_at = ? WHERE property_id = ? AND removed_at IS NULL",
        now,
        property_id,
    )


async def restore(sql: Transaction, property_id: int, removed_at: int) -> None:
    """Restore a property, with the equipment that was removed with it."""
    await sql.run("UPDATE properties SET removed_at = NULL WHERE id = ?", property_id)
    await sql.run(
        "UPDATE equipment SET removed_at = NULL WHERE property_id = ? AND removed_at = ?",
        property_id,
        removed_at,
    )


async def removed_since(sql: Reader, since: int, limit: int) -> list[Property]:
    """Return the properties that were removed since a time, the latest first."""
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE removed_at >= ?"
        " ORDER BY removed_at DESC, id LIMIT ?",
        since,
        limit,
    )


async def held_by(sql: Reader, user_ids: Sequence[str], search: str, limit: int) -> list[Property]:
    """Return what somebody, known by several ids, owns or may enter and matches, by id."""
    marks = ", ".join("?" * len(user_ids)) or "NULL"
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE removed_at IS NULL AND id IN ("
        f"SELECT id FROM properties WHERE removed_at IS NULL AND owner IN ({marks})"
        f" UNION SELECT property_id FROM allowed_users WHERE user_id IN ({marks}))"
        " AND instr(id || char(10) || searched, ?) ORDER BY id LIMIT ?",
        *user_ids,
        *user_ids,
        fold_case(search),
        limit,
    )


async def in_view(
    sql: Reader, area: tuple[float, float, float, float], besides: int, limit: int
) -> list[Property]:
    """Return the properties that reach into an area (x, y, width, height), the nearest first."""
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE removed_at IS NULL AND id <> ?5"
        f" AND status <> '{REJECTED}' AND x <= ?1 + ?3 AND x + width >= ?1"
        " AND y <= ?2 + ?4 AND y + height >= ?2"
        " ORDER BY abs(2 * x + width - 2 * ?1 - ?3) + abs(2 * y + height - 2 * ?2 - ?4), id"
        " LIMIT ?6",
        *area,
        besides,
        limit,
    )


async def candidates(
    sql: Reader,
    point: tuple[float, float] | None,
    reach: float,
    phrases: list[str],
    code: str,
    most: int = 32,
) -> list[Property]:
    """Return the properties that a place may mean: by its point, its words or its postal code.

    `reach` is how far, in metres, a point may be from a property without an area. Of each kind
    the likeliest few: the smallest area, the longest name, the code in the name.
    """
    found: list[Property] = []
    if point is not None:
        found += await _around(sql, point, reach, most)
    if phrases:
        found += await _named(sql, phrases, most)
    if code:
        found += await _with_code(sql, code, most)
    known = {one.id: one for one in found if one.status != REJECTED}
    return [known[number] for number in sorted(known)]


async def _around(
    sql: Reader, point: tuple[float, float], reach: float, most: int
) -> list[Property]:
    slack = "CASE WHEN width AND height THEN 0 ELSE ?3 END"
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE removed_at IS NULL"
        " AND x <= ?1 + ?3 AND x >= ?1 - ?3"
        " - (SELECT max(width) FROM properties WHERE removed_at IS NULL)"
        f" AND x <= ?1 + {slack} AND x + width >= ?1 - {slack}"
        f" AND y <= ?2 + {slack} AND y + height >= ?2 - {slack}"
        " ORDER BY NOT (width AND height), width * height, id LIMIT ?4",
        *point,
        reach,
        most,
    )


async def _named(sql: Reader, places: list[str], most: int) -> list[Property]:
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM properties WHERE removed_at IS NULL"
        " AND place IN (SELECT value FROM json_each(?)) ORDER BY length(place) DESC, id LIMIT ?",
        json.dumps(places),
        most,
    )


async def _with_code(sql: Reader, code: str, most: int) -> list[Property]:
    return await sql.all(
        Property,
        f"SELECT {_COLUMNS} FROM property_codes JOIN properties ON id = property_id"
        " AND removed_at IS NULL WHERE code = ? ORDER BY in_location DESC, id LIMIT ?",
        code,
        most,
    )
