"""Private answers that are edited when what they wait for has happened, also after a restart."""

from typing import NamedTuple

from db.database import Reader, Transaction

KEPT = 24 * 60 * 60 * 1000
"""Milliseconds for which an answer is stored: longer than Discord lets it be edited, as a message
in its place says the same."""


class PrivateAnswer(NamedTuple):
    """A member's answer, and the token that edits it for 15 minutes.

    `key`: what it waits for. `said`: what it goes on saying, inert, in the language of `locale`.
    """

    key: str
    member_id: int
    message_id: int
    token: str
    sent_at: int
    said: str = ""
    locale: str = ""


async def put(sql: Transaction, answer: PrivateAnswer) -> None:
    """Store an answer in place of an earlier one to the same; delete old ones."""
    gone = "DELETE FROM private_answers WHERE key = ? OR sent_at < ?"
    await sql.run(gone, answer.key, answer.sent_at - KEPT)
    await sql.insert("private_answers", **answer._asdict())


async def get(sql: Reader, key: str) -> PrivateAnswer | None:
    return await sql.find(PrivateAnswer, "private_answers", key=key)
