"""Visits: who was seen by which camera of a property, and when."""

from collections.abc import Sequence
from typing import NamedTuple

from db.database import Reader, Transaction
from db.days import Span, with_days
from db.equipment import CAMERA


class Visit(NamedTuple):
    """Somebody that a camera saw; `at` in milliseconds since 1970."""

    user_id: str
    at: int


class Camera(NamedTuple):
    id: int
    name: str


class VisitsOfDay(NamedTuple):
    """How many visits a camera saw on a day; `camera_id` is None for those that none saw."""

    day: str
    camera_id: int | None
    visits: int


async def add(
    sql: Transaction, property_id: int, camera_id: int | None, user_id: str, now: int
) -> None:
    visit = {"property_id": property_id, "camera_id": camera_id, "user_id": user_id, "at": now}
    await sql.insert("visits", **visit)


async def last(sql: Reader, property_id: int, limit: int) -> list[Visit]:
    """Return a property's last visits, newest first."""
    newest = "visits WHERE property_id = ? ORDER BY at DESC, id DESC LIMIT ?"
    return await sql.select(Visit, newest, property_id, limit)


async def visitors_since(
    sql: Reader, property_id: int, since: int, limit: int, offset: int
) -> list[str]:
    """Return who visited a property since a time, each once, the latest visitor first."""
    visitors = (
        "SELECT user_id FROM visits WHERE property_id = ? AND at >= ?"
        " GROUP BY user_id ORDER BY max(at) DESC, max(id) DESC LIMIT ? OFFSET ?"
    )
    return await sql.all(str, visitors, property_id, since, limit, offset)


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


async def counts(sql: Reader, property_id: int, spans: Sequence[Span]) -> list[VisitsOfDay]:
    """Count a property's visits by day and camera, those of removed cameras and of none too."""
    days, parameters = with_days(spans)
    return await sql.all(
        VisitsOfDay,
        f"WITH {days}, cameras (camera) AS ("
        "SELECT id FROM equipment WHERE property_id = ? AND type = ? AND removed_at IS NULL"
        " UNION ALL"
        " SELECT id FROM equipment WHERE property_id = ? AND type = ? AND removed_at IS NOT NULL"
        " UNION ALL SELECT NULL)"
        " SELECT day, camera, (SELECT count(*) FROM visits WHERE property_id = ?"
        "  AND camera_id IS camera AND at >= start AND at < stop) FROM days, cameras",
        *parameters,
        *(property_id, CAMERA) * 2,
        property_id,
    )
