"""`/removal`: list, approve, deny; and the same buttons on a request's card."""

from collections.abc import Awaitable, Callable

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import CONTENT, Desk, TooLate, tell
from cogs.buttons import Press
from cogs.choices import property_meant, removal_choices
from cogs.forms import ReasonForm
from cogs.language import _, plural
from cogs.text import fitting, inert_line, who
from db import removals
from webhook.context import Context, Scope
from webhook.errors import Conflict, NotFound
from webhook.queries.approvals import Counted, restore_property
from webhook.queries.removals import (
    Denial,
    approve_remove_property,
    deny_remove_property,
    get_requested_remove_properties,
)
from webhook.queries.shapes import OfProperty
from webhook.wire import Success

LISTED = 20


@app_commands.guild_only()
class Removals(commands.GroupCog, group_name="removal", group_description="Requested removals"):
    """Requests to remove a property."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @app_commands.command(name="list", description="Show the removals that wait for an answer")
    async def list_(self, interaction: discord.Interaction) -> None:
        """List requests."""
        async with self._desk.answering(interaction) as context:
            waiting = (await get_requested_remove_properties(context)).properties
            lines = [
                f"{row.id} · {inert_line(row.location, 60)} · owner {inert_line(row.client_id, 64)}"
                for row in waiting[:LISTED]
            ]
            listed = fitting(lines, "\n", CONTENT, len(waiting))
            await tell(interaction, listed or "No removal waits for an answer.")

    @app_commands.command(description="Approve a requested removal: the property is gone")
    @app_commands.describe(property="The property; those with a request are offered")
    async def approve(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Approve a request."""
        async with self._desk.answering(interaction) as context:
            place = await property_meant(context, property)
            outcome = await approve_remove_property(context, OfProperty(property_id=place.id))
            done = _("**{where}** is removed.").format(where=inert_line(place.location, 200))
            await tell(interaction, still_missing(outcome) or done)

    @app_commands.command(description="Deny a requested removal, with a reason")
    @app_commands.describe(property="The property; those with a request are offered")
    async def deny(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Ask for the reason, then deny a request."""
        async with self._desk.telling(interaction):
            self._desk.context(interaction).caller.must(Scope.APPROVE)

            async def find(context: Context) -> int:
                return (await property_meant(context, property)).id

            await interaction.response.send_modal(_denial_form(self._desk, find))

    @approve.autocomplete("property")
    @deny.autocomplete("property")
    async def _properties(
        self, interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        return await self._desk.choices(interaction, removal_choices, typed)


async def press_approve(desk: Desk, interaction: discord.Interaction, removal_id: int) -> None:
    """Approve the request on a card."""
    async with desk.answering(interaction) as context:
        property_id = await _still_open(context, removal_id)
        try:
            outcome = await approve_remove_property(context, OfProperty(property_id=property_id))
        except (Conflict, NotFound):
            await _still_open(context, removal_id)  # somebody was faster: says who
            raise
        done = _("Property {id} is removed.").format(id=property_id)
        await tell(interaction, still_missing(outcome) or done)


async def press_deny(desk: Desk, interaction: discord.Interaction, removal_id: int) -> None:
    """Ask for the reason, then deny the request on a card."""
    desk.context(interaction).caller.must(Scope.APPROVE)
    form = _denial_form(desk, lambda context: _still_open(context, removal_id))
    await interaction.response.send_modal(form)


async def press_restore(desk: Desk, interaction: discord.Interaction, removal_id: int) -> None:
    """Bring back the property whose removal a card says was approved."""
    async with desk.answering(interaction) as context:
        request = await removals.get(context.read, removal_id)
        if request is None:
            raise NotFound("this request is not known any more")
        await restore_property(context, OfProperty(property_id=request.property_id))
        await tell(interaction, _("Property {id} is back.").format(id=request.property_id))


def still_missing(outcome: Success) -> str:
    """Say that an approval counts and who else must approve; blank if it was the last one."""
    if not isinstance(outcome, Counted):
        return ""
    return plural(
        "Your approval counts. {number} other person must approve too.",
        "Your approval counts. {number} other people must approve too.",
        outcome.missing,
    )


def _denial_form(desk: Desk, find_property: Callable[[Context], Awaitable[int]]) -> ReasonForm:
    async def deny(context: Context, reason: str | None) -> str:
        property_id = await find_property(context)
        await deny_remove_property(context, Denial(property_id=property_id, reason=reason))
        return _("The removal of property {id} is denied.").format(id=property_id)

    return ReasonForm(desk, _("Deny the removal"), _("The requester reads this"), deny)


async def _still_open(context: Context, removal_id: int) -> int:
    """Return the property of a request that waits for an answer.

    Raises:
        NotFound: the request is not known.
        TooLate: somebody has answered it.
    """
    context.caller.must(Scope.APPROVE)
    request = await removals.get(context.read, removal_id)
    if request is None:
        raise NotFound("this request is not known any more")
    if request.outcome is not None:
        by = who(request.settled_by or "")
        raise TooLate(f"This removal was already {request.outcome} by {by}.")
    return request.property_id


BUTTONS: dict[str, Press] = {
    "removal:approve": press_approve,
    "removal:deny": press_deny,
    "removal:restore": press_restore,
}
"""What the buttons on requests' cards do."""
