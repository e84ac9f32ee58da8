"""`/visitors`: whom a property's cameras saw in the last week, or how many on each day."""

from datetime import date, timedelta

import discord
from discord import app_commands

from cogs.i18n.language import _, plural
from cogs.pictures.charts import visitors_chart
from cogs.ui.embeds import DESCRIPTION, FIELD, CardBuilder, Colour, MessageContent
from cogs.ui.names import user_name
from cogs.ui.options import CameraOption, OwnedPropertyOption, property_option
from cogs.ui.permissions import needs
from cogs.ui.resolve import resolve_equipment
from cogs.ui.responder import SentinelCog, reply_embed
from cogs.ui.text import fitting, inert_line
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict
from webhook.protocol.wire import validate
from webhook.queries.days import today
from webhook.queries.models import PropertyLongList
from webhook.queries.properties.find import find_property
from webhook.queries.properties.visitors import (
    WEEK,
    DayRange,
    get_scanned_visitors,
    get_weekly_visitors,
)
from webhook.queries.rows import CAMERA, Property


class VisitorCommands(SentinelCog):
    @app_commands.command(
        description="Show who came in the last seven days, by camera; or count the visits by day",
        extras=needs(Scope.READ, or_own=True),
    )
    @app_commands.guild_only()
    @app_commands.rename(first="from", last="to")
    @property_option(
        camera="Only what this camera saw in the last seven days",
        first="Count by day instead, from this one: YYYY-MM-DD",
        last="Count by day instead, until this one: YYYY-MM-DD",
    )
    async def visitors(
        self,
        interaction: discord.Interaction,
        property_: OwnedPropertyOption,
        camera: CameraOption | None = None,
        first: str | None = None,
        last: str | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        if first is None and last is None:
            await reply_embed(interaction, await self._week(context, found, camera))
            return
        if camera is not None:
            raise Conflict("for a camera, leave out the days; it is shown for the last seven")
        span = _span(found.id, first, last, today(context.now(), context.zone))
        await reply_embed(interaction, await days_of(context, found, span))

    @staticmethod
    async def _week(context: Context, property_: Property, camera: str | None) -> MessageContent:
        camera_id = None
        if camera is not None:
            camera_id = (await resolve_equipment(context, property_.id, camera, CAMERA)).id
        return await week_of(context, property_, camera_id)


async def week_of(
    context: Context, property_: Property, camera_id: int | None = None
) -> MessageContent:
    """Show a property's visitors of the last week, and the visits that each camera saw by day."""
    found = await get_weekly_visitors(context, PropertyLongList(property_id=property_.id))
    people = [await user_name(context.read, user) for user in found.visitors]
    card = CardBuilder(
        title=_("Visitors of the last week · {where}").format(
            where=inert_line(property_.location, 180)
        ),
        colour=Colour.NORMAL,
        description=plural("1 visitor.", "{number} visitors.", len(people))
        if people
        else _("No visitors."),
    )
    card.add(_("Visitors, most recent first"), fitting(people, ", ", FIELD), inline=False)
    if camera_id is not None:
        only = {key: value for key, value in found.cameras.items() if int(key) == camera_id}
        found = found.model_copy(update={"cameras": only, "without_camera": None})
    for number, camera in found.cameras.items():
        _add_week(card, f"{inert_line(camera.name, 80)} ({number})", camera.data)
    if found.without_camera:
        _add_week(card, _("without a camera"), found.without_camera)
    chart = visitors_chart(property_.location, found, today(context.now(), context.zone))
    return MessageContent([card.build()], picture=chart)


def _add_week(card: CardBuilder, title: str, visits: dict[str, int]) -> None:
    lines = [f"{day} · {count}" for day, count in sorted(visits.items())]
    title = f"{title} · {sum(visits.values())}"
    card.add(title, fitting(lines, "\n", FIELD) or _("Nobody."))


async def days_of(context: Context, property_: Property, span: DayRange) -> MessageContent:
    """Show a property's visits by day, without the days that had none."""
    found = await get_scanned_visitors(context, span)
    lines = [f"{row.day} · {row.count}" for row in found.visitors if row.count]
    total = plural("1 visit", "{number} visits", sum(row.count for row in found.visitors))
    heading = _("{visits} from {first} to {last}").format(
        visits=total, first=span.first, last=span.last
    )
    card = CardBuilder(
        title=_("Visits by day · {where}").format(where=inert_line(property_.location, 180)),
        colour=Colour.NORMAL,
        description=fitting([heading, *lines], "\n", DESCRIPTION),
    )
    chart = visitors_chart(property_.location, found, today(context.now(), context.zone))
    return MessageContent([card.build()], picture=chart)


def _span(property_id: int, first: str | None, last: str | None, now: date) -> DayRange:
    """Return the days that were asked for; by default the last seven.

    Raises:
        InvalidData: one of them is no day, or they are too far apart.
    """
    try:
        until = date.fromisoformat((last or "").strip())
    except ValueError:
        until = now  # the model rejects it below
    ask = {
        "propertyId": property_id,
        "from": (first or (until - timedelta(WEEK - 1)).isoformat()).strip(),
        "to": (last or now.isoformat()).strip(),
    }
    return validate(DayRange, ask)
