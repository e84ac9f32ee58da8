"""The board: one message that shows who is on duty, which calls are open and which drones are out.

It is a card like the others, with one subject.
"""

from collections import defaultdict

from cogs.cards.calls import times, urgency
from cogs.i18n.language import _
from cogs.routing.stored import pause_lines
from cogs.ui.embeds import FIELD, CardBuilder, Colour, MessageContent
from cogs.ui.names import (
    STATUSES,
    cad_suffix,
    linked_name,
    location_of,
    place,
    status_name,
    unit_name,
    unit_names,
)
from cogs.ui.text import fitting, inert_line, length, timestamp
from db import cards, dispatches, emergencies, flights, settings, units
from db.database import Reader, Transaction
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.units import Unit
from webhook import cad
from webhook.cad.events.event import dispatch_subject, emergency_subject
from webhook.protocol.context import now
from webhook.protocol.events import CAD, CardsOutdated, Subject
from webhook.queries.cad.lookup import configured_cads

SUBJECT = Subject("board", "units")
CHANNEL = "board"
EDIT_INTERVAL = 5.0
"""Seconds between two edits of the board, however much changes."""

MAX_AGE = 55 * 60.0
"""Seconds that a message of the board lasts: from an hour on Discord allows few edits of it."""

CHANGED = "board.changed"
"""The setting that holds when something on the board changed last."""

UNITS_SHARE, CALLS_SHARE, WAITING_SHARE, DRONES_SHARE = 1_800, 1_900, 1_100, 400
"""Characters of each part; with titles and footer they stay within Discord's limit."""

MAX_DEPARTMENTS = 12
"""Departments with a field of their own."""

MAX_ROWS = 100
"""Rows of a list that are read, and counted."""

MAX_LINES = 20
"""Rows of a list that are written out, if they fit."""

EVENTS = frozenset(
    {
        *(f"{CAD}.{name}" for name, event in cad.EVENTS.items() if event.on_board),
        "drone-dispatched",
        "drone-recalled",
        CardsOutdated.name,
    }
)
"""The events that may change what the board shows."""


async def mark_changed(sql: Transaction, at: int) -> None:
    """Have the board shown again: something on it changed."""
    await settings.put(sql, CHANGED, str(at))
    await cards.mark_stale(sql, cards.StaleCard(str(SUBJECT), CHANNEL, at))


async def board(sql: Reader, _subject: Subject) -> MessageContent | None:
    """Show the board, within Discord's limits whatever the numbers are."""
    changed = int(await settings.get(sql, CHANGED) or 0)
    duty = await on_duty(sql, UNITS_SHARE)
    text = _("Last change {time}").format(time=timestamp(changed))
    lines = [duty.description, text, *await pause_lines(sql, now())]
    duty.description = "\n".join(filter(None, lines))
    parts = [duty, await open_calls(sql, CALLS_SHARE, WAITING_SHARE)]
    out = await flights.page_of_open(sql, "", MAX_ROWS, 0)
    if out:
        lines = [
            f"{_('Drone')} {flight.drone_id} · {await location_of(sql, flight.property_id)}"
            for flight in out[:MAX_LINES]
        ]
        title = f"{_('Drones out')} · {_count(len(out))}"
        listed = fitting(lines, "\n", DRONES_SHARE, len(out))
        parts.append(CardBuilder(title, Colour.WARNING, listed))
    return MessageContent([part.build() for part in parts])


async def on_duty(sql: Reader, share: int) -> CardBuilder:
    """Show who is on duty, by department; by numbers instead of names where those are too many."""
    everybody = await units.on_duty(sql)
    in_panic = [unit_name(unit.ident, unit) for unit in everybody if unit.is_panic]
    if not everybody:
        return CardBuilder(_("Nobody is on duty"), Colour.OVER)
    card = CardBuilder(
        title=f"{_('On duty')} · {len(everybody)}",
        colour=Colour.DANGER if in_panic else Colour.NORMAL,
        description=f"**{_('PANIC')}** {fitting(in_panic, ', ', 300)}" if in_panic else "",
    )
    several = len(await configured_cads(sql)) > 1
    by_department: dict[str, list[Unit]] = {}
    for unit in everybody:
        by_department.setdefault(_department(unit, several=several), []).append(unit)
    fields = [(name, _by_status(of, names=True)) for name, of in by_department.items()]
    if sum(length(name) + length(text) + 10 for name, text in fields) > share:
        fields = [(name, _by_status(of, names=False)) for name, of in by_department.items()]
    used = 0
    left_out = 0
    for name, text in fields:
        size = len(by_department[name])
        used += length(name) + length(text) + 10
        if len(card.fields) == MAX_DEPARTMENTS or used > share:
            left_out += size
        else:
            card.add_named(f"{name} · {size}", text)
    if left_out:
        card.add_named(f"{_('Other departments')} · {left_out}", _("not shown here"))
    return card


async def open_calls(sql: Reader, share: int, waiting_share: int) -> CardBuilder:
    """Show the open calls, the most urgent first: 911 calls that wait, then dispatch calls."""
    waiting = await emergencies.open_calls(sql, MAX_ROWS)
    calls = await dispatches.open_calls(sql, MAX_ROWS)
    if not waiting and not calls:
        return CardBuilder(_("No open calls"), Colour.OVER)
    parts = []
    if waiting:
        lines = [await waiting_line(sql, call) for call in waiting[:MAX_LINES]]
        parts.append(_("**911 · {number} waiting**").format(number=_count(len(waiting))))
        parts.append(fitting(lines, "\n", waiting_share, len(waiting)))
    if calls:
        lines = [await call_line(sql, call) for call in calls[:MAX_LINES]]
        parts.append(f"**{_('Dispatch calls')} · {_count(len(calls))}**")
        parts.append(fitting(lines, "\n", share, len(calls)))
    return CardBuilder(
        title=f"{_('Open calls')} · {_count(len(waiting) + len(calls))}",
        colour=Colour.WARNING if waiting else Colour.NORMAL,
        description="\n".join(parts),
    )


async def waiting_line(sql: Reader, call: EmergencyCall) -> str:
    """Say in one line what waits where, and since when."""
    subject = emergency_subject(call.key)
    number = await linked_name(sql, subject, str(call.call_id))
    kind = "" if call.is_emergency else " · 311"
    kind += times(await emergencies.repeats(sql, call.key))
    text = place(call.location, call.postal, 60) or inert_line(call.description, 60)
    return f"{number}{kind}{await cad_suffix(sql, call.cad)} · {text} · {_ago(call.happened_at)}"


async def call_line(sql: Reader, call: DispatchCall) -> str:
    """Say in one line how urgent a call is, where it is, who is on it, and since when."""
    subject = dispatch_subject(call.key)
    number = await linked_name(sql, subject, str(call.call_id))
    priority = f" · **{urgent}**" if (urgent := urgency(call)) else ""
    title = inert_line(call.title, 40, blank=_("no title yet"))
    where = place(f"{call.block} {call.address}", call.postal, 60)
    on_call = await dispatches.units(sql, *call.key)
    by_ident = await units.by_ident(sql, call.cad, on_call[:3])
    names = unit_names(on_call, by_ident, 3) or f"**{_('no unit')}**"
    name = f"{number}{priority}{await cad_suffix(sql, call.cad)}"
    parts = [name, title, where, names, _ago(call.happened_at)]
    return " · ".join(filter(None, parts))


def _ago(at: int) -> str:
    return f"<t:{at // 1000}:R>"


def _department(unit: Unit, *, several: bool) -> str:
    department = inert_line(unit.department, 60, blank=_("Units"))
    name = _("Dispatch") if unit.is_dispatch else department
    return f"{name} · {inert_line(unit.cad, 40)}" if several else name


def _by_status(of: list[Unit], *, names: bool) -> str:
    """List units by their status, the most pressing first; by numbers where names do not fit."""
    alike: defaultdict[tuple[int, str], list[Unit]] = defaultdict(list)
    for unit in of:
        alike[unit.is_panic, unit.status].append(unit)
    groups: defaultdict[str, list[Unit]] = defaultdict(list)
    for same in sorted(alike.values(), key=lambda same: _rank(same[0])):
        groups[_status(same[0])] += same
    if names:
        listed = "\n".join(
            f"**{status}** {', '.join(unit_name(unit.ident, unit) for unit in same)}"
            for status, same in groups.items()
        )
        if length(listed) <= FIELD:
            return listed
    counts = [f"{status} {len(same)}" for status, same in groups.items()]
    return fitting(counts, " · ", 300)


def _status(unit: Unit) -> str:
    if unit.is_panic:
        return _("PANIC")
    return status_name(unit.status) if unit.status else _("No status")


def _rank(unit: Unit) -> tuple[int, str]:
    """Sort by how urgent a status is; the community's own ones come last, by their names."""
    statuses = list(STATUSES)
    rank = statuses.index(unit.status) if unit.status in statuses else len(statuses)
    return (-1 if unit.is_panic else rank), _status(unit)


def _count(number: int) -> str:
    """Write how many there are, of which at most MAX_ROWS were read."""
    return _("{number} or more").format(number=number) if number >= MAX_ROWS else str(number)
