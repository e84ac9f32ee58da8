"""Drills of `cad-sentinel simulate`, and what of theirs is still there.

A drill has a number that the bot hands out: the time in milliseconds since 1970. By that number its
traces are known, never by a name that somebody real could have: users are `simulation:<number>:…`,
properties are owned by them, the calls are numbered with it, and the units with it and one more
digit. A CAD counts up from 1.
"""

from collections.abc import Collection
from typing import NamedTuple

from db.database import Reader, Transaction, marks

UNITS = 10
"""A unit's number is that of the drill times this, and its own."""

_EARLIER = ("simulation:vivian-castellane", "simulation:tomas-okafor", "simulation:rex-dillard")
"""The users of drill 0: of versions whose drills had no number."""

IS_SIMULATED = (
    "EXISTS (SELECT 1 FROM simulations JOIN properties ON properties.id = {property}"
    " WHERE instr(owner, 'simulation:' || simulations.id || ':') = 1)"
)
"""Whether a property, `{property}`, is of a drill."""


class Simulation(NamedTuple):
    """A drill; `pings`: 1 if it may mention people."""

    id: int
    pings: int


class OpenTraces(NamedTuple):
    """What of a drill is still open in the CAD's state: numbers of calls, idents of units."""

    emergencies: list[int]
    dispatches: list[int]
    panics: list[int]
    units: list[int]


async def begin(sql: Transaction, now: int, *, pings: bool) -> int:
    """Store a drill and return its number."""
    last = await sql.one(int, "SELECT coalesce(max(id), 0) FROM simulations")
    number = max(now, (last or 0) + 1)
    await sql.insert("simulations", id=number, pings=pings)
    return number


async def every(sql: Reader) -> list[Simulation]:
    return await sql.select(Simulation, "simulations ORDER BY id")


async def forget(sql: Transaction, number: int) -> None:
    await sql.delete("simulations", id=number)


async def user_ids(sql: Reader, number: int) -> list[str]:
    """Return the users of a drill."""
    condition, values = _of_users("id", number)
    return await sql.all(str, f"SELECT id FROM users WHERE {condition}", *values)


async def property_ids(sql: Reader, number: int) -> list[int]:
    """Return the properties of a drill that are not removed."""
    condition, values = _of_users("owner", number)
    there = f"SELECT id FROM properties WHERE removed_at IS NULL AND {condition}"
    return await sql.all(int, there, *values)


async def has_property(sql: Reader, property_id: int) -> bool:
    """Return whether a property is of a drill."""
    is_simulated = IS_SIMULATED.format(property="?")
    return bool(await sql.one(int, f"SELECT {is_simulated}", property_id))


async def open_traces(sql: Reader, number: int, cads: Collection[str]) -> OpenTraces:
    """Return what of a drill is still open in the state of these CADs."""
    call = "cad = ? AND call_id = ?"
    of_units = "cad = ? AND ident >= ? AND ident < ?"
    found = OpenTraces([], [], [], [])
    for cad in cads:
        for numbers, open_calls in (
            (found.emergencies, f"emergency_calls WHERE {call} AND removed_at IS NULL"),
            (found.dispatches, f"dispatch_calls WHERE {call} AND closed_at IS NULL"),
        ):
            numbers += await sql.all(int, f"SELECT call_id FROM {open_calls}", cad, number)
        span = (number * UNITS, (number + 1) * UNITS)
        for idents, open_units in (
            (found.panics, f"panic_units WHERE {of_units} AND cleared_at IS NULL"),
            (found.units, f"units WHERE {of_units} AND on_duty"),
        ):
            idents += await sql.all(int, f"SELECT ident FROM {open_units}", cad, *span)
    return found


async def is_silent(
    sql: Reader, calls: Collection[int], idents: Collection[int], properties: Collection[int]
) -> bool:
    """Return whether one of these is of a drill that may mention nobody."""
    silent = [drill for drill in await every(sql) if not drill.pings]
    numbers = {*calls, *(ident // UNITS for ident in idents)}
    if any(drill.id in numbers for drill in silent):
        return True
    if not silent or not properties:
        return False
    owned = f"properties WHERE id IN ({marks(properties)})"
    owners = await sql.all(str, f"SELECT owner FROM {owned}", *properties)
    return any(owner.startswith(f"simulation:{drill.id}:") for drill in silent for owner in owners)


def _of_users(column: str, number: int) -> tuple[str, tuple[str, ...]]:
    """Return the condition that a column names a user of a drill, and its parameters."""
    if not number:
        return f"{column} IN ({marks(_EARLIER)})", _EARLIER
    return f"{column} >= ? AND {column} < ?", (f"simulation:{number}:", f"simulation:{number};")
