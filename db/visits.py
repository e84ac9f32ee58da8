"""Visits: whom the cameras of a property saw, and when."""

from collections.abc import Sequence
from typing import NamedTuple

from db.database import Reader, Transaction
from db.days import Span, with_days
from db.equipment import CAMERA


class Visit(NamedTuple):
    """Somebody whom a camera saw; `at` in milliseconds since 1970."""

    user_id: str
    at: int


class Camera(NamedTuple):
    """A camera and the name to show for it."""

    id: int
    name: str


class VisitsOfDay(NamedTuple):
    """How many visits a camera saw on a day."""

    day: str
    camera_id: int
    visits: int


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
        "SELECT user_id FROM visitors WHERE property_id = ? AND at >= ?"
        " ORDER BY at DESC, visit_id DESC",
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


_UNTIL = (
    "coalesce((SELECT visits FROM visit_totals WHERE property_id = ?1 AND camera_id = camera"
    " AND at < {} ORDER BY at DESC LIMIT 1), 0)"
)
_FIRST_CAMERA = "SELECT min(camera_id) FROM visit_totals WHERE property_id = ?1"


async def counts(sql: Reader, property_id: int, spans: Sequence[Span]) -> list[VisitsOfDay]:
    """Count a property's visits by day and camera, those of removed cameras too.

    Each camera that ever saw somebody is looked up behind the one before it, and then its total at
    the beginning and the end of each day: so it does not matter how many visits there were.
    """
    days, parameters = with_days(spans)
    return await sql.all(
        VisitsOfDay,
        f"WITH RECURSIVE cameras (camera) AS ({_FIRST_CAMERA}"
        f" UNION ALL SELECT ({_FIRST_CAMERA} AND camera_id > camera) FROM cameras"
        f" WHERE camera IS NOT NULL), {days}"
        f" SELECT day, camera, {_UNTIL.format('stop')} - {_UNTIL.format('start')}"
        " FROM cameras, days WHERE camera IS NOT NULL",
        property_id,
        *parameters,
    )
