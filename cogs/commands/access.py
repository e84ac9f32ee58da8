"""`/access`: who may enter a property, and who was at its door."""

from functools import partial

import discord
from discord import app_commands
from discord.app_commands import Choice
from discord.ext import commands

from cogs.i18n.language import _
from cogs.ui.meant import resolve_allowed_user, resolve_user
from cogs.ui.names import user_name
from cogs.ui.options import allowed_choices, property_choices, resolve_property, user_choices
from cogs.ui.pages import ListReader, ListRows, list_page
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, reply_embed, reply_text
from cogs.ui.text import inert_line
from db import access
from webhook.protocol.catalogue import authorise
from webhook.protocol.context import Context, Scope, Share
from webhook.queries.access import UserAtProperty, add_allowed_user, remove_allowed_user
from webhook.queries.models import OfProperty
from webhook.queries.property_data import existing_property


@app_commands.guild_only()
class AccessCommands(
    commands.GroupCog, group_name="access", group_description="Who may enter a property"
):
    """The lists of allowed users."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(
        description="Let somebody enter a property", extras=needs(Scope.WRITE, or_own=True)
    )
    @app_commands.describe(
        property="The property; type a part of its name",
        user="A known name, or an id like license:41aa90be",
    )
    async def allow(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        user: str,
    ) -> None:
        """Put somebody on the list."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            user_id = await resolve_user(context, user)
            await add_allowed_user(context, UserAtProperty(property_id=place.id, user_id=user_id))
            text = _("{person} may enter **{where}**.")
            shown, where = await user_name(context.read, user_id), inert_line(place.location, 200)
            await reply_text(interaction, text.format(person=shown, where=where))

    @app_commands.command(
        description="Let somebody enter a property no longer",
        extras=needs(Scope.WRITE, or_own=True),
    )
    @app_commands.describe(
        property="The property; type a part of its name", user="Somebody on its list"
    )
    async def deny(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        user: str,
    ) -> None:
        """Take somebody off the list."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            user_id = await resolve_allowed_user(context, place.id, user)
            await remove_allowed_user(
                context, UserAtProperty(property_id=place.id, user_id=user_id)
            )
            text = _("{person} may not enter **{where}** any more.")
            shown, where = await user_name(context.read, user_id), inert_line(place.location, 200)
            await reply_text(interaction, text.format(person=shown, where=where))

    @app_commands.command(
        name="list",
        description="Show who may enter a property",
        extras=needs(Scope.READ, or_own=True),
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def list_(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """List who may enter."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            await reply_embed(interaction, await list_page(context, LISTS, "access", str(place.id)))

    @app_commands.command(
        description="Show who was at a property's door", extras=needs(Scope.READ, or_own=True)
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def log(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """List who was at the door."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            await reply_embed(interaction, await list_page(context, LISTS, "door", str(place.id)))

    @allow.autocomplete("property")
    @deny.autocomplete("property")
    @list_.autocomplete("property")
    @log.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)

    @allow.autocomplete("user")
    async def _users(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, user_choices, typed)

    @deny.autocomplete("user")
    async def _allowed(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        offer = partial(allowed_choices, place=interaction.namespace.property)
        return await self._responder.choices(interaction, offer, typed)


async def _allowed(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    place = await existing_property(context.read, int(argument))
    await authorise(context, Scope.READ, Share.OWNER, OfProperty(property_id=place.id))
    allowed = await access.allowed_users(context.read, place.id)
    owner = _("{person}, the owner").format(person=await user_name(context.read, place.owner))
    lines = [owner, *[await user_name(context.read, user.id) for user in allowed]]
    title = _("May enter · {where}").format(where=inert_line(place.location, 200))
    return ListRows.part(title, lines, "", limit, offset)


async def _door(context: Context, argument: str, limit: int, offset: int) -> ListRows:
    place = await existing_property(context.read, int(argument))
    await authorise(context, Scope.READ, Share.OWNER, OfProperty(property_id=place.id))
    found = await access.entries(context.read, place.id, limit, offset)
    lines = [
        f"<t:{entry.at // 1000}:f> · {await user_name(context.read, entry.user_id)} · "
        + (_("let in") if entry.allowed else _("not on the list"))
        for entry in found
    ]
    title = _("At the door · {where}").format(where=inert_line(place.location, 200))
    return ListRows(title, lines, _("Nobody was there."))


LISTS: dict[str, ListReader] = {"access": _allowed, "door": _door}
"""The lists of people at a property."""
