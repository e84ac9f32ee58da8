"""`/audit`: who changed what, from Discord or from a script."""

import discord
from discord import app_commands
from discord.app_commands import Range

from cogs.feeds.audit_sentences import differences, sentence
from cogs.i18n.language import N_, _
from cogs.ui.buttons import button, read_number
from cogs.ui.embeds import CardBuilder, Colour, MessageContent
from cogs.ui.options import PropertyOption, property_option
from cogs.ui.pages import ListRows, PagedLists, Row, reply_page
from cogs.ui.permissions import needs
from cogs.ui.responder import SentinelCog, reply_embed
from cogs.ui.text import BLANK, timestamp
from webhook.protocol.context import Context, Scope
from webhook.queries.audit import AuditPage, get_change, list_changes
from webhook.queries.properties.find import find_property
from webhook.queries.rows import AuditRecord

VALUE = 500
"""Characters of a value before or after a change, among its details."""

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

    @button("audit:show", Scope.ADMIN)
    async def details_button(self, interaction: discord.Interaction, number: int) -> None:
        context = await self._responder.defer(interaction)
        await reply_embed(interaction, await _details(context, await get_change(context, number)))


@lists.declare("audit", Scope.ADMIN)
async def changes(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    number, _slash, by = argument.partition("/")
    page = AuditPage(
        property_id=read_number(number) if number else None,
        by=by or None,
        limit=limit,
        offset=offset,
    )
    rows = [
        Row(
            f"<t:{record.at // 1000}:f> {await sentence(context.read, record)}",
            f"audit:show:{record.id}",
            N_("Details"),
        )
        for record in await list_changes(context, page)
    ]
    return ListRows(_("Audit log"), rows, _("No changes."))


async def _details(context: Context, record: AuditRecord) -> MessageContent:
    """Show a change: who did what and when, and each value before and after."""
    card = CardBuilder(_("Change {id}").format(id=record.id), Colour.NORMAL)
    card.description = f"{await sentence(context.read, record)}\n{timestamp(record.at)}"
    for name, before, after in await differences(context.read, record, VALUE):
        card.add_named(name[:1].upper() + name[1:], f"{before or BLANK} → {after or BLANK}")
    return MessageContent([card.build()])
