"""Who may enter a property, and who identified themselves at its entrance."""

from collections.abc import Sequence
from typing import NamedTuple

from db.database import Reader, Transaction, marks
from db.users import User


class AuthEntry(NamedTuple):
    """Somebody at the entrance, allowed or not; `at` in milliseconds since 1970.

    `reason` and `method` are blank where the script named none.
    """

    user_id: str
    at: int
    allowed: int
    reason: str
    method: str


async def allowed_users(
    sql: Reader, property_id: int, limit: int = -1, offset: int = 0
) -> list[User]:
    """Return the users on a property's list, by id."""
    return await sql.all(
        User,
        "SELECT user_id, coalesce(full_name, user_id) FROM allowed_users"
        " LEFT JOIN users ON users.id = user_id WHERE property_id = ? ORDER BY user_id"
        " LIMIT ? OFFSET ?",
        property_id,
        limit,
        offset,
    )


async def is_allowed(sql: Reader, property_id: int, user_id: str) -> bool:
    where = "allowed_users WHERE property_id = ? AND user_id = ?"
    return await sql.count(where, property_id, user_id) > 0


async def share_of(sql: Reader, property_id: int, user_ids: Sequence[str]) -> int | None:
    """Return what a person with these ids is at a property, be it removed: 2 owner, 1 allowed."""
    theirs = f"IN ({marks(user_ids)})"
    return await sql.one(
        int,
        f"SELECT 2 FROM properties WHERE id = ? AND owner {theirs}"
        f" UNION ALL SELECT 1 FROM allowed_users WHERE property_id = ? AND user_id {theirs}",
        *(property_id, *user_ids) * 2,
    )


async def allow(sql: Transaction, property_id: int, user_id: str) -> bool:
    """Put a user on a property's list; return whether they were not on it."""
    return await sql.insert_new("allowed_users", property_id=property_id, user_id=user_id)


async def disallow(sql: Transaction, property_id: int, user_id: str) -> bool:
    """Take a user off a property's list; return whether they were on it."""
    removed = "DELETE FROM allowed_users WHERE property_id = ? AND user_id = ?"
    return await sql.count_changes(removed, property_id, user_id) > 0


async def disallow_all(sql: Transaction, property_id: int) -> list[str]:
    """Empty a property's list; return the ids of who was on it."""
    allowed = "SELECT user_id FROM allowed_users WHERE property_id = ? ORDER BY user_id"
    gone = await sql.all(str, allowed, property_id)
    await sql.delete("allowed_users", property_id=property_id)
    return gone


async def disallow_everywhere(sql: Transaction, user_id: str) -> list[int]:
    """Take a user off every list; return the properties whose lists they were on."""
    allowing = "SELECT property_id FROM allowed_users WHERE user_id = ? ORDER BY property_id"
    gone = await sql.all(int, allowing, user_id)
    await sql.delete("allowed_users", user_id=user_id)
    return gone


async def add_entry(sql: Transaction, property_id: int, entry: AuthEntry) -> None:
    await sql.insert("auth_entries", property_id=property_id, **entry._asdict())


async def entries(sql: Reader, property_id: int, limit: int, offset: int) -> list[AuthEntry]:
    """Return who was at the entrance, newest first."""
    newest = "auth_entries WHERE property_id = ? ORDER BY id DESC LIMIT ? OFFSET ?"
    return await sql.select(AuthEntry, newest, property_id, limit, offset)
