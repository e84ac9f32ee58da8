"""From the authenticated body of a push to the normalised events in it."""

from collections.abc import Callable
from typing import Any

from webhook.cad import read_alerts, read_calls, read_units
from webhook.cad.alerts import RecordAdd, RecordEdit, RecordRemove
from webhook.cad.events import CadEvent, InvalidPush, UnhandledType
from webhook.cad.fields import Members, members

MAX_DATA = 64
"""The most objects in an array of data; one is usual."""

_TO_UPPER = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}
_BESIDE_DATA = ("identId", "identIds")

_READERS: dict[str, Callable[[Members], list[CadEvent]]] = {
    "EVENT_911": read_calls.call_911,
    "EVENT_REMOVE_911": read_calls.removed_911,
    "EVENT_DISPATCH_NEW": read_calls.dispatch_new,
    "EVENT_DISPATCH_EDIT": read_calls.dispatch_edit,
    "EVENT_DISPATCH_CLOSED": read_calls.dispatch_closed,
    "EVENT_DISPATCH_NOTE": read_calls.dispatch_note,
    "EVENT_DISPATCH_UNIT_ATTACH": read_calls.unit_attach,
    "EVENT_DISPATCH_UNIT_DETACH": read_calls.unit_detach,
    "EVENT_DISPATCH_TOGGLE_BODYCAM": read_calls.bodycam,
    "EVENT_UNIT_LOGIN": read_units.unit_login,
    "EVENT_UNIT_LOGOUT": read_units.unit_logout,
    "EVENT_UNIT_STATUS": read_units.unit_status,
    "EVENT_UNIT_UPDATE": read_units.unit_update,
    "EVENT_UNIT_PANIC": read_units.unit_panic,
    "EVENT_UNIT_GROUP_ADD": read_units.group_add,
    "EVENT_UNIT_GROUP_REMOVE": read_units.group_remove,
    "EVENT_UNIT_GROUP_CHANGE_NAME": read_units.group_rename,
    "EVENT_RECORD_ADD": read_alerts.record_of(RecordAdd),
    "EVENT_RECORD_EDIT": read_alerts.record_of(RecordEdit),
    "EVENT_RECORD_REMOVE": read_alerts.record_of(RecordRemove),
    "EVENT_PRINT_RECORD": read_alerts.print_record,
    "EVENT_TONE": read_alerts.tone,
    "EVENT_STREETSIGN_UPDATED": read_alerts.street_sign,
    "EVENT_CHAR_SELECTED": read_alerts.character_selected,
    "EVENT_COMMUNITY_LINK_VERIFIED": read_alerts.link_verified,
    "EVENT_NEW_CALLOUT": read_alerts.callout,
    "EVENT_PAGER_REBORN": read_alerts.pager,
    "EVENT_STATION_ALERT": read_alerts.station_alert,
    # Names and types of earlier years (sonoran-wire: until 2021-05).
    "EVENT_DISPATCH": read_calls.dispatch_2020,
    "EVENT_UNIT_CALL_CLEAR": read_calls.call_clear,
    "EVENT_DISPATCH_CLOSE": read_calls.dispatch_closed,
    "EVENT_UNIT_ATTACH": read_calls.unit_attach,
    "EVENT_UNIT_DETACH": read_calls.unit_detach,
    "TOGGLE_BODYCAM": read_calls.bodycam,
}

_ACKNOWLEDGED = frozenset({"GET_LOGS"})
"""Types without data that ask for something which this bot must not do: no events."""

HANDLED_TYPES = frozenset(_READERS) | _ACKNOWLEDGED
"""Every push type that `parse` knows."""


def parse(body: dict[str, Any]) -> list[CadEvent]:
    """Return the events in a push whose key was already checked; the key is not looked at.

    Raises:
        UnhandledType: nobody handles pushes of this type.
        InvalidPush: the type is known, but its envelope or ids make no sense.
    """
    given = body.get("type")
    if not isinstance(given, str):
        raise InvalidPush("type: not text")
    # str.upper() would turn other letters into ASCII ones.
    push_type = given.translate(_TO_UPPER)
    if push_type in _ACKNOWLEDGED:
        return []
    read = _READERS.get(push_type)
    if read is None:
        raise UnhandledType(push_type)
    return [event for data in _data(body) for event in read(data)]


def _data(body: dict[str, Any]) -> list[Members]:
    """List the objects of the data: itself, or the items of an array (the documents print both)."""
    data = body.get("data")
    items = [item for item in data if item is not None] if isinstance(data, list) else [data]
    if not items or len(items) > MAX_DATA:
        raise InvalidPush("data: empty" if not items else f"data: more than {MAX_DATA} items")
    # The game server reads the ids of UNIT_GROUP_ADD beside the data.
    beside = {name: body[name] for name in _BESIDE_DATA if body.get(name) is not None}
    return [{**beside, **members(item, "data")} for item in items]
