"""Records, tones, pages, station alerts and whatever else the CAD sends to the game."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Self

from pydantic import Field

from webhook.cad import fields
from webhook.cad.events import CadEvent, Coordinates, InvalidPush, Members, Pushed, ReadBy, ReadFrom
from webhook.cad.fields import Body, Code, Line, Texts, Url
from webhook.cad.registry import cad_event
from webhook.cad.units import UnitsEvent, read_idents

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


def _codes(most: int) -> ReadBy:
    return ReadBy(lambda value: fields.lines(value, fields.CODE_LIMIT, most))


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _objects(value: object, most: int) -> list[dict[str, Any]]:
    return [item for item in _items(value) if isinstance(item, dict)][:most]


class RecordField(Pushed):
    """One filled-in field of a record; the community's template decides which there are."""

    uid: Code = ""
    label: Line = ""
    type: Code = ""
    value: Annotated[str, ReadBy(partial(fields.text, limit=RECORD_VALUE_LIMIT))] = ""
    section: str = ""

    @property
    def is_status(self) -> bool:
        return "status" in (self.uid.casefold(), self.type.casefold()) and bool(self.value)


class Record(Pushed):
    """A record: a warrant, a bulletin (BOLO), a licence, a report.

    `kind` names the type's number (`WARRANT`, `BOLO`…). `status` is that of the field with the
    uid or type `status`, None if the record has none. `id` is None for a new record of a CAD
    before 3.21.9.
    """

    id: Annotated[int | None, ReadFrom(partial(fields.optional_id, name="id"))] = None
    record_type_id: Annotated[int | None, ReadBy(fields.code)] = None
    type: Annotated[int | None, ReadBy(fields.code)] = None
    kind: str = ""
    sync_id: Line = ""
    name: Line = ""
    status: str | None = None
    first: str = ""
    last: str = ""
    plate: str = ""
    flags: list[str] = Field(default_factory=list)
    fields: list[RecordField] = Field(default_factory=list)

    @classmethod
    def read(cls, record: Members) -> Self:
        read = list(_record_fields(record))
        found = cls.read_members(record)
        by_uid = {field.uid.casefold(): field.value for field, _ in reversed(read)}
        status = next((field.value for field, _ in read if field.is_status), None)
        names = _DMV_STATUS if found.get("type") == _DMV else _RECORD_STATUS
        flags = dict.fromkeys(flag for _, flags in read for flag in flags)
        found |= {
            "kind": fields.choice(record.get("type"), _RECORD_KINDS) or "",
            "status": fields.choice(status, names),
            "first": fields.line(by_uid.get("first")),
            "last": fields.line(by_uid.get("last")),
            "plate": fields.line(by_uid.get("plate"), fields.CODE_LIMIT),
            "flags": list(flags)[:MAX_RECORD_FIELDS],
            "fields": [field for field, _ in read if field.value],
        }
        return cls.model_validate(found)


class RecordEvent(CadEvent):
    """Something happened to a record."""

    record: Record

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        record = fields.members(data.get("record"), "record")
        return [cls(record=Record.read(record))] if record else []


@cad_event("EVENT_RECORD_ADD", feed="records")
class RecordAdd(RecordEvent):
    """A record was written in the CAD."""


@cad_event("EVENT_RECORD_EDIT", feed="records")
class RecordEdit(RecordEvent):
    """A record was changed in the CAD."""


@cad_event("EVENT_RECORD_REMOVE", feed="records")
class RecordRemove(RecordEvent):
    """A record was deleted in the CAD."""


@cad_event("EVENT_PRINT_RECORD", feed="records")
class PrintRecord(UnitsEvent):
    """Somebody wants a record printed in the game; the address is passed on, never fetched.

    sonoran-wire: undocumented, seen in the recordPrinter submodule.
    """

    url: Url = ""


class ToneTarget(Pushed):
    """Who is to hear a tone: `kind` ALL, CALL, AGENCY, DEPARTMENT, SUBDIVISION, UNIT or GROUP.

    `value` is the target as text; `call_id` or `ident` is its number where it is one.
    """

    kind: str = ""
    value: Line = ""
    label: Line = ""
    call_id: int | None = None
    ident: int | None = None

    @classmethod
    def read(cls, target: Members) -> Self:
        kind = fields.choice(target.get("type"), _TONE_TARGETS) or ""
        code = fields.code(target.get("value"))
        number = code if code is not None and code >= 0 else None
        found = cls.read_members(target) | {
            "kind": kind,
            "callId": number if kind == "CALL" else None,
            "ident": number if kind == "UNIT" else None,
        }
        return cls.model_validate(found)


def _tone_targets(value: object) -> list[ToneTarget]:
    return [ToneTarget.read(target) for target in _objects(value, MAX_TARGETS)]


@cad_event("EVENT_TONE", feed="dispatch")
class Tone(CadEvent):
    """A tone is played; the address is passed on, never fetched."""

    any_of = ("url", "playTonesTo")

    url: Url = ""
    play_tones_to: Annotated[list[ToneTarget], ReadBy(_tone_targets)] = Field(default_factory=list)


def _sign_ids(sign: Members) -> list[int]:
    ids = fields.ids(sign, "ids", "id")
    if ids is None:
        raise InvalidPush("signData.ids: missing")
    return ids


@cad_event("EVENT_STREETSIGN_UPDATED", feed="dispatch")
class StreetSign(CadEvent):
    """Road signs show a new text, one to three lines."""

    ids: Annotated[list[int], ReadFrom(_sign_ids)]
    text1: Line = ""
    text2: Line = ""
    text3: Line = ""

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        return super().read(fields.members(data.get("signData"), "signData"))


def _character(data: Members) -> str:
    if isinstance(data.get("id"), str):
        return fields.exact_text(data, "id")
    ids = fields.ids(data, "id")
    if ids is None or len(ids) != 1:
        raise InvalidPush("id: missing")
    return str(ids[0])


@cad_event("EVENT_CHAR_SELECTED", feed="records")
class CharacterSelected(CadEvent):
    """An account now plays a character; `id` is its number or sync key, as text."""

    acc_id: Annotated[str, ReadFrom(partial(fields.exact_text, name="accId"))]
    id: Annotated[str, ReadFrom(_character)]


def _account(data: Members) -> str | None:
    absent = data.get("accountUuid") in (None, "")
    return None if absent else fields.exact_text(data, "accountUuid")


@cad_event("EVENT_COMMUNITY_LINK_VERIFIED", feed="records")
class LinkVerified(CadEvent):
    """A game identity now belongs to a CAD account (sonoran-wire: since 2026-04)."""

    community_user_id: Annotated[str, ReadFrom(partial(fields.exact_text, name="communityUserId"))]
    account_uuid: Annotated[str, ReadFrom(_account)] = ""


@cad_event("EVENT_NEW_CALLOUT", card="notice")
class Callout(CadEvent):
    """The emergency response script offers a callout; `details` has its other members as text.

    Its members are flat and camelCase in the documents, nested and PascalCase in the resource.
    """

    id: Line = ""
    name: str = ""
    locations: list[Coordinates] = Field(default_factory=list)
    details: Texts = Field(default_factory=dict)

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        given = fields.members(data.get("callout"), "callout")
        outer = {key: value for key, value in given.items() if key != "data"}
        members = {
            key[:1].lower() + key[1:]: value
            for key, value in fields.merge(given.get("data"), outer).items()
        }
        if not members:
            return []
        places = _items(members.pop("calloutLocations", None))[: fields.MAX_PLACES]
        points = [fields.coordinates(place) for place in places]
        found = {
            "id": fields.line(members.pop("id", None)),
            "name": fields.line(members.pop("calloutName", None)),
            "locations": [point for point in points if point is not None],
            "details": fields.metadata(members),
        }
        return [cls.model_validate(found)]


def _paged(data: Members) -> list[int] | None:
    """For one day in 2026 a push had `players` instead of `identIds`."""
    found = read_idents(data)
    return fields.ids(data, "players") if found is None else found


def _nature(value: object) -> str:
    nature = fields.line(value, fields.CODE_LIMIT)
    return _NATURES.get(nature.casefold().replace("-", "").replace(" ", ""), nature)


@cad_event("EVENT_PAGER_REBORN", card="notice")
class PagerMessage(CadEvent):
    """A page: `nature` is Emergency, NonEmergency, Administrative, or the community's word."""

    any_of = ("addresses", "identIds", "players", "nature", "body")

    addresses: Annotated[list[str], _codes(MAX_TARGETS)] = Field(default_factory=list)
    idents: Annotated[list[int], ReadFrom(_paged)] = Field(default_factory=list)
    nature: Annotated[str, ReadBy(_nature)] = ""
    body: Body = ""


class AlertedStation(Pushed):
    """A station and the doors that an alert opens and closes there."""

    name: Line = ""
    open: Annotated[list[str], _codes(MAX_DOORS)] = Field(default_factory=list)
    close: Annotated[list[str], _codes(MAX_DOORS)] = Field(default_factory=list)

    @classmethod
    def read(cls, station: Members) -> Self:
        return cls.model_validate(cls.read_members(station))


def _stations(value: object) -> list[AlertedStation]:
    return [AlertedStation.read(station) for station in _objects(value, MAX_STATIONS)]


def _message(value: object) -> str:
    return "" if _is_audio(value) else fields.text(value, fields.DESCRIPTION_LIMIT)


def _is_audio(value: object) -> bool:
    return isinstance(value, str) and _AUDIO.fullmatch(value) is not None


@cad_event("EVENT_STATION_ALERT", card="notice")
class StationAlert(CadEvent):
    """Stations are alerted.

    The message may be speech, as base64 of more than a megabyte: it is left out and noted in
    `has_audio`.
    """

    any_of = ("locations", "message", "colors", "tone")

    locations: Annotated[list[AlertedStation], ReadBy(_stations)] = Field(default_factory=list)
    message: Annotated[str, ReadBy(_message)] = ""
    has_audio: Annotated[bool, ReadFrom(lambda data: _is_audio(data.get("message")))] = False
    colors: Annotated[list[str], _codes(MAX_STATIONS)] = Field(default_factory=list)
    tone: Url = ""


def _record_fields(record: Members) -> Iterator[tuple[RecordField, list[str]]]:
    """Go through the fields of all sections, each with its flags."""
    left = MAX_RECORD_FIELDS
    for section in _objects(record.get("sections"), MAX_RECORD_FIELDS):
        label = fields.line(section.get("label"))
        for field in _objects(section.get("fields"), left):
            left -= 1
            extra = field.get("data")
            flags = extra.get("flags") if isinstance(extra, dict) else None
            found = RecordField.read_members(field) | {"section": label}
            shown = RecordField.model_validate(found)
            yield shown, fields.lines(flags, fields.CODE_LIMIT, MAX_TARGETS)
