"""`/property`: list, show, add, edit, search, remove; and the buttons on properties' cards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from cogs.commands.edits import EditForm, edit
from cogs.commands.overview import map_of, overview
from cogs.commands.removals import still_missing
from cogs.i18n.language import _
from cogs.ui.buttons import ButtonHandler
from cogs.ui.embeds import Button, CardBuilder, Colour, MessageContent
from cogs.ui.meant import resolve_tier, resolve_user
from cogs.ui.modals import ReasonForm
from cogs.ui.names import user_name
from cogs.ui.options import (
    property_choices,
    resolve_property,
    status_choices,
    tier_choices,
    user_choices,
)
from cogs.ui.pages import ARGUMENT, ListReader, ListRows, list_page
from cogs.ui.permissions import needs
from cogs.ui.responder import AlreadyDone, Responder, before_modal, reply_embed, reply_text
from cogs.ui.text import inert_line, who
from db import audit, properties
from db.properties import PENDING, Property
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.wire import validate
from webhook.queries.approvals import Rejection, add_property_approval, reject_property
from webhook.queries.models import OfProperty, SearchPage
from webhook.queries.properties import (
    NewProperty,
    add_property,
    get_properties,
    remove_property,
    search_pending_properties,
)
from webhook.queries.property_data import PropertyData, existing_property
from webhook.queries.subjects import property_subject

CoordinateOption = Range[int, -1_000_000, 1_000_000]
LengthOption = Range[int, 0, 1_000_000]


@app_commands.guild_only()
class PropertyCommands(commands.GroupCog, group_name="property", group_description="Properties"):
    """What people do with properties."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(name="list", description="Show all properties", extras=needs(Scope.READ))
    async def list_(self, interaction: discord.Interaction) -> None:
        """List all."""
        async with self._responder.deferred(interaction) as context:
            await reply_embed(interaction, await list_page(context, LISTS, "properties"))

    @app_commands.command(
        description="Search location, description and number", extras=needs(Scope.READ)
    )
    @app_commands.describe(text="What to search for")
    async def search(self, interaction: discord.Interaction, text: Range[str, 1, 40]) -> None:
        """List those that match."""
        async with self._responder.deferred(interaction) as context:
            # An astral character counts twice in a button's id.
            wanted = text.strip().encode("utf-16-le")[: ARGUMENT * 2].decode("utf-16-le", "ignore")
            await reply_embed(interaction, await list_page(context, LISTS, "search", wanted))

    @app_commands.command(
        description="Show the properties that wait for approval", extras=needs(Scope.READ)
    )
    async def pending(self, interaction: discord.Interaction) -> None:
        """List those that wait."""
        async with self._responder.deferred(interaction) as context:
            await reply_embed(interaction, await list_page(context, LISTS, "pending"))

    @app_commands.command(
        name="show",
        description="Show a property: its equipment, people, alarms, calls and what you may do",
        extras=needs(Scope.READ, or_own=True),
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def show_(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Show one."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            await reply_embed(interaction, await overview(context, place.id))

    @app_commands.command(
        name="map",
        description="Show a property on the map",
        extras=needs(Scope.READ, or_own=True),
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def map_(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Show a map."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            await reply_embed(interaction, await map_of(context, place.id))

    @app_commands.command(
        description="Add a property; it waits for approval", extras=needs(Scope.WRITE)
    )
    @app_commands.describe(
        location="Where it is, for people",
        tier="Its protection plan",
        x="Where it is on the game's map, west to east",
        y="Where it is on the game's map, south to north",
        owner="The game user who owns it: a known name, or an id like license:41aa90be",
        width="Metres",
        height="Metres",
        description="More about it",
    )
    async def add(
        self,
        interaction: discord.Interaction,
        location: Range[str, 1, 200],
        tier: str,
        x: CoordinateOption,
        y: CoordinateOption,
        owner: str,
        width: LengthOption = 0,
        height: LengthOption = 0,
        description: Range[str, 1, 1000] | None = None,
    ) -> None:
        """Add one."""
        async with self._responder.deferred(interaction) as context:
            asked = {
                "location": location,
                "tier": await resolve_tier(context, tier),
                "x": x,
                "y": y,
                "width": width,
                "height": height,
                "description": description or "",
                "clientId": await resolve_user(context, owner),
            }
            added = await add_property(context, validate(NewProperty, asked))
            text = _("**{where}** is property {id} now and waits for approval.")
            await reply_text(interaction, text.format(where=inert_line(location, 200), id=added.id))

    @app_commands.command(
        name="edit",
        description="Change a property's size, coordinates, tier or status",
        extras=needs(Scope.WRITE),
    )
    @app_commands.describe(
        property="The property; type a part of its name",
        width="Metres",
        height="Metres",
        x="Where it is on the game's map, west to east",
        y="Where it is on the game's map, south to north",
        tier="Its protection plan",
        status="ACTIVE, or a word of your own",
    )
    async def edit_(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        width: LengthOption | None = None,
        height: LengthOption | None = None,
        x: CoordinateOption | None = None,
        y: CoordinateOption | None = None,
        tier: str | None = None,
        status: Range[str, 1, 32] | None = None,
    ) -> None:
        """Change one."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            given = {"width": width, "height": height, "x": x, "y": y, "status": status}
            if tier is not None:
                given["tier"] = await resolve_tier(context, tier)
            await edit(context, interaction, place, given)

    @app_commands.command(
        description="Remove a property at once, without a request", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def remove(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Ask whether it is meant."""
        async with self._responder.deferred(interaction) as context:
            context.caller.must(Scope.ADMIN)
            place = await resolve_property(context, property)
            where = inert_line(place.location, 200)
            text = _(
                "Property {id} of {owner} and its equipment will be gone, and drones that are out"
                " will be recalled."
            ).format(id=place.id, owner=await user_name(context.read, place.owner))
            card = CardBuilder(_("Remove {where}?").format(where=where), Colour.DANGER, text)
            button = Button(_("Remove"), f"property:remove:{place.id}", discord.ButtonStyle.danger)
            await reply_embed(interaction, MessageContent([card.build()], (button,)))

    @show_.autocomplete("property")
    @map_.autocomplete("property")
    @edit_.autocomplete("property")
    @remove.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)

    @add.autocomplete("tier")
    @edit_.autocomplete("tier")
    async def _tiers(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, tier_choices, typed)

    @add.autocomplete("owner")
    async def _users(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, user_choices, typed)

    @edit_.autocomplete("status")
    async def _statuses(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, status_choices, typed)


def line(stored: Property | PropertyData) -> str:
    """Write a property as a line of a list."""
    where, status = inert_line(stored.location, 90), inert_line(stored.status, 32)
    return f"{stored.id} · {where} · {status}"


async def _all(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    found = (await get_properties(context, SearchPage(limit=limit, offset=offset))).properties
    total = await properties.count(context.read)
    return ListRows(
        _("Properties"), [line(row) for row in found], _("There is no property."), total
    )


async def _matching(context: Context, text: str, limit: int, offset: int) -> ListRows:
    wanted = SearchPage(search=text, limit=limit, offset=offset)
    found = (await get_properties(context, wanted)).properties
    title = _("Properties with “{text}”").format(text=inert_line(text, ARGUMENT))
    return ListRows(title, [line(row) for row in found], _("No property matches."))


async def _pending(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    wanted = SearchPage(limit=limit, offset=offset)
    found = (await search_pending_properties(context, wanted)).properties
    total = await properties.count(context.read, PENDING)
    title, empty = _("Properties that wait for approval"), _("No property waits for approval.")
    return ListRows(title, [line(row) for row in found], empty, total)


async def press_approve(
    responder: Responder, interaction: discord.Interaction, property_id: int
) -> None:
    """Approve the property on a card."""
    async with responder.deferred(interaction) as context:
        async with _first(context, property_id):
            missing = await add_property_approval(context, OfProperty(property_id=property_id))
        done = _("Property {id} is approved.").format(id=property_id)
        await reply_text(interaction, still_missing(missing) or done)


async def press_reject(
    responder: Responder, interaction: discord.Interaction, property_id: int
) -> None:
    """Ask for the reason, then reject the property on a card; it can still get another status."""
    responder.context(interaction).caller.must(Scope.APPROVE)

    async def reject(context: Context, reason: str | None) -> str:
        async with _first(context, property_id):
            await reject_property(context, Rejection(property_id=property_id, reason=reason))
        return _("Property {id} is rejected.").format(id=property_id)

    form = ReasonForm(responder, _("Reject the property"), _("The owner reads this"), reject)
    await interaction.response.send_modal(form)


@asynccontextmanager
async def _first(context: Context, property_id: int) -> AsyncIterator[None]:
    """Tell who decided first, if somebody did."""
    try:
        yield
    except Conflict:
        stored = await existing_property(context.read, property_id)
        if stored.status == PENDING or stored.status_by is None:
            raise
        by, now = who(stored.status_by), inert_line(stored.status, 32)
        text = _("Property {id} does not wait any more: {who} made it {status}.")
        raise AlreadyDone(text.format(id=property_id, who=by, status=now)) from None


async def press_edit(
    responder: Responder, interaction: discord.Interaction, property_id: int
) -> None:
    """Show the form that changes a property."""
    context = responder.context(interaction)
    context.caller.must(Scope.WRITE)
    async with before_modal():
        stored = await existing_property(context.read, property_id)
    await interaction.response.send_modal(EditForm(responder, stored))


async def press_remove(
    responder: Responder, interaction: discord.Interaction, property_id: int
) -> None:
    """Remove the property that somebody was asked about."""
    async with responder.deferred(interaction) as context:
        context.caller.must(Scope.ADMIN)
        try:
            await remove_property(context, OfProperty(property_id=property_id))
        except NotFound:
            last = await audit.page(context.read, str(property_subject(property_id)), None, 1, 0)
            if not last:
                raise
            text = _("Property {id} is gone already: {who} removed it.")
            raise AlreadyDone(text.format(id=property_id, who=who(last[0].who))) from None
        await reply_text(interaction, _("Property {id} is removed.").format(id=property_id))


BUTTONS: dict[str, ButtonHandler] = {
    "property:approve": press_approve,
    "property:reject": press_reject,
    "property:edit": press_edit,
    "property:remove": press_remove,
}
"""What the buttons on properties' cards and answers do."""

LISTS: dict[str, ListReader] = {"properties": _all, "search": _matching, "pending": _pending}
"""The lists of properties."""
