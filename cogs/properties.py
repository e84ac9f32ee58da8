"""The buttons on the card of a new property: approve, reject with a reason."""

import discord

from cogs.answers import Desk, tell
from cogs.buttons import Press
from cogs.forms import ReasonForm
from cogs.language import _
from cogs.removals import still_missing
from webhook.context import Context, Scope
from webhook.queries.approvals import Rejection, approve_property, reject_property
from webhook.queries.shapes import OfProperty


async def press_approve(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Approve the property on a card."""
    async with desk.answering(interaction) as context:
        outcome = await approve_property(context, OfProperty(property_id=property_id))
        done = _("Property {id} is approved.").format(id=property_id)
        await tell(interaction, still_missing(outcome) or done)


async def press_reject(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Ask for the reason, then reject the property on a card; it can be approved after all."""
    desk.context(interaction).caller.must(Scope.APPROVE)

    async def reject(context: Context, reason: str | None) -> str:
        await reject_property(context, Rejection(property_id=property_id, reason=reason))
        return _("Property {id} is rejected.").format(id=property_id)

    await interaction.response.send_modal(
        ReasonForm(desk, _("Reject the property"), _("The owner reads this"), reject)
    )


BUTTONS: dict[str, Press] = {
    "property:approve": press_approve,
    "property:reject": press_reject,
}
"""What the buttons on new properties' cards do."""
