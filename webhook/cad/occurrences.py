"""Which call of its number a push is about: the CAD uses numbers again.

It may begin anew at 1 when somebody has wiped its calls, and perhaps no push says that the old ones
are gone. So the whole report of a call (EVENT_911, EVENT_DISPATCH_NEW) is of another call if it

- comes after the call of its number is over, and not late,
- says something else in everything, and does not come late,
- says something else in anything, a minute or more after the last push about the call,
- or comes an hour after that.

What else comes is about the newest call of its number, or about the one before it, if its transport
has yet to bring the report of the newest.
"""

from db import dispatches, emergencies
from db.calls import CallKey
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.search import fold_case
from webhook.cad.arrival import COPIES, Arrival
from webhook.cad.calls import Call911, DispatchNew
from webhook.cad.events import dispatch_subject, emergency_subject
from webhook.protocol.context import Change

SILENCE = 60 * 60 * 1000
"""Milliseconds without a push about a call after which even the same report is of another one."""


async def dispatch_call(change: Change, arrival: Arrival, call_id: int) -> DispatchCall | None:
    """Return the stored dispatch call that a push with this number is about."""
    calls = await dispatches.of_number(change.sql, arrival.cad, call_id)
    for call in calls[:-1]:
        if not await arrival.is_behind(change, dispatch_subject(call.key), call.received_at):
            return call
    return calls[-1] if calls else None


async def dispatch_key(change: Change, arrival: Arrival, call_id: int) -> CallKey:
    """Return the dispatch call that a push with this number is about; it may not be stored yet."""
    call = await dispatch_call(change, arrival, call_id)
    return CallKey(arrival.cad, call_id) if call is None else call.key


async def emergency_call(change: Change, arrival: Arrival, call_id: int) -> EmergencyCall | None:
    """Return the stored 911 call that a push with this number is about."""
    calls = await emergencies.of_number(change.sql, arrival.cad, call_id)
    for call in calls[:-1]:
        if not await arrival.is_behind(change, emergency_subject(call.key), call.received_at):
            return call
    return calls[-1] if calls else None


async def emergency_key(change: Change, arrival: Arrival, call_id: int) -> CallKey:
    """Return the 911 call that a push with this number is about; it may not be stored yet."""
    call = await emergency_call(change, arrival, call_id)
    return CallKey(arrival.cad, call_id) if call is None else call.key


async def is_another_911(
    change: Change, arrival: Arrival, event: Call911, call: EmergencyCall
) -> bool:
    """Return whether a 911 call is another one than the stored one of its number."""
    subject = emergency_subject(call.key)
    if call.removed_at is not None:
        return not (arrival.replayed or await arrival.may_precede(change, subject, call.removed_at))
    if arrival.replayed or await arrival.may_precede(change, subject, call.touched_at):
        return False
    return _is_another(
        change.received - call.touched_at,
        [
            (call.caller, event.caller),
            (call.location, event.location),
            (call.description, event.description),
        ],
    )


async def is_another_dispatch(
    change: Change, arrival: Arrival, event: DispatchNew, call: DispatchCall
) -> bool:
    """Return whether a newly reported dispatch call is another one than the stored one."""
    subject = dispatch_subject(call.key)
    if call.closed_at is not None:
        return not await arrival.may_precede(change, subject, call.closed_at)
    if await arrival.may_precede(change, subject, call.touched_at):
        return False
    return _is_another(
        change.received - call.touched_at,
        [
            (call.title, event.title),
            (f"{call.block} {call.address}", f"{event.block} {event.address}"),
            (call.description, event.description),
        ],
    )


def _is_another(silence: int, texts: list[tuple[str, str]]) -> bool:
    pairs = [(fold_case(old.strip()), fold_case(new.strip())) for old, new in texts]
    differs = any(old != new for old, new in pairs)
    if silence > COPIES:
        return differs or silence > SILENCE
    return differs and not any(old == new != "" for old, new in pairs)
