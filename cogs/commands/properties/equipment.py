"""`/equipment`: add, remove; and the list that `/property show` leads to."""

import discord
from discord import app_commands
from discord.app_commands import Range

from cogs.i18n.language import _
from cogs.ui.buttons import read_number
from cogs.ui.names import equipment_name
from cogs.ui.options import EquipmentOption, EquipmentTypeOption, PropertyOption, property_option
from cogs.ui.pages import ListRows, PagedLists, Row
from cogs.ui.permissions import needs
from cogs.ui.resolve import resolve_equipment, resolve_equipment_type
from cogs.ui.responder import SentinelGroup, reply_text
from cogs.ui.text import inert_line
from webhook.protocol.context import Context, Scope
from webhook.queries.models import PropertyLongList
from webhook.queries.properties.equipment import (
    NewEquipment,
    OfEquipment,
    add_equipment,
    get_equipment,
    remove_equipment,
)
from webhook.queries.properties.find import find_property, get_property

lists = PagedLists()


class EquipmentCommands(
    SentinelGroup, group_name="equipment", group_description="Cameras, drones and the like"
):
    @app_commands.command(description="Add a piece of equipment", extras=needs(Scope.WRITE))
    @app_commands.rename(kind="type")
    @property_option(kind="What kind", description="Which one it is, like: Front gate")
    async def add(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption,
        kind: EquipmentTypeOption,
        description: Range[str, 1, 200] | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        equipment_type = await resolve_equipment_type(context, kind)
        ask = NewEquipment(
            property_id=found.id,
            equipment_type=equipment_type.type,
            description=description or "",
        )
        added = await add_equipment(context, ask)
        name = await equipment_name(context.read, added.id, 200)
        text = _("{equipment} added to **{where}**.")
        where = inert_line(found.location, 200)
        await reply_text(interaction, text.format(equipment=name, where=where))

    @app_commands.command(description="Remove a piece of equipment", extras=needs(Scope.WRITE))
    @property_option(equipment="Which piece")
    async def remove(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption,
        equipment: EquipmentOption,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        piece = await resolve_equipment(context, found.id, equipment)
        await remove_equipment(context, OfEquipment(property_id=found.id, equipment_id=piece.id))
        text = _("{equipment} removed from **{where}**.")
        where = inert_line(found.location, 200)
        name = await equipment_name(context.read, piece.id, 200)
        await reply_text(interaction, text.format(equipment=name, where=where))


@lists.declare("equipment", Scope.READ, or_allowed=True)
async def equipment_list(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    ask = PropertyLongList(property_id=read_number(argument))
    equipment = (await get_equipment(context, ask)).equipment
    rows = [
        Row(f"{row.id} · {inert_line(row.name, 40)} · {inert_line(row.description, 90)}")
        for row in equipment
    ]
    where = inert_line((await get_property(context, ask)).location, 200)
    title = _("Equipment · {where}").format(where=where)
    return ListRows.part(title, rows, _("No equipment."), limit, offset)
