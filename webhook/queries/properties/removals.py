"""Requests to remove a property: ask, list, withdraw, approve, deny."""

from typing import Annotated, Any, Literal, NamedTuple

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
    PropertyRemoved,
    RequestedRemoveProperty,
    WithdrawnRemoveProperty,
)
from webhook.protocol.wire import Id, Reply, Request, Success, UserId
from webhook.queries.models import (
    LongList,
    OfProperty,
    PropertyData,
    PropertyListPage,
    SearchPage,
    Sentence,
    audited_property,
    existing_property,
    is_none,
    page_of_status,
    property_fields,
    property_subject,
    removal_subject,
)
from webhook.queries.properties.approvals import Rejection, count_approval
from webhook.queries.properties.lifecycle import (
    change_status,
    remove_with_equipment,
    status_before_request,
)

table = Catalogue()

MAX_REQUESTS = 1_000
"""Requests that are looked through while somebody types."""


class RemovalRequest(OfProperty):
    """Which property to remove, for which user, and why."""

    user_id: UserId | None = None
    reason: Sentence | None = None


class RemovalAnswer(Success):
    """`removed`: of a property named by its external id, whether it is gone or only requested."""

    removed: Annotated[bool | None, Field(exclude_if=is_none)] = None


class OfRemoval(Request):
    """One request."""

    removal_id: Id


class Withdrawal(OfProperty):
    """Which request to withdraw, and for which user."""

    user_id: UserId | None = None


class RequestedRemoval(PropertyData):
    """A property whose removal is requested; the client is its owner."""

    client_id: Annotated[str, Field(alias="clientId")]


class RequestedRemovals(Reply):
    """Properties whose removal is requested."""

    properties: list[RequestedRemoval]


class OpenRemovals(NamedTuple):
    """Some of the open requests, with their properties, and how many there are."""

    requests: list[tuple[Property, Removal]]
    total: int


@table.query("request-remove-property", scope=Scope.WRITE, share=Share.OWNER)
async def request_remove_property(context: Context, ask: RemovalRequest) -> RemovalAnswer:
    """Ask that a property be removed; asking again changes nothing.

    A script that names it by its external id may remove it at once, if the configuration says so.
    """
    at_once = ask.external is not None and context.external.remove
    async with context.change() as change:
        property_ = await existing_property(change.sql, ask.property_id)
        if at_once:
            await remove(change, property_)
        else:
            await request_removal(change, property_, ask.user_id, ask.reason)
    return RemovalAnswer(removed=at_once if ask.external is not None else None)


@table.query("remove-property", scope=Scope.ADMIN)
async def remove_property(context: Context, ask: OfProperty) -> RemovalAnswer:
    """Remove a property at once, without a request; drones that are out are recalled first.

    For one that is named by its external id this is a request, unless the configuration says
    otherwise.
    """
    if ask.external is not None:
        request = RemovalRequest(property_id=ask.property_id, external=ask.external)
        return await request_remove_property(context, request)
    async with context.change() as change:
        await remove(change, await existing_property(change.sql, ask.property_id))
    return RemovalAnswer()


async def remove(change: Change, property_: Property) -> None:
    await remove_with_equipment(change, property_, PropertyRemoved(property_id=property_.id))
    await change.audit(
        "remove-property", property_subject(property_.id), before=audited_property(property_)
    )


async def request_removal(
    change: Change, property_: Property, user_id: str | None = None, reason: str | None = None
) -> bool:
    """Request a property's removal; return whether it was not requested yet."""
    if await removals.open_of_property(change.sql, property_.id) is not None:
        return False
    if user_id is not None:
        await users.add_seen(change.sql, user_id)
    await removals.request(
        change.sql,
        property_.id,
        user_id,
        change.caller.name,
        reason,
        await status_before_request(change.sql, property_),
        change.received,
    )
    await change.audit(
        "request-remove-property",
        property_subject(property_.id),
        before={"status": property_.status},
        after={"status": REMOVED, "reason": reason, "for": user_id},
    )
    asked: dict[str, Any] = {"user_id": user_id, "reason": reason}
    given = {name: text for name, text in asked.items() if text is not None}
    event = RequestedRemoveProperty(property_id=property_.id, **given)
    await change_status(change, property_, REMOVED, event)
    return True


@table.query("get-requested-remove-properties", scope=Scope.READ)
async def get_requested_remove_properties(context: Context, ask: LongList) -> RequestedRemovals:
    """List properties whose removal is requested."""
    requested = await properties.page_of_status(
        context.read, REMOVED, limit=ask.limit, offset=ask.offset
    )
    return RequestedRemovals(
        properties=[
            RequestedRemoval(**property_fields(row), client_id=row.owner) for row in requested
        ]
    )


@table.query("search-removal-properties", scope=Scope.READ)
async def search_removal_properties(context: Context, ask: SearchPage) -> PropertyListPage:
    """List properties whose removal is requested, page by page."""
    return await page_of_status(context.read, ask, REMOVED)


@operation(scope=Scope.READ)
async def list_open_removals(context: Context, ask: SearchPage) -> OpenRemovals:
    """Return the open requests with their properties, and how many there are."""
    sql = context.read
    found = await properties.page_of_status(sql, REMOVED, ask.search, ask.limit, ask.offset)
    requests = [(row, await removals.open_of_property(sql, row.id)) for row in found]
    open_ = [(row, request) for row, request in requests if request is not None]
    return OpenRemovals(open_, await properties.count(sql, REMOVED, ask.search))


@table.query("approve-remove-property", scope=Scope.APPROVE)
async def approve_remove_property(context: Context, ask: OfProperty) -> Success:
    """Approve a requested removal: the property and its equipment are removed."""
    await add_removal_approval(context, ask)
    return Success()


@operation(scope=Scope.APPROVE)
async def add_removal_approval(context: Context, ask: OfProperty) -> int:
    """Approve a requested removal; return how many other people must approve it too."""
    async with context.change() as change:
        property_, removal = await _open_removal(change, ask.property_id)
        subject = removal_subject(removal.id)
        asked = (removal.requested_by, removal.asked_by, property_.owner)
        missing = await count_approval(change, context.approvals, subject, property_.id, *asked)
        if missing:
            return missing
        event = ApprovedRemoveProperty(property_id=property_.id)
        await remove_with_equipment(change, property_, event, "approved")
        await change.audit(
            "approve-remove-property",
            property_subject(property_.id),
            before=audited_property(property_),
        )
    return 0


@table.query("deny-remove-property", scope=Scope.APPROVE)
async def deny_remove_property(context: Context, ask: Rejection) -> Success:
    """Deny a requested removal: the property gets its earlier status back."""
    async with context.change() as change:
        property_, removal = await _open_removal(change, ask.property_id)
        await change.audit(
            "deny-remove-property",
            property_subject(ask.property_id),
            before={"status": REMOVED},
            after={"status": removal.previous_status, "reason": ask.reason},
        )
        given = ask.model_dump(include={"reason"}, exclude_none=True)
        event = DeniedRemoveProperty(property_id=property_.id, **given)
        await change_status(
            change, property_, removal.previous_status, event, outcome="denied", answer=ask.reason
        )
    return Success()


@table.query("withdraw-remove-property", scope=Scope.WRITE, share=Share.OWNER)
async def withdraw_remove_property(context: Context, ask: Withdrawal) -> Success:
    """Withdraw a requested removal, as the requester, the owner or an approver."""
    async with context.change() as change:
        property_, removal = await _open_removal(change, ask.property_id)
        if not may_withdraw(context.caller, property_, removal, ask.user_id):
            raise Forbidden("only the requester, the owner or an approver may withdraw it")
        await withdraw(change, property_, removal, ask.user_id)
    return Success()


async def withdraw(
    change: Change, property_: Property, removal: Removal, user_id: str | None = None
) -> None:
    """Withdraw a request; `user_id`: for whom a script speaks."""
    await change.audit(
        "withdraw-remove-property",
        property_subject(property_.id),
        before={"status": REMOVED},
        after={"status": removal.previous_status, "for": user_id},
    )
    event = WithdrawnRemoveProperty(property_id=property_.id)
    await change_status(change, property_, removal.previous_status, event)


RemovalDecision = Literal["approve", "deny", "withdraw"]


@operation(scope=Scope.NONE)
async def suggest_removals(
    context: Context, ask: SearchPage, decision: RemovalDecision
) -> list[Property]:
    """Return the properties with a removal request on which the caller may decide so."""
    caller = context.caller
    found = await properties.page_of_status(
        context.read, REMOVED, ask.search, MAX_REQUESTS, ask.offset
    )
    requests = {
        request.property_id: request
        for request in await removals.open_of_properties(context.read, [row.id for row in found])
    }

    def is_possible(row: Property) -> bool:
        request = requests.get(row.id)
        if request is None:
            return False
        if decision == "withdraw":
            return may_withdraw(caller, row, request)
        is_own = caller.is_one_of(request.requested_by, request.asked_by, row.owner)
        may_approve = decision == "deny" or context.approvals.own or not is_own
        return caller.scope >= Scope.APPROVE and may_approve

    return [row for row in found if is_possible(row)][: ask.limit]


@operation(scope=Scope.NONE)
async def get_removal(context: Context, ask: OfRemoval) -> Removal:
    """Return a request. It needs no scope: whoever knows the number sees the card.

    Raises:
        NotFound: there is no such request.
    """
    removal = await removals.get(context.read, ask.removal_id)
    if removal is None:
        raise NotFound("this request is no longer stored")
    return removal


@operation(scope=Scope.WRITE, share=Share.OWNER)
async def get_open_removal(context: Context, ask: OfProperty) -> Removal | None:
    return await removals.open_of_property(context.read, ask.property_id)


def may_withdraw(
    caller: Caller, property_: Property, removal: Removal, user_id: str | None = None
) -> bool:
    """Return whether a caller may withdraw a request; `user_id`: for whom a script speaks."""
    own = (removal.requested_by, property_.owner)
    is_own = caller.is_one_of(*own, removal.asked_by) or (user_id is not None and user_id in own)
    return is_own or caller.scope >= Scope.APPROVE


async def _open_removal(change: Change, property_id: int) -> tuple[Property, Removal]:
    property_ = await existing_property(change.sql, property_id)
    removal = await removals.open_of_property(change.sql, property_id)
    if removal is None:
        raise Conflict(
            "nobody has requested the removal of property {property}", property=property_id
        )
    return property_, removal
