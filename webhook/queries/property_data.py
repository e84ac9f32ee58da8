"""A property as scripts see it, and as the audit log stores it."""

from typing import Any

from db import properties
from db.database import Reader
from db.properties import Property
from webhook.protocol.errors import NotFound
from webhook.protocol.wire import Reply
from webhook.queries.models import RowReply


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


class PropertyData(PropertyFields):
    """A property as scripts see it."""

    id: int


class PropertyList(Reply):
    """Several properties."""

    properties: list[PropertyData]


def property_fields(stored: Property) -> dict[str, Any]:
    """Return the fields of PropertyData, for a reply that has more."""
    return PropertyData.of(stored).model_dump()


def property_list(stored: list[Property]) -> PropertyList:
    """Return properties as scripts see them."""
    return PropertyList(properties=[PropertyData.of(row) for row in stored])


def audited_property(stored: Property) -> dict[str, object]:
    """Return what the audit log stores of a property that is added or removed."""
    return property_fields(stored) | {"owner": stored.owner}


async def existing_property(sql: Reader, property_id: int) -> Property:
    """Return a property.

    Raises:
        NotFound: there is none of this id.
    """
    stored = await properties.get(sql, property_id)
    if stored is None:
        raise NotFound("there is no property {id}", id=property_id)
    return stored
