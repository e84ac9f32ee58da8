"""911 calls and dispatch calls.

A 911 call and a dispatch call may have the same number: each kind counts for itself.
"""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field

from webhook.cad.events import ids, positions, values
from webhook.cad.events.event import (
    CadEvent,
    Coordinates,
    InvalidPush,
    Members,
    Partial,
    Pushed,
    ReadBy,
    ReadFrom,
)
from webhook.cad.events.fields import (
    Caller,
    CallId,
    CallIds,
    Code,
    Description,
    Flag,
    Line,
    Location,
    OriginIdent,
    PlaceCode,
    Texts,
    Title,
)
from webhook.cad.events.registry import cad_event, earlier_push
from webhook.cad.events.units import (
    Idents,
    UnitsEvent,
    optional_idents,
    read_idents,
    required_idents,
)

MAX_NOTES = 50
"""The most notes of one call; older ones go first."""

CLOSED = "CLOSED"
CALL_STATUS = {0: "PENDING", 1: "ACTIVE", 2: CLOSED}
_CALL_ORIGIN = {0: "CALLER", 1: "RADIO_DISPATCH", 2: "OBSERVED", 3: "WALK_UP"}
_DISPATCH_OF_2020 = {
    0: "CALL_NEW",
    1: "CALL_EDIT",
    2: "CALL_CLOSE",
    3: "CALL_NOTE",
    4: "CALL_SELF_CLEAR",
}
_CIVIL = frozenset({"civil", "civilian", "311", "non-emergency", "nonemergency", "non emergency"})
_NAMES_OF_VALUES = ("label", "name", "uid", "id")
_ATTACHMENT_LIMIT = 32
"""Characters of the kind of a note's attachment."""


class Note(Pushed):
    """One note of a dispatch call (sonoran-wire: an object since 2022-12, a text before).

    `time` is free text. `type` is `text` or `link`; of any other attachment only its kind is
    shown, as `(record attachment.)`.
    """

    time: Code = ""
    label: Code = ""
    type: str = "text"
    content: str = ""

    @classmethod
    def read(cls, value: object) -> Self:
        if not isinstance(value, dict):
            return cls(content=values.text(value, values.NOTE_LIMIT))
        kind = values.line(value.get("type"), _ATTACHMENT_LIMIT).lower() or "text"
        content = values.text(value.get("content"), values.NOTE_LIMIT)
        shown = content if kind in ("text", "link") else f"({kind} attachment.)"
        return cls.model_validate({**cls.read_members(value), "type": kind, "content": shown})


def read_notes(value: object) -> list[Note]:
    """Read the notes of a call: a list, a single note, or "" for none; the newest are last."""
    given = [item for item in values.items(value) if not _is_blank(item)]
    return [Note.read(item) for item in given[-MAX_NOTES:]]


def _listed_notes(value: object) -> list[Note] | None:
    """The documentation prints "" where it means that it does not show the notes."""
    return None if _is_blank(value) else read_notes(value)


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _priority(value: object) -> int | str | None:
    code = values.code(value)
    if code in (1, 2, 3):
        return code
    return None if isinstance(value, bool) else values.line(value, values.CODE_LIMIT) or None


def _is_emergency(value: object) -> bool | None:
    """Read whether a call is an emergency; some scripts name the kind of call instead."""
    if isinstance(value, str) and values.line(value, values.CODE_LIMIT).casefold() in _CIVIL:
        return False
    return values.flag(value)


@cad_event("EVENT_911", card="emergency", names_card=True, on_board=True)
class Call911(CadEvent):
    """Somebody called 911, or 311 if it is no emergency (sonoran-wire: push pages).

    A blank caller is anonymous. The postal code is that of the metadata, or else the one that
    the live map puts before a street; the coordinates are those of the metadata, or else of a
    location that is a point. Metadata and identities may also be beside the call.
    """

    call_id: CallId
    is_emergency: Annotated[bool, ReadBy(_is_emergency)] = True
    caller: Caller = ""
    location: Location = ""
    description: Description = ""
    postal: str | None = None
    coordinates: Coordinates | None = None
    identities: list[str] = Field(default_factory=list)
    meta_data: Texts = Field(default_factory=dict)
    updated: Code = ""

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        call = _inner(data, "call")
        meta = values.merge(call.get("metaData"), data.get("metaData"))
        found = {
            "isEmergency": _is_emergency(call.get("emergency")) is not False,
            **cls.read_members({**call, "metaData": meta}),
        }
        found |= {
            "postal": positions.postal(meta.get("postal"))
            or positions.prefixed_postal(found.get("location", "")),
            "coordinates": positions.coordinates(meta)
            or positions.coordinates(call.get("location"))
            or positions.coordinates(call),
            "identities": ids.identities(data, call),
        }
        return [cls.model_validate(found)]


@cad_event("EVENT_REMOVE_911", card="emergency", on_board=True)
class Removed911(CadEvent):
    """911 calls are gone: answered, turned into dispatch calls, or expired."""

    call_ids: CallIds


def _layout(value: object) -> dict[str, str] | None:
    """Read a custom layout's values text by text: an object, or a list of named values."""
    named = {
        next((str(item[key]) for key in _NAMES_OF_VALUES if item.get(key)), ""): item.get("value")
        for item in values.objects(value, values.META_ENTRIES)
        if "value" in item
    }
    if named:
        return values.metadata(named)
    return values.metadata(value if isinstance(value, dict) else {"id": value})


def _call_coordinates(call: Members) -> Coordinates | None:
    return positions.coordinates(call.get("metaData")) or positions.coordinates(call)


class DispatchReport(CadEvent):
    """A dispatch call as the dispatchers see it (sonoran-wire: push pages, since 3.5.1).

    `primary` is None if no unit leads the call; `event_origin_ident` is the dispatcher who acted.
    `priority` is 1 to 3, or the community's own word. `origin_911` is the 911 call that it was
    made from. `meta_data` has the texts that the CAD and scripts attach, by name. `template`,
    `values` and `status_id` come with custom layouts (2026).
    """

    call_id: CallId
    event_origin_ident: int | None = None
    origin: Annotated[str, ReadBy(partial(values.choice, names=_CALL_ORIGIN))] = ""
    status: Annotated[str, ReadBy(partial(values.choice, names=CALL_STATUS))] = "PENDING"
    priority: Annotated[Literal[1, 2, 3] | str | None, ReadBy(_priority)] = None
    block: PlaceCode = ""
    address: Location = ""
    postal: str | None = None
    title: Title = ""
    code: Line = ""
    description: Description = ""
    notes: Annotated[list[Note], ReadBy(_listed_notes)] = Field(default_factory=list)
    idents: Annotated[list[int], ReadFrom(optional_idents)] = Field(default_factory=list)
    primary: int | None = None
    track_primary: Flag = False
    origin_911: Annotated[
        int | None, ReadFrom(lambda call: ids.origin_911(call.get("metaData")))
    ] = None
    coordinates: Annotated[Coordinates | None, ReadFrom(_call_coordinates)] = None
    meta_data: Texts = Field(default_factory=dict)
    template: Annotated[dict[str, str], ReadBy(_layout)] = Field(default_factory=dict)
    values: Annotated[dict[str, str], ReadBy(_layout)] = Field(default_factory=dict)
    status_id: Code = ""
    updated: Code = ""

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        return [cls.model_validate({**cls.read_call(data), **_origin_ident(data)})]

    @classmethod
    def read_call(cls, data: Members) -> dict[str, Any]:
        """Read the members of a call that the push has, by their written names."""
        call = _dispatch(data)
        present = cls.read_members(call)
        if isinstance(call.get("postal"), str | int | float):
            present["postal"] = positions.postal(call["postal"])
        if call.get("primary") is not None:
            present["primary"] = ids.optional_id(call, "primary")
        return present


@cad_event("EVENT_DISPATCH_NEW", card="dispatch", names_card=True, on_board=True)
class DispatchNew(DispatchReport):
    """A dispatch call was opened in the CAD; what the push left out has its default."""


@cad_event("EVENT_DISPATCH_EDIT", card="dispatch", on_board=True)
class DispatchEdit(DispatchReport, Partial):
    """A dispatch call was changed in the CAD; status CLOSED closes it.

    `present` lists the written names of the members that the push had: Lua cannot tell null from
    absent.
    """

    described: ClassVar[frozenset[str]] = frozenset({"call_id", "event_origin_ident", "present"})

    present: list[str] = Field(default_factory=list)

    @classmethod
    def read_call(cls, data: Members) -> dict[str, Any]:
        present = super().read_call(data)
        return {**present, "present": [name for name in present if name != "callId"]}


@cad_event("EVENT_DISPATCH_CLOSED", "EVENT_DISPATCH_CLOSE", card="dispatch", on_board=True)
class DispatchClosed(CadEvent):
    """Dispatch calls were closed (sonoran-wire: EVENT_DISPATCH_CLOSE in April 2021)."""

    call_ids: CallIds
    event_origin_ident: OriginIdent = None


@cad_event("EVENT_DISPATCH_NOTE", card="dispatch", on_board=True)
class DispatchNote(CadEvent):
    """A note was added to a dispatch call; one of the 2021 pushes does not say which one."""

    call_id: CallId
    note: Note

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        call_id = ids.call_id(data)
        if data.get("note") is None:
            raise InvalidPush("note: missing")
        return [cls(call_id=call_id, note=note) for note in read_notes(data["note"])]


@cad_event("EVENT_DISPATCH_UNIT_ATTACH", "EVENT_UNIT_ATTACH", card="dispatch", on_board=True)
class UnitAttach(CadEvent):
    """Units were put onto a dispatch call."""

    call_id: CallId
    idents: Idents
    event_origin_ident: OriginIdent = None


@cad_event("EVENT_DISPATCH_UNIT_DETACH", "EVENT_UNIT_DETACH", card="dispatch", on_board=True)
class UnitDetach(CadEvent):
    """Units left a dispatch call; without a call id, whichever call they were on."""

    call_id: Annotated[int | None, ReadFrom(ids.optional_call_id)] = None
    idents: Idents
    event_origin_ident: OriginIdent = None


@cad_event("EVENT_DISPATCH_TOGGLE_BODYCAM", "TOGGLE_BODYCAM", feed="units")
class ToggleBodycam(UnitsEvent):
    """A dispatcher wants body cameras on or off; state None means the other way round."""

    state: Annotated[bool | None, ReadBy(values.flag)] = None


@earlier_push("EVENT_UNIT_CALL_CLEAR")
def read_call_clear(data: Members) -> list[UnitDetach]:
    """Until 2021-04: units left whichever call they were on."""
    found = required_idents(data)
    return [UnitDetach(call_id=None, idents=found)] if found else []


@earlier_push("EVENT_DISPATCH")
def read_dispatch_of_2020(data: Members) -> Sequence[CadEvent]:
    """Until 2021-04: one type for all that happens to a dispatch call."""
    kind = values.choice(data.get("dispatch_type"), _DISPATCH_OF_2020)
    if kind not in _DISPATCH_OF_2020.values():
        raise InvalidPush("dispatch_type: missing or not one of 0 to 4")
    if kind == "CALL_NEW":
        return DispatchNew.read(data)
    if kind == "CALL_EDIT":
        return DispatchEdit.read(data)
    call = _dispatch(data)
    call_id = ids.call_id(call)
    if kind == "CALL_CLOSE":
        return [DispatchClosed(call_ids=[call_id], **_origin_ident(data))]
    if kind == "CALL_NOTE":
        # The push has the whole call: its last note is the new one, if it has any.
        notes = read_notes(data.get("note")) or read_notes(call.get("notes"))
        return [DispatchNote(call_id=call_id, note=notes[-1] if notes else Note())]
    found = read_idents(data) or read_idents(call) or []
    return [UnitDetach(call_id=call_id, idents=found, **_origin_ident(data))] if found else []


def _dispatch(data: Members) -> Members:
    return _inner(data, "dispatch")


def _inner(data: Members, name: str) -> Members:
    """Return the call in a push, or the data itself if the call's members are in it."""
    inner = data.get(name)
    call = data if inner is None and "callId" in data else values.members(inner, name)
    return {**call, "metaData": values.decoded(call.get("metaData"))}


def _origin_ident(data: Members) -> dict[str, int | None]:
    return {"event_origin_ident": ids.optional_id(data, "eventOriginIdent")}
