"""Drones: send out, recall, list; and their flights."""

from functools import partial
from typing import Literal, NamedTuple

from db import equipment, flights, properties
from db.database import Reader
from db.equipment import Equipment
from db.flights import Flight
from db.properties import Property
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import Change, Context, Scope, Share
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import DroneDispatched, DroneRecalled
from webhook.protocol.wire import Id, Reply, Request, StatusReply, timestamp
from webhook.queries.alarm_steps import note_drone
from webhook.queries.models import (
    MAX_ROWS,
    IdText,
    ListPage,
    OfProperty,
    PageReply,
    PropertyLongList,
    PropertyReference,
    RowAtProperty,
    RowReply,
    SearchPage,
    Sentence,
    Timestamp,
    count_rows,
    equipment_subject,
    existing_property,
    flight_subject,
    own_property_ids,
    page_fields,
    with_external_ids,
)
from webhook.queries.properties.find import suggest_properties

table = Catalogue()


class OfDrone(Request):
    """One drone."""

    drone_id: Id

    async def which_property(self, sql: Reader) -> int | None:
        drone = await equipment.get(sql, self.drone_id)
        return None if drone is None else drone.property_id


class OfFlight(Request):
    """One flight."""

    flight_id: Id

    async def which_property(self, sql: Reader) -> int | None:
        flight = await flights.get(sql, self.flight_id)
        return None if flight is None else flight.property_id


class DronesOut(NamedTuple):
    """A page of the open flights, the oldest first, and how many there are in all."""

    flights: list[Flight]
    total: int


class WhichDrone(OfProperty):
    """Which drone to send out, any free one if none is given, and why."""

    drone_id: Id | None = None
    reason: Sentence = ""


class FlightPage(PropertyReference, ListPage):
    """A page of the flights: of all, of a property, of a drone, or of both."""

    drone_id: Id | None = None


class Dispatched(Reply):
    """The drone that was sent out."""

    drone_id: int


class Recalled(StatusReply):
    """Whether the drone was out."""

    success: Literal[True] = True
    changed: bool


class FreeDrone(RowReply):
    """A drone that is not out."""

    id: IdText
    drone_id: int
    description: str


class FreeDrones(Reply):
    """The drones of a property that are not out."""

    drones: list[FreeDrone]
    drone_ids: list[int]


class DispatchedDrone(RowAtProperty):
    """A drone that is out."""

    id: str
    drone_id: int
    description: str
    dispatched_at: str


class DispatchedDrones(PageReply):
    """Some of the drones that are out."""

    drones: list[DispatchedDrone]


class FlightData(RowAtProperty):
    """A flight; the last two fields are null while the drone is out."""

    id: int
    drone_id: int
    description: str
    reason: str
    dispatched_at: Timestamp
    dispatched_by: str
    recalled_at: Timestamp | None
    recalled_by: str | None


class FlightList(PageReply):
    """Some of the flights, newest first."""

    flights: list[FlightData]


@table.query("dispatch-drone", scope=Scope.WRITE, share=Share.ALLOWED)
async def dispatch_drone(context: Context, ask: WhichDrone) -> Dispatched:
    """Send out any free drone of the property, or the given one."""
    async with context.change() as change:
        await existing_property(change.sql, ask.property_id)
        flight = await flights.open_any(
            change.sql,
            ask.property_id,
            context.caller.name,
            change.happened,
            ask.drone_id,
            ask.reason,
        )
        if flight is None and ask.drone_id is not None:
            await _require_drone(change, ask.property_id, ask.drone_id)
            raise Conflict("drone {drone} is already out", drone=ask.drone_id)
        if flight is None:
            raise Conflict("property {property} has no free drone", property=ask.property_id)
        await change.audit(
            "dispatch-drone",
            equipment_subject(flight.drone_id),
            before={"out": False},
            after={"out": True, "property": flight.property_id, "reason": flight.reason},
        )
        alarm = await note_drone(change, ask.property_id, flight.drone_id)
        event = DroneDispatched(property_id=flight.property_id, drone_id=flight.drone_id)
        await change.emit(event, flight_subject(flight.id), *alarm)
    return Dispatched(drone_id=flight.drone_id)


@table.query("recall-drone", scope=Scope.WRITE, share=Share.ALLOWED)
async def recall_drone(context: Context, ask: OfDrone) -> Recalled:
    """Recall a drone; one that is not out stays where it is."""
    async with context.change() as change:
        flight = await flights.open_of_drone(change.sql, ask.drone_id)
        if flight is None:
            stored = await equipment.get(change.sql, ask.drone_id)
            if stored is None or stored.type != equipment.DRONE:
                raise NotFound("there is no drone {id}", id=ask.drone_id)
            if context.caller.is_person:
                raise Conflict("drone {drone} is not out", drone=ask.drone_id)
            return Recalled(message=f"Drone {ask.drone_id} is not out", changed=False)
        await close_flight(change, flight)
    return Recalled(message=f"Drone {ask.drone_id} recalled", changed=True)


@table.query("get-dispatched-drones", scope=Scope.READ)
async def get_dispatched_drones(context: Context, ask: SearchPage) -> DispatchedDrones:
    """List the drones that are out, the longest out first."""
    page = await flights.page_of_open(context.read, ask.search, ask.limit, ask.offset)
    total = await count_rows(ask, page, partial(flights.count_open, context.read, ask.search))
    drones = [
        DispatchedDrone(
            id=str(flight.drone_id),
            drone_id=flight.drone_id,
            description=flight.description,
            property_id=flight.property_id,
            dispatched_at=timestamp(flight.dispatched_at),
        )
        for flight in page
    ]
    found = await with_external_ids(context.read, drones)
    return DispatchedDrones(drones=found, **page_fields(ask, total))


@table.query("get-free-drones", scope=Scope.READ, share=Share.ALLOWED)
async def get_free_drones(context: Context, ask: PropertyLongList) -> FreeDrones:
    """List the drones of a property that are not out."""
    await existing_property(context.read, ask.property_id)
    free = await flights.free_drones(context.read, ask.property_id, ask.limit, ask.offset)
    drones = [
        FreeDrone(id=str(row.id), drone_id=row.id, description=row.description) for row in free
    ]
    return FreeDrones(drones=drones, drone_ids=[row.id for row in free])


@table.query("get-drone-flights", scope=Scope.READ)
async def get_drone_flights(context: Context, ask: FlightPage) -> FlightList:
    """List flights, newest first: all, or those of a property or a drone."""
    page = await list_flights(context, ask)
    counted = partial(flights.count, context.read, ask.property_id, ask.drone_id)
    total = await count_rows(ask, page, counted)
    found = await with_external_ids(context.read, [FlightData.of(row) for row in page])
    return FlightList(flights=found, **page_fields(ask, total))


@operation(scope=Scope.WRITE, share=Share.ALLOWED)
async def get_flight(context: Context, ask: OfFlight) -> Flight:
    """Return a flight.

    Raises:
        NotFound: there is no such flight.
    """
    flight = await flights.get(context.read, ask.flight_id)
    if flight is None:
        raise NotFound("this flight is no longer stored")
    return flight


@operation(scope=Scope.READ)
async def list_flights(context: Context, ask: FlightPage) -> list[Flight]:
    """Return flights, newest first: all, or those of a property or a drone."""
    return await flights.page(context.read, ask.property_id, ask.drone_id, ask.limit, ask.offset)


@operation(scope=Scope.NONE)
async def list_drones_out(context: Context, ask: SearchPage) -> DronesOut:
    """Return the flights of the drones that are out; to those without a role those of their own.

    Raises:
        Forbidden: they have no property.
    """
    if context.caller.scope < Scope.READ:
        own = await own_property_ids(context.read, context.caller)
        theirs = await flights.open_of_properties(context.read, own)
        return DronesOut(theirs[ask.offset : ask.offset + ask.limit], len(theirs))
    found = await flights.page_of_open(context.read, ask.search, ask.limit, ask.offset)
    return DronesOut(found, await flights.count_open(context.read))


@operation(scope=Scope.NONE)
async def suggest_drones_out(context: Context, ask: SearchPage) -> list[Flight]:
    """Return the flights of drones that are out; to those without a role those of their own."""
    if context.caller.scope >= Scope.READ:
        return await flights.page_of_open(context.read, ask.search, ask.limit, ask.offset)
    own = await properties.held_by(context.read, context.caller.user_ids, "", MAX_ROWS)
    return await flights.open_of_properties(context.read, [row.id for row in own])


@operation(scope=Scope.NONE)
async def suggest_with_drone(context: Context, ask: SearchPage) -> list[Property]:
    """Return the best matches that have a free drone; to callers without a role only their own."""
    looked_at = ask.model_copy(update={"limit": MAX_ROWS})
    found: list[Property] = []
    for property_ in await suggest_properties(context, looked_at):
        if await flights.free_drones(context.read, property_.id):
            found.append(property_)
            if len(found) == ask.limit:
                break
    return found


@operation(scope=Scope.READ)
async def suggest_drones(context: Context, ask: SearchPage) -> list[Equipment]:
    return await equipment.suggest(context.read, ask.search, equipment.DRONE, ask.limit)


async def close_flight(change: Change, flight: Flight) -> None:
    """Recall a drone that is out."""
    await flights.close(change.sql, flight.id, change.caller.name, change.happened)
    await change.audit(
        "recall-drone",
        equipment_subject(flight.drone_id),
        before={"out": True, "property": flight.property_id},
        after={"out": False},
    )
    event = DroneRecalled(property_id=flight.property_id, drone_id=flight.drone_id)
    await change.emit(event, flight_subject(flight.id))


async def _require_drone(change: Change, property_id: int, drone_id: int) -> None:
    stored = await equipment.get(change.sql, drone_id)
    if stored is None or (stored.property_id, stored.type) != (property_id, equipment.DRONE):
        raise NotFound(
            "property {property} has no drone {number}", property=property_id, number=drone_id
        )
