"""Calls and panics that were ended because there was no news of them, by subject."""

from typing import NamedTuple

from db.database import Reader, Transaction


class StaleEnd(NamedTuple):
    """An end that no push reported.

    `silence`: for how many milliseconds there was no news, 0 if a time of day ended it; `at`: when
    it ended, in milliseconds since 1970.
    """

    subject: str
    silence: int
    at: int


async def put(sql: Transaction, subject: str, silence: int, at: int) -> None:
    values = {"silence": silence, "at": at}
    await sql.upsert(StaleEnd, "stale_ends", {"subject": subject}, values)


async def get(sql: Reader, subject: str) -> StaleEnd | None:
    return await sql.find(StaleEnd, "stale_ends", subject=subject)


async def forget(sql: Transaction, subject: str) -> bool:
    """Forget such an end; return whether there was one."""
    return await sql.count_changes("DELETE FROM stale_ends WHERE subject = ?", subject) > 0
