"""Links: which member of the Discord server is which game user, and the codes that prove it."""

from typing import NamedTuple

from db.database import Reader, Transaction


class Link(NamedTuple):
    """A member and their game user; `wants_alarms`: 1 for private messages about alarms."""

    member_id: int
    user_id: str
    linked_at: int
    linked_by: str
    wants_alarms: int


async def of_member(sql: Reader, member_id: int) -> Link | None:
    return await sql.find(Link, "links", member_id=member_id)


async def of_user(sql: Reader, user_id: str) -> Link | None:
    return await sql.find(Link, "links", user_id=user_id)


async def put(sql: Transaction, member_id: int, user_id: str, by: str, now: int) -> None:
    """Link a member and a game user; earlier links of either end. `wants_alarms` stays."""
    before = await of_member(sql, member_id)
    await sql.run("DELETE FROM links WHERE member_id = ? OR user_id = ?", member_id, user_id)
    link = Link(member_id, user_id, now, by, before.wants_alarms if before is not None else 0)
    await sql.insert("links", **link._asdict())


async def remove(sql: Transaction, member_id: int) -> Link | None:
    link = await of_member(sql, member_id)
    await sql.delete("links", member_id=member_id)
    return link


async def want_alarms(sql: Transaction, member_id: int, *, wanted: bool) -> bool:
    """Store whether a member wants private messages for alarms; return whether they are linked."""
    changed = "UPDATE links SET wants_alarms = ? WHERE member_id = ?"
    return await sql.count_changes(changed, wanted, member_id) > 0


async def put_code(sql: Transaction, code: str, member_id: int, expires_at: int, now: int) -> None:
    """Store a member's code in place of an earlier one; delete those that have expired."""
    gone = "DELETE FROM link_codes WHERE member_id = ? OR code = ? OR expires_at <= ?"
    await sql.run(gone, member_id, code, now)
    await sql.insert("link_codes", code=code, member_id=member_id, expires_at=expires_at)


async def take_code(sql: Transaction, code: str, now: int) -> int | None:
    """Delete a code and return whose it was; None if there is none or it has expired."""
    valid = "SELECT member_id FROM link_codes WHERE code = ? AND expires_at > ?"
    member_id = await sql.one(int, valid, code, now)
    if member_id is not None:
        await sql.delete("link_codes", code=code)
    return member_id
