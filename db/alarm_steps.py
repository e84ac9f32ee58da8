"""What was done about alarms, and the notes on them."""

from typing import NamedTuple

from db.database import Reader, Transaction


class AlarmStep(NamedTuple):
    """What was done about an alarm; `who` is blank if nobody did it.

    `text`: of a note, or who handled it until then. `number`: when a snooze ends (milliseconds
    since 1970), which drone was sent out, which level was reached, or with which alert a note came.
    """

    at: int
    who: str
    action: str
    text: str
    number: int | None


async def add(
    sql: Transaction,
    alarm_id: int,
    at: int,
    who: str,
    action: str,
    text: str = "",
    number: int | None = None,
) -> None:
    step = AlarmStep(at, who, action, text, number)
    await sql.insert("alarm_steps", alarm_id=alarm_id, **step._asdict())


async def alert_notes(sql: Reader, alarm_id: int, limit: int) -> tuple[list[str], int]:
    """Return the first notes that came with an alarm's alerts, in order, and how many there are."""
    notes = "alarm_steps WHERE alarm_id = ? AND action = 'noted' AND number > 0"
    first = await sql.all(str, f"SELECT text FROM {notes} ORDER BY id LIMIT ?", alarm_id, limit)
    return first, await sql.count(notes, alarm_id)


async def last_acts(sql: Reader, alarm_id: int, limit: int) -> tuple[list[AlarmStep], int]:
    """Return the newest steps that are no notes, the oldest first, and how many there are."""
    acts = "alarm_steps WHERE alarm_id = ? AND action <> 'noted'"
    newest = await sql.select(AlarmStep, f"{acts} ORDER BY id DESC LIMIT ?", alarm_id, limit)
    return newest[::-1], await sql.count(acts, alarm_id)


async def first(sql: Reader, alarm_id: int) -> AlarmStep | None:
    oldest = "alarm_steps WHERE alarm_id = ? ORDER BY id LIMIT 1"
    return next(iter(await sql.select(AlarmStep, oldest, alarm_id)), None)


async def last_notes(sql: Reader, alarm_id: int, limit: int) -> tuple[list[AlarmStep], int]:
    """Return the newest notes, the oldest of them first, and how many there are."""
    notes = "alarm_steps WHERE alarm_id = ? AND action = 'noted'"
    newest = await sql.select(AlarmStep, f"{notes} ORDER BY id DESC LIMIT ?", alarm_id, limit)
    return newest[::-1], await sql.count(notes, alarm_id)


async def last(sql: Reader, alarm_id: int, limit: int) -> tuple[list[AlarmStep], int]:
    """Return the newest steps, the oldest of them first, and how many there are."""
    steps = "alarm_steps WHERE alarm_id = ?"
    newest = await sql.select(AlarmStep, f"{steps} ORDER BY id DESC LIMIT ?", alarm_id, limit)
    return newest[::-1], await sql.count(steps, alarm_id)
