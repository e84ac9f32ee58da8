"""Alarms: the alerts at a property, what was done about them, and who was mentioned.

Every change is one statement that acts only on an alarm in the state that it needs, and tells
whether it did: so of two people at once one acts.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from db import escalations
from db.database import Reader, Transaction, marks
from db.simulations import IS_SIMULATED

AlarmOutcome = Literal["resolved", "false", "quiet", "removed"]


class Alert(NamedTuple):
    """One press of a property's alarm button; `at` in milliseconds since 1970.

    `alarm_id`: the alarm that it raised or repeated; None for old ones from before alarms.
    """

    id: int
    alarm_id: int | None
    user_id: str
    at: int


class Alarm(NamedTuple):
    """An alarm; open while `outcome` is None. Times in milliseconds since 1970.

    It waits for somebody to acknowledge it unless somebody has, or has snoozed it. `age`: how many
    milliseconds after it was raised its first alert was received; `waiting_since` and `touched_at`
    are times of receipt.
    """

    id: int
    property_id: int
    raised_at: int
    raised_by: str
    last_at: int
    last_by: str
    repeats: int
    touched_at: int
    waiting_since: int
    called: int
    acknowledged_at: int | None
    acknowledged_by: str | None
    snoozed_until: int | None
    snoozed_by: str | None
    outcome: AlarmOutcome | None
    settled_at: int | None
    settled_by: str | None
    age: int

    @property
    def state(self) -> str:
        """The outcome, or else `snoozed`, `acknowledged` or `waiting`."""
        if self.outcome is not None:
            return self.outcome
        if self.snoozed_until is not None:
            return "snoozed"
        return "waiting" if self.acknowledged_at is None else "acknowledged"


class OpenAlarm(NamedTuple):
    """What tells an open alarm from others; `acknowledged_by` None: nobody handles it."""

    id: int
    location: str
    acknowledged_by: str | None


_WAITS = "outcome IS NULL AND acknowledged_at IS NULL AND snoozed_until IS NULL"
_WAIT_AGAIN = (
    "acknowledged_at = NULL, acknowledged_by = NULL, snoozed_until = NULL, snoozed_by = NULL,"
    " called = 0"
)
"""Escalates anew, from the first level on."""
_MAY_ESCALATE = (
    "EXISTS (SELECT 1 FROM cards WHERE subject = 'alarm:' || alarms.id)"
    f" AND NOT {IS_SIMULATED.format(property='alarms.property_id')}"
)
"""Has a card, so that an escalation can answer it, and is no drill."""


async def add_alert(
    sql: Transaction, property_id: int, alarm_id: int, user_id: str, now: int
) -> int:
    """Record an alert and return its id."""
    alert = {"property_id": property_id, "alarm_id": alarm_id, "user_id": user_id, "at": now}
    return await sql.insert("alerts", **alert)


async def alerts(sql: Reader, property_id: int, limit: int, offset: int) -> list[Alert]:
    """Return a property's alerts, newest first."""
    newest = "alerts WHERE property_id = ? ORDER BY id DESC LIMIT ? OFFSET ?"
    return await sql.select(Alert, newest, property_id, limit, offset)


async def count_alerts(sql: Reader, property_id: int) -> int:
    return await sql.count("alerts WHERE property_id = ?", property_id)


async def get(sql: Reader, alarm_id: int) -> Alarm | None:
    return await sql.find(Alarm, "alarms", id=alarm_id)


async def open_of_property(sql: Reader, property_id: int) -> Alarm | None:
    found = await sql.select(Alarm, "alarms WHERE property_id = ? AND outcome IS NULL", property_id)
    return found[0] if found else None


async def open_ones(
    sql: Reader, limit: int, owners: Sequence[str] | None = None
) -> list[OpenAlarm]:
    """Return open alarms, newest first: all, or those at properties of these users."""
    owned = "" if owners is None else f" AND owner IN ({marks(owners)})"
    return await sql.all(
        OpenAlarm,
        "SELECT alarms.id, location, acknowledged_by FROM alarms"
        " JOIN properties ON properties.id = property_id"
        f" WHERE outcome IS NULL{owned} ORDER BY alarms.id DESC LIMIT ?",
        *(owners or ()),
        limit,
    )


async def page(
    sql: Reader, property_id: int | None, limit: int, offset: int
) -> tuple[list[Alarm], int]:
    """Return alarms, of a property or of all, and how many there are."""
    if property_id is None:
        return await _page(sql, "TRUE", (), limit, offset)
    return await _page(sql, "property_id = ?", (property_id,), limit, offset)


async def page_of_properties(
    sql: Reader, property_ids: Sequence[int], limit: int, offset: int
) -> tuple[list[Alarm], int]:
    """Return alarms of some properties, and how many there are."""
    return await _page(sql, f"property_id IN ({marks(property_ids)})", property_ids, limit, offset)


async def _page(
    sql: Reader, which: str, values: Sequence[int], limit: int, offset: int
) -> tuple[list[Alarm], int]:
    """Return those that wait, then the other open ones, then the rest; the newest first."""
    of_open = f"alarms WHERE {which} AND (outcome IS NULL) = 1"
    of_ended = f"alarms WHERE {which} AND (outcome IS NULL) = 0"
    number = await sql.count(of_open, *values)
    waiting_first = f"{of_open} ORDER BY ({_WAITS}) DESC, id DESC LIMIT ? OFFSET ?"
    found = await sql.select(Alarm, waiting_first, *values, limit, offset)
    if (left := limit - len(found)) > 0:
        newest = f"{of_ended} ORDER BY id DESC LIMIT ? OFFSET ?"
        found += await sql.select(Alarm, newest, *values, left, max(0, offset - number))
    return found, number + await sql.count(of_ended, *values)


async def raise_or_repeat(
    sql: Transaction, property_id: int, user_id: str, now: int, age: int = 0
) -> int:
    """Count an alert on the property's open alarm, or open one; return its id.

    An alert that is late waits from now on: until now nobody could acknowledge it.
    """
    # Not one INSERT … ON CONFLICT: it would use up the id of an alarm for each repeated alert.
    open_one = "SELECT id FROM alarms WHERE property_id = ? AND outcome IS NULL"
    number = await sql.one(int, open_one, property_id)
    if number is not None:
        await sql.run(
            "UPDATE alarms SET repeats = repeats + 1, last_at = max(last_at, ?2 - ?4),"
            " last_by = ?3, touched_at = ?2 WHERE id = ?1",
            number,
            now,
            user_id,
            age,
        )
        return number
    return await sql.insert(
        "alarms",
        property_id=property_id,
        raised_at=now - age,
        raised_by=user_id,
        last_at=now - age,
        last_by=user_id,
        touched_at=now,
        waiting_since=now,
        age=age,
    )


async def acknowledge(sql: Transaction, alarm_id: int, who: str, now: int) -> bool:
    """Record who handles an open alarm, which ends a snooze; return whether they are the first."""
    change = (
        "acknowledged_at = ?2, acknowledged_by = ?3, touched_at = ?2, snoozed_until = NULL,"
        " snoozed_by = NULL WHERE id = ?1 AND outcome IS NULL AND acknowledged_at IS NULL"
    )
    return await _changed(sql, change, alarm_id, now, who)


async def take_over(sql: Transaction, alarm_id: int, handler: str, who: str, now: int) -> bool:
    """Record who handles an alarm in place of its handler; return whether that was its handler."""
    change = (
        "acknowledged_at = ?4, acknowledged_by = ?3, touched_at = ?4"
        " WHERE id = ?1 AND outcome IS NULL AND acknowledged_by = ?2"
    )
    return await _changed(sql, change, alarm_id, handler, who, now)


async def release(sql: Transaction, alarm_id: int, now: int) -> bool:
    """Have an acknowledged alarm wait again; return whether it was acknowledged."""
    change = (
        f"{_WAIT_AGAIN}, waiting_since = ?2, touched_at = ?2"
        " WHERE id = ?1 AND outcome IS NULL AND acknowledged_at IS NOT NULL"
    )
    return await _changed(sql, change, alarm_id, now)


async def lapse(sql: Transaction, alarm_id: int, untouched_since: int, now: int) -> bool:
    """Do the same if nobody has touched it since a time, which it leaves as it is."""
    change = (
        f"{_WAIT_AGAIN}, waiting_since = ?3 WHERE id = ?1 AND outcome IS NULL"
        " AND acknowledged_at IS NOT NULL AND touched_at <= ?2"
    )
    return await _changed(sql, change, alarm_id, untouched_since, now)


async def snooze(sql: Transaction, alarm_id: int, until: int, who: str, now: int) -> bool:
    """Put off an open alarm, whoever handles it, until a time; return whether it was not yet."""
    change = (
        "acknowledged_at = NULL, acknowledged_by = NULL, snoozed_until = ?2, snoozed_by = ?3,"
        " touched_at = ?4 WHERE id = ?1 AND outcome IS NULL AND snoozed_until IS NULL"
    )
    return await _changed(sql, change, alarm_id, until, who, now)


async def end_snooze(sql: Transaction, alarm_id: int, now: int) -> bool:
    """Let an alarm wait again if its snooze is over; return whether it was."""
    change = (
        "waiting_since = snoozed_until, touched_at = max(touched_at, snoozed_until),"
        f" {_WAIT_AGAIN} WHERE id = ?1 AND outcome IS NULL AND snoozed_until <= ?2"
    )
    return await _changed(sql, change, alarm_id, now)


async def touch(sql: Transaction, alarm_id: int, now: int) -> bool:
    """Record that somebody did something about an alarm; return whether it is open."""
    return await _changed(sql, "touched_at = ?2 WHERE id = ?1 AND outcome IS NULL", alarm_id, now)


async def settle(
    sql: Transaction, alarm_id: int, outcome: AlarmOutcome, who: str, now: int
) -> bool:
    """End an open alarm; return whether it was open."""
    change = "outcome = ?2, settled_by = ?3, settled_at = ?4 WHERE id = ?1 AND outcome IS NULL"
    return await _changed(sql, change, alarm_id, outcome, who, now)


async def expire(sql: Transaction, alarm_id: int, untouched_since: int, now: int) -> bool:
    """End an alarm that nobody has touched since a time; return whether it was one."""
    change = (
        "outcome = 'quiet', settled_by = '', settled_at = ?3 WHERE id = ?1 AND outcome IS NULL"
        " AND snoozed_until IS NULL AND touched_at <= ?2"
    )
    return await _changed(sql, change, alarm_id, untouched_since, now)


async def escalate(
    sql: Transaction, alarm_id: int, level: int, roles: str, waiting_since: int, now: int
) -> int | None:
    """Store that an alarm waiting since a time reached a level.

    Return the number of the escalation; None if it was not due.
    """
    change = f"called = ?2 WHERE id = ?1 AND {_WAITS} AND called < ?2 AND waiting_since <= ?3"
    if not await _changed(sql, change, alarm_id, level, waiting_since):
        return None
    return await escalations.add(sql, alarm_id, level, roles, now)


async def ended_snoozes(sql: Reader, now: int, limit: int) -> list[Alarm]:
    ended = "alarms WHERE outcome IS NULL AND snoozed_until <= ? ORDER BY snoozed_until LIMIT ?"
    return await sql.select(Alarm, ended, now, limit)


async def untouched(sql: Reader, since: int, limit: int) -> list[Alarm]:
    """Return open alarms that nobody has touched since a time."""
    quiet = "outcome IS NULL AND snoozed_until IS NULL AND touched_at <= ?"
    return await sql.select(
        Alarm, f"alarms WHERE {quiet} ORDER BY touched_at LIMIT ?", since, limit
    )


async def unattended(sql: Reader, since: int, limit: int) -> list[Alarm]:
    """Return acknowledged alarms that nobody has touched since a time."""
    quiet = "outcome IS NULL AND snoozed_until IS NULL AND touched_at <= ?"
    handled = f"alarms WHERE {quiet} AND acknowledged_at IS NOT NULL"
    return await sql.select(Alarm, f"{handled} ORDER BY touched_at LIMIT ?", since, limit)


async def due_for_escalation(
    sql: Reader, level: int, waiting_since: int, after: int, limit: int
) -> list[Alarm]:
    """Return alarms with a card that wait since a time and have not reached a level.

    `after`: the id after which the page begins, 0 for the first page.
    """
    due = f"{_WAITS} AND waiting_since <= ? AND called < ? AND {_MAY_ESCALATE} AND id > ?"
    ordered = f"alarms WHERE {due} ORDER BY id LIMIT ?"
    return await sql.select(Alarm, ordered, waiting_since, level, after, limit)


async def next_due(
    sql: Reader, expire_after: int, release_after: int, levels: dict[int, int]
) -> int | None:
    """Return when an alarm expires, is released, ends its snooze or reaches a level next.

    `release_after`: for how many milliseconds an acknowledged one may be untouched; 0: for ever.
    `levels`: after how many milliseconds each level is reached.
    """
    of_level = (
        f"SELECT min(waiting_since) + ? FROM alarms WHERE {_WAITS} AND called < ?"
        f" AND {_MAY_ESCALATE}"
    )
    untouched = (
        "SELECT min(touched_at) + ? FROM alarms WHERE outcome IS NULL AND snoozed_until IS NULL"
    )
    parts = [
        "SELECT min(snoozed_until) FROM alarms WHERE outcome IS NULL AND snoozed_until IS NOT NULL",
        untouched,
        *([f"{untouched} AND acknowledged_at IS NOT NULL"] if release_after else []),
        *[of_level] * len(levels),
    ]
    return await sql.one(
        _first,
        f"{' UNION ALL '.join(parts)} ORDER BY 1 NULLS LAST LIMIT 1",
        expire_after,
        *([release_after] if release_after else []),
        *(value for level, after in levels.items() for value in (after, level)),
    )


def _first(value: int | None) -> int | None:
    return value


async def _changed(sql: Transaction, change: str, *parameters: object) -> bool:
    """Change an alarm; return whether it was in the state that the change needs."""
    return await sql.count_changes(f"UPDATE alarms SET {change}", *parameters) > 0
