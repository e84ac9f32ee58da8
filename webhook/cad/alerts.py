"""Records, tones, pages, station alerts and whatever else the CAD tells the game."""

from pydantic import Field

from webhook.cad.events import CadEvent, Coordinates
from webhook.cad.registry import cad_event
from webhook.protocol.wire import Wire


class RecordField(Wire):
    """One filled-in field of a record; the community's template decides which there are."""

    uid: str = ""
    label: str = ""
    type: str = ""
    value: str = ""
    section: str = ""


class Record(Wire):
    """A record: a warrant, a bulletin (BOLO), a licence, a report.

    `kind` names the type's number (`WARRANT`, `BOLO`…). `status` is that of the field with the
    uid or type `status`, None if the record has none. `id` is None for a new record of a CAD
    before 3.21.9.
    """

    id: int | None = None
    record_type_id: int | None = None
    type: int | None = None
    kind: str = ""
    sync_id: str = ""
    name: str = ""
    status: str | None = None
    first: str = ""
    last: str = ""
    plate: str = ""
    flags: list[str] = Field(default_factory=list)
    fields: list[RecordField] = Field(default_factory=list)


class RecordEvent(CadEvent):
    """Something happened to a record."""

    record: Record


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
class PrintRecord(CadEvent):
    """Somebody wants a record printed in the game; the address is passed on, never fetched."""

    idents: list[int]
    url: str = ""


class ToneTarget(Wire):
    """Who is to hear a tone: `kind` ALL, CALL, AGENCY, DEPARTMENT, SUBDIVISION, UNIT or GROUP.

    `value` is the target as text; `call_id` or `ident` is its number where it is one.
    """

    kind: str = ""
    value: str = ""
    label: str = ""
    call_id: int | None = None
    ident: int | None = None


@cad_event("EVENT_TONE", feed="dispatch")
class Tone(CadEvent):
    """A tone is played; the address is passed on, never fetched."""

    url: str = ""
    play_tones_to: list[ToneTarget] = Field(default_factory=list)


@cad_event("EVENT_STREETSIGN_UPDATED", feed="dispatch")
class StreetSign(CadEvent):
    """Road signs show a new text, one to three lines."""

    ids: list[int]
    text1: str = ""
    text2: str = ""
    text3: str = ""


@cad_event("EVENT_CHAR_SELECTED", feed="records")
class CharacterSelected(CadEvent):
    """An account now plays a character; `id` is its number or sync key, as text."""

    acc_id: str
    id: str


@cad_event("EVENT_COMMUNITY_LINK_VERIFIED", feed="records")
class LinkVerified(CadEvent):
    """A game identity now belongs to a CAD account (sonoran-wire: since 2026-04)."""

    community_user_id: str
    account_uuid: str = ""


@cad_event("EVENT_NEW_CALLOUT", card="notice")
class Callout(CadEvent):
    """The emergency response script offers a callout; `details` has its other members as text."""

    id: str = ""
    name: str = ""
    locations: list[Coordinates] = Field(default_factory=list)
    details: dict[str, str] = Field(default_factory=dict)


@cad_event("EVENT_PAGER_REBORN", card="notice")
class PagerMessage(CadEvent):
    """A page: `nature` is Emergency, NonEmergency, Administrative, or the community's word."""

    addresses: list[str] = Field(default_factory=list)
    idents: list[int] = Field(default_factory=list)
    nature: str = ""
    body: str = ""


class AlertedStation(Wire):
    """A station and the doors that an alert opens and closes there."""

    name: str = ""
    open: list[str] = Field(default_factory=list)
    close: list[str] = Field(default_factory=list)


@cad_event("EVENT_STATION_ALERT", card="notice")
class StationAlert(CadEvent):
    """Stations are alerted. Audio in place of a message is left out and noted in `has_audio`."""

    locations: list[AlertedStation] = Field(default_factory=list)
    message: str = ""
    has_audio: bool = False
    colors: list[str] = Field(default_factory=list)
    tone: str = ""
