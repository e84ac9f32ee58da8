"""Reading one member of a push: ids strictly, everything that is only shown leniently.

Lenient readers return None (or "" for text) for what they cannot use, so that a number in place of
a name never costs the community a 911 call.
"""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Annotated, Any

import orjson

from db.user_ids import stored_id
from webhook.cad.events.event import (
    Coordinates,
    InvalidPush,
    Members,
    PlaceholderId,
    ReadBy,
    ReadFrom,
    note_skipped,
)
from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import BadJson
from webhook.protocol.json_reader import parse_json
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
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]{1,20},[0-9]{1,40}", re.ASCII)
_VECTOR = re.compile(r"(?:vec(?:tor)?[234]?)?\(([^()]{1,200})\)|([^()]{1,200})", re.IGNORECASE)
_BRACKETED = re.compile(r"(?:vec(?:tor)?[234]?)?[(\[]([^()\[\]]*)[)\]]")
_PARTED = re.compile(r"\s+/\s+|\s*[,;|&]\s*|\s+")
_PREFIX = re.compile(r"\[([^\[\]]{1,64})\]")
_LIST_OF_IDS = re.compile(r'[\[\]",; 0-9]{1,512}', re.ASCII)
_LIST_SEPARATOR = re.compile(r'[",; ]+')
_CODE = re.compile(r"-?[0-9]{1,9}")
_WHOLE = re.compile(r"([0-9]+)\.0+", re.ASCII)
"""A number that Lua made a text of."""

_INDEX = re.compile(r"[1-9][0-9]{0,5}(?:\.0)?", re.ASCII)
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1", "active", "pressed"})
_FALSE = frozenset(
    {"false", "f", "no", "n", "off", "0", "inactive", "clear", "cleared", "released"}
)
_NOTHING = frozenset({"", "-", "--", "n/a", "n.a.", "nil", "none", "null", "undefined", "unknown"})
_NOWHERE = _NOTHING | {"nan", "infinity", "-infinity"}
_NO_POSTAL = _NOTHING | {"unknown postal", "no postal"}
_EVERYBODY = frozenset({"all", "*"})
_MEMBERS_OF_POINTS = ("coords", "coordinates", "coord", "position", "pos")
_POINT = frozenset({"x", "y", *_MEMBERS_OF_POINTS})
_NOT_OF_POINT = frozenset({"z", "w", "h", "heading"})
"""Members of a point that do not say where it is on the map."""


class NoId(InvalidPush):
    """A value in place of an id is not one."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: an id is an integer or a string of digits")


def text(value: object, limit: int) -> str:
    """Read text that may have several lines; other values are shown as JSON.

    An empty list is no text: Lua has an empty table in its place.
    """
    return "" if value in ({}, []) else clean_text(_written(value), limit)


def line(value: object, limit: int = NAME_LIMIT) -> str:
    """Read text of one line, so that a player's name cannot forge a second line anywhere."""
    return " ".join(text(value, limit).split())


def lines(value: object, limit: int, most: int) -> list[str]:
    """Read a list of short texts, or a single one; blank ones are dropped."""
    if value is None:
        return []
    return [shown for item in items(value)[: most * 2] if (shown := line(item, limit))][:most]


def items(value: object) -> list[Any]:
    """Return the items of a list, or of a table that Lua wrote as one; else the only item."""
    listed = _listed(value)
    return [value] if listed is None else listed


def objects(value: object, most: int) -> list[dict[str, Any]]:
    """Return the JSON objects of a list, or a single one, and nothing else."""
    return [item for item in items(value) if isinstance(item, dict)][:most]


def decoded(value: object) -> object:
    """Decode JSON inside a text; return anything else unchanged."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        with suppress(BadJson):
            return parse_json(value, nan_as_text=True)
    return value


def members(value: object, name: str) -> Members:
    """Read the JSON object that a push is about; Lua writes an empty one as a list.

    Raises:
        InvalidPush: it is missing or something else.
    """
    if value is None:
        raise InvalidPush(f"{name}: missing")
    value = decoded(value)
    if isinstance(value, list) and len(value) < 2:
        value = value[0] if value else {}
    if not isinstance(value, dict):
        raise InvalidPush(f"{name}: not an object")
    return value


def is_nothing(value: object) -> bool:
    """Return whether a value is one of the words that scripts write for a missing one."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in _NOTHING)


def is_placeholder(value: object) -> bool:
    """Return whether a value is -1, which the CAD writes for nobody and in its printed examples."""
    return code(value) == -1


def ids(data: Members, *names: str) -> list[int] | None:
    """Collect the ids under any of the names, each as a scalar or a list.

    Values that mean nobody are dropped, invalid ones are skipped and noted; duplicates collapse and
    the order stays. None means that none of the names is present.

    Raises:
        NoId: there are values, and none of them is an id.
        InvalidPush: there are too many.
    """
    given = [(name, data[name]) for name in names if data.get(name) is not None]
    if not given:
        return None
    found: dict[int, None] = {}
    skipped = 0
    for name, value in given:
        listed = items(value)
        if len(listed) > 2 * MAX_IDS:
            raise InvalidPush(f"{name}: more than {MAX_IDS} ids")
        for item in listed:
            if is_nothing(item) or is_placeholder(item):
                continue
            try:
                found[_read_id(item)] = None
            except ValueError:
                skipped += 1
                note_skipped(name)
    if len(found) > MAX_IDS:
        raise InvalidPush(f"{names[0]}: more than {MAX_IDS} ids")
    if skipped and not found:
        raise NoId(given[0][0])
    return list(found)


def optional_ids(data: Members, *names: str) -> list[int] | None:
    """Collect ids without which the rest of the push still makes sense; none are no error.

    Raises:
        InvalidPush: there are too many, or one is a word for all that there are.
    """
    for name in names:
        if isinstance(data.get(name), str) and data[name].strip().casefold() in _EVERYBODY:
            raise NoId(name)
    try:
        return ids(data, *names)
    except NoId:
        return []


def call_ids(data: Members) -> list[int]:
    """Read `callIds` (sonoran-wire: since 3.27.0) or the older scalar `callId`."""
    found = ids(data, "callIds", "callId")
    if found is None:
        raise InvalidPush("callIds: missing")
    return found


def call_id(data: Members) -> int:
    """Read the id of the one call that a push is about.

    Raises:
        PlaceholderId: the push is an example with a -1 for the id.
        InvalidPush: there is none, or more than one.
    """
    found = ids(data, "callId", "callIds")
    if found == [] and is_placeholder(data.get("callId")):
        raise PlaceholderId("callId")
    if found is None or len(found) != 1:
        raise InvalidPush("callId: missing" if not found else "callId: more than one")
    return found[0]


def optional_call_id(data: Members) -> int | None:
    """Read the id of a call that the push may leave open."""
    found = optional_ids(data, "callId", "callIds")
    if found and len(found) > 1:
        raise InvalidPush("callId: more than one")
    return found[0] if found else None


def optional_id(data: Members, name: str) -> int | None:
    """Read an id that may be absent; the CAD writes null, "" or -1 for nobody."""
    value = data.get(name)
    if is_nothing(value) or is_placeholder(value):
        return None
    try:
        return _read_id(value)
    except ValueError:
        note_skipped(name)
        return None


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
    """Read whom a call or unit belongs to, from the first of the CAD's names that has a value.

    The user ids are in their stored form. The order is that of the FiveM resource;
    `apiId1` and `apiId2` date from 2020.
    """
    for name in ("identities", "communityUserIds", "communityUserId", "apiIds", "apiId1"):
        for place in places:
            value = place.get(name)
            if name == "apiId1" and "apiId2" in place:
                value = [value, place["apiId2"]]
            if found := lines(value, NAME_LIMIT, MAX_IDENTITIES):
                return list(dict.fromkeys(map(stored_id, found)))
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
    """Read a finite number, or one written as decimal text, in some languages with a comma."""
    if isinstance(value, str):
        written = value.strip(" ")
        written = written.replace(",", ".") if _DECIMAL_COMMA.fullmatch(written) else written
        value = float(written) if _NUMBER.fullmatch(written) else None
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
    if whole := _WHOLE.fullmatch(shown):
        shown = whole[1]
    return None if shown.casefold() in _NO_POSTAL else shown


def prefixed_postal(location: str) -> str | None:
    """Read the postal code that the live map puts before a street: `[8031] Forum Dr`."""
    prefix = _PREFIX.match(location)
    return postal(prefix[1]) if prefix else None


def origin_911(meta: object) -> int | None:
    """Read which 911 call a dispatch was made from, by the CAD or by `/dn respond`."""
    return next(iter(origins_911(meta)), None)


def origins_911(meta: object) -> list[int]:
    """Read the 911 calls a dispatch was made from; merged ones are a list or a text: `1,2`."""
    if isinstance(meta, dict):
        for name in ("origin911", "createdFromId"):
            value = meta.get(name)
            if isinstance(value, str) and _LIST_OF_IDS.fullmatch(value):
                value = _LIST_SEPARATOR.split(value.strip('[]", ;'))
            found = []
            for item in value if isinstance(value, list) else [value]:
                with suppress(ValueError):
                    found.append(_read_id(item))
            if found:
                return list(dict.fromkeys(found))[:MAX_IDS]
    return []


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
    if isinstance(value, dict) and _listed(value) is None:
        small = {key.lower(): part for key, part in islice(value.items(), 4 * META_ENTRIES)}
        return small | {key: value[key] for key in (*"xyz", *_MEMBERS_OF_POINTS) if key in value}
    return dict(zip("xyz", _listed(value) or [], strict=False))


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


def caller(value: object) -> str:
    """Read a name; scripts join a missing first name and a missing last one: `nil nil`."""
    shown = line(value)
    return "" if all(word.casefold() in _NOTHING for word in shown.split()) else shown


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


def _read_id(value: object) -> int:
    return parse_id(value.strip() if isinstance(value, str) else value)


def _listed(value: object) -> list[Any] | None:
    """Return the items of a list, None for anything else.

    Lua has one kind of table: empty ones come as `{}`, and those with holes as `{"1": …}`, with
    the count `n` if the table was packed.
    """
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        return None
    indices = [key for key in value if key != "n"]
    if not all(map(_INDEX.fullmatch, indices)) or (value and not indices):
        return None
    return [value[key] for key in sorted(indices, key=float)]


Code = Annotated[str, ReadBy(partial(line, limit=CODE_LIMIT))]
Line = Annotated[str, ReadBy(line)]
Title = Annotated[str, ReadBy(partial(line, limit=LOCATION_LIMIT))]
Caller = Annotated[str, ReadBy(caller)]
PlaceCode = Annotated[str, ReadBy(place_code)]
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
