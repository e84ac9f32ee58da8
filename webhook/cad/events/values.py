"""Reading what is only shown leniently: texts, numbers, yes and no, lists, objects.

The readers return None (or "" for text) for what they cannot use, so that a number in place of a
name never costs the community a 911 call.
"""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

import orjson

from webhook.cad.events.event import InvalidPush, Members
from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import BadJson
from webhook.protocol.json_reader import parse_json

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

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]{1,20},[0-9]{1,40}", re.ASCII)
_CODE = re.compile(r"-?[0-9]{1,9}")
_INDEX = re.compile(r"[1-9][0-9]{0,5}(?:\.0)?", re.ASCII)
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1", "active", "pressed"})
_FALSE = frozenset(
    {"false", "f", "no", "n", "off", "0", "inactive", "clear", "cleared", "released"}
)
NOTHING = frozenset({"", "-", "--", "n/a", "n.a.", "nil", "none", "null", "undefined", "unknown"})


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
    listed = table_items(value)
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
    return value is None or (isinstance(value, str) and value.strip().casefold() in NOTHING)


def is_placeholder(value: object) -> bool:
    """Return whether a value is -1, which the CAD writes for nobody and in its printed examples."""
    return code(value) == -1


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


def caller(value: object) -> str:
    """Read a name; scripts join a missing first name and a missing last one: `nil nil`."""
    shown = line(value)
    return "" if all(word.casefold() in NOTHING for word in shown.split()) else shown


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


def table_items(value: object) -> list[Any] | None:
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
