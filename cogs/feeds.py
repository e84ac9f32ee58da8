"""Feeds: events that are shown one after the other, each as a short embed."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import discord

from cogs.content import CardBuilder, Colour
from cogs.text import inert_line
from db import equipment, properties, users
from db.database import Reader
from webhook.events import Published

NAME = 120
"""Characters of a name in a feed: ten entries of a few names each must fit into one message."""

log = logging.getLogger(__name__)

Line = Callable[[Reader, dict[str, Any]], Awaitable[CardBuilder]]
"""Makes the embed of an event from its data."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a kind of event is shown, by the channel's name in the configuration, and how."""

    channel: str
    line: Line


async def entry_embed(sql: Reader, event: Published) -> discord.Embed:
    """Make the embed of a feed's event; its time stands in Discord's own place for it.

    One that cannot be made is named by its number, so that it holds nobody else up.
    """
    try:
        card = await FEEDS[event.name].line(sql, event.data)
    except (KeyError, TypeError, ValueError):
        log.exception("the feed entry %s cannot be made", event.id)
        card = CardBuilder(f"{event.name} · event {event.id}", Colour.OVER)
    embed = card.build()
    embed.timestamp = datetime.fromtimestamp(event.at / 1000, UTC)
    return embed


async def _alert(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place, user = await _place(sql, data["propertyId"]), await _user(sql, data["user"])
    return CardBuilder(f"Alarm · {place}", Colour.DANGER, f"{user} raised the alarm.")


async def _visit(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place, user = await _place(sql, data["propertyId"]), await _user(sql, data["clientId"])
    camera = await _equipment(sql, data["cameraId"])
    return CardBuilder(f"Visit · {place}", Colour.NORMAL, f"{user} was seen by {camera}.")


async def _crime(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place = "elsewhere" if data["propertyId"] is None else await _place(sql, data["propertyId"])
    by = "" if data["clientId"] is None else f" Suspect: {await _user(sql, data['clientId'])}."
    return CardBuilder(
        f"Crime · {place}", Colour.WARNING, f"Crime {data['crimeId']} was reported.{by}"
    )


async def _auth_entry(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place, user = await _place(sql, data["propertyId"]), await _user(sql, data["clientId"])
    if data["allowed"]:
        return CardBuilder(f"Access · {place}", Colour.GOOD, f"{user} was let in.")
    return CardBuilder(f"Access refused · {place}", Colour.WARNING, f"{user} is not on the list.")


async def _removed(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place = await _place(sql, data["propertyId"])
    return CardBuilder(f"Property removed · {place}", Colour.OVER)


async def _status(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place = await _place(sql, data["propertyId"])
    before, after = inert_line(data["previous"], 64), inert_line(data["status"], 64)
    return CardBuilder(f"Status · {place}", Colour.NORMAL, f"{before} → {after}")


async def _equipment_change(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place = await _place(sql, data["propertyId"])
    changed = await _equipment(sql, data["equipmentId"])
    verb = "added" if "equipmentType" in data else "removed"
    return CardBuilder(f"Equipment {verb} · {place}", Colour.NORMAL, changed)


async def _moved(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place = await _place(sql, data["propertyId"])
    return CardBuilder(f"Moved · {place}", Colour.NORMAL, f"Now at {data['x']}, {data['y']}.")


async def _resized(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place = await _place(sql, data["propertyId"])
    size = f"{data['width']} × {data['height']} m, {data['size']} m² in all."
    return CardBuilder(f"Resized · {place}", Colour.NORMAL, size)


async def _tier(sql: Reader, data: dict[str, Any]) -> CardBuilder:
    place = await _place(sql, data["propertyId"])
    detail = await properties.detail(sql, int(data["propertyId"]))
    name = inert_line(detail.tier_name, NAME) if detail is not None else str(data["tier"])
    return CardBuilder(f"Tier · {place}", Colour.NORMAL, f"Now {name}.")


async def _place(sql: Reader, property_id: int | str) -> str:
    stored = await properties.get_even_removed(sql, int(property_id))
    location = inert_line(stored.location, NAME) if stored is not None else "?"
    return f"{location} ({property_id})"


async def _user(sql: Reader, user_id: str) -> str:
    user = await users.get(sql, user_id)
    return inert_line(user.full_name if user is not None else user_id, NAME)


async def _equipment(sql: Reader, equipment_id: int) -> str:
    stored = await equipment.get_even_removed(sql, equipment_id)
    if stored is None:
        return f"equipment {equipment_id}"
    described = inert_line(stored.description, NAME, blank="")
    return f"{inert_line(stored.name, NAME)} {equipment_id}{f' · {described}' if described else ''}"


FEEDS: dict[str, Feed] = {
    "alerts": Feed("alerts", _alert),
    "visits": Feed("visits", _visit),
    "crimes": Feed("crimes", _crime),
    "auth-entries": Feed("access", _auth_entry),
    "property-removed": Feed("properties", _removed),
    "property-status-change": Feed("properties", _status),
    "property-equipment-change": Feed("properties", _equipment_change),
    "property-coordinates-changed": Feed("properties", _moved),
    "property-size-changed": Feed("properties", _resized),
    "property-tier-changed": Feed("properties", _tier),
}
"""The feeds by event name. Every other event has a card, or, like `scanned`, a feed's twin."""
