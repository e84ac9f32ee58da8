"""Escalations: whom an alarm mentioned because nobody had acknowledged it, and what ended that."""

from typing import NamedTuple

from db.database import Reader, Transaction


class Escalation(NamedTuple):
    """Whom an alarm mentioned at a level, as role ids with blanks between.

    It had waited since `waiting_since`. `answer`: the step that ended this, None while it waits;
    `answered_by` is blank if that came by itself. `number` counts the escalations of an alarm.
    """

    number: int
    level: int
    at: int
    roles: str
    waiting_since: int
    answer: str | None
    answered_at: int | None
    answered_by: str | None


async def add(sql: Transaction, alarm_id: int, level: int, roles: str, now: int) -> int:
    """Store that a waiting alarm reached a level; return the number of the escalation."""
    await sql.run(
        "INSERT INTO escalations (alarm_id, number, level, at, roles, waiting_since)"
        " SELECT id, 1 + coalesce((SELECT max(number) FROM escalations WHERE alarm_id = ?1), 0),"
        " ?2, ?3, ?4, waiting_since FROM alarms WHERE id = ?1",
        alarm_id,
        level,
        now,
        roles,
    )
    return max(await numbers(sql, alarm_id))


async def answer(sql: Transaction, alarm_id: int, step: str, who: str, now: int) -> None:
    """Store what ended the waiting of an alarm in the escalations that were not answered yet."""
    await sql.run(
        "UPDATE escalations SET answer = ?, answered_at = ?, answered_by = ?"
        " WHERE alarm_id = ? AND answer IS NULL",
        step,
        now,
        who,
        alarm_id,
    )


async def get(sql: Reader, alarm_id: int, number: int) -> Escalation | None:
    return await sql.find(Escalation, "escalations", alarm_id=alarm_id, number=number)


async def numbers(sql: Reader, alarm_id: int) -> list[int]:
    return await sql.all(int, "SELECT number FROM escalations WHERE alarm_id = ?", alarm_id)
