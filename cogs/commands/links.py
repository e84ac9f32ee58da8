"""`/link`: which game user a member of the Discord server is."""

from datetime import UTC, datetime

import discord
from discord import app_commands

from cogs.i18n.language import _
from cogs.ui.names import user_name
from cogs.ui.options import UserOption
from cogs.ui.permissions import needs
from cogs.ui.responder import SentinelGroup, reply_text
from cogs.ui.text import inert_line, timestamp, who
from webhook.protocol.context import Scope
from webhook.queries.links import (
    NewLink,
    OfMember,
    end_own_link,
    link_user,
    make_code,
    own_link,
    unlink_user,
    want_alarms,
)
from webhook.queries.users import find_user


class LinkCommands(SentinelGroup, group_name="link", group_description="Who you are in the game"):
    @app_commands.command(
        description="Get a code to type in the game, which links you to your game user",
        extras=needs(Scope.NONE),
    )
    async def code(self, interaction: discord.Interaction) -> None:
        made = await make_code(await self._responder.defer(interaction))
        ends = int(datetime.now(UTC).timestamp()) + made.seconds
        text = _("Type this code in the game: **{code}**. It is valid until {time}.")
        await reply_text(interaction, text.format(code=made.code, time=f"<t:{ends}:t>"))

    @app_commands.command(description="Show which game user you are", extras=needs(Scope.NONE))
    async def show(self, interaction: discord.Interaction) -> None:
        link = await own_link(await self._responder.defer(interaction))
        if link is None:
            text = _("You are not linked to a game user. Get a code with /link code.")
            await reply_text(interaction, text)
            return
        text = _(
            "You are **{user}**, linked by {by} at {time}. Alarms at your properties: {alarms}."
        )
        text = text.format(
            user=inert_line(link.user_id, 64),
            by=who(link.linked_by),
            time=timestamp(link.linked_at),
            alarms=_("sent to you") if link.wants_alarms else _("not sent"),
        )
        await reply_text(interaction, text)

    @app_commands.command(
        description="Choose whether alarms at your properties are sent to you",
        extras=needs(Scope.NONE),
    )
    @app_commands.describe(wanted="Whether to send you a private message")
    async def alarms(self, interaction: discord.Interaction, wanted: bool) -> None:
        await want_alarms(await self._responder.defer(interaction), wanted=wanted)
        yes = _("You will get a private message when an alarm is raised at one of your properties.")
        no = _("You will get no more private messages about alarms.")
        await reply_text(interaction, yes if wanted else no)

    @app_commands.command(description="End the link with your game user", extras=needs(Scope.NONE))
    async def end(self, interaction: discord.Interaction) -> None:
        await end_own_link(await self._responder.defer(interaction))
        await reply_text(interaction, _("You are no longer linked to a game user."))

    @app_commands.command(
        description="Link a member and a game user without a code", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(member="The member of this server", user="The game user")
    async def member(
        self, interaction: discord.Interaction, member: discord.Member, user: UserOption
    ) -> None:
        context = await self._responder.defer(interaction)
        user_id = await find_user(context, user)
        await link_user(context, NewLink(member_id=member.id, user_id=user_id))
        text = _("{member} is **{user}** in the game.")
        shown = await user_name(context.read, user_id)
        await reply_text(interaction, text.format(member=member.mention, user=shown))

    @app_commands.command(
        description="End the link of a member and their game user", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(member="The member of this server")
    async def unlink(self, interaction: discord.Interaction, member: discord.Member) -> None:
        context = await self._responder.defer(interaction)
        await unlink_user(context, OfMember(member_id=member.id))
        text = _("{member} is no longer linked to a game user.")
        await reply_text(interaction, text.format(member=member.mention))
