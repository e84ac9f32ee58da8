"""Feeds: events that are shown one after the other, each as a short embed."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import discord

from cogs.feeds import cad, own, properties
from cogs.i18n.language import _, plural
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.text import inert_line
from db.database import Reader
from db.errors import StorageUnavailable
from db.feeds import FeedCount
from webhook.cad import EVENTS as CAD_EVENTS
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import CAD

log = logging.getLogger(__name__)

WITHIN_A_DAY = 12 * 60 * 60 * 1000
"""Milliseconds up to which a summary's times need no date."""

RenderEntry = Callable[[Reader, StoredEvent], Awaitable[CardBuilder]]
"""Makes the embed of an event; at most 550 characters, as ten of them share a message."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a kind of event is shown, by the channel's name in the configuration, and how.

    `one` and `many` are what a summary calls such events.
    """

    channel: str
    render: RenderEntry
    one: str
    many: str


def _of_cad(push_type: str, render: RenderEntry, one: str, many: str) -> dict[str, Feed]:
    """Return the feed of an event of the CAD; its declaration names the channel."""
    return {f"{CAD}.{push_type}": Feed(CAD_EVENTS[push_type].feed, render, one, many)}


FEEDS: dict[str, Feed] = {
    "visits": Feed("visits", properties.visit, "visit", "visits"),
    "crimes": Feed("crimes", properties.crime, "crime", "crimes"),
    "auth-entries": Feed("access", properties.auth_entry, "access attempt", "access attempts"),
    "allowed-users-changed": Feed(
        "access", properties.allowed_user, "change of access", "changes of access"
    ),
    "property-removed": Feed(
        "properties", properties.removed, "removed property", "removed properties"
    ),
    "property-restored": Feed(
        "properties", properties.restored, "restored property", "restored properties"
    ),
    "property-status-change": Feed(
        "properties", properties.status, "property status", "property statuses"
    ),
    "property-owner-change": Feed(
        "properties", properties.owner, "change of owner", "changes of owner"
    ),
    "property-details-changed": Feed(
        "properties", properties.details, "new description", "new descriptions"
    ),
    "property-equipment-change": Feed(
        "properties", properties.equipment_change, "change of equipment", "changes of equipment"
    ),
    "property-coordinates-changed": Feed(
        "properties", properties.moved, "moved property", "moved properties"
    ),
    "property-size-changed": Feed(
        "properties", properties.resized, "resized property", "resized properties"
    ),
    "property-tier-changed": Feed(
        "properties", properties.tier, "change of tier", "changes of tier"
    ),
    **_of_cad("EVENT_UNIT_LOGIN", cad.login, "log-in", "log-ins"),
    **_of_cad("EVENT_UNIT_LOGOUT", cad.logout, "log-out", "log-outs"),
    **_of_cad("EVENT_UNIT_STATUS", cad.status, "unit status", "unit statuses"),
    **_of_cad("EVENT_UNIT_UPDATE", cad.update, "unit update", "unit updates"),
    **_of_cad("EVENT_UNIT_GROUP_ADD", cad.group, "joined group", "joined groups"),
    **_of_cad("EVENT_UNIT_GROUP_REMOVE", cad.group, "left group", "left groups"),
    **_of_cad("EVENT_UNIT_GROUP_CHANGE_NAME", cad.group, "renamed group", "renamed groups"),
    **_of_cad(
        "EVENT_DISPATCH_TOGGLE_BODYCAM", cad.bodycam, "body camera request", "body camera requests"
    ),
    **_of_cad("EVENT_RECORD_ADD", cad.record, "new record", "new records"),
    **_of_cad("EVENT_RECORD_EDIT", cad.record, "edited record", "edited records"),
    **_of_cad("EVENT_RECORD_REMOVE", cad.record, "removed record", "removed records"),
    **_of_cad("EVENT_PRINT_RECORD", cad.print_record, "printed record", "printed records"),
    **_of_cad("EVENT_COMMUNITY_LINK_VERIFIED", cad.link, "linked account", "linked accounts"),
    **_of_cad("EVENT_CHAR_SELECTED", cad.character, "selected character", "selected characters"),
    **_of_cad("EVENT_TONE", cad.tone, "tone", "tones"),
    **_of_cad("EVENT_STREETSIGN_UPDATED", cad.sign, "road sign text", "road sign texts"),
    "sentinel.daily": Feed("log", own.daily, "daily report", "daily reports"),
}
"""The feeds by event name. The other events have cards; `scanned` comes with every visit."""


_UNKNOWN = Feed("", cad.unknown, "push of an unknown type", "pushes of an unknown type")
"""The feed of unknown push types; they are shown only where a rule sends them."""


def feed_of(name: str) -> Feed | None:
    """Return the feed of the events of a name; None if they have cards or are not shown."""
    is_unknown = name.startswith(f"{CAD}.") and name.removeprefix(f"{CAD}.") not in CAD_EVENTS
    return _UNKNOWN if is_unknown else FEEDS.get(name)


async def entry_embed(sql: Reader, event: StoredEvent) -> discord.Embed:
    """Make the embed of a feed's event.

    A mistake in that is logged, and the entry only names the event: the others must not wait.
    """
    try:
        feed = feed_of(event.name)
        if feed is None:
            raise LookupError(f"{event.name} has no feed")
        card = await feed.render(sql, event)
    except StorageUnavailable:
        raise
    except Exception:
        log.exception("the feed entry %s cannot be rendered", event.id)
        card = CardBuilder(f"{event.name} · {_('event')} {event.id}", Colour.OVER)
    embed = card.build()
    embed.timestamp = datetime.fromtimestamp(event.happened / 1000, UTC)
    return embed


def summary_embed(counts: list[FeedCount]) -> discord.Embed:
    """Make the embed that counts old entries instead of showing them, a render for each kind."""
    embed = CardBuilder(_("Meanwhile"), Colour.OVER, "\n".join(map(_counted, counts))).build()
    last = max((count.last_at for count in counts), default=0)
    embed.timestamp = datetime.fromtimestamp(last / 1000, UTC)
    return embed


def _counted(count: FeedCount) -> str:
    feed = feed_of(count.name)
    what = _("{name} event").format(name=count.name)
    if feed is not None:
        what = plural(feed.one, feed.many, count.number)
    style = "t" if count.last_at - count.first_at <= WITHIN_A_DAY else "f"
    first, last = (f"<t:{at // 1000}:{style}>" for at in (count.first_at, count.last_at))
    counted = f"{count.number} {inert_line(what, 100)}"
    if count.number == 1:
        return _("{what} at {time}").format(what=counted, time=first)
    return _("{what} between {first} and {last}").format(what=counted, first=first, last=last)
