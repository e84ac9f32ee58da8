"""911 calls and dispatch calls.

A 911 call and a dispatch call may have the same number: each kind counts for itself.
"""

from typing import ClassVar, Literal

from pydantic import Field

from webhook.cad.events import CadEvent, Coordinates, Note, Partial, WithMetaData
from webhook.cad.registry import cad_event


@cad_event("EVENT_911", card="emergency", names_card=True, on_board=True)
class Call911(WithMetaData):
    """Somebody called 911, or 311 if it is no emergency (sonoran-wire: push pages).

    A blank caller is anonymous. The postal code is that of the metadata, or else the one that
    the live map puts before a street; the coordinates are those of the metadata, or else of a
    location that is a point.
    """

    call_id: int
    is_emergency: bool = True
    caller: str = ""
    location: str = ""
    description: str = ""
    postal: str | None = None
    coordinates: Coordinates | None = None
    identities: list[str] = Field(default_factory=list)
    updated: str = ""


@cad_event("EVENT_REMOVE_911", card="emergency", on_board=True)
class Removed911(CadEvent):
    """911 calls are gone: answered, turned into dispatch calls, or expired."""

    call_ids: list[int]


class DispatchCall(WithMetaData):
    """A dispatch call as the dispatchers see it (sonoran-wire: push pages, since 3.5.1).

    `primary` is None if no unit leads the call; `event_origin_ident` is the dispatcher who acted.
    `priority` is 1 to 3, or the community's own word. `origin_911` is the 911 call that it was
    made from. `template`, `values` and `status_id` come with custom layouts (2026).
    """

    call_id: int
    event_origin_ident: int | None = None
    origin: str = ""
    status: str = "PENDING"
    priority: Literal[1, 2, 3] | str | None = None
    block: str = ""
    address: str = ""
    postal: str | None = None
    title: str = ""
    code: str = ""
    description: str = ""
    notes: list[Note] = Field(default_factory=list)
    idents: list[int] = Field(default_factory=list)
    primary: int | None = None
    track_primary: bool = False
    origin_911: int | None = None
    coordinates: Coordinates | None = None
    template: dict[str, str] = Field(default_factory=dict)
    values: dict[str, str] = Field(default_factory=dict)
    status_id: str = ""
    updated: str = ""


@cad_event("EVENT_DISPATCH_NEW", card="dispatch", names_card=True, on_board=True)
class DispatchNew(DispatchCall):
    """A dispatch call was opened in the CAD; what the push left out has its default."""


@cad_event("EVENT_DISPATCH_EDIT", card="dispatch", on_board=True)
class DispatchEdit(DispatchCall, Partial):
    """A dispatch call was changed in the CAD; status CLOSED closes it.

    `present` lists the written names of what the push said: Lua cannot tell null from absent.
    """

    described: ClassVar[frozenset[str]] = frozenset({"call_id", "event_origin_ident", "present"})

    present: list[str] = Field(default_factory=list)


@cad_event("EVENT_DISPATCH_CLOSED", "EVENT_DISPATCH_CLOSE", card="dispatch", on_board=True)
class DispatchClosed(CadEvent):
    """Dispatch calls were closed."""

    call_ids: list[int]
    event_origin_ident: int | None = None


@cad_event("EVENT_DISPATCH_NOTE", card="dispatch", on_board=True)
class DispatchNote(CadEvent):
    """A note was added to a dispatch call; one of the 2021 pushes does not say which one."""

    call_id: int
    note: Note


@cad_event("EVENT_DISPATCH_UNIT_ATTACH", "EVENT_UNIT_ATTACH", card="dispatch", on_board=True)
class UnitAttach(CadEvent):
    """Units were put onto a dispatch call."""

    call_id: int
    idents: list[int]
    event_origin_ident: int | None = None


@cad_event("EVENT_DISPATCH_UNIT_DETACH", "EVENT_UNIT_DETACH", card="dispatch", on_board=True)
class UnitDetach(CadEvent):
    """Units left a dispatch call; without a call id, whichever call they were on."""

    call_id: int | None
    idents: list[int]
    event_origin_ident: int | None = None


@cad_event("EVENT_DISPATCH_TOGGLE_BODYCAM", "TOGGLE_BODYCAM", feed="units")
class ToggleBodycam(CadEvent):
    """A dispatcher wants body cameras on or off; state None means the other way round."""

    idents: list[int]
    state: bool | None = None
