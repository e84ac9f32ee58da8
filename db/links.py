"""Which member of the Discord server is which game user, and the codes that prove it.

A member is a game user by a link, and without one by their own Discord id: some games know players
by it, as `discord:` and the id.
"""

import re
from typing import NamedTuple

from db.database import Reader, Transaction

_DISCORD_ID = re.compile(r"(?P<prefix>discord:)?(?P<member>[0-9]{17,20})")


class Link(NamedTuple):
    """A member and their game user.

    `wants_alarms`: 1 for private messages about alarms; `wants_news`: about what else happens to
    their properties. A link to the member's own Discord id only says these.
    """

    member_id: int
    user_id: str
    linked_at: int
    linked_by: str
    wants_alarms: int = 0
    wants_news: int = 1


def discord_user(member_id: int) -> str:
    """Return the id that a game has for a member which knows players by their Discord id."""
    return f"discord:{member_id}"


def member_of_discord_user(user_id: str) -> int | None:
    """Return the member in an id of that form; None for every other one."""
    found = _DISCORD_ID.fullmatch(user_id)
    return int(found["member"]) if found and found["prefix"] else None


async def game_ids(sql: Reader, member_id: int) -> tuple[str, ...]:
    """Return the ids by which the game may know a member, the surest first."""
    link = await of_member(sql, member_id)
    linked = [] if link is None else [link.user_id]
    return tuple(dict.fromkeys([*linked, discord_user(member_id), str(member_id)]))


async def member_of(sql: Reader, user_id: str) -> int | None:
    """Return the member who is a game user, or None if nobody is known to be."""
    found = _DISCORD_ID.fullmatch(user_id)
    if found and found["prefix"]:
        return int(found["member"])
    link = await of_user(sql, user_id)
    if link is not None:
        return link.member_id
    return int(found["member"]) if found else None


async def of_member(sql: Reader, member_id: int) -> Link | None:
    return await sql.find(Link, "links", member_id=member_id)


async def of_user(sql: Reader, user_id: str) -> Link | None:
    return await sql.find(Link, "links", user_id=user_id)


async def page(sql: Reader, limit: int, offset: int) -> list[Link]:
    """Return the links, the newest first; not those to members' own Discord ids."""
    newest = f"{_LINKS} ORDER BY linked_at DESC, member_id LIMIT ? OFFSET ?"
    return await sql.select(Link, newest, limit, offset)


async def count(sql: Reader) -> int:
    return await sql.count(_LINKS)


_LINKS = "links WHERE user_id <> 'discord:' || member_id"


async def put(sql: Transaction, member_id: int, user_id: str, by: str, now: int) -> None:
    """Link a member and a game user; earlier links of either end. What they want stays."""
    link = Link(member_id, user_id, now, by)
    before = await of_member(sql, member_id)
    if before is not None:
        link = link._replace(wants_alarms=before.wants_alarms, wants_news=before.wants_news)
    await sql.delete("links", member_id=member_id)
    freed = "UPDATE links SET user_id = 'discord:' || member_id WHERE user_id = ?"
    await sql.run(freed, user_id)
    await sql.insert("links", **link._asdict())


async def remove(sql: Transaction, member_id: int) -> Link | None:
    """End a member's link, if they have one, and return it; what they want stays."""
    link = await of_member(sql, member_id)
    own = discord_user(member_id)
    if link is None or link.user_id == own:
        return None
    await sql.update("links", {"user_id": own}, member_id=member_id)
    return link


async def want(
    sql: Transaction, member_id: int, now: int, *, alarms: bool | None, news: bool | None
) -> None:
    """Store about what a member wants private messages; None stays as it is."""
    own = discord_user(member_id)
    link = await of_member(sql, member_id)
    if link is None:
        link = Link(member_id, own, now, own)
        await sql.insert("links", **link._asdict())
    given = {"wants_alarms": alarms, "wants_news": news}
    values = {name: int(wanted) for name, wanted in given.items() if wanted is not None}
    await sql.update("links", values, member_id=member_id)


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
