"""Taking over the calls and units that the CAD has, as pushes were lost while the bot was down.

What was pushed since the reading was asked for is newer and wins. What is only found here may be
old: it gets its card, and nobody is mentioned. Nothing ends that the CAD may only have left out.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

from db import dispatches, emergencies, stale_ends, units
from db.database import Reader
from db.emergencies import EmergencyCall
from webhook.cad.events.calls import (
    CLOSED,
    Call911,
    DispatchClosed,
    DispatchEdit,
    DispatchNew,
    Removed911,
)
from webhook.cad.events.event import CadEvent, InvalidPush, Members, emergency_subject
from webhook.cad.events.units import OFFLINE, UnitLogin, UnitLogout, UnitPanic, UnitUpdate
from webhook.cad.store import PushConfig, store_own
from webhook.cad_api.client import number_of
from webhook.protocol.context import Change, Context

PAGE = 100
"""Units that the CAD lists at once; of a full page the rest is not known."""

MAX_CALLS = 10_000
"""Calls of ours that are compared, of each kind."""

_Event = TypeVar("_Event", bound=CadEvent)

_COMPARED = ("title", "code", "address", "description", "status")


class Reading(NamedTuple):
    """What the CAD answered when its calls or units were read, and when that was asked."""

    cad: str
    kind: str
    data: Any
    sent_at: int

    def listed(self, *names: str) -> list[Members] | None:
        """Return the objects under one of these names, None if the CAD listed none at all."""
        data = self.data
        if isinstance(data, dict):
            data = next((data[name] for name in names if name in data), None)
        if not isinstance(data, list):
            return None
        return [item for item in data if isinstance(item, dict)]

    def active(self) -> list[Members] | None:
        return self.listed("ActiveCalls", "activeCalls")

    def emergencies(self) -> list[Members] | None:
        return self.listed("EmergencyCalls", "emergencyCalls")

    def marked_calls(self) -> Iterator[tuple[str, Members]]:
        """Return the calls that have a number and bear a mark of ours, by that mark."""
        for calls in (self.active(), self.emergencies(), self.listed("ClosedCalls", "closedCalls")):
            for call in calls or []:
                meta = call.get("metaData")
                mark = meta.get("uuid") if isinstance(meta, dict) else None
                if isinstance(mark, str) and number_of(call.get("callId")) is not None:
                    yield mark, call


async def reconcile(change: Change, context: Context, reading: Reading, config: PushConfig) -> None:
    """Store what a reading has that is not stored."""
    find = _calls if reading.kind == "calls" else _units
    events = await find(change.sql, reading)
    cad, since = reading.cad, reading.sent_at
    await store_own(change, context, cad, config, events, since, is_late=True)


async def _calls(sql: Reader, reading: Reading) -> list[CadEvent]:
    events: list[CadEvent] = []
    waiting, active = reading.emergencies(), reading.active()
    if waiting is not None:
        events += await _emergencies(sql, reading, waiting)
    if active is not None:
        events += await _dispatches(sql, reading, active)
    return events


async def _emergencies(sql: Reader, reading: Reading, listed: list[Members]) -> list[CadEvent]:
    events, there = list[CadEvent](), set[int]()
    for call in listed:
        for event in _read(Call911, {"call": call}):
            there.add(event.call_id)
            stored = await emergencies.get(sql, reading.cad, event.call_id)
            if stored is None or (
                stored.touched_at < reading.sent_at and await _differs(sql, stored, event)
            ):
                events.append(event)
    gone = [
        call.call_id
        for call in await emergencies.of_cad(sql, reading.cad, MAX_CALLS)
        if call.call_id not in there and call.touched_at < reading.sent_at
    ]
    return events + _read_each(Removed911, "callIds", gone)


async def _differs(sql: Reader, stored: EmergencyCall, event: Call911) -> bool:
    """Return whether the CAD has a 911 call with other texts, or again after its end.

    One that ended here for want of news may just be old.
    """
    if (stored.caller, stored.location, stored.description) != (
        event.caller,
        event.location,
        event.description,
    ):
        return True
    subject = emergency_subject(stored.repeats_key or stored.key)
    return stored.removed_at is not None and await stale_ends.get(sql, str(subject)) is None


async def _dispatches(sql: Reader, reading: Reading, listed: list[Members]) -> list[CadEvent]:
    events, there = list[CadEvent](), set[int]()
    for call in listed:
        for event in _read(DispatchEdit, {"dispatch": call}):
            there.add(event.call_id)
            if event.status == CLOSED:
                continue
            stored = await dispatches.get(sql, reading.cad, event.call_id)
            if stored is None or not stored.seen:
                events += _read(DispatchNew, {"dispatch": call})
                continue
            if stored.touched_at >= reading.sent_at:
                continue
            given = event.changes()
            on_call = await dispatches.units(sql, *stored.key)
            differs = stored.closed_at is not None or any(
                given[name] != getattr(stored, name) for name in _COMPARED if name in given
            )
            if differs or sorted(given.get("idents", on_call)) != on_call:
                events.append(event)
    gone = [
        call.call_id
        for call in await dispatches.of_cad(sql, reading.cad, MAX_CALLS)
        if call.call_id not in there and call.touched_at < reading.sent_at
    ]
    return events + _read_each(DispatchClosed, "callIds", gone)


async def _units(sql: Reader, reading: Reading) -> list[CadEvent]:
    listed = reading.listed("units", "Units")
    if listed is None:
        return []
    events, there = list[CadEvent](), set[int]()
    pressed, calm = list[int](), list[int]()
    for entry in listed:
        for update in _read(UnitUpdate, {"units": [entry]}):
            (report,) = update.units
            if report.status == OFFLINE:
                continue
            there.add(report.id)
            stored = await units.get(sql, reading.cad, report.id)
            if stored is not None and stored.updated_at >= reading.sent_at:
                continue
            if stored is None or not stored.on_duty:
                login = {"unit": report, "isDispatch": report.is_dispatch}
                events.append(UnitLogin.model_validate(login))
            elif any(
                value != getattr(stored, name)
                for name, value in report.changes().items()
                if name in units.PUSHED
            ):
                events.append(update)
            if "is_panic" in report.model_fields_set:
                (pressed if report.is_panic else calm).append(report.id)
    if len(listed) < PAGE:
        gone = [
            unit.ident
            for unit in await units.on_duty(sql)
            if unit.cad == reading.cad
            and unit.ident not in there
            and unit.updated_at < reading.sent_at
        ]
        events += _read_each(UnitLogout, "identIds", gone)
    for is_panic, idents in ((True, pressed), (False, calm)):
        if idents:
            events += _read(UnitPanic, {"identIds": idents, "isPanic": is_panic})
    return events


def _read(model: type[_Event], data: dict[str, Any]) -> list[_Event]:
    """Read an object as if it were pushed; one that cannot be read is left out."""
    try:
        return model.read(data)
    except InvalidPush:
        return []


def _read_each(model: type[_Event], name: str, ids: list[int]) -> list[_Event]:
    return _read(model, {name: ids}) if ids else []
