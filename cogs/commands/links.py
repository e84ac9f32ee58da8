"""`/link`: which game user a member of the Discord server is."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import discord
from discord import app_commands

from cogs.i18n.language import N_, _
from cogs.ui.buttons import control
from cogs.ui.embeds import Button, CardBuilder, Colour, MessageContent
from cogs.ui.modals import Answers, Form, form
from cogs.ui.names import whole_user_name
from cogs.ui.options import UserOption
from cogs.ui.pages import CUSTOM_ID, ListRows, PagedLists, Row, reply_page
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, SentinelGroup, reply_embed, reply_text
from cogs.ui.text import inert_line, length, timestamp, who
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict
from webhook.protocol.wire import validate
from webhook.queries.links import (
    NewLink,
    OfMember,
    Plan,
    end_own_link,
    get_identity,
    get_identity_of,
    link_user,
    list_links,
    make_code,
    plan_link,
    store_code_answer,
    unlink_user,
    want_messages,
)
from webhook.queries.models import ListPage
from webhook.queries.users import find_user

MENU_NAMES = (N_("Link to game user…"), N_("Unlink"))
"""The commands in the menu of a member."""

MenuCallback = Callable[
    [discord.Interaction, discord.Member | discord.User], Coroutine[Any, Any, None]
]

lists = PagedLists()


def _menu(name: str, callback: MenuCallback) -> app_commands.ContextMenu:
    menu = app_commands.ContextMenu(name=name, callback=callback, extras=needs(Scope.ADMIN))
    menu.guild_only = True
    menu.default_permissions = discord.Permissions(manage_guild=True)
    return menu


class LinkCommands(SentinelGroup, group_name="link", group_description="Who you are in the game"):
    def __init__(self, responder: Responder) -> None:
        super().__init__(responder)
        self.context_menus = tuple(
            _menu(name, callback)
            for name, callback in zip(MENU_NAMES, (self._link_menu, self._unlink_menu), strict=True)
        )

    @app_commands.command(
        description="Get a code to type in the game, which links you to your game user",
        extras=needs(Scope.NONE),
    )
    async def code(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        made = await make_code(context)
        ends = int(datetime.now(UTC).timestamp()) + made.seconds
        text = _(
            "In the game, open the chat and type `/cadlink {code}`. The code **{code}** is valid"
            " until {time}. If the game does not know this command, ask those who run the server"
            " how codes are typed there."
        ).format(code=made.code, time=f"<t:{ends}:t>")
        message = await interaction.followup.send(text, ephemeral=True, wait=True)
        await store_code_answer(context, message.id, interaction.token)

    @app_commands.command(description="Show which game user you are", extras=needs(Scope.NONE))
    async def show(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        identity = await get_identity(context)
        lines = []
        if identity.link is not None:
            text = _("You are **{user}**{name}, linked by {by} at {time}.")
            name = inert_line(identity.full_name, 100, blank="")
            lines.append(
                text.format(
                    user=inert_line(identity.link.user_id, 64),
                    name=f" ({name})" if name else "",
                    by=who(identity.link.linked_by),
                    time=timestamp(identity.link.linked_at),
                )
            )
        if identity.discord_user is not None:
            text = _("The game knows you by your Discord id: **{user}**. That needs no link.")
            user_id = inert_line(identity.discord_user, 64)
            lines.append(text.format(user=user_id))
        if not lines:
            text = _("You are not linked to a game user. Get a code with /link code.")
            await reply_text(interaction, text)
            return
        text = _("Alarm messages: {alarms}. Messages about your properties: {news}.")
        on, off = _("on"), _("off")
        lines.append(
            text.format(
                alarms=on if identity.wants_alarms else off,
                news=on if identity.wants_news else off,
            )
        )
        await reply_text(interaction, "\n".join(lines))

    @app_commands.command(
        description="Choose whether alarms at your properties are sent to you",
        extras=needs(Scope.NONE),
    )
    @app_commands.describe(wanted="Whether to send you a private message")
    async def alarms(self, interaction: discord.Interaction, wanted: bool) -> None:
        await want_messages(await self._responder.defer(interaction), alarms=wanted)
        yes = _("You will get a private message when an alarm is raised at one of your properties.")
        no = _("You will get no more private messages about alarms.")
        await reply_text(interaction, yes if wanted else no)

    @app_commands.command(
        description="Choose whether you are told what others decide about your properties",
        extras=needs(Scope.NONE),
    )
    @app_commands.describe(wanted="Whether to send you a private message")
    async def messages(self, interaction: discord.Interaction, wanted: bool) -> None:
        await want_messages(await self._responder.defer(interaction), news=wanted)
        yes = _(
            "You will get a private message when others decide about your properties and requests."
        )
        no = _("You will get no more private messages about your properties and requests.")
        await reply_text(interaction, yes if wanted else no)

    @app_commands.command(description="End the link with your game user", extras=needs(Scope.NONE))
    async def end(self, interaction: discord.Interaction) -> None:
        await end_own_link(await self._responder.defer(interaction))
        await reply_text(interaction, _("You are no longer linked to a game user."))

    @app_commands.command(
        name="list", description="Show who is linked to which game user", extras=needs(Scope.ADMIN)
    )
    async def list_(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        await reply_page(interaction, await links.page(context))

    @app_commands.command(
        description="Link a member and a game user without a code", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(member="The member of this server", user="The game user")
    async def member(
        self, interaction: discord.Interaction, member: discord.User, user: UserOption
    ) -> None:
        context = await self._responder.defer(interaction)
        answer = await _link(context, member.id, user)
        if isinstance(answer, str):
            await reply_text(interaction, answer)
        else:
            await reply_embed(interaction, answer)

    @app_commands.command(
        description="End the link of a member and their game user", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(member="The member, who may have left this server")
    async def unlink(self, interaction: discord.Interaction, member: discord.User) -> None:
        context = await self._responder.defer(interaction)
        await unlink_user(context, OfMember(member_id=member.id))
        await reply_text(interaction, _unlinked_text(member.id))

    @control("link:put", scope=Scope.ADMIN)
    async def link_button(self, interaction: discord.Interaction, argument: str) -> None:
        """Link a member and a user after somebody has confirmed it."""
        context = await self._responder.defer(interaction)
        ask = _parse(argument)
        await link_user(context, ask)
        await reply_text(interaction, await _linked_text(context, ask))

    @control("link:end", scope=Scope.ADMIN)
    async def unlink_button(self, interaction: discord.Interaction, member_id: str) -> None:
        context = await self._responder.defer(interaction)
        ask = validate(OfMember, {"memberId": member_id})
        await unlink_user(context, ask)
        await reply_text(interaction, _unlinked_text(ask.member_id))

    async def _link_menu(
        self, interaction: discord.Interaction, member: discord.Member | discord.User
    ) -> None:
        """Ask in a form which user a member is."""
        await interaction.response.send_modal(_user_form(str(member.id)))

    @control("link:member", scope=Scope.ADMIN)
    async def link_member_button(self, interaction: discord.Interaction, member_id: str) -> None:
        await interaction.response.send_modal(_user_form(member_id))

    @form("link:member", Scope.ADMIN, "user", read_argument=str)
    async def submit_user(
        self, context: Context, member_id: str, answers: Answers
    ) -> str | MessageContent:
        return await _link(context, member_id, answers.text("user"))

    async def _unlink_menu(
        self, interaction: discord.Interaction, member: discord.Member | discord.User
    ) -> None:
        """Say who a member is, with a button that ends it."""
        context = await self._responder.defer(interaction)
        identity = await get_identity_of(context, OfMember(member_id=member.id))
        if identity.link is None:
            text = _("{member} is not linked to a game user.").format(member=member.mention)
            card = CardBuilder(_("No link"), Colour.NORMAL, text)
            link = Button(_("Link to game user…"), f"link:member:{member.id}")
            await reply_embed(interaction, MessageContent([card.build()], (link,)))
            return
        text = _("{member} is **{user}** in the game.").format(
            member=member.mention, user=await whole_user_name(context.read, identity.link.user_id)
        )
        card = CardBuilder(_("End the link?"), Colour.WARNING, text)
        unlink = Button(_("Unlink"), f"link:end:{member.id}", discord.ButtonStyle.danger)
        await reply_embed(interaction, MessageContent([card.build()], (unlink,)))


def _user_form(member_id: str) -> Form:
    opened = Form(_("Link a member"), f"link:member:{member_id}")
    label = _("Game user: a name, or an id")
    opened.add_text("user", label, placeholder="license:41aa90be", max_length=200)
    return opened


async def _link(context: Context, member_id: int | str, typed: str) -> str | MessageContent:
    """Link at once, or ask first whether what else that would change is meant."""
    ask = validate(NewLink, {"memberId": member_id, "userId": await find_user(context, typed)})
    doubts = await _doubts(context, ask, await plan_link(context, ask))
    if not doubts:
        await link_user(context, ask)
        return await _linked_text(context, ask)
    card = CardBuilder(_("Link them?"), Colour.WARNING, "\n".join(doubts))
    custom_id = f"link:put:{ask.member_id}:{ask.user_id}"
    if length(custom_id) > CUSTOM_ID:
        raise Conflict("this id is too long to ask for a confirmation; use /link code")
    link = Button(_("Link"), custom_id, discord.ButtonStyle.danger)
    return MessageContent([card.build()], (link,))


def _parse(argument: str) -> NewLink:
    """Read which member and user a button links."""
    member_id, _colon, user_id = argument.partition(":")
    return validate(NewLink, {"memberId": member_id, "userId": user_id})


async def _linked_text(context: Context, ask: NewLink) -> str:
    text = _("{member} is **{user}** in the game.")
    shown = await whole_user_name(context.read, ask.user_id)
    return text.format(member=f"<@{ask.member_id}>", user=shown)


def _unlinked_text(member_id: int) -> str:
    return _("{member} is no longer linked to a game user.").format(member=f"<@{member_id}>")


async def _doubts(context: Context, ask: NewLink, plan: Plan) -> list[str]:
    """Say what somebody may not have meant: a user never seen before, links that would end."""
    shown = await whole_user_name(context.read, ask.user_id)
    doubts = []
    if plan.is_new_user:
        text = _("The game has not reported a user **{user}** so far. Check how it is written.")
        doubts.append(text.format(user=shown))
    if plan.user_before is not None and plan.user_before.member_id != ask.member_id:
        text = _("**{user}** is linked to {member}, whose link would end.")
        doubts.append(text.format(user=shown, member=f"<@{plan.user_before.member_id}>"))
    if plan.member_before is not None and plan.member_before.user_id != ask.user_id:
        text = _("{member} is linked to **{user}**, which would end.")
        before = await whole_user_name(context.read, plan.member_before.user_id)
        doubts.append(text.format(member=f"<@{ask.member_id}>", user=before))
    return doubts


@lists.declare("links", Scope.ADMIN)
async def links(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    found, total = await list_links(context, ListPage(limit=limit, offset=offset))
    lines = [
        f"<@{link.member_id}> · {await whole_user_name(context.read, link.user_id)}"
        f" · <t:{link.linked_at // 1000}:d> · {who(link.linked_by)}"
        for link in found
    ]
    return ListRows(_("Links"), list(map(Row, lines)), _("Nobody is linked to a game user."), total)
