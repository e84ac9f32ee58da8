"""Adding a property."""

from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field, StringConstraints

from db import properties, users
from db.properties import PENDING, External
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.clean_text import clean_text
from webhook.protocol.context import Change, Context, Scope
from webhook.protocol.errors import InvalidValue
from webhook.protocol.events import PropertyAdded, PropertyStatusChange
from webhook.protocol.wire import SYNONYMS, IdOrName, UserId
from webhook.queries.community import find_tier
from webhook.queries.models import (
    Added,
    Coordinate,
    Metres,
    Sentence,
    approval_subjects,
    audited_property,
    existing_property,
    property_subject,
)
from webhook.queries.properties.positions import AtPosition, position_field, stored_position

table = Catalogue()


def _visible(text: str) -> str:
    if not clean_text(text):
        raise InvalidValue("must not be empty")
    return text


Location = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_visible)]
"""Where a property is, for people; something of it must be visible."""


class NewProperty(AtPosition):
    """A property to add; the client is its owner."""

    location: Location
    tier: IdOrName
    x: Coordinate
    y: Coordinate
    description: Sentence = ""
    client_id: Annotated[
        UserId, Field(validation_alias=AliasChoices(*SYNONYMS["client_id"], "owner"))
    ]
    width: Metres = 0
    height: Metres = 0


@table.query("add-property", scope=Scope.WRITE)
async def add_property(context: Context, ask: NewProperty) -> Added:
    """Add a property; it is pending until it is approved."""
    async with context.change() as change:
        return Added(id=await add(change, ask))


async def add(
    change: Change, ask: NewProperty, external: External | None = None, status: str = PENDING
) -> int:
    """Add a property; one that is not pending needs no card on which people approve it."""
    is_pending = status.upper() == PENDING
    ask = ask.model_copy(update={"tier": await find_tier(change.sql, ask.tier)})
    await users.add_seen(change.sql, ask.client_id)
    given = ask.model_dump(exclude={"client_id"}) | {"position": stored_position(ask.position)}
    number = await properties.add(
        change.sql,
        **given,
        owner=ask.client_id,
        now=change.received,
        external=external,
        status=status,
        status_by=None if is_pending else change.caller.name,
    )
    await change.audit(
        "add-property",
        property_subject(number),
        after=audited_property(await existing_property(change.sql, number)),
    )
    event = PropertyAdded(
        id=number,
        owner=ask.client_id,
        **ask.model_dump(exclude={"width", "height", "position"}),
        **position_field(given["position"]),
    )
    await change.emit(event, property_subject(number), *approval_subjects(number, status))
    if not is_pending:
        active = PropertyStatusChange(property_id=number, status=status, previous=PENDING)
        await change.emit(active, property_subject(number))
    return number
