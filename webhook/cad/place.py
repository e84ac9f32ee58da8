"""Which registered property a call is at: by its point, by the words of its address, by its postal.

The first of the three that finds one decides. Nothing here trusts the text: a player wrote it.
"""

from collections.abc import Iterable
from math import hypot
from typing import NamedTuple

from db import properties
from db.database import Reader
from db.properties import Property
from db.search import may_be_code, words

REACH = 25.0
"""Metres from a property without an area within which a point is at the property."""

SHORTEST = 4
"""Characters that a location must have to be looked for in an address; `Rd` is in too many."""

MOST_WORDS = 40
"""Words of an address that are looked at."""


class Place(NamedTuple):
    """Where a call is, as far as it says."""

    address: str = ""
    postal: str = ""
    point: tuple[float, float] | None = None


async def property_at(sql: Reader, place: Place) -> int | None:
    """Return the property that a place belongs to."""
    named, code = phrases(place.address), code_of(place.postal)
    if place.point is None and not named and not code:
        return None
    found = await properties.candidates(sql, place.point, REACH, named, code)
    return best(place, found)


def best(place: Place, found: Iterable[Property]) -> int | None:
    """Choose the property that a place belongs to; of two that fit alike, the older one."""
    known = sorted(found, key=lambda one: one.id)
    ways = (_around(place, known), _named_in(place, known), _with_postal(place, known))
    return next((fitting[0].id for fitting in ways if fitting), None)


def phrases(address: str) -> list[str]:
    """Return every run of words of an address that may be the location of a property."""
    said = words(address)[:MOST_WORDS]
    runs = {
        " ".join(said[start:end])
        for start in range(len(said))
        for end in range(start + 1, len(said) + 1)
    }
    return sorted(run for run in runs if len(run) >= SHORTEST)


def code_of(postal: str) -> str:
    """Return a postal code as it stands among the words of a property; blank if it is none."""
    said = words(postal)
    return said[0] if len(said) == 1 and may_be_code(said[0]) else ""


def _around(place: Place, known: list[Property]) -> list[Property]:
    """Return the properties around the point: smallest area first, then the nearest without one.

    A property's x and y are its south-western corner.
    """
    if place.point is None:
        return []
    x, y = place.point
    holding = []
    near = []
    for one in known:
        away = hypot(
            max(one.x - x, 0.0, x - one.x - one.width),
            max(one.y - y, 0.0, y - one.y - one.height),
        )
        area = one.width * one.height
        if area and not away:
            holding.append((area, one.id, one))
        elif not area and away <= REACH:
            near.append((away, one.id, one))
    return [one for *_, one in sorted(holding)] + [one for *_, one in sorted(near)]


def _named_in(place: Place, known: list[Property]) -> list[Property]:
    """Return the properties whose location stands in the address, the longest first.

    Of those that share a location, the ones with the postal code come first.
    """
    address = _spaced(place.address)
    with_postal = {one.id for one in _with_postal(place, known)}
    fitting = [
        (-len(location), one.id not in with_postal, one.id, one)
        for one in known
        if len(location := " ".join(words(one.location))) >= SHORTEST and f" {location} " in address
    ]
    return [one for *_, one in sorted(fitting)]


def _with_postal(place: Place, known: list[Property]) -> list[Property]:
    """Return the properties that have the postal code, those with it in their location first."""
    code = code_of(place.postal)
    if not code:
        return []
    located = [one for one in known if code in words(one.location)]
    described = [one for one in known if one not in located and code in words(one.description)]
    return located + described


def _spaced(text: str) -> str:
    return f" {' '.join(words(text)[:MOST_WORDS])} "
