"""Reading the ids in a push: strictly, as a wrong one would be about another call or unit."""

import re
from contextlib import suppress

from db.user_ids import stored_id
from webhook.cad.events.event import InvalidPush, Members, PlaceholderId, note_skipped
from webhook.cad.events.values import NAME_LIMIT, is_nothing, is_placeholder, items, line, lines
from webhook.protocol.wire import parse_id

MAX_IDS = 2048
"""The most ids in one push: as many as a FiveM server has player slots."""
MAX_IDENTITIES = 16

_LIST_OF_IDS = re.compile(r'[\[\]",; 0-9]{1,512}', re.ASCII)
_LIST_SEPARATOR = re.compile(r'[",; ]+')
_EVERYBODY = frozenset({"all", "*"})


class NoId(InvalidPush):
    """A value in place of an id is not one."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: an id is an integer or a string of digits")


def collect(data: Members, *names: str) -> list[int] | None:
    """Collect the ids under any of the names, each as a scalar or a list.

    Values that mean nobody are dropped, invalid ones are skipped and noted; duplicates collapse and
    the order stays. None means that none of the names is present.

    Raises:
        NoId: there are values, and none of them is an id.
        InvalidPush: there are too many.
    """
    given = [(name, data[name]) for name in names if data.get(name) is not None]
    if not given:
        return None
    found: dict[int, None] = {}
    skipped = 0
    for name, value in given:
        listed = items(value)
        if len(listed) > 2 * MAX_IDS:
            raise InvalidPush(f"{name}: more than {MAX_IDS} ids")
        for item in listed:
            if is_nothing(item) or is_placeholder(item):
                continue
            try:
                found[_read_id(item)] = None
            except ValueError:
                skipped += 1
                note_skipped(name)
    if len(found) > MAX_IDS:
        raise InvalidPush(f"{names[0]}: more than {MAX_IDS} ids")
    if skipped and not found:
        raise NoId(given[0][0])
    return list(found)


def collect_optional(data: Members, *names: str) -> list[int] | None:
    """Collect ids without which the rest of the push still makes sense; none are no error.

    Raises:
        InvalidPush: there are too many, or one is a word for all that there are.
    """
    for name in names:
        if isinstance(data.get(name), str) and data[name].strip().casefold() in _EVERYBODY:
            raise NoId(name)
    try:
        return collect(data, *names)
    except NoId:
        return []


def call_ids(data: Members) -> list[int]:
    """Read `callIds` (sonoran-wire: since 3.27.0) or the older scalar `callId`."""
    found = collect(data, "callIds", "callId")
    if found is None:
        raise InvalidPush("callIds: missing")
    return found


def call_id(data: Members) -> int:
    """Read the id of the one call that a push is about.

    Raises:
        PlaceholderId: the push is an example with a -1 for the id.
        InvalidPush: there is none, or more than one.
    """
    found = collect(data, "callId", "callIds")
    if found == [] and is_placeholder(data.get("callId")):
        raise PlaceholderId("callId")
    if found is None or len(found) != 1:
        raise InvalidPush("callId: missing" if not found else "callId: more than one")
    return found[0]


def optional_call_id(data: Members) -> int | None:
    """Read the id of a call that the push may leave open."""
    found = collect_optional(data, "callId", "callIds")
    if found and len(found) > 1:
        raise InvalidPush("callId: more than one")
    return found[0] if found else None


def optional_id(data: Members, name: str) -> int | None:
    """Read an id that may be absent; the CAD writes null, "" or -1 for nobody."""
    value = data.get(name)
    if is_nothing(value) or is_placeholder(value):
        return None
    try:
        return _read_id(value)
    except ValueError:
        note_skipped(name)
        return None


def exact_text(data: Members, name: str) -> str:
    """Read an id that is text: never cut or altered, as that would make it another one.

    Raises:
        InvalidPush: it is missing, blank, no text, too long or has invisible characters.
    """
    value = data.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidPush(f"{name}: missing" if value in (None, "") else f"{name}: not text")
    if len(value) > NAME_LIMIT or line(value) != value:
        raise InvalidPush(f"{name}: not an id")
    return value


def identities(*places: Members) -> list[str]:
    """Read whom a call or unit belongs to, from the first of the CAD's names that has a value.

    The user ids are in their stored form. The order is that of the FiveM resource;
    `apiId1` and `apiId2` date from 2020.
    """
    for name in ("identities", "communityUserIds", "communityUserId", "apiIds", "apiId1"):
        for place in places:
            value = place.get(name)
            if name == "apiId1" and "apiId2" in place:
                value = [value, place["apiId2"]]
            if found := lines(value, NAME_LIMIT, MAX_IDENTITIES):
                return list(dict.fromkeys(map(stored_id, found)))
    return []


def origin_911(meta: object) -> int | None:
    """Read which 911 call a dispatch was made from, by the CAD or by `/dn respond`."""
    return next(iter(origins_911(meta)), None)


def origins_911(meta: object) -> list[int]:
    """Read the 911 calls a dispatch was made from; merged ones are a list or a text: `1,2`."""
    if isinstance(meta, dict):
        for name in ("origin911", "createdFromId"):
            value = meta.get(name)
            if isinstance(value, str) and _LIST_OF_IDS.fullmatch(value):
                value = _LIST_SEPARATOR.split(value.strip('[]", ;'))
            found = []
            for item in value if isinstance(value, list) else [value]:
                with suppress(ValueError):
                    found.append(_read_id(item))
            if found:
                return list(dict.fromkeys(found))[:MAX_IDS]
    return []


def _read_id(value: object) -> int:
    return parse_id(value.strip() if isinstance(value, str) else value)
