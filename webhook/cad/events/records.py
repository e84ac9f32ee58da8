"""Records, characters and linked accounts."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Self

from pydantic import Field

from db.user_ids import stored_id
from webhook.cad.events import ids, values
from webhook.cad.events.event import CadEvent, InvalidPush, Members, Pushed, ReadBy, ReadFrom
from webhook.cad.events.fields import Code, Line, Url
from webhook.cad.events.registry import cad_event
from webhook.cad.events.units import UnitsEvent

MAX_RECORD_FIELDS = 64
MAX_FLAGS = 64
RECORD_VALUE_LIMIT = 512

_DMV_KINDS = frozenset({"LICENSE", "VEHICLE_REGISTRATION", "DMV"})
"""The kinds of records that are applied for, so that their status is about that."""

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
_CHOICES = frozenset({"checkbox", "checkboxes"})
_RECORD_STATUS = {0: "ACTIVE", 1: "CLOSED"}
_DMV_STATUS = {0: "PENDING", 1: "APPROVED", 2: "REJECTED"}


class RecordField(Pushed):
    """One filled-in field of a record; the community's template decides which there are."""

    uid: Code = ""
    label: Line = ""
    type: Code = ""
    value: Annotated[str, ReadBy(partial(values.text, limit=RECORD_VALUE_LIMIT))] = ""
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

    id: Annotated[int | None, ReadFrom(partial(ids.optional_id, name="id"))] = None
    record_type_id: Annotated[int | None, ReadBy(values.code)] = None
    type: Annotated[int | None, ReadBy(values.code)] = None
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
        kind = values.choice(record.get("type"), _RECORD_KINDS) or ""
        names = _DMV_STATUS if kind in _DMV_KINDS else _RECORD_STATUS
        flags = dict.fromkeys(flag for _, flags in read for flag in flags)
        found |= {
            "kind": kind,
            "status": values.choice(status, names),
            "first": values.line(by_uid.get("first")),
            "last": values.line(by_uid.get("last")),
            "plate": values.line(by_uid.get("plate"), values.CODE_LIMIT),
            "flags": list(flags)[:MAX_RECORD_FIELDS],
            "fields": [field for field, _ in read if field.value],
        }
        return cls.model_validate(found)


class RecordEvent(CadEvent):
    """Something happened to a record."""

    record: Record

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        record = values.members(data.get("record"), "record")
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


def _character(data: Members) -> str:
    if isinstance(data.get("id"), str):
        return ids.exact_text(data, "id")
    found = ids.collect(data, "id")
    if found is None or len(found) != 1:
        raise InvalidPush("id: missing")
    return str(found[0])


@cad_event("EVENT_CHAR_SELECTED", feed="records")
class CharacterSelected(CadEvent):
    """An account now plays a character; `id` is its number or sync key, as text."""

    acc_id: Annotated[str, ReadFrom(partial(ids.exact_text, name="accId"))]
    id: Annotated[str, ReadFrom(_character)]


def _account(data: Members) -> str | None:
    absent = data.get("accountUuid") in (None, "")
    return None if absent else ids.exact_text(data, "accountUuid")


def _community_user(data: Members) -> str:
    return stored_id(ids.exact_text(data, "communityUserId"))


@cad_event("EVENT_COMMUNITY_LINK_VERIFIED", feed="records")
class LinkVerified(CadEvent):
    """A game identity now belongs to a CAD account (sonoran-wire: since 2026-04)."""

    community_user_id: Annotated[str, ReadFrom(_community_user)]
    account_uuid: Annotated[str, ReadFrom(_account)] = ""


def _record_fields(record: Members) -> Iterator[tuple[RecordField, list[str]]]:
    """Go through the fields of all sections, each with its flags."""
    left = MAX_RECORD_FIELDS
    for section in values.objects(record.get("sections"), MAX_RECORD_FIELDS):
        label = values.line(section.get("label"))
        for field in values.objects(section.get("fields"), left):
            left -= 1
            extra = field.get("data")
            marked = extra.get("flags") if isinstance(extra, dict) else None
            flags = values.lines(marked, values.CODE_LIMIT, MAX_FLAGS)
            found = RecordField.read_members(field) | {"section": label}
            if str(found.get("type", "")).casefold() in _CHOICES:
                # What is ticked there says something of the field and not of the record.
                found["value"] = found.get("value") or ", ".join(flags)[:RECORD_VALUE_LIMIT]
                flags = []
            yield RecordField.model_validate(found), flags
