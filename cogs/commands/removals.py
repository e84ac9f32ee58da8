"""`/removal`: request, list, approve, deny, withdraw; and the buttons on a request's card."""

from collections.abc import Awaitable, Callable

import discord
from discord import app_commands
from discord.app_commands import Choice, Range
from discord.ext import commands

from cogs.i18n.language import N_, _, plural
from cogs.ui.buttons import ButtonHandler
from cogs.ui.modals import REASON, ReasonForm
from cogs.ui.options import property_choices, removal_choices, removed_choices, resolve_property
from cogs.ui.pages import ListReader, ListRows, list_page
from cogs.ui.permissions import needs
from cogs.ui.responder import AlreadyDone, Responder, before_modal, reply_embed, reply_text
from cogs.ui.text import inert_line, who
from db import properties, removals
from db.properties import REMOVED
from webhook.protocol.catalogue import authorise
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.wire import validate
from webhook.queries.approvals import restore_property
from webhook.queries.models import OfProperty
from webhook.queries.removals import (
    Denial,
    RemovalRequest,
    Withdrawal,
    add_removal_approval,
    deny_remove_property,
    request_remove_property,
    withdraw_remove_property,
)

_OUTCOMES = {
    "approved": N_("This removal was already approved by {who}."),
    "denied": N_("This removal was already denied by {who}."),
    "withdrawn": N_("This removal was already withdrawn by {who}."),
}
"""Texts, translated where they are used."""


@app_commands.guild_only()
class RemovalCommands(
    commands.GroupCog, group_name="removal", group_description="Requested removals"
):
    """Requests to remove a property."""

    def __init__(self, responder: Responder) -> None:
        self._responder = responder

    @app_commands.command(
        description="Ask that a property be removed; approvers decide",
        extras=needs(Scope.WRITE, or_own=True),
    )
    @app_commands.describe(
        property="The property; type a part of its name", reason="Why; approvers read it"
    )
    async def request(
        self,
        interaction: discord.Interaction,
        property: str,  # noqa: A002
        reason: Range[str, 1, REASON] | None = None,
    ) -> None:
        """Ask for a removal."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            await reply_text(interaction, await _request(context, place.id, reason))

    @app_commands.command(
        name="list",
        description="Show the removals that wait for an answer",
        extras=needs(Scope.READ),
    )
    async def list_(self, interaction: discord.Interaction) -> None:
        """List requests."""
        async with self._responder.deferred(interaction) as context:
            await reply_embed(interaction, await list_page(context, LISTS, "removals"))

    @app_commands.command(
        description="Take a request for removal back", extras=needs(Scope.WRITE, or_own=True)
    )
    @app_commands.describe(property="The property; those with a request are offered")
    async def withdraw(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Withdraw a request."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            await _withdraw(context, interaction, place.id)

    @app_commands.command(
        description="Approve a requested removal: the property is gone",
        extras=needs(Scope.APPROVE),
    )
    @app_commands.describe(property="The property; those with a request are offered")
    async def approve(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Approve a request."""
        async with self._responder.deferred(interaction) as context:
            place = await resolve_property(context, property)
            missing = await add_removal_approval(context, OfProperty(property_id=place.id))
            done = _("**{where}** is removed.").format(where=inert_line(place.location, 200))
            await reply_text(interaction, still_missing(missing) or done)

    @app_commands.command(
        description="Bring a removed property back, with all that hung on it",
        extras=needs(Scope.APPROVE),
    )
    @app_commands.describe(property="The property; those removed lately are offered")
    async def restore(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Bring a property back."""
        async with self._responder.deferred(interaction) as context:
            meant = validate(OfProperty, {"propertyId": property})
            await _restore(context, interaction, meant.property_id)

    @app_commands.command(
        description="Deny a requested removal, with a reason", extras=needs(Scope.APPROVE)
    )
    @app_commands.describe(property="The property; those with a request are offered")
    async def deny(self, interaction: discord.Interaction, property: str) -> None:  # noqa: A002
        """Ask for the reason, then deny a request."""
        async with self._responder.reporting_errors(interaction):
            self._responder.context(interaction).caller.must(Scope.APPROVE)

            async def find(context: Context) -> int:
                return (await resolve_property(context, property)).id

            await interaction.response.send_modal(_denial(self._responder, find))

    @approve.autocomplete("property")
    @deny.autocomplete("property")
    @withdraw.autocomplete("property")
    async def _requested(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, removal_choices, typed)

    @restore.autocomplete("property")
    async def _removed(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, removed_choices, typed)

    @request.autocomplete("property")
    async def _properties(self, interaction: discord.Interaction, typed: str) -> list[Choice[str]]:
        return await self._responder.choices(interaction, property_choices, typed)


def _denial(responder: Responder, find_property: Callable[[Context], Awaitable[int]]) -> ReasonForm:
    async def deny(context: Context, reason: str | None) -> str:
        property_id = await find_property(context)
        await deny_remove_property(context, Denial(property_id=property_id, reason=reason))
        return _("The removal of property {id} is denied.").format(id=property_id)

    return ReasonForm(responder, _("Deny the removal"), _("The requester reads this"), deny)


async def _request(context: Context, property_id: int, reason: str | None) -> str:
    """Ask for a removal, and return what to answer."""
    await request_remove_property(context, RemovalRequest(property_id=property_id, reason=reason))
    waiting = await removals.open_of_property(context.read, property_id)
    if waiting is not None and waiting.asked_by != context.caller.name:
        text = _("The removal of property {id} is requested already, by {who}.")
        by = who(waiting.asked_by or waiting.requested_by or "")
        raise AlreadyDone(text.format(id=property_id, who=by))
    text = _("The removal of property {id} is requested; an approver decides.")
    return text.format(id=property_id)


async def _withdraw(context: Context, interaction: discord.Interaction, property_id: int) -> None:
    await withdraw_remove_property(context, Withdrawal(property_id=property_id))
    text = _("The request to remove property {id} is withdrawn.")
    await reply_text(interaction, text.format(id=property_id))


async def _waiting(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    context.caller.must(Scope.READ)
    stored = await properties.page_of_status(context.read, REMOVED, "", limit, offset)
    lines = [
        f"{row.id} · {inert_line(row.location, 60)} · "
        + _("owner {id}").format(id=inert_line(row.owner, 64))
        for row in stored
    ]
    total = await properties.count(context.read, REMOVED)
    return ListRows(_("Requested removals"), lines, _("No removal waits for an answer."), total)


async def press_approve(
    responder: Responder, interaction: discord.Interaction, removal_id: int
) -> None:
    """Approve the request on a card."""
    async with responder.deferred(interaction) as context:
        property_id = await _still_open(context, removal_id)
        try:
            missing = await add_removal_approval(context, OfProperty(property_id=property_id))
        except (Conflict, NotFound):
            await _still_open(context, removal_id)  # somebody was faster: says who
            raise
        done = _("Property {id} is removed.").format(id=property_id)
        await reply_text(interaction, still_missing(missing) or done)


async def press_deny(
    responder: Responder, interaction: discord.Interaction, removal_id: int
) -> None:
    """Ask for the reason, then deny the request on a card."""
    responder.context(interaction).caller.must(Scope.APPROVE)
    form = _denial(responder, lambda context: _still_open(context, removal_id))
    await interaction.response.send_modal(form)


async def press_withdraw(
    responder: Responder, interaction: discord.Interaction, removal_id: int
) -> None:
    """Withdraw the request on a card."""
    async with responder.deferred(interaction) as context:
        property_id = await _still_open(context, removal_id, Scope.NONE)
        try:
            await _withdraw(context, interaction, property_id)
        except (Conflict, NotFound):
            await _still_open(context, removal_id, Scope.NONE)
            raise


async def press_leave(
    responder: Responder, interaction: discord.Interaction, property_id: int
) -> None:
    """Ask why, then request the removal of a property."""
    context = responder.context(interaction)
    if context.caller.scope < Scope.WRITE:  # perhaps the owner, whom only storage knows
        async with before_modal():
            context = await responder.linked_context(interaction)
            await authorise(context, Scope.WRITE, Share.OWNER, OfProperty(property_id=property_id))

    async def ask(context: Context, reason: str | None) -> str:
        return await _request(context, property_id, reason)

    form = ReasonForm(responder, _("Request the removal"), _("Approvers read this"), ask)
    await interaction.response.send_modal(form)


async def press_restore(
    responder: Responder, interaction: discord.Interaction, removal_id: int
) -> None:
    """Bring back the property whose removal a card says was approved."""
    async with responder.deferred(interaction) as context:
        request = await removals.get(context.read, removal_id)
        if request is None:
            raise NotFound("this request is not known any more")
        await _restore(context, interaction, request.property_id)


async def _restore(context: Context, interaction: discord.Interaction, property_id: int) -> None:
    await restore_property(context, OfProperty(property_id=property_id))
    await reply_text(interaction, _("Property {id} is back.").format(id=property_id))


def still_missing(missing: int) -> str:
    """Say that an approval counts and who else must approve; blank if it was the last one."""
    if not missing:
        return ""
    return plural(
        "Your approval counts. {number} other person must approve too.",
        "Your approval counts. {number} other people must approve too.",
        missing,
    )


async def _still_open(context: Context, removal_id: int, scope: Scope = Scope.APPROVE) -> int:
    """Return the property of a request that waits for an answer.

    Raises:
        NotFound: the request is not known.
        TooLate: somebody has answered it.
    """
    context.caller.must(scope)
    request = await removals.get(context.read, removal_id)
    if request is None:
        raise NotFound("this request is not known any more")
    if request.outcome is not None:
        text = _(_OUTCOMES[request.outcome])
        raise AlreadyDone(text.format(who=who(request.settled_by or "")))
    return request.property_id


BUTTONS: dict[str, ButtonHandler] = {
    "removal:approve": press_approve,
    "removal:deny": press_deny,
    "removal:withdraw": press_withdraw,
    "removal:restore": press_restore,
    "property:leave": press_leave,
}
"""What the buttons on requests' cards do, and the one on a property that asks for its removal."""

LISTS: dict[str, ListReader] = {"removals": _waiting}
"""The list of requests."""
