"""How a property's status changes, and how it is removed with its equipment and restored.

The one place that does this: it ends the open removal request, forgets approvals that no longer
count, and publishes the event under every subject whose card shows the change. A request is
open exactly while the status is REMOVED.
"""

from typing import Any

from db import access, approvals, flights, properties, removals, users
from db.database import Reader
from db.properties import PENDING, REJECTED, REMOVED, Property
from db.removals import RemovalOutcome
from webhook.protocol.context import Change
from webhook.protocol.errors import Conflict
from webhook.protocol.events import (
    Event,
    PropertyOwnerChange,
    PropertyRestored,
    PropertyStatusChange,
    Subject,
)
from webhook.queries.alarm_steps import end_alarm_of
from webhook.queries.models import (
    approval_subjects,
    property_subject,
    publish_allowed,
    removal_subject,
    restore_subject,
)
from webhook.queries.properties.drones import close_flight

DECIDED_BY_APPROVERS = frozenset({PENDING, REJECTED, REMOVED})
"""Statuses that people can only change as approvers."""


async def change_status(
    change: Change,
    property_: Property,
    status: str,
    cause: Event | None = None,
    *,
    reason: str | None = None,
    outcome: RemovalOutcome = "withdrawn",
    answer: str | None = None,
) -> None:
    """Change a property's status and publish it, after the event that caused it, if one did.

    `reason` is stored with the status; `outcome` and `answer` with the removal request that ends.
    """
    await properties.set_status(change.sql, property_.id, status, change.caller.name, reason)
    about = approval_subjects(property_.id, property_.status, status)
    about += await _end_decisions(change, property_.id, status, outcome, answer)
    await _publish_status(change, property_, status, cause, *about)


async def change_owner(
    change: Change, property_: Property, owner: str, *, keep_allowed: bool = False
) -> None:
    """Give a property to another user and publish it; approvals that were given so far are void.

    They were given for another owner. `keep_allowed`: the list of who else may enter stays.

    Raises:
        Conflict: it waits for a decision, which a person could then make about what was their own.
    """
    if change.caller.is_person and property_.has_status(*DECIDED_BY_APPROVERS):
        raise Conflict(
            "property {property} waits for a decision; its owner can be changed afterwards",
            property=property_.id,
        )
    await users.add_seen(change.sql, owner)
    await properties.update(change.sql, property_, property_._replace(owner=owner))
    if not keep_allowed:
        for user_id in await access.disallow_all(change.sql, property_.id):
            await publish_allowed(change, property_.id, user_id, allowed=False)
    about = approval_subjects(property_.id, property_.status)
    request = await removals.open_of_property(change.sql, property_.id)
    if request is not None:
        about.append(removal_subject(request.id))
    for subject in about:
        await approvals.clear(change.sql, str(subject))
    event = PropertyOwnerChange(property_id=property_.id, owner=owner, previous=property_.owner)
    await change.emit(event, property_subject(property_.id), *about)


async def remove_with_equipment(
    change: Change, property_: Property, cause: Event, outcome: RemovalOutcome = "withdrawn"
) -> None:
    """Remove a property and its equipment; drones that are out are recalled, its alarm ends.

    `outcome`: of its removal request, if one is open.
    """
    for flight in await flights.open_of_property(change.sql, property_.id):
        await close_flight(change, flight)
    await end_alarm_of(change, property_.id, "removed")
    await properties.remove(change.sql, property_.id, change.received)
    await approvals.clear(change.sql, str(restore_subject(property_.id)))  # of an earlier removal
    about = approval_subjects(property_.id, property_.status)
    about += await _end_decisions(change, property_.id, None, outcome)
    await _publish_status(change, property_, REMOVED, cause, *about)


async def restore_with_equipment(change: Change, property_: Property, removed_at: int) -> str:
    """Restore a property that was removed at a time, and return the status it has again."""
    status = await status_before_request(change.sql, property_)
    await properties.restore(change.sql, property_.id, removed_at)
    if status != property_.status:
        await properties.set_status(change.sql, property_.id, status, change.caller.name)
    about = approval_subjects(property_.id, status)
    about += await removal_that_ended(change.sql, property_)
    cause = PropertyRestored(property_id=property_.id, status=status)
    removed = property_._replace(status=REMOVED)
    await _publish_status(change, removed, status, cause, *about)
    return status


async def removal_that_ended(sql: Reader, property_: Property) -> list[Subject]:
    """Return the request by which a removed property was removed, if it was requested."""
    request = await removals.newest_of_property(sql, property_.id)
    if request is None or request.settled_at != property_.removed_at:
        return []
    return [removal_subject(request.id)]


async def _publish_status(
    change: Change, property_: Property, status: str, cause: Event | None, *about: Subject
) -> None:
    """Publish a new status for those who watch nothing else, and before it what caused it."""
    given: dict[str, Any] = {}
    subjects = (property_subject(property_.id), *about)
    if cause is not None:
        given["cause"] = f"events.{cause.name}"
        await change.emit(cause, *subjects)
    event = PropertyStatusChange(
        property_id=property_.id, status=status, previous=property_.status, **given
    )
    await change.emit(event, *subjects)


async def status_before_request(sql: Reader, property_: Property) -> str:
    """Return a property's status, or the one that it had before its removal was requested."""
    if not property_.has_status(REMOVED):
        return property_.status
    request = await removals.newest_of_property(sql, property_.id)
    return PENDING if request is None else request.previous_status


async def _end_decisions(
    change: Change,
    property_id: int,
    status: str | None,
    outcome: RemovalOutcome,
    answer: str | None = None,
) -> list[Subject]:
    """End the removal request unless the status says that it is open; return it as a subject.

    Approvals of a new property stay, for its card, until they could count for another decision.
    """
    if status is None or status.upper() in (PENDING, REMOVED):
        for subject in approval_subjects(property_id, PENDING):
            await approvals.clear(change.sql, str(subject))
    request = await removals.open_of_property(change.sql, property_id)
    if request is None:
        return []
    subject = removal_subject(request.id)
    if status != REMOVED:
        by = change.caller.name
        await removals.settle(change.sql, request.id, outcome, by, answer, change.received)
    return [subject]
