"""Dispatch calls with their units and notes, from the CAD's pushes, which may come in any order."""

import json
from typing import Any, NamedTuple

from db.database import Reader, Transaction


class DispatchCall(NamedTuple):
    """A dispatch call; blank fields are unknown, as a note or a unit may come before the call.

    `edited` names the columns that edits have set, with blanks between. `property_id` is the
    property that the call is at; `x` and `y` are where the CAD says it is. `age`: how many
    milliseconds after it happened its first push was received.
    """

    cad: str
    call_id: int
    title: str
    code: str
    status: str
    priority: str
    block: str
    address: str
    postal: str
    description: str
    primary_unit: int | None
    emergency_call_id: int | None
    received_at: int
    edited: str
    closed_at: int | None
    property_id: int | None
    x: float | None
    y: float | None
    touched_at: int
    age: int

    @property
    def happened_at(self) -> int:
        return self.received_at - self.age


class CallNote(NamedTuple):
    """A note on a call; `time` is the CAD's own text."""

    time: str
    label: str
    content: str


_COLUMNS = ", ".join(DispatchCall._fields)

_OPEN = "dispatch_calls WHERE closed_at IS NULL"
_NEWEST_FIRST = "ORDER BY received_at DESC, cad, call_id DESC"

PUSHED = frozenset(DispatchCall._fields) - {
    "cad",
    "call_id",
    "received_at",
    "touched_at",
    "age",
    "closed_at",
    "edited",
    "property_id",
}
"""The columns that a push about the call itself may set."""


async def ensure(sql: Transaction, cad: str, call_id: int, now: int, age: int = 0) -> set[str]:
    """Have a row for a call, which may not have been seen yet; return what edits of it have set."""
    upsert = (
        "INSERT INTO dispatch_calls (cad, call_id, received_at, touched_at, age)"
        " VALUES (?1, ?2, ?3, ?3, ?4) ON CONFLICT (cad, call_id)"
        " DO UPDATE SET touched_at = excluded.touched_at RETURNING edited"
    )
    return set((await sql.one(str, upsert, cad, call_id, now, age) or "").split())


async def put_first_report(
    sql: Transaction,
    cad: str,
    call_id: int,
    values: dict[str, Any],
    idents: list[int],
    now: int,
    age: int = 0,
) -> DispatchCall:
    """Store the first report of a call, except where an edit already set something; return it.

    `idents` are its units; those that were attached or detached by themselves stay as they are.
    """
    edited = await ensure(sql, cad, call_id, now, age)
    if "idents" not in edited:
        await _replace_units(sql, cad, call_id, idents)
    unedited = {column: value for column, value in values.items() if column not in edited}
    return await _update(sql, cad, call_id, unedited)


async def put_edit(
    sql: Transaction,
    cad: str,
    call_id: int,
    values: dict[str, Any],
    idents: list[int] | None,
    now: int,
    age: int = 0,
) -> DispatchCall:
    """Store what an edit sets and return the call; columns that it leaves out stay.

    `idents` are its units, None if the edit does not list them; those that were attached or
    detached by themselves stay as they are.
    """
    edited = await ensure(sql, cad, call_id, now, age) | values.keys()
    if idents is not None:
        edited.add("idents")
        await _replace_units(sql, cad, call_id, idents)
    return await _update(sql, cad, call_id, {**values, "edited": " ".join(sorted(edited))})


async def _update(sql: Transaction, cad: str, call_id: int, values: dict[str, Any]) -> DispatchCall:
    columns = [column for column in values if column in PUSHED or column == "edited"]
    settings = ", ".join(["call_id = call_id", *(f"{column} = ?" for column in columns)])
    (call,) = await sql.all(
        DispatchCall,
        f"UPDATE dispatch_calls SET {settings} WHERE cad = ? AND call_id = ? RETURNING {_COLUMNS}",
        *(values[column] for column in columns),
        cad,
        call_id,
    )
    return call


async def close(sql: Transaction, cad: str, call_id: int, now: int, age: int = 0) -> None:
    """Close a call for good: what comes late about it does not open it again."""
    upsert = (
        "INSERT INTO dispatch_calls (cad, call_id, received_at, touched_at, closed_at, age)"
        " VALUES (?1, ?2, ?3, ?3, ?3 - ?4, ?4) ON CONFLICT (cad, call_id) DO UPDATE SET"
        " touched_at = excluded.touched_at, closed_at = coalesce(closed_at, excluded.closed_at)"
    )
    await sql.run(upsert, cad, call_id, now, age)


async def _replace_units(sql: Transaction, cad: str, call_id: int, idents: list[int]) -> None:
    await sql.run(
        "DELETE FROM dispatch_units WHERE cad = ? AND call_id = ? AND NOT explicit", cad, call_id
    )
    await _put_units(sql, cad, call_id, idents, attached=True, explicit=False)


async def attach(sql: Transaction, cad: str, call_id: int, idents: list[int]) -> None:
    await _put_units(sql, cad, call_id, idents, attached=True, explicit=True)


async def detach(sql: Transaction, cad: str, call_id: int, idents: list[int]) -> None:
    await _put_units(sql, cad, call_id, idents, attached=False, explicit=True)


async def _put_units(
    sql: Transaction, cad: str, call_id: int, idents: list[int], *, attached: bool, explicit: bool
) -> None:
    if not idents:
        return
    await sql.run(
        "INSERT INTO dispatch_units (cad, call_id, ident, attached, explicit)"
        " SELECT ?, ?, value, ?, ? FROM json_each(?) WHERE true"  # WHERE keeps ON unambiguous
        " ON CONFLICT (cad, call_id, ident) DO UPDATE"
        " SET attached = excluded.attached, explicit = excluded.explicit"
        " WHERE excluded.explicit >= explicit",
        cad,
        call_id,
        attached,
        explicit,
        json.dumps(idents),
    )


async def calls_of_units(sql: Reader, cad: str, idents: list[int]) -> list[int]:
    """Return the open calls that units are on, each once."""
    return await sql.all(
        int,
        "SELECT DISTINCT call_id FROM dispatch_units JOIN dispatch_calls USING (cad, call_id)"
        " WHERE cad = ? AND ident IN (SELECT value FROM json_each(?)) AND attached"
        " AND closed_at IS NULL ORDER BY call_id",
        cad,
        json.dumps(idents),
    )


async def units(sql: Reader, cad: str, call_id: int) -> list[int]:
    attached = "dispatch_units WHERE cad = ? AND call_id = ? AND attached"
    return await sql.all(int, f"SELECT ident FROM {attached} ORDER BY ident", cad, call_id)


async def add_notes(sql: Transaction, cad: str, call_id: int, notes: list[CallNote]) -> None:
    """Store notes; a note that comes again, alone or with its call, is stored once."""
    if not notes:
        return
    await sql.run(
        "INSERT INTO dispatch_notes (cad, call_id, time, label, content)"
        " SELECT ?, ?, json_extract(value, '$[0]'), json_extract(value, '$[1]'),"
        " json_extract(value, '$[2]') FROM json_each(?) WHERE true"
        " ON CONFLICT DO NOTHING",
        cad,
        call_id,
        json.dumps(notes),
    )


async def last_notes(sql: Reader, cad: str, call_id: int, limit: int) -> list[CallNote]:
    """Return the newest notes, oldest of them first."""
    newest_first = "dispatch_notes WHERE cad = ? AND call_id = ? ORDER BY id DESC LIMIT ?"
    return (await sql.select(CallNote, newest_first, cad, call_id, limit))[::-1]


async def get(sql: Reader, cad: str, call_id: int) -> DispatchCall | None:
    return await sql.find(DispatchCall, "dispatch_calls", cad=cad, call_id=call_id)


async def by_number(sql: Reader, cad: str, call_ids: list[int]) -> list[DispatchCall]:
    these = "cad = ? AND call_id IN (SELECT value FROM json_each(?)) ORDER BY call_id"
    return await sql.select(
        DispatchCall, f"dispatch_calls WHERE {these}", cad, json.dumps(call_ids)
    )


async def open_calls(sql: Reader, limit: int) -> list[DispatchCall]:
    """Return the newest calls of all CADs that are not closed."""
    return await sql.select(DispatchCall, f"{_OPEN} {_NEWEST_FIRST} LIMIT ?", limit)


async def set_property(sql: Transaction, cad: str, call_id: int, property_id: int | None) -> None:
    await sql.update("dispatch_calls", {"property_id": property_id}, cad=cad, call_id=call_id)


async def open_at(sql: Reader, property_id: int) -> list[DispatchCall]:
    """Return the calls at a property that are not closed, oldest first."""
    there = f"{_OPEN} AND property_id = ? ORDER BY received_at, call_id"
    return await sql.select(DispatchCall, there, property_id)


async def open_in(
    sql: Reader, area: tuple[float, float, float, float], limit: int
) -> list[DispatchCall]:
    """Return calls that are not closed and lie in an area (x, y, width, height), newest first."""
    inside = "x BETWEEN ?1 AND ?1 + ?3 AND y BETWEEN ?2 AND ?2 + ?4"
    newest = f"{_OPEN} AND {inside} {_NEWEST_FIRST} LIMIT ?5"
    return await sql.select(DispatchCall, newest, *area, limit)


async def made_from(sql: Reader, cad: str, emergency_call_id: int) -> list[int]:
    """Return the numbers of the calls that were made from a 911 call."""
    made = "dispatch_calls WHERE cad = ? AND emergency_call_id = ? ORDER BY call_id"
    return await sql.all(int, f"SELECT call_id FROM {made}", cad, emergency_call_id)


async def forgettable(
    sql: Reader, closed_before: int, untouched_before: int, limit: int
) -> list[tuple[str, int]]:
    """Return calls, as (CAD, number), that were closed or not heard of before these times."""
    return await sql.all(
        lambda cad, call_id: (cad, call_id),
        "SELECT cad, call_id FROM dispatch_calls WHERE touched_at < ?"
        " AND (touched_at < ? OR closed_at IS NOT NULL) ORDER BY touched_at LIMIT ?",
        max(closed_before, untouched_before),
        untouched_before,
        limit,
    )


async def forget(sql: Transaction, cad: str, call_id: int) -> None:
    """Forget a call with its units and notes; the next one of its number is another."""
    for table in ("dispatch_notes", "dispatch_units", "dispatch_calls"):
        await sql.delete(table, cad=cad, call_id=call_id)
