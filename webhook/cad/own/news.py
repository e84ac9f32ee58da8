"""What an event says that is not stored yet.

Both our own successes and the CAD's pushes about them go through here, so that whichever comes
first is the event, and the other one is nothing new.
"""

from functools import singledispatch

from db import dispatches, emergencies, units
from webhook.cad.events.calls import (
    Call911,
    DispatchClosed,
    DispatchNew,
    DispatchNote,
    Removed911,
    UnitAttach,
    UnitDetach,
)
from webhook.cad.events.event import CadEvent
from webhook.cad.events.units import UnitPanic, UnitStatus
from webhook.protocol.context import Change


@singledispatch
async def news_of(event: CadEvent, change: Change, cad: str, since: int) -> CadEvent | None:
    """Return the part of an event that is not stored yet; None if all of it is.

    `since`: when what it reports can have happened at the earliest.
    """
    return event


@news_of.register
async def _of_911(event: Call911, change: Change, cad: str, since: int) -> CadEvent | None:
    call = await emergencies.get(change.sql, cad, event.call_id)
    if call is None or not call.seen or call.received_at < since:
        return event
    stored = (call.caller, call.location, call.description)
    return None if stored == (event.caller, event.location, event.description) else event


@news_of.register
async def _of_end(
    event: Removed911 | DispatchClosed, change: Change, cad: str, since: int
) -> CadEvent | None:
    open_calls = [call for call in event.call_ids if not await _is_over(event, change, cad, call)]
    return event.model_copy(update={"call_ids": open_calls}) if open_calls else None


async def _is_over(
    event: Removed911 | DispatchClosed, change: Change, cad: str, call_id: int
) -> bool:
    if isinstance(event, Removed911):
        emergency = await emergencies.get(change.sql, cad, call_id)
        return emergency is not None and emergency.removed_at is not None
    dispatch = await dispatches.get(change.sql, cad, call_id)
    return dispatch is not None and dispatch.closed_at is not None


@news_of.register
async def _of_new(event: DispatchNew, change: Change, cad: str, since: int) -> CadEvent | None:
    call = await dispatches.get(change.sql, cad, event.call_id)
    return None if call is not None and call.seen and call.received_at >= since else event


@news_of.register
async def _of_note(event: DispatchNote, change: Change, cad: str, since: int) -> CadEvent | None:
    call = await dispatches.get(change.sql, cad, event.call_id)
    notes = [] if call is None else await dispatches.notes(change.sql, call.key)
    is_stored = any(note.at >= since and note.content == event.note.content for note in notes)
    return None if is_stored else event


@news_of.register
async def _of_attached(event: UnitAttach, change: Change, cad: str, since: int) -> CadEvent | None:
    call = await dispatches.get(change.sql, cad, event.call_id)
    if call is None or call.closed_at is not None:
        return event
    on_call = await dispatches.units(change.sql, *call.key)
    return _without(event, event.idents, on_call)


@news_of.register
async def _of_detached(event: UnitDetach, change: Change, cad: str, since: int) -> CadEvent | None:
    free = []
    for ident in event.idents:
        calls = await dispatches.calls_of_units(change.sql, cad, [ident])
        numbers = {call.call_id for call in calls}
        if event.call_id not in numbers if event.call_id is not None else not numbers:
            free.append(ident)
    return _without(event, event.idents, free)


@news_of.register
async def _of_status(event: UnitStatus, change: Change, cad: str, since: int) -> CadEvent | None:
    known = await units.by_ident(change.sql, cad, event.idents)
    same = [ident for ident, unit in known.items() if unit.status == event.status]
    return _without(event, event.idents, same)


@news_of.register
async def _of_panic(event: UnitPanic, change: Change, cad: str, since: int) -> CadEvent | None:
    in_panic = await units.open_panics(change.sql, cad, event.idents)
    same = [ident for ident in event.idents if (ident in in_panic) == event.is_panic]
    return _without(event, event.idents, same)


def _without(event: CadEvent, idents: list[int], stored: list[int]) -> CadEvent | None:
    rest = [ident for ident in idents if ident not in stored]
    return event.model_copy(update={"idents": rest}) if rest else None
