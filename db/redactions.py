"""Texts that moderators redacted, as digests: what the texts are is not stored."""

from collections.abc import Iterable
from typing import NamedTuple

from db import settings
from db.database import Reader, Transaction

_LAST_ACT = "redactions.last"
"""The setting with the number of the newest act."""


class Redaction(NamedTuple):
    """A redacted text: digests of it and of its first word, and how many words it has."""

    digest: bytes
    first: bytes
    words: int


async def all_of_them(sql: Reader) -> list[Redaction]:
    return await sql.select(Redaction, "redactions")


async def add(sql: Transaction, texts: Iterable[Redaction], at: int) -> int:
    """Store texts, which may be redacted already; return the number of this act.

    The number of an act that was undone is not used again: a button may still name it.
    """
    newest = await sql.one(int, "SELECT coalesce(max(act), 0) FROM redactions") or 0
    act = max(newest, int(await settings.get(sql, _LAST_ACT) or 0)) + 1
    await settings.put(sql, _LAST_ACT, str(act))
    for text in texts:
        await sql.run(
            "INSERT INTO redactions (digest, first, words, act, at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (digest) DO NOTHING",
            *text,
            act,
            at,
        )
    return act


async def of_act(sql: Reader, act: int) -> list[Redaction]:
    """Return what was redacted by an act and is still."""
    return await sql.select(Redaction, "redactions WHERE act = ?", act)


async def forget(sql: Transaction, act: int) -> None:
    """Show again what was redacted by an act."""
    await sql.delete("redactions", act=act)
