"""Game users: an id and the best name known."""

from typing import NamedTuple

from db.database import Reader, Transaction
from db.search import folded


class User(NamedTuple):
    """A game user; `full_name` is the id until something better is known."""

    id: str
    full_name: str


async def get(sql: Reader, user_id: str) -> User | None:
    """Return a user."""
    return await sql.one(User, "SELECT id, full_name FROM users WHERE id = ?", user_id)


async def page(sql: Reader, search: str, limit: int, offset: int) -> list[User]:
    """Return users whose name or id holds the search text, by id."""
    return await sql.all(
        User,
        "SELECT id, full_name FROM users WHERE instr(searched, ?) ORDER BY id LIMIT ? OFFSET ?",
        folded(search),
        limit,
        offset,
    )


async def add_seen(sql: Transaction, user_id: str) -> None:
    """Add a user met for the first time, under its id as its name."""
    await sql.run(
        "INSERT INTO users (id, full_name, searched) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        user_id,
        user_id,
        folded(user_id),
    )


async def put(sql: Transaction, user_id: str, full_name: str) -> None:
    """Add a user or rename a known one."""
    await sql.run(
        "INSERT INTO users (id, full_name, searched) VALUES (?, ?, ?) ON CONFLICT (id)"
        " DO UPDATE SET full_name = excluded.full_name, searched = excluded.searched",
        user_id,
        full_name,
        folded(full_name, user_id),
    )


async def remove(sql: Transaction, user_id: str) -> bool:
    """Remove a user; tell whether it was there."""
    gone = await sql.one(str, "DELETE FROM users WHERE id = ? RETURNING id", user_id)
    return gone is not None
