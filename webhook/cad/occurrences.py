"""Which call of its number a push is about: the CAD uses numbers again.

It may begin anew at 1 when somebody has wiped its calls, and perhaps no push says that the old ones
are gone. So the whole report of a call (EVENT_911, EVENT_DISPATCH_NEW) is of another call if it

- says something else in everything, and does not come within seconds,
- comes after the call of its number is over, and not late,
- says something else in anything, a minute or more after the last push about the call,
- or comes an hour after that.

What else comes is about the newest call of its number, or about the one before it, if its transport
has yet to bring the report of the newest.
"""

from enum import Enum, auto
from typing import Any, NamedTuple

from db import dispatches, emergencies
from db.calls import CallKey
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.search import fold_case
from webhook.cad.arrival import COPIES, ORDER, Arrival
from webhook.cad.calls import Call911, DispatchNew
from webhook.cad.events import dispatch_subject, emergency_subject
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

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


class CallReport(Enum):
    """What the whole report of a call is to the stored call of its number."""

    OF_CALL = auto()
    OF_NEXT = auto()
    """The number is used again."""
    OF_EARLIER = auto()
    """It is late: the number names another call by now."""


async def compare_911(
    change: Change, arrival: Arrival, event: Call911, call: EmergencyCall
) -> CallReport:
    newest = await emergencies.get(change.sql, *call.key[:2])
    return await _compare(
        change,
        arrival,
        _Stored(
            emergency_subject(call.key),
            call.received_at,
            call.touched_at,
            call.removed_at,
            bool(call.seen),
            newest is None or newest.key == call.key,
        ),
        [
            (call.caller, event.caller),
            (call.location, event.location),
            (call.description, event.description),
        ],
    )


async def compare_dispatch(
    change: Change, arrival: Arrival, event: DispatchNew, call: DispatchCall
) -> CallReport:
    newest = await dispatches.get(change.sql, *call.key[:2])
    return await _compare(
        change,
        arrival,
        _Stored(
            dispatch_subject(call.key),
            call.received_at,
            call.touched_at,
            call.closed_at,
            bool(call.seen),
            newest is None or newest.key == call.key,
        ),
        [
            (call.title, event.title),
            (f"{call.block} {call.address}", f"{event.block} {event.address}"),
            (call.description, event.description),
        ],
    )


def is_edit_of_next(change: Change, fields: dict[str, Any], call: DispatchCall) -> bool:
    """Return whether an edit is about a later call than the stored one, whose report was lost.

    The stored one has been closed for long, and the edit says something else in all that it has.
    """
    if call.closed_at is None or change.received - call.closed_at <= SILENCE:
        return False
    given = [fields[name] for name in ("title", "address", "description") if fields.get(name)]
    stored = {fold_case(text) for text in (call.title, call.address, call.description)}
    return "title" in fields and not any(fold_case(text) in stored for text in given)


class _Stored(NamedTuple):
    """What matters of a stored call; times in milliseconds since 1970."""

    subject: Subject
    began_at: int
    touched_at: int
    over_at: int | None
    is_seen: bool
    is_newest: bool


async def _compare(
    change: Change, arrival: Arrival, stored: _Stored, texts: list[tuple[str, str]]
) -> CallReport:
    """Compare the texts of a stored call, each with that of a report, and their times."""
    if arrival.replayed:
        return CallReport.OF_CALL
    pairs = [(fold_case(old.strip()), fold_case(new.strip())) for old, new in texts]
    differs = any(old != new for old, new in pairs)
    differs_in_all = differs and not any(old == new != "" for old, new in pairs)
    silence = change.received - stored.touched_at
    if stored.is_seen and (
        not stored.is_newest or await arrival.is_behind(change, stored.subject, stored.began_at)
    ):
        return CallReport.OF_EARLIER if differs_in_all else CallReport.OF_CALL
    if stored.is_seen and differs_in_all and silence > ORDER:
        return CallReport.OF_NEXT
    if stored.over_at is not None or not stored.is_seen:
        since = stored.touched_at if stored.over_at is None else stored.over_at
        may_precede = await arrival.may_precede(change, stored.subject, since)
        return CallReport.OF_CALL if may_precede else CallReport.OF_NEXT
    is_next = silence > SILENCE or (differs and silence > COPIES)
    return CallReport.OF_NEXT if is_next else CallReport.OF_CALL
