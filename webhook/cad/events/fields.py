"""The types of the fields of the CAD's events."""

from functools import partial
from typing import Annotated

from webhook.cad.events.event import ReadBy, ReadFrom
from webhook.cad.events.ids import call_id, call_ids, optional_id
from webhook.cad.events.positions import location, place_code
from webhook.cad.events.values import (
    CODE_LIMIT,
    DESCRIPTION_LIMIT,
    LOCATION_LIMIT,
    NOTE_LIMIT,
    URL_LIMIT,
    caller,
    flag,
    line,
    metadata,
    text,
)

Code = Annotated[str, ReadBy(partial(line, limit=CODE_LIMIT))]
Line = Annotated[str, ReadBy(line)]
Title = Annotated[str, ReadBy(partial(line, limit=LOCATION_LIMIT))]
Caller = Annotated[str, ReadBy(caller)]
PlaceCode = Annotated[str, ReadBy(place_code)]
Location = Annotated[str, ReadBy(location)]
Description = Annotated[str, ReadBy(partial(text, limit=DESCRIPTION_LIMIT))]
Body = Annotated[str, ReadBy(partial(text, limit=NOTE_LIMIT))]
Url = Annotated[str, ReadBy(partial(line, limit=URL_LIMIT))]
Flag = Annotated[bool, ReadBy(flag)]
Texts = Annotated[dict[str, str], ReadBy(metadata)]
"""Types of fields that are only shown: what cannot be read is absent."""

CallId = Annotated[int, ReadFrom(call_id)]

CallIds = Annotated[list[int], ReadFrom(call_ids)]
OriginIdent = Annotated[int | None, ReadFrom(partial(optional_id, name="eventOriginIdent"))]
"""Types of ids, which are read strictly; `OriginIdent` is the dispatcher who acted."""
