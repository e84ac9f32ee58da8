"""Which registered property a call is at, and which panic a 911 call belongs to.

A property is found by the call's position, its address or its postal code. Nothing here trusts the
text: a player wrote it.

When somebody presses the panic button, the CAD pushes EVENT_UNIT_PANIC with the unit's ident, and
the game's resource makes a 911 call: "Unit … has pressed their panic button!" (sonoran-wire 3.5).
Neither names the other and either may come first, so a call is a panic's own if the panic is open,
or began shortly before or after the call, and one of these is true:

1. The call names the number of a unit in the panic, or its caller has the name of one.
2. The unit is unknown, as after a start in the middle of a shift; no other such panic is
   without a call; and the call names no stored unit, whose own panic would still be to come.

A unit that released the button and pressed it again has two panics. The first call belongs to the
first, so a panic that is over takes no second call.
"""

import math
import re
from typing import NamedTuple

from db import dispatches, emergencies, properties, units
from db.calls import CallKey
from db.database import Reader
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.search import fold_case, may_be_code, words
from db.units import Pressing
from webhook.cad.events.event import dispatch_subject
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

REACH = 25.0
"""Metres from a property without an area within which a position is at the property."""

MIN_LOCATION_LENGTH = 4
"""Characters that a property's location must have to be found in an address; `Rd` is in many."""

MAX_ADDRESS_WORDS = 40
"""Words of an address that are compared."""

MAX_POSTAL_WORDS = 3
"""Words of a postal code."""

PANIC_CALL_WINDOW = 120_000
"""Milliseconds within which a panic and its own 911 call begin."""

REPEAT_WINDOW = 60_000
"""Milliseconds within which a call that says the same as another is counted on its card."""

REPEAT_DISTANCE = 50.0
"""Metres within which two calls are at the same place."""

_PRESSED = re.compile(
    r"\s*unit(?P<number>[^\n,:;]{0,32}?)\s+has\s+pressed\s+their\s+panic\s+button[!.]?\s*",
    re.IGNORECASE,
)
"""All that the game writes (SonoranCAD's plugin: "Unit 1A-12 has pressed their panic button!").

Text with anything more is somebody's own words.
"""


class CallLocation(NamedTuple):
    """Where a call is, as far as the CAD knows."""

    address: str = ""
    postal: str = ""
    position: tuple[float, float] | None = None


async def property_at(sql: Reader, location: CallLocation) -> int | None:
    phrases, code = phrases_of(location.address), code_of(location.postal)
    if location.position is None and not phrases and not code:
        return None
    found = await properties.at(sql, location.position, REACH, phrases, code)
    for spelling in _other_spellings(code):
        if found is None:
            found = await properties.at(sql, None, REACH, [], spelling)
    return found


async def find_property(change: Change, call: DispatchCall) -> bool:
    """Find the property of a dispatch call, or else of its 911 call; return whether it changed."""
    point = None if call.x is None or call.y is None else (call.x, call.y)
    location = CallLocation(f"{call.block} {call.address}", call.postal, point)
    found = await property_at(change.sql, location)
    if found is None and call.emergency_key is not None:
        origin = await emergencies.get(change.sql, *call.emergency_key)
        found = origin.property_id if origin is not None else None
    if found == call.property_id:
        return False
    await dispatches.set_property(change.sql, call.key, found)
    return True


async def move_dispatches(change: Change, origin: EmergencyCall) -> list[Subject]:
    """Find the properties of dispatch calls anew when their 911 call has come or changed."""
    calls = await dispatches.made_from(change.sql, origin.key)
    return [dispatch_subject(call.key) for call in calls if await find_property(change, call)]


async def call_repeated_by(change: Change, call: EmergencyCall) -> CallKey | None:
    """Return the call on whose card a new one is counted: both say the same at the same place.

    Scripts of several players report one and the same thing. A panic's own call is none of these.
    Calls that come late together may have happened at different times.
    """
    if not call.description or call.pressed_by is not None or not call.is_open:
        return None
    for other in await emergencies.alike(change.sql, call, REPEAT_WINDOW, REPEAT_DISTANCE):
        if _is_near(call, other):
            return other.repeats_key or other.key
    return None


def _is_near(one: EmergencyCall, other: EmergencyCall) -> bool:
    if one.location and _compact(one.location) == _compact(other.location):
        return True
    if one.x is None or one.y is None or other.x is None or other.y is None:
        return False
    return math.hypot(one.x - other.x, one.y - other.y) <= REPEAT_DISTANCE


def _compact(text: str) -> str:
    return "".join(fold_case(text).split())


def phrases_of(address: str) -> list[str]:
    """Return every run of words of an address that may be the location of a property."""
    compared = words(address)[:MAX_ADDRESS_WORDS]
    runs = {
        " ".join(compared[start:end])
        for start in range(len(compared))
        for end in range(start + 1, len(compared) + 1)
    }
    return sorted(run for run in runs if len(run) >= MIN_LOCATION_LENGTH)


def code_of(postal: str) -> str:
    """Return a postal code as it is among the words of a property; blank if it has no digit.

    Some have two or three words, `SW1A 1AA` or `8031-2`.
    """
    found = words(postal)
    is_code = len(found) <= MAX_POSTAL_WORDS and any(map(may_be_code, found))
    return " ".join(found) if is_code else ""


def _other_spellings(code: str) -> list[str]:
    """Return how a property may write a code of digits: without leading zeros, or with one."""
    if not (code.isascii() and code.isdigit()):
        return []
    without = code.lstrip("0")
    return [spelling for spelling in (without, f"0{without}") if without and spelling != code]


def pressed_by(description: str) -> str | None:
    """Return the number of the unit that pressed its button, case-folded; None: no panic's call."""
    match = _PRESSED.fullmatch(description)
    return _key(match["number"]) if match else None


async def panic_of_call(change: Change, call: EmergencyCall) -> int | None:
    """Return the panic that a call belongs to, None if it has not begun."""
    pressing = await units.pressing(change.sql, call.cad, change.received - PANIC_CALL_WINDOW)
    free = [unit for unit in pressing if unit.is_open or not unit.has_call]
    for unit in free:
        if _names(call, unit):
            return unit.panic_id
    unknown = {unit.panic_id for unit in free if not (unit.unit_num or unit.name or unit.has_call)}
    if len(unknown) == 1 and not await _names_stored_unit(change, call):
        return unknown.pop()
    return None


async def fold_earlier_calls(change: Change, cad: str, panic_id: int) -> list[CallKey]:
    """Make the calls that came before a panic part of it; return them."""
    folded = []
    since = change.received - PANIC_CALL_WINDOW
    for call in await emergencies.loose_panic_calls(change.sql, cad, since):
        if await panic_of_call(change, call) == panic_id:
            await emergencies.fold_into_panic(change.sql, call.key, panic_id)
            folded.append(call.key)
    return folded


async def _names_stored_unit(change: Change, call: EmergencyCall) -> bool:
    for text in (call.pressed_by, _key(call.caller)):
        for unit in await units.matching(change.sql, call.cad, text) if text else []:
            if text in (_key(unit.unit_num), _key(unit.name)):
                return True
    return False


def _names(call: EmergencyCall, unit: Pressing) -> bool:
    """Return whether a call names a unit: by its number in the text, or as the caller."""
    number, name = _key(unit.unit_num), _key(unit.name)
    is_number = number != "" and number == call.pressed_by
    return is_number or (name != "" and name == _key(call.caller))


def _key(text: str) -> str:
    return fold_case(text.strip())
