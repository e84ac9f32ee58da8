"""From the data of a push to the events of calls.

Each reader takes one data object of a push and returns the events in it.
"""

from collections.abc import Callable
from typing import Any

from webhook.cad import fields
from webhook.cad.calls import (
    Call911,
    DispatchClosed,
    DispatchEdit,
    DispatchNew,
    DispatchNote,
    Removed911,
    ToggleBodycam,
    UnitAttach,
    UnitDetach,
)
from webhook.cad.events import CadEvent, InvalidPush, Note
from webhook.cad.fields import Members
from webhook.cad.read_units import idents, required_idents

MAX_NOTES = 50
"""The most notes of one call; older ones go first."""

_CALL_STATUS = {0: "PENDING", 1: "ACTIVE", 2: "CLOSED"}
_CALL_ORIGIN = {0: "CALLER", 1: "RADIO_DISPATCH", 2: "OBSERVED", 3: "WALK_UP"}
_TYPE_LIMIT = 32


def call_911(data: Members) -> list[CadEvent]:
    """EVENT_911; metadata and identities may also stand beside the call."""
    call = fields.members(data.get("call"), "call")
    meta = fields.merge(call.get("metaData"), data.get("metaData"))
    emergency = fields.flag(call.get("isEmergency"))
    if emergency is None:
        emergency = fields.flag(call.get("emergency"))
    place = call.get("location")
    shown = fields.location(place)
    return [
        Call911(
            call_id=fields.call_id(call),
            is_emergency=emergency is not False,
            caller=fields.line(call.get("caller")),
            location=shown,
            description=fields.text(call.get("description"), fields.DESCRIPTION_LIMIT),
            postal=fields.postal(meta.get("postal")) or fields.prefixed_postal(shown),
            coordinates=fields.coordinates(meta) or fields.coordinates(place),
            identities=fields.identities(data, call),
            meta_data=fields.metadata(meta),
            updated=fields.line(call.get("updated"), fields.CODE_LIMIT),
        )
    ]


def removed_911(data: Members) -> list[CadEvent]:
    """EVENT_REMOVE_911."""
    found = fields.call_ids(data)
    return [Removed911(call_ids=found)] if found else []


def dispatch_new(data: Members) -> list[CadEvent]:
    """EVENT_DISPATCH_NEW."""
    return [DispatchNew.model_validate(_attributed(data) | _call(_dispatch(data)))]


def dispatch_edit(data: Members) -> list[CadEvent]:
    """EVENT_DISPATCH_EDIT: what the push does not say stays unset."""
    call = _call(_dispatch(data))
    present = [name for name in call if name != "callId"]
    return [DispatchEdit.model_validate(_attributed(data) | call | {"present": present})]


def dispatch_closed(data: Members) -> list[CadEvent]:
    """EVENT_DISPATCH_CLOSED, in April 2021 EVENT_DISPATCH_CLOSE."""
    found = fields.call_ids(data)
    return [DispatchClosed(call_ids=found, **_attributed(data))] if found else []


def dispatch_note(data: Members) -> list[CadEvent]:
    """EVENT_DISPATCH_NOTE; before 2022-12 the note was a text."""
    call = fields.call_id(data)
    if data.get("note") is None:
        raise InvalidPush("note: missing")
    return [DispatchNote(call_id=call, note=note) for note in notes(data["note"])]


def unit_attach(data: Members) -> list[CadEvent]:
    """EVENT_DISPATCH_UNIT_ATTACH, once EVENT_UNIT_ATTACH."""
    call, found = fields.call_id(data), required_idents(data)
    return [UnitAttach(call_id=call, idents=found, **_attributed(data))] if found else []


def unit_detach(data: Members) -> list[CadEvent]:
    """EVENT_DISPATCH_UNIT_DETACH, once EVENT_UNIT_DETACH."""
    call, found = fields.call_id(data), required_idents(data)
    return [UnitDetach(call_id=call, idents=found, **_attributed(data))] if found else []


def call_clear(data: Members) -> list[CadEvent]:
    """EVENT_UNIT_CALL_CLEAR, until 2021-04: units left whichever call they were on."""
    found = required_idents(data)
    return [UnitDetach(call_id=None, idents=found)] if found else []


def bodycam(data: Members) -> list[CadEvent]:
    """EVENT_DISPATCH_TOGGLE_BODYCAM, in headings TOGGLE_BODYCAM."""
    found = required_idents(data)
    state = fields.flag(data.get("state"))
    return [ToggleBodycam(idents=found, state=state)] if found else []


def dispatch_2020(data: Members) -> list[CadEvent]:
    """EVENT_DISPATCH, until 2021-04: one type for all that happens to a dispatch call."""
    what = fields.choice(data.get("dispatch_type"), _DISPATCH_2020_NAMES)
    read = _DISPATCH_2020.get(what or "")
    if read is None:
        raise InvalidPush("dispatch_type: missing or not one of 0 to 4")
    return read(data)


def notes(value: object) -> list[Note]:
    """Read the notes of a call: a list, a single note, or "" for none; the newest are last."""
    items = value if isinstance(value, list) else [value]
    given = [item for item in items if not _is_blank(item)]
    return [_note(item) for item in given[-MAX_NOTES:]]


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _note(value: object) -> Note:
    if not isinstance(value, dict):
        return Note(content=fields.text(value, fields.NOTE_LIMIT))
    kind = fields.line(value.get("type"), _TYPE_LIMIT).lower() or "text"
    content = fields.text(value.get("content"), fields.NOTE_LIMIT)
    return Note(
        time=fields.line(value.get("time"), fields.CODE_LIMIT),
        label=fields.line(value.get("label"), fields.CODE_LIMIT),
        type=kind,
        content=content if kind in ("text", "link") else f"({kind} attachment.)",
    )


def _dispatch(data: Members) -> Members:
    # The resource means to fall back to the data itself where there is no dispatch in it.
    inner = data.get("dispatch")
    return data if inner is None and "callId" in data else fields.members(inner, "dispatch")


def _call(call: Members) -> dict[str, Any]:
    """Collect what is known of a dispatch call, by its names on the wire."""
    known: dict[str, Any] = {"callId": fields.call_id(call)}
    for name, read in _READERS.items():
        value = call.get(name)
        if value is not None and (found := read(value)) is not None:
            known[name] = found
    if isinstance(call.get("postal"), str | int | float):
        known["postal"] = fields.postal(call["postal"])
    if call.get("primary") is not None:
        known["primary"] = fields.optional_id(call, "primary")
    if (found := idents(call)) is not None:
        known["idents"] = found
    # Metadata without them does not make a call forget where it came from.
    if (origin := fields.origin_911(call.get("metaData"))) is not None:
        known["origin911"] = origin
    if (point := fields.coordinates(call.get("metaData"))) is not None:
        known["coordinates"] = point
    return known


def _priority(value: object) -> int | str | None:
    code = fields.code(value)
    if code in (1, 2, 3):
        return code
    return fields.line(value, fields.CODE_LIMIT) or None if not isinstance(value, bool) else None


def _line_of(limit: int) -> Callable[[object], str]:
    return lambda value: fields.line(value, limit)


_READERS: dict[str, Callable[[Any], Any]] = {
    "origin": lambda value: fields.choice(value, _CALL_ORIGIN),
    "status": lambda value: fields.choice(value, _CALL_STATUS),
    "priority": _priority,
    "block": _line_of(fields.CODE_LIMIT),
    "address": fields.location,
    "title": _line_of(fields.LOCATION_LIMIT),
    "code": _line_of(fields.NAME_LIMIT),
    "description": lambda value: fields.text(value, fields.DESCRIPTION_LIMIT),
    # The documentation prints "" where it means that it does not show the notes.
    "notes": lambda value: None if _is_blank(value) else notes(value),
    "trackPrimary": fields.flag,
    "metaData": lambda value: fields.metadata(value) if isinstance(value, dict) else None,
    "template": lambda value: fields.metadata(value) if isinstance(value, dict) else None,
    "values": lambda value: fields.metadata(value) if isinstance(value, dict) else None,
    "statusId": _line_of(fields.CODE_LIMIT),
    "updated": _line_of(fields.CODE_LIMIT),
}
"""How each member of a dispatch call is read; None means that it says nothing."""


def _attributed(data: Members) -> dict[str, Any]:
    return {"event_origin_ident": fields.optional_id(data, "eventOriginIdent")}


def _closed_2020(data: Members) -> list[CadEvent]:
    return [DispatchClosed(call_ids=[fields.call_id(_dispatch(data))], **_attributed(data))]


def _note_2020(data: Members) -> list[CadEvent]:
    # The push has the whole call: its last note is the new one, if it has any.
    call = _dispatch(data)
    known = notes(data.get("note")) or notes(call.get("notes"))
    return [DispatchNote(call_id=fields.call_id(call), note=known[-1] if known else Note())]


def _self_clear_2020(data: Members) -> list[CadEvent]:
    call = _dispatch(data)
    found = idents(data) or idents(call) or []
    call_id = fields.call_id(call)
    return [UnitDetach(call_id=call_id, idents=found, **_attributed(data))] if found else []


_DISPATCH_2020: dict[str, Callable[[Members], list[CadEvent]]] = {
    "CALL_NEW": dispatch_new,
    "CALL_EDIT": dispatch_edit,
    "CALL_CLOSE": _closed_2020,
    "CALL_NOTE": _note_2020,
    "CALL_SELF_CLEAR": _self_clear_2020,
}
_DISPATCH_2020_NAMES = dict(enumerate(_DISPATCH_2020))
