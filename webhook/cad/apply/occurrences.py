"""Which of the calls with its number a push is about: the CAD reuses numbers.

It starts at 1 again when somebody has wiped its calls, and maybe no push says that the old ones are
gone. So a full report of a call (EVENT_911, EVENT_DISPATCH_NEW) is about a new call if it

- differs in every text, and cannot be a report that came before, as the stored call is over or did
  not begin just now,
- comes after the stored call is over, and is not late,
- differs in any text, a minute or more after the last push about the stored call,
- or comes an hour after that push.

Any other push is about the newest call of its number, or about the one before it while its
transport has yet to deliver the report of the newest.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, NamedTuple, TypeVar

from db import dispatches, emergencies
from db.calls import CallKey
from db.dispatches import DispatchCall
from db.emergencies import EmergencyCall
from db.search import fold_case
from webhook.cad.arrival import DUPLICATE_WINDOW, REORDER_WINDOW, Arrival
from webhook.cad.events.calls import Call911, DispatchNew
from webhook.cad.events.event import dispatch_subject, emergency_subject
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

REUSE_SILENCE = 60 * 60 * 1000
"""Milliseconds without a push about a call after which even the same report is of another one."""

AnyCall = TypeVar("AnyCall", DispatchCall, EmergencyCall)


async def dispatch_call(change: Change, arrival: Arrival, call_id: int) -> DispatchCall | None:
    """Return the stored dispatch call that a push with this number is about."""
    calls = await dispatches.of_number(change.sql, arrival.cad, call_id)
    return await _newest_delivered(change, arrival, calls, dispatch_subject)


async def dispatch_key(change: Change, arrival: Arrival, call_id: int) -> CallKey:
    """Return the dispatch call that a push with this number is about; it may not be stored yet."""
    call = await dispatch_call(change, arrival, call_id)
    return CallKey(arrival.cad, call_id) if call is None else call.key


async def emergency_call(change: Change, arrival: Arrival, call_id: int) -> EmergencyCall | None:
    """Return the stored 911 call that a push with this number is about."""
    calls = await emergencies.of_number(change.sql, arrival.cad, call_id)
    return await _newest_delivered(change, arrival, calls, emergency_subject)


async def emergency_key(change: Change, arrival: Arrival, call_id: int) -> CallKey:
    """Return the 911 call that a push with this number is about; it may not be stored yet."""
    call = await emergency_call(change, arrival, call_id)
    return CallKey(arrival.cad, call_id) if call is None else call.key


async def origin_key(change: Change, arrival: Arrival, dispatch: CallKey, call_id: int) -> CallKey:
    """Return which 911 call with this number a dispatch call was made from; it may not be stored.

    A dispatch call keeps its 911 call when the number is reused. One that was gone a minute before
    is another call: the report of the call that now has the number was lost, or is late.
    """
    for origin in await emergencies.made_into(change.sql, dispatch):
        if origin.call_id == call_id:
            return origin.key
    call = await emergency_call(change, arrival, call_id)
    if call is None:
        return CallKey(arrival.cad, call_id)
    if call.removed_at is not None and change.happened - call.removed_at > DUPLICATE_WINDOW:
        return call.key._replace(occurrence=call.occurrence + 1)
    return call.key


async def _newest_delivered(
    change: Change,
    arrival: Arrival,
    calls: list[AnyCall],
    subject_of: Callable[[CallKey], Subject],
) -> AnyCall | None:
    """Return the newest of the calls that the transport has delivered, else the oldest."""
    for call in calls[:-1]:
        if not await arrival.is_behind(change, subject_of(call.key), call.received_at):
            return call
    return calls[-1] if calls else None


class CallReport(Enum):
    """Which call a full report is about, compared with the stored call of its number."""

    OF_CALL = auto()
    OF_NEXT = auto()
    """A later one: the number was reused."""
    OF_EARLIER = auto()
    """An earlier one: the report is late, and the number was reused since."""


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
            call.happened_at,
            call.touched_at,
            call.removed_at,
            bool(call.seen),
            newest is None or newest.key == call.key,
        ),
        [
            _Text(call.caller, event.caller),
            _Text(call.location, event.location),
            _Text(call.description, event.description),
        ],
    )


async def compare_dispatch(
    change: Change, arrival: Arrival, event: DispatchNew, call: DispatchCall
) -> CallReport:
    newest = await dispatches.get(change.sql, *call.key[:2])
    edited = call.edited.split()
    place, new_place = f"{call.block} {call.address}", f"{event.block} {event.address}"
    return await _compare(
        change,
        arrival,
        _Stored(
            dispatch_subject(call.key),
            call.received_at,
            call.happened_at,
            call.touched_at,
            call.closed_at,
            bool(call.seen),
            newest is None or newest.key == call.key,
        ),
        [
            _Text(call.title, event.title, "title" in edited),
            _Text(place, new_place, "address" in edited or "block" in edited),
            _Text(call.description, event.description, "description" in edited),
        ],
    )


def is_edit_of_next(change: Change, fields: dict[str, Any], call: DispatchCall) -> bool:
    """Return whether an edit is about a later call, whose report was lost, than the stored one.

    The stored one was closed long ago, and the edit shares no text with it.
    """
    if call.closed_at is None or change.received - call.closed_at <= REUSE_SILENCE:
        return False
    given = [fields[name] for name in ("title", "address", "description") if fields.get(name)]
    stored = {fold_case(text) for text in (call.title, call.address, call.description)}
    return "title" in fields and not any(fold_case(text) in stored for text in given)


class _Stored(NamedTuple):
    """What matters of a stored call; times in milliseconds since 1970.

    `began_at`: when its first push was received, `happened_at`: when that happened.
    """

    subject: Subject
    began_at: int
    happened_at: int
    touched_at: int
    over_at: int | None
    is_seen: bool
    is_newest: bool


class _Text(NamedTuple):
    """A text of a stored call, that of a report, and whether an edit set the stored one."""

    stored: str
    reported: str
    is_edited: bool = False

    @property
    def differs(self) -> bool:
        return fold_case(self.stored.strip()) != fold_case(self.reported.strip())

    @property
    def is_same(self) -> bool:
        return bool(self.stored.strip()) and not self.differs


async def _compare(
    change: Change, arrival: Arrival, stored: _Stored, texts: list[_Text]
) -> CallReport:
    """Compare the texts of a stored call, each with that of a report, and their times."""
    if arrival.replayed:
        # Over this transport the end of the stored call came before the report.
        is_next = stored.over_at and await arrival.came_first(
            change, stored.subject, stored.over_at
        )
        return CallReport.OF_NEXT if is_next else CallReport.OF_CALL
    differs = any(text.differs for text in texts)
    differs_in_all = differs and not any(text.is_same for text in texts)
    silence = change.received - stored.touched_at
    if stored.is_seen and (
        not stored.is_newest or await arrival.is_behind(change, stored.subject, stored.began_at)
    ):
        return CallReport.OF_EARLIER if differs_in_all else CallReport.OF_CALL
    # Within the window the first report may come once more, after edits.
    is_late = change.happened - stored.happened_at <= REORDER_WINDOW
    is_repeat = stored.over_at is None or not any(t.differs for t in texts if not t.is_edited)
    if stored.is_seen and differs_in_all and not (is_late and is_repeat):
        return CallReport.OF_NEXT
    if stored.over_at is not None or not stored.is_seen:
        since = stored.touched_at if stored.over_at is None else stored.over_at
        may_precede = await arrival.may_precede(change, stored.subject, since)
        return CallReport.OF_CALL if may_precede else CallReport.OF_NEXT
    is_next = silence > REUSE_SILENCE or (differs and silence > DUPLICATE_WINDOW)
    return CallReport.OF_NEXT if is_next else CallReport.OF_CALL
