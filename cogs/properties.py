"""The buttons on the card of a new property: approve, reject."""

import discord

from cogs.answers import Desk, tell
from cogs.buttons import Press
from db.properties import ACTIVE, PENDING, REJECTED
from webhook.context import Scope
from webhook.errors import Conflict
from webhook.queries.properties import NewStatus, change_property_status, get_property
from webhook.queries.shapes import OfProperty


async def press_approve(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Approve the property on a card."""
    await _decide(desk, interaction, property_id, ACTIVE, "approved")


async def press_reject(desk: Desk, interaction: discord.Interaction, property_id: int) -> None:
    """Reject the property on a card; it stays, and can still be approved by its status."""
    await _decide(desk, interaction, property_id, REJECTED, "rejected")


async def _decide(
    desk: Desk, interaction: discord.Interaction, property_id: int, status: str, said: str
) -> None:
    async with desk.answering(interaction) as context:
        # Scripts may change a status with less; deciding on a new property is for approvers.
        context.caller.must(Scope.APPROVE)
        stored = await get_property(context, OfProperty(property_id=property_id))
        if stored.status != PENDING:
            raise Conflict(
                "property {id} does not wait any more, it is {status}",
                id=property_id,
                status=stored.status,
            )
        await change_property_status(context, NewStatus(property_id=property_id, status=status))
        await tell(interaction, f"Property {property_id} is {said}.")


BUTTONS: dict[str, Press] = {
    "property:approve": press_approve,
    "property:reject": press_reject,
}
"""What the buttons on new properties' cards do."""
