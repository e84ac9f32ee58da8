"""`/audit`: who changed what, from Discord or from a script."""

import discord
import orjson
from discord import app_commands
from discord.app_commands import Range

from cogs.i18n.language import _
from cogs.ui.options import PropertyOption, property_option
from cogs.ui.pages import ListRows, PagedLists, Row, reply_page
from cogs.ui.permissions import needs
from cogs.ui.responder import SentinelCog
from cogs.ui.text import BLANK, fitting, inert_line, who
from webhook.protocol.context import Context, Scope
from webhook.queries.audit import AuditPage, list_changes
from webhook.queries.properties import find_property
from webhook.queries.rows import AuditRecord

VALUE = 60
"""Characters of a value before or after a change."""

LINE = 340
"""Characters of a record: ten of them share a page."""

lists = PagedLists()


class AuditCommands(SentinelCog):
    @app_commands.command(description="Show who changed what", extras=needs(Scope.ADMIN))
    @property_option(
        "Only changes of this property",
        member="Only changes by this member, who may have left",
        script="Only changes by this script, by its name in the configuration",
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    async def audit(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption | None = None,
        member: discord.User | None = None,
        script: Range[str, 1, 32] | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        number = "" if property_ is None else str((await find_property(context, property_)).id)
        by = f"discord:{member.id}" if member is not None else script or ""
        await reply_page(interaction, await changes.page(context, f"{number}/{by}"))


@lists.declare("audit", Scope.ADMIN)
async def changes(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    number, _slash, by = argument.partition("/")
    page = AuditPage(
        property_id=int(number) if number else None, by=by or None, limit=limit, offset=offset
    )
    rows = [Row(_line(record)) for record in await list_changes(context, page)]
    return ListRows(_("Audit log"), rows, _("No changes."))


def _line(record: AuditRecord) -> str:
    """Write a record in one line: when, who, what, and from what to what."""
    before, after = orjson.loads(record.before), orjson.loads(record.after)
    values = [
        f"{inert_line(name, VALUE)}: {_value(before, name)} → {_value(after, name)}"
        for name in dict.fromkeys([*before, *after])
        if (before.get(name) or "") != (after.get(name) or "")
    ]
    done = f"<t:{record.at // 1000}:f> {who(record.who)} **{inert_line(record.action, 64)}**"
    return fitting([f"{done} {inert_line(record.subject, 64)}", *values], " · ", LINE)


def _value(state: dict[str, object], name: str) -> str:
    value = state.get(name)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return BLANK if value is None else inert_line(str(value), VALUE)
