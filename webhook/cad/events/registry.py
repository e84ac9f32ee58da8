"""The CAD's events, each declared once beside its model, and the reading of a push into them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from webhook.cad.events.event import (
    CadEvent,
    InvalidPush,
    Members,
    PlaceholderId,
    UnhandledType,
    note_skipped,
)
from webhook.cad.events.ids import MAX_IDS
from webhook.cad.events.values import items, members

MAX_DATA = 64
"""The most objects in an array of data; one is usual."""

_ID_LISTS = ("idents", "call_ids", "units")
"""The fields of events that list what a push is about."""

ACKNOWLEDGED = frozenset({"GET_LOGS"})
"""Types without data that ask for something which this bot must not do: no events."""

_TO_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
_BESIDE_DATA = ("identId", "identIds")

_Model = TypeVar("_Model", bound=CadEvent)
_Reader = TypeVar("_Reader", bound=Callable[[Members], Sequence[CadEvent]])


EVENTS: dict[str, type[CadEvent]] = {}
"""Every declared event by its canonical type."""

READERS: dict[str, Callable[[Members], Sequence[CadEvent]]] = {}
"""What reads a data object of a push, by each type that pushes have or had."""


def cad_event(
    push_type: str,
    *earlier_types: str,
    card: str = "",
    feed: str = "",
    names_card: bool = False,
    on_board: bool = False,
) -> Callable[[type[_Model]], type[_Model]]:
    """Declare an event: its push type, the names that pushes had earlier, and where it is shown."""

    def declare(model: type[_Model]) -> type[_Model]:
        if push_type in EVENTS:
            raise ValueError(f"{push_type} is declared twice")
        model.type, model.card, model.feed = push_type, card, feed
        model.names_card, model.on_board = names_card, on_board
        EVENTS[push_type] = model
        READERS.update(dict.fromkeys((push_type, *earlier_types), model.read))
        return model

    return declare


def earlier_push(push_type: str) -> Callable[[_Reader], _Reader]:
    """Declare what reads a type of push from an earlier year that is no event by itself."""

    def declare(read: _Reader) -> _Reader:
        READERS[push_type] = read
        return read

    return declare


def parse(body: dict[str, Any]) -> list[CadEvent]:
    """Return the events in a push whose key was already checked; the key is ignored.

    Raises:
        UnhandledType: nobody handles pushes of this type.
        InvalidPush: the type is known, but its envelope or ids make no sense.
    """
    kind = body.get("type")
    if not isinstance(kind, str):
        raise InvalidPush("type: not text")
    # str.upper() would turn other letters into ASCII ones.
    push_type = kind.strip().translate(_TO_UPPER)
    if push_type in ACKNOWLEDGED:
        return []
    read = READERS.get(push_type)
    if read is None:
        raise UnhandledType(push_type)
    given = body.get("data")
    # The documents print both: the object itself, and an array of objects.
    is_one = given is None or given == {}
    listed = [given] if is_one else [item for item in items(given) if item is not None]
    if not listed or len(listed) > MAX_DATA:
        raise InvalidPush("data: empty" if not listed else f"data: more than {MAX_DATA} items")
    # The game server reads the ids of UNIT_GROUP_ADD beside the data.
    beside = {name: body[name] for name in _BESIDE_DATA if body.get(name) is not None}
    return _read_each(read, beside, listed)


def _read_each(
    read: Callable[[Members], Sequence[CadEvent]], beside: Members, listed: list[Any]
) -> list[CadEvent]:
    """Return the events of the objects that can be read.

    Raises:
        InvalidPush: none of them can be; it is the first one's fault. Or together they are about
            too much: each id is a write, and others wait until all are written.
    """
    events: list[CadEvent] = []
    faults: list[InvalidPush] = []
    for item in listed:
        try:
            events += read({**beside, **members(item, "data")})
        except PlaceholderId as placeholder:
            note_skipped(placeholder.message)
        except InvalidPush as fault:
            faults.append(fault)
    if len(faults) == len(listed):
        raise faults[0]
    if sum(map(_count_ids, events)) > MAX_IDS:
        raise InvalidPush(f"data: more than {MAX_IDS} ids")
    for skipped in faults:
        note_skipped(skipped.message)
    return events


def _count_ids(event: CadEvent) -> int:
    return max(len(getattr(event, name, None) or ()) for name in _ID_LISTS)
