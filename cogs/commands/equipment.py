"""`/equipment`: add, remove, list."""

from functools import partial

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from cogs.i18n.language import _
from cogs.ui.meant import resolve_equipment, resolve_equipment_type
from cogs.ui.options import equipment_choices, property_choices, resolve_property, type_choices
from cogs.ui.pages import ListReader, ListRows, list_page
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, reply_embed, reply_text
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

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

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
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            kind = await resolve_equipment_type(context, type)
            asked = NewEquipment(
                property_id=place.id, equipment_type=kind, description=description or ""
            )
            added = await add_equipment(context, asked)
            text = _("**{where}** has it now, as number {id}.")
            await reply_text(
                interaction, text.format(where=inert_line(place.location, 200), id=added.id)
            )

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
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            piece = await resolve_equipment(context, place.id, equipment)
            asked = OfEquipment(property_id=place.id, equipment_id=piece.id)
            await remove_equipment(context, asked)
            text = _("{name} {id} is taken away from **{where}**.")
            name, where = inert_line(piece.name, 60), inert_line(place.location, 200)
            await reply_text(interaction, text.format(name=name, id=piece.id, where=where))

    @app_commands.command(
        name="list", description="Show what a property has", extras=needs(Scope.READ, or_own=True)
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def list_(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """List the pieces."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            await reply_embed(
                interaction, await list_page(context, LISTS, "equipment", str(place.id))
            )

    @add.autocomplete("property")
    @remove.autocomplete("property")
    @list_.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)

    @add.autocomplete("type")
    async def _types(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, type_choices, typed)

    @remove.autocomplete("equipment")
    async def _pieces(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        offer = partial(equipment_choices, place=interaction.namespace.property)
        return await self._responder.choices(interaction, offer, typed)


async def _of_property(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    there = (await get_equipment(context, OfProperty(property_id=int(argument)))).equipment
    place = await existing_property(context.read, int(argument))
    lines = [
        f"{row.id} · {inert_line(row.name, 40)} · {inert_line(row.description, 90)}"
        for row in there
    ]
    title = _("Equipment · {where}").format(where=inert_line(place.location, 200))
    return ListRows.part(title, lines, _("There is none."), limit, offset)


LISTS: dict[str, ListReader] = {"equipment": _of_property}
"""The lists of equipment."""
