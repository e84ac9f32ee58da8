"""Approvals of what still needs a second approver."""

from typing import NamedTuple

from db.database import Reader, Transaction


class Approval(NamedTuple):
    """Somebody who approved; `at` in milliseconds since 1970."""

    who: str
    at: int


async def add(sql: Transaction, subject: str, who: str, now: int) -> bool:
    """Store that somebody approves; return whether they had not before."""
    return await sql.insert_new("approvals", subject=subject, who=who, at=now)


async def of_subject(sql: Reader, subject: str) -> list[Approval]:
    """Return who approved, the first one first."""
    return await sql.select(Approval, "approvals WHERE subject = ? ORDER BY at, who", subject)


async def clear(sql: Transaction, subject: str) -> None:
    await sql.delete("approvals", subject=subject)
