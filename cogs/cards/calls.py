"""Cards of 911 calls, dispatch calls and panics."""

from cogs.cards.notes import READ, notes_text
from cogs.content import DESCRIPTION, TITLE, CardBuilder, Colour, Content
from cogs.names import (
    drone_button,
    linked_name,
    of_cad,
    place_of_call,
    status_name,
    unit_name,
    unit_names,
)
from cogs.text import ANONYMOUS, duration, inert, inert_line, moment
from db import cards, dispatches, emergencies, units
from db.database import Reader
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.units import Unit
from webhook.events import Subject

UNITS = 25
"""Units that a card names; further ones are counted."""

UNITS_WITH_STATUS = 12
"""Units of a call that stand on a line of their own, with their status."""

UNITS_IN_TITLE = 3

_PRIORITY_COLOURS = {"1": Colour.DANGER, "2": Colour.WARNING, "3": Colour.NORMAL}


async def emergency(sql: Reader, key: str) -> Content | None:
    """Show a 911 call until it is removed or a dispatch call takes it over."""
    call_id, cad = _call(key)
    call = await emergencies.get(sql, cad, call_id)
    if call is None or not call.seen:
        return None
    panic_subject = Subject("panic", str(call.panic_id))
    if call.panic_id is not None and await cards.of_subject(sql, str(panic_subject)) is not None:
        return await _part_of_panic(sql, call, panic_subject)
    is_open = call.removed_at is None and call.dispatch_call_id is None
    live = Colour.DANGER if call.is_emergency else Colour.NORMAL
    state = " · dispatched" if call.dispatch_call_id is not None else " · over"
    card = CardBuilder(
        title=f"{_number(call)}{await of_cad(sql, cad)}{'' if is_open else state}",
        colour=live if is_open else Colour.OVER,
        description=inert(call.description, DESCRIPTION),
    )
    card.add("Caller", inert_line(call.caller, 256, blank=ANONYMOUS))
    card.add("Location", inert_line(call.location, 512))
    card.add("Postal", _postal(call.postal, call.location))
    card.add("Property", await place_of_call(sql, call.property_id, is_open=is_open))
    card.add("Received", moment(call.received_at))
    if call.dispatch_call_id is not None:
        named = f"dispatch call {call.dispatch_call_id}"
        subject = Subject("dispatch", f"{call.dispatch_call_id}@{cad}")
        card.add("Dispatched", f"as {await linked_name(sql, subject, named)}")
    elif call.removed_at is not None:
        card.add("Removed", f"after {duration(call.removed_at - call.received_at)}")
    return Content([card.build()], await drone_button(sql, call.property_id, is_open=is_open))


async def _part_of_panic(sql: Reader, call: EmergencyCall, panic: Subject) -> Content | None:
    """Let the panic's card speak for its own 911 call; a card that is posted already points there.

    Scripts make a 911 call when the button is pressed.
    """
    card = await cards.of_subject(sql, f"emergency:{call.call_id}@{call.cad}")
    if card is None or card.message_id is None:
        return None
    whose = f"panic of {await _of_panic(sql, int(panic.key), UNITS_IN_TITLE)}"
    card_of_panic = await linked_name(sql, panic, whose)
    return Content(
        [
            CardBuilder(
                title=f"{_number(call)}{await of_cad(sql, call.cad)} · part of the {whose}",
                colour=Colour.OVER,
                description=f"See the {card_of_panic}.",
            ).build()
        ]
    )


async def dispatch(sql: Reader, key: str) -> Content | None:
    """Show a dispatch call with its units and last notes, until and after it is closed."""
    call_id, cad = _call(key)
    call = await dispatches.get(sql, cad, call_id)
    if call is None:
        return None
    is_open = call.closed_at is None
    title = inert_line(call.title, TITLE - 100, blank="no title yet")
    card = CardBuilder(
        title=f"Dispatch call {call_id}{await of_cad(sql, cad)} · {title}"
        f"{'' if is_open else ' · closed'}",
        colour=_PRIORITY_COLOURS.get(call.priority, Colour.NORMAL) if is_open else Colour.OVER,
        description=inert(call.description, DESCRIPTION, blank=""),
    )
    card.add("Status", status_name(call.status) if is_open else "Closed")
    card.add("Priority", inert_line(call.priority, 64, blank=""))
    card.add("Code", inert_line(call.code, 256, blank=""))
    card.add("Address", inert_line(f"{call.block} {call.address}", 512, blank=""))
    card.add("Postal", _postal(call.postal, call.address))
    card.add("Property", await place_of_call(sql, call.property_id, is_open=is_open))
    card.add("Units", await _units_of_call(sql, call, is_open=is_open), inline=False)
    if call.emergency_call_id is not None:
        card.add("From", await _origin(sql, cad, call.emergency_call_id), inline=False)
    card.add("Opened", moment(call.received_at))
    if call.closed_at is not None:
        card.add("Closed", f"after {duration(call.closed_at - call.received_at)}")
    notes = await dispatches.last_notes(sql, cad, call_id, READ)
    card.add("Last notes", notes_text(notes), inline=False)
    return Content([card.build()], await drone_button(sql, call.property_id, is_open=is_open))


async def _units_of_call(sql: Reader, call: DispatchCall, *, is_open: bool) -> str:
    """Name the units on a call, the primary one in bold; while it is open, with their status."""
    on_call = await dispatches.units(sql, call.cad, call.call_id)
    known = await units.named(sql, call.cad, on_call[:UNITS])
    if not is_open or len(on_call) > UNITS_WITH_STATUS:
        return unit_names(on_call, known, UNITS) or "none"
    lines = []
    for ident in on_call:
        unit = known.get(ident)
        name = unit_name(ident, unit)
        line = f"**{name}**" if ident == call.primary_unit else name
        lines.append(f"{line} · {_state(unit)}" if unit is not None and _state(unit) else line)
    return "\n".join(lines) or "none"


def _state(unit: Unit) -> str:
    """Say what a unit is doing."""
    if unit.is_panic:
        return "**PANIC**"
    return status_name(unit.status) if unit.status else ""


async def _origin(sql: Reader, cad: str, call_id: int) -> str:
    """Name the 911 call that a dispatch call was made from, and who called."""
    call = await emergencies.get(sql, cad, call_id)
    if call is None or not call.seen:
        return f"911 call {call_id}"
    subject = Subject("emergency", f"{call_id}@{cad}")
    caller = inert_line(call.caller, 100, blank=ANONYMOUS)
    named = f"{await linked_name(sql, subject, _number(call))} by {caller}"
    if call.panic_id is None:
        return named
    whose = f"panic of {await _of_panic(sql, call.panic_id, UNITS_IN_TITLE)}"
    return f"{named}, {await linked_name(sql, Subject('panic', str(call.panic_id)), whose)}"


async def panic(sql: Reader, key: str) -> Content | None:
    """Show a panic until every unit in it is cleared, with the 911 call that came with it."""
    panic_id = int(key)
    start = await units.panic_start(sql, panic_id)
    if start is None:
        return None
    cad, started_at = start
    members = await units.panic_units(sql, panic_id)
    idents = [member.ident for member in members]
    known = await units.named(sql, cad, idents)
    pressing = [member.ident for member in members if member.cleared_at is None]
    cleared = [member.cleared_at for member in members if member.cleared_at is not None]
    title = f"{unit_names(idents, known, UNITS_IN_TITLE)}{await of_cad(sql, cad)}"
    names = unit_names(idents, known, UNITS)
    card = CardBuilder(
        title=f"PANIC · {title}" if pressing else f"Panic · {title} · cleared",
        colour=Colour.DANGER if pressing else Colour.OVER,
        description=f"{names} pressed the panic button."
        if pressing
        else f"{names}\\: cleared after {duration(max(cleared, default=0) - started_at)}.",
    )
    if cleared and pressing:
        card.add("Still in panic", unit_names(pressing, known, UNITS))
    calls = await emergencies.of_panic(sql, panic_id)
    places = [call.location for call in calls] or [unit.location for unit in known.values()]
    card.add("Location", _first(places, 512))
    card.add("Postal", _postal(_first([call.postal for call in calls], 64), " ".join(places)))
    at = next((call.property_id for call in calls if call.property_id is not None), None)
    card.add("Property", await place_of_call(sql, at, is_open=bool(pressing)))
    card.add("Since", moment(started_at))
    for call in calls[:2]:
        card.add(_number(call), await _own_call(sql, call), inline=False)
    return Content([card.build()], await drone_button(sql, at, is_open=bool(pressing)))


async def _own_call(sql: Reader, call: EmergencyCall) -> str:
    """Tell a panic's own 911 call: who called, what they said, and what was made from it."""
    caller = inert_line(call.caller, 100, blank=ANONYMOUS)
    told = f"{caller}\\: {inert_line(call.description, 500)}"
    if call.dispatch_call_id is None:
        return told
    subject = Subject("dispatch", f"{call.dispatch_call_id}@{call.cad}")
    named = f"dispatch call {call.dispatch_call_id}"
    return f"{told}\nDispatched as {await linked_name(sql, subject, named)}"


async def _of_panic(sql: Reader, panic_id: int, most: int) -> str:
    """Name the units of a panic."""
    start = await units.panic_start(sql, panic_id)
    idents = [member.ident for member in await units.panic_units(sql, panic_id)]
    known = await units.named(sql, start[0], idents) if start is not None else {}
    return unit_names(idents, known, most)


def _call(key: str) -> tuple[int, str]:
    call_id, _, cad = key.partition("@")
    return int(call_id), cad


def _number(call: EmergencyCall) -> str:
    return f"{'911' if call.is_emergency else '311'} call {call.call_id}"


def _postal(postal: str, address: str) -> str:
    """Show a postal code, unless the address begins with it anyway."""
    return "" if f"[{postal}]" in address else inert_line(postal, 64, blank="")


def _first(texts: list[str], limit: int) -> str:
    """Return the first text that says something."""
    return next((shown for text in texts if (shown := inert_line(text, limit, blank=""))), "")
