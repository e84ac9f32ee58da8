"""Pushes of undeclared types: journalled with their data, for scripts and for rules.

The CAD gets new types, and its game resource forwards those that other resources registered.
"""

import re
from itertools import islice
from typing import Any

import orjson

from webhook.cad.events.registry import EVENTS
from webhook.protocol.clean_text import clean_text

MAX_BYTES = 64 * 1024
"""The longest data that is stored, as UTF-8 JSON; of longer data only that it was too long."""

MAX_DEPTH = 16
MAX_ITEMS = 256
TEXT_LIMIT = 4_000
NAME_LIMIT = 64

_OTHER = "OTHER_"
_ODD = re.compile(r"[^A-Z0-9_]+")


def event_name(push_type: str, key: str) -> str:
    """Return how the events of a push type in capitals are named: letters, digits, underscores.

    It is never that of a declared event, whose data has another shape.
    """
    name = _ODD.sub("_", without_key(key, push_type).replace("[key]", "[KEY]"))
    name = name.strip("_")[: NAME_LIMIT - len(_OTHER)].strip("_")
    return f"{_OTHER}{name}" if name in EVENTS or not name else name


def event_data(data: object, key: str, sender: dict[str, str]) -> bytes:
    """Return the data of a push as the JSON object that its event has; the key is taken out.

    An object stays what it is, anything else is in it as `data`. `sender` is added to it.
    """
    if isinstance(data, list) and len(data) == 1 and isinstance(data[0], dict):
        data = data[0]
    cleaned = _clean(data, key, MAX_DEPTH)
    members = cleaned if isinstance(cleaned, dict) else {"data": cleaned}
    written = orjson.dumps({**members, **sender})
    return written if len(written) <= MAX_BYTES else orjson.dumps({"tooLong": True, **sender})


def without_key(key: str, text: str) -> str:
    """Take the CAD's API key out of a text, in either case."""
    return re.sub(re.escape(key), "[key]", text, flags=re.IGNORECASE) if key else text


def _clean(value: object, key: str, depth: int) -> Any:
    """Clean and bound all texts and containers; values nested too deeply become null."""
    if isinstance(value, str):
        return without_key(key, clean_text(value, TEXT_LIMIT))
    if isinstance(value, list | dict) and not depth:
        return None
    if isinstance(value, list):
        return [_clean(item, key, depth - 1) for item in value[:MAX_ITEMS]]
    if isinstance(value, dict):
        members = islice(value.items(), MAX_ITEMS)
        return {_clean(name, key, 0): _clean(member, key, depth - 1) for name, member in members}
    return value
