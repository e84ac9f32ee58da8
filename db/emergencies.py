"""911 calls from the CAD's pushes, which may come in any order."""

import json
from typing import Any, NamedTuple

from db.database import Reader, Transaction


class EmergencyCall(NamedTuple):
    """A 911 call, or a 311 call where `is_emergency` is 0.

    `seen` is 0 while only its removal or its dispatch call is known. `dispatch_call_id` is the
    dispatch call that was made from it, `panic_id` the panic whose own call this is, `crime_id`
    the crime that it was counted as. `pressed_by` is the number of the unit whose panic button the
    call tells of, folded; None if it tells of none. `age`: how many milliseconds after it happened
    its first push was received.
    """

    cad: str
    call_id: int
    is_emergency: int
    caller: str
    location: str
    postal: str
    description: str
    received_at: int
    seen: int
    removed_at: int | None
    dispatch_call_id: int | None
    property_id: int | None
    panic_id: int | None
    crime_id: int | None
    pressed_by: str | None
    touched_at: int
    age: int

    @property
    def happened_at(self) -> int:
        return self.received_at - self.age


async def put(
    sql: Transaction,
    cad: str,
    call_id: int,
    *,
    is_emergency: bool,
    caller: str,
    location: str,
    postal: str,
    description: str,
    property_id: int | None,
    pressed_by: str | None,
    now: int,
    age: int = 0,
) -> EmergencyCall:
    """Store what a call says and return it; a removal that came before stays."""
    values = {
        "is_emergency": is_emergency,
        "caller": caller,
        "location": location,
        "postal": postal,
        "description": description,
        "property_id": property_id,
        "pressed_by": pressed_by,
        "seen": 1,
    }
    return await _upsert(sql, cad, call_id, now, values, age)


async def mark_removed(
    sql: Transaction, cad: str, call_id: int, now: int, age: int = 0
) -> EmergencyCall:
    """Store that a call, seen or not, is gone; return it."""
    call = await get(sql, cad, call_id)
    at = now - age if call is None or call.removed_at is None else call.removed_at
    return await _upsert(sql, cad, call_id, now, {"removed_at": at}, age)


async def mark_dispatched(
    sql: Transaction, cad: str, call_id: int, dispatch_call_id: int, now: int, age: int = 0
) -> EmergencyCall:
    """Store which dispatch call was made from a call, seen or not; return it."""
    return await _upsert(sql, cad, call_id, now, {"dispatch_call_id": dispatch_call_id}, age)


async def _upsert(
    sql: Transaction, cad: str, call_id: int, now: int, values: dict[str, Any], age: int
) -> EmergencyCall:
    key = {"cad": cad, "call_id": call_id}
    changed = {**values, "touched_at": now}
    return await sql.upsert(
        EmergencyCall, "emergency_calls", key, changed, received_at=now, age=age
    )


async def get(sql: Reader, cad: str, call_id: int) -> EmergencyCall | None:
    return await sql.find(EmergencyCall, "emergency_calls", cad=cad, call_id=call_id)


async def by_number(sql: Reader, cad: str, call_ids: list[int]) -> list[EmergencyCall]:
    these = "cad = ? AND call_id IN (SELECT value FROM json_each(?)) ORDER BY call_id"
    where = f"emergency_calls WHERE {these}"
    return await sql.select(EmergencyCall, where, cad, json.dumps(call_ids))


async def open_calls(sql: Reader, limit: int) -> list[EmergencyCall]:
    """Return the newest calls of all CADs that nobody has taken yet, but not those of panics."""
    waiting = "seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND panic_id IS NULL"
    newest = f"emergency_calls WHERE {waiting} ORDER BY received_at DESC, cad, call_id DESC LIMIT ?"
    return await sql.select(EmergencyCall, newest, limit)


async def of_panic(sql: Reader, panic_id: int) -> list[EmergencyCall]:
    """Return the 911 calls that scripts made of a panic, oldest first."""
    oldest = "emergency_calls WHERE panic_id = ? AND seen ORDER BY received_at, call_id"
    return await sql.select(EmergencyCall, oldest, panic_id)


async def open_at(sql: Reader, property_id: int) -> list[EmergencyCall]:
    """Return the calls at a property that nobody has taken yet, panics' too, oldest first."""
    waiting = "seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND property_id = ?"
    oldest = f"emergency_calls WHERE {waiting} ORDER BY received_at, call_id"
    return await sql.select(EmergencyCall, oldest, property_id)


async def loose_panic_calls(sql: Reader, cad: str, since: int) -> list[EmergencyCall]:
    """Return the calls since a time that report a panic button and belong to no panic yet."""
    loose = "cad = ? AND received_at >= ? AND pressed_by IS NOT NULL AND panic_id IS NULL"
    ordered = f"emergency_calls WHERE {loose} ORDER BY received_at, call_id"
    return await sql.select(EmergencyCall, ordered, cad, since)


async def fold_into_panic(sql: Transaction, cad: str, call_id: int, panic_id: int) -> None:
    await sql.update("emergency_calls", {"panic_id": panic_id}, cad=cad, call_id=call_id)


async def mark_counted(sql: Transaction, cad: str, call_id: int, crime_id: int) -> None:
    await sql.update("emergency_calls", {"crime_id": crime_id}, cad=cad, call_id=call_id)


async def forgettable(
    sql: Reader, over_before: int, untouched_before: int, limit: int
) -> list[tuple[str, int]]:
    """Return calls, as (CAD, number), that were removed or not heard of before these times.

    A call stays as long as the dispatch call made from it is open.
    """
    return await sql.all(
        lambda cad, call_id: (cad, call_id),
        "SELECT cad, call_id FROM emergency_calls AS call WHERE touched_at < ?"
        " AND (touched_at < ? OR (removed_at IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM dispatch_calls WHERE cad = call.cad AND call_id = call.dispatch_call_id"
        " AND closed_at IS NULL))) ORDER BY touched_at LIMIT ?",
        max(over_before, untouched_before),
        untouched_before,
        limit,
    )


async def forget(sql: Transaction, cad: str, call_id: int) -> None:
    """Forget a call; the next one of its number is another."""
    await sql.delete("emergency_calls", cad=cad, call_id=call_id)
