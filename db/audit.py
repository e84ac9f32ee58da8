"""The audit log: who changed what. Rows are added and never changed."""

from typing import NamedTuple

from db.database import Reader, Transaction


class AuditRecord(NamedTuple):
    """A change. `before` and `after` are JSON objects with what changed; `at` in milliseconds."""

    id: int
    at: int
    who: str
    action: str
    subject: str
    before: str
    after: str


_COLUMNS = ", ".join(AuditRecord._fields)


async def append(
    sql: Transaction, at: int, who: str, action: str, subject: str, before: str, after: str
) -> None:
    await sql.insert(
        "audit", at=at, who=who, action=action, subject=subject, before=before, after=after
    )


async def page(
    sql: Reader, subject: str | None, who: str | None, limit: int, offset: int
) -> list[AuditRecord]:
    """Return records, newest first; all, or those on a subject, or those of somebody, or both."""
    wanted = {"subject": subject, "who": who}
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in given) or "TRUE"
    return await sql.all(
        AuditRecord,
        f"SELECT {_COLUMNS} FROM audit WHERE {where} ORDER BY id DESC LIMIT ? OFFSET ?",
        *given.values(),
        limit,
        offset,
    )
