"""Queries by which people decide on new properties, and the rules of every approval."""

from db import approvals, properties
from db.properties import ACTIVE, PENDING, REJECTED, Property
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import ApprovalRules, Change, Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import ApprovalGiven, PropertyStatusChange, Subject
from webhook.protocol.wire import Success
from webhook.queries.models import MAX_ROWS, OfProperty, Sentence
from webhook.queries.property_data import existing_property
from webhook.queries.property_lifecycle import change_status, restore_with_equipment
from webhook.queries.subjects import approval_subjects, property_subject

table = Catalogue()

HOUR = 60 * 60 * 1000


class Rejection(OfProperty):
    """Which new property to reject and why."""

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
        stored = await _undecided(change, ask.property_id)
        (subject,) = approval_subjects(stored.id, stored.status)
        missing = await count_approval(change, context.approvals, subject, stored.id, stored.owner)
        if not missing:
            await _decide(change, stored, ACTIVE)
    return missing


@table.query("reject-property", scope=Scope.APPROVE)
async def reject_property(context: Context, ask: Rejection) -> Success:
    """Reject a new property; it stays, and can still be given another status."""
    async with context.change() as change:
        stored = await _undecided(change, ask.property_id)
        await _decide(change, stored, REJECTED, ask.reason)
    return Success()


@table.query("restore-property", scope=Scope.APPROVE)
async def restore_property(context: Context, ask: OfProperty) -> Success:
    """Bring a property back that was removed lately, with all that hung on it."""
    async with context.change() as change:
        stored = await properties.get_even_removed(change.sql, ask.property_id)
        if stored is None:
            raise NotFound("there is no property {id}", id=ask.property_id)
        if stored.removed_at is None:
            raise Conflict("property {id} is not removed", id=stored.id)
        hours = context.approvals.restore_hours
        if stored.removed_at < change.now - hours * HOUR:
            raise Conflict("a property can be restored for {hours} hours only", hours=hours)
        status = await restore_with_equipment(change, stored, stored.removed_at)
        await change.audit(
            "restore-property", property_subject(stored.id), after={"status": status}
        )
    return Success()


async def count_approval(
    change: Change, rules: ApprovalRules, subject: Subject, property_id: int, *asked: str | None
) -> int:
    """Count a person's approval and return how many others are needed; programs decide alone.

    `asked`: who wants it approved, by any of their names.

    Raises:
        Conflict: it is their own request, or they have approved already.
    """
    caller = change.caller
    if not caller.is_person:
        return 0
    if not rules.own and caller.is_one_of(*asked):
        raise Conflict("somebody else must approve what is your own or what you asked for")
    if rules.approvers > 1:
        if not await approvals.add(change.sql, str(subject), caller.name, change.now):
            raise Conflict("you have approved this already; somebody else must too")
        missing = rules.approvers - len(await approvals.of_subject(change.sql, str(subject)))
        if missing > 0:
            await change.emit(ApprovalGiven(property_id=property_id, missing=missing), subject)
            await change.audit("approve", subject, after={"missing": missing})
            return missing
    return 0


async def _undecided(change: Change, property_id: int) -> Property:
    stored = await existing_property(change.sql, property_id)
    if stored.status != PENDING:
        raise Conflict(
            "property {id} does not wait any more, it is {status}",
            id=property_id,
            status=stored.status,
        )
    return stored


async def _decide(change: Change, stored: Property, status: str, reason: str | None = None) -> None:
    event = PropertyStatusChange(property_id=stored.id, status=status, previous=stored.status)
    await change_status(change, stored, status, event, reason=reason)
    decided = {"status": status} if reason is None else {"status": status, "reason": reason}
    await change.audit(
        "approve-property" if status == ACTIVE else "reject-property",
        property_subject(stored.id),
        before={"status": stored.status},
        after=decided,
    )


@operation(scope=Scope.APPROVE)
async def list_restorable(context: Context) -> list[Property]:
    """Return the properties that can be restored, the one removed last first."""
    since = context.now() - context.approvals.restore_hours * HOUR
    return await properties.removed_since(context.read, since, MAX_ROWS)
