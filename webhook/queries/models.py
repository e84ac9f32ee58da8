"""What several queries share: field types, requests and replies, subjects, stored properties."""

from collections.abc import Awaitable, Callable, Sized
from functools import partial
from typing import Annotated, Any, Self, TypeVar

import orjson
from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, model_validator

from db import audit, properties
from db.database import Reader
from db.properties import PENDING, REJECTED, External, Property
from webhook.protocol.context import Caller, Change, Scope
from webhook.protocol.errors import FieldProblem, InvalidData, NotFound, PropertyGone
from webhook.protocol.events import AllowedUsersChanged, Subject
from webhook.protocol.wire import (
    MAX_ID,
    ROUNDED,
    SYNONYMS,
    TEXT,
    ExternalData,
    ExternalId,
    Id,
    PositionData,
    Reply,
    Request,
    Success,
    UserId,
    parse_number,
    timestamp,
)

Coordinate = Annotated[int, Field(ge=-1_000_000, le=1_000_000), ROUNDED]
"""A GTA world coordinate; the map is some 10,000 wide."""

Metres = Annotated[int, Field(ge=0, le=1_000_000), ROUNDED]
"""A length on the ground."""

MAX_ROWS = 100
"""Rows of a list that are answered at once."""

MAX_LONG = 1_000
"""Rows of a list that earlier versions answered whole; more would hold up everybody else."""

MAX_SEARCH = 200
"""Characters of a search text."""


def between(least: int, most: int) -> BeforeValidator:
    """Read a number as the nearest integer that is allowed."""

    def clamp(value: object) -> object:
        value = parse_number(value)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return value
        return int(min(max(value, least), most))

    return BeforeValidator(clamp)


Limit = Annotated[int, Field(ge=1, le=MAX_ROWS), between(1, MAX_ROWS)]
"""How many rows of a list."""

LongLimit = Annotated[int, Field(ge=1, le=MAX_LONG), between(1, MAX_LONG)]
"""How many rows of a list that was once answered whole."""

Offset = Annotated[int, Field(ge=0, le=MAX_ID), between(0, MAX_ID)]
"""How many rows of a list to pass over."""

PageNumber = Annotated[int, Field(ge=1, le=MAX_ID), between(1, MAX_ID)]
"""Which page of a list, from 1 on."""

Sentence = Annotated[str, Field(max_length=2_000), TEXT]
"""A description or a reason."""


IdText = Annotated[str, BeforeValidator(str)]
"""A stored id that a reply has as text."""

Timestamp = Annotated[str, BeforeValidator(timestamp)]
"""A time in a reply, read from milliseconds since 1970."""


class RowReply(Reply):
    """Base of replies that have the names of a stored row."""

    @classmethod
    def of(cls, row: object) -> Self:
        """Read a row; columns that the reply does not name are left out."""
        return cls.model_validate(row, from_attributes=True)


UNRESOLVED = 0
"""The id that no property has: of one that is named by its external id, until it is looked up."""


class PropertyReference(Request):
    """A property, by its id or by the one that a script in the game has for it, or none."""

    property_id: Id | None = None
    external: ExternalId | None = None

    async def which_property(self, _: Reader) -> int | None:
        return self.property_id

    async def resolve(self, sql: Reader) -> Self:
        """Return the request with the property's id.

        Raises:
            NotFound: nobody has put a property by this external id.
            InvalidData: `property_id` is another property.
        """
        if self.external is None:
            return self
        external = External(self.external.source, self.external.id)
        number = await self._number_of(sql, external)
        if number is None:
            raise NotFound("there is no property {id} of {source}", **self.external.model_dump())
        if self.property_id not in (None, UNRESOLVED, number):
            problem = FieldProblem("external", "is property {id}, not propertyId", id=number)
            raise InvalidData(problem)
        return self.model_copy(update={"property_id": number})

    async def _number_of(self, sql: Reader, external: External) -> int | None:
        return await properties.number_of(sql, external)


def _needs_one_of_both(schema: dict[str, Any]) -> None:
    required = schema.pop("required")
    required.remove("propertyId")
    schema["required"] = required
    schema["anyOf"] = [{"required": ["propertyId"]}, {"required": ["external"]}]


class OfProperty(PropertyReference):
    """About one property."""

    model_config = ConfigDict(json_schema_extra=_needs_one_of_both)

    property_id: Id

    @model_validator(mode="before")
    @classmethod
    def _need_no_id_beside_external(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.get("external") is None:
            return data
        is_given = any(data.get(name) not in (None, "") for name in ("propertyId", "property_id"))
        return data if is_given else data | {"propertyId": UNRESOLVED}


def _rows_before(page: dict[str, int]) -> int:
    """Return how many rows come before a page."""
    return min((page.get("page", 1) - 1) * page.get("limit", 0), MAX_ID)


class ListPage(Request):
    """Which part of a list: rows from an offset on, or, without one, a page."""

    limit: Limit = 10
    page: PageNumber = 1
    offset: Annotated[Offset, Field(default_factory=_rows_before)]


class PropertyPage(OfProperty, ListPage):
    """Which part of a list that a property has."""


class LongList(Request):
    """Which part of a list that was once answered whole: the first thousand rows, unless said."""

    limit: LongLimit = MAX_LONG
    page: PageNumber = 1
    offset: Annotated[Offset, Field(default_factory=_rows_before)]


class PropertyLongList(OfProperty, LongList):
    """Which part of such a list that a property has."""


class UserAtProperty(OfProperty):
    """A user and a property."""

    user_id: UserId


class OfUser(Request):
    """About one user, by whatever name their id goes."""

    user_id: Annotated[UserId, Field(validation_alias=AliasChoices(*SYNONYMS["user_id"], "id"))]


class SearchPage(ListPage):
    """Which part of a list, and what to search for in it."""

    search: Annotated[str, Field(max_length=MAX_SEARCH), TEXT] = ""


class Changed(Success):
    """Whether anything differs from before."""

    changed: bool


class PageReply(Reply):
    """Which part of a list it is, and how many rows there are in all."""

    total: int
    limit: int
    offset: int


def page_fields(ask: ListPage, total: int) -> dict[str, Any]:
    """Return the fields of PageReply, for a reply that has more."""
    return {"total": total, "limit": ask.limit, "offset": ask.offset}


async def count_rows(ask: ListPage, found: Sized, count: Callable[[], Awaitable[int]]) -> int:
    """Return how many rows a list has; counts them only if the page does not show its end."""
    if len(found) < ask.limit and (found or not ask.offset):
        return ask.offset + len(found)
    return await count()


class Added(Success):
    """The id of what was added."""

    id: int


def is_none(value: object) -> bool:
    """Return whether a reply leaves a field out: `Field(exclude_if=is_none)`."""
    return value is None


def read_position(value: object) -> object:
    """Read a position as it is stored, which is JSON."""
    if isinstance(value, str):
        value = orjson.loads(value)
    return PositionData(**value) if isinstance(value, dict) else value


class PropertyFields(RowReply):
    """What scripts see of a property; models of it narrow the type of its id."""

    id: int | str
    location: str
    tier: int
    x: int
    y: int
    width: int
    height: int
    status: str
    description: str
    position: Annotated[
        PositionData | None, BeforeValidator(read_position), Field(exclude_if=is_none)
    ] = None
    external: Annotated[ExternalData | None, Field(exclude_if=is_none)] = None


class PropertyData(PropertyFields):
    """A property as scripts see it."""

    id: int


class PropertyList(Reply):
    """Several properties."""

    properties: list[PropertyData]


class PropertyListPage(PropertyList, PageReply):
    """Some of the properties that were asked for."""


class RowAtProperty(RowReply):
    """A row of something at a property, which is named by its external id too."""

    property_id: int
    external: Annotated[ExternalData | None, Field(exclude_if=is_none)] = None


AtProperty = TypeVar("AtProperty", bound=RowAtProperty)


async def with_external_ids(sql: Reader, rows: list[AtProperty]) -> list[AtProperty]:
    """Return rows with the external ids of their properties."""
    found = await properties.externals_of(sql, {row.property_id for row in rows})
    data = {number: ExternalData(**external._asdict()) for number, external in found.items()}
    return [row.model_copy(update={"external": data.get(row.property_id)}) for row in rows]


def property_subject(property_id: int) -> Subject:
    return Subject("property", str(property_id))


def equipment_subject(equipment_id: int) -> Subject:
    return Subject("equipment", str(equipment_id))


def user_subject(user_id: str) -> Subject:
    return Subject("user", user_id)


def removal_subject(removal_id: int) -> Subject:
    return Subject("removal", str(removal_id))


def approval_subjects(property_id: int, *statuses: str) -> list[Subject]:
    """Return the approval of a property as a subject if one of the statuses leaves it open."""
    if {PENDING, REJECTED}.intersection(status.upper() for status in statuses):
        return [Subject("approval", str(property_id))]
    return []


def restore_subject(property_id: int) -> Subject:
    """Return the restoring of a removed property as what approvals are given to."""
    return Subject("restore", str(property_id))


def alarm_subject(alarm_id: int) -> Subject:
    return Subject("alarm", str(alarm_id))


def flight_subject(flight_id: int) -> Subject:
    return Subject("flight", str(flight_id))


def member_subject(member_id: int) -> Subject:
    return Subject("member", str(member_id))


def property_fields(stored: Property) -> dict[str, Any]:
    """Return the fields of PropertyData, for a reply that has more."""
    return PropertyData.of(stored).model_dump()


async def property_page(
    sql: Reader, ask: SearchPage, found: list[Property], status: str | None = None
) -> PropertyListPage:
    """Return a page of the properties of one status, or of all, as scripts see them."""
    total = await count_rows(ask, found, partial(properties.count, sql, status, ask.search))
    rows = [PropertyData.of(row) for row in found]
    return PropertyListPage(properties=rows, **page_fields(ask, total))


async def page_of_status(sql: Reader, ask: SearchPage, status: str) -> PropertyListPage:
    """Return a page of the properties of a status, as scripts see them."""
    found = await properties.page_of_status(sql, status, ask.search, ask.limit, ask.offset)
    return await property_page(sql, ask, found, status)


def audited_property(stored: Property) -> dict[str, object]:
    """Return what the audit log stores of a property that is added or removed."""
    return property_fields(stored) | {"owner": stored.owner}


async def publish_allowed(change: Change, property_id: int, user_id: str, *, allowed: bool) -> None:
    """Publish that a user was put on a property's list of allowed users, or taken off it."""
    event = AllowedUsersChanged(property_id=property_id, user_id=user_id, allowed=allowed)
    await change.emit(event, property_subject(property_id))


async def own_property_ids(sql: Reader, caller: Caller) -> list[int]:
    """Return the properties that the caller owns or may enter.

    Raises:
        Forbidden: there are none, and the caller may not read those of others.
    """
    found = await properties.held_by(sql, caller.user_ids, "", MAX_ROWS)
    if not found:
        caller.must(Scope.READ)
    return [row.id for row in found]


async def existing_property(sql: Reader, property_id: int) -> Property:
    """Return a property.

    Raises:
        NotFound: there is none of this id.
        PropertyGone: it was removed.
    """
    stored = await properties.get(sql, property_id)
    if stored is None:
        await reject_removed(sql, await properties.get_even_removed(sql, property_id))
        raise NotFound("there is no property {id}", id=property_id)
    return stored


async def reject_removed(sql: Reader, property_: Property | None) -> None:
    """Raise PropertyGone if the property is one that was removed."""
    if property_ is not None and property_.removed_at is not None:
        at = property_.removed_at
        by = await audit.author(sql, str(property_subject(property_.id)), at)
        raise PropertyGone(property_.id, property_.location, by or "", at)
