"""Which registered property a call is at: by its position, its address or its postal code.

Nothing here trusts the text: a player wrote it.
"""

from typing import NamedTuple

from db import properties
from db.database import Reader
from db.search import may_be_code, words

REACH = 25.0
"""Metres from a property without an area within which a position is at the property."""

SHORTEST = 4
"""Characters that a property's location must have to be found in an address; `Rd` is in many."""

MOST_WORDS = 40
"""Words of an address that are compared."""


class CallLocation(NamedTuple):
    """Where a call is, as far as the CAD knows."""

    address: str = ""
    postal: str = ""
    position: tuple[float, float] | None = None


async def property_at(sql: Reader, location: CallLocation) -> int | None:
    phrases, code = phrases_of(location.address), code_of(location.postal)
    if location.position is None and not phrases and not code:
        return None
    return await properties.at(sql, location.position, REACH, phrases, code)


def phrases_of(address: str) -> list[str]:
    """Return every run of words of an address that may be the location of a property."""
    compared = words(address)[:MOST_WORDS]
    runs = {
        " ".join(compared[start:end])
        for start in range(len(compared))
        for end in range(start + 1, len(compared) + 1)
    }
    return sorted(run for run in runs if len(run) >= SHORTEST)


def code_of(postal: str) -> str:
    """Return a postal code as it is among the words of a property; blank if it has no digit."""
    found = words(postal)
    return found[0] if len(found) == 1 and may_be_code(found[0]) else ""
