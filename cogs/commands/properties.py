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
from cogs.ui.buttons import Press
from cogs.ui.embeds import Button, CardBuilder, Colour, Content
from cogs.ui.meant import tier_meant, user_meant
from cogs.ui.modals import ReasonForm
from cogs.ui.names import person
from cogs.ui.options import (
    property_choices,
    property_meant,
    status_choices,
    tier_choices,
    user_choices,
)
from cogs.ui.pages import ARGUMENT, List, Rows, page
from cogs.ui.permissions import needs
from cogs.ui.responder import Desk, TooLate, before_a_form, show, tell
from cogs.ui.text import inert_line, who
from db import audit, properties
from db.properties import PENDING, Property
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.wire import validate
from webhook.queries.approvals import Rejection, approve_property, reject_property
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

Place = Range[int, -1_000_000, 1_000_000]
Length = Range[int, 0, 1_000_000]


@app_commands.guild_only()
class Properties(commands.GroupCog, group_name="property", group_description="Properties"):
    """What people do with properties."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @app_commands.command(name="list", description="Show all properties", extras=needs(Scope.READ))
    async def list_(self, interaction: discord.Interaction) -> None:
        """List all."""
        async with self._desk.answering(interaction) as context:
            await show(interaction, await page(context, LISTS, "properties"))

    @app_commands.command(
        description="Search location, description and number", extras=needs(Scope.READ)
    )
    @app_commands.describe(text="What to search for")
    async def search(self, interaction: discord.Interaction, text: Range[str, 1, 40]) -> None:
        """List those that match."""
        async with self._desk.answering(interaction) as context:
            # An astral character counts twice in a button's id.
            wanted = text.strip().encode("utf-16-le")[: ARGUMENT * 2].decode("utf-16-le", "ignore")
            await show(interaction, await page(context, LISTS, "search", wanted))

    @app_commands.command(
        description="Show the properties that wait for approval", extras=needs(Scope.READ)
    )
    async def pending(self, interaction: discord.Interaction) -> None:
        """List those that wait."""
        async with self._desk.answering(interaction) as context:
            await show(interaction, await page(context, LISTS, "pending"))

    @app_commands.command(
        name="show",
        description="Show a property: its equipment, people, alarms, calls and what you may do",
        extras=needs(Scope.READ, or_own=True),
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def show_(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Show one."""
        async with self._desk.answering(interaction) as context:
            place = await property_meant(context, property)
            await show(interaction, await overview(context, place.id))

    @app_commands.command(
        name="map",
        description="Show a property on the map",
        extras=needs(Scope.READ, or_own=True),
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def map_(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Show a map."""
        async with self._desk.answering(interaction) as context:
            place = await property_meant(context, property)
            await show(interaction, await map_of(context, place.id))

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
        x: Place,
        y: Place,
        owner: str,
        width: Length = 0,
        height: Length = 0,
        description: Range[str, 1, 1000] | None = None,
    ) -> None:
        """Add one."""
        async with self._desk.answering(interaction) as context:
            asked = {
                "location": location,
                "tier": await tier_meant(context, tier),
                "x": x,
                "y": y,
                "width": width,
                "height": height,
                "description": description or "",
                "clientId": await user_meant(context, owner),
            }
            added = await add_property(context, validate(NewProperty, asked))
            text = _("**{where}** is property {id} now and waits for approval.")
            await tell(interaction, text.format(where=inert_line(location, 200), id=added.id))

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
        width: Length | None = None,
        height: Length | None = None,
        x: Place | None = None,
        y: Place | None = None,
        tier: str | None = None,
        status: Range[str, 1, 32] | None = None,
    ) -> None:
        """Change one."""
        async with self._desk.answering(interaction) as context:
            place = await property_meant(context, property)
            given = {"width": width, "height": height, "x": x, "y": y, "status": status}
            if tier is not None:
                given["tier"] = await tier_meant(context, tier)
            await edit(context, interaction, place, given)

    @app_commands.command(
        description="Remove a property at once, without a request", extras=needs(Scope.ADMIN)
    )
    @app_commands.describe(property="The property; type a part of its name")
    async def remove(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Ask whether it is meant."""
        async with self._desk.answering(interaction) as context:
            context.caller.must(Scope.ADMIN)
            place = await property_meant(context, property)
            where = inert_line(place.location, 200)
            text = _(
                "Property {id} of {owner} and its equipment will be gone, and drones that are out"
                " will be recalled."
            ).format(id=place.id, owner=await person(context.read, place.owner))
            card = CardBuilder(_("Remove {where}?").format(where=where), Colour.DANGER, text)
            button = Button(_("Remove"), f"property:remove:{place.id}", discord.ButtonStyle.danger)
            await show(interaction, Content([card.build()], (button,)))

    @show_.autocomplete("property")
    @map_.autocomplete("property")
    @edit_.autocomplete("property")
    @remove.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._desk.choices(interaction, property_choices, typed)

    @add.autocomplete("tier")
    @edit_.autocomplete("tier")
    async def _tiers(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._desk.choices(interaction, tier_choices, typed)

    @add.autocomplete("owner")
    async def _users(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._desk.choices(interaction, user_choices, typed)

    @edit_.autocomplete("status")
    async def _statuses(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._desk.choices(interaction, status_choices, typed)


def line(stored: Property | PropertyData) -> str:
    """Write a property as a line of a list."""
    where, status = inert_line(stored.location, 90), inert_line(stored.status, 32)
    return f"{stored.id} · {where} · {status}"


async def _all(context: Context, _argument: str, limit: int, offset: int) -> Rows:
    found = (await get_properties(context, SearchPage(limit=limit, offset=offset))).properties
    total = await properties.count(context.read)
    return Rows(_("Properties"), [line(row) for row in found], _("There is no property."), total)


async def _matching(context: Context, text: str, limit: int, offset: int) -> Rows:
    wanted = SearchPage(search=text, limit=limit, offset=offset)
    found = (await get_properties(context, wanted)).properties
    title = _("Properties with “{text}”").format(text=inert_line(text, ARGUMENT))
    return Rows(title, [line(row) for row in found], _("No property matches."))


async def _pending(context: Context, _argument: str, limit: int, offset: int) -> Rows:
    wanted = SearchPage(limit=limit, offset=offset)
    found = (await search_pending_properties(context, wanted)).properties
    total = await properties.count(context.read, PENDING)
    title, empty = _("Properties that wait for approval"), _("No property waits for approval.")
    return Rows(title, [line(row) for row in found], empty, total)


async def press_approve(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Approve the property on a card."""
    async with desk.answering(interaction) as context:
        async with _first(context, property_id):
            outcome = await approve_property(context, OfProperty(property_id=property_id))
        done = _("Property {id} is approved.").format(id=property_id)
        await tell(interaction, still_missing(outcome) or done)


async def press_reject(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Ask for the reason, then reject the property on a card; it can still get another status."""
    desk.context(interaction).caller.must(Scope.APPROVE)

    async def reject(context: Context, reason: str | None) -> str:
        async with _first(context, property_id):
            await reject_property(context, Rejection(property_id=property_id, reason=reason))
        return _("Property {id} is rejected.").format(id=property_id)

    form = ReasonForm(desk, _("Reject the property"), _("The owner reads this"), reject)
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
        raise TooLate(text.format(id=property_id, who=by, status=now)) from None


async def press_edit(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Show the form that changes a property."""
    context = desk.context(interaction)
    context.caller.must(Scope.WRITE)
    async with before_a_form():
        stored = await existing_property(context.read, property_id)
    await interaction.response.send_modal(EditForm(desk, stored))


async def press_remove(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Remove the property that somebody was asked about."""
    async with desk.answering(interaction) as context:
        context.caller.must(Scope.ADMIN)
        try:
            await remove_property(context, OfProperty(property_id=property_id))
        except NotFound:
            last = await audit.page(context.read, str(property_subject(property_id)), None, 1, 0)
            if not last:
                raise
            text = _("Property {id} is gone already: {who} removed it.")
            raise TooLate(text.format(id=property_id, who=who(last[0].who))) from None
        await tell(interaction, _("Property {id} is removed.").format(id=property_id))


BUTTONS: dict[str, Press] = {
    "property:approve": press_approve,
    "property:reject": press_reject,
    "property:edit": press_edit,
    "property:remove": press_remove,
}
"""What the buttons on properties' cards and answers do."""

LISTS: dict[str, List] = {"properties": _all, "search": _matching, "pending": _pending}
"""The lists of properties."""
