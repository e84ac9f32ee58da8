"""Cards of 911 calls, dispatch calls and panics."""

import discord
import orjson

from cogs.cards.incidents import add_acts, notes_of
from cogs.cards.notes import READ, notes_text
from cogs.i18n.language import _
from cogs.ui.embeds import DESCRIPTION, FIELD, TITLE, Button, CardBuilder, Colour, MessageContent
from cogs.ui.names import (
    cad_suffix,
    call_status_name,
    code_name,
    headline,
    linked_name,
    place,
    property_of_call,
    status_name,
    unit_name,
    unit_names,
)
from cogs.ui.text import ANONYMOUS, BLANK, duration, fitting, inert, inert_line, named_values, when
from db import cards, dispatches, emergencies, flights, properties, stale_ends, units
from db.calls import CallKey
from db.database import Reader
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.units import PanicUnit, Unit
from webhook.cad.events.event import call_of, dispatch_subject, emergency_subject, panic_subject
from webhook.protocol.events import Subject

UNITS = 25
"""Units that a card names; further ones are counted."""

UNITS_WITH_STATUS = 12
"""Units of a call that stand on a line of their own, with their status."""

UNITS_IN_TITLE = 3

PLACE_IN_LINE = 80
"""Characters of a place in the line that a phone shows."""

LAYOUT_VALUES = 12
"""Values of a custom layout that a card shows."""

_TEMPLATE_NAMES = ("name", "title", "label", "id")
_PRIORITY_COLOURS = {"1": Colour.DANGER, "2": Colour.WARNING, "3": Colour.NORMAL}


async def emergency(sql: Reader, subject: Subject) -> MessageContent | None:
    """Show a 911 call until it is removed or a dispatch call takes it over."""
    cad = subject.cad
    call = await emergencies.get(sql, *call_of(subject))
    if call is None or not call.seen:
        return None
    if call.panic_id is not None:
        panic = panic_subject(call.panic_id)
        if await cards.of_subject(sql, str(panic)) is not None:
            return await _part_of_panic(sql, call, panic)
    if call.alarm_id is not None and await _is_on_card_of_alarm(sql, call):
        return None
    same = await emergencies.repeats(sql, call.key)
    is_open = call.is_open or any(repeat.is_open for repeat in same)
    live = Colour.DANGER if call.is_emergency else Colour.NORMAL
    made = dict.fromkeys(one.dispatch_key for one in (call, *same) if one.dispatch_key is not None)
    state = _("dispatched") if made else _("over")
    card = CardBuilder(
        title=f"{_number(call)}{await cad_suffix(sql, cad)}{times(same)}"
        f"{'' if is_open else f' · {state}'}",
        colour=live if is_open else Colour.OVER,
        description=inert(call.description, DESCRIPTION),
    )
    callers = dict.fromkeys(
        inert_line(one.caller, 256, blank=_(ANONYMOUS)) for one in (call, *same)
    )
    where = place(call.location, call.postal, 512)
    card.add("Caller", fitting([*callers], ", ", FIELD))
    card.add("Location", where or BLANK)
    card.add("Property", await property_of_call(sql, call.property_id, is_open=is_open))
    card.add("Received", when(call.happened_at, call.age))
    if made:
        names = fitting([await _dispatch_call(sql, key) for key in made], ", ", FIELD - 50)
        card.add("Dispatched", _("as {call}").format(call=names))
    elif not is_open:
        ended = max(one.removed_at or 0 for one in (call, *same))
        card.add("Removed", _after(ended - call.happened_at))
    card.add("Ended", "" if is_open else await _stale_end(sql, subject))
    acts = await add_acts(sql, card, subject, is_open=is_open)
    drone = await _drone_button(sql, call.property_id, is_open=is_open)
    kind = _kind(call) if is_open else f"{_kind(call)} {state}"
    line = headline(
        kind,
        place(call.location, call.postal, PLACE_IN_LINE),
        inert_line(call.description, 100, blank=""),
    )
    return MessageContent([card.build()], (*drone, *acts), headline=line)


async def _is_on_card_of_alarm(sql: Reader, call: EmergencyCall) -> bool:
    """Return whether the card of the alarm for which a 911 call was placed shows it."""
    own = await cards.of_subject(sql, str(emergency_subject(call.key)))
    if own is not None and own.message_id is not None:
        return False
    return await cards.of_subject(sql, f"alarm:{call.alarm_id}") is not None


async def _part_of_panic(sql: Reader, call: EmergencyCall, panic: Subject) -> MessageContent | None:
    """Show a 911 call that belongs to a panic only by a link to the panic's card.

    Scripts make a 911 call when the button is pressed. If it has no card yet, it gets none.
    """
    card = await cards.of_subject(sql, str(emergency_subject(call.key)))
    if card is None or card.message_id is None:
        return None
    panic_name = await _panic_of(sql, panic.number)
    link = await linked_name(sql, panic, panic_name)
    part_of = _("part of the {panic}").format(panic=panic_name)
    return MessageContent(
        [
            CardBuilder(
                title=f"{_number(call)}{await cad_suffix(sql, call.cad)} · {part_of}",
                colour=Colour.OVER,
                description=_("See the {panic}.").format(panic=link),
            ).build()
        ]
    )


async def dispatch(sql: Reader, subject: Subject) -> MessageContent | None:
    """Show a dispatch call with its units and last notes, until and after it is closed.

    One of which nothing but its end is known gets no card: a push may end thousands.
    """
    call = await dispatches.get(sql, *call_of(subject))
    if call is None:
        return None
    is_open = call.closed_at is None
    on_call = await dispatches.units(sql, *call.key)
    notes = await dispatches.last_notes(sql, call.key, READ)
    if not (is_open or call.seen or call.edited or on_call or notes):
        return None
    title = inert_line(call.title, TITLE - 100, blank=_("no title yet"))
    name = _("Dispatch call {number}").format(number=call.call_id)
    closed = "" if is_open else f" · {_('closed')}"
    card = CardBuilder(
        title=f"{name}{await cad_suffix(sql, call.cad)} · {title}{closed}",
        colour=_PRIORITY_COLOURS.get(call.priority, Colour.NORMAL) if is_open else Colour.OVER,
        description=inert(call.description, DESCRIPTION, blank=""),
    )
    card.add("Status", _call_status(call, is_open=is_open))
    card.add("Priority", inert_line(call.priority, 64, blank=""))
    card.add("Code", code_name(call.code, 256))
    card.add("Layout", inert_line(_layout_name(call), 256, blank=""))
    card.add("Address", place(f"{call.block} {call.address}", call.postal, 512))
    card.add("Property", await property_of_call(sql, call.property_id, is_open=is_open))
    values = orjson.loads(call.layout_values)
    card.add("Details", named_values(values, FIELD, LAYOUT_VALUES), inline=False)
    card.add("Units", await _units_of_call(sql, call, on_call, is_open=is_open), inline=False)
    origins = [origin.key for origin in await emergencies.made_into(sql, call.key)]
    if call.emergency_key is not None and call.emergency_key not in origins:
        origins.insert(0, call.emergency_key)
    names = [await _origin(sql, origin) for origin in origins]
    card.add("From", fitting(names, "\n", FIELD), inline=False)
    card.add("Opened", when(call.happened_at, call.age))
    if call.closed_at is not None:
        card.add("Closed", _after(call.closed_at - call.happened_at))
        card.add("Ended", await _stale_end(sql, subject))
    acts = await add_acts(sql, card, subject, is_open=is_open)
    where = place(f"{call.block} {call.address}", call.postal, PLACE_IN_LINE)
    line = headline(urgency(call) or _("Dispatch call") if is_open else _("Closed"), title, where)
    own = await notes_of(sql, subject)
    notes = [note for note in notes if note.content not in own]
    card.add("Last notes", notes_text(notes), inline=False)
    drone = await _drone_button(sql, call.property_id, is_open=is_open)
    return MessageContent([card.build()], (*drone, *acts), headline=line)


def urgency(call: DispatchCall) -> str:
    """Return `P1` for a call of the first priority; blank if it has none."""
    priority = inert_line(call.priority, 16, blank="")
    return f"P{priority}" if priority.isdigit() else priority


def _call_status(call: DispatchCall, *, is_open: bool) -> str:
    """Name the status; a custom layout may have one of its own for closed calls."""
    if is_open:
        return call_status_name(call.status, call.status_id)
    return call_status_name("CLOSED", call.status_id if call.status == "CLOSED" else "")


def _layout_name(call: DispatchCall) -> str:
    template = orjson.loads(call.layout_template)
    return next((template[name] for name in _TEMPLATE_NAMES if template.get(name)), "")


async def _units_of_call(
    sql: Reader, call: DispatchCall, on_call: list[int], *, is_open: bool
) -> str:
    """Name the units on a call, the primary one in bold; while it is open, with their status."""
    by_ident = await units.by_ident(sql, call.cad, on_call[:UNITS])
    if not is_open or len(on_call) > UNITS_WITH_STATUS:
        return unit_names(on_call, by_ident, UNITS) or _("none")
    lines = []
    for ident in on_call:
        unit = by_ident.get(ident)
        name = unit_name(ident, unit)
        line = f"**{name}**" if ident == call.primary_unit else name
        lines.append(f"{line} · {_state(unit)}" if unit is not None and _state(unit) else line)
    return "\n".join(lines) or _("none")


def _state(unit: Unit) -> str:
    if unit.is_panic:
        return f"**{_('PANIC')}**"
    return status_name(unit.status) if unit.status else ""


async def _origin(sql: Reader, origin: CallKey) -> str:
    """Name the 911 call that a dispatch call was made from, and who called."""
    call = await emergencies.get(sql, *origin)
    if call is None or not call.seen:
        return _("911 call {number}").format(number=origin.call_id)
    caller = inert_line(call.caller, 100, blank=_(ANONYMOUS))
    linked = await linked_name(sql, emergency_subject(call.repeats_key or origin), _number(call))
    name = _("{call} by {caller}").format(call=linked, caller=caller)
    if call.panic_id is None:
        return name
    panic_name = await _panic_of(sql, call.panic_id)
    return f"{name}, {await linked_name(sql, panic_subject(call.panic_id), panic_name)}"


async def panic(sql: Reader, subject: Subject) -> MessageContent | None:
    """Show a panic until every unit in it is cleared, with the 911 call that came with it."""
    panic_id = subject.number
    start = await units.panic_start(sql, panic_id)
    if start is None:
        return None
    cad, began = start.cad, start.happened_at
    members = await units.panic_units(sql, panic_id)
    idents = [member.ident for member in members]
    by_ident = await units.by_ident(sql, cad, idents)
    in_panic = [member.ident for member in members if member.cleared_at is None]
    names = unit_names(idents, by_ident, UNITS_IN_TITLE)
    title = f"{names}{await cad_suffix(sql, cad)}"
    lines = [
        await _member_of_panic(sql, cad, member, by_ident.get(member.ident), began)
        for member in members[:UNITS]
    ]
    card = CardBuilder(
        title=f"{_('PANIC')} · {title}" if in_panic else f"{_('Panic over')} · {title}",
        colour=Colour.DANGER if in_panic else Colour.OVER,
        description=fitting(lines, "\n", DESCRIPTION, len(members)),
    )
    calls = await emergencies.of_panic(sql, panic_id)
    locations = [call.location for call in calls] or [unit.location for unit in by_ident.values()]
    postal = next((call.postal for call in calls if call.postal), "")
    where = place(next(filter(None, locations), ""), postal, 512)
    card.add("Location", where)
    at = next((call.property_id for call in calls if call.property_id is not None), None)
    card.add("Property", await property_of_call(sql, at, is_open=bool(in_panic)))
    card.add("Since", when(began, start.age))
    card.add("Ended", "" if in_panic else await _stale_end(sql, subject))
    for call in calls[:2]:
        card.add_named(_number(call), await _own_call(sql, call))
    acts = await add_acts(sql, card, subject, is_open=bool(in_panic))
    drone = await _drone_button(sql, at, is_open=bool(in_panic))
    state = f"**{_('PANIC')}** {names}" if in_panic else f"{_('Panic over')} · {names}"
    line = headline(state, place(locations[0], postal, PLACE_IN_LINE) if locations else "")
    return MessageContent([card.build()], (*drone, *acts), headline=line)


async def panic_headline(sql: Reader, panic_id: int) -> str:
    """Return the headline of a panic's card."""
    content = await panic(sql, panic_subject(panic_id))
    return content.headline if content is not None else ""


async def _member_of_panic(
    sql: Reader, cad: str, member: PanicUnit, unit: Unit | None, began: int
) -> str:
    """Say who a unit in a panic is, which call it is on, and when it was cleared."""
    parts = [f"**{unit_name(member.ident, unit)}**"]
    if unit is not None:
        described = (unit.name, unit.rank, unit.department)
        parts[0] = " ".join([parts[0], inert_line(described[0], 60, blank="")]).strip()
        parts += [inert_line(text, 40, blank="") for text in described[1:]]
    if member.cleared_at is not None:
        after = duration(member.cleared_at - began)
        parts.append(_("cleared after {duration}").format(duration=after))
    elif on_calls := await dispatches.calls_of_units(sql, cad, [member.ident]):
        (call,) = await dispatches.by_keys(sql, on_calls[:1])
        on_call = _("on {call}").format(call=await _dispatch_call(sql, call.key))
        parts += [on_call, inert_line(call.title, 60, blank="")]
    return " · ".join(filter(None, parts))


async def _own_call(sql: Reader, call: EmergencyCall) -> str:
    """Describe a panic's own 911 call: the caller, the text, and its dispatch call."""
    caller = inert_line(call.caller, 100, blank=_(ANONYMOUS))
    text = f"{caller}\\: {inert_line(call.description, 500)}"
    if call.dispatch_key is None:
        return text
    name = await _dispatch_call(sql, call.dispatch_key)
    return f"{text}\n{_('Dispatched as {call}').format(call=name)}"


async def _dispatch_call(sql: Reader, call: CallKey) -> str:
    """Name a dispatch call, as a link to its card if that is posted."""
    name = _("dispatch call {number}").format(number=call.call_id)
    return await linked_name(sql, dispatch_subject(call), name)


async def _panic_of(sql: Reader, panic_id: int) -> str:
    start = await units.panic_start(sql, panic_id)
    idents = [member.ident for member in await units.panic_units(sql, panic_id)]
    by_ident = await units.by_ident(sql, start.cad, idents) if start is not None else {}
    return _("panic of {units}").format(units=unit_names(idents, by_ident, UNITS_IN_TITLE))


def _kind(call: EmergencyCall) -> str:
    return "911" if call.is_emergency else "311"


def _number(call: EmergencyCall) -> str:
    text = _("911 call {number}") if call.is_emergency else _("311 call {number}")
    return text.format(number=call.call_id)


def times(same: list[EmergencyCall]) -> str:
    """Return " · × 3" for a 911 call that was reported three times; blank for one report."""
    return f" · × {len(same) + 1}" if same else ""


async def _stale_end(sql: Reader, subject: Subject) -> str:
    """Say why something ended without a push; blank if a push ended it."""
    end = await stale_ends.get(sql, str(subject))
    if end is None:
        return ""
    if not end.silence:
        return _("at the community's time of day")
    return _("no news for {duration}").format(duration=duration(end.silence))


def _after(milliseconds: int) -> str:
    return _("after {duration}").format(duration=duration(milliseconds))


async def _drone_button(
    sql: Reader, property_id: int | None, *, is_open: bool
) -> tuple[Button, ...]:
    """Offer a drone of the property that an open call is at, if one is free."""
    if property_id is None or not is_open:
        return ()
    if await properties.get(sql, property_id) is None:
        return ()
    if not await flights.free_drones(sql, property_id):
        return ()
    return (Button("Dispatch drone", f"call:drone:{property_id}", discord.ButtonStyle.primary),)
