"""A property with everything about it, as `/property show` shows it."""

from typing import NamedTuple

from db import (
    access,
    alarms,
    dispatches,
    emergencies,
    equipment,
    flights,
    properties,
    removals,
    visits,
)
from db.alarms import Alert
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.equipment import Equipment
from db.flights import Flight
from db.properties import Property, PropertyDetail
from db.removals import Removal
from db.users import User
from db.visits import Visit
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope, Share
from webhook.queries.models import OfProperty, existing_property
from webhook.queries.properties.removals import may_withdraw

LAST = 3
"""Alerts and visits of an overview, the newest."""


class PropertyOverview(NamedTuple):
    """A property, everything about it, and what the caller may do with it.

    `flights`: of drones that are out. `removal`: the open request. `share`: the caller's.
    """

    property_: Property
    detail: PropertyDetail | None
    equipment: list[Equipment]
    flights: list[Flight]
    has_free_drone: bool
    allowed_users: list[User]
    alerts: list[Alert]
    visits: list[Visit]
    removal: Removal | None
    emergencies: list[EmergencyCall]
    dispatches: list[DispatchCall]
    share: Share
    may_withdraw: bool


@operation(scope=Scope.READ, share=Share.ALLOWED)
async def get_property_overview(context: Context, ask: OfProperty) -> PropertyOverview:
    sql, number = context.read, ask.property_id
    property_ = await existing_property(sql, number)
    removal = await removals.open_of_property(sql, number)
    return PropertyOverview(
        property_=property_,
        detail=await properties.detail(sql, number),
        equipment=await equipment.of_property(sql, number),
        flights=await flights.open_of_property(sql, number),
        has_free_drone=bool(await flights.free_drones(sql, number)),
        allowed_users=await access.allowed_users(sql, number),
        alerts=await alarms.alerts(sql, number, LAST, 0),
        visits=await visits.last(sql, number, LAST),
        removal=removal,
        emergencies=await emergencies.open_at(sql, number),
        dispatches=await dispatches.open_at(sql, number),
        share=Share(await access.share_of(sql, number, context.caller.user_ids) or Share.NONE),
        may_withdraw=removal is not None and may_withdraw(context.caller, property_, removal),
    )
