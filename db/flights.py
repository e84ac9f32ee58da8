"""Flights: a drone that was sent out, and when it came back."""

from typing import NamedTuple

from db.database import Reader, Transaction, marks, where_equal
from db.equipment import DRONE
from db.search import fold_case


class Flight(NamedTuple):
    """A flight; open while `recalled_at` is None. The description is the drone's."""

    id: int
    drone_id: int
    property_id: int
    dispatched_at: int
    dispatched_by: str
    recalled_at: int | None
    recalled_by: str | None
    reason: str
    description: str


class Drone(NamedTuple):
    id: int
    description: str


_SELECT = (
    "SELECT flights.id, drone_id, flights.property_id, dispatched_at, dispatched_by, recalled_at,"
    " recalled_by, reason, description FROM flights JOIN equipment ON equipment.id = drone_id"
)

_IS_FREE = (
    "type = ? AND removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM flights"
    " WHERE drone_id = equipment.id AND recalled_at IS NULL)"
)


async def free_drones(
    sql: Reader, property_id: int, limit: int = -1, offset: int = 0
) -> list[Drone]:
    """Return the drones of a property that are not out, by id."""
    free = f"equipment WHERE property_id = ? AND {_IS_FREE} ORDER BY id LIMIT ? OFFSET ?"
    return await sql.select(Drone, free, property_id, DRONE, limit, offset)


async def open_any(
    sql: Transaction,
    property_id: int,
    dispatched_by: str,
    now: int,
    drone_id: int | None = None,
    reason: str = "",
) -> Flight | None:
    """Send out the first free drone of a property, or this one of it; None if it is not free.

    One statement finds and takes it, and a unique index lets a drone be out only once.
    """
    start = (
        "INSERT INTO flights (drone_id, property_id, dispatched_at, dispatched_by, reason)"
        f" SELECT id, property_id, ?, ?, ? FROM equipment WHERE property_id = ? AND {_IS_FREE}"
        " AND id = coalesce(?, id) ORDER BY id LIMIT 1"
    )
    if not await sql.count_changes(start, now, dispatched_by, reason, property_id, DRONE, drone_id):
        return None
    return await sql.one(Flight, f"{_SELECT} WHERE flights.id = last_insert_rowid()")


async def get(sql: Reader, flight_id: int) -> Flight | None:
    return await sql.one(Flight, f"{_SELECT} WHERE flights.id = ?", flight_id)


async def open_of_drone(sql: Reader, drone_id: int) -> Flight | None:
    return await sql.one(Flight, f"{_SELECT} WHERE drone_id = ? AND recalled_at IS NULL", drone_id)


async def open_of_property(sql: Reader, property_id: int) -> list[Flight]:
    where = "flights.property_id = ? AND recalled_at IS NULL ORDER BY flights.id"
    return await sql.all(Flight, f"{_SELECT} WHERE {where}", property_id)


async def open_of_properties(sql: Reader, property_ids: list[int]) -> list[Flight]:
    where = f"flights.property_id IN ({marks(property_ids)}) AND recalled_at IS NULL"
    return await sql.all(Flight, f"{_SELECT} WHERE {where} ORDER BY flights.id", *property_ids)


async def page_of_open(sql: Reader, search: str, limit: int, offset: int) -> list[Flight]:
    """Return open flights whose drone's description or id holds the search text, by flight.

    The plus has the few that are open looked through and sorted, and not all flights in order.
    """
    matches = "recalled_at IS NULL AND (instr(searched, ?1) OR instr(drone_id, ?1))"
    ordered = f"{_SELECT} WHERE {matches} ORDER BY +flights.id LIMIT ?2 OFFSET ?3"
    return await sql.all(Flight, ordered, fold_case(search), limit, offset)


async def count_open(sql: Reader, search: str = "") -> int:
    """Count the open flights whose drone's description or id holds the search text."""
    if not search:
        return await sql.count("flights WHERE recalled_at IS NULL")
    matches = "recalled_at IS NULL AND (instr(searched, ?1) OR instr(drone_id, ?1))"
    joined = "flights JOIN equipment ON equipment.id = drone_id"
    return await sql.count(f"{joined} WHERE {matches}", fold_case(search))


async def count(sql: Reader, property_id: int | None, drone_id: int | None) -> int:
    """Count the flights: all, or those of a property, of a drone, or both."""
    where, values = where_equal(property_id=property_id, drone_id=drone_id)
    return await sql.count(f"flights {where}", *values)


async def page(
    sql: Reader, property_id: int | None, drone_id: int | None, limit: int, offset: int
) -> list[Flight]:
    """Return flights, newest first: all, or those of a property, of a drone, or both."""
    where, values = where_equal(**{"flights.property_id": property_id, "drone_id": drone_id})
    newest = f"{_SELECT} {where} ORDER BY flights.id DESC LIMIT ? OFFSET ?"
    return await sql.all(Flight, newest, *values, limit, offset)


async def close(sql: Transaction, flight_id: int, recalled_by: str, now: int) -> None:
    await sql.update("flights", {"recalled_at": now, "recalled_by": recalled_by}, id=flight_id)
