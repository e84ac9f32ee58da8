"""Private messages: which members are told something of an event, and what.

The owner who wants it is told of alarms; who asked for a removal, or added a property, is told what
was decided. Rules do not ask: they are about channels.
"""

import re

from db import links, properties, removals
from db.database import Reader
from webhook.protocol.events import (
    AlertRaised,
    ApprovedRemoveProperty,
    DeniedRemoveProperty,
    PropertyStatusChange,
    StoredEvent,
    Subject,
)

_DISCORD_ID = re.compile(r"(?:discord:)?([0-9]{17,20})")
"""Games and this program know members by their Discord id too."""

Letter = tuple[Subject, int]
"""A card that a private message shows, and the member who is sent it."""


async def letters(sql: Reader, event: StoredEvent) -> list[Letter]:
    """Return what is told privately of an event."""
    if event.name == AlertRaised.name:
        return await _of_alarm(sql, event)
    if event.name in (ApprovedRemoveProperty.name, DeniedRemoveProperty.name):
        return await _of_removal(sql, event)
    if event.name == PropertyStatusChange.name:
        return await _of_approval(sql, event)
    return []


async def _of_alarm(sql: Reader, event: StoredEvent) -> list[Letter]:
    place = await properties.get_even_removed(sql, int(event.data["propertyId"]))
    link = place and await links.of_user(sql, place.owner)
    if not link or not link.wants_alarms:
        return []
    return [
        (Subject("alarm-owner", about.key), link.member_id)
        for about in event.subjects
        if about.kind == "alarm"
    ]


async def _of_removal(sql: Reader, event: StoredEvent) -> list[Letter]:
    found: list[Letter] = []
    for about in event.subjects:
        request = await removals.get(sql, int(about.key)) if about.kind == "removal" else None
        member = request and await _member(sql, request.requested_by or request.asked_by)
        if member:
            found.append((Subject("removal-answer", about.key), member))
    return found


async def _of_approval(sql: Reader, event: StoredEvent) -> list[Letter]:
    approved = [about for about in event.subjects if about.kind == "approval"]
    place = await properties.get_even_removed(sql, int(event.data["propertyId"]))
    member = place and await _member(sql, place.owner)
    return [(Subject("approval-answer", about.key), member) for about in approved if member]


async def _member(sql: Reader, known_as: str) -> int | None:
    """Return the member whom the game, or this program, knows by an id."""
    link = await links.of_user(sql, known_as)
    if link is not None:
        return link.member_id
    found = _DISCORD_ID.fullmatch(known_as)
    return int(found[1]) if found else None
