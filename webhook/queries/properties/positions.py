"""Where a property is: whole metres for every script, and the exact position if one was given."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
from pydantic import BeforeValidator, Field, model_validator

from webhook.protocol.wire import Request, parse_number
from webhook.queries.models import Coordinate, read_position


def _read_exact(value: object) -> object:
    value = parse_number(value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _has_fraction(value: object) -> bool:
    if isinstance(value, str) and "." in value:
        value = parse_number(value)
    return isinstance(value, float) and not value.is_integer()


Exact = Annotated[float, Field(ge=-1_000_000, le=1_000_000), BeforeValidator(_read_exact)]
"""A coordinate of the game world as the game has it."""


class Position(Request):
    """A position of the game world."""

    x: Exact
    y: Exact
    z: Exact | None = None


class AtPosition(Request):
    """Where a property is: `x` and `y`, or `position`, whose nearest metres they then are."""

    x: Coordinate | None = None
    y: Coordinate | None = None
    position: Position | None = None

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, data: Any) -> Any:
        """Take the coordinates from the position, or the position from exact coordinates."""
        if not isinstance(data, dict):
            return data
        given = {name: data[name] for name in "xyz" if data.get(name) is not None}
        position = data.get("position")
        if isinstance(position, list):
            position = dict(zip("xyz", position, strict=False))
        if isinstance(position, Mapping) and position:
            both = {"x": position.get("x"), "y": position.get("y")}
            return data | both | given | {"position": position}
        is_exact = "z" in given or any(map(_has_fraction, given.values()))
        return data | {"position": given if is_exact and {"x", "y"} <= given.keys() else None}


def stored_position(position: Position | None) -> str | None:
    """Return a position as it is stored."""
    if position is None:
        return None
    return orjson.dumps(position.model_dump(exclude_none=True)).decode()


def position_field(stored: str | None) -> dict[str, Any]:
    """Return the field of an event that has a stored position; none if there is no position."""
    return {} if stored is None else {"position": read_position(stored)}
