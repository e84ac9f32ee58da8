"""Models that several queries share: field types, and requests that recur."""

from typing import Annotated, Self

from pydantic import BeforeValidator, Field

from db.database import Reader
from webhook.protocol.wire import MAX_ID, Id, Reply, Success, UserId, Whole, Wire, timestamp

Coordinate = Annotated[Whole, Field(ge=-1_000_000, le=1_000_000)]
"""A GTA world coordinate; the map is some 10,000 wide."""

Metres = Annotated[Whole, Field(ge=0, le=1_000_000)]
"""A length on the ground."""

MAX_ROWS = 100
"""Rows of a list that are answered at once."""

MAX_SEARCH = 200
"""Characters of a search text."""

Limit = Annotated[Whole, Field(ge=1, le=MAX_ROWS)]
"""How many rows of a list."""

Offset = Annotated[Whole, Field(ge=0, le=MAX_ID)]
"""How many rows of a list to pass over."""

Sentence = Annotated[str, Field(max_length=2_000)]
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


class OfProperty(Wire):
    """About one property."""

    property_id: Id

    async def which_property(self, _: Reader) -> int:
        """Return its id."""
        return self.property_id


class ListPage(Wire):
    """Which part of a list."""

    limit: Limit = 10
    offset: Offset = 0


class PropertyPage(OfProperty, ListPage):
    """Which part of a list that a property has."""


class UserAtProperty(OfProperty):
    """A user and a property."""

    user_id: UserId


class OfUser(Wire):
    """About one user."""

    user_id: UserId


class SearchPage(ListPage):
    """Which part of a list, and what to search for in it."""

    search: Annotated[str, Field(max_length=MAX_SEARCH)] = ""


class Added(Success):
    """The id of what was added."""

    id: int
