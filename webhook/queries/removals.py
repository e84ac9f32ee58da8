"""Queries on requested removals: ask, list, withdraw, approve, deny."""

from typing import Annotated

from pydantic import Field

from db import properties, removals, users
from db.properties import REMOVED, Property
from db.removals import Removal
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import Caller, Change, Context, Scope, Share
from webhook.protocol.errors import Conflict, Forbidden, NotFound
from webhook.protocol.events import (
    ApprovedRemoveProperty,
    DeniedRemoveProperty,
    RequestedRemoveProperty,
    WithdrawnRemoveProperty,
)
from webhook.protocol.wire import Id, Reply, Success, UserId, Wire
from webhook.queries.approvals import count_approval
from webhook.queries.models import OfProperty, SearchPage, Sentence
from webhook.queries.property_data import (
    PropertyData,
    PropertyList,
    audited_property,
    existing_property,
    property_fields,
    property_list,
)
from webhook.queries.property_lifecycle import (
    change_status,
    remove_with_equipment,
    status_before_request,
)
from webhook.queries.subjects import property_subject, removal_subject

table = Catalogue()


class RemovalRequest(OfProperty):
    """Which property to remove, who asks and why."""

    user_id: UserId | None = None
    reason: Sentence | None = None


class Denial(OfProperty):
    """Which removal to deny and why."""

    reason: Sentence | None = None


class Withdrawal(OfProperty):
    """Which request to withdraw, and for which game user."""

    user_id: UserId | None = None


class RequestedRemoval(PropertyData):
    """A property whose removal is requested, and its owner."""

    client_id: Annotated[str, Field(alias="clientId")]


class RequestedRemovals(Reply):
    """Properties whose removal is requested."""

    properties: list[RequestedRemoval]


@table.query("request-remove-property", scope=Scope.WRITE, share=Share.OWNER)
async def request_remove_property(context: Context, ask: RemovalRequest) -> Success:
    """Ask that a property be removed; asking again changes nothing."""
    async with context.change() as change:
        stored = await existing_property(change.sql, ask.property_id)
        if await removals.open_of_property(change.sql, stored.id) is None:
            if ask.user_id is not None:
                await users.add_seen(change.sql, ask.user_id)
            await removals.request(
                change.sql,
                stored.id,
                ask.user_id,
                context.caller.name,
                ask.reason,
                await status_before_request(change.sql, stored),
                change.now,
            )
            await change.audit(
                "request-remove-property",
                property_subject(stored.id),
                before={"status": stored.status},
                after={"status": REMOVED, "reason": ask.reason, "for": ask.user_id},
            )
            given = ask.model_dump(include={"user_id", "reason"}, exclude_none=True)
            event = RequestedRemoveProperty(property_id=stored.id, **given)
            await change_status(change, stored, REMOVED, event)
    return Success()


@table.query("get-requested-remove-properties", scope=Scope.READ)
async def get_requested_remove_properties(context: Context) -> RequestedRemovals:
    """List all properties whose removal is requested."""
    stored = await properties.page_of_status(context.read, REMOVED)
    return RequestedRemovals(
        properties=[RequestedRemoval(**property_fields(row), client_id=row.owner) for row in stored]
    )


@table.query("search-removal-properties", scope=Scope.READ)
async def search_removal_properties(context: Context, ask: SearchPage) -> PropertyList:
    """List properties whose removal is requested, page by page."""
    return property_list(
        await properties.page_of_status(context.read, REMOVED, ask.search, ask.limit, ask.offset)
    )


@table.query("approve-remove-property", scope=Scope.APPROVE)
async def approve_remove_property(context: Context, ask: OfProperty) -> Success:
    """Approve a requested removal: the property and what hangs on it are gone."""
    await add_removal_approval(context, ask)
    return Success()


@operation(scope=Scope.APPROVE)
async def add_removal_approval(context: Context, ask: OfProperty) -> int:
    """Approve a requested removal; return how many other people must approve it too."""
    async with context.change() as change:
        stored, removal = await _open_removal(change, ask.property_id)
        subject = removal_subject(removal.id)
        asked = (removal.requested_by, removal.asked_by)
        missing = await count_approval(change, context.approvals, subject, stored.id, *asked)
        if missing:
            return missing
        event = ApprovedRemoveProperty(property_id=stored.id)
        await remove_with_equipment(change, stored, event, "approved")
        await change.audit(
            "approve-remove-property", property_subject(stored.id), before=audited_property(stored)
        )
    return 0


@table.query("deny-remove-property", scope=Scope.APPROVE)
async def deny_remove_property(context: Context, ask: Denial) -> Success:
    """Deny a requested removal: the property has its earlier status again."""
    async with context.change() as change:
        stored, removal = await _open_removal(change, ask.property_id)
        await change.audit(
            "deny-remove-property",
            property_subject(ask.property_id),
            before={"status": REMOVED},
            after={"status": removal.previous_status, "reason": ask.reason},
        )
        given = ask.model_dump(include={"reason"}, exclude_none=True)
        event = DeniedRemoveProperty(property_id=stored.id, **given)
        await change_status(
            change, stored, removal.previous_status, event, outcome="denied", answer=ask.reason
        )
    return Success()


@table.query("withdraw-remove-property", scope=Scope.WRITE, share=Share.OWNER)
async def withdraw_remove_property(context: Context, ask: Withdrawal) -> Success:
    """Withdraw a requested removal, as who asked for it, as the owner or as an approver."""
    async with context.change() as change:
        stored, removal = await _open_removal(change, ask.property_id)
        if not may_withdraw(context.caller, stored, removal, ask.user_id):
            raise Forbidden(
                "only who asked for the removal, the owner or an approver may withdraw it"
            )
        await change.audit(
            "withdraw-remove-property",
            property_subject(ask.property_id),
            before={"status": REMOVED},
            after={"status": removal.previous_status, "for": ask.user_id},
        )
        event = WithdrawnRemoveProperty(property_id=stored.id)
        await change_status(change, stored, removal.previous_status, event)
    return Success()


def may_withdraw(
    caller: Caller, stored: Property, removal: Removal, user_id: str | None = None
) -> bool:
    """Tell whether a request is the caller's own, of their user, or theirs to decide."""
    own = (removal.requested_by, stored.owner)
    speaks_for = caller.is_one_of(*own) or (user_id is not None and user_id in own)
    return removal.asked_by == caller.name or speaks_for or caller.scope >= Scope.APPROVE


async def _open_removal(change: Change, property_id: int) -> tuple[Property, Removal]:
    stored = await existing_property(change.sql, property_id)
    removal = await removals.open_of_property(change.sql, property_id)
    if removal is None:
        raise Conflict("nobody asked to remove property {id}", id=property_id)
    return stored, removal


class OfRemoval(Wire):
    """One request."""

    removal_id: Id


@operation(scope=Scope.NONE)
async def get_removal(context: Context, ask: OfRemoval) -> Removal:
    """Return a request by its number, as its card in the channel shows it.

    Raises:
        NotFound: there is none of this number.
    """
    removal = await removals.get(context.read, ask.removal_id)
    if removal is None:
        raise NotFound("this request is not known any more")
    return removal


@operation(scope=Scope.WRITE, share=Share.OWNER)
async def get_open_removal(context: Context, ask: OfProperty) -> Removal | None:
    """Return the request to remove a property that waits for an answer."""
    return await removals.open_of_property(context.read, ask.property_id)
