"""What the CAD announces in the game: tones, road signs, callouts, pages, station alerts."""

import re
from typing import Annotated, Self

from pydantic import Field

from webhook.cad.events import ids, positions, values
from webhook.cad.events.event import (
    CadEvent,
    Coordinates,
    InvalidPush,
    Members,
    Pushed,
    ReadBy,
    ReadFrom,
)
from webhook.cad.events.fields import Body, Line, Texts, Url
from webhook.cad.events.registry import cad_event
from webhook.cad.events.units import optional_idents

MAX_STATIONS = 32
MAX_DOORS = 16
MAX_TARGETS = 64

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
    return ReadBy(lambda value: values.lines(value, values.CODE_LIMIT, most))


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
        kind = values.choice(target.get("type"), _TONE_TARGETS) or ""
        code = values.code(target.get("value"))
        number = code if code is not None and code >= 0 else None
        found = cls.read_members(target) | {
            "kind": kind,
            "callId": number if kind == "CALL" else None,
            "ident": number if kind == "UNIT" else None,
        }
        return cls.model_validate(found)


def _tone_targets(value: object) -> list[ToneTarget]:
    return [ToneTarget.read(target) for target in values.objects(value, MAX_TARGETS)]


@cad_event("EVENT_TONE", feed="dispatch")
class Tone(CadEvent):
    """A tone is played; the address is passed on, never fetched."""

    any_of = ("url", "playTonesTo")

    url: Url = ""
    play_tones_to: Annotated[list[ToneTarget], ReadBy(_tone_targets)] = Field(default_factory=list)


def _sign_ids(sign: Members) -> list[int]:
    found = ids.collect(sign, "ids", "id")
    if found is None:
        raise InvalidPush("signData.ids: missing")
    return found


@cad_event("EVENT_STREETSIGN_UPDATED", feed="dispatch")
class StreetSign(CadEvent):
    """Road signs show a new text, one to three lines."""

    ids: Annotated[list[int], ReadFrom(_sign_ids)]
    text1: Line = ""
    text2: Line = ""
    text3: Line = ""

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        return super().read(values.members(data.get("signData"), "signData"))


@cad_event("EVENT_NEW_CALLOUT", card="notice")
class Callout(CadEvent):
    """The emergency response script offers a callout; `details` has its other members as text.

    Long descriptions are lines of one text there.

    Its members are flat and camelCase in the documents, nested and PascalCase in the resource.
    """

    id: Line = ""
    name: str = ""
    locations: list[Coordinates] = Field(default_factory=list)
    details: Texts = Field(default_factory=dict)

    @classmethod
    def read(cls, data: Members) -> list[Self]:
        given = values.members(data.get("callout"), "callout")
        outer = {key[:1].lower() + key[1:]: value for key, value in given.items()}
        inner = values.decoded(outer.pop("data", None))
        members = {
            key[:1].lower() + key[1:]: value for key, value in values.merge(inner, outer).items()
        }
        if not members:
            return []
        listed = values.decoded(members.pop("calloutLocations", None))
        places = values.items(listed)[: positions.MAX_PLACES]
        points = [positions.coordinates(place) for place in places]
        found = {
            "id": values.line(members.pop("id", None)),
            "name": values.line(members.pop("calloutName", None)),
            "locations": [point for point in points if point is not None],
            "details": (values.metadata(members) or {}) | _long_descriptions(members),
        }
        return [cls.model_validate(found)]


def _long_descriptions(callout: Members) -> dict[str, str]:
    """Return the descriptions of a callout that are longer than other details may be."""
    found = {}
    for name in ("description", "calloutDescriptions"):
        texts = [values.text(item, values.NOTE_LIMIT) for item in values.items(callout.get(name))]
        shown = values.text("\n".join(filter(None, texts)), values.DESCRIPTION_LIMIT)
        if len(shown) > values.META_VALUE_LIMIT:
            found[name] = shown
    return found


def _paged(data: Members) -> list[int] | None:
    """For one day in 2026 a push had `players` instead of `identIds`."""
    found = optional_idents(data)
    return ids.collect_optional(data, "players") if found is None else found


def _nature(value: object) -> str:
    nature = values.line(value, values.CODE_LIMIT)
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
    return [AlertedStation.read(station) for station in values.objects(value, MAX_STATIONS)]


def _message(value: object) -> str:
    return "" if _is_audio(value) else values.text(value, values.DESCRIPTION_LIMIT)


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
