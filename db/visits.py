"""Visits: whom the cameras of a property saw, and when; and the alarms that people raised."""

from typing import NamedTuple

from db.database import Reader, Transaction
from db.equipment import CAMERA


class Alert(NamedTuple):
    """An alarm; `at` in milliseconds since 1970."""

    id: int
    user_id: str
    at: int


class Visit(NamedTuple):
    """Somebody whom a camera saw; `at` in milliseconds since 1970."""

    user_id: str
    at: int


class Camera(NamedTuple):
    """A camera and the name to show for it."""

    id: int
    name: str


class DayCount(NamedTuple):
    """How many visits a camera saw on a day."""

    day: str
    camera_id: int
    visits: int


async def add_alert(sql: Transaction, property_id: int, user_id: str, now: int) -> int:
    """Record an alarm and return its id."""
    return await sql.insert(
        "INSERT INTO alerts (property_id, user_id, at) VALUES (?, ?, ?)",
        property_id,
        user_id,
        now,
    )


async def alerts(sql: Reader, property_id: int, limit: int, offset: int) -> list[Alert]:
    """Return a property's alarms, newest first."""
    return await sql.all(
        Alert,
        "SELECT id, user_id, at FROM alerts WHERE property_id = ?"
        " ORDER BY id DESC LIMIT ? OFFSET ?",
        property_id,
        limit,
        offset,
    )


async def add(sql: Transaction, property_id: int, camera_id: int, user_id: str, now: int) -> None:
    """Record a visit."""
    await sql.run(
        "INSERT INTO visits (property_id, camera_id, user_id, at) VALUES (?, ?, ?, ?)",
        property_id,
        camera_id,
        user_id,
        now,
    )


async def last(sql: Reader, property_id: int, limit: int) -> list[Visit]:
    """Return a property's last visits, newest first."""
    return await sql.all(
        Visit,
        "SELECT user_id, at FROM visits WHERE property_id = ? ORDER BY at DESC, id DESC LIMIT ?",
        property_id,
        limit,
    )


async def visitors_since(sql: Reader, property_id: int, since: int) -> list[str]:
    """Return who visited a property since a time, each once, the latest visitor first."""
    return await sql.all(
        str,
        "SELECT user_id FROM visits WHERE property_id = ? AND at >= ?"
        " GROUP BY user_id ORDER BY max(at) DESC, max(id) DESC",
        property_id,
        since,
    )


async def cameras(sql: Reader, property_id: int) -> list[Camera]:
    """Return the cameras of a property, named by their description or their type."""
    return await sql.all(
        Camera,
        "SELECT equipment.id, coalesce(nullif(description, ''), name) FROM equipment"
        " JOIN equipment_types ON equipment_types.id = type"
        " WHERE property_id = ? AND type = ? AND removed_at IS NULL ORDER BY equipment.id",
        property_id,
        CAMERA,
    )


async def counts(
    sql: Reader, property_id: int, spans: list[tuple[str, int, int]]
) -> list[DayCount]:
    """Count a property's visits by day and camera; a span is (day, start, end)."""
    rows = ", ".join(["(?, ?, ?)"] * len(spans))
    return await sql.all(
        DayCount,
        f"WITH days (day, start, stop) AS (VALUES {rows})"
        " SELECT day, camera_id, count(*) FROM days"
        " JOIN visits ON property_id = ? AND at >= start AND at < stop GROUP BY day, camera_id",
        *(value for span in spans for value in span),
        property_id,
    )
