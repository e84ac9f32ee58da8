"""Troubles that people were told of: one row, and one message in Discord, from begin to end."""

from typing import NamedTuple

from db import cards
from db.database import Reader, Transaction


class StoredTrouble(NamedTuple):
    """A trouble; times are in milliseconds since 1970.

    `sentence` and `cure` are in the community's language. `about`: the id of the Discord channel
    that it is about, 0 for none. `member_id`: who is told by a private message, 0 for the log
    channel. `times`: how often it began; it is more than once where it came back soon.
    """

    id: int
    key: str
    sentence: str
    cure: str
    about: int
    member_id: int
    began_at: int
    ended_at: int | None
    times: int


async def get(sql: Reader, trouble_id: int) -> StoredTrouble | None:
    return await sql.find(StoredTrouble, "troubles", id=trouble_id)


async def open_or_ended_since(sql: Reader, since: int) -> list[StoredTrouble]:
    """Return the troubles that last, and those that ended lately, by the time of their begin."""
    return await sql.select(
        StoredTrouble, "troubles WHERE ended_at IS NULL OR ended_at >= ? ORDER BY id", since
    )


async def lasting(sql: Reader, key: str) -> StoredTrouble | None:
    """Return the trouble of a key if it lasts."""
    found = await sql.select(StoredTrouble, "troubles WHERE ended_at IS NULL AND key = ?", key)
    return found[0] if found else None


async def begin(
    sql: Transaction, key: str, sentence: str, cure: str, about: int, member_id: int, at: int
) -> int:
    """Store a trouble that is told from now on, and return its id."""
    return await sql.insert(
        "troubles",
        key=key,
        sentence=sentence,
        cure=cure,
        about=about,
        member_id=member_id,
        began_at=at,
    )


async def reword(sql: Transaction, trouble_id: int, sentence: str, cure: str) -> None:
    await sql.update("troubles", {"sentence": sentence, "cure": cure}, id=trouble_id)


async def reopen(sql: Transaction, trouble_id: int) -> None:
    """Store that a trouble is back soon after its end."""
    await sql.run("UPDATE troubles SET ended_at = NULL, times = times + 1 WHERE id = ?", trouble_id)


async def end(sql: Transaction, trouble_id: int, at: int) -> None:
    await sql.update("troubles", {"ended_at": at}, id=trouble_id)


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` troubles that ended before a time; return how many. Messages stay."""
    oldest = "SELECT id FROM troubles WHERE ended_at < ? ORDER BY ended_at LIMIT ?"
    gone = await sql.all(int, oldest, before, limit)
    for number in gone:
        for kind in ("trouble", "trouble-direct"):
            await cards.release(sql, f"{kind}:{number}")
        await sql.delete("troubles", id=number)
    return len(gone)
