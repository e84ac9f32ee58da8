"""Reading one member of a push: ids strictly, everything that is only shown leniently.

What a lenient reader cannot use it returns as None (or "" where blank text will do), so that a
number where a name belongs never costs the community a 911 call.
"""

import math
import re
from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Annotated, Any

import orjson

from webhook.cad.events import Coordinates, InvalidPush, Members, ReadBy, ReadFrom
from webhook.protocol.clean_text import clean_text
from webhook.protocol.wire import parse_id

CODE_LIMIT = 64
"""Characters of a label, status, unit number, uid, postal."""
NAME_LIMIT = 128
"""Characters of a name, title, department, identity."""
LOCATION_LIMIT = 256
"""Characters of a location or address."""
DESCRIPTION_LIMIT = 4000
"""Characters of a call's description or an alert's message."""
NOTE_LIMIT = 2000
"""Characters of one note."""
URL_LIMIT = 2048
"""Characters of an address; it is shown or passed on, never fetched."""
META_ENTRIES = 64
META_KEY_LIMIT = 64
META_VALUE_LIMIT = 512
"""The most metadata of one call: entries, characters of a key, characters of a value."""
MAX_IDS = 2048
"""The most ids in one push: as many as a FiveM server has player slots."""
MAX_IDENTITIES = 16
MAX_PLACES = 32

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_VECTOR = re.compile(r"vec(?:tor)?[34]?\(([^()]{1,200})\)")
_PREFIX = re.compile(r"\[([^\[\]]{1,64})\]")
_CODE = re.compile(r"-?[0-9]{1,9}")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})
_NO_POSTAL = frozenset({"", "nil", "unknown", "unknown postal"})


def text(value: object, limit: int) -> str:
    """Read text that may have several lines; what is no text is shown as JSON writes it."""
    return clean_text(_written(value), limit)


def line(value: object, limit: int = NAME_LIMIT) -> str:
    """Read text of one line, so that a player's name cannot forge a second line anywhere."""
    return " ".join(text(value, limit).split())


def lines(value: object, limit: int, most: int) -> list[str]:
    """Read a list of short texts, or a single one; blank ones are dropped."""
    if value is None:
        return []
    return [shown for item in items(value)[: most * 2] if (shown := line(item, limit))][:most]


def items(value: object) -> list[Any]:
    """Return the items of a list; anything else is the only item."""
    return value if isinstance(value, list) else [value]


def objects(value: object, most: int) -> list[dict[str, Any]]:
    """Return the JSON objects of a list, or a single one, and nothing else."""
    return [item for item in items(value) if isinstance(item, dict)][:most]


def members(value: object, name: str) -> Members:
    """Read the JSON object that a push is about.

    Raises:
        InvalidPush: it is missing or something else.
    """
    if value is None:
        raise InvalidPush(f"{name}: missing")
    if not isinstance(value, dict):
        raise InvalidPush(f"{name}: not an object")
    return value


def ids(data: Members, *names: str) -> list[int] | None:
    """Collect the ids under any of the names, each as a scalar or a list.

    Nulls are dropped, duplicates collapse and the order stays. None means that no name is there.

    Raises:
        InvalidPush: something under one of the names is no id.
    """
    given = [(name, data[name]) for name in names if data.get(name) is not None]
    if not given:
        return None
    found: dict[int, None] = {}
    for name, value in given:
        if isinstance(value, list) and len(value) > 2 * MAX_IDS:
            raise InvalidPush(f"{name}: more than {MAX_IDS} ids")
        for item in items(value):
            if item is not None:
                found[_id(item, name)] = None
    if len(found) > MAX_IDS:
        raise InvalidPush(f"{names[0]}: more than {MAX_IDS} ids")
    return list(found)


def call_ids(data: Members) -> list[int]:
    """Read `callIds` (sonoran-wire: since 3.27.0) or the older scalar `callId`."""
    found = ids(data, "callIds", "callId")
    if found is None:
        raise InvalidPush("callIds: missing")
    return found


def call_id(data: Members) -> int:
    """Read the id of the one call that a push is about."""
    found = ids(data, "callId", "callIds")
    if found is None or len(found) != 1:
        raise InvalidPush("callId: missing" if not found else "callId: more than one")
    return found[0]


def optional_id(data: Members, name: str) -> int | None:
    """Read an id that may be absent; the CAD writes "nobody" as null, "" or -1."""
    value = data.get(name)
    if value is None or value == "" or (code(value) or 0) < 0:
        return None
    return _id(value, name)


def exact_text(data: Members, name: str) -> str:
    """Read an id that is text: never cut or altered, as that would make it another one.

    Raises:
        InvalidPush: it is missing, blank, no text, too long or has invisible characters.
    """
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidPush(f"{name}: missing" if value in (None, "") else f"{name}: not text")
    if len(value) > NAME_LIMIT or line(value) != value:
        raise InvalidPush(f"{name}: not an id")
    return value


def identities(*places: Members) -> list[str]:
    """Read whom a call or unit belongs to, by the first of the CAD's names that has a value.

    The order is that of the FiveM resource; `apiId1` and `apiId2` date from 2020.
    """
    for name in ("identities", "communityUserIds", "communityUserId", "apiIds", "apiId1"):
        for place in places:
            value = place.get(name)
            if name == "apiId1" and "apiId2" in place:
                value = [value, place["apiId2"]]
            if found := lines(value, NAME_LIMIT, MAX_IDENTITIES):
                return list(dict.fromkeys(found))
    return []


def flag(value: object) -> bool | None:
    """Read a yes or no: a boolean, a number, or the texts that Lua and C# make of one."""
    if isinstance(value, str):
        word = clean_text(value, CODE_LIMIT).casefold()
        return True if word in _TRUE else False if word in _FALSE else None
    if isinstance(value, bool | int | float) and value == value:  # NaN differs from itself
        return bool(value)
    return None


def number(value: object) -> float | None:
    """Read a finite number, or one written as decimal text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip(" ")):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def code(value: object) -> int | None:
    """Read the number of an enumeration; Lua may write it as 2.0 or "2"."""
    if isinstance(value, str) and _CODE.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 10**9:
        return None
    return int(value) if value == int(value) else None


def choice(value: object, names: Mapping[int, str]) -> str | None:
    """Read an enumerated value as its name; a value outside the list stays as text."""
    value_code = code(value)
    if value_code is not None:
        return names.get(value_code, str(value_code))
    if not isinstance(value, str):
        return None
    shown = line(value, CODE_LIMIT)
    name = shown.upper().replace(" ", "_")
    return name if name in names.values() else shown or None


def merge(*places: object) -> dict[str, Any]:
    """Join JSON objects, the first one winning; whatever is no object counts as empty."""
    merged: dict[str, Any] = {}
    for place in places:
        if isinstance(place, dict):
            for key, value in place.items():
                merged.setdefault(key, value)
    return merged


def metadata(given: object) -> dict[str, str] | None:
    """Read metadata text by text, bounded in number and length, sorted by name.

    Whoever forwards a push may write its members in another order.
    """
    if not isinstance(given, dict):
        return None
    found: dict[str, str] = {}
    for key, value in islice(given.items(), 4 * META_ENTRIES):
        name = line(key, META_KEY_LIMIT)
        shown = _meta_value(value)
        if name and shown is not None:
            found.setdefault(name, shown)
        if len(found) == META_ENTRIES:
            break
    return dict(sorted(found.items()))


def postal(value: object) -> str | None:
    """Read a postal code; the words that scripts write for a missing one mean None."""
    shown = line(value, CODE_LIMIT) if isinstance(value, str | int | float) else ""
    return None if shown.casefold() in _NO_POSTAL else shown


def prefixed_postal(location: str) -> str | None:
    """Read the postal code that the live map puts before a street: `[8031] Forum Dr`."""
    prefix = _PREFIX.match(location)
    return postal(prefix[1]) if prefix else None


def origin_911(meta: object) -> int | None:
    """Read which 911 call a dispatch was made from, by the CAD or by `/dn respond`."""
    if isinstance(meta, dict):
        for name in ("origin911", "createdFromId"):
            try:
                return parse_id(meta.get(name))
            except ValueError:
                continue
    return None


def coordinates(value: object) -> Coordinates | None:
    """Read a point from an object with x and y (z is 0 if missing) or from `vector3(…)`."""
    if isinstance(value, str):
        inside = _VECTOR.fullmatch(value.strip(" ")) if len(value) < LOCATION_LIMIT else None
        parts = dict(zip("xyz", inside[1].split(","), strict=False)) if inside else {}
    elif isinstance(value, dict):
        parts = value
    else:
        return None
    x, y = number(parts.get("x")), number(parts.get("y"))
    if x is None or y is None:
        return None
    return Coordinates(x=x, y=y, z=number(parts.get("z")) or 0.0)


def location(value: object) -> str:
    """Read a place as one line; a point is written as its coordinates."""
    point = coordinates(value) if isinstance(value, dict) else None
    return f"{point.x}, {point.y}, {point.z}" if point else line(value, LOCATION_LIMIT)


def _written(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)  # JavaScript and Lua write 1.0 as 1 when they pass a push on
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # nested too deeply
        return ""


def _meta_value(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, dict | list):
        # A truncated JSON document is useless.
        written = _written(value)
        return text(written, META_VALUE_LIMIT) if 0 < len(written) <= META_VALUE_LIMIT else None
    return text(value, META_VALUE_LIMIT)


def _id(value: object, name: str) -> int:
    try:
        return parse_id(value)
    except ValueError as fault:
        raise InvalidPush(f"{name}: {fault}") from None


Code = Annotated[str, ReadBy(partial(line, limit=CODE_LIMIT))]
Line = Annotated[str, ReadBy(line)]
Title = Annotated[str, ReadBy(partial(line, limit=LOCATION_LIMIT))]
Location = Annotated[str, ReadBy(location)]
Description = Annotated[str, ReadBy(partial(text, limit=DESCRIPTION_LIMIT))]
Body = Annotated[str, ReadBy(partial(text, limit=NOTE_LIMIT))]
Url = Annotated[str, ReadBy(partial(line, limit=URL_LIMIT))]
Flag = Annotated[bool, ReadBy(flag)]
Texts = Annotated[dict[str, str], ReadBy(metadata)]
"""Types of fields that are only shown: what cannot be read is absent."""

CallId = Annotated[int, ReadFrom(call_id)]
CallIds = Annotated[list[int], ReadFrom(call_ids)]
OriginIdent = Annotated[int | None, ReadFrom(partial(optional_id, name="eventOriginIdent"))]
"""Types of ids, which are read strictly; `OriginIdent` is the dispatcher who acted."""
