"""`/crimes`: how many there were, by day: everywhere, at a property, or around it."""

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from cogs.i18n.language import _, plural
from cogs.pictures.charts import crimes_chart
from cogs.ui.embeds import CardBuilder, Colour, MessageContent
from cogs.ui.options import property_choices, resolve_property
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, reply_embed
from cogs.ui.text import inert_line
from db.properties import Property
from webhook.protocol.context import Context, Scope
from webhook.protocol.days import last_days, today
from webhook.queries.crimes import DAYS, EVERYWHERE, MOST_DAYS, CrimeArea, get_crimes_in_area


class CrimeCommands(commands.Cog):
    """The count of crimes."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(description="Count the crimes by day", extras=needs(Scope.READ))
    @app_commands.guild_only()
    @app_commands.describe(
        property="Only those at this property",
        radius="And at other properties not further from it than this, in metres",
        days="How many days; 3",
    )
    async def crimes(
        self,
        interaction: discord.Interaction,
        property: str | None = None,  # noqa: A002
        radius: Range[int, 0, EVERYWHERE] | None = None,
        days: Range[int, 1, MOST_DAYS] = DAYS,
    ) -> None:
        """Count."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property) if property is not None else None
            await reply_embed(interaction, await crimes_of(context, place, radius, days))

    @crimes.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)


async def crimes_of(
    context: Context, place: Property | None, radius: int | None, days: int
) -> MessageContent:
    """Show how many crimes each of the last days had, today first."""
    area = CrimeArea(property_id=place.id if place is not None else None, radius=radius, days=days)
    told = await get_crimes_in_area(context, area)
    counted = told.crimes
    names = [day.name for day in reversed(last_days(days, context.now(), context.zone))]
    lines = [f"{names[row.day - 1]} · {row.count}" for row in counted]
    title, name = _("Crimes everywhere"), _("everywhere")
    if place is not None:
        where, name = inert_line(place.location, 150), place.location
        title = _("Crimes at {where}").format(where=where)
        if radius:
            title = _("Crimes within {radius} m of {where}").format(radius=radius, where=where)
            name = _("within {radius} m of {where}").format(radius=radius, where=place.location)
    total = plural("1 crime", "{number} crimes", sum(row.count for row in counted))
    card = CardBuilder(title, Colour.NORMAL, "\n".join([f"**{total}**", *lines]))
    chart = crimes_chart(name, told, today(context.now(), context.zone))
    return MessageContent([card.build()], picture=chart)
