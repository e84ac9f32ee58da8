"""Cards of 911 calls, dispatch calls and panics."""

from cogs.content import DESCRIPTION, FIELD, TITLE, CardBuilder, Colour, Content
from cogs.text import ANONYMOUS, duration, inert, inert_line, moment
from db import dispatches, emergencies, units
from db.database import Reader
from db.units import Unit

NOTES = 5
"""Notes that a dispatch card shows, the newest."""

UNITS = 25
"""Units that a card names; further ones are counted."""

_PRIORITY_COLOURS = {"1": Colour.DANGER, "2": Colour.WARNING, "3": Colour.NORMAL}


async def emergency(sql: Reader, key: str) -> Content | None:
    """Show a 911 call until it is removed or becomes a dispatch call."""
    call_id, cad = _call(key)
    call = await emergencies.get(sql, cad, call_id)
    if call is None or not call.seen:
        return None
    number = f"{'911' if call.is_emergency else '311'} call {call_id}"
    live = Colour.DANGER if call.is_emergency else Colour.NORMAL
    over = call.removed_at is not None or call.dispatch_call_id is not None
    card = CardBuilder(
        title=f"{number} · over" if over else number,
        colour=Colour.OVER if over else live,
        description=inert(call.description, DESCRIPTION),
    )
    card.add("Caller", inert_line(call.caller, 256, blank=ANONYMOUS))
    card.add("Location", inert_line(call.location, 512))
    card.add("Postal", inert_line(call.postal, 64, blank=""))
    card.add("Received", moment(call.received_at))
    if call.dispatch_call_id is not None:
        card.add("Dispatched", f"as dispatch call {call.dispatch_call_id}")
    elif call.removed_at is not None:
        card.add("Removed", f"after {duration(call.removed_at - call.received_at)}")
    return Content([card.build()])


async def dispatch(sql: Reader, key: str) -> Content | None:
    """Show a dispatch call with its units and last notes, until and after it is closed."""
    call_id, cad = _call(key)
    call = await dispatches.get(sql, cad, call_id)
    if call is None:
        return None
    closed = call.closed_at is not None
    title = inert_line(call.title, TITLE - 60, blank="no title yet")
    card = CardBuilder(
        title=f"Dispatch call {call_id} · {title}{' · closed' if closed else ''}",
        colour=Colour.OVER if closed else _PRIORITY_COLOURS.get(call.priority, Colour.NORMAL),
        description=inert(call.description, DESCRIPTION, blank=""),
    )
    on_call = await dispatches.units(sql, cad, call_id)
    known = await units.named(sql, cad, on_call)
    notes = await dispatches.last_notes(sql, cad, call_id, NOTES)
    card.add("Status", inert_line("CLOSED" if closed else call.status, 64))
    card.add("Priority", inert_line(call.priority, 64, blank=""))
    card.add("Code", inert_line(call.code, 256, blank=""))
    card.add("Address", inert_line(f"{call.block} {call.address}", 512, blank=""))
    card.add("Postal", inert_line(call.postal, 64, blank=""))
    card.add("Units", _named(on_call, known, call.primary_unit) or "none")
    if call.emergency_call_id is not None:
        card.add("From", f"911 call {call.emergency_call_id}")
    card.add("Opened", moment(call.received_at))
    if call.closed_at is not None:
        card.add("Closed", f"after {duration(call.closed_at - call.received_at)}")
    card.add("Notes", _notes(notes), inline=False)
    return Content([card.build()])


async def panic(sql: Reader, key: str) -> Content | None:
    """Show a panic until every unit in it is cleared."""
    start = await units.panic_start(sql, int(key))
    if start is None:
        return None
    cad, started_at = start
    members = await units.panic_units(sql, int(key))
    known = await units.named(sql, cad, [member.ident for member in members])
    pressing = [member.ident for member in members if member.cleared_at is None]
    calm = {member.ident: member.cleared_at for member in members if member.cleared_at is not None}
    names = _named([member.ident for member in members], known, None)
    card = CardBuilder(
        title="PANIC BUTTON" if pressing else "Panic · cleared",
        colour=Colour.DANGER if pressing else Colour.OVER,
        description=f"{names} pressed the panic button."
        if pressing
        else f"{names}: cleared after {duration(max(calm.values()) - started_at)}.",
    )
    if calm and pressing:
        card.add("Still in panic", _named(pressing, known, None))
    card.add("Since", moment(started_at))
    return Content([card.build()])


def _call(key: str) -> tuple[int, str]:
    call_id, _, cad = key.partition("@")
    return int(call_id), cad


def _named(idents: list[int], known: dict[int, Unit], primary: int | None) -> str:
    """Name units by their call signs, the primary one in bold; unknown ones by their ident."""
    names = []
    for ident in idents[:UNITS]:
        unit = known.get(ident)
        name = inert_line(unit.unit_num or unit.name, 32, blank="") if unit is not None else ""
        name = name or f"unit {ident}"
        names.append(f"**{name}**" if ident == primary else name)
    if len(idents) > UNITS:
        names.append(f"and {len(idents) - UNITS} more")
    return ", ".join(names)


def _notes(notes: list[dispatches.Note]) -> str:
    """Show notes one below the other, the newest last."""
    share = FIELD // NOTES - 10
    return "\n".join(
        f"**{inert_line(note.label, 32, blank='note')}** {inert_line(note.content, share - 50)}"
        for note in notes
    )
