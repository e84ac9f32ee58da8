"""Feeds: events that are shown one after the other, each as a short embed."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import discord

from cogs.content import CardBuilder, Colour
from cogs.feeds import cad, properties
from db.database import Reader
from webhook.events import Published

log = logging.getLogger(__name__)

Line = Callable[[Reader, Published], Awaitable[CardBuilder]]
"""Makes the embed of an event; at most 550 characters, as ten of them share a message."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a kind of event is shown, by the channel's name in the configuration, and how."""

    channel: str
    line: Line


FEEDS: dict[str, Feed] = {
    "alerts": Feed("alerts", properties.alert),
    "visits": Feed("visits", properties.visit),
    "crimes": Feed("crimes", properties.crime),
    "auth-entries": Feed("access", properties.auth_entry),
    "property-removed": Feed("properties", properties.removed),
    "property-status-change": Feed("properties", properties.status),
    "property-equipment-change": Feed("properties", properties.equipment_change),
    "property-coordinates-changed": Feed("properties", properties.moved),
    "property-size-changed": Feed("properties", properties.resized),
    "property-tier-changed": Feed("properties", properties.tier),
    "cad.EVENT_UNIT_LOGIN": Feed("units", cad.login),
    "cad.EVENT_UNIT_LOGOUT": Feed("units", cad.logout),
    "cad.EVENT_UNIT_STATUS": Feed("units", cad.status),
    "cad.EVENT_UNIT_UPDATE": Feed("units", cad.update),
    "cad.EVENT_UNIT_GROUP_ADD": Feed("units", cad.group),
    "cad.EVENT_UNIT_GROUP_REMOVE": Feed("units", cad.group),
    "cad.EVENT_UNIT_GROUP_CHANGE_NAME": Feed("units", cad.group),
    "cad.EVENT_DISPATCH_TOGGLE_BODYCAM": Feed("units", cad.bodycam),
    "cad.EVENT_RECORD_ADD": Feed("records", cad.record),
    "cad.EVENT_RECORD_EDIT": Feed("records", cad.record),
    "cad.EVENT_RECORD_REMOVE": Feed("records", cad.record),
    "cad.EVENT_PRINT_RECORD": Feed("records", cad.print_record),
    "cad.EVENT_COMMUNITY_LINK_VERIFIED": Feed("records", cad.link),
    "cad.EVENT_CHAR_SELECTED": Feed("records", cad.character),
    "cad.EVENT_TONE": Feed("dispatch", cad.tone),
    "cad.EVENT_PAGER_REBORN": Feed("dispatch", cad.pager),
    "cad.EVENT_STATION_ALERT": Feed("dispatch", cad.station),
    "cad.EVENT_NEW_CALLOUT": Feed("dispatch", cad.callout),
    "cad.EVENT_STREETSIGN_UPDATED": Feed("dispatch", cad.sign),
}
"""The feeds by event name. The other events have cards; `scanned` comes with every visit."""


async def entry_embed(sql: Reader, event: Published) -> discord.Embed:
    """Make the embed of a feed's event; its time stands in Discord's own place for it.

    One that cannot be made is named by its number, so that it holds nobody else up.
    """
    try:
        card = await FEEDS[event.name].line(sql, event)
    except (KeyError, TypeError, ValueError):
        log.exception("the feed entry %s cannot be made", event.id)
        card = CardBuilder(f"{event.name} · event {event.id}", Colour.OVER)
    embed = card.build()
    embed.timestamp = datetime.fromtimestamp(event.at / 1000, UTC)
    return embed
