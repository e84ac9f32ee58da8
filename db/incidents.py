"""Notes on 911 calls, dispatch calls and panics that people wrote in Discord."""

import json
from typing import NamedTuple

from db.database import Reader, Transaction


class IncidentNote(NamedTuple):
    """A note; `at` in milliseconds since 1970."""

    subject: str
    caller: str
    at: int
    text: str


_THESE = "subject IN (SELECT value FROM json_each(?))"


async def add_note(sql: Transaction, note: IncidentNote) -> None:
    await sql.insert("incident_notes", **note._asdict())


async def notes(sql: Reader, subjects: list[str]) -> list[IncidentNote]:
    """Return the notes on any of these subjects, oldest first."""
    ordered = f"incident_notes WHERE {_THESE} ORDER BY at, id"
    return await sql.select(IncidentNote, ordered, json.dumps(subjects))


async def forget(sql: Transaction, subject: str) -> None:
    await sql.delete("incident_notes", subject=subject)
