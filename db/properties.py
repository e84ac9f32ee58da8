"""Properties: an address with an owner, a tier, a rectangle on the map and a status."""

import json
from collections.abc import Collection, Sequence
from typing import NamedTuple

from db.database import Reader, Transaction, marks
from db.search import fold_case, indexed, may_be_code, phrase, words

PENDING = "PENDING"
"""Added, and not approved yet."""

ACTIVE = "ACTIVE"
"""Approved."""

REJECTED = "REJECTED"
"""Not approved; it can still be."""

REMOVED = "REMOVED"
"""Its removal was requested, and not settled yet."""


class External(NamedTuple):
    """The external id of a property: the script's name and the script's own id."""

    source: str
    id: str


class Property(NamedTuple):
    """A property; `x` and `y` are GTA map coordinates, `width` and `height` metres.

    `position`: the exact coordinates as a JSON object {x, y, z}.
    """

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
    external_source: str | None
    external_id: str | None
    position: str | None

    @property
    def external(self) -> External | None:
        if self.external_source is None or self.external_id is None:
            return None
        return External(self.external_source, self.external_id)

    def has_status(self, *statuses: str) -> bool:
        """Return whether it has one of these statuses, whatever their case."""
        return self.status.upper() in {status.upper() for status in statuses}


class PropertyDetail(NamedTuple):
    """The names that a property refers to by id."""

    tier_name: str
    price: str
    owner_full_name: str


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
    external: External | None = None,
    position: str | None = None,
    status: str = PENDING,
    status_by: str | None = None,
) -> int:
    """Add a property and return its id."""
    property_id = await sql.insert(
        "properties",
        location=location,
        tier=tier,
        x=x,
        y=y,
        width=width,
        height=height,
        status=status,
        status_by=status_by,
        description=description,
        owner=owner,
        added_at=now,
        external_source=external and external.source,
        external_id=external and external.id,
        position=position,
        searched=fold_case(location, description),
        place=_place(location),
    )
    text = _search_text(property_id, location, description)
    await sql.insert("property_search", rowid=property_id, text=text)
    return property_id


def _place(location: str) -> str:
    """Return a location as addresses are compared: its words with blanks between."""
    return " ".join(words(location))


def _search_text(property_id: int, location: str, description: str) -> str:
    codes = " ".join(word for word in words(description) if may_be_code(word))
    searched = fold_case(location, description)
    return indexed(f"{property_id}\n{searched}\n {_place(location)} \n {codes} ")


async def get(sql: Reader, property_id: int) -> Property | None:
    """Return a property that has not been removed."""
    found = await sql.select(Property, f"{_PRESENT} AND id = ?", property_id)
    return found[0] if found else None


async def get_even_removed(sql: Reader, property_id: int) -> Property | None:
    """Return a property, removed or not, for the cards that still show it."""
    return await sql.find(Property, "properties", id=property_id)


async def number_of(sql: Reader, external: External) -> int | None:
    """Return the id of the present property with this external id."""
    found = f"SELECT id FROM {_PRESENT} AND external_source = ? AND external_id = ?"
    return await sql.one(int, found, *external)


async def removed_number_of(sql: Reader, external: External) -> int | None:
    """Return the id of the last removed property with this external id."""
    return await sql.one(
        int,
        "SELECT id FROM properties WHERE external_source = ? AND external_id = ?"
        " AND removed_at IS NOT NULL ORDER BY removed_at DESC, id DESC LIMIT 1",
        *external,
    )


async def externals_of(sql: Reader, property_ids: Collection[int]) -> dict[int, External]:
    """Return the external ids of properties, removed or not, by property id."""
    if not property_ids:
        return {}
    return dict(
        await sql.all(
            lambda property_id, *external: (property_id, External(*external)),
            "SELECT id, external_source, external_id FROM properties"
            f" WHERE id IN ({marks(property_ids)}) AND external_id IS NOT NULL",
            *property_ids,
        )
    )


async def detail(sql: Reader, property_id: int) -> PropertyDetail | None:
    return await sql.one(
        PropertyDetail,
        "SELECT tiers.name, tiers.price, coalesce(users.full_name, owner) FROM properties"
        " JOIN tiers ON tiers.id = tier LEFT JOIN users ON users.id = owner"
        " WHERE properties.id = ? AND removed_at IS NULL",
        property_id,
    )


_PRESENT = "properties WHERE removed_at IS NULL"
_FOUND = (
    "property_search CROSS JOIN properties ON id = property_search.rowid"
    " WHERE removed_at IS NULL AND property_search MATCH"
)


async def page(sql: Reader, search: str, limit: int, offset: int) -> list[Property]:
    """Return properties whose location, description or id contains the search text, by id."""
    if not search:
        return await sql.select(Property, f"{_PRESENT} ORDER BY id LIMIT ? OFFSET ?", limit, offset)
    text = fold_case(search)
    found = f"{_FOUND} ?1 AND (instr(searched, ?2) OR instr(id, ?2))"
    ordered = f"{found} ORDER BY property_search.rowid LIMIT ?3 OFFSET ?4"
    return await sql.select(Property, ordered, phrase(text), text, limit, offset)


async def page_of_status(
    sql: Reader, status: str, search: str = "", limit: int = -1, offset: int = 0
) -> list[Property]:
    """Return properties of a status, one that few have, which contain the search text, by id."""
    found = f"{_PRESENT} AND upper(status) = upper(?1) AND (instr(searched, ?2) OR instr(id, ?2))"
    ordered = f"{found} ORDER BY id LIMIT ?3 OFFSET ?4"
    return await sql.select(Property, ordered, status, fold_case(search), limit, offset)


async def suggest(sql: Reader, typed: str, limit: int) -> list[Property]:
    """Return the properties that somebody who types probably wants, the likeliest first.

    First the one with the typed id, then those whose location begins with the text, then those
    where a word of it does, then those that contain at least three typed characters anywhere.
    """
    search, beginning = fold_case(typed), " ".join(words(typed))
    if not search:
        return await page(sql, "", limit, 0)
    is_id = typed.isascii() and typed.isdigit() and len(typed) < 19
    columns = ", ".join(Property._fields)
    return await sql.all(
        Property,
        "WITH found (rank, id) AS (SELECT 0, id FROM properties WHERE id = ?1"
        " UNION ALL SELECT * FROM (SELECT 1, id FROM properties WHERE removed_at IS NULL"
        "  AND ?2 <> '' AND place >= ?2 AND place < ?2 || char(1114111)"
        "  ORDER BY place, id LIMIT ?6)"
        f" UNION ALL SELECT * FROM (SELECT 2, id FROM {_FOUND} ?3"
        "  AND ?2 <> '' AND instr(' ' || place, ' ' || ?2) ORDER BY property_search.rowid LIMIT ?6)"
        f" UNION ALL SELECT * FROM (SELECT 3, id FROM {_FOUND} ?5"
        "  AND length(?4) >= 3 AND (instr(searched, ?4) OR instr(id, ?4))"
        "  ORDER BY property_search.rowid LIMIT ?6))"
        f" SELECT {columns} FROM (SELECT min(rank) AS rank, id FROM found GROUP BY id)"
        " JOIN properties USING (id) WHERE removed_at IS NULL"
        " ORDER BY rank, CASE rank WHEN 1 THEN place END, id LIMIT ?6",
        int(typed) if is_id else None,
        beginning,
        phrase(f" {beginning}"),
        search,
        phrase(search),
        limit,
    )


async def count(sql: Reader, status: str | None = None, search: str = "") -> int:
    """Count the properties, of a status or of all, which contain the search text."""
    where, values = _PRESENT, []
    if status is not None:
        where += " AND upper(status) = upper(?)"
        values = [status]
    if search:
        where += f" AND (instr(searched, ?{len(values) + 1}) OR instr(id, ?{len(values) + 1}))"
        values.append(fold_case(search))
    return await sql.count(where, *values)


async def statuses(sql: Reader) -> list[str]:
    """Return the statuses in use, of those that differ only in case one."""
    grouped = f"SELECT min(status) FROM {_PRESENT} GROUP BY upper(status) ORDER BY upper(status)"
    return await sql.all(str, grouped)


class Owned(NamedTuple):
    """A property and what its tier costs."""

    property: Property
    price: str


def _owned(*columns: object) -> Owned:
    *own, price = columns
    return Owned(Property(*own), str(price))  # type: ignore[arg-type]


async def of_owner(sql: Reader, owner: str, limit: int, offset: int) -> list[Owned]:
    """Return somebody's properties with their tiers' prices, by id."""
    columns = ", ".join(f"properties.{name}" for name in Property._fields)
    return await sql.all(
        _owned,
        f"SELECT {columns}, tiers.price FROM properties JOIN tiers ON tiers.id = tier"
        " WHERE owner = ? AND removed_at IS NULL ORDER BY properties.id LIMIT ? OFFSET ?",
        owner,
        limit,
        offset,
    )


async def update(sql: Transaction, old: Property, new: Property) -> None:
    """Store what differs between two states of a property, besides its status."""
    changed = {name: value for name, value in new._asdict().items() if value != getattr(old, name)}
    if not changed:
        return
    if changed.keys() & {"location", "description"}:
        changed["searched"] = fold_case(new.location, new.description)
        changed["place"] = _place(new.location)
        text = _search_text(new.id, new.location, new.description)
        await sql.update("property_search", {"text": text}, rowid=new.id)
    await sql.update("properties", changed, id=new.id)


async def refold(sql: Transaction) -> None:
    """Fold searched texts again that were folded in another way."""
    rows = await sql.all(
        lambda *row: row, "SELECT id, location, description, searched, place FROM properties"
    )
    for number, location, description, searched, place in rows:
        folded = {"searched": fold_case(location, description), "place": _place(location)}
        if folded != {"searched": searched, "place": place}:
            text = _search_text(number, location, description)
            await sql.update("property_search", {"text": text}, rowid=number)
            await sql.update("properties", folded, id=number)


async def set_status(
    sql: Transaction, property_id: int, status: str, by: str, reason: str | None = None
) -> None:
    values = {"status": status, "status_by": by, "status_reason": reason}
    await sql.update("properties", values, id=property_id)


async def respell_status(sql: Transaction, property_id: int, status: str) -> None:
    """Store a status as it is written now; it is the same one."""
    await sql.update("properties", {"status": status}, id=property_id)


async def remove(sql: Transaction, property_id: int, now: int) -> None:
    """Remove a property and its equipment from every answer; the rows stay for the cards."""
    await sql.update("properties", {"removed_at": now}, id=property_id)
    there = "property_id = ? AND removed_at IS NULL"
    await sql.run(f"UPDATE equipment SET removed_at = ? WHERE {there}", now, property_id)


async def restore(sql: Transaction, property_id: int, removed_at: int) -> None:
    """Restore a property, with the equipment that was removed with it."""
    await sql.update("properties", {"removed_at": None}, id=property_id)
    removed = {"property_id": property_id, "removed_at": removed_at}
    await sql.update("equipment", {"removed_at": None}, **removed)


async def removed_since(sql: Reader, since: int, limit: int) -> list[Property]:
    """Return the properties that were removed since a time, the latest first."""
    latest = "properties WHERE removed_at >= ? ORDER BY removed_at DESC, id LIMIT ?"
    return await sql.select(Property, latest, since, limit)


async def removed_match(
    sql: Reader, text: str, user_ids: Sequence[str] | None = None
) -> Property | None:
    """Return the property removed last that has this id or location.

    If users are given, it was theirs, or they might enter it.
    """
    theirs = ""
    if user_ids is not None:
        listed = f"SELECT property_id FROM allowed_users WHERE user_id IN ({marks(user_ids)})"
        theirs = f" AND (owner IN ({marks(user_ids)}) OR id IN ({listed}))"
    is_id = text.isascii() and text.isdigit() and len(text) < 19
    found = await sql.select(
        Property,
        f"properties WHERE removed_at IS NOT NULL AND (id = ? OR place = ? AND place <> ''){theirs}"
        " ORDER BY removed_at DESC, id LIMIT 1",
        int(text) if is_id else None,
        _place(text),
        *(user_ids or ()),
        *(user_ids or ()),
    )
    return found[0] if found else None


async def held_by(
    sql: Reader,
    user_ids: Sequence[str],
    search: str,
    limit: int,
    offset: int = 0,
    *,
    only_owned: bool = False,
) -> list[Property]:
    """Return the matching properties that a person with these ids owns or may enter, by id."""
    theirs = f"IN ({marks(user_ids)})"
    enterable = f"SELECT property_id FROM allowed_users WHERE user_id {theirs} AND NOT ?"
    return await sql.select(
        Property,
        f"{_PRESENT} AND id IN (SELECT id FROM {_PRESENT} AND owner {theirs} UNION {enterable})"
        " AND instr(id || char(10) || searched, ?) ORDER BY id LIMIT ? OFFSET ?",
        *user_ids,
        *user_ids,
        only_owned,
        fold_case(search),
        limit,
        offset,
    )


async def in_view(
    sql: Reader, area: tuple[float, float, float, float], besides: int, limit: int
) -> list[Property]:
    """Return the properties that reach into an area (x, y, width, height), the nearest first."""
    return await sql.select(
        Property,
        f"{_PRESENT} AND id <> ?5"
        f" AND upper(status) <> '{REJECTED}' AND x <= ?1 + ?3 AND x + width >= ?1"
        " AND y <= ?2 + ?4 AND y + height >= ?2"
        " ORDER BY abs(2 * x + width - 2 * ?1 - ?3) + abs(2 * y + height - 2 * ?2 - ?4), id"
        " LIMIT ?6",
        *area,
        besides,
        limit,
    )


async def at(
    sql: Reader, position: tuple[float, float] | None, reach: float, phrases: list[str], code: str
) -> int | None:
    """Return the property that a call is at: by position, else by address, else by postal code.

    Of the properties around the position the smallest, else the nearest of those without an area,
    at most `reach` metres away; one at 0/0 without an area was added without a map and has no
    position. Of those whose location is one of the phrases the longest, then
    the one with the postal code. Of those with the code as a word one with it in its location. Of
    two that are equal in this the older one.
    """
    x, y = position or (None, None)
    dx, dy = "max(x - ?1, 0, ?1 - x - width)", "max(y - ?2, 0, ?2 - y - height)"
    squared, area = f"({dx} * {dx} + {dy} * {dy})", "width * height"
    present = f"removed_at IS NULL AND upper(status) <> '{REJECTED}'"
    widest = "(SELECT max(width) FROM properties WHERE removed_at IS NULL)"
    by_position = (
        f"SELECT id FROM properties WHERE {present} AND x BETWEEN ?1 - ?3 - {widest} AND ?1 + ?3"
        f" AND {squared} <= CASE {area} WHEN 0 THEN ?3 * ?3 ELSE 0 END"
        f" AND (x <> 0 OR y <> 0 OR {area} <> 0)"
        f" ORDER BY {area} = 0, CASE {area} WHEN 0 THEN {squared} ELSE {area} END, id LIMIT 1"
    )
    by_address = (
        f"SELECT id FROM properties WHERE {present}"
        " AND place IN (SELECT value FROM json_each(?4)) ORDER BY length(place) DESC,"
        " NOT EXISTS (SELECT 1 FROM property_search WHERE rowid = id AND instr(text, ?6)), id"
        " LIMIT 1"
    )
    by_code = (
        "SELECT id FROM property_search CROSS JOIN properties ON id = property_search.rowid"
        f" WHERE property_search MATCH ?5 AND {present} AND instr(text, ?6)"
        " ORDER BY NOT instr(' ' || place || ' ', ?6), id LIMIT 1"
    )
    ways = [by_position, by_address, by_code] if code else [by_position, by_address]
    return await sql.one(
        int,
        " UNION ALL ".join(f"SELECT * FROM ({way})" for way in ways) + " LIMIT 1",
        x,
        y,
        reach,
        json.dumps(phrases),
        phrase(f" {code} "),
        f" {code} " if code else None,
    )
