"""Reading where something is: points, addresses, postal codes; what cannot be read is absent."""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

import orjson

from webhook.cad.events.event import Coordinates
from webhook.cad.events.values import (
    CODE_LIMIT,
    LOCATION_LIMIT,
    META_ENTRIES,
    NOTHING,
    line,
    number,
    table_items,
)

MAX_PLACES = 32

_VECTOR = re.compile(r"(?:vec(?:tor)?[234]?)?\(([^()]{1,200})\)|([^()]{1,200})", re.IGNORECASE)
_BRACKETED = re.compile(r"(?:vec(?:tor)?[234]?)?[(\[]([^()\[\]]*)[)\]]")
_PARTED = re.compile(r"\s+/\s+|\s*[,;|&]\s*|\s+")
_PREFIX = re.compile(r"\[([^\[\]]{1,64})\]")
_WHOLE = re.compile(r"([0-9]+)\.0+", re.ASCII)
"""A number that Lua made a text of."""
_NOWHERE = NOTHING | {"nan", "infinity", "-infinity"}
_NO_POSTAL = NOTHING | {"unknown postal", "no postal"}
_MEMBERS_OF_POINTS = ("coords", "coordinates", "coord", "position", "pos")
_POINT = frozenset({"x", "y", *_MEMBERS_OF_POINTS})
_NOT_OF_POINT = frozenset({"z", "w", "h", "heading"})
"""Members of a point that do not say where it is on the map."""


def postal(value: object) -> str | None:
    """Read a postal code; the words that scripts write for a missing one mean None."""
    shown = line(value, CODE_LIMIT) if isinstance(value, str | int | float) else ""
    if whole := _WHOLE.fullmatch(shown):
        shown = whole[1]
    return None if shown.casefold() in _NO_POSTAL else shown


def prefixed_postal(location: str) -> str | None:
    """Read the postal code that the live map puts before a street: `[8031] Forum Dr`."""
    prefix = _PREFIX.match(location)
    return postal(prefix[1]) if prefix else None


def coordinates(value: object) -> Coordinates | None:
    """Read a point: an object with x and y (z is 0 if missing), a list, or `vector3(…)`.

    The object may hold the point under a name such as `coords`. 0/0 is no point: scripts and
    forms without a map write it where they know none.
    """
    parts = _coordinate_parts(value)
    x, y = number(parts.get("x")), number(parts.get("y"))
    if x is not None and y is not None and (x or y):
        return Coordinates(x=x, y=y, z=number(parts.get("z")) or 0.0)
    inner = (parts[name] for name in _MEMBERS_OF_POINTS if name in parts)
    return next((point for part in inner if (point := _inner_point(part))), None)


def _inner_point(value: object) -> Coordinates | None:
    """Read a point inside an object; scripts also write it there as JSON in a text."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            value = orjson.loads(value[:LOCATION_LIMIT])
        except orjson.JSONDecodeError:
            return None
    parts = _coordinate_parts(value)
    return coordinates({name: parts.get(name) for name in "xyz"})


def _coordinate_parts(value: object) -> Mapping[str, Any]:
    """Return the parts of what may be a point by their names in small letters."""
    if isinstance(value, str):
        found = _VECTOR.fullmatch(value.strip(" ")) if len(value) < LOCATION_LIMIT else None
        inside = (found[1] or found[2] or "").split(",") if found else []
        # Without brackets, two numbers may as well be two house numbers.
        is_point = found is not None and (found[1] is not None or len(inside) > 2)
        return dict(zip("xyz", inside, strict=False)) if is_point else {}
    if isinstance(value, dict) and table_items(value) is None:
        small = {key.lower(): part for key, part in islice(value.items(), 4 * META_ENTRIES)}
        return small | {key: value[key] for key in (*"xyz", *_MEMBERS_OF_POINTS) if key in value}
    return dict(zip("xyz", table_items(value) or [], strict=False))


def location(value: object) -> str:
    """Read a place as one line; a point is written as its coordinates."""
    point = coordinates(value) if isinstance(value, dict | list) else None
    if point is not None:
        return f"{point.x}, {point.y}, {point.z}"
    return "" if _is_nowhere(value) else line(value, LOCATION_LIMIT)


def _is_nowhere(value: object) -> bool:
    """Return whether a place is missing: a word for that, several of them, or the point 0/0."""
    if isinstance(value, dict | list):
        parts = dict(_coordinate_parts(value))
        for height in _NOT_OF_POINT & parts.keys():
            del parts[height]
        return parts.keys() <= _POINT and all(
            number(part) == 0 or _is_nowhere(part) for part in parts.values()
        )
    shown = _BRACKETED.sub(r"\1", line(value, LOCATION_LIMIT).casefold())
    parted = _PARTED.split(shown)
    return (
        all(part in _NOWHERE or (len(parted) > 1 and number(part) == 0) for part in parted)
        or shown in _NOWHERE
    )


def place_code(value: object) -> str:
    """Read a short text about a place, such as a block."""
    return "" if _is_nowhere(value) else line(value, CODE_LIMIT)
