"""Changes of properties: single values, several at once, and puts by external id."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field

from db import approvals, community, properties, removals
from db.properties import ACTIVE, PENDING, REJECTED, REMOVED, External, Property
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.clean_text import clean_text
from webhook.protocol.context import ApprovalRules, Caller, Change, Context, Scope
from webhook.protocol.errors import Conflict, FieldProblem, InvalidData
from webhook.protocol.events import (
    Event,
    PropertyCoordinatesChanged,
    PropertyDetailsChanged,
    PropertySizeChanged,
    PropertyStatusChange,
    PropertyTierChanged,
)
from webhook.protocol.wire import SYNONYMS, ExternalId, Flag, Id, IdOrName, Success, UserId
from webhook.queries.community import find_tier
from webhook.queries.models import (
    Added,
    Coordinate,
    Metres,
    OfProperty,
    Sentence,
    approval_subjects,
    existing_property,
    property_subject,
)
from webhook.queries.properties.add import Location, NewProperty, add
from webhook.queries.properties.approvals import count_approval
from webhook.queries.properties.lifecycle import (
    DECIDED_BY_APPROVERS,
    change_owner,
    change_status,
    status_before_request,
)
from webhook.queries.properties.positions import AtPosition, position_field, stored_position
from webhook.queries.properties.removals import request_removal, withdraw

table = Catalogue()


def _read_status(value: object) -> object:
    """Read a status as it was written, without what cannot be seen of it."""
    if not isinstance(value, str):
        return value
    status = clean_text(value)
    return REMOVED if status.upper() == REMOVED else status


StatusName = Annotated[str, Field(min_length=1, max_length=32), BeforeValidator(_read_status)]
"""A property's status, stored as it was written and compared without case."""


class NewSize(OfProperty):
    """A property's new size."""

    width: Metres
    height: Metres


class NewCoordinates(OfProperty, AtPosition):
    """A property's new coordinates."""

    x: Coordinate
    y: Coordinate


class PropertyChanges(AtPosition):
    """What to change of a property; what is not given stays. `owner` gives it to another user."""

    location: Location | None = None
    description: Sentence | None = None
    width: Metres | None = None
    height: Metres | None = None
    tier: IdOrName | None = None
    status: StatusName | None = None
    owner: UserId | None = None

    def given(self) -> dict[str, Any]:
        """Return what to change, by column; new coordinates replace the exact position as well."""
        given = self.model_dump(include=set(PropertyChanges.model_fields), exclude_none=True)
        if not given.keys().isdisjoint("xy"):
            given["position"] = stored_position(self.position)
        return given


class PropertyEdit(OfProperty, PropertyChanges):
    """What to change of a property. `if_status`: only while it has this status."""

    if_status: StatusName | None = None


class NewState(PropertyChanges):
    """A property as a script in the game knows it.

    `property_id`: a stored property, to give it the external id.
    """

    external: ExternalId
    property_id: Id | None = None
    owner: Annotated[
        UserId | None, Field(validation_alias=AliasChoices("owner", *SYNONYMS["client_id"]))
    ] = None


class PropertyPut(Added):
    """The property's id, whether it is new, and whether anything differs from before."""

    added: bool
    changed: bool


class NewOwner(OfProperty):
    """A property's new owner; `keep_allowed`: the list of who else may enter stays."""

    owner: Annotated[UserId, Field(validation_alias=AliasChoices("owner", *SYNONYMS["client_id"]))]
    keep_allowed: Flag = False


class NewStatus(OfProperty):
    """A property's new status."""

    status: StatusName


class NewTier(OfProperty):
    """A property's new tier."""

    tier: IdOrName


@table.query("change-property-size", scope=Scope.WRITE)
async def change_property_size(context: Context, ask: NewSize) -> Success:
    """Change a property's rectangle."""
    return await _set(context, PropertyEdit(**ask.model_dump()))


@table.query("change-property-coordinates", scope=Scope.WRITE)
async def change_property_coordinates(context: Context, ask: NewCoordinates) -> Success:
    """Move a property on the map."""
    return await _set(context, PropertyEdit(**ask.model_dump()))


@table.query("change-property-status", scope=Scope.WRITE)
async def change_property_status(context: Context, ask: NewStatus) -> Success:
    """Change a property's status, which withdraws an open removal request; REMOVED is one."""
    return await _set(context, PropertyEdit(**ask.model_dump()))


@table.query("change-property-tier", scope=Scope.WRITE)
async def change_property_tier(context: Context, ask: NewTier) -> Success:
    """Give a property another tier."""
    return await _set(context, PropertyEdit(**ask.model_dump()))


async def _set(context: Context, ask: PropertyEdit) -> Success:
    """Change a property; if it is so already, publish that too, as the scripts wait for it."""
    _reject_removed(context.caller, ask)
    async with context.change() as change:
        property_ = await existing_property(change.sql, ask.property_id)
        if not await _edit(change, context.approvals, property_, ask):
            for event in _events_of_repetition(property_, ask):
                await change.emit(event)
    return Success()


@table.query("change-property-owner", scope=Scope.WRITE)
async def change_property_owner(context: Context, ask: NewOwner) -> Success:
    """Give a property to another user; its list of allowed users is emptied, unless it is kept."""
    async with context.change() as change:
        old = await existing_property(change.sql, ask.property_id)
        if old.owner != ask.owner:
            await change_owner(change, old, ask.owner, keep_allowed=ask.keep_allowed)
            await change.audit(
                "change-property-owner",
                property_subject(old.id),
                before={"owner": old.owner},
                after={"owner": ask.owner},
            )
    return Success()


@table.query("edit-property", scope=Scope.WRITE)
async def edit_property(context: Context, ask: PropertyEdit) -> Success:
    """Change several things of a property at once: all or none."""
    _reject_removed(context.caller, ask)
    async with context.change() as change:
        old = await existing_property(change.sql, ask.property_id)
        if ask.if_status is not None and not old.has_status(ask.if_status):
            raise Conflict(
                "the status of property {property} is no longer “{expected}” but “{status}”",
                property=old.id,
                expected=ask.if_status,
                status=old.status,
            )
        await _edit(change, context.approvals, old, ask)
    return Success()


@table.query("put-property", scope=Scope.WRITE)
async def put_property(context: Context, ask: NewState) -> PropertyPut:
    """Add the property that a script knows by an id of its own, or change what differs of it."""
    _reject_removed(context.caller, ask)
    async with context.change() as change:
        old = await _of_external(change, ask)
        if old is None:
            number = await _add_put(change, context, ask)
            return PropertyPut(id=number, added=True, changed=True)
        changed = await _edit(change, context.approvals, old, ask)
        removal = await removals.open_of_property(change.sql, old.id)
        is_own = removal is not None and removal.asked_by == context.caller.name
        if removal is not None and is_own and ask.status != REMOVED:
            await withdraw(change, old, removal)
            changed = True
    return PropertyPut(id=old.id, added=False, changed=changed)


def _reject_removed(caller: Caller, ask: PropertyChanges) -> None:
    if ask.status == REMOVED and caller.is_person:
        raise Conflict("use /removal request to have a property removed")


async def _of_external(change: Change, ask: NewState) -> Property | None:
    """Return the property of an external id, which `property_id` may just receive.

    Raises:
        NotFound: there is no such `property_id`.
        Conflict: that property has another external id, or this one is another property's.
    """
    external = External(ask.external.source, ask.external.id)
    number = await properties.number_of(change.sql, external)
    if ask.property_id is None or number == ask.property_id:
        return None if number is None else await existing_property(change.sql, number)
    old = await existing_property(change.sql, ask.property_id)
    if number is not None:
        raise Conflict("this external id is that of property {property}", property=number)
    if old.external is not None:
        raise Conflict("property {property} has another external id", property=old.id)
    new = old._replace(external_source=external.source, external_id=external.id)
    await properties.update(change.sql, old, new)
    after = {"external": ask.external.model_dump()}
    await change.audit("put-property", property_subject(old.id), after=after)
    return new


async def _add_put(change: Change, context: Context, ask: NewState) -> int:
    given = {"tier": await community.first_tier(change.sql), "description": ""} | ask.given()
    missing = [name for name in ("location", "x", "y", "owner", "tier") if given.get(name) is None]
    if missing:
        raise InvalidData(*(FieldProblem(name, "a new property needs one") for name in missing))
    new = NewProperty(**given, client_id=given["owner"])
    new = new.model_copy(update={"position": ask.position})
    status = ask.status or (ACTIVE if context.external.active else PENDING)
    external = External(ask.external.source, ask.external.id)
    if status != REMOVED:
        return await add(change, new, external, status)
    number = await add(change, new, external)
    await request_removal(change, await existing_property(change.sql, number))
    return number


async def _edit(change: Change, rules: ApprovalRules, old: Property, ask: PropertyChanges) -> bool:
    """Store the given fields and emit events for those that differ; return whether any does."""
    if ask.status is not None and change.caller.is_person:  # programs may set every status
        await _require_approval(change, rules, old, ask.status)
    given = ask.given()
    if ask.tier is not None and ask.tier != old.tier:  # a retired one may stay
        given["tier"] = await find_tier(change.sql, ask.tier)
    if ask.status is not None and old.has_status(ask.status):
        status = given.pop("status")
        if status != old.status:
            await properties.respell_status(change.sql, old.id, status)
    after = {name: value for name, value in given.items() if value != getattr(old, name)}
    if not after:
        return False
    own = {name: value for name, value in after.items() if name not in ("status", "owner")}
    new = old._replace(**own)
    await properties.update(change.sql, old, new)
    undecided = approval_subjects(new.id, old.status)
    if own and change.caller.is_person:  # whoever approved, approved something else
        for subject in undecided:
            await approvals.clear(change.sql, str(subject))
    about = [property_subject(new.id), *undecided]
    for event in _events_of_edit(old, new):
        await change.emit(event, *about)
    if "owner" in after:
        await change_owner(change, new, after["owner"])
    status = after.pop("status", None)
    if status == REMOVED:
        await request_removal(change, new)
    elif status is not None:
        await change_status(change, new, status)
        after["status"] = status
    if after:
        before = {name: getattr(old, name) for name in after}
        await change.audit("edit-property", property_subject(new.id), before=before, after=after)
    return True


def _events_of_repetition(property_: Property, ask: PropertyChanges) -> Iterator[Event]:
    """Yield the events of a query that changes nothing."""
    number = property_.id
    if ask.width is not None:
        yield _size_event(property_, changed=False)
    if ask.x is not None:
        yield _coordinates_event(property_, changed=False)
    if ask.tier is not None:
        yield PropertyTierChanged(property_id=number, tier=property_.tier, changed=False)
    if ask.status is not None:
        yield PropertyStatusChange(
            property_id=number, status=ask.status, previous=property_.status, changed=False
        )


async def _require_approval(
    change: Change, rules: ApprovalRules, property_: Property, status: str
) -> None:
    """Reject a person's edit that would decide what needs an approval."""
    if not property_.has_status(*DECIDED_BY_APPROVERS):
        return
    change.caller.must(Scope.APPROVE)
    before = await status_before_request(change.sql, property_)
    undecided = approval_subjects(property_.id, before)
    if status.upper() in (PENDING, REJECTED) or not undecided:
        return
    (subject,) = undecided
    if await count_approval(change, rules, subject, property_.id, property_.owner):
        raise Conflict(
            "property {property} needs more than one approval; approve it instead of editing it",
            property=property_.id,
        )


def _size_event(property_: Property, **given: Any) -> PropertySizeChanged:
    width, height = property_.width, property_.height
    return PropertySizeChanged(
        property_id=property_.id, width=width, height=height, size=width * height, **given
    )


def _coordinates_event(property_: Property, **given: Any) -> PropertyCoordinatesChanged:
    given |= position_field(property_.position)
    return PropertyCoordinatesChanged(
        property_id=property_.id, x=property_.x, y=property_.y, **given
    )


def _events_of_edit(old: Property, new: Property) -> Iterator[Event]:
    number = new.id
    if (old.width, old.height) != (new.width, new.height):
        yield _size_event(new)
    if (old.x, old.y, old.position) != (new.x, new.y, new.position):
        yield _coordinates_event(new)
    texts: dict[str, Any] = {"location": new.location, "description": new.description}
    changed = {name: text for name, text in texts.items() if text != getattr(old, name)}
    if changed:
        yield PropertyDetailsChanged(property_id=number, **changed)
    if old.tier != new.tier:
        yield PropertyTierChanged(property_id=number, tier=new.tier)
