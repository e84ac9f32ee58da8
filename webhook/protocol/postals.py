"""The postal codes of the map, as the resource `nearest-postal` has them in a file."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, TypeAdapter, ValidationError

MAX_CODE = 32
"""Characters of a postal code."""


def _text(code: object) -> object:
    return str(code) if isinstance(code, int) and not isinstance(code, bool) else code


class Postal(BaseModel):
    """A postal code and the point that it stands for."""

    code: Annotated[str, BeforeValidator(_text), Field(min_length=1, max_length=MAX_CODE)]
    x: float
    y: float


_FILE = TypeAdapter(list[Postal])


def read_postals(text: bytes) -> tuple[Postal, ...]:
    """Read such a file: a list of objects with `code`, `x` and `y`.

    Raises:
        ValueError: it is none.
    """
    try:
        return tuple(_FILE.validate_json(text))
    except ValidationError as error:
        raise ValueError("no list of postal codes, each with code, x and y") from error


def nearest(postals: tuple[Postal, ...], x: float, y: float) -> str | None:
    """Return the postal code that is nearest to a point; None if there are none."""
    found = min(postals, key=lambda one: (one.x - x) ** 2 + (one.y - y) ** 2, default=None)
    return None if found is None else found.code
