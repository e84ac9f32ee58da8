"""Properties, as they are looked up: one, a page, those of a status, suggestions."""

from typing import Annotated, NamedTuple

from pydantic import Field

from db import equipment, properties
from db.properties import ACTIVE, PENDING, REJECTED, REMOVED, Property
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.errors import Conflict, NotFound
from webhook.queries.models import (
    MAX_LONG,
    MAX_ROWS,
    MAX_SEARCH,
    ListPage,
    LongList,
    OfProperty,
    PropertyData,
    PropertyList,
    PropertyListPage,
    SearchPage,
    existing_property,
    page_of_status,
    property_fields,
    property_page,
    reject_removed,
)
from webhook.queries.properties.equipment import EquipmentData

table = Catalogue()


class PropertyReply(PropertyData):
    """A property, field by field and as one object."""

    property_: Annotated[PropertyData, Field(alias="property")]


class DetailedProperty(PropertyData):
    """A property with its owner and its equipment."""

    tier_name: Annotated[str, Field(alias="tier_name")]
    owner: str
    owner_full_name: Annotated[str, Field(alias="owner_full_name")]
    equipment: list[EquipmentData]


class DetailedPropertyReply(DetailedProperty):
    """A property with its owner and its equipment, field by field and as one object."""

    property_: Annotated[DetailedProperty, Field(alias="property")]


class PendingProperties(PropertyList):
    """The properties that wait for approval, under two names."""

    pending_properties: list[PropertyData]


class StatusPage(SearchPage):
    """A page of the properties of one status, or of all."""

    status: str | None = None


class PropertiesFound(NamedTuple):
    """A page of properties; `total` is None for a search, whose matches are not counted."""

    properties: list[Property]
    total: int | None


@table.query("get-property", scope=Scope.READ, share=Share.ALLOWED)
async def get_property(context: Context, ask: OfProperty) -> PropertyReply:
    """Return a property."""
    found = PropertyData.of(await existing_property(context.read, ask.property_id))
    return PropertyReply(**found.model_dump(), property_=found)


@table.query("get-property-detailed", scope=Scope.READ, share=Share.ALLOWED)
async def get_property_detailed(context: Context, ask: OfProperty) -> DetailedPropertyReply:
    """Return a property with its tier's name, its owner and its equipment."""
    property_ = await existing_property(context.read, ask.property_id)
    names = await properties.detail(context.read, ask.property_id)
    if names is None:
        raise NotFound("there is no property {id}", id=ask.property_id)
    pieces = await equipment.of_property(context.read, ask.property_id, MAX_LONG)
    found = DetailedProperty(
        **property_fields(property_),
        tier_name=names.tier_name,
        owner=property_.owner,
        owner_full_name=names.owner_full_name,
        equipment=[EquipmentData.of(row) for row in pieces],
    )
    return DetailedPropertyReply(**found.model_dump(), property_=found)


@table.query("get-properties", scope=Scope.READ)
async def get_properties(context: Context, ask: SearchPage) -> PropertyListPage:
    """List properties by id; the search looks through location, description and id."""
    found = await properties.page(context.read, ask.search, ask.limit, ask.offset)
    return await property_page(context.read, ask, found)


@table.query("get-pending-properties", scope=Scope.READ)
async def get_pending_properties(context: Context, ask: LongList) -> PendingProperties:
    """List properties that wait for approval."""
    found = await properties.page_of_status(
        context.read, PENDING, limit=ask.limit, offset=ask.offset
    )
    rows = [PropertyData.of(row) for row in found]
    return PendingProperties(properties=rows, pending_properties=rows)


@table.query("search-pending-properties", scope=Scope.READ)
async def search_pending_properties(context: Context, ask: SearchPage) -> PropertyListPage:
    """List properties that wait for approval, page by page."""
    return await page_of_status(context.read, ask, PENDING)


@operation(scope=Scope.READ, share=Share.ALLOWED)
async def get_stored_property(context: Context, ask: OfProperty) -> Property:
    return await existing_property(context.read, ask.property_id)


@operation(scope=Scope.READ)
async def list_properties(context: Context, ask: StatusPage) -> PropertiesFound:
    """Return properties by id, of one status or of all, and how many there are."""
    if ask.status is None:
        found = await properties.page(context.read, ask.search, ask.limit, ask.offset)
    else:
        found = await properties.page_of_status(
            context.read, ask.status, ask.search, ask.limit, ask.offset
        )
    total = None if ask.search else await properties.count(context.read, ask.status)
    return PropertiesFound(found, total)


@operation(scope=Scope.NONE)
async def list_own_properties(context: Context, ask: ListPage) -> list[tuple[Property, Share]]:
    """Return the properties that the caller owns or may enter, by id, and which of both."""
    ids = context.caller.user_ids
    found = await properties.held_by(context.read, ids, "", ask.limit, ask.offset)
    return [(row, Share.OWNER if row.owner in ids else Share.ALLOWED) for row in found]


@operation(scope=Scope.NONE)
async def suggest_properties(
    context: Context, ask: SearchPage, least: Share = Share.ALLOWED
) -> list[Property]:
    """Return the best matches; to a caller without the scope to read, only their own properties.

    `least`: the share that they have in them.
    """
    if context.caller.scope < Scope.READ:
        ids, is_owned = context.caller.user_ids, least is Share.OWNER
        return await properties.held_by(
            context.read, ids, ask.search, ask.limit, only_owned=is_owned
        )
    return await properties.suggest(context.read, ask.search, ask.limit)


@operation(scope=Scope.NONE)
async def find_property(context: Context, text: str) -> Property:
    """Return the one property with this id, or with this text in its location.

    Raises:
        NotFound: there is none.
        PropertyGone: it was removed.
        Conflict: there are several.
        Forbidden: none of the caller's own matches, and they may not read the others.
    """
    search = SearchPage(search=text.strip()[:MAX_SEARCH], limit=MAX_ROWS)
    text = search.search
    found = await suggest_properties(context, search) if text else []
    if not found and text and context.caller.scope >= Scope.READ:
        found = await properties.page(context.read, text, MAX_ROWS, 0)
    by_location = [row for row in found if row.location.casefold() == text.casefold()]
    matches = [row for row in found if str(row.id) == text] or by_location or found
    if not matches:
        await reject_removed(context.read, await _removed_one(context, text))
        context.caller.must(Scope.READ)
        raise NotFound("no property matches “{typed}”", typed=text)
    if len(matches) > 1:
        raise Conflict("several properties match “{typed}”; choose one from the list", typed=text)
    return matches[0]


async def _removed_one(context: Context, text: str) -> Property | None:
    """Return a removed property of this id or location.

    To those without a role only one that was theirs or that they might enter.
    """
    is_reader = context.caller.scope >= Scope.READ
    ids = None if is_reader else context.caller.user_ids
    return await properties.removed_match(context.read, text, ids) if text else None


@operation(scope=Scope.READ)
async def list_statuses(context: Context) -> list[str]:
    """Return the statuses that can be set: the usual ones and those in use."""
    in_use = await properties.statuses(context.read)
    usual = [ACTIVE, PENDING, REJECTED]
    own = [status for status in in_use if status.upper() not in (*usual, REMOVED)]
    return [*usual, *own]
