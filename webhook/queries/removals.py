"""Queries on requested removals: ask, list, approve, deny."""

from typing import Annotated

from pydantic import Field

from db import approvals, properties, removals, users
from db.properties import REMOVED
from db.removals import Removal
from webhook.catalogue import Catalogue
from webhook.context import Change, Context, Scope, Share
from webhook.errors import Conflict
from webhook.events import (
    ApprovedRemoveProperty,
    DeniedRemoveProperty,
    RequestedRemoveProperty,
)
from webhook.queries.approvals import Counted, count_approval
from webhook.queries.properties import take_away
from webhook.queries.shapes import (
    OfProperty,
    Page,
    PropertyData,
    PropertyList,
    Sentence,
    approval_subjects,
    existing_property,
    listed,
    property_subject,
    removal_subject,
    told,
)
from webhook.wire import Reply, Success, UserId

table = Catalogue()


class RemovalRequest(OfProperty):
    """Which property to remove, who asks and why."""

    user_id: UserId | None = None
    reason: Sentence | None = None


class Denial(OfProperty):
    """Which removal to deny and why."""

    reason: Sentence | None = None


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
        if await removals.open_of_property(change.sql, ask.property_id) is None:
            if ask.user_id is not None:
                await users.add_seen(change.sql, ask.user_id)
            number = await removals.request(
                change.sql, ask.property_id, ask.user_id, ask.reason, stored.status, change.now
            )
            await properties.set_status(change.sql, ask.property_id, REMOVED, context.caller.name)
            given = ask.model_dump(include={"user_id", "reason"}, exclude_none=True)
            await change.emit(
                RequestedRemoveProperty(property_id=ask.property_id, **given),
                removal_subject(number),
                property_subject(ask.property_id),
                *approval_subjects(ask.property_id, stored.status),
            )
    return Success()


@table.query("get-requested-remove-properties", scope=Scope.READ)
async def get_requested_remove_properties(context: Context) -> RequestedRemovals:
    """List all properties whose removal is requested."""
    stored = await properties.page_of_status(context.read, REMOVED)
    return RequestedRemovals(
        properties=[RequestedRemoval(**told(row), client_id=row.owner) for row in stored]
    )


@table.query("search-removal-properties", scope=Scope.READ)
async def search_removal_properties(context: Context, ask: Page) -> PropertyList:
    """List properties whose removal is requested, page by page."""
    return listed(
        await properties.page_of_status(context.read, REMOVED, ask.search, ask.limit, ask.offset)
    )


@table.query("approve-remove-property", scope=Scope.APPROVE)
async def approve_remove_property(context: Context, ask: OfProperty) -> Success:
    """Approve a requested removal: the property and what hangs on it are gone."""
    async with context.change() as change:
        removal = await _open_removal(change, ask.property_id)
        subject = removal_subject(removal.id)
        missing = await count_approval(
            context, change, subject, ask.property_id, removal.requested_by
        )
        if missing:
            return Counted(missing=missing)
        await removals.settle(
            change.sql, removal.id, "approved", context.caller.name, None, change.now
        )
        await take_away(change, ask.property_id, context.caller.name)
        await change.emit(
            ApprovedRemoveProperty(property_id=ask.property_id),
            subject,
            property_subject(ask.property_id),
            *approval_subjects(ask.property_id, removal.previous_status),
        )
    return Success()


@table.query("deny-remove-property", scope=Scope.APPROVE)
async def deny_remove_property(context: Context, ask: Denial) -> Success:
    """Deny a requested removal: the property has its earlier status again."""
    async with context.change() as change:
        removal = await _open_removal(change, ask.property_id)
        await removals.settle(
            change.sql, removal.id, "denied", context.caller.name, ask.reason, change.now
        )
        await approvals.clear(change.sql, str(removal_subject(removal.id)))
        await properties.set_status(
            change.sql, ask.property_id, removal.previous_status, context.caller.name
        )
        given = ask.model_dump(include={"reason"}, exclude_none=True)
        await change.emit(
            DeniedRemoveProperty(property_id=ask.property_id, **given),
            removal_subject(removal.id),
            property_subject(ask.property_id),
            *approval_subjects(ask.property_id, removal.previous_status),
        )
    return Success()


async def _open_removal(change: Change, property_id: int) -> Removal:
    await existing_property(change.sql, property_id)
    removal = await removals.open_of_property(change.sql, property_id)
    if removal is None:
        raise Conflict("nobody asked to remove property {id}", id=property_id)
    return removal
