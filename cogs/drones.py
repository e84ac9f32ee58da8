"""`/drone`: send out, call back, list; and the button on a flight's card."""

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import CONTENT, Desk, tell
from cogs.buttons import Press
from cogs.choices import drone_choices, property_choices, property_meant
from cogs.text import fitting, inert_line
from db import flights, properties
from webhook.context import Context
from webhook.errors import Conflict, NotFound
from webhook.queries.drones import (
    OfDrone,
    dispatch_drone,
    get_dispatched_drones,
    get_free_drones,
    recall_drone,
)
from webhook.queries.shapes import OfProperty, Page
from webhook.wire import validate

LISTED = 20


@app_commands.guild_only()
class Drones(commands.GroupCog, group_name="drone", group_description="Property drones"):
    """The drones of the properties."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @app_commands.command(description="Send out a free drone of a property")
    @app_commands.describe(property="The property; type a part of its name")
    async def dispatch(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Send out a drone."""
        async with self._desk.answering(interaction) as context:
            place = await property_meant(context, property)
            sent = await dispatch_drone(context, OfProperty(property_id=place.id))
            where = inert_line(place.location, 200)
            await tell(interaction, f"Drone {sent.drone_id} is on its way at **{where}**.")

    @app_commands.command(description="Call a drone back")
    @app_commands.describe(drone="The drone; those that are out are offered")
    async def recall(self, interaction: discord.Interaction, drone: str) -> None:
        """Call a drone back."""
        async with self._desk.answering(interaction) as context:
            recalled = await recall_drone(context, validate(OfDrone, {"droneId": drone}))
            await tell(interaction, f"{recalled.message}.")

    @app_commands.command(name="list", description="Show the drones that are out")
    @app_commands.describe(property="Show the free drones of this property too")
    async def list_(
        self,
        interaction: discord.Interaction,
        property: str | None = None,  # noqa: A002
    ) -> None:
        """List drones."""
        async with self._desk.answering(interaction) as context:
            lines = await _out(context)
            if property is not None:
                place = await property_meant(context, property)
                lines += await _free(context, place.id, inert_line(place.location, 200))
            await tell(interaction, fitting(lines, "\n", CONTENT))

    @dispatch.autocomplete("property")
    @list_.autocomplete("property")
    async def _properties(
        self, interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return await self._desk.choices(interaction, property_choices, typed)

    @recall.autocomplete("drone")
    async def _drones(
        self, interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return await self._desk.choices(interaction, drone_choices, typed)


async def _out(context: Context) -> list[str]:
    out = (await get_dispatched_drones(context, Page(limit=LISTED))).drones
    if not out:
        return ["No drone is out."]
    return ["**Out**"] + [
        f"{drone.id} · {inert_line(drone.description, 40)} · property {drone.property_id}"
        for drone in out
    ]


async def _free(context: Context, property_id: int, where: str) -> list[str]:
    free = (await get_free_drones(context, OfProperty(property_id=property_id))).drones
    if not free:
        return [f"**{where}** has no free drone."]
    return [f"**Free at {where}**"] + [
        f"{drone.id} · {inert_line(drone.description, 40)}" for drone in free[:LISTED]
    ]


async def press_recall(desk: Desk, interaction: discord.Interaction, flight_id: int) -> None:
    """Call back the drone of a flight's card."""
    async with desk.answering(interaction) as context:
        flight = await flights.get(context.read, flight_id)
        if flight is None:
            raise NotFound("this flight is not known any more")
        if flight.recalled_at is not None:
            raise Conflict("this drone is back already")
        recalled = await recall_drone(context, OfDrone(drone_id=flight.drone_id))
        await tell(interaction, f"{recalled.message}.")


async def press_dispatch(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Send out a drone of the property that a call's card says it is at."""
    async with desk.answering(interaction) as context:
        sent = await dispatch_drone(context, OfProperty(property_id=property_id))
        place = await properties.get_even_removed(context.read, property_id)
        where = inert_line(place.location, 200) if place is not None else str(property_id)
        await tell(interaction, f"Drone {sent.drone_id} is on its way at **{where}**.")


BUTTONS: dict[str, Press] = {"flight:recall": press_recall, "call:drone": press_dispatch}
"""What the buttons on flights' and calls' cards do."""
