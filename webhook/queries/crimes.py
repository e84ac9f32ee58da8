"""Crimes: report, count by day."""

from typing import Annotated

from pydantic import Field

from db import crimes, properties, users
from db.crimes import Circle
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.events import Crime
from webhook.protocol.wire import ROUNDED, WHOLE, Reply, UserId
from webhook.queries.days import last_days
from webhook.queries.models import (
    Added,
    PropertyReference,
    Sentence,
    existing_property,
    is_none,
    property_subject,
)

table = Catalogue()

DAYS = 3
MOST_DAYS = 31
EVERYWHERE = 100_000
"""Metres; further than the map is wide."""


class NewCrime(PropertyReference):
    """A crime to report; every field may be unknown."""

    client_id: UserId | None = None
    description: Sentence = ""


class CrimeArea(PropertyReference):
    """Where to count: everywhere, at a property, or at the properties around it."""

    radius: Annotated[int, Field(ge=0, le=EVERYWHERE), ROUNDED] | None = None
    days: Annotated[int, Field(ge=1, le=MOST_DAYS), WHOLE] = DAYS


class CrimesAgo(Reply):
    """How many crimes there were so many days ago: 1 is yesterday."""

    day: int
    count: int


class CrimesOn(Reply):
    """How many crimes a date had; `days_ago` is 0 today."""

    date: str
    days_ago: int
    count: int


class CrimesInArea(Reply):
    """The crimes of the last full days, of today, and of both by date, today first.

    `property_found`: whether there is the property that was asked for; without it, crimes
    everywhere are counted.
    """

    crimes: list[CrimesAgo]
    today: int
    days: list[CrimesOn]
    property_found: Annotated[bool | None, Field(exclude_if=is_none)] = None


@table.query("add-crime", scope=Scope.WRITE)
async def add_crime(context: Context, ask: NewCrime) -> Added:
    """Report a crime."""
    async with context.change() as change:
        about = []
        if ask.property_id is not None:
            await existing_property(change.sql, ask.property_id)
            about.append(property_subject(ask.property_id))
        if ask.client_id is not None:
            await users.add_seen(change.sql, ask.client_id)
        number = await crimes.add(
            change.sql, ask.property_id, ask.client_id, ask.description, change.happened
        )
        await change.emit(
            Crime(
                **ask.model_dump(include={"property_id", "client_id"}, exclude_none=True),
                crime_id=number,
            ),
            *about,
        )
    return Added(id=number)


@table.query("get-crimes-in-area", scope=Scope.READ)
async def get_crimes_in_area(context: Context, ask: CrimeArea) -> CrimesInArea:
    """Count the crimes of today and of the last three days, or of more; day 1 is yesterday."""
    span = last_days(ask.days + 1, context.now(), context.zone)
    property_ = None
    if ask.property_id is not None:
        property_ = await properties.get(context.read, ask.property_id)
    area: Circle | int | None = None if property_ is None else property_.id
    if property_ is not None and ask.radius is not None:
        area = Circle(property_.x, property_.y, ask.radius)
    counted = dict(await crimes.counts(context.read, span, area))
    by_date = [
        CrimesOn(date=day.name, days_ago=ago, count=counted[day.name])
        for ago, day in enumerate(reversed(span))
    ]
    today, *earlier = by_date
    return CrimesInArea(
        crimes=[CrimesAgo(day=day.days_ago, count=day.count) for day in earlier],
        today=today.count,
        days=by_date,
        property_found=None if ask.property_id is None else property_ is not None,
    )
