"""Request and reply shapes that recur, and how a stored property is told."""

from typing import Annotated, Any

from pydantic import Field

from db import properties
from db.properties import PENDING, REJECTED, Property
from db.reader import Reader
from webhook.protocol.errors import NotFound
from webhook.protocol.events import Subject
from webhook.protocol.wire import MAX_ID, Id, Reply, UserId, Whole, Wire

Coordinate = Annotated[Whole, Field(ge=-1_000_000, le=1_000_000)]
"""A GTA world coordinate; the map is some 10,000 wide."""

Metres = Annotated[Whole, Field(ge=0, le=1_000_000)]
"""A length on the ground."""

Limit = Annotated[Whole, Field(ge=1, le=100)]
"""How many rows of a list."""

Offset = Annotated[Whole, Field(ge=0, le=MAX_ID)]
"""How many rows of a list to pass over."""

Sentence = Annotated[str, Field(max_length=2_000)]
"""A description or a reason."""


class OfProperty(Wire):
    """About one property."""

    property_id: Id

    async def which_property(self, _: Reader) -> int:
        """Return its id."""
        return self.property_id


class OfUser(Wire):
    """About one user."""

    user_id: UserId


class Page(Wire):
    """Which part of a list, and what to search for in it."""

    limit: Limit = 10
    offset: Offset = 0
    search: Annotated[str, Field(max_length=200)] = ""


class PropertyData(Reply):
    """A property as scripts see it."""

    id: int
    location: str
    tier: int
    x: int
    y: int
    width: int
    height: int
    status: str
    description: str

    @classmethod
    def of(cls, stored: Property) -> "PropertyData":
        """Return a stored property as scripts see it; what storage knows besides stays there."""
        return cls.model_validate(stored, from_attributes=True)


class PropertyList(Reply):
    """Several properties."""

    properties: list[PropertyData]


def told(stored: Property) -> dict[str, Any]:
    """Return the fields of PropertyData; the wire shape is written down there, not in storage."""
    return PropertyData.of(stored).model_dump()


def listed(stored: list[Property]) -> PropertyList:
    """Return properties as scripts see them."""
    return PropertyList(properties=[PropertyData.of(row) for row in stored])


def recorded(stored: Property) -> dict[str, object]:
    """Return what the audit log keeps of a property that is added or removed."""
    return told(stored) | {"owner": stored.owner}


async def existing_property(sql: Reader, property_id: int) -> Property:
    """Return a property.

    Raises:
        NotFound: there is none of this id.
    """
    stored = await properties.get(sql, property_id)
    if stored is None:
        raise NotFound("there is no property {id}", id=property_id)
    return stored


def property_subject(property_id: int) -> Subject:
    """Return the subject of events about a property as a whole."""
    return Subject("property", str(property_id))


def equipment_subject(equipment_id: int) -> Subject:
    """Return the subject of records on a piece of equipment."""
    return Subject("equipment", str(equipment_id))


def user_subject(user_id: str) -> Subject:
    """Return the subject of records on a game user."""
    return Subject("user", user_id)


def removal_subject(removal_id: int) -> Subject:
    """Return the subject of events about a removal request."""
    return Subject("removal", str(removal_id))


def approval_subjects(property_id: int, status: str) -> list[Subject]:
    """Return the approval of a property as a subject, as long as its status leaves it open."""
    return [Subject("approval", str(property_id))] if status in (PENDING, REJECTED) else []
