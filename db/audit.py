"""The audit log: who changed what. Rows are added and never changed."""

from typing import NamedTuple

from db.database import Reader, Transaction, where_equal

_OWN = ("property", "approval", "restore")
"""The kinds of subjects that have a property's number."""

_PARTS = (("removal", "removals"), ("equipment", "equipment"), ("alarm", "alarms"))
"""The kinds of subjects that belong to a property, and their tables."""


class AuditRecord(NamedTuple):
    """A change. `before` and `after` are JSON objects with what changed; `at` in milliseconds."""

    id: int
    at: int
    who: str
    action: str
    subject: str
    before: str
    after: str


async def append(
    sql: Transaction, at: int, who: str, action: str, subject: str, before: str, after: str
) -> None:
    await sql.insert(
        "audit", at=at, who=who, action=action, subject=subject, before=before, after=after
    )


async def get(sql: Reader, number: int) -> AuditRecord | None:
    return await sql.find(AuditRecord, "audit", id=number)


async def page(
    sql: Reader, subject: str | None, who: str | None, limit: int, offset: int
) -> list[AuditRecord]:
    """Return records, newest first; all, or those on a subject, or those of somebody, or both."""
    where, values = where_equal(subject=subject, who=who)
    newest = f"audit {where} ORDER BY id DESC LIMIT ? OFFSET ?"
    return await sql.select(AuditRecord, newest, *values, limit, offset)


async def page_of_property(
    sql: Reader, property_id: int, who: str | None, limit: int, offset: int
) -> list[AuditRecord]:
    """Return records on a property and all that belongs to it, newest first."""
    subjects = " UNION ALL ".join(
        [
            *(f"SELECT '{kind}:' || ?1" for kind in _OWN),
            *(f"SELECT '{kind}:' || id FROM {of} WHERE property_id = ?1" for kind, of in _PARTS),
        ]
    )
    newest = (
        f"audit WHERE subject IN ({subjects}) AND (?2 IS NULL OR who = ?2)"
        " ORDER BY id DESC LIMIT ?3 OFFSET ?4"
    )
    return await sql.select(AuditRecord, newest, property_id, who, limit, offset)


async def last(sql: Reader, subject: str, action: str) -> AuditRecord | None:
    """Return the newest record of an action on a subject."""
    newest = "audit WHERE subject = ? AND action = ? ORDER BY id DESC LIMIT 1"
    return next(iter(await sql.select(AuditRecord, newest, subject, action)), None)


async def former_users(sql: Reader, caller: str) -> set[str]:
    """Return the game users with whom a member, as `discord:` and their id, was ever linked."""
    member = caller.replace("discord:", "member:", 1)
    linked = "audit WHERE subject = ? AND action = 'link-user'"
    return set(await sql.all(str, f"SELECT json_extract(after, '$.userId') FROM {linked}", member))


async def changes(sql: Reader, subject: str, at: int) -> list[AuditRecord]:
    """Return what was changed of a subject at a time, the newest first."""
    newest = "audit WHERE subject = ? AND at = ? ORDER BY id DESC"
    return await sql.select(AuditRecord, newest, subject, at)


async def author(sql: Reader, subject: str, at: int) -> str | None:
    """Return who changed a subject last at a time; None if nobody did."""
    last = "SELECT who FROM audit WHERE subject = ? AND at = ? ORDER BY id DESC LIMIT 1"
    return await sql.one(str, last, subject, at)
