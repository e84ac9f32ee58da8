"""Texts that moderators redacted, as digests: what the texts are is not stored."""

from collections.abc import Iterable
from typing import NamedTuple

from db.database import Reader, Transaction


class Redaction(NamedTuple):
    """A redacted text: digests of it and of its first word, and how many words it has."""

    digest: bytes
    first: bytes
    words: int


async def all_of_them(sql: Reader) -> list[Redaction]:
    return await sql.select(Redaction, "redactions")


async def add(sql: Transaction, texts: Iterable[Redaction], at: int) -> int:
    """Store texts, which may be redacted already; return the number of this act."""
    act = (await sql.one(int, "SELECT coalesce(max(act), 0) FROM redactions") or 0) + 1
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
