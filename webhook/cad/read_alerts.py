"""From the data of a push to the events of records, tones, pages and alerts.

Each reader takes one data object of a push and returns the events in it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from webhook.cad import fields
from webhook.cad.alerts import (
    AlertedStation,
    Callout,
    CharacterSelected,
    LinkVerified,
    PagerMessage,
    PrintRecord,
    Record,
    RecordEvent,
    RecordField,
    StationAlert,
    StreetSign,
    Tone,
    ToneTarget,
)
from webhook.cad.events import CadEvent, InvalidPush
from webhook.cad.fields import Members
from webhook.cad.read_units import idents, required_idents

MAX_RECORD_FIELDS = 64
MAX_STATIONS = 32
MAX_DOORS = 16
MAX_TARGETS = 64
RECORD_VALUE_LIMIT = 512

_DMV = 14
_RECORD_KINDS = {
    2: "WARRANT",
    3: "BOLO",
    4: "LICENSE",
    5: "VEHICLE_REGISTRATION",
    7: "CHARACTER",
    8: "POLICE_RECORD",
    9: "POLICE_REPORT",
    10: "MEDICAL_RECORD",
    11: "MEDICAL_REPORT",
    12: "FIRE_RECORD",
    13: "FIRE_REPORT",
    14: "DMV",
    15: "LAW_RECORD",
    16: "LAW_REPORT",
}
_RECORD_STATUS = {0: "ACTIVE", 1: "CLOSED"}
_DMV_STATUS = {0: "PENDING", 1: "APPROVED", 2: "REJECTED"}
_TONE_TARGETS = {
    0: "ALL",
    1: "CALL",
    2: "AGENCY",
    3: "DEPARTMENT",
    4: "SUBDIVISION",
    5: "UNIT",
    6: "GROUP",
}
_NATURES = {name.casefold(): name for name in ("Emergency", "NonEmergency", "Administrative")}
_AUDIO = re.compile(r"data:audio/.*|[A-Za-z0-9+/_-]{200,}={0,2}\s*", re.DOTALL)


def record_of(event: type[RecordEvent]) -> Callable[[Members], list[CadEvent]]:
    """EVENT_RECORD_ADD, _EDIT and _REMOVE: the same data, another event."""

    def read(data: Members) -> list[CadEvent]:
        record = fields.members(data.get("record"), "record")
        return [event(record=_record(record))] if record else []

    return read


def print_record(data: Members) -> list[CadEvent]:
    """EVENT_PRINT_RECORD (sonoran-wire: undocumented, seen in the recordPrinter submodule)."""
    found = required_idents(data)
    url = fields.line(data.get("url"), fields.URL_LIMIT)
    return [PrintRecord(idents=found, url=url)] if found else []


def tone(data: Members) -> list[CadEvent]:
    """EVENT_TONE."""
    _something(data, "url", "playTonesTo")
    targets = [_tone_target(item) for item in _objects(data.get("playTonesTo"), most=MAX_TARGETS)]
    return [Tone(url=fields.line(data.get("url"), fields.URL_LIMIT), play_tones_to=targets)]


def street_sign(data: Members) -> list[CadEvent]:
    """EVENT_STREETSIGN_UPDATED."""
    sign = fields.members(data.get("signData"), "signData")
    found = fields.ids(sign, "ids", "id")
    if found is None:
        raise InvalidPush("signData.ids: missing")
    shown = {name: fields.line(sign.get(name)) for name in ("text1", "text2", "text3")}
    return [StreetSign(ids=found, **shown)] if found else []


def character_selected(data: Members) -> list[CadEvent]:
    """EVENT_CHAR_SELECTED: the character is a number or a sync key."""
    account = fields.exact_text(data, "accId")
    if isinstance(data.get("id"), str):
        return [CharacterSelected(acc_id=account, id=fields.exact_text(data, "id"))]
    found = fields.ids(data, "id")
    if found is None or len(found) != 1:
        raise InvalidPush("id: missing")
    return [CharacterSelected(acc_id=account, id=str(found[0]))]


def link_verified(data: Members) -> list[CadEvent]:
    """EVENT_COMMUNITY_LINK_VERIFIED; consumers insist on the identity only."""
    user = fields.exact_text(data, "communityUserId")
    absent = data.get("accountUuid") in (None, "")
    account = "" if absent else fields.exact_text(data, "accountUuid")
    return [LinkVerified(community_user_id=user, account_uuid=account)]


def callout(data: Members) -> list[CadEvent]:
    """EVENT_NEW_CALLOUT: flat camelCase in the documents, nested PascalCase in the resource."""
    given = fields.members(data.get("callout"), "callout")
    inner = given.get("data")
    told = fields.merge(inner, {key: value for key, value in given.items() if key != "data"})
    known = {key[:1].lower() + key[1:]: value for key, value in told.items()}
    if not known:
        return []
    points = [
        point
        for item in _items(known.pop("calloutLocations", None))[: fields.MAX_PLACES]
        if (point := fields.coordinates(item)) is not None
    ]
    return [
        Callout(
            id=fields.line(known.pop("id", None)),
            name=fields.line(known.pop("calloutName", None)),
            locations=points,
            details=fields.metadata(known),
        )
    ]


def pager(data: Members) -> list[CadEvent]:
    """EVENT_PAGER_REBORN; for one day in 2026 `players` stood for `identIds`."""
    _something(data, "addresses", "identIds", "players", "nature", "body")
    found = idents(data)
    nature = fields.line(data.get("nature"), fields.CODE_LIMIT)
    word = nature.casefold().replace("-", "").replace(" ", "")
    return [
        PagerMessage(
            addresses=fields.lines(data.get("addresses"), fields.CODE_LIMIT, MAX_TARGETS),
            idents=found if found is not None else fields.ids(data, "players") or [],
            nature=_NATURES.get(word, nature),
            body=fields.text(data.get("body"), fields.NOTE_LIMIT),
        )
    ]


def station_alert(data: Members) -> list[CadEvent]:
    """EVENT_STATION_ALERT: the message may be speech, as base64 of more than a megabyte."""
    _something(data, "locations", "message", "colors", "tone")
    message = data.get("message")
    has_audio = isinstance(message, str) and _AUDIO.fullmatch(message) is not None
    return [
        StationAlert(
            locations=[_station(item) for item in _objects(data.get("locations"), MAX_STATIONS)],
            message="" if has_audio else fields.text(message, fields.DESCRIPTION_LIMIT),
            has_audio=has_audio,
            colors=fields.lines(data.get("colors"), fields.CODE_LIMIT, MAX_STATIONS),
            tone=fields.line(data.get("tone"), fields.URL_LIMIT),
        )
    ]


def _record(record: Members) -> Record:
    read = list(_record_fields(record))
    kind = fields.code(record.get("type"))
    by_uid = {field.uid.casefold(): field.value for field, _ in reversed(read)}
    status = next((field for field, _ in read if _is_status(field)), None)
    names = _DMV_STATUS if kind == _DMV else _RECORD_STATUS
    return Record(
        id=fields.optional_id(record, "id"),
        record_type_id=fields.code(record.get("recordTypeId")),
        type=kind,
        kind=fields.choice(record.get("type"), _RECORD_KINDS) or "",
        sync_id=fields.line(record.get("syncId")),
        name=fields.line(record.get("name")),
        status=fields.choice(status.value, names) if status else None,
        first=fields.line(by_uid.get("first")),
        last=fields.line(by_uid.get("last")),
        plate=fields.line(by_uid.get("plate"), fields.CODE_LIMIT),
        flags=list(dict.fromkeys(flag for _, flags in read for flag in flags))[:MAX_RECORD_FIELDS],
        fields=[field for field, _ in read if field.value],
    )


def _record_fields(record: Members) -> Iterator[tuple[RecordField, list[str]]]:
    """Go through the fields of all sections, each with its flags."""
    left = MAX_RECORD_FIELDS
    for section in _objects(record.get("sections"), MAX_RECORD_FIELDS):
        label = fields.line(section.get("label"))
        for field in _objects(section.get("fields"), left):
            left -= 1
            extra = field.get("data")
            flags = extra.get("flags") if isinstance(extra, dict) else None
            yield (
                RecordField(
                    uid=fields.line(field.get("uid"), fields.CODE_LIMIT),
                    label=fields.line(field.get("label")),
                    type=fields.line(field.get("type"), fields.CODE_LIMIT),
                    value=fields.text(field.get("value"), RECORD_VALUE_LIMIT),
                    section=label,
                ),
                fields.lines(flags, fields.CODE_LIMIT, MAX_TARGETS),
            )


def _is_status(field: RecordField) -> bool:
    return "status" in (field.uid.casefold(), field.type.casefold()) and bool(field.value)


def _tone_target(target: Members) -> ToneTarget:
    kind = fields.choice(target.get("type"), _TONE_TARGETS) or ""
    value = target.get("value")
    number = fields.code(value)
    known = number if number is not None and number >= 0 else None
    return ToneTarget(
        kind=kind,
        value=fields.line(value),
        label=fields.line(target.get("label")),
        call_id=known if kind == "CALL" else None,
        ident=known if kind == "UNIT" else None,
    )


def _station(station: Members) -> AlertedStation:
    return AlertedStation(
        name=fields.line(station.get("name")),
        open=fields.lines(station.get("open"), fields.CODE_LIMIT, MAX_DOORS),
        close=fields.lines(station.get("close"), fields.CODE_LIMIT, MAX_DOORS),
    )


def _something(data: Members, *names: str) -> None:
    if all(data.get(name) is None for name in names):
        raise InvalidPush(f"{names[0]}: missing")


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _objects(value: object, most: int) -> list[dict[str, Any]]:
    return [item for item in _items(value) if isinstance(item, dict)][:most]
