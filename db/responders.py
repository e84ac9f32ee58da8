"""Who responds to 911 calls, dispatch calls and panics, as they say in Discord."""

import json
from typing import NamedTuple

from db.database import Reader, Transaction


class Response(NamedTuple):
    """A caller who responds to a subject since a time, in milliseconds since 1970.

    `left_at` is None unless they said that they no longer do; that the call ended is not stored
    here.
    """

    subject: str
    caller: str
    at: int
    left_at: int | None


_THESE = "subject IN (SELECT value FROM json_each(?)) AND left_at IS NULL"


async def of_subjects(sql: Reader, subjects: list[str]) -> list[Response]:
    """Return who responds to any of these subjects, the first ones first."""
    ordered = f"responses WHERE {_THESE} ORDER BY at, id"
    return await sql.select(Response, ordered, json.dumps(subjects))


async def add(sql: Transaction, subject: str, caller: str, at: int) -> None:
    await sql.insert("responses", subject=subject, caller=caller, at=at)


async def leave(sql: Transaction, subjects: list[str], caller: str, at: int) -> bool:
    """Store that a caller no longer responds to any of these; return whether they did."""
    left = f"UPDATE responses SET left_at = ? WHERE caller = ? AND {_THESE}"
    return await sql.count_changes(left, at, caller, json.dumps(subjects)) > 0


async def forget(sql: Transaction, subject: str) -> None:
    await sql.delete("responses", subject=subject)
