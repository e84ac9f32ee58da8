"""What somebody decides on a property: to approve, reject or remove it, or who owns it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord

from cogs.commands.properties.removals import property_sentence, still_missing
from cogs.i18n.language import _
from cogs.ui.buttons import button, control
from cogs.ui.embeds import Button, CardBuilder, Colour, MessageContent
from cogs.ui.modals import Answers, Form, form, reason_form
from cogs.ui.names import property_status, user_name
from cogs.ui.pages import CUSTOM_ID
from cogs.ui.responder import AlreadyDone, SentinelCog, reply_text
from cogs.ui.text import inert_line, length, who
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.wire import validate
from webhook.queries.audit import get_last_change
from webhook.queries.models import OfProperty, OfUser
from webhook.queries.properties.approvals import Rejection, add_property_approval, reject_property
from webhook.queries.properties.edits import NewOwner, change_property_owner
from webhook.queries.properties.find import get_stored_property
from webhook.queries.properties.removals import remove_property
from webhook.queries.rows import PENDING
from webhook.queries.users import get_user


class PropertyDecisions(SentinelCog):
    @button("property:approve", Scope.APPROVE)
    async def approve_button(self, interaction: discord.Interaction, property_id: int) -> None:
        context = await self._responder.defer(interaction)
        await reply_text(interaction, await approve(context, property_id))

    @button("property:reject", Scope.APPROVE)
    async def reject_button(self, interaction: discord.Interaction, property_id: int) -> None:
        """Ask for the reason, then reject the property; it can still get another status."""
        await interaction.response.send_modal(rejection_form(property_id))

    @form("property:reject", Scope.APPROVE, "reason")
    async def submit_rejection(self, context: Context, property_id: int, answers: Answers) -> str:
        async with _deciding(context, property_id):
            ask = Rejection(property_id=property_id, reason=answers.reason)
            await reject_property(context, ask)
        return await property_sentence(context, _("{property} rejected."), property_id)

    @button("property:keep", Scope.ADMIN)
    async def keep_button(self, interaction: discord.Interaction, _property_id: int) -> None:
        await interaction.response.edit_message(
            content=_("Nothing was removed."), embeds=[], view=None
        )

    @button("property:remove", Scope.ADMIN)
    async def remove_button(self, interaction: discord.Interaction, property_id: int) -> None:
        context = await self._responder.defer(interaction)
        ask = OfProperty(property_id=property_id)
        try:
            await remove_property(context, ask)
        except NotFound:
            last = await get_last_change(context, ask)
            if last is None:
                raise
            text = _("{who} has already removed {property}.")
            raise AlreadyDone(
                await property_sentence(context, text, property_id, who=who(last.who))
            ) from None
        text = await property_sentence(context, _("{property} removed."), property_id)
        await reply_text(interaction, text)

    @control("property:give", scope=Scope.WRITE)
    async def give_button(self, interaction: discord.Interaction, argument: str) -> None:
        """Give a property to a user whom nobody knew, after somebody has confirmed it."""
        context = await self._responder.defer(interaction)
        number, keep, owner = argument.split(":", 2)
        ask = {"propertyId": number, "keepAllowed": keep == "1", "owner": owner}
        await reply_text(interaction, await _give(context, validate(NewOwner, ask)))


async def approve(context: Context, property_id: int) -> str:
    """Approve a property; return what to answer."""
    async with _deciding(context, property_id):
        missing = await add_property_approval(context, OfProperty(property_id=property_id))
    done = await property_sentence(context, _("{property} approved."), property_id)
    return still_missing(missing) or done


def rejection_form(property_id: int) -> Form:
    return reason_form(
        _("Reject the property"), f"property:reject:{property_id}", _("The owner will read this")
    )


async def transfer(
    context: Context, ask: NewOwner, *, is_sure: bool = False
) -> str | MessageContent:
    """Give a property to another user; unless that is sure, ask first if nobody knows that user."""
    if is_sure or await is_known(context, ask.owner):
        return await _give(context, ask)
    custom_id = f"property:give:{ask.property_id}:{int(ask.keep_allowed)}:{ask.owner}"
    if length(custom_id) > CUSTOM_ID:
        raise Conflict("the game has not reported a user {user} so far", user=ask.owner)
    text = _("The game has not reported a user **{user}** so far. Check how it is written.")
    shown = await user_name(context.read, ask.owner)
    where = inert_line((await get_stored_property(context, ask)).location, 200)
    title = _("Transfer {where}?").format(where=where)
    card = CardBuilder(title, Colour.WARNING, text.format(user=shown))
    give = Button(_("Transfer"), custom_id, discord.ButtonStyle.danger)
    return MessageContent([card.build()], (give,))


async def _give(context: Context, ask: NewOwner) -> str:
    before = await get_stored_property(context, ask)
    await change_property_owner(context, ask)
    text = _("**{where}** belongs to {owner} now. Its access list is empty.")
    if ask.keep_allowed:
        text = _("**{where}** belongs to {owner} now. Its access list is as it was.")
    if before.owner == ask.owner:
        text = _("**{where}** already belongs to {owner}.")
    owner = await user_name(context.read, ask.owner)
    return text.format(where=inert_line(before.location, 200), owner=owner)


async def is_known(context: Context, user_id: str) -> bool:
    return (await get_user(context, OfUser(user_id=user_id))).found


@asynccontextmanager
async def _deciding(context: Context, property_id: int) -> AsyncIterator[None]:
    """Say who decided first, if somebody did."""
    try:
        yield
    except Conflict:
        found = await get_stored_property(context, OfProperty(property_id=property_id))
        if found.has_status(PENDING) or found.status_by is None:
            raise
        text = _("{property} is no longer waiting: {who} set it to “{status}”.")
        by, status = who(found.status_by), property_status(found.status)
        raise AlreadyDone(
            await property_sentence(context, text, property_id, who=by, status=status)
        ) from None
