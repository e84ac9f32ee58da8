"""Lists in environment variables as people write them: `a, b`, `"a"`, `[a, b]` or JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

_BRACKETS = re.compile(r"\[(.*)\]", re.DOTALL)


def read_lists(
    variables: Mapping[str, str | None], prefix: str, model: type[BaseModel]
) -> dict[str, str | None]:
    """Return the variables with lists as JSON, which is what pydantic reads.

    A variable's name is the prefix and the keys, joined by `__`, in any case.
    """
    return {
        name: _as_json(value) if value and _is_list(name, prefix, model) else value
        for name, value in variables.items()
    }


def _is_list(name: str, prefix: str, model: type[BaseModel]) -> bool:
    if not name.lower().startswith(prefix.lower()):
        return False
    at: Any = model
    for key in name[len(prefix) :].lower().split("__"):
        field: FieldInfo | None = getattr(at, "model_fields", {}).get(key)
        if field is None:
            return False
        at = field.annotation
    return any(get_origin(kind) is list for kind in (at, *get_args(at)))


def _as_json(value: str) -> str:
    try:
        read = json.loads(value)
    except ValueError:
        bare = _BRACKETS.fullmatch(value.strip())
        parts = (bare[1] if bare is not None else value).split(",")
        read = [part.strip().strip("\"'").strip() for part in parts if part.strip()]
    return json.dumps(read if isinstance(read, list) else [read])
