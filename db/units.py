"""Units of the CAD and their panics."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from db.database import Reader, Transaction, marks
from db.search import fold_case


class Unit(NamedTuple):
    """A unit by its ident and CAD; blank texts are unknown.

    `status_code` is the CAD's number of the status, `group_name` blank if the unit is in no group.
    """

    ident: int
    unit_num: str
    name: str
    department: str
    status: str
    on_duty: int
    status_code: int | None
    group_name: str
    location: str
    is_dispatch: int
    is_panic: int
    updated_at: int
    cad: str
    rank: str


class Pressing(NamedTuple):
    """A unit in a panic that a 911 call may belong to; blank texts are unknown.

    `has_call` tells whether the panic already has a call of its own.
    """

    panic_id: int
    unit_num: str
    name: str
    is_open: int
    has_call: int


class PanicStart(NamedTuple):
    """The CAD of a panic, and when it began.

    `started_at`: when that was received, in milliseconds since 1970; `age`: how many after it
    happened.
    """

    cad: str
    started_at: int
    age: int

    @property
    def happened_at(self) -> int:
        return self.started_at - self.age


class Panic(NamedTuple):
    """A panic; `pressed_at` is when its button was pressed last."""

    id: int
    pressed_at: int


class PanicUnit(NamedTuple):
    """A unit in a panic; `cleared_at` is None while it lasts."""

    ident: int
    cleared_at: int | None


PUSHED = frozenset(Unit._fields) - {"cad", "ident", "is_panic", "updated_at"}
"""The columns that a push about a unit may set."""

BACK_AFTER = 60_000
"""Milliseconds after which a unit that was off duty and is heard of must be on duty again.

Before that, what is heard may have been sent before the log-out.
"""


async def put(sql: Transaction, cad: str, ident: int, values: dict[str, Any], now: int) -> None:
    """Store what a push says about a unit in service; columns that it leaves out stay."""
    columns = [column for column in values if column in PUSHED]
    names = "".join(f", {column}" for column in columns)
    parameters = ", ?" * len(columns)
    settings = "".join(f", {column} = excluded.{column}" for column in columns)
    if "on_duty" not in values:
        settings += f", on_duty = on_duty OR excluded.updated_at - updated_at > {BACK_AFTER}"
    await sql.run(
        f"INSERT INTO units (cad, ident, updated_at{names}) VALUES (?, ?, ?{parameters})"
        f" ON CONFLICT (cad, ident) DO UPDATE SET updated_at = excluded.updated_at{settings}",
        cad,
        ident,
        now,
        *(values[column] for column in columns),
    )
    texts = "SELECT unit_num, name, searched FROM units WHERE cad = ? AND ident = ?"
    ((*shown, searched),) = await sql.all(lambda *row: row, texts, cad, ident)
    if searched != (folded := fold_case(*shown)):
        await sql.update("units", {"searched": folded}, cad=cad, ident=ident)


async def refold(sql: Transaction) -> None:
    """Fold searched texts again that were folded in another way."""
    rows = await sql.all(lambda *row: row, "SELECT cad, ident, unit_num, name, searched FROM units")
    for cad, ident, unit_num, name, searched in rows:
        if searched not in ("", fold_case(unit_num, name)):
            folded = {"searched": fold_case(unit_num, name)}
            await sql.update("units", folded, cad=cad, ident=ident)


async def by_ident(sql: Reader, cad: str, idents: list[int]) -> dict[int, Unit]:
    where = f"units WHERE cad = ? AND ident IN ({marks(idents)})"
    found = await sql.select(Unit, where, cad, *idents)
    return {unit.ident: unit for unit in found}


async def get(sql: Reader, cad: str, ident: int) -> Unit | None:
    return await sql.find(Unit, "units", cad=cad, ident=ident)


async def on_duty(sql: Reader) -> list[Unit]:
    """Return who is on duty in any CAD, dispatchers included, by CAD, department and number."""
    return await sql.select(Unit, "units WHERE on_duty ORDER BY cad, department, unit_num, ident")


async def search(sql: Reader, text: str, limit: int) -> list[Unit]:
    """Return units whose number or name contains the text, those on duty first."""
    order = "ORDER BY on_duty DESC, unit_num, cad, ident"
    found = f"units WHERE instr(searched, ?) {order} LIMIT ?"
    return await sql.select(Unit, found, fold_case(text), limit)


async def start_panic(
    sql: Transaction, cad: str, idents: list[int], now: int, age: int = 0
) -> int | None:
    """Start a panic of those units that are in none; None if all of them already are."""
    in_panic = await open_panics(sql, cad, idents)
    await _mark_pressed(sql, in_panic.values(), now)
    calm = [ident for ident in idents if ident not in in_panic]
    if not calm:
        return None
    panic_id = await sql.insert("panics", cad=cad, started_at=now, pressed_at=now, age=age)
    for ident in calm:
        await sql.insert("panic_units", panic_id=panic_id, cad=cad, ident=ident)
        await put(sql, cad, ident, {}, now)
        await sql.update("units", {"is_panic": 1}, cad=cad, ident=ident)
    return panic_id


async def reopen_panics(
    sql: Transaction, cad: str, idents: list[int], since: int, now: int
) -> list[int]:
    """Let the panics of units that are in none go on if they ended since a time; return them."""
    in_panic = await open_panics(sql, cad, idents)
    reopened = set()
    for ident in idents:
        if ident in in_panic:
            continue
        panic_id = await sql.one(
            int,
            "SELECT panic_id FROM panic_units WHERE cad = ? AND ident = ? AND cleared_at >= ?"
            " ORDER BY panic_id DESC LIMIT 1",
            cad,
            ident,
            since,
        )
        if panic_id is not None:
            ended = {"panic_id": panic_id, "cad": cad, "ident": ident}
            await sql.update("panic_units", {"cleared_at": None}, **ended)
            reopened.add(panic_id)
            await put(sql, cad, ident, {}, now)
            await sql.update("units", {"is_panic": 1}, cad=cad, ident=ident)
    await _mark_pressed(sql, reopened, now)
    return sorted(reopened)


async def _mark_pressed(sql: Transaction, panic_ids: Iterable[int], now: int) -> None:
    these = "id IN (SELECT value FROM json_each(?))"
    await sql.run(
        f"UPDATE panics SET pressed_at = ? WHERE {these}", now, json.dumps(list(panic_ids))
    )


async def open_panics(sql: Reader, cad: str, idents: list[int]) -> dict[int, int]:
    """Return the panics that units are in, by ident."""
    pairs: list[tuple[int, int]] = await sql.all(
        lambda ident, panic_id: (ident, panic_id),
        "SELECT ident, panic_id FROM panic_units WHERE cad = ?"
        " AND ident IN (SELECT value FROM json_each(?)) AND cleared_at IS NULL",
        cad,
        json.dumps(idents),
    )
    return dict(pairs)


async def clear_panic(sql: Transaction, cad: str, idents: list[int], now: int) -> list[int]:
    """End the panic of these units; return the panics that this changed."""
    in_panic = await open_panics(sql, cad, idents)
    for ident in in_panic:
        open_one = "cad = ? AND ident = ? AND cleared_at IS NULL"
        await sql.run(f"UPDATE panic_units SET cleared_at = ? WHERE {open_one}", now, cad, ident)
        await sql.update("units", {"is_panic": 0}, cad=cad, ident=ident)
    return sorted(set(in_panic.values()))


async def panic_start(sql: Reader, panic_id: int) -> PanicStart | None:
    return await sql.find(PanicStart, "panics", id=panic_id)


async def panic_units(sql: Reader, panic_id: int) -> list[PanicUnit]:
    return await sql.select(PanicUnit, "panic_units WHERE panic_id = ? ORDER BY ident", panic_id)


async def leave_group(sql: Transaction, cad: str, idents: list[int], group: str, now: int) -> None:
    """Take units out of a group, those that have not joined another since; blank: out of any."""
    left = "UPDATE units SET group_name = '', updated_at = ? WHERE cad = ? AND ident = ?"
    for ident in idents:
        await sql.run(f"{left} AND ? IN ('', group_name)", now, cad, ident, group)


async def members_of(sql: Reader, cad: str, group: str) -> list[int]:
    members = "SELECT ident FROM units WHERE cad = ? AND group_name = ? ORDER BY ident"
    return await sql.all(int, members, cad, group)


async def log_out(sql: Transaction, cad: str, ident: int, now: int) -> None:
    await put(sql, cad, ident, {"on_duty": False, "group_name": ""}, now)


async def log_out_silent(
    sql: Transaction, before: int, limit: int, *, dispatchers: bool = False
) -> list[tuple[str, int]]:
    """Take up to `limit` units, or dispatchers, off duty that were not updated since a time.

    Return them as (CAD, ident).
    """
    silent: list[tuple[str, int]] = await sql.all(
        lambda cad, ident: (cad, ident),
        "SELECT cad, ident FROM units WHERE on_duty AND updated_at < ? AND is_dispatch = ? LIMIT ?",
        before,
        dispatchers,
        limit,
    )
    for cad, ident in silent:
        await sql.update("units", {"on_duty": 0, "group_name": ""}, cad=cad, ident=ident)
    return silent


async def silent_panics(sql: Reader, before: int, limit: int) -> list[Panic]:
    """Return open panics whose button was pressed last before a time, oldest first."""
    is_open = "EXISTS (SELECT 1 FROM panic_units WHERE panic_id = id AND cleared_at IS NULL)"
    oldest = f"panics WHERE pressed_at < ? AND {is_open} ORDER BY id LIMIT ?"
    return await sql.select(Panic, oldest, before, limit)


async def end_panic(sql: Transaction, panic_id: int, now: int) -> None:
    """End a panic for all its units."""
    open_units = "panic_units WHERE panic_id = ? AND cleared_at IS NULL"
    await sql.run(
        "UPDATE units SET is_panic = 0 WHERE (cad, ident) IN"
        f" (SELECT cad, ident FROM {open_units})",
        panic_id,
    )
    await sql.run(
        "UPDATE panic_units SET cleared_at = ? WHERE panic_id = ? AND cleared_at IS NULL",
        now,
        panic_id,
    )


async def pressing(sql: Reader, cad: str, since: int) -> list[Pressing]:
    """Return the units in panics that are open or began since a time; open and new ones first."""
    return await sql.all(
        Pressing,
        "SELECT panics.id, coalesce(unit_num, ''), coalesce(name, ''), cleared_at IS NULL,"
        " EXISTS (SELECT 1 FROM emergency_calls WHERE emergency_calls.panic_id = panics.id)"
        " FROM panics JOIN panic_units ON panic_units.panic_id = panics.id"
        " LEFT JOIN units ON units.cad = panics.cad AND units.ident = panic_units.ident"
        " WHERE panics.id IN (SELECT panic_id FROM panic_units"
        "  WHERE cad = ?1 AND cleared_at IS NULL"
        "  UNION SELECT id FROM panics WHERE cad = ?1 AND started_at >= ?2)"
        " ORDER BY cleared_at IS NULL DESC, started_at DESC, panics.id DESC",
        cad,
        since,
    )


async def matching(sql: Reader, cad: str, text: str) -> list[Unit]:
    """Return the units of a CAD whose number or name contains the text."""
    found = "units WHERE cad = ? AND instr(searched, ?) ORDER BY ident"
    return await sql.select(Unit, found, cad, fold_case(text))


async def forgettable_panics(
    sql: Reader, cleared_before: int, started_before: int, limit: int
) -> list[int]:
    """Return panics that were cleared, or began, before these times."""
    return await sql.all(
        int,
        "SELECT id FROM panics WHERE started_at < max(?1, ?2) AND (started_at < ?1 OR NOT EXISTS"
        " (SELECT 1 FROM panic_units WHERE panic_id = id"
        "  AND (cleared_at IS NULL OR cleared_at >= ?2)))"
        " ORDER BY started_at LIMIT ?3",
        started_before,
        cleared_before,
        limit,
    )


async def forget_panic(sql: Transaction, panic_id: int) -> None:
    """Delete a panic; its units are in none any more."""
    await sql.run(
        "UPDATE units SET is_panic = 0 WHERE (cad, ident) IN (SELECT cad, ident FROM panic_units"
        " WHERE panic_id = ? AND cleared_at IS NULL)",
        panic_id,
    )
    await sql.delete("panics", id=panic_id)
