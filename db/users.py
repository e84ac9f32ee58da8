"""Game users: an id, and a name where one is known."""

from typing import NamedTuple

from db.database import Reader, Transaction
from db.search import fold_case, indexed, phrase


class User(NamedTuple):
    """A game user; `full_name` is the id until a name is known."""

    id: str
    full_name: str


async def get(sql: Reader, user_id: str) -> User | None:
    return await sql.find(User, "users", id=user_id)


async def has_any(sql: Reader, ids: str) -> bool:
    """Return whether a user's id matches a GLOB pattern."""
    return await sql.one(int, "SELECT 1 FROM users WHERE id GLOB ? LIMIT 1", ids) is not None


FIRST = 1_000
"""Users that are looked at one by one before the index: what many contain, some of these do."""


async def page(sql: Reader, search: str, limit: int, offset: int) -> list[User]:
    """Return users whose name or id contains the search text, by id.

    The index does not know this order: all that it finds are sorted, so it is asked only for texts
    that few contain.
    """
    search = fold_case(search)
    if not search:
        return await sql.select(User, "users ORDER BY id LIMIT ? OFFSET ?", limit, offset)
    first = "id <= (SELECT max(id) FROM (SELECT id FROM users ORDER BY id LIMIT ?))"
    among_first = f"users WHERE {first} AND instr(searched, ?) ORDER BY id LIMIT ? OFFSET ?"
    found = await sql.select(User, among_first, FIRST, search, limit, offset)
    if len(found) == limit:
        return found
    by_index = f"{_FOUND} ?1 AND instr(searched, ?2) ORDER BY id LIMIT ?3 OFFSET ?4"
    return await sql.select(User, by_index, phrase(search), search, limit, offset)


async def count(sql: Reader, search: str) -> int:
    """Count the users whose name or id contains the search text."""
    if not search:
        return await sql.count("users")
    return await sql.count("users WHERE instr(searched, ?)", fold_case(search))


_FOUND = "user_search CROSS JOIN users ON number = user_search.rowid WHERE user_search MATCH"


async def suggest(sql: Reader, typed: str, limit: int) -> list[User]:
    """Return the users that somebody who types probably wants, the likeliest first.

    First the one with this id, then those whose name begins with the text, then those where a word
    does, then those that contain at least three typed characters anywhere.
    """
    search = fold_case(typed)
    return await sql.all(
        User,
        "WITH found (rank, number) AS (SELECT 0, number FROM users WHERE id = ?1"
        " UNION ALL SELECT * FROM (SELECT 1, number FROM users"
        "  WHERE searched >= ?2 AND searched < ?2 || char(1114111) ORDER BY searched LIMIT ?5)"
        f" UNION ALL SELECT * FROM (SELECT 2, number FROM {_FOUND} ?3 AND ?2 <> ''"
        "  AND instr(' ' || replace(searched, char(10), ' '), ' ' || ?2)"
        "  ORDER BY user_search.rowid LIMIT ?5)"
        f" UNION ALL SELECT * FROM (SELECT 3, number FROM {_FOUND} ?4"
        "  AND length(?2) >= 3 AND instr(searched, ?2) ORDER BY user_search.rowid LIMIT ?5))"
        " SELECT id, full_name FROM"
        " (SELECT min(rank) AS rank, number FROM found GROUP BY number) JOIN users USING (number)"
        " ORDER BY rank, CASE rank WHEN 1 THEN searched END, number LIMIT ?5",
        typed,
        search,
        phrase(f" {search}"),
        phrase(search),
        limit,
    )


async def add_seen(sql: Transaction, user_id: str) -> None:
    """Add a user met for the first time, under its id as its name."""
    searched = fold_case(user_id)
    if await sql.insert_new("users", id=user_id, full_name=user_id, searched=searched):
        await _index(sql, await _number(sql, user_id), searched)


async def put(sql: Transaction, user_id: str, full_name: str) -> None:
    searched = fold_case(full_name, user_id)
    await sql.run(
        "INSERT INTO users (id, full_name, searched) VALUES (?, ?, ?) ON CONFLICT (id)"
        " DO UPDATE SET full_name = excluded.full_name, searched = excluded.searched",
        user_id,
        full_name,
        searched,
    )
    await _index(sql, await _number(sql, user_id), searched)


async def _number(sql: Reader, user_id: str) -> int:
    """Return the number of a user's row, which the search index has; 0 if there is none."""
    return await sql.one(int, "SELECT number FROM users WHERE id = ?", user_id) or 0


async def _index(sql: Transaction, number: int, searched: str) -> None:
    text = indexed("\n ".join((searched, searched.replace("\n", " "))))
    await sql.run("INSERT OR REPLACE INTO user_search (rowid, text) VALUES (?, ?)", number, text)


async def refold(sql: Transaction) -> None:
    """Fold searched texts again that were folded in another way."""
    rows = await sql.all(
        lambda *row: row, "SELECT number, id, full_name, searched FROM users ORDER BY number"
    )
    for number, user_id, full_name, before in rows:
        is_named = full_name != user_id
        searched = fold_case(full_name, user_id) if is_named else fold_case(user_id)
        if searched != before and fold_case(full_name, user_id) != before:
            await sql.update("users", {"searched": searched}, number=number)
            await _index(sql, number, searched)


async def remove(sql: Transaction, user_id: str) -> None:
    await sql.delete("user_search", rowid=await _number(sql, user_id))
    await sql.delete("users", id=user_id)
