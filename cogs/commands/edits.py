"""Changing a property from Discord: several things at once, by a command or in a form."""

import re
from collections.abc import Mapping

import discord

from cogs.i18n.language import _
from cogs.ui.meant import resolve_tier
from cogs.ui.responder import Responder, reply_text
from cogs.ui.text import inert_line
from db.properties import PENDING, REJECTED, REMOVED, Property
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import FieldProblem, InvalidData
from webhook.protocol.wire import validate
from webhook.queries.properties import Edit, edit_property
from webhook.queries.property_data import existing_property

_PAIR = re.compile(r"\s*(-?[0-9]{1,7})\s*[x×*,;/ ]\s*(-?[0-9]{1,7})\s*(?:m\s*)?", re.IGNORECASE)


async def edit(
    context: Context,
    interaction: discord.Interaction,
    stored: Property,
    given: Mapping[str, object],
) -> None:
    """Carry out what was given, and tell what the property is like now.

    Raises:
        Forbidden: the status of this one is for approvers to decide.
    """
    changes = {name: value for name, value in given.items() if value is not None}
    if "status" in changes and stored.status in (PENDING, REJECTED, REMOVED):
        # Scripts may change a status with less; deciding on these is for approvers.
        context.caller.must(Scope.APPROVE)
    await edit_property(context, validate(Edit, changes | {"propertyId": stored.id}))
    now = await existing_property(context.read, stored.id)
    text = _("**{where}**: {width} × {height} m at {x}, {y}, tier {tier}, {status}.")
    await reply_text(
        interaction,
        text.format(
            where=inert_line(now.location, 200),
            width=now.width,
            height=now.height,
            x=now.x,
            y=now.y,
            tier=now.tier,
            status=inert_line(now.status, 32),
        ),
    )


class EditForm(discord.ui.Modal):
    """Asks for size, coordinates, tier and status; what is not touched stays."""

    def __init__(self, responder: Responder, stored: Property) -> None:
        super().__init__(title=_("Edit property {id}").format(id=stored.id))
        self._responder = responder
        self._stored = stored
        self._was = {
            "size": f"{stored.width} x {stored.height}",
            "coordinates": f"{stored.x}, {stored.y}",
            "tier": str(stored.tier),
            "status": stored.status[:32],
        }
        labels = {
            "size": _("Width x height, in metres"),
            "coordinates": _("Coordinates: x, y"),
            "tier": _("Tier: its number or its name"),
            "status": _("Status"),
        }
        for name, label in labels.items():
            field: discord.ui.TextInput[EditForm] = discord.ui.TextInput(
                label=label, custom_id=name, default=self._was[name], max_length=100
            )
            self.add_item(field)

    async def on_submit(self, interaction: discord.Interaction, /) -> None:
        """Change what differs from what the form showed."""
        async with self._responder.deferred(interaction) as context:
            typed = {
                item.custom_id: item.value.strip()
                for item in self.children
                if isinstance(item, discord.ui.TextInput)
            }
            changed = {name: text for name, text in typed.items() if text != self._was[name]}
            given: dict[str, object] = {}
            if "size" in changed:
                given["width"], given["height"] = _pair("size", changed["size"])
            if "coordinates" in changed:
                given["x"], given["y"] = _pair("coordinates", changed["coordinates"])
            if "tier" in changed:
                given["tier"] = await resolve_tier(context, changed["tier"])
            if "status" in changed:
                given["status"] = changed["status"]
            # Somebody may have changed it while the form was open.
            stored = await existing_property(context.read, self._stored.id)
            await edit(context, interaction, stored, given)


def _pair(field: str, text: str) -> tuple[int, int]:
    found = _PAIR.fullmatch(text)
    if found is None:
        raise InvalidData(FieldProblem(field, "two whole numbers, like 30 x 20 or -860, 700"))
    return int(found[1]), int(found[2])
