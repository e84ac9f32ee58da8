"""Dispatch calls with their units and notes, from the CAD's pushes, which may come in any order."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from db.calls import FIRST, THESE_CALLS, CallKey, json_keys
from db.database import Reader, Transaction


class DispatchCall(NamedTuple):
    """A dispatch call; blank fields are unknown, as a note or a unit may come before the call.

    `seen` is 0 until its first report has come.

    `edited` names the columns that edits have set, with blanks between. `property_id` is the
    property that the call is at; `x` and `y` are where the CAD says it is. `occurrence` is which
    call of its number it is, `emergency_occurrence` the same of the 911 call it was made from.
    `stamps` are the CAD's own times of what set each column, a JSON object of milliseconds since
    1970. `age`: how many milliseconds after it happened its first push was received.
    `layout_template` and `layout_values` are what a custom layout has, as JSON objects of texts,
    `status_id` the status there.
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
    stamps: str
    emergency_occurrence: int | None
    seen: int
    occurrence: int
    touched_at: int
    age: int
    layout_template: str
    layout_values: str
    status_id: str

    @property
    def happened_at(self) -> int:
        return self.received_at - self.age

    @property
    def key(self) -> CallKey:
        return CallKey(self.cad, self.call_id, self.occurrence)

    @property
    def emergency_key(self) -> CallKey | None:
        """The 911 call that it was made from."""
        if self.emergency_call_id is None:
            return None
        return CallKey(self.cad, self.emergency_call_id, self.emergency_occurrence or FIRST)


class CallNote(NamedTuple):
    """A note on a call; `time` is the CAD's own text.

    `clock`: the seconds of the day at which it was written, on the community's clocks; None if it
    is not known. `at`: when it was received, in milliseconds since 1970.
    """

    time: str
    label: str
    content: str
    clock: int | None = None
    at: int = 0
    id: int = 0


_OPEN = "dispatch_calls WHERE closed_at IS NULL"
_URGENT_FIRST = (
    "ORDER BY CASE WHEN priority GLOB '[0-9]' THEN priority ELSE '~' END, received_at - age,"
    " cad, call_id, occurrence"
)
"""Custom layouts have priorities of their own; which of these are urgent is not known."""

_NEWEST_FIRST = "ORDER BY received_at DESC, cad, call_id DESC, occurrence DESC"
_THIS_CALL = "cad = ? AND call_id = ? AND occurrence = ?"

PUSHED = frozenset(DispatchCall._fields) - {
    "cad",
    "call_id",
    "received_at",
    "touched_at",
    "age",
    "closed_at",
    "edited",
    "stamps",
    "property_id",
    "occurrence",
    "seen",
}
"""The columns that a push about the call itself may set."""

_SET = PUSHED | {"edited", "stamps", "seen"}


async def ensure(sql: Transaction, call: CallKey, now: int, age: int = 0) -> set[str]:
    """Have a row for a call, which may not have been seen yet; return what edits of it have set."""
    await sql.run(
        "INSERT INTO dispatch_calls (cad, call_id, occurrence, received_at, touched_at, age)"
        " VALUES (?1, ?2, ?3, ?4, ?4, ?5) ON CONFLICT (cad, call_id, occurrence)"
        " DO UPDATE SET touched_at = excluded.touched_at",
        *call,
        now,
        age,
    )
    edited = f"SELECT edited FROM dispatch_calls WHERE {_THIS_CALL}"
    return set((await sql.one(str, edited, *call) or "").split())


async def put_first_report(
    sql: Transaction,
    call: CallKey,
    values: dict[str, Any],
    idents: list[int],
    now: int,
    age: int = 0,
    *,
    protected: Iterable[int] = (),
) -> DispatchCall:
    """Store the first report of a call, except where an edit already set something; return it.

    `idents` are its units; those in `protected` stay as they are.
    """
    edited = await ensure(sql, call, now, age)
    if "idents" not in edited:
        await _replace_units(sql, call, idents, protected)
    unedited = {column: value for column, value in values.items() if column not in edited}
    return await _update(sql, call, unedited | {"seen": 1})


async def put_edit(
    sql: Transaction,
    call: CallKey,
    values: dict[str, Any],
    idents: list[int] | None,
    now: int,
    age: int = 0,
    *,
    protected: Iterable[int] = (),
) -> DispatchCall:
    """Store what an edit sets and return the call; columns that it leaves out stay.

    `idents` are its units, None if the edit does not list them; those in `protected` stay as they
    are.
    """
    edited = await ensure(sql, call, now, age) | (values.keys() - {"stamps"})
    if idents is not None:
        edited.add("idents")
        await _replace_units(sql, call, idents, protected)
    return await _update(sql, call, {**values, "edited": " ".join(sorted(edited))})


async def _update(sql: Transaction, call: CallKey, values: dict[str, Any]) -> DispatchCall:
    columns = [column for column in values if column in _SET]
    settings = ", ".join(["call_id = call_id", *(f"{column} = ?" for column in columns)])
    await sql.run(
        f"UPDATE dispatch_calls SET {settings} WHERE {_THIS_CALL}",
        *(values[column] for column in columns),
        *call,
    )
    (updated,) = await sql.select(DispatchCall, f"dispatch_calls WHERE {_THIS_CALL}", *call)
    return updated


async def reopen(sql: Transaction, call: CallKey) -> None:
    """Reopen a closed call; a status CLOSED becomes ACTIVE."""
    await sql.run(
        "UPDATE dispatch_calls SET closed_at = NULL,"
        f" status = CASE status WHEN 'CLOSED' THEN 'ACTIVE' ELSE status END WHERE {_THIS_CALL}",
        *call,
    )


async def close(sql: Transaction, call: CallKey, now: int, age: int = 0) -> None:
    """Close a call, seen or not; one that is closed keeps its closing time."""
    upsert = (
        "INSERT INTO dispatch_calls"
        " (cad, call_id, occurrence, received_at, touched_at, closed_at, age)"
        " VALUES (?1, ?2, ?3, ?4, ?4, ?4 - ?5, ?5)"
        " ON CONFLICT (cad, call_id, occurrence) DO UPDATE SET"
        " touched_at = excluded.touched_at, closed_at = coalesce(closed_at, excluded.closed_at)"
    )
    await sql.run(upsert, *call, now, age)


async def _replace_units(
    sql: Transaction, call: CallKey, idents: list[int], protected: Iterable[int]
) -> None:
    """Make these the units of a call; those that are protected stay as they are."""
    protected = set(protected)
    await sql.run(
        f"DELETE FROM dispatch_units WHERE {_THIS_CALL}"
        " AND ident NOT IN (SELECT value FROM json_each(?))",
        *call,
        json.dumps(list(protected)),
    )
    listed = [ident for ident in idents if ident not in protected]
    await _put_units(sql, call, listed, attached=True, explicit=False, now=0)


async def attach(sql: Transaction, call: CallKey, idents: list[int], now: int) -> None:
    await _put_units(sql, call, idents, attached=True, explicit=True, now=now)


async def detach(sql: Transaction, call: CallKey, idents: list[int], now: int) -> None:
    await _put_units(sql, call, idents, attached=False, explicit=True, now=now)


async def _put_units(
    sql: Transaction, call: CallKey, idents: list[int], *, attached: bool, explicit: bool, now: int
) -> None:
    if not idents:
        return
    await sql.run(
        "INSERT INTO dispatch_units (cad, call_id, occurrence, ident, attached, explicit, at)"
        " SELECT ?, ?, ?, value, ?, ?, ? FROM json_each(?) WHERE true"  # WHERE: ON is unambiguous
        " ON CONFLICT (cad, call_id, occurrence, ident) DO UPDATE"
        " SET attached = excluded.attached, explicit = excluded.explicit, at = excluded.at"
        " WHERE (attached, explicit) <> (excluded.attached, excluded.explicit)",
        *call,
        attached,
        explicit,
        now,
        json.dumps(idents),
    )


async def explicit_units(sql: Reader, call: CallKey, since: int) -> list[tuple[int, int]]:
    """Return the units attached or detached by themselves since a time, and when each was."""
    recent = f"dispatch_units WHERE {_THIS_CALL} AND explicit AND at >= ? ORDER BY ident"
    return await sql.all(
        lambda ident, at: (ident, at), f"SELECT ident, at FROM {recent}", *call, since
    )


async def calls_of_units(sql: Reader, cad: str, idents: list[int]) -> list[CallKey]:
    """Return the open calls that units are on, each once."""
    return await sql.all(
        CallKey,
        "SELECT DISTINCT cad, call_id, occurrence"
        " FROM dispatch_units JOIN dispatch_calls USING (cad, call_id, occurrence)"
        " WHERE cad = ? AND ident IN (SELECT value FROM json_each(?)) AND attached"
        " AND closed_at IS NULL ORDER BY call_id, occurrence",
        cad,
        json.dumps(idents),
    )


async def units(sql: Reader, cad: str, call_id: int, occurrence: int = FIRST) -> list[int]:
    """Return the idents of the units that are on a call."""
    attached = f"dispatch_units WHERE {_THIS_CALL} AND attached"
    ordered = f"SELECT ident FROM {attached} ORDER BY ident"
    return await sql.all(int, ordered, cad, call_id, occurrence)


async def add_note(sql: Transaction, call: CallKey, note: CallNote) -> None:
    values = note._asdict()
    del values["id"]
    await sql.insert("dispatch_notes", **call._asdict(), **values)


async def remove_notes(sql: Transaction, ids: list[int]) -> None:
    these = "id IN (SELECT value FROM json_each(?))"
    await sql.run(f"DELETE FROM dispatch_notes WHERE {these}", json.dumps(ids))


async def notes(sql: Reader, call: CallKey) -> list[CallNote]:
    """Return the notes of a call, in the order in which they came."""
    return await sql.select(CallNote, f"dispatch_notes WHERE {_THIS_CALL} ORDER BY id", *call)


async def last_notes(sql: Reader, call: CallKey, limit: int) -> list[CallNote]:
    """Return the newest notes, oldest of them first."""
    newest_first = f"dispatch_notes WHERE {_THIS_CALL} ORDER BY id DESC LIMIT ?"
    return (await sql.select(CallNote, newest_first, *call, limit))[::-1]


async def get(
    sql: Reader, cad: str, call_id: int, occurrence: int | None = None
) -> DispatchCall | None:
    """Return a call; without an occurrence, the newest of its number."""
    if occurrence is None:
        return next(iter(await of_number(sql, cad, call_id)), None)
    return await sql.find(
        DispatchCall, "dispatch_calls", **CallKey(cad, call_id, occurrence)._asdict()
    )


async def of_number(sql: Reader, cad: str, call_id: int) -> list[DispatchCall]:
    """Return the calls of a number, the newest first."""
    newest_first = "dispatch_calls WHERE cad = ? AND call_id = ? ORDER BY occurrence DESC"
    return await sql.select(DispatchCall, newest_first, cad, call_id)


async def by_keys(sql: Reader, keys: list[CallKey]) -> list[DispatchCall]:
    these = f"dispatch_calls WHERE {THESE_CALLS} ORDER BY call_id, occurrence"
    return await sql.select(DispatchCall, these, json_keys(keys))


async def open_calls(sql: Reader, limit: int) -> list[DispatchCall]:
    """Return the calls of all CADs that are not closed: by priority, then the oldest first."""
    return await sql.select(DispatchCall, f"{_OPEN} {_URGENT_FIRST} LIMIT ?", limit)


async def of_cad(sql: Reader, cad: str, limit: int) -> list[DispatchCall]:
    """Return the newest calls of a CAD that are not closed."""
    return await sql.select(
        DispatchCall, f"{_OPEN} AND cad = ? {_NEWEST_FIRST} LIMIT ?", cad, limit
    )


async def set_property(sql: Transaction, call: CallKey, property_id: int | None) -> None:
    await sql.update("dispatch_calls", {"property_id": property_id}, **call._asdict())


async def silent(sql: Reader, before: int, limit: int) -> list[DispatchCall]:
    """Return open calls about which the last push came before a time, oldest first."""
    oldest = f"{_OPEN} AND touched_at < ? ORDER BY received_at, call_id LIMIT ?"
    return await sql.select(DispatchCall, oldest, before, limit)


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


async def made_from(sql: Reader, emergency: CallKey) -> list[DispatchCall]:
    """Return the calls that were made from a 911 call."""
    made = "cad = ? AND emergency_call_id = ? AND emergency_occurrence = ?"
    ordered = f"dispatch_calls WHERE {made} ORDER BY call_id, occurrence"
    return await sql.select(DispatchCall, ordered, *emergency)


async def forgettable(
    sql: Reader, closed_before: int, untouched_before: int, limit: int
) -> list[CallKey]:
    """Return calls that were closed or not heard of before these times."""
    return await sql.all(
        CallKey,
        "SELECT cad, call_id, occurrence FROM dispatch_calls WHERE touched_at < ?"
        " AND (touched_at < ? OR closed_at IS NOT NULL) ORDER BY touched_at LIMIT ?",
        max(closed_before, untouched_before),
        untouched_before,
        limit,
    )


async def forget(sql: Transaction, call: CallKey) -> None:
    """Forget a call with its units and notes."""
    for table in ("dispatch_notes", "dispatch_units", "dispatch_calls"):
        await sql.delete(table, **call._asdict())
