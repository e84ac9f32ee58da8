"""Private messages: which members get one about an event, and what it shows.

Owners who want it get one about alarms; whoever requested a removal, or added a property, gets one
about the decision; whoever ran /setup hears of troubles while no log channel can tell of them.
Routing rules do not apply: they are about channels.
"""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from db import links, properties, removals
from db.cards import DIRECT
from db.database import Reader
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import (
    AlertRaised,
    ApprovedRemoveProperty,
    DeniedRemoveProperty,
    PropertyStatusChange,
    Subject,
    TroubleChanged,
)

_DISCORD_ID = re.compile(r"(?:discord:)?([0-9]{17,20})")
"""Games and this program know members by their Discord id too."""


class DirectMessage(NamedTuple):
    """A card that is sent to a member."""

    subject: Subject
    member_id: int

    @property
    def channel(self) -> str:
        return f"{DIRECT}{self.member_id}"


async def _of_alert(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    property_ = await properties.get_even_removed(sql, int(event.data["propertyId"]))
    link = property_ and await links.of_user(sql, property_.owner)
    if not link or not link.wants_alarms:
        return []
    return [
        DirectMessage(Subject("alarm-owner", subject.key), link.member_id)
        for subject in event.subjects
        if subject.kind == "alarm"
    ]


async def _of_removal(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    found: list[DirectMessage] = []
    for subject in event.subjects:
        is_removal = subject.kind == "removal"
        request = await removals.get(sql, int(subject.key)) if is_removal else None
        member = request and await _member_id(sql, request.requested_by or request.asked_by)
        if member:
            found.append(DirectMessage(Subject("removal-answer", subject.key), member))
    return found


async def _of_approval(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    property_ = await properties.get_even_removed(sql, int(event.data["propertyId"]))
    member = property_ and await _member_id(sql, property_.owner)
    return [
        DirectMessage(Subject("approval-answer", subject.key), member)
        for subject in event.subjects
        if subject.kind == "approval" and member
    ]


async def _of_trouble(_sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    member_id = int(event.data.get("memberId") or 0)
    subject = Subject("trouble-direct", str(event.data["id"]))
    return [DirectMessage(subject, member_id)] if member_id else []


async def _member_id(sql: Reader, user_id: str) -> int | None:
    """Return the member whom the game, or this program, knows by an id."""
    link = await links.of_user(sql, user_id)
    if link is not None:
        return link.member_id
    found = _DISCORD_ID.fullmatch(user_id)
    return int(found[1]) if found else None


DIRECT_MESSAGES: dict[str, Callable[[Reader, StoredEvent], Awaitable[list[DirectMessage]]]] = {
    AlertRaised.name: _of_alert,
    ApprovedRemoveProperty.name: _of_removal,
    DeniedRemoveProperty.name: _of_removal,
    PropertyStatusChange.name: _of_approval,
    TroubleChanged.name: _of_trouble,
}
"""What returns the private messages that an event causes or changes, by its name."""
