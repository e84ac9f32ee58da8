"""`/property`: list, show, add, change, remove; and the forms that change one.

There are two forms, as Discord's have five inputs at most.
"""

import re
from collections.abc import Mapping

import discord
from discord import app_commands
from discord.app_commands import Range

from cogs.commands.open_card import property_card, property_map_card
from cogs.commands.properties import lists as property_lists
from cogs.commands.properties.access import find_person
from cogs.commands.properties.decisions import approve, is_known, rejection_form, transfer
from cogs.i18n.language import _, plural
from cogs.ui.buttons import button
from cogs.ui.embeds import Button, CardBuilder, Colour, MessageContent
from cogs.ui.modals import FORM_TITLE, Answers, Form, form
from cogs.ui.names import (
    plain_property_status,
    plain_tier_name,
    property_label,
    property_status,
    read_property_status,
    tier_name,
    user_name,
)
from cogs.ui.options import (
    PendingPropertyOption,
    PropertyOption,
    StatusOption,
    TierOption,
    UserOption,
    property_option,
)
from cogs.ui.pages import reply_page
from cogs.ui.permissions import needs
from cogs.ui.resolve import resolve_tier
from cogs.ui.responder import (
    SentinelGroup,
    before_modal,
    reply_embed,
    reply_text,
)
from cogs.ui.text import inert_line, length, plain_line
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, FieldProblem, InvalidData
from webhook.protocol.wire import validate
from webhook.queries.models import OfProperty
from webhook.queries.properties.add import NewProperty, add_property
from webhook.queries.properties.edits import NewOwner, PropertyEdit, edit_property
from webhook.queries.properties.find import find_property, get_stored_property
from webhook.queries.rows import Property
from webhook.queries.users import find_user

CoordinateOption = Range[int, -1_000_000, 1_000_000]
LengthOption = Range[int, 0, 1_000_000]


_PAIR = re.compile(r"\s*(-?[0-9]{1,7})\s*[x×*,;/ ]\s*(-?[0-9]{1,7})\s*(?:m\s*)?", re.IGNORECASE)


class PropertyCommands(SentinelGroup, group_name="property", group_description="Properties"):
    @app_commands.command(
        description="Show the properties that are yours or that you may enter",
        extras=needs(Scope.NONE),
    )
    async def mine(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        await reply_page(interaction, await property_lists.own_properties.page(context))

    @app_commands.command(
        name="list",
        description="Show properties: all, those of a status, or those that match a text",
        extras=needs(Scope.READ),
    )
    @app_commands.describe(
        text="What to search for in location, description and number",
        status="Only those of this status, like those that wait for approval",
    )
    async def list_(
        self,
        interaction: discord.Interaction,
        text: Range[str, 1, 40] | None = None,
        status: StatusOption | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        wanted = property_lists.filters(status, text)
        await reply_page(interaction, await property_lists.properties.page(context, wanted))

    @app_commands.command(
        description="Show a property: its equipment, people, alarms, calls and what you may do",
        extras=needs(Scope.READ, or_allowed=True),
    )
    @property_option()
    async def show(self, interaction: discord.Interaction, property_: PropertyOption) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        await reply_embed(interaction, await property_card(context, found.id))

    @app_commands.command(
        description="Add a property; it waits for approval", extras=needs(Scope.WRITE)
    )
    @app_commands.describe(
        location="Where it is, in words",
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
        tier: TierOption,
        x: CoordinateOption,
        y: CoordinateOption,
        owner: UserOption,
        width: LengthOption = 0,
        height: LengthOption = 0,
        description: Range[str, 1, 1000] | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        ask = {
            "location": location,
            "tier": await resolve_tier(context, tier),
            "x": x,
            "y": y,
            "width": width,
            "height": height,
            "description": description or "",
            "clientId": await find_user(context, owner),
        }
        added = await add_property(context, validate(NewProperty, ask))
        text = _("{property} added. It is waiting for approval.")
        label = await property_label(context.read, added.id)
        await reply_text(interaction, text.format(property=label))

    @app_commands.command(
        description="Change a property's location, size, coordinates, tier, status or owner",
        extras=needs(Scope.WRITE),
    )
    @property_option(
        width="Metres",
        height="Metres",
        x="Where it is on the game's map, west to east",
        y="Where it is on the game's map, south to north",
        tier="Its protection plan",
        status="A status in use, or a word of your own",
        location="Where it is, in words",
        description="More about it",
        owner="The game user who owns it: a known name, or an id like license:41aa90be",
    )
    async def edit(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption,
        width: LengthOption | None = None,
        height: LengthOption | None = None,
        x: CoordinateOption | None = None,
        y: CoordinateOption | None = None,
        tier: TierOption | None = None,
        status: StatusOption | None = None,
        location: Range[str, 1, 200] | None = None,
        description: Range[str, 1, 1000] | None = None,
        owner: UserOption | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        given: dict[str, object] = {"width": width, "height": height, "x": x, "y": y}
        given |= {"location": location, "description": description}
        if status is not None:
            given["status"] = read_property_status(status)
        if tier is not None:
            given["tier"] = await resolve_tier(context, tier)
        if owner is not None:
            given["owner"] = await find_user(context, owner)
        await reply_text(interaction, await _edit(context, found, given))

    @app_commands.command(description="Give a property another name", extras=needs(Scope.WRITE))
    @property_option(location="Where it is, in words")
    async def rename(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption,
        location: Range[str, 1, 200],
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        await _edit(context, found, {"location": location})
        text = _("Renamed **{before}** to **{where}**.")
        before, where = inert_line(found.location, 200), inert_line(location, 200)
        await reply_text(interaction, text.format(before=before, where=where))

    @app_commands.command(
        description="Give a property to another owner; both are told", extras=needs(Scope.WRITE)
    )
    @property_option(
        member="The new owner: a member of this server",
        user="Or a known name, or an id like license:41aa90be",
        keep_access="Whether those on its access list may still enter; by default they may not",
    )
    async def transfer(
        self,
        interaction: discord.Interaction,
        property_: PropertyOption,
        member: discord.User | None = None,
        user: UserOption | None = None,
        keep_access: bool = False,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        ask = {"propertyId": found.id, "keepAllowed": keep_access}
        owner = await find_person(context, member, user)
        new_owner = validate(NewOwner, ask | {"owner": owner})
        answer = await transfer(context, new_owner, is_sure=member is not None)
        if isinstance(answer, str):
            await reply_text(interaction, answer)
        else:
            await reply_embed(interaction, answer)

    @app_commands.command(
        description="Remove a property at once, without a request", extras=needs(Scope.ADMIN)
    )
    @property_option()
    async def remove(self, interaction: discord.Interaction, property_: PropertyOption) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        where = inert_line(found.location, 200)
        text = _(
            "This removes property #{id}, owned by {owner}, with its equipment, and recalls "
            "its drones."
        ).format(id=found.id, owner=await user_name(context.read, found.owner))
        hours = context.approvals.restore_hours
        restore = plural(
            "For {number} hour it can be restored, with /removal restore.",
            "For {number} hours it can be restored, with /removal restore.",
            hours,
        )
        text = f"{text} {restore}" if hours else text
        card = CardBuilder(_("Remove {where}?").format(where=where), Colour.DANGER, text)
        remove = Button(_("Remove"), f"property:remove:{found.id}", discord.ButtonStyle.danger)
        cancel = Button(_("Cancel"), f"property:keep:{found.id}")
        await reply_embed(interaction, MessageContent([card.build()], (remove, cancel)))

    @app_commands.command(
        description="Approve a property that waits for approval", extras=needs(Scope.APPROVE)
    )
    @property_option("The property; those that wait are offered")
    async def approve(
        self, interaction: discord.Interaction, property_: PendingPropertyOption
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        await reply_text(interaction, await approve(context, found.id))

    @app_commands.command(
        description="Reject a property that waits for approval, with a reason",
        extras=needs(Scope.APPROVE),
    )
    @property_option("The property; those that wait are offered")
    async def reject(
        self, interaction: discord.Interaction, property_: PendingPropertyOption
    ) -> None:
        async with before_modal():
            found = await find_property(self._responder.context(interaction), property_)
        await interaction.response.send_modal(rejection_form(found.id))

    @button("property:map", Scope.READ, or_allowed=True)
    async def map_button(self, interaction: discord.Interaction, property_id: int) -> None:
        context = await self._responder.defer(interaction)
        await reply_embed(interaction, await property_map_card(context, property_id))

    @button("property:edit", Scope.WRITE)
    async def edit_button(self, interaction: discord.Interaction, property_id: int) -> None:
        found = await self._shown(interaction, property_id)
        async with before_modal():
            tier = await plain_tier_name(self._responder.context(interaction).read, found.tier)
        await interaction.response.send_modal(_plan_form(found, tier))

    @form("property:edit", Scope.WRITE, "size", "coordinates", "tier", "status")
    async def submit_edit(self, context: Context, property_id: int, answers: Answers) -> str:
        """Change what was changed in the form; what was not touched stays."""
        changed = answers.changed
        given: dict[str, object] = {}
        if "size" in changed:
            given["width"], given["height"] = _pair("size", changed["size"])
        if "coordinates" in changed:
            given["x"], given["y"] = _pair("coordinates", changed["coordinates"])
        if "tier" in changed:
            given["tier"] = await resolve_tier(context, changed["tier"])
        if "status" in changed:
            given["status"] = read_property_status(changed["status"])
        # Somebody may have changed it while the form was open.
        now = await get_stored_property(context, OfProperty(property_id=property_id))
        return await _edit(context, now, given)

    @button("property:describe", Scope.WRITE)
    async def describe_button(self, interaction: discord.Interaction, property_id: int) -> None:
        found = await self._shown(interaction, property_id)
        await interaction.response.send_modal(_words_form(found))

    @form("property:describe", Scope.WRITE, "location", "description", "owner")
    async def submit_description(self, context: Context, property_id: int, answers: Answers) -> str:
        """Change what was changed in the form; an owner whom nobody knows is a typing error."""
        given: dict[str, object] = dict(answers.changed)
        if "owner" in given:
            owner = await find_user(context, answers.text("owner"))
            if not await is_known(context, owner):
                raise Conflict(
                    "the game has not reported a user {user} so far; if it is right, use"
                    " /property transfer",
                    user=owner,
                )
            given["owner"] = owner
        now = await get_stored_property(context, OfProperty(property_id=property_id))
        return await _edit(context, now, given)

    async def _shown(self, interaction: discord.Interaction, property_id: int) -> Property:
        async with before_modal():
            context = self._responder.context(interaction)
            return await get_stored_property(context, OfProperty(property_id=property_id))


def _plan_form(property_: Property, tier: str) -> Form:
    title = _form_title(_("Edit {where}"), property_)
    opened = Form(title, f"property:edit:{property_.id}")
    size = f"{property_.width} x {property_.height}"
    opened.add_text("size", _("Width x height, in metres"), max_length=100, shown=size)
    coordinates = f"{property_.x}, {property_.y}"
    opened.add_text("coordinates", _("Coordinates: x, y"), max_length=100, shown=coordinates)
    opened.add_text("tier", _("Tier"), max_length=100, shown=tier)
    status = plain_property_status(property_.status)[:100]
    opened.add_text("status", _("Status"), max_length=100, shown=status)
    return opened


def _form_title(text: str, property_: Property) -> str:
    """Fill in as much of the location as the title of a form holds."""
    return text.format(where=plain_line(property_.location, FORM_TITLE - length(text) + 7))


def _words_form(property_: Property) -> Form:
    title = _form_title(_("Name and owner · {where}"), property_)
    opened = Form(title, f"property:describe:{property_.id}")
    opened.add_text("location", _("Where it is"), max_length=200, shown=property_.location)
    opened.add_text(
        "description",
        _("Description"),
        max_length=2_000,
        shown=property_.description,
        required=False,
        lines=True,
    )
    opened.add_text("owner", _("Owner: a name or an id"), max_length=200, shown=property_.owner)
    return opened


async def _edit(context: Context, property_: Property, given: Mapping[str, object]) -> str:
    """Change what is given and not None; return what to answer.

    Raises:
        Forbidden: this property's status is for approvers to decide.
        Conflict: somebody changed the status at the same time.
    """
    changes = {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise Conflict("nothing was changed; give at least one new value")
    if "status" in changes:
        changes["ifStatus"] = property_.status
    await edit_property(context, validate(PropertyEdit, changes | {"propertyId": property_.id}))
    now = await get_stored_property(context, OfProperty(property_id=property_.id))
    text = _("**{where}**: {width} × {height} m at {x}, {y}, tier {tier}, {status}.").format(
        where=inert_line(now.location, 200),
        width=now.width,
        height=now.height,
        x=now.x,
        y=now.y,
        tier=await tier_name(context.read, now.tier),
        status=property_status(now.status),
    )
    if "owner" not in changes:
        return text
    owner = await user_name(context.read, now.owner)
    return f"{text} {_('The owner is {user}.').format(user=owner)}"


def _pair(field: str, text: str) -> tuple[int, int]:
    found = _PAIR.fullmatch(text)
    if found is None:
        raise InvalidData(FieldProblem(field, "two whole numbers, like 30 x 20 or -860, 700"))
    return int(found[1]), int(found[2])
