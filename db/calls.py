"""How 911 calls and dispatch calls are named."""

import json
from collections.abc import Iterable
from typing import NamedTuple

FIRST = 1
"""The occurrence of the first call of a number."""


class CallKey(NamedTuple):
    """Which call: the CAD, its number there, and which call of that number it is, from 1.

    The CAD uses numbers again, after some days or when somebody has wiped its calls.
    """

    cad: str
    call_id: int
    occurrence: int = FIRST

    def __str__(self) -> str:
        """Return the key of its subject: `7@county`, `7.2@county` for the second call 7."""
        again = "" if self.occurrence == FIRST else f".{self.occurrence}"
        return f"{self.call_id}{again}@{self.cad}"


THESE_CALLS = (
    "(cad, call_id, occurrence) IN (SELECT json_extract(value, '$[0]'),"
    " json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?))"
)
"""The condition for the calls that `json_keys` lists."""


def json_keys(keys: Iterable[CallKey]) -> str:
    return json.dumps(list(keys))
