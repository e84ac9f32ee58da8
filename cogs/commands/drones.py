"""`/drone`: send out, call back, list, look back; and the button on a flight's card."""

from functools import partial

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from cogs.i18n.language import _
from cogs.ui.buttons import ButtonHandler
from cogs.ui.meant import resolve_equipment
from cogs.ui.options import (
    any_drone_choices,
    drone_choices,
    free_drone_choices,
    property_choices,
    resolve_property,
)
from cogs.ui.pages import ListReader, ListRows, list_page
from cogs.ui.permissions import needs
from cogs.ui.responder import AlreadyDone, Responder, reply_embed, reply_text
from cogs.ui.text import duration, inert_line, timestamp, who
from db import flights, properties
from db.equipment import DRONE
from db.flights import Flight
from webhook.protocol.catalogue import authorise
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.wire import validate
from webhook.queries.drones import (
    OfDrone,
    WhichDrone,
    dispatch_drone,
    get_dispatched_drones,
    get_free_drones,
    recall_drone,
)
from webhook.queries.models import OfProperty, SearchPage
from webhook.queries.property_data import existing_property

REASON = 500


@app_commands.guild_only()
class DroneCommands(commands.GroupCog, group_name="drone", group_description="Property drones"):
    """The drones of the properties."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(
        description="Send out a free drone of a property", extras=needs(Scope.WRITE, or_own=True)
    )
    @app_commands.describe(
        property="The property; type a part of its name",
        drone="This drone and no other; the free ones are offered",
        reason="Why; it stands on the card of the flight",
    )
    async def dispatch(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        drone: str | None = None,
        reason: Range[str, 1, REASON] | None = None,
    ) -> None:
        """Send out a drone."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            number = None
            if drone is not None:
                number = (await resolve_equipment(context, place.id, drone, DRONE)).id
            which = WhichDrone(property_id=place.id, drone_id=number, reason=reason or "")
            await _send_out(context, interaction, which)

    @app_commands.command(description="Call a drone back", extras=needs(Scope.WRITE, or_own=True))
    @app_commands.describe(drone="The drone; those that are out are offered")
    async def recall(self, interaction: discord.Interaction, drone: str) -> None:
        """Call a drone back."""
        async with self._responder.deferred(interaction) as context:
            wanted = validate(OfDrone, {"droneId": drone})
            await recall_drone(context, wanted)
            await reply_text(interaction, _("Drone {id} recalled.").format(id=wanted.drone_id))

    @app_commands.command(
        name="list", description="Show the drones that are out", extras=needs(Scope.READ)
    )
    @app_commands.describe(property="Show the free drones of this property instead")
    async def list_(
        self,
        interaction: discord.Interaction,
        property: str | None = None,  # noqa: A002
    ) -> None:
        """List drones."""
        async with self._responder.deferred(interaction) as context:
            if property is None:
                await reply_embed(interaction, await list_page(context, LISTS, "drones"))
            else:
                place = await resolve_property(context, property)
                await reply_embed(
                    interaction, await list_page(context, LISTS, "free", str(place.id))
                )

    @app_commands.command(
        description="Show where drones were sent, the newest flight first", extras=needs(Scope.READ)
    )
    @app_commands.describe(property="Only those of this property", drone="Only those of this drone")
    async def history(
        self,
        interaction: discord.Interaction,
        property: str | None = None,  # noqa: A002
        drone: str | None = None,
    ) -> None:
        """List flights."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property) if property is not None else None
            number = ""
            if drone is not None and place is not None:
                number = str((await resolve_equipment(context, place.id, drone, DRONE)).id)
            elif drone is not None:
                number = str(validate(OfDrone, {"droneId": drone}).drone_id)
            argument = f"{'' if place is None else place.id}:{number}"
            await reply_embed(interaction, await list_page(context, LISTS, "flights", argument))

    @dispatch.autocomplete("property")
    @list_.autocomplete("property")
    @history.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)

    @dispatch.autocomplete("drone")
    async def _free_drones(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        offer = partial(free_drone_choices, place=interaction.namespace.property)
        return await self._responder.choices(interaction, offer, typed)

    @history.autocomplete("drone")
    async def _all_drones(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        offer = partial(any_drone_choices, place=interaction.namespace.property)
        return await self._responder.choices(interaction, offer, typed)

    @recall.autocomplete("drone")
    async def _drones_out(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, drone_choices, typed)


async def _out(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    out = (await get_dispatched_drones(context, SearchPage(limit=limit, offset=offset))).drones
    lines = []
    for drone in out:
        flight = await flights.open_of_drone(context.read, int(drone.id))
        since = f" · {timestamp(flight.dispatched_at)}" if flight is not None else ""
        where = await _where(context, drone.property_id)
        lines.append(f"{drone.id} · {inert_line(drone.description, 40)} · {where}{since}")
    total = await flights.count_open(context.read)
    return ListRows(_("Drones that are out"), lines, _("No drone is out."), total)


async def _free(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    place = await existing_property(context.read, int(argument))
    free = (await get_free_drones(context, OfProperty(property_id=place.id))).drones
    lines = [f"{drone.id} · {inert_line(drone.description, 40)}" for drone in free]
    where = inert_line(place.location, 200)
    title = _("Free drones · {where}").format(where=where)
    return ListRows.part(title, lines, _("No drone is free there."), limit, offset)


async def _flights(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    context.caller.must(Scope.READ)
    place, _colon, drone = argument.partition(":")
    found = await flights.page(
        context.read, int(place) if place else None, int(drone) if drone else None, limit, offset
    )
    lines = [await _flight_line(context, flight) for flight in found]
    title = _("Flights of drone {id}").format(id=drone) if drone else _("Flights")
    if place and not drone:
        title = _("Flights · {where}").format(where=await _where(context, int(place)))
    return ListRows(title, lines, _("No drone has flown yet."))


async def _flight_line(context: Context, flight: Flight) -> str:
    if flight.recalled_at is None:
        state = _("out")
    else:
        state = duration(flight.recalled_at - flight.dispatched_at)
    parts = [
        f"<t:{flight.dispatched_at // 1000}:f>",
        str(flight.drone_id),
        await _where(context, flight.property_id),
        who(flight.dispatched_by),
        state,
    ]
    reason = inert_line(flight.reason, 60, blank="")
    return " · ".join([*parts, reason] if reason else parts)


async def _where(context: Context, property_id: int) -> str:
    place = await properties.get_even_removed(context.read, property_id)
    return inert_line(place.location, 60) if place is not None else str(property_id)


async def _send_out(context: Context, interaction: discord.Interaction, which: WhichDrone) -> None:
    sent = await dispatch_drone(context, which)
    place = await properties.get_even_removed(context.read, which.property_id)
    where = inert_line(place.location, 200) if place is not None else str(which.property_id)
    text = _("Drone {id} is on its way at **{where}**.")
    await reply_text(interaction, text.format(id=sent.drone_id, where=where))


async def press_recall(
    responder: Responder, interaction: discord.Interaction, flight_id: int
) -> None:
    """Call back the drone of a flight's card."""
    async with responder.deferred(interaction) as context:
        flight = await flights.get(context.read, flight_id)
        if flight is None:
            raise NotFound("this flight is not known any more")
        await authorise(
            context, Scope.WRITE, Share.ALLOWED, OfProperty(property_id=flight.property_id)
        )
        _must_be_out(flight)
        try:
            await recall_drone(context, OfDrone(drone_id=flight.drone_id))
        except Conflict:
            _must_be_out(await flights.get(context.read, flight_id) or flight)
            raise
        await reply_text(interaction, _("Drone {id} recalled.").format(id=flight.drone_id))


def _must_be_out(flight: Flight) -> None:
    if flight.recalled_at is not None:
        text = _("Drone {id} was already recalled by {who}.")
        raise AlreadyDone(text.format(id=flight.drone_id, who=who(flight.recalled_by or "")))


async def press_dispatch(
    responder: Responder, interaction: discord.Interaction, property_id: int
) -> None:
    """Send out a drone of the property that a call's card says it is at."""
    async with responder.deferred(interaction) as context:
        await _send_out(context, interaction, WhichDrone(property_id=property_id))


BUTTONS: dict[str, ButtonHandler] = {"flight:recall": press_recall, "call:drone": press_dispatch}
"""What the buttons on flights' and calls' cards do."""

LISTS: dict[str, ListReader] = {"drones": _out, "free": _free, "flights": _flights}
"""The lists of drones."""
