"""`/access`: who may enter a property, and who was at its door."""

import discord
from discord import app_commands

from cogs.i18n.language import _
from cogs.ui.buttons import read_number
from cogs.ui.names import user_name, whole_user_name
from cogs.ui.options import AllowedUserOption, OwnedPropertyOption, UserOption, property_option
from cogs.ui.pages import ListRows, PagedLists, Row, reply_page
from cogs.ui.permissions import needs
from cogs.ui.resolve import resolve_allowed_user
from cogs.ui.responder import SentinelGroup, reply_text
from cogs.ui.text import inert_line
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import FieldProblem, InvalidData, NotFound
from webhook.queries.links import OfMember, find_user_of, list_user_ids
from webhook.queries.models import OfProperty, PropertyPage, UserAtProperty
from webhook.queries.properties.access import (
    add_allowed_user,
    get_access_list,
    list_auth_entries,
    remove_allowed_user,
)
from webhook.queries.properties.find import find_property
from webhook.queries.rows import AuthEntry
from webhook.queries.users import find_user

lists = PagedLists()


class AccessCommands(
    SentinelGroup, group_name="access", group_description="Who may enter a property"
):
    @app_commands.command(
        description="Let somebody enter a property", extras=needs(Scope.WRITE, or_own=True)
    )
    @property_option(
        member="A member of this server", user="Or a known name, or an id like license:41aa90be"
    )
    async def allow(
        self,
        interaction: discord.Interaction,
        property_: OwnedPropertyOption,
        member: discord.User | None = None,
        user: UserOption | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        user_id = await find_person(context, member, user)
        await add_allowed_user(context, UserAtProperty(property_id=found.id, user_id=user_id))
        text = _("{person} can now enter **{where}**.")
        # The id of a member in the game is not everybody's to read.
        person = member.mention if member else await user_name(context.read, user_id)
        where = inert_line(found.location, 200)
        await reply_text(interaction, text.format(person=person, where=where))

    @app_commands.command(
        description="No longer let somebody enter a property",
        extras=needs(Scope.WRITE, or_own=True),
    )
    @property_option(member="A member of this server", user="Or somebody on its list")
    async def deny(
        self,
        interaction: discord.Interaction,
        property_: OwnedPropertyOption,
        member: discord.User | None = None,
        user: AllowedUserOption | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        for user_id in await _listed_users(context, found.id, member, user):
            ask = UserAtProperty(property_id=found.id, user_id=user_id)
            await remove_allowed_user(context, ask)
        text = _("{person} can no longer enter **{where}**.")
        person = member.mention if member else await user_name(context.read, user_id)
        where = inert_line(found.location, 200)
        await reply_text(interaction, text.format(person=person, where=where))

    @app_commands.command(
        description="Show who was at a property's door", extras=needs(Scope.READ, or_own=True)
    )
    @property_option()
    async def log(self, interaction: discord.Interaction, property_: OwnedPropertyOption) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        await reply_page(interaction, await auth_entries.page(context, str(found.id)))


async def find_person(context: Context, member: discord.User | None, user: str | None) -> str:
    """Return the user who was named, by a member or by a text.

    Raises:
        InvalidData: neither is given, or both are.
        Conflict: the member is not linked to a user of the game.
    """
    _check_one(member, user)
    if member is not None:
        return await find_user_of(context, OfMember(member_id=member.id))
    return await find_user(context, user or "")


async def _listed_users(
    context: Context, property_id: int, member: discord.User | None, user: str | None
) -> list[str]:
    """Return whom to let in no more: a member by every id that is on the list.

    Raises:
        InvalidData: neither is given, or both are.
        NotFound: the member is not on the list.
    """
    _check_one(member, user)
    if member is None:
        return [await resolve_allowed_user(context, property_id, user or "")]
    access = await get_access_list(context, OfProperty(property_id=property_id))
    ids = await list_user_ids(context, OfMember(member_id=member.id))
    listed = [row.id for row in access.users if row.id in ids]
    if not listed:
        raise NotFound(
            "this member is not on the list of property {property}", property=property_id
        )
    return listed


def _check_one(member: discord.User | None, user: str | None) -> None:
    if (member is None) == (user is None):
        raise InvalidData(FieldProblem("member", "give either a member or a user"))


@lists.declare("access", Scope.READ, or_own=True)
async def allowed_users(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    access = await get_access_list(context, OfProperty(property_id=read_number(argument)))
    owner = await whole_user_name(context.read, access.property_.owner)
    listed = access.users[max(offset - 1, 0) : max(offset + limit - 1, 0)]  # the owner is the first
    names = [await whole_user_name(context.read, user.id) for user in listed]
    if not offset:
        names.insert(0, _("{person}, the owner").format(person=owner))
    title = _("Access list · {where}").format(where=inert_line(access.property_.location, 200))
    return ListRows(title, list(map(Row, names)), "", 1 + len(access.users))


@lists.declare("door", Scope.READ, or_own=True)
async def auth_entries(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    page = PropertyPage(property_id=read_number(argument), limit=limit, offset=offset)
    property_ = (await get_access_list(context, page)).property_
    rows = [
        Row(
            f"<t:{entry.at // 1000}:f> · {await user_name(context.read, entry.user_id)} · "
            f"{_outcome(entry)}"
        )
        for entry in await list_auth_entries(context, page)
    ]
    title = _("At the door · {where}").format(where=inert_line(property_.location, 200))
    return ListRows(title, rows, _("Nobody has been at the door."))


def _outcome(entry: AuthEntry) -> str:
    """Say whether somebody was let in, by what, and why."""
    done = _("let in") if entry.allowed else _("**not let in**")
    details = [inert_line(text, 60, blank="") for text in (entry.method, entry.reason)]
    return " · ".join(filter(None, [done, *details]))
