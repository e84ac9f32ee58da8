"""`/crimes`: how many there were, by day: everywhere, at a property, or around it."""

import discord
from discord import app_commands
from discord.app_commands import Range

from cogs.i18n.language import _, plural
from cogs.pictures.charts import crimes_chart
from cogs.ui.embeds import CardBuilder, Colour, MessageContent
from cogs.ui.options import PropertyOption, property_option
from cogs.ui.permissions import needs
from cogs.ui.responder import SentinelCog, reply_embed
from cogs.ui.text import inert_line
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict
from webhook.queries.crimes import DAYS, EVERYWHERE, MOST_DAYS, CrimeArea, get_crimes_in_area
from webhook.queries.properties.find import find_property
from webhook.queries.rows import Property


class CrimeCommands(SentinelCog):
    @app_commands.command(description="Count the crimes by day", extras=needs(Scope.READ))
    @app_commands.guild_only()
    @property_option(
        "Only those at this property",
        radius="Also at other properties within this distance, in metres",
        days="How many days; without it 3",
    )
    async def crimes(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption | None = None,
        radius: Range[int, 0, EVERYWHERE] | None = None,
        days: Range[int, 1, MOST_DAYS] = DAYS,
    ) -> None:
        context = await self._responder.defer(interaction)
        if radius is not None and property_ is None:
            raise Conflict("a radius needs a property: choose the one that it is around")
        found = await find_property(context, property_) if property_ is not None else None
        await reply_embed(interaction, await crimes_by_day(context, found, radius, days))


async def crimes_by_day(
    context: Context, property_: Property | None, radius: int | None, days: int
) -> MessageContent:
    """Show how many crimes each of the last days had, today first."""
    property_id = property_.id if property_ is not None else None
    area = CrimeArea(property_id=property_id, radius=radius, days=days)
    found = await get_crimes_in_area(context, area)
    shown = found.days[:days]
    lines = [f"{day.date} · {day.count}" for day in shown]
    title, name = _("Crimes everywhere"), _("everywhere")
    if property_ is not None:
        where, name = inert_line(property_.location, 150), property_.location
        title = _("Crimes at {where}").format(where=where)
        if radius:
            title = _("Crimes within {radius} m of {where}").format(radius=radius, where=where)
            name = _("within {radius} m of {where}").format(radius=radius, where=property_.location)
    total = plural("1 crime", "{number} crimes", sum(day.count for day in shown))
    card = CardBuilder(title, Colour.NORMAL, "\n".join([f"**{total}**", *lines]))
    chart = crimes_chart(name, shown)
    return MessageContent([card.build()], picture=chart)
