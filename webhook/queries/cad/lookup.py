"""Calls and units of the CAD, as people look them up in Discord."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from db import dispatches, emergencies, settings, units
from db.calls import FIRST
from db.database import Database, Reader, Transaction
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.units import Unit
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import Subject
from webhook.protocol.wire import MAX_ID
from webhook.queries.models import MAX_ROWS, MAX_SEARCH, SearchPage

CADS = "cad.names"
"""The setting that holds the names of the configured CADs, with blanks between."""

FIRST_PUSH = "cad.first."
"""How the settings begin that hold when the first push of a CAD came."""

_CALL = re.compile(
    r"(?P<kind>dispatch|emergency):(?P<number>[0-9]{1,19})(\.(?P<occurrence>[0-9]{1,9}))?"
    r"@(?P<cad>[A-Za-z0-9_.-]{1,32})"
)
_UNIT = re.compile(r"(?P<ident>[0-9]{1,19})@(?P<cad>[A-Za-z0-9_.-]{1,32})")


class OpenCalls(NamedTuple):
    """Open calls of all CADs, each kind the most urgent first."""

    dispatches: list[DispatchCall]
    emergencies: list[EmergencyCall]


class FoundCall(NamedTuple):
    """A call; `panic` if it is the 911 call that a script made of a panic."""

    subject: Subject
    is_open: bool
    panic: Subject | None = None


async def store_cads(sql: Transaction, names: Sequence[str]) -> None:
    await settings.put(sql, CADS, " ".join(names))


async def configured_cads(sql: Reader) -> list[str]:
    return (await settings.get(sql, CADS) or "").split()


async def first_push_at(sql: Reader, cad: str) -> int | None:
    """Return when the first push ever of a CAD came, in milliseconds since 1970."""
    stored = await settings.get(sql, FIRST_PUSH + cad)
    return None if stored is None else int(stored)


async def store_first_push(database: Database, cad: str, now: int) -> None:
    """Store that a push of a CAD has come now, unless an earlier one has."""
    async with database.write() as sql:
        if await settings.get(sql, FIRST_PUSH + cad) is None:
            await settings.put(sql, FIRST_PUSH + cad, str(now))


@operation(scope=Scope.READ)
async def list_open_calls(context: Context, limit: int) -> OpenCalls:
    """Return at most so many open calls of each kind."""
    return OpenCalls(
        await dispatches.open_calls(context.read, limit),
        await emergencies.open_calls(context.read, limit),
    )


@operation(scope=Scope.READ)
async def find_call(context: Context, text: str) -> FoundCall:
    """Return the one call that a text names: `dispatch:12@county`, or a number.

    Raises:
        NotFound: there is none.
        Conflict: several calls have the number, and not just one of them is open.
    """
    sql = context.read
    text = text.strip()
    chosen = _CALL.fullmatch(text)
    if chosen is not None:
        occurrence = int(chosen["occurrence"] or FIRST)
        found = await _call(sql, chosen["kind"], chosen["cad"], int(chosen["number"]), occurrence)
        if found is not None:
            return found
    number = text.removeprefix("#")
    calls: list[FoundCall] = []
    if number.isascii() and number.isdigit() and len(number) < 20:
        for cad in await configured_cads(sql):
            for kind in ("dispatch", "emergency"):
                found = await _call(sql, kind, cad, int(number))
                if found is not None:
                    calls.append(found)
    if not calls:
        raise NotFound("no call matches “{typed}”", typed=text[:MAX_SEARCH])
    matches = [call for call in calls if call.is_open] or calls
    if len(matches) > 1:
        raise Conflict(
            "several calls have the number {number}; choose one from the list", number=number
        )
    return matches[0]


@operation(scope=Scope.READ)
async def list_units_on_duty(context: Context) -> list[Unit]:
    """Return who is on duty in any CAD: those in a panic first, then by CAD and department."""
    return sorted(await units.on_duty(context.read), key=lambda unit: not unit.is_panic)


@operation(scope=Scope.READ)
async def suggest_units(context: Context, ask: SearchPage) -> list[Unit]:
    """Return units whose number or name holds the text, those on duty first."""
    return await units.search(context.read, ask.search, ask.limit)


@operation(scope=Scope.READ)
async def find_unit(context: Context, text: str) -> Unit:
    """Return the one unit that a text names: `7@county`, or its number or name.

    Raises:
        NotFound: there is none.
        Conflict: there are several.
    """
    text = text.strip()[:MAX_SEARCH]
    chosen = _UNIT.fullmatch(text)
    if chosen is not None and int(chosen["ident"]) <= MAX_ID:
        unit = await units.get(context.read, chosen["cad"], int(chosen["ident"]))
        if unit is not None:
            return unit
    found = await units.search(context.read, text, MAX_ROWS) if text else []
    by_number = [unit for unit in found if unit.unit_num.casefold() == text.casefold()] or found
    matches = [unit for unit in by_number if unit.on_duty] or by_number
    if not matches:
        raise NotFound("no unit matches “{typed}”", typed=text)
    if len(matches) > 1:
        raise Conflict("several units match “{typed}”; choose one from the list", typed=text)
    return matches[0]


@operation(scope=Scope.READ)
async def list_calls_of_unit(context: Context, unit: Unit) -> list[DispatchCall]:
    calls = await dispatches.calls_of_units(context.read, unit.cad, [unit.ident])
    return await dispatches.by_keys(context.read, calls)


async def _call(
    sql: Reader, kind: str, cad: str, number: int, occurrence: int | None = None
) -> FoundCall | None:
    """Return a call; without an occurrence, the newest of its number."""
    if number > MAX_ID:
        return None
    if kind == "dispatch":
        dispatched = await dispatches.get(sql, cad, number, occurrence)
        if dispatched is None:
            return None
        return FoundCall(Subject(kind, str(dispatched.key)), dispatched.closed_at is None)
    call = await emergencies.get(sql, cad, number, occurrence)
    if call is None or not call.seen:
        return None
    is_open = call.removed_at is None and call.dispatch_call_id is None
    panic = None if call.panic_id is None else Subject("panic", str(call.panic_id))
    return FoundCall(Subject(kind, str(call.key)), is_open, panic)
