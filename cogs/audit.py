"""`/audit`: who changed what, from Discord or from a script."""

import discord
import orjson
from discord import app_commands
from discord.ext import commands

from cogs.answers import Desk, show
from cogs.choices import property_choices, property_meant
from cogs.content import DESCRIPTION, CardBuilder, Colour, Content
from cogs.language import _
from cogs.text import fitting, inert_line, who
from db import audit
from db.audit import Record
from webhook.context import Scope
from webhook.queries.shapes import property_subject

LISTED = 15
VALUE = 60
"""Characters of a value before or after a change."""


class Audit(commands.Cog):
    """The audit log."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @app_commands.command(name="audit", description="Show who changed what")
    @app_commands.describe(
        property="Only changes of this property",
        member="Only changes by this member",
        script="Only changes by this script, by its name in the configuration",
        page="Which page of the list",
    )
    @app_commands.guild_only()
    async def audit(
        self,
        interaction: discord.Interaction,
        property: str | None = None,  # noqa: A002
        member: discord.Member | None = None,
        script: str | None = None,
        page: app_commands.Range[int, 1, 10_000] = 1,
    ) -> None:
        """Show a page of the log."""
        async with self._desk.answering(interaction) as context:
            context.caller.must(Scope.ADMIN)
            subject = None
            if property is not None:
                place = await property_meant(context, property)
                subject = str(property_subject(place.id))
            by = f"discord:{member.id}" if member is not None else script
            offset = (page - 1) * LISTED
            found = await audit.page(context.read, subject, by, LISTED + 1, offset)
            await show(interaction, _page(found, page))

    @audit.autocomplete("property")
    async def _properties(
        self, interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return await self._desk.choices(interaction, property_choices, typed)


def _page(found: list[Record], page: int) -> Content:
    lines = [line(record) for record in found[:LISTED]]
    text = fitting(lines, "\n", DESCRIPTION) or _("Nothing was changed.")
    title = _("Audit log · page {page}").format(page=page)
    card = CardBuilder(title, Colour.NORMAL, text)
    if len(found) > LISTED:
        card.add(_("Older"), _("See page {page}.").format(page=page + 1))
    return Content([card.build()])


def line(record: Record) -> str:
    """Write a record in one line: when, who, what, and from what to what."""
    before, after = orjson.loads(record.before), orjson.loads(record.after)
    changes = [
        f"{inert_line(name, VALUE)}: {_value(before, name)} → {_value(after, name)}"
        for name in dict.fromkeys([*before, *after])
    ]
    done = f"<t:{record.at // 1000}:f> {who(record.who)} **{inert_line(record.action, 64)}**"
    return " · ".join([f"{done} {inert_line(record.subject, 64)}", *changes])


def _value(state: dict[str, object], name: str) -> str:
    return inert_line(str(state[name]), VALUE) if name in state else "—"
