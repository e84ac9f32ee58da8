"""A panic's own 911 call: the game's resource makes one when a panic button is pressed.

sonoran-wire 3.5: "Unit … has pressed their panic button!". The call and the panic belong together
whichever is pushed first.
"""

import re

from db import emergencies, units
from db.emergencies import EmergencyCall
from db.search import fold_case
from db.units import Pressing
from webhook.protocol.context import Change

TOGETHER = 120_000
"""Milliseconds within which a panic and the 911 call that it made begin."""

_PRESSED = re.compile(
    r"\bunit\b(?P<number>[^\n]{0,80}?)\bhas\s+pressed\s+(?:\w+\s+)?panic\s+button\b",
    re.IGNORECASE,
)


def pressed_by(description: str) -> str | None:
    """Return the number of the unit whose panic button a call tells of, folded; None if of none."""
    said = _PRESSED.search(description)
    return fold_case(said["number"].strip()) if said else None


async def panic_of_call(change: Change, cad: str, call: EmergencyCall) -> int | None:
    """Return the panic that a call tells of, if that has begun."""
    pressing = await units.pressing(change.sql, cad, change.now - TOGETHER)
    # Who released the button and pressed again has a second panic: the first call is the first's.
    free = [one for one in pressing if one.is_open or not one.has_call]
    for one in free:
        if _is_whose(call, one):
            return one.panic_id
    return await _only_one_in_question(change, cad, call, free)


async def calls_of_panic(change: Change, cad: str, panic_id: int) -> list[int]:
    """Return the calls that told of a panic before it began."""
    since = change.now - TOGETHER
    loose = await emergencies.loose_panic_calls(change.sql, cad, since)
    if not loose:
        return []
    pressing = await units.pressing(change.sql, cad, since)
    own = [one for one in pressing if one.panic_id == panic_id]
    found = [call.call_id for call in loose if any(_is_whose(call, one) for one in own)]
    if found or len(loose) > 1:
        return found
    (call,) = loose
    free = [one for one in pressing if one.is_open or not one.has_call]
    only = await _only_one_in_question(change, cad, call, free)
    return [call.call_id] if only == panic_id else []


def _is_whose(call: EmergencyCall, one: Pressing) -> bool:
    number, caller = fold_case(one.unit_num.strip()), fold_case(one.name.strip())
    return (number != "" and number == call.pressed_by) or (
        caller != "" and caller == fold_case(call.caller.strip())
    )


async def _only_one_in_question(
    change: Change, cad: str, call: EmergencyCall, pressing: list[Pressing]
) -> int | None:
    """Return the one panic of a unit never heard of, as after a start in the middle of a shift.

    Not if the call names a unit that is known: then its own panic is still to come.
    """
    unknown = {one.panic_id for one in pressing if not (one.unit_num or one.name or one.has_call)}
    if len(unknown) != 1:
        return None
    for text in (call.pressed_by or "", call.caller.strip()):
        if text and any(
            fold_case(text) in (fold_case(unit.unit_num.strip()), fold_case(unit.name.strip()))
            for unit in await units.matching(change.sql, cad, text)
        ):
            return None
    return unknown.pop()
