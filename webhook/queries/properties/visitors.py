"""Visits: whom the cameras of a property saw, and when."""

import re
from collections import defaultdict
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from db import equipment, users, visits
from db.database import Reader
from db.visits import Camera
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.errors import FieldProblem, InvalidData, InvalidValue
from webhook.protocol.events import Scanned, VisitRecorded
from webhook.protocol.wire import Id, Reply, Success
from webhook.queries.days import days, last_days
from webhook.queries.models import (
    OfProperty,
    PropertyLongList,
    UserAtProperty,
    existing_property,
    is_none,
    property_subject,
)

table = Catalogue()

WEEK = 7
LONGEST_SPAN = 366

_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")


def _parse_day(value: object) -> object:
    written = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        day = date(*map(int, written.groups())) if written is not None else None
    except ValueError:  # there is no 30th of February
        day = None
    if day is None:
        raise InvalidValue("must be a day, like 2026-11-23")
    if not 1970 <= day.year <= 2999:
        raise InvalidValue("must be a day between the years 1970 and 2999")
    return day


DayName = Annotated[date, BeforeValidator(_parse_day)]
"""A calendar day of the community's time zone, `YYYY-MM-DD`."""


class NewVisit(UserAtProperty):
    """Who visited a property, and which camera saw them, if one did."""

    camera_id: Id | None = None


class VisitStored(Success):
    """`warning`: why the visit was stored without a camera."""

    warning: Annotated[str | None, Field(exclude_if=is_none)] = None


class DayRange(OfProperty):
    """From one day to another, both included."""

    first: Annotated[DayName, Field(alias="from")]
    last: Annotated[DayName, Field(alias="to")]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise InvalidData(FieldProblem("from", "must not be after the last day"))
        if (self.last - self.first).days >= LONGEST_SPAN:
            raise InvalidData(
                FieldProblem("to", "must be within {days} days of the first", days=LONGEST_SPAN)
            )
        return self


class CameraWeek(Reply):
    """A camera's visits by day; days without any are left out."""

    name: str
    data: dict[str, int]


class CameraWeekdays(Reply):
    """A camera's visits by day of the week, from 1, Sunday, to 7."""

    name: str
    data: dict[str, int]


class WeeklyVisitors(Reply):
    """Who came in the last seven days, and the visits by camera, and without one.

    Beside these fields each camera has one, its id, with its visits by day of the week.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, CameraWeekdays]

    visitors: list[str]
    cameras: dict[str, CameraWeek]
    without_camera: Annotated[dict[str, int] | None, Field(exclude_if=is_none)] = None


class DayVisitors(Reply):
    """How many visits a day had; `day_of_week` is 1 on Sundays, 7 on Saturdays."""

    day: str
    day_of_week: Annotated[int, Field(default_factory=lambda row: _day_of_week(row["day"]))]
    count: int


class ScannedVisitors(Reply):
    """Visits by day, under two names; days without any are 0."""

    visitors: list[DayVisitors]
    scanned_visitors: Annotated[
        list[DayVisitors], Field(default_factory=lambda reply: reply["visitors"])
    ]


@table.query("add-visitor", scope=Scope.WRITE)
async def add_visitor(context: Context, ask: NewVisit) -> VisitStored:
    """Record a visit that a camera of a property saw, or a script."""
    async with context.change() as change:
        await existing_property(change.sql, ask.property_id)
        camera_id, warning = await _camera(change.sql, ask)
        await users.add_seen(change.sql, ask.user_id)
        await visits.add(change.sql, ask.property_id, camera_id, ask.user_id, change.happened)
        subject = property_subject(ask.property_id)
        given: dict[str, Any] = {} if camera_id is None else {"camera_id": camera_id}
        event = VisitRecorded(property_id=ask.property_id, client_id=ask.user_id, **given)
        await change.emit(event, subject)
        await change.emit(Scanned(property_id=str(ask.property_id), client_id=ask.user_id), subject)
    return VisitStored(warning=warning)


async def _camera(sql: Reader, ask: NewVisit) -> tuple[int | None, str | None]:
    """Return the camera that saw a visit; none, and why, if the property has no such camera."""
    if ask.camera_id is None:
        return None, None
    found = await equipment.get(sql, ask.camera_id)
    if found and (found.property_id, found.type) == (ask.property_id, equipment.CAMERA):
        return found.id, None
    absent = f"property {ask.property_id} has no camera {ask.camera_id}"
    return None, f"{absent}; the visit is stored without one"


@table.query("get-weekly-visitors", scope=Scope.READ, share=Share.OWNER)
async def get_weekly_visitors(context: Context, ask: PropertyLongList) -> WeeklyVisitors:
    """List who came in the last seven days, and count by camera and day; today is the last."""
    await existing_property(context.read, ask.property_id)
    week = last_days(WEEK, context.now(), context.zone)
    seen: defaultdict[int | None, dict[str, int]] = defaultdict(dict)
    for row in await visits.counts(context.read, ask.property_id, week):
        if row.visits:
            seen[row.camera_id][row.day] = row.visits
    cameras = await visits.cameras(context.read, ask.property_id)
    return WeeklyVisitors(
        visitors=await visits.visitors_since(
            context.read, ask.property_id, week[0].start, ask.limit, ask.offset
        ),
        cameras={
            str(camera.id): CameraWeek(name=camera.name, data=seen[camera.id]) for camera in cameras
        },
        without_camera=seen.get(None),
        **{str(camera.id): _by_weekday(camera, seen[camera.id]) for camera in cameras},
    )


def _by_weekday(camera: Camera, visits_of_days: dict[str, int]) -> CameraWeekdays:
    data = dict.fromkeys(map(str, range(1, WEEK + 1)), 0)
    for day, count in visits_of_days.items():
        data[str(_day_of_week(day))] += count
    return CameraWeekdays(name=camera.name, data=data)


def _day_of_week(day: str) -> int:
    """Return 1 for a Sunday, 7 for a Saturday."""
    return date.fromisoformat(day).isoweekday() % WEEK + 1


@table.query("get-scanned-visitors", scope=Scope.READ, share=Share.OWNER)
async def get_scanned_visitors(context: Context, ask: DayRange) -> ScannedVisitors:
    """Count a property's visits by day."""
    await existing_property(context.read, ask.property_id)
    span = days(ask.first, ask.last, context.zone)
    totals = dict.fromkeys((day.name for day in span), 0)
    for row in await visits.counts(context.read, ask.property_id, span):
        totals[row.day] += row.visits
    return ScannedVisitors(
        visitors=[DayVisitors(day=day, count=count) for day, count in totals.items()]
    )
