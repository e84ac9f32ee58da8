"""Private messages: which members get one about an event, and what it shows.

Owners who want it get one about alarms; owners and whoever requested a removal get one about what
others decide, unless they do not want it. Nobody is told what they did themselves, and nobody the
same twice. Whoever ran /setup hears of troubles while no log channel can tell of them. Routing
rules do not apply: they are about channels.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple

from db import alarms, audit, links, private_answers, properties, removals
from db.cards import DIRECT
from db.database import Reader
from webhook.protocol.bus import StoredEvent
from webhook.protocol.events import (
    AlertRaised,
    ApprovedRemoveProperty,
    CadRequestChanged,
    DeniedRemoveProperty,
    MemberLinked,
    PropertyOwnerChange,
    PropertyRemoved,
    PropertyRestored,
    PropertyStatusChange,
    RequestedRemoveProperty,
    Subject,
    TroubleChanged,
    WithdrawnRemoveProperty,
)
from webhook.queries.cad.requests import request_subject
from webhook.queries.models import alarm_subject, property_subject


class DirectMessage(NamedTuple):
    """A card that is sent to a member."""

    subject: Subject
    member_id: int

    @property
    def channel(self) -> str:
        return f"{DIRECT}{self.member_id}"


async def _of_alert(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    """Tell the owner, unless it was they who raised the alarm."""
    property_ = await properties.get_even_removed(sql, int(event.data["propertyId"]))
    if property_ is None:
        return []
    found = [subject for subject in event.subjects if subject.kind == "alarm"]
    return await _of_alarms(sql, found, property_.owner, besides=event.data["user"])


async def _of_new_owner(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    """Tell the new owner, also of an alarm that is open at the property."""
    alarm = await alarms.open_of_property(sql, int(event.data["propertyId"]))
    found = [] if alarm is None else [alarm_subject(alarm.id)]
    return [
        *await _of_property(sql, event),
        *await _of_alarms(sql, found, event.data["owner"]),
    ]


async def _of_alarms(
    sql: Reader, found: Iterable[Subject], owner: str, besides: str = ""
) -> list[DirectMessage]:
    """Return the messages about alarms to an owner who wants them."""
    member = await links.member_of(sql, owner)
    wishes = member and await links.of_member(sql, member)
    if not member or not wishes or not wishes.wants_alarms:
        return []
    if besides in await links.game_ids(sql, member):
        return []
    return [
        DirectMessage(Subject("alarm-owner", f"{alarm.key}@{member}"), member) for alarm in found
    ]


async def _of_request(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    """Tell the owner that somebody else requested the removal."""
    found: list[DirectMessage] = []
    for request in await _removals(sql, event):
        property_ = await properties.get_even_removed(sql, request.property_id)
        asked = [request.asked_by, request.requested_by]
        owner = await _members(sql, [property_ and property_.owner], besides=asked)
        subject = Subject("removal-owner", str(request.id))
        found += [DirectMessage(subject, member) for member in owner]
    return found


async def _of_decision(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    """Tell the owner and the requester how a removal request ended."""
    found: list[DirectMessage] = []
    for request in await _removals(sql, event):
        if request.outcome is None:
            continue
        property_ = await properties.get_even_removed(sql, request.property_id)
        concerned = [property_ and property_.owner, request.requested_by or request.asked_by]
        for member in await _members(sql, concerned, besides=[request.settled_by]):
            key = f"{request.id}@{member}"
            found.append(DirectMessage(Subject("removal-answer", key), member))
    return found


async def _of_status(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    """Tell the owner what was decided on a new property; a status can also end a removal."""
    property_ = await properties.get_even_removed(sql, int(event.data["propertyId"]))
    found = await _of_decision(sql, event)
    if property_ is None or not any(subject.kind == "approval" for subject in event.subjects):
        return found
    for member in await _members(sql, [property_.owner], besides=[property_.status_by]):
        found.append(DirectMessage(Subject("approval-answer", str(property_.id)), member))
    return found


async def _of_property(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    """Tell the owner, and a former one, what somebody did to the property as a whole."""
    number = int(event.data["propertyId"])
    property_ = await properties.get_even_removed(sql, number)
    owners = [property_ and property_.owner]
    if event.name == PropertyOwnerChange.name:
        after, before = event.data["owner"], event.data["previous"]
        if await links.member_of(sql, after) == await links.member_of(sql, before):
            return []  # another id of the same member
        owners = [after, before]
    author = await audit.author(sql, str(property_subject(number)), event.at)
    return [
        DirectMessage(Subject("property-message", f"{event.id}@{member}"), member)
        for member in await _members(sql, owners, besides=[author])
    ]


async def _of_trouble(_sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    member_id = int(event.data.get("memberId") or 0)
    subject = Subject("trouble-direct", str(event.data["id"]))
    return [DirectMessage(subject, member_id)] if member_id else []


async def _of_link(_: Reader, event: StoredEvent) -> list[DirectMessage]:
    member = int(event.data["memberId"])
    return [DirectMessage(Subject("linked", str(event.id)), member)]


async def _of_cad_request(sql: Reader, event: StoredEvent) -> list[DirectMessage]:
    """Tell whoever asked the CAD for something, and has an answer that says so, how it ended."""
    if event.data["state"] in ("new", "sent"):
        return []
    subject = request_subject(event.data["requestId"])
    answer = await private_answers.get(sql, str(subject))
    return [] if answer is None else [DirectMessage(subject, answer.member_id)]


async def _removals(sql: Reader, event: StoredEvent) -> list[removals.Removal]:
    numbers = [int(subject.key) for subject in event.subjects if subject.kind == "removal"]
    found = [await removals.get(sql, number) for number in numbers]
    return [request for request in found if request is not None]


async def _members(
    sql: Reader, users: Iterable[str | None], besides: Iterable[str | None]
) -> list[int]:
    """Return the members who are these users, each once, and want news; `besides` are left out."""
    seen = {await links.member_of(sql, user) for user in besides if user}
    found: list[int] = []
    for user in users:
        member = await links.member_of(sql, user) if user else None
        if member is None or member in seen:
            continue
        seen.add(member)
        wishes = await links.of_member(sql, member)
        if wishes is None or wishes.wants_news:
            found.append(member)
    return found


DIRECT_MESSAGES: dict[str, Callable[[Reader, StoredEvent], Awaitable[list[DirectMessage]]]] = {
    AlertRaised.name: _of_alert,
    RequestedRemoveProperty.name: _of_request,
    ApprovedRemoveProperty.name: _of_decision,
    DeniedRemoveProperty.name: _of_decision,
    WithdrawnRemoveProperty.name: _of_decision,
    PropertyStatusChange.name: _of_status,
    PropertyRemoved.name: _of_property,
    PropertyRestored.name: _of_property,
    PropertyOwnerChange.name: _of_new_owner,
    TroubleChanged.name: _of_trouble,
    MemberLinked.name: _of_link,
    CadRequestChanged.name: _of_cad_request,
}
"""What returns the private messages that an event causes or changes, by its name."""
