"""Game users: an id and the best name known."""

from typing import Any, NamedTuple

from db.database import Reader, Transaction
from db.search import FIRST, beginning, best_first, fold_case, holding, is_indexed, question, span


class User(NamedTuple):
    """A game user; `full_name` is the id until something better is known."""

    id: str
    full_name: str


async def get(sql: Reader, user_id: str) -> User | None:
    """Return a user."""
    return await sql.one(User, "SELECT id, full_name FROM users WHERE id = ?", user_id)


async def page(sql: Reader, search: str, limit: int, offset: int) -> list[User]:
    """Return users whose name or id holds the search text, by id.

    The index gives them in another order: all that it finds are read and sorted, which are few
    where the first rows did not fill the page.
    """
    search = fold_case(search)
    if not search:
        everybody = "SELECT id, full_name FROM users ORDER BY id LIMIT ? OFFSET ?"
        return await sql.all(User, everybody, limit, offset)

    def those(source: str, *asked: object) -> tuple[Any, ...]:
        """Return the statement for those of a source that hold the text, and what it is given."""
        return (
            f"SELECT id, full_name {source} AND instr(searched, ?) ORDER BY id LIMIT ? OFFSET ?",
            *asked,
            search,
            limit,
            offset,
        )

    found = await sql.all(User, *those(f"FROM users WHERE id <= ({_LAST_OF_FIRST})", FIRST))
    if len(found) == limit:
        return found
    asked = await question(sql, "users", search)
    if asked is not None:
        return await sql.all(User, *those(_FOUND, asked))
    return await sql.all(User, *those("FROM users WHERE TRUE"))


_FOUND = "FROM users_index CROSS JOIN users ON number = users_index.rowid WHERE users_index MATCH ?"
_LAST_OF_FIRST = "SELECT max(id) FROM (SELECT id FROM users ORDER BY id LIMIT ?)"


async def suggest(sql: Reader, typed: str, limit: int) -> list[User]:
    """Return the users that are most likely meant: by id, name's beginning, word's, anywhere."""
    search = fold_case(typed)

    async def of_id(_: int) -> list[User]:
        found = await get(sql, typed)
        return [] if found is None else [found]

    async def at_beginning(most: int) -> list[User]:
        return await sql.all(
            User,
            "SELECT id, full_name FROM users WHERE searched >= ? AND searched < ?"
            " ORDER BY searched LIMIT ?",
            *span(search),
            most,
        )

    async def found(question: str, most: int) -> list[User]:
        return await sql.all(
            User,
            f"SELECT id, full_name {_FOUND} ORDER BY users_index.rowid LIMIT ?",
            question,
            most,
        )

    async def at_word(most: int) -> list[User]:
        return await found(beginning(search.split()), most) if search.split() else []

    async def anywhere(most: int) -> list[User]:
        return await found(holding(search), most) if is_indexed(search) else []

    return await best_first(limit, lambda row: row.id, of_id, at_beginning, at_word, anywhere)


async def add_seen(sql: Transaction, user_id: str) -> None:
    """Add a user met for the first time, under its id as its name."""
    await sql.run(
        "INSERT INTO users (id, full_name, searched) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING",
        user_id,
        user_id,
        fold_case(user_id),
    )


async def put(sql: Transaction, user_id: str, full_name: str) -> None:
    """Add a user or rename a known one."""
    await sql.run(
        "INSERT INTO users (id, full_name, searched) VALUES (?, ?, ?) ON CONFLICT (id)"
        " DO UPDATE SET full_name = excluded.full_name, searched = excluded.searched",
        user_id,
        full_name,
        fold_case(full_name, user_id),
    )


async def remove(sql: Transaction, user_id: str) -> None:
    """Remove a user."""
    await sql.run("DELETE FROM users WHERE id = ?", user_id)
