"""`/equipment`: add, remove, list."""

from functools import partial

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from cogs.i18n.language import _
from cogs.ui.meant import equipment_meant, type_meant
from cogs.ui.options import equipment_choices, property_choices, property_meant, type_choices
from cogs.ui.pages import List, Rows, page
from cogs.ui.permissions import needs
from cogs.ui.responder import Desk, show, tell
from cogs.ui.text import inert_line
from webhook.protocol.context import Context, Scope
from webhook.queries.equipment import (
    NewEquipment,
    OfEquipment,
    add_equipment,
    get_equipment,
    remove_equipment,
)
from webhook.queries.models import OfProperty
from webhook.queries.property_data import existing_property


@app_commands.guild_only()
class EquipmentCommands(
    commands.GroupCog, group_name="equipment", group_description="Cameras, drones and the like"
):
    """The equipment of properties."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @app_commands.command(description="Add a piece of equipment", extras=needs(Scope.WRITE))
    @app_commands.describe(
        property="The property; type a part of its name",
        type="What kind",
        description="Which one it is, like: Front gate",
    )
    async def add(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        type: str,  # noqa: A002
        description: Range[str, 1, 200] | None = None,
    ) -> None:
        """Add a piece."""
        async with self._desk.answering(interaction) as context:
            place = await property_meant(context, property)
            kind = await type_meant(context, type)
            asked = NewEquipment(
                property_id=place.id, equipment_type=kind, description=description or ""
            )
            added = await add_equipment(context, asked)
            text = _("**{where}** has it now, as number {id}.")
            await tell(interaction, text.format(where=inert_line(place.location, 200), id=added.id))

    @app_commands.command(description="Take a piece of equipment away", extras=needs(Scope.WRITE))
    @app_commands.describe(
        property="The property; type a part of its name", equipment="Which piece"
    )
    async def remove(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        equipment: str,
    ) -> None:
        """Take a piece away."""
        async with self._desk.answering(interaction) as context:
            place = await property_meant(context, property)
            piece = await equipment_meant(context, place.id, equipment)
            asked = OfEquipment(property_id=place.id, equipment_id=piece.id)
            await remove_equipment(context, asked)
            text = _("{name} {id} is taken away from **{where}**.")
            name, where = inert_line(piece.name, 60), inert_line(place.location, 200)
            await tell(interaction, text.format(name=name, id=piece.id, where=where))

    @app_commands.command(
        name="list", description="Show what a property has", extras=needs(Scope.READ, or_own=True)
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def list_(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """List the pieces."""
        async with self._desk.answering(interaction) as context:
            place = await property_meant(context, property)
            await show(interaction, await page(context, LISTS, "equipment", str(place.id)))

    @add.autocomplete("property")
    @remove.autocomplete("property")
    @list_.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._desk.choices(interaction, property_choices, typed)

    @add.autocomplete("type")
    async def _types(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._desk.choices(interaction, type_choices, typed)

    @remove.autocomplete("equipment")
    async def _pieces(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        offer = partial(equipment_choices, place=interaction.namespace.property)
        return await self._desk.choices(interaction, offer, typed)


async def _of_property(context: Context, argument: str, limit: int, offset: int) -> Rows:
    there = (await get_equipment(context, OfProperty(property_id=int(argument)))).equipment
    place = await existing_property(context.read, int(argument))
    lines = [
        f"{row.id} · {inert_line(row.name, 40)} · {inert_line(row.description, 90)}"
        for row in there
    ]
    title = _("Equipment · {where}").format(where=inert_line(place.location, 200))
    return Rows.part(title, lines, _("There is none."), limit, offset)


LISTS: dict[str, List] = {"equipment": _of_property}
"""The lists of equipment."""
