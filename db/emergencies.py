"""911 calls as the CAD's pushes tell them, whatever order those come in."""

from typing import NamedTuple

from db.database import Reader, Transaction


class EmergencyCall(NamedTuple):
    """A 911 call, or a 311 call where `is_emergency` is 0.

    `seen` is 0 while only its removal or its dispatch call is known. `dispatch_call_id` is the
    dispatch call that was made from it.
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


_COLUMNS = ", ".join(EmergencyCall._fields)


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
    now: int,
) -> None:
    """Keep what a call says; a removal that came before stays."""
    await sql.run(
        "INSERT INTO emergency_calls"
        " (cad, call_id, is_emergency, caller, location, postal, description, received_at, seen)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (cad, call_id) DO UPDATE SET"
        " is_emergency = excluded.is_emergency, caller = excluded.caller,"
        " location = excluded.location, postal = excluded.postal,"
        " description = excluded.description, seen = 1",
        cad,
        call_id,
        is_emergency,
        caller,
        location,
        postal,
        description,
        now,
    )


async def mark_removed(sql: Transaction, cad: str, call_id: int, now: int) -> None:
    """Keep that a call is gone, seen or not."""
    await sql.run(
        "INSERT INTO emergency_calls (cad, call_id, received_at, removed_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (cad, call_id) DO UPDATE SET removed_at = coalesce(removed_at, ?)",
        cad,
        call_id,
        now,
        now,
        now,
    )


async def mark_dispatched(
    sql: Transaction, cad: str, call_id: int, dispatch_call_id: int, now: int
) -> None:
    """Keep which dispatch call was made from a call, seen or not."""
    await sql.run(
        "INSERT INTO emergency_calls (cad, call_id, received_at, dispatch_call_id)"
        " VALUES (?, ?, ?, ?) ON CONFLICT (cad, call_id)"
        " DO UPDATE SET dispatch_call_id = excluded.dispatch_call_id",
        cad,
        call_id,
        now,
        dispatch_call_id,
    )


async def get(sql: Reader, cad: str, call_id: int) -> EmergencyCall | None:
    """Return a call."""
    return await sql.one(
        EmergencyCall,
        f"SELECT {_COLUMNS} FROM emergency_calls WHERE cad = ? AND call_id = ?",
        cad,
        call_id,
    )
