"""Units of the CAD, and who of them is in panic."""

from typing import Any, NamedTuple

from db.database import Reader, Transaction


class Unit(NamedTuple):
    """A unit by its ident; blank texts are unknown."""

    ident: int
    unit_num: str
    name: str
    department: str
    status: str
    on_duty: int


class PanicUnit(NamedTuple):
    """A unit in a panic; `cleared_at` is None while it lasts."""

    ident: int
    cleared_at: int | None


TOLD = frozenset({"unit_num", "name", "department", "status", "on_duty"})
"""The columns that a push about a unit may set."""


async def put(sql: Transaction, cad: str, ident: int, told: dict[str, Any], now: int) -> None:
    """Keep what a push says of a unit; what it leaves out stays."""
    columns = [column for column in told if column in TOLD]
    names = "".join(f", {column}" for column in columns)
    marks = ", ?" * len(columns)
    settings = "".join(f", {column} = excluded.{column}" for column in columns)
    await sql.run(
        f"INSERT INTO units (cad, ident, updated_at{names}) VALUES (?, ?, ?{marks})"
        f" ON CONFLICT (cad, ident) DO UPDATE SET updated_at = excluded.updated_at{settings}",
        cad,
        ident,
        now,
        *(told[column] for column in columns),
    )


async def named(sql: Reader, cad: str, idents: list[int]) -> dict[int, Unit]:
    """Return what is known of these units, by ident."""
    marks = ", ".join("?" * len(idents))
    found = await sql.all(
        Unit,
        "SELECT ident, unit_num, name, department, status, on_duty FROM units"
        f" WHERE cad = ? AND ident IN ({marks})",
        cad,
        *idents,
    )
    return {unit.ident: unit for unit in found}


async def start_panic(sql: Transaction, cad: str, idents: list[int], now: int) -> int | None:
    """Start a panic of those units that are in none; None if all of them already are."""
    calm = [ident for ident in idents if await open_panic(sql, cad, ident) is None]
    if not calm:
        return None
    panic_id = await sql.insert(
        "INSERT INTO panics (cad, started_at) VALUES (?, ?) RETURNING id", cad, now
    )
    for ident in calm:
        await sql.run(
            "INSERT INTO panic_units (panic_id, cad, ident) VALUES (?, ?, ?)", panic_id, cad, ident
        )
    return panic_id


async def open_panic(sql: Reader, cad: str, ident: int) -> int | None:
    """Return the panic that a unit is in."""
    return await sql.one(
        int,
        "SELECT panic_id FROM panic_units WHERE cad = ? AND ident = ? AND cleared_at IS NULL",
        cad,
        ident,
    )


async def clear_panic(sql: Transaction, cad: str, idents: list[int], now: int) -> list[int]:
    """End the panic of these units; return the panics that this changed."""
    changed = []
    for ident in idents:
        changed += await sql.all(
            int,
            "UPDATE panic_units SET cleared_at = ? WHERE cad = ? AND ident = ?"
            " AND cleared_at IS NULL RETURNING panic_id",
            now,
            cad,
            ident,
        )
    return sorted(set(changed))


async def panic_start(sql: Reader, panic_id: int) -> tuple[str, int] | None:
    """Return the CAD of a panic and when it started."""
    return await sql.one(
        lambda cad, started_at: (cad, started_at),
        "SELECT cad, started_at FROM panics WHERE id = ?",
        panic_id,
    )


async def panic_units(sql: Reader, panic_id: int) -> list[PanicUnit]:
    """Return the units of a panic."""
    return await sql.all(
        PanicUnit,
        "SELECT ident, cleared_at FROM panic_units WHERE panic_id = ? ORDER BY ident",
        panic_id,
    )
