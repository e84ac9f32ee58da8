"""`/audit`: who changed what, from Discord or from a script."""

import discord
import orjson
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from cogs.i18n.language import _
from cogs.ui.options import property_choices, resolve_property
from cogs.ui.pages import ListReader, ListRows, list_page
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, reply_embed
from cogs.ui.text import BLANK, fitting, inert_line, who
from db import audit
from db.audit import AuditRecord
from webhook.protocol.context import Context, Scope
from webhook.queries.subjects import property_subject

VALUE = 60
"""Characters of a value before or after a change."""

LINE = 390
"""Characters of a record: ten of them share a page."""


class AuditCommands(commands.Cog):
    """The audit log."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(
        name="audit", description="Show who changed what", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(
        property="Only changes of this property",
        member="Only changes by this member",
        script="Only changes by this script, by its name in the configuration",
    )
    @app_commands.guild_only()
    async def audit(
        self,
        interaction: discord.Interaction,
        property: str | None = None,  # noqa: A002
        member: discord.Member | None = None,
        script: Range[str, 1, 32] | None = None,
    ) -> None:
        """Show the log, the newest record first."""
        async with self._responder.deferred(interaction) as context:
            context.caller.must(Scope.ADMIN)
            place = "" if property is None else str((await resolve_property(context, property)).id)
            by = f"discord:{member.id}" if member is not None else script or ""
            await reply_embed(
                interaction, await list_page(context, LISTS, "audit", f"{place}/{by}")
            )

    @audit.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)


async def _records(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    context.caller.must(Scope.ADMIN)
    place, _slash, by = argument.partition("/")
    subject = str(property_subject(int(place))) if place else None
    found = await audit.page(context.read, subject, by or None, limit, offset)
    return ListRows(_("Audit log"), [line(record) for record in found], _("Nothing was changed."))


def line(record: AuditRecord) -> str:
    """Write a record in one line: when, who, what, and from what to what."""
    before, after = orjson.loads(record.before), orjson.loads(record.after)
    changes = [
        f"{inert_line(name, VALUE)}: {_value(before, name)} → {_value(after, name)}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
    done = f"<t:{record.at // 1000}:f> {who(record.who)} **{inert_line(record.action, 64)}**"
    return fitting([f"{done} {inert_line(record.subject, 64)}", *changes], " · ", LINE)


def _value(state: dict[str, object], name: str) -> str:
    value = state.get(name)
    return BLANK if value is None else inert_line(str(value), VALUE)


LISTS: dict[str, ListReader] = {"audit": _records}
"""The list of records."""
