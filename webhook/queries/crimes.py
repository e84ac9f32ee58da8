"""Crimes: report, count by day."""

from typing import Annotated

from pydantic import Field

from db import crimes, users
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


class DayCrimes(Reply):
    """How many crimes a day had; 1 is today, 2 yesterday, 3 the day before."""

    day: int
    count: int


class CrimesInArea(Reply):
    """The crimes of the last days."""

    crimes: list[DayCrimes]


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
            Crime(property_id=ask.property_id, client_id=ask.client_id, crime_id=number), *about
        )
    return Added(id=number)


@table.query("get-crimes-in-area", scope=Scope.READ)
async def get_crimes_in_area(context: Context, ask: CrimeArea) -> CrimesInArea:
    """Count the crimes of the last three days, or of more; day 1 is today."""
    span = last_days(ask.days, context.now(), context.zone)
    counted = dict(await crimes.counts(context.read, span, await _area(context, ask)))
    newest_first = enumerate(reversed(span), 1)
    return CrimesInArea(
        crimes=[DayCrimes(day=number, count=counted[day.name]) for number, day in newest_first]
    )


async def _area(context: Context, ask: CrimeArea) -> Circle | int | None:
    if ask.property_id is None:
        return None
    property_ = await existing_property(context.read, ask.property_id)
    if ask.radius is None:
        return property_.id
    return Circle(property_.x, property_.y, ask.radius)
