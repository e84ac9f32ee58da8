"""`/visitors`: whom a property's cameras saw, by week and by day."""

from datetime import date, timedelta
from functools import partial

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from cogs.i18n.language import _, plural
from cogs.pictures.charts import visitors_chart
from cogs.ui.embeds import DESCRIPTION, FIELD, CardBuilder, Colour, MessageContent
from cogs.ui.meant import resolve_equipment
from cogs.ui.names import user_name
from cogs.ui.options import camera_choices, property_choices, resolve_property
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, reply_embed
from cogs.ui.text import fitting, inert_line
from db.equipment import CAMERA
from db.properties import Property
from webhook.protocol.context import Context, Scope
from webhook.protocol.days import today
from webhook.protocol.wire import validate
from webhook.queries.models import OfProperty
from webhook.queries.visitors import WEEK, Span, get_scanned_visitors, get_weekly_visitors


@app_commands.guild_only()
class VisitorCommands(
    commands.GroupCog, group_name="visitors", group_description="Whom a property's cameras saw"
):
    """Visits."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(
        description="Show who came in the last seven days, and which camera saw how many",
        extras=needs(Scope.READ, or_own=True),
    )
    @app_commands.describe(
        property="The property; type a part of its name", camera="Only what this camera saw"
    )
    async def week(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        camera: str | None = None,
    ) -> None:
        """Show the last week."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            number = None
            if camera is not None:
                number = (await resolve_equipment(context, place.id, camera, CAMERA)).id
            await reply_embed(interaction, await week_of(context, place, number))

    @app_commands.command(
        description="Count the visits by day", extras=needs(Scope.READ, or_own=True)
    )
    @app_commands.rename(first="from", last="to")
    @app_commands.describe(
        property="The property; type a part of its name",
        first="The first day, as YYYY-MM-DD; without it the last seven days",
        last="The last day, as YYYY-MM-DD; without it today",
    )
    async def days(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        first: str | None = None,
        last: str | None = None,
    ) -> None:
        """Count by day."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            now = today(context.now(), context.zone)
            asked = {
                "propertyId": place.id,
                "from": first or (_day(last) or now) - timedelta(WEEK - 1),
                "to": last or now,
            }
            span = validate(Span, {name: _written(value) for name, value in asked.items()})
            await reply_embed(interaction, await days_of(context, place, span))

    @week.autocomplete("property")
    @days.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)

    @week.autocomplete("camera")
    async def _cameras(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        offer = partial(camera_choices, place=interaction.namespace.property)
        return await self._responder.choices(interaction, offer, typed)


async def week_of(
    context: Context, place: Property, camera_id: int | None = None
) -> MessageContent:
    """Show who came to a property in the last week, and what each camera, or one, saw by day."""
    told = await get_weekly_visitors(context, OfProperty(property_id=place.id))
    people = [await user_name(context.read, user) for user in told.visitors]
    card = CardBuilder(
        title=_("Visitors of the last week · {where}").format(
            where=inert_line(place.location, 180)
        ),
        colour=Colour.NORMAL,
        description=plural("1 person came.", "{number} people came.", len(people))
        if people
        else _("Nobody came."),
    )
    card.add(_("Last seen first"), fitting(people, ", ", FIELD), inline=False)
    for number, camera in told.cameras.items():
        if camera_id in (None, int(number)):
            lines = [f"{day} · {count}" for day, count in sorted(camera.data.items())]
            total = sum(camera.data.values())
            title = f"{inert_line(camera.name, 80)} ({number}) · {total}"
            card.add(title, fitting(lines, "\n", FIELD) or _("Nobody."))
    if camera_id is not None:
        only = {key: value for key, value in told.cameras.items() if int(key) == camera_id}
        told = told.model_copy(update={"cameras": only})
    chart = visitors_chart(place.location, told, today(context.now(), context.zone))
    return MessageContent([card.build()], picture=chart)


async def days_of(context: Context, place: Property, span: Span) -> MessageContent:
    """Show how many visits a property had by day; days without any are left out."""
    told = await get_scanned_visitors(context, span)
    counted = told.visitors
    lines = [f"{row.day} · {row.count}" for row in counted if row.count]
    total = plural("1 visit", "{number} visits", sum(row.count for row in counted))
    spoken = _("{visits} from {first} to {last}").format(
        visits=total, first=span.first, last=span.last
    )
    card = CardBuilder(
        title=_("Visits by day · {where}").format(where=inert_line(place.location, 180)),
        colour=Colour.NORMAL,
        description=fitting([spoken, *lines], "\n", DESCRIPTION),
    )
    chart = visitors_chart(place.location, told, today(context.now(), context.zone))
    return MessageContent([card.build()], picture=chart)


def _day(text: str | None) -> date | None:
    """Read a day, None if it is none: what is wrong with it is told by the query."""
    try:
        return None if text is None else date.fromisoformat(text.strip())
    except ValueError:
        return None


def _written(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return value.strip() if isinstance(value, str) else value
