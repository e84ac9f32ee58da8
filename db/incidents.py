"""Notes on 911 calls, dispatch calls and panics that people wrote in Discord, and their threads."""

import json
from typing import NamedTuple

from db.database import Reader, Transaction


class IncidentNote(NamedTuple):
    """A note; `at` in milliseconds since 1970."""

    subject: str
    caller: str
    at: int
    text: str


class IncidentThread(NamedTuple):
    """The thread on a subject's card; `archived_at` is None until its end has archived it."""

    subject: str
    thread_id: int
    caller: str
    at: int
    archived_at: int | None


_THESE = "subject IN (SELECT value FROM json_each(?))"


async def add_note(sql: Transaction, note: IncidentNote) -> None:
    await sql.insert("incident_notes", **note._asdict())


async def notes(sql: Reader, subjects: list[str]) -> list[IncidentNote]:
    """Return the notes on any of these subjects, oldest first."""
    ordered = f"incident_notes WHERE {_THESE} ORDER BY at, id"
    return await sql.select(IncidentNote, ordered, json.dumps(subjects))


async def add_thread(sql: Transaction, thread: IncidentThread) -> None:
    """Store a subject's thread, unless one is stored."""
    if await thread_of(sql, thread.subject) is None:
        await sql.insert("incident_threads", **thread._asdict())


async def thread_of(sql: Reader, subject: str) -> IncidentThread | None:
    return await sql.find(IncidentThread, "incident_threads", subject=subject)


async def mark_archived(sql: Transaction, thread_id: int, at: int) -> None:
    await sql.update("incident_threads", {"archived_at": at}, thread_id=thread_id)


async def forget(sql: Transaction, subject: str) -> None:
    await sql.delete("incident_notes", subject=subject)
    await sql.delete("incident_threads", subject=subject)
