"""`/drone`: dispatch, recall, list, history; and the buttons on a flight's and a call's card."""

import discord
from discord import app_commands
from discord.app_commands import Range

from cogs.i18n.language import _
from cogs.ui.buttons import button, read_number
from cogs.ui.names import drone_label, linked_name, location_of
from cogs.ui.options import (
    DroneOption,
    DroneOutOption,
    FreeDroneOption,
    PropertyOption,
    PropertyWithDroneOption,
    property_option,
)
from cogs.ui.pages import ListRows, PagedLists, Row, reply_page
from cogs.ui.permissions import needs
from cogs.ui.resolve import resolve_drone, resolve_equipment
from cogs.ui.responder import AlreadyDone, SentinelGroup, reply_text
from cogs.ui.text import duration, inert_line, timestamp, who
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict
from webhook.protocol.events import Subject
from webhook.protocol.wire import validate
from webhook.queries.alarms import open_alarm_at
from webhook.queries.models import OfProperty, SearchPage
from webhook.queries.properties.drones import (
    FlightPage,
    OfDrone,
    OfFlight,
    WhichDrone,
    dispatch_drone,
    get_flight,
    list_drones_out,
    list_flights,
    recall_drone,
)
from webhook.queries.properties.find import find_property
from webhook.queries.properties.overview import get_property_overview
from webhook.queries.rows import DRONE, Flight

MAX_REASON = 500

lists = PagedLists()


class DroneCommands(SentinelGroup, group_name="drone", group_description="Property drones"):
    @app_commands.command(
        description="Send out a free drone of a property",
        extras=needs(Scope.WRITE, or_allowed=True),
    )
    @property_option(
        drone="Only this drone; the free ones are offered",
        reason="Why; shown on the card of the flight",
    )
    async def dispatch(
        self,
        interaction: discord.Interaction,
        property_: PropertyWithDroneOption,
        drone: FreeDroneOption | None = None,
        reason: Range[str, 1, MAX_REASON] | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        ask = WhichDrone(
            property_id=found.id,
            drone_id=await _drone_id(context, found.id, drone),
            reason=reason or "",
        )
        await reply_text(interaction, await send_drone(context, ask))

    @app_commands.command(description="Recall a drone", extras=needs(Scope.WRITE, or_allowed=True))
    @app_commands.describe(drone="The drone; those that are out are offered")
    async def recall(self, interaction: discord.Interaction, drone: DroneOutOption) -> None:
        context = await self._responder.defer(interaction)
        ask = OfDrone(drone_id=await resolve_drone(context, drone))
        await recall_drone(context, ask)
        await reply_text(interaction, await _recalled(context, ask.drone_id))

    @app_commands.command(
        name="list",
        description="Show the drones that are out, or all drones of a property",
        extras=needs(Scope.READ, or_allowed=True),
    )
    @property_option("Show all drones of this property, out or free")
    async def list_(
        self, interaction: discord.Interaction, property_: PropertyOption | None = None
    ) -> None:
        context = await self._responder.defer(interaction)
        if property_ is None:
            page = await drones_out.page(context)
        else:
            found = await find_property(context, property_)
            page = await fleet.page(context, str(found.id))
        await reply_page(interaction, page)

    @app_commands.command(
        description="Show where drones were sent, the newest flight first", extras=needs(Scope.READ)
    )
    @property_option("Only those of this property", drone="Only those of this drone")
    async def history(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption | None = None,
        drone: DroneOption | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        property_id, drone_id = None, None
        if property_ is not None:
            property_id = (await find_property(context, property_)).id
            drone_id = await _drone_id(context, property_id, drone)
        elif drone is not None:
            drone_id = validate(OfDrone, {"droneId": drone}).drone_id
        argument = f"{property_id or ''}:{drone_id or ''}"
        await reply_page(interaction, await flights.page(context, argument))

    @button("flight:recall", Scope.WRITE, or_allowed=True)
    async def recall_button(self, interaction: discord.Interaction, flight_id: int) -> None:
        context = await self._responder.defer(interaction)
        ask = OfFlight(flight_id=flight_id)
        flight = await _still_out(context, await get_flight(context, ask))
        try:
            await recall_drone(context, OfDrone(drone_id=flight.drone_id))
        except Conflict:
            await _still_out(context, await get_flight(context, ask))
            raise
        await reply_text(interaction, await _recalled(context, flight.drone_id))

    @button("call:drone", Scope.WRITE, or_allowed=True)
    async def dispatch_button(self, interaction: discord.Interaction, property_id: int) -> None:
        """Send out a drone of the property that a call's card says it is at."""
        context = await self._responder.defer(interaction)
        ask = WhichDrone(property_id=property_id)
        await reply_text(interaction, await send_drone(context, ask))


@lists.declare("drones", Scope.READ, or_allowed=True)
async def drones_out(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    found = await list_drones_out(context, SearchPage(limit=limit, offset=offset))
    rows = [await _row_of_flight(context, flight) for flight in found.flights]
    return ListRows(_("Drones out"), rows, _("No drones are out."), found.total)


async def _row_of_flight(context: Context, flight: Flight) -> Row:
    subject = Subject("flight", str(flight.id))
    name = f"{flight.drone_id} · {inert_line(flight.description, 40)}"
    parts = [
        await linked_name(context.read, subject, name),
        await location_of(context.read, flight.property_id),
        timestamp(flight.dispatched_at),
    ]
    return Row(" · ".join(parts), f"card:open:{subject}")


@lists.declare("fleet", Scope.READ, or_allowed=True)
async def fleet(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    """List the drones of a property; those that are out lead to their flight."""
    found = await get_property_overview(context, OfProperty(property_id=read_number(argument)))
    out = {flight.drone_id: flight for flight in found.flights}
    rows = []
    for row in found.equipment:
        name = f"{row.id} · {inert_line(row.description, 40)}"
        if row.type == DRONE and row.id not in out:
            rows.append(Row(f"{name} · {_('free')}"))
        elif row.type == DRONE:
            since = _("out since {when}").format(when=timestamp(out[row.id].dispatched_at))
            rows.append(Row(f"{name} · {since}", f"card:open:flight:{out[row.id].id}"))
    where = inert_line(found.property_.location, 200)
    title = _("Drones · {where}").format(where=where)
    return ListRows.part(title, rows, _("No drones."), limit, offset)


@lists.declare("flights", Scope.READ)
async def flights(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    property_id, _colon, drone_id = argument.partition(":")
    page = FlightPage(
        property_id=read_number(property_id) if property_id else None,
        drone_id=read_number(drone_id) if drone_id else None,
        limit=limit,
        offset=offset,
    )
    rows = [Row(await _flight_line(context, row)) for row in await list_flights(context, page)]
    title = _("Flights of drone {id}").format(id=drone_id) if drone_id else _("Flights")
    if property_id and not drone_id:
        where = await location_of(context.read, int(property_id))
        title = _("Flights · {where}").format(where=where)
    return ListRows(title, rows, _("No flights yet."))


async def _flight_line(context: Context, flight: Flight) -> str:
    if flight.recalled_at is None:
        state = _("out")
    else:
        state = duration(flight.recalled_at - flight.dispatched_at)
    parts = [
        f"<t:{flight.dispatched_at // 1000}:f>",
        str(flight.drone_id),
        await location_of(context.read, flight.property_id),
        who(flight.dispatched_by),
        state,
    ]
    reason = inert_line(flight.reason, 60, blank="")
    return " · ".join([*parts, reason] if reason else parts)


async def _drone_id(context: Context, property_id: int, drone: str | None) -> int | None:
    if drone is None:
        return None
    return (await resolve_equipment(context, property_id, drone, DRONE)).id


async def _recalled(context: Context, drone_id: int) -> str:
    drone = await drone_label(context.read, drone_id)
    return _("Drone {drone} recalled.").format(drone=drone)


async def send_drone(context: Context, ask: WhichDrone) -> str:
    """Send a drone out; return what to answer."""
    sent = await dispatch_drone(context, ask)
    where = await location_of(context.read, ask.property_id, 200)
    drone = await drone_label(context.read, sent.drone_id)
    text = _("Drone {drone} took off from **{where}**.").format(drone=drone, where=where)
    alarm = await open_alarm_at(context, ask)
    if alarm is None or alarm.acknowledged_by != context.caller.name:
        return text
    return f"{text} {_('You are handling the alarm there.')}"


async def _still_out(context: Context, flight: Flight) -> Flight:
    """Return a flight whose drone is out.

    Raises:
        AlreadyDone: it was recalled.
    """
    if flight.recalled_at is not None:
        text = _("Drone {drone} was already recalled by {who}.")
        drone = await drone_label(context.read, flight.drone_id)
        raise AlreadyDone(text.format(drone=drone, who=who(flight.recalled_by or "")))
    return flight
