"""`/removal`: requests to remove a property; and the buttons on a request's card."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
from discord import app_commands
from discord.app_commands import Range

from cogs.i18n.language import N_, _, plural
from cogs.ui.buttons import button
from cogs.ui.modals import MAX_REASON, Answers, Form, form, reason_form
from cogs.ui.names import linked_name, property_label, user_name
from cogs.ui.options import (
    OwnedPropertyOption,
    RemovalToApproveOption,
    RemovalToDenyOption,
    RemovalToWithdrawOption,
    RestorableOption,
    property_option,
)
from cogs.ui.pages import ListRows, PagedLists, Row, reply_page
from cogs.ui.permissions import needs
from cogs.ui.resolve import resolve_removed
from cogs.ui.responder import AlreadyDone, SentinelGroup, before_modal, reply_text
from cogs.ui.text import inert_line, who
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import Subject
from webhook.queries.models import OfProperty, SearchPage
from webhook.queries.properties.approvals import OfRemovedProperty, Rejection, add_restore_approval
from webhook.queries.properties.find import find_property
from webhook.queries.properties.removals import (
    OfRemoval,
    RemovalRequest,
    Withdrawal,
    add_removal_approval,
    deny_remove_property,
    get_open_removal,
    get_removal,
    list_open_removals,
    request_remove_property,
    withdraw_remove_property,
)
from webhook.queries.rows import Property, Removal

_OUTCOMES = {
    "approved": N_("This removal was already approved by {who}."),
    "denied": N_("This removal was already denied by {who}."),
    "withdrawn": N_("This removal was already withdrawn by {who}."),
}
"""Texts, translated where they are used."""

lists = PagedLists()


class RemovalCommands(SentinelGroup, group_name="removal", group_description="Requested removals"):
    @app_commands.command(
        description="Request the removal of a property; approvers decide",
        extras=needs(Scope.WRITE, or_own=True),
    )
    @property_option(reason="Why; approvers read it")
    async def request(
        self,
        interaction: discord.Interaction,
        property_: OwnedPropertyOption,
        reason: Range[str, 1, MAX_REASON] | None = None,
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        await reply_text(interaction, await _request(context, found.id, reason))

    @app_commands.command(
        name="list",
        description="Show the removal requests that wait for a decision",
        extras=needs(Scope.READ),
    )
    async def list_(self, interaction: discord.Interaction) -> None:
        context = await self._responder.defer(interaction)
        await reply_page(interaction, await requested_removals.page(context))

    @app_commands.command(
        description="Withdraw a removal request", extras=needs(Scope.WRITE, or_own=True)
    )
    @property_option("The property; those with a request are offered")
    async def withdraw(
        self, interaction: discord.Interaction, property_: RemovalToWithdrawOption
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        await reply_text(interaction, await _withdraw(context, found.id))

    @app_commands.command(
        description="Approve a requested removal: the property is removed",
        extras=needs(Scope.APPROVE),
    )
    @property_option("The property; those with a request are offered")
    async def approve(
        self, interaction: discord.Interaction, property_: RemovalToApproveOption
    ) -> None:
        context = await self._responder.defer(interaction)
        found = await find_property(context, property_)
        missing = await add_removal_approval(context, OfProperty(property_id=found.id))
        done = await property_sentence(context, _("{property} removed."), found.id)
        await reply_text(interaction, still_missing(missing) or done)

    @app_commands.command(
        description="Restore a removed property with its equipment",
        extras=needs(Scope.APPROVE),
    )
    @property_option("The property; those removed lately are offered")
    async def restore(self, interaction: discord.Interaction, property_: RestorableOption) -> None:
        context = await self._responder.defer(interaction)
        property_id = await resolve_removed(context, property_)
        await reply_text(interaction, await _restore(context, property_id))

    @app_commands.command(
        description="Deny a requested removal, with a reason", extras=needs(Scope.APPROVE)
    )
    @property_option("The property; those with a request are offered")
    async def deny(self, interaction: discord.Interaction, property_: RemovalToDenyOption) -> None:
        async with before_modal():
            context = await self._responder.linked_context(interaction)
            found = await find_property(context, property_)
            request = await get_open_removal(context, OfProperty(property_id=found.id))
        if request is None:
            raise Conflict(
                "nobody has requested the removal of property {property}", property=found.id
            )
        await interaction.response.send_modal(_denial_form(request.id))

    @button("removal:approve", Scope.APPROVE)
    async def approve_button(self, interaction: discord.Interaction, removal_id: int) -> None:
        context = await self._responder.defer(interaction)
        async with _deciding(context, removal_id) as property_id:
            ask = OfProperty(property_id=property_id)
            missing = await add_removal_approval(context, ask)
        done = await property_sentence(context, _("{property} removed."), property_id)
        await reply_text(interaction, still_missing(missing) or done)

    @button("removal:deny", Scope.APPROVE)
    async def deny_button(self, interaction: discord.Interaction, removal_id: int) -> None:
        await interaction.response.send_modal(_denial_form(removal_id))

    @form("removal:deny", Scope.APPROVE, "reason")
    async def submit_denial(self, context: Context, removal_id: int, answers: Answers) -> str:
        async with _deciding(context, removal_id) as property_id:
            ask = Rejection(property_id=property_id, reason=answers.reason)
            await deny_remove_property(context, ask)
        return await property_sentence(context, _("Removal of {property} denied."), property_id)

    @button("removal:withdraw", Scope.WRITE, or_own=True)
    async def withdraw_button(self, interaction: discord.Interaction, removal_id: int) -> None:
        context = await self._responder.defer(interaction)
        async with _deciding(context, removal_id) as property_id:
            text = await _withdraw(context, property_id)
        await reply_text(interaction, text)

    @button("removal:restore", Scope.APPROVE)
    async def restore_button(self, interaction: discord.Interaction, removal_id: int) -> None:
        context = await self._responder.defer(interaction)
        request = await get_removal(context, OfRemoval(removal_id=removal_id))
        await reply_text(interaction, await _restore(context, request.property_id))

    @button("property:leave", Scope.WRITE, or_own=True)
    async def request_button(self, interaction: discord.Interaction, property_id: int) -> None:
        """Ask why, then request the removal of a property."""
        context = self._responder.context(interaction)
        if context.caller.scope < Scope.WRITE:  # perhaps the owner, whom only storage knows
            async with before_modal():
                context = await self._responder.linked_context(interaction)
                await get_open_removal(context, OfProperty(property_id=property_id))

        opened = reason_form(
            _("Request the removal"), f"property:leave:{property_id}", _("Approvers will read this")
        )
        await interaction.response.send_modal(opened)

    @form("property:leave", Scope.WRITE, "reason", or_own=True)
    async def submit_request(self, context: Context, property_id: int, answers: Answers) -> str:
        return await _request(context, property_id, answers.reason)


def _denial_form(removal_id: int) -> Form:
    return reason_form(
        _("Deny the removal"), f"removal:deny:{removal_id}", _("The requester will read this")
    )


async def _request(context: Context, property_id: int, reason: str | None) -> str:
    """Request a removal, and return what to answer."""
    ask = OfProperty(property_id=property_id)
    if (before := await get_open_removal(context, ask)) is not None:
        raise await _already_requested(context, before)
    await request_remove_property(context, RemovalRequest(property_id=property_id, reason=reason))
    request = await get_open_removal(context, ask)
    if request is not None and request.asked_by != context.caller.name:  # at the same time
        raise await _already_requested(context, request)
    text = _("Removal of {property} requested. An approver will decide.")
    return await property_sentence(context, text, property_id)


async def _already_requested(context: Context, request: Removal) -> AlreadyDone:
    text = _("{who} has already requested the removal of {property}.")
    if request.asked_by == context.caller.name:
        text = _(
            "You have already requested the removal of {property}. To give another reason,"
            " withdraw that request first."
        )
    by = who(request.asked_by or request.requested_by or "")
    return AlreadyDone(await property_sentence(context, text, request.property_id, who=by))


async def _withdraw(context: Context, property_id: int) -> str:
    await withdraw_remove_property(context, Withdrawal(property_id=property_id))
    text = _("Request to remove {property} withdrawn.")
    return await property_sentence(context, text, property_id)


async def _restore(context: Context, property_id: int) -> str:
    missing = await add_restore_approval(context, OfRemovedProperty(property_id=property_id))
    done = await property_sentence(context, _("{property} restored."), property_id)
    return still_missing(missing) or done


@asynccontextmanager
async def _deciding(context: Context, removal_id: int) -> AsyncIterator[int]:
    """Give the property of an open request; say who was faster, if somebody was."""
    property_id = await _open_request(context, removal_id)
    try:
        yield property_id
    except (Conflict, NotFound):
        await _open_request(context, removal_id)
        raise


async def _open_request(context: Context, removal_id: int) -> int:
    """Return the property of a request that waits for an answer.

    Raises:
        NotFound: there is none of this number.
        AlreadyDone: it was decided.
    """
    request = await get_removal(context, OfRemoval(removal_id=removal_id))
    if request.outcome is not None:
        text = _(_OUTCOMES[request.outcome])
        raise AlreadyDone(text.format(who=who(request.settled_by or "")))
    return request.property_id


async def property_sentence(context: Context, text: str, property_id: int, **values: str) -> str:
    """Fill in which property a sentence is about, and other values."""
    return text.format(property=await property_label(context.read, property_id), **values)


def still_missing(missing: int) -> str:
    """Say that an approval counts and who else must approve; blank if it was the last one."""
    if not missing:
        return ""
    return plural(
        "Your approval is recorded. {number} more person must approve.",
        "Your approval is recorded. {number} more people must approve.",
        missing,
    )


@lists.declare("removals", Scope.READ)
async def requested_removals(context: Context, _argument: str, limit: int, offset: int) -> ListRows:
    found, total = await list_open_removals(context, SearchPage(limit=limit, offset=offset))
    rows = [await _row(context, *row) for row in found]
    empty = _("No removals are waiting for a decision.")
    return ListRows(_("Requested removals"), rows, empty, total)


async def _row(context: Context, property_: Property, removal: Removal) -> Row:
    """Show which property, who asked when, and why."""
    subject = Subject("removal", str(removal.id))
    where = await linked_name(context.read, subject, inert_line(property_.location, 60))
    by = who(removal.asked_by) if removal.asked_by else ""
    if removal.requested_by is not None:
        by = await user_name(context.read, removal.requested_by)
    asked = f"<t:{removal.requested_at // 1000}:R>"
    parts = [str(property_.id), where, by, asked, inert_line(removal.reason or "", 60, blank="")]
    return Row(" · ".join(filter(None, parts)), f"card:open:{subject}")
