"""Decisions on new properties, and the rules of every approval."""

from collections.abc import Collection, Sequence

from db import approvals, audit, properties
from db.database import Reader
from db.properties import ACTIVE, PENDING, REJECTED, External, Property
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import ApprovalRules, Change, Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import ApprovalGiven, Subject
from webhook.protocol.wire import Success
from webhook.queries.models import (
    MAX_ROWS,
    OfProperty,
    Sentence,
    approval_subjects,
    existing_property,
    property_subject,
    restore_subject,
)
from webhook.queries.properties.lifecycle import (
    change_status,
    removal_that_ended,
    restore_with_equipment,
)

table = Catalogue()

HOUR = 60 * 60 * 1000


class OfRemovedProperty(OfProperty):
    """One property that is removed."""

    async def _number_of(self, sql: Reader, external: External) -> int | None:
        return await properties.removed_number_of(sql, external)


class Rejection(OfProperty):
    """Which new property or requested removal to reject, and why."""

    reason: Sentence | None = None


@table.query("approve-property", scope=Scope.APPROVE)
async def approve_property(context: Context, ask: OfProperty) -> Success:
    """Approve a new property."""
    await add_property_approval(context, ask)
    return Success()


@operation(scope=Scope.APPROVE)
async def add_property_approval(context: Context, ask: OfProperty) -> int:
    """Approve a new property; return how many other people must approve it too."""
    async with context.change() as change:
        property_ = await _undecided(change, ask.property_id)
        (subject,) = approval_subjects(property_.id, property_.status)
        missing = await count_approval(
            change, context.approvals, subject, property_.id, property_.owner
        )
        if not missing:
            await _decide(change, property_, ACTIVE)
    return missing


@table.query("reject-property", scope=Scope.APPROVE)
async def reject_property(context: Context, ask: Rejection) -> Success:
    """Reject a new property; it stays, and its status can still be changed."""
    async with context.change() as change:
        property_ = await _undecided(change, ask.property_id)
        await _decide(change, property_, REJECTED, ask.reason)
    return Success()


@table.query("restore-property", scope=Scope.APPROVE)
async def restore_property(context: Context, ask: OfRemovedProperty) -> Success:
    """Restore a property that was removed recently, with its equipment."""
    await add_restore_approval(context, ask)
    return Success()


@operation(scope=Scope.APPROVE)
async def add_restore_approval(context: Context, ask: OfRemovedProperty) -> int:
    """Restore a removed property; return how many other people must approve that too."""
    async with context.change() as change:
        property_ = await properties.get_even_removed(change.sql, ask.property_id)
        if property_ is None:
            raise NotFound("there is no property {id}", id=ask.property_id)
        if property_.removed_at is None:
            raise Conflict("property {property} is not removed", property=property_.id)
        hours = context.approvals.restore_hours
        if property_.removed_at < change.received - hours * HOUR:
            raise Conflict("a property can be restored for {hours} hours only", hours=hours)
        external = property_.external
        if external is not None and await properties.number_of(change.sql, external) is not None:
            raise Conflict(
                "another property has the external id of property {property}", property=property_.id
            )
        missing = await count_approval(
            change,
            context.approvals,
            restore_subject(property_.id),
            property_.id,
            property_.owner,
            shown_on=await removal_that_ended(change.sql, property_),
        )
        if not missing:
            status = await restore_with_equipment(change, property_, property_.removed_at)
            await change.audit(
                "restore-property", property_subject(property_.id), after={"status": status}
            )
    return missing


@operation(scope=Scope.APPROVE)
async def list_restorable(context: Context) -> list[Property]:
    """Return the properties that can be restored, the last one removed first."""
    since = context.now() - context.approvals.restore_hours * HOUR
    return await properties.removed_since(context.read, since, MAX_ROWS)


async def count_approval(
    change: Change,
    rules: ApprovalRules,
    subject: Subject,
    property_id: int,
    *asked: str | None,
    shown_on: Sequence[Subject] = (),
) -> int:
    """Count the caller's approval; return how many others are missing. Programs decide alone.

    `asked`: the ids of those who own it or asked for it. `shown_on`: other cards that show who
    approved.

    Raises:
        Conflict: it is the caller's own, or they have approved already.
    """
    caller = change.caller
    if not caller.is_person:
        return 0
    if not rules.own and (caller.is_one_of(*asked) or await _was_one_of(change, asked)):
        raise Conflict("you cannot approve your own property or request; somebody else must")
    if rules.approvers > 1:
        if not await approvals.add(change.sql, str(subject), caller.name, change.received):
            raise Conflict("you have already approved this; somebody else must too")
        missing = rules.approvers - len(await approvals.of_subject(change.sql, str(subject)))
        if missing > 0:
            await change.emit(
                ApprovalGiven(property_id=property_id, missing=missing), subject, *shown_on
            )
            await change.audit("approve", subject, after={"missing": missing})
            return missing
    return 0


async def _was_one_of(change: Change, ids: Collection[str | None]) -> bool:
    """Return whether the caller was linked with one of these users, and has ended that link."""
    linked = await audit.former_users(change.sql, change.caller.name)
    return not linked.isdisjoint(ids)


async def _undecided(change: Change, property_id: int) -> Property:
    property_ = await existing_property(change.sql, property_id)
    if not property_.has_status(PENDING):
        raise Conflict(
            "property {property} no longer waits for approval, its status is “{status}”",
            property=property_id,
            status=property_.status,
        )
    return property_


async def _decide(
    change: Change, property_: Property, status: str, reason: str | None = None
) -> None:
    await change_status(change, property_, status, reason=reason)
    after = {"status": status} if reason is None else {"status": status, "reason": reason}
    await change.audit(
        "approve-property" if status == ACTIVE else "reject-property",
        property_subject(property_.id),
        before={"status": property_.status},
        after=after,
    )
