"""Cards of drone flights."""

import discord

from cogs.i18n.language import _
from cogs.ui.embeds import DESCRIPTION, TITLE, Button, CardBuilder, Colour, MessageContent
from cogs.ui.names import location_of
from cogs.ui.text import duration, inert, inert_line, timestamp, who
from db import flights
from db.database import Reader


async def flight(sql: Reader, key: str) -> MessageContent | None:
    """Show a drone that is out, and when it came back."""
    flight = await flights.get(sql, int(key))
    if flight is None:
        return None
    location = await location_of(sql, flight.property_id, TITLE - 40)
    out = flight.recalled_at is None
    card = CardBuilder(
        title=f"{_('Drone out') if out else _('Drone back')} · {location}",
        colour=Colour.WARNING if out else Colour.OVER,
        description=inert(flight.reason, DESCRIPTION, blank=""),
    )
    card.add("Drone", f"{flight.drone_id} · {inert_line(flight.description, 200)}")
    card.add("Property", str(flight.property_id))
    card.add("Dispatched by", who(flight.dispatched_by))
    card.add("Dispatched", timestamp(flight.dispatched_at))
    if flight.recalled_at is None:
        recall = Button("Recall", f"flight:recall:{flight.id}", discord.ButtonStyle.primary)
        return MessageContent([card.build()], (recall,))
    card.add("Recalled by", who(flight.recalled_by or ""))
    card.add("Was out", duration(flight.recalled_at - flight.dispatched_at))
    return MessageContent([card.build()])
