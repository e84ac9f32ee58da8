"""Cards of what the CAD announces: pages, station alerts, callouts."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from cogs.i18n.language import N_, _
from cogs.ui.embeds import DESCRIPTION, FIELD, TITLE, CardBuilder, Colour, MessageContent
from cogs.ui.names import cad_suffix, headline
from cogs.ui.text import fitting, inert, inert_line, when
from db import notices, units
from db.database import Reader
from db.notices import Notice
from webhook.protocol.events import Subject

SHOWN_OF_TEXT = 150
"""Characters of a text in the line above its card."""

_NATURES = {"NonEmergency": N_("Non-emergency"), "Emergency": N_("Emergency")}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
"""Where a word begins in a member's name: `pedChanceToSurrender`."""

_DOORS = (("open", N_("open {doors}")), ("close", N_("close {doors}")))
_SHOWN_ELSEWHERE = frozenset(
    {"id", "name", "description", "calloutdescriptions", "calloutunitsrequired", "enabled"}
)
_REQUIRED = re.compile(r"(.+)Required")
"""How the members are named that say whether a service is needed: `policeRequired`."""


async def notice(sql: Reader, subject: Subject) -> MessageContent | None:
    stored = await notices.get(sql, subject.number)
    if stored is None:
        return None
    data: dict[str, Any] = orjson.loads(stored.data)
    card = _BY_KIND[stored.kind](data)
    card.title += await cad_suffix(sql, stored.cad)
    if stored.kind == "pager":
        card.add("To", await _addressees(sql, stored, data), inline=False)
    card.add("Sent", when(stored.happened_at, stored.age))
    text = data.get("body") or data.get("message") or ""
    line = headline(card.title, inert_line(text, SHOWN_OF_TEXT, blank=""))
    return MessageContent([card.build()], headline=line)


def _pager(data: dict[str, Any]) -> CardBuilder:
    nature = data["nature"]
    nature = (
        _(_NATURES[nature])
        if nature in _NATURES
        else inert_line(nature, 64, blank=_("no nature given"))
    )
    return CardBuilder(
        title=f"{_('Page')} · {nature}",
        colour=Colour.DANGER if data["nature"] == "Emergency" else Colour.NORMAL,
        description=inert(data["body"], DESCRIPTION, blank=_("No text.")),
    )


async def _addressees(sql: Reader, stored: Notice, data: dict[str, Any]) -> str:
    """Name whom a page is for: addresses as they were written, then units."""
    by_ident = await units.by_ident(sql, stored.cad, data["idents"])
    numbers = [
        by_ident[ident].unit_num or by_ident[ident].name
        for ident in data["idents"]
        if ident in by_ident
    ]
    names = dict.fromkeys([*data["addresses"], *numbers])
    return fitting([inert_line(name, 48, blank="?") for name in names], ", ", FIELD)


def _station(data: dict[str, Any]) -> CardBuilder:
    """Show which stations are alerted, which doors open and close there, lights and tone."""
    names = fitting([inert_line(location["name"], 48) for location in data["locations"]], ", ", 170)
    spoken = _("Spoken message.") if data["hasAudio"] else ""
    card = CardBuilder(
        title=f"{_('Station alert')} · {names or _('no station named')}",
        colour=Colour.WARNING,
        description=inert(data["message"], DESCRIPTION, blank=spoken),
    )
    doors = [_doors(location) for location in data["locations"]]
    card.add("Doors", fitting([line for line in doors if line], "\n", FIELD), inline=False)
    card.add("Lights", fitting([inert_line(name, 32) for name in data["colors"]], ", ", 200))
    card.add("Tone", inert_line(_tone_name(data["tone"]), 128, blank=""))
    return card


def _doors(location: dict[str, Any]) -> str:
    """Say which doors of a station open and close; blank if none does."""
    texts = [
        _(text).format(doors=fitting([inert_line(door, 24) for door in location[verb]], ", ", 120))
        for verb, text in _DOORS
        if location[verb]
    ]
    return f"**{inert_line(location['name'], 48)}** {'; '.join(texts)}" if texts else ""


def _tone_name(tone: str) -> str:
    """Name a tone; of an address, which is nobody's to follow, only the last part."""
    return tone.split("?")[0].rstrip("/").rpartition("/")[2] if "/" in tone else tone


def _callout(data: dict[str, Any]) -> CardBuilder:
    """Show a callout of the emergency response script: what, where, and what else it says."""
    details: dict[str, str] = data["details"]
    texts = {name.casefold(): text for name, text in details.items()}
    name = inert_line(data["name"], TITLE - 80, blank=_("no name given"))
    card = CardBuilder(
        title=f"{_('Callout')} · {name}",
        colour=Colour.WARNING,
        description=inert("\n".join(_descriptions(texts)), DESCRIPTION, blank=""),
    )
    card.add("Units", _required_units(texts), inline=False)
    positions = [f"{location['x']:.0f}, {location['y']:.0f}" for location in data["locations"]]
    card.add("Coordinates", fitting(positions, "\n", 200))
    shown = [
        f"{inert_line(_WORD.sub(' ', name).capitalize(), 40)}\\: {inert_line(text, 80)}"
        for name, text in details.items()
        if name.casefold() not in _SHOWN_ELSEWHERE and text.strip() and text[0] not in "[{"
    ]
    card.add("Details", fitting(shown, "\n", FIELD), inline=False)
    return card


def _descriptions(texts: dict[str, str]) -> list[str]:
    """Return the descriptions of a callout: a single one, or a list."""
    found = [
        texts.get("description", ""),
        *_texts_in(_parsed(texts.get("calloutdescriptions", ""))),
    ]
    return [text for text in dict.fromkeys(found) if text.strip()]


def _texts_in(value: object) -> list[str]:
    """Return the texts of a list, of the values of an object, or of those inside of them."""
    if isinstance(value, dict):  # a table of Lua
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in _texts_in(item)]
    return [value] if isinstance(value, str) else []


def _required_units(texts: dict[str, str]) -> str:
    """List the services that a callout needs, and its description of them."""
    required = _parsed(texts.get("calloutunitsrequired", ""))
    if not isinstance(required, dict):
        names = [
            inert_line(text[:1].upper() + text[1:], 64) for text in _texts_in(required) if text
        ]
        return fitting(names, ", ", 256)
    services = [
        inert_line(found[1].capitalize(), 40)
        for name, value in required.items()
        if (found := _REQUIRED.fullmatch(name)) and value in (True, "true", "True", 1)
    ]
    described = required.get("description") or required.get("Description") or ""
    description = inert_line(str(described), 256, blank="")
    return "\n".join(filter(None, [", ".join(services), description]))


def _parsed(text: str) -> object:
    """Parse a JSON text; return any other text unchanged."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


_BY_KIND: dict[str, Callable[[dict[str, Any]], CardBuilder]] = {
    "pager": _pager,
    "station": _station,
    "callout": _callout,
}
