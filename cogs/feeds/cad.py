"""Feed entries on what the CAD reports beside calls: units, records, tones, pages."""

from typing import Any

from cogs.i18n.language import N_, _
from cogs.ui.embeds import CardBuilder, Colour
from cogs.ui.names import status_name
from cogs.ui.text import fitting, inert, inert_line, named_values
from db import units
from db.database import Reader
from webhook.protocol.bus import StoredEvent

NAME = 100
TEXT = 200
"""Characters of a name and of a line, so that ten entries fit into one message."""

MAX_LISTED = 8
"""Units, records or stations that an entry names; further ones are counted."""

_TONE_TARGETS = {
    "ALL": N_("everybody"),
    "CALL": N_("the units on call {name}"),
    "AGENCY": N_("the agency {name}"),
    "DEPARTMENT": N_("the department {name}"),
    "SUBDIVISION": N_("the subdivision {name}"),
    "UNIT": N_("unit {name}"),
    "GROUP": N_("the group {name}"),
}
"""Whom a tone is for, by the kind of its target; another one is named as the CAD does."""

RECORD = 1_800
"""Characters of what a bulletin or a warrant says: as much as a dispatcher reads."""

_BODYCAM = {True: N_("Body camera on"), False: N_("Body camera off")}
_RECORDS = {
    "ADD": N_("{kind} added"),
    "EDIT": N_("{kind} edited"),
    "REMOVE": N_("{kind} removed"),
}


async def login(sql: Reader, event: StoredEvent) -> CardBuilder:
    unit = event.data["unit"]
    text = _("Dispatcher {unit} on duty") if event.data["isDispatch"] else _("Unit {unit} on duty")
    what = _joined(unit.get("name"), unit.get("rank"), unit.get("department"))
    return CardBuilder(text.format(unit=_number(unit)), Colour.GOOD, what)


async def logout(sql: Reader, event: StoredEvent) -> CardBuilder:
    text = _("{units} off duty").format(units=await _units(sql, event))
    return CardBuilder(text, Colour.OVER)


async def status(sql: Reader, event: StoredEvent) -> CardBuilder:
    now = status_name(event.data["status"], NAME)
    return CardBuilder(f"{await _units(sql, event)} · {now}", Colour.NORMAL)


async def update(sql: Reader, event: StoredEvent) -> CardBuilder:
    return CardBuilder(f"{await _units(sql, event)} · {_('updated')}", Colour.NORMAL)


async def group(sql: Reader, event: StoredEvent) -> CardBuilder:
    """Units joined or left a group, or it was renamed."""
    data = event.data
    if "newName" in data:
        renamed = f"{inert_line(data['oldName'], NAME)} → {inert_line(data['newName'], NAME)}"
        return CardBuilder(_("Group renamed"), Colour.NORMAL, renamed)
    joined = event.name.endswith("ADD")
    text = _("{units} joined {group}") if joined else _("{units} left {group}")
    group_name = inert_line(data["groupName"], NAME)
    text = text.format(units=await _units(sql, event), group=group_name)
    return CardBuilder(text, Colour.NORMAL)


async def bodycam(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A dispatcher wants body cameras on or off."""
    wanted = _(_BODYCAM.get(event.data["state"], N_("Body camera toggled")))
    return CardBuilder(f"{wanted} · {await _units(sql, event)}", Colour.NORMAL)


async def record(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A record was written, changed or deleted; open bulletins and warrants stand out."""
    record = event.data["record"]
    done = event.name.rpartition("_")[2]
    kind = inert_line(record["kind"], NAME, blank=_("Record"))
    is_over = done == "REMOVE" or record["status"] == "CLOSED"
    stands_out = record["kind"] in ("BOLO", "WARRANT") and not is_over
    lines = [
        _joined(
            record["name"], f"{record['first']} {record['last']}", record["plate"], record["status"]
        ),
        _joined(*record["flags"][:MAX_LISTED]),
    ]
    limit = TEXT * 2
    if stands_out:
        # What is wanted of whom stands in fields that each community names as it likes.
        known = {record["first"], record["last"], record["plate"], record["status"]}
        lines += [
            f"{inert_line(field['label'], NAME, blank='')}\\: {inert(field['value'], RECORD)}"
            for field in record["fields"]
            if field["value"] not in known
        ]
        limit = RECORD
    colour = Colour.DANGER if stands_out else Colour.NORMAL
    title = _(_RECORDS[done]).format(kind=kind)
    return CardBuilder(title, colour, fitting([*filter(None, lines)], "\n", limit))


async def print_record(sql: Reader, event: StoredEvent) -> CardBuilder:
    return CardBuilder(f"{_('Record printed')} · {await _units(sql, event)}", Colour.NORMAL)


async def tone(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A tone is played, to whom is what matters: units of a call, a station, everybody."""
    targets = []
    for target in event.data["playTonesTo"][:MAX_LISTED]:
        name = inert_line(target["label"] or target["value"], NAME, blank="")
        text = _TONE_TARGETS.get(target["kind"], "{name}")
        targets.append(_(text).format(name=name) if name or "{" not in text else "")
    listed = fitting(list(filter(None, targets)), ", ", TEXT)
    return CardBuilder(
        _("Tone played"),
        Colour.WARNING,
        _("For {targets}.").format(targets=listed) if listed else "",
    )


async def sign(sql: Reader, event: StoredEvent) -> CardBuilder:
    data = event.data
    signs = ", ".join(map(str, data["ids"][:MAX_LISTED]))
    shown = _joined(data["text1"], data["text2"], data["text3"])
    return CardBuilder(_("Road sign {signs}").format(signs=signs), Colour.NORMAL, shown)


async def character(sql: Reader, event: StoredEvent) -> CardBuilder:
    return CardBuilder(_("Character selected"), Colour.NORMAL, inert_line(event.data["id"], NAME))


async def link(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A game identity belongs to a CAD account."""
    account = inert_line(event.data["communityUserId"], NAME)
    return CardBuilder(_("Account linked"), Colour.GOOD, account)


async def unknown(sql: Reader, event: StoredEvent) -> CardBuilder:
    """A push of a type that this program does not know: its values by name."""
    push_type = inert_line(event.name.partition(".")[2], NAME)
    return CardBuilder(push_type, Colour.NORMAL, named_values(event.data, TEXT * 2))


def _number(unit: dict[str, Any]) -> str:
    return inert_line(unit.get("unitNum") or unit.get("name") or "", 32, blank=str(unit["id"]))


async def _units(sql: Reader, event: StoredEvent) -> str:
    """Name the units that an event is about by their call signs, or else by their idents."""
    subjects = [subject for subject in event.subjects if subject.kind == "unit"]
    cad = subjects[0].cad if subjects else ""
    idents = [subject.number for subject in subjects]
    by_ident = await units.by_ident(sql, cad, idents[:MAX_LISTED])
    names = [
        inert_line(by_ident[ident].unit_num, 24, blank=str(ident))
        if ident in by_ident
        else str(ident)
        for ident in idents[:MAX_LISTED]
    ]
    if len(idents) > MAX_LISTED:
        names.append(_("{number} more").format(number=len(idents) - MAX_LISTED))
    return ", ".join(names) or _("Nobody")


def _joined(*texts: str | None) -> str:
    parts = [inert_line(text or "", 60, blank="") for text in texts]
    return fitting([text for text in parts if text], " · ", TEXT)
