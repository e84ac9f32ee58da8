"""Small values that outlive a restart, by name."""

from typing import NamedTuple

from db.database import Reader, Transaction


class Fact(NamedTuple):
    name: str
    value: str


async def get(sql: Reader, name: str) -> str | None:
    return await sql.one(str, "SELECT value FROM settings WHERE name = ?", name)


async def put(sql: Transaction, name: str, value: str) -> None:
    await sql.run("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", name, value)


async def add(sql: Transaction, name: str, number: int) -> None:
    """Add to a fact that is a number, 0 if it was never put."""
    await put(sql, name, str(int(await get(sql, name) or 0) + number))


async def forget(sql: Transaction, name: str) -> None:
    await sql.delete("settings", name=name)


async def beginning_with(sql: Reader, prefix: str) -> list[Fact]:
    """Return the facts whose names begin with this, by name."""
    return await sql.select(Fact, "settings WHERE instr(name, ?) = 1 ORDER BY name", prefix)
