"""Lists and tables in environment variables as people write them: `a, b`, `"a"`, `[a, b]`, JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel

_BRACKETS = re.compile(r"\[(.*)\]", re.DOTALL)
_BETWEEN = re.compile(r"[,;\s]+")


def read_lists(
    variables: Mapping[str, str | None], prefix: str, model: type[BaseModel]
) -> dict[str, str | None]:
    """Return the variables with lists as JSON, which is what pydantic reads.

    A variable's name is the prefix and the keys, joined by `__`, in any case.
    """
    return {
        name: _as_json(value) if value and list in _kinds(name, prefix, model) else value
        for name, value in variables.items()
    }


def unreadable(variables: Mapping[str, str], prefix: str, model: type[BaseModel]) -> list[str]:
    """Return the variables of sections and tables that are not JSON."""
    return [
        name
        for name, value in variables.items()
        if dict in _kinds(name, prefix, model) and value and _parsed(value) is None
    ]


def _kinds(name: str, prefix: str, model: type[BaseModel]) -> set[Any]:
    """Return which of list and dict the setting of a variable may be; a section is a dict."""
    at: Any = model
    if not name.lower().startswith(prefix.lower()):
        return set()
    for key in name[len(prefix) :].lower().split("__"):
        fields = getattr(at, "model_fields", {})
        if key not in fields:
            return set()
        at = fields[key].annotation
    kinds = {get_origin(kind) or kind for kind in (at, *get_args(at))}
    return {list} & kinds | ({dict} if dict in kinds or hasattr(at, "model_fields") else set())


def _as_json(value: str) -> str:
    read = _parsed(value)
    if isinstance(read, list | dict):
        return json.dumps(read if isinstance(read, list) else [read])
    bare = _BRACKETS.fullmatch(value.strip())
    parts = _BETWEEN.split(bare[1] if bare is not None else value)
    return json.dumps([text for part in parts if (text := part.strip("\"'"))])


def _parsed(value: str) -> Any:
    """Read JSON, with numbers as texts: a key such as 5E10 is none; None if it is no JSON."""
    try:
        return json.loads(value, parse_float=str, parse_int=str, parse_constant=str)
    except ValueError:
        return None
