"""What the CAD's events change: units, panics and notices here, calls in `apply_*.py`.

Pushes are not numbered, rarely carry a time and arrive in any order, some twice. So they are stored
in such a way that the order of arrival matters as little as the events allow.

Every function returns the subjects of its event.
"""

from functools import singledispatch
from typing import Any

from db import notices, stale_ends, units
from webhook.cad.arrival import DUPLICATE_WINDOW, Arrival
from webhook.cad.calls import ToggleBodycam
from webhook.cad.events import (
    CadEvent,
    emergency_subject,
    notice_subject,
    panic_subject,
    unit_subjects,
)
from webhook.cad.matching import fold_earlier_calls
from webhook.cad.notices import Callout, PagerMessage, StationAlert
from webhook.cad.records import PrintRecord
from webhook.cad.units import (
    UnitGroupAdd,
    UnitGroupRemove,
    UnitGroupRename,
    UnitLogin,
    UnitLogout,
    UnitPanic,
    UnitStatus,
    UnitUpdate,
)
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

OFFLINE = "OFFLINE"

PANIC_REOPEN_WINDOW = 120_000
"""Milliseconds after its end within which another press of the button reopens a panic."""

_NOTICE_KINDS: dict[str, notices.Kind] = {
    PagerMessage.type: "pager",
    StationAlert.type: "station",
    Callout.type: "callout",
}


@singledispatch
async def apply(event: CadEvent, change: Change, arrival: Arrival) -> list[Subject]:
    """Store what an event changes and return its subjects; most events are only journalled."""
    return []


@apply.register
async def store_unit_login(event: UnitLogin, change: Change, arrival: Arrival) -> list[Subject]:
    values = event.unit.changes() | {"is_dispatch": event.is_dispatch, "on_duty": True}
    await _store_unit(change, arrival, event.unit.id, values)
    return unit_subjects(arrival.cad, [event.unit.id])


@apply.register
async def store_unit_logout(event: UnitLogout, change: Change, arrival: Arrival) -> list[Subject]:
    for ident in event.idents:
        await units.log_out(change.sql, arrival.cad, ident, change.received)
    ended = await units.clear_panic(change.sql, arrival.cad, event.idents, change.happened)
    return unit_subjects(arrival.cad, event.idents) + [
        panic_subject(panic_id) for panic_id in ended
    ]


@apply.register
async def store_unit_status(event: UnitStatus, change: Change, arrival: Arrival) -> list[Subject]:
    described = {unit.id: unit.changes() for unit in event.units}
    status = {"status": event.status, "status_code": event.status_code}
    for ident in event.idents:
        await _store_unit(change, arrival, ident, described.get(ident, {}) | status)
    return unit_subjects(arrival.cad, event.idents)


@apply.register
async def store_unit_update(event: UnitUpdate, change: Change, arrival: Arrival) -> list[Subject]:
    for unit in event.units:
        await _store_unit(change, arrival, unit.id, unit.changes())
    return unit_subjects(arrival.cad, [unit.id for unit in event.units])


@apply.register
async def store_group_add(event: UnitGroupAdd, change: Change, arrival: Arrival) -> list[Subject]:
    for ident in event.idents:
        await units.put(
            change.sql, arrival.cad, ident, {"group_name": event.group_name}, change.received
        )
    return unit_subjects(arrival.cad, event.idents)


@apply.register
async def store_group_remove(
    event: UnitGroupRemove, change: Change, arrival: Arrival
) -> list[Subject]:
    await units.leave_group(
        change.sql, arrival.cad, event.idents, event.group_name, change.received
    )
    return unit_subjects(arrival.cad, event.idents)


@apply.register
async def store_group_rename(
    event: UnitGroupRename, change: Change, arrival: Arrival
) -> list[Subject]:
    stored = (
        await units.members_of(change.sql, arrival.cad, event.old_name) if event.old_name else []
    )
    members = list(dict.fromkeys([*event.idents, *stored]))
    for ident in members:
        await units.put(
            change.sql, arrival.cad, ident, {"group_name": event.new_name}, change.received
        )
    return unit_subjects(arrival.cad, members)


@apply.register
async def name_units(
    event: ToggleBodycam | PrintRecord, change: Change, arrival: Arrival
) -> list[Subject]:
    return unit_subjects(arrival.cad, event.idents)


@apply.register
async def store_panic(event: UnitPanic, change: Change, arrival: Arrival) -> list[Subject]:
    if not event.is_panic:
        ended = await units.clear_panic(change.sql, arrival.cad, event.idents, change.happened)
        return [panic_subject(panic_id) for panic_id in ended]
    since = change.happened - PANIC_REOPEN_WINDOW
    reopened = await units.reopen_panics(
        change.sql, arrival.cad, event.idents, since, change.received
    )
    for panic_id in reopened:
        await stale_ends.forget(change.sql, str(panic_subject(panic_id)))
    going_on = await units.open_panics(change.sql, arrival.cad, event.idents)
    subjects = [panic_subject(panic_id) for panic_id in sorted(set(going_on.values()))]
    started = await units.start_panic(
        change.sql, arrival.cad, event.idents, change.received, change.age
    )
    begun = [] if started is None else [started]
    own_calls = [
        call
        for panic_id in [*begun, *reopened]
        for call in await fold_earlier_calls(change, arrival.cad, panic_id)
    ]
    # They may have cards of their own by now, which the panic's card replaces.
    own_subjects = [emergency_subject(call) for call in own_calls]
    return [*map(panic_subject, begun), *subjects, *own_subjects]


@apply.register
async def store_notice(
    event: PagerMessage | StationAlert | Callout, change: Change, arrival: Arrival
) -> list[Subject]:
    key = _callout_key(event) if isinstance(event, Callout) else ""
    data = event.model_dump_json(by_alias=True)
    kind = _NOTICE_KINDS[event.type]
    since = change.happened - (arrival.window or DUPLICATE_WINDOW)
    notice_id = await notices.put(
        change.sql, arrival.cad, kind, key, data, change.received, change.age, since=since
    )
    return [notice_subject(notice_id)]


def _callout_key(callout: Callout) -> str:
    """Return what tells callouts apart: the id is only their kind ("armed_suspect")."""
    if not callout.id:
        return ""
    return " ".join([callout.id, *(f"{at.x:.0f},{at.y:.0f}" for at in callout.locations)])


async def _store_unit(change: Change, arrival: Arrival, ident: int, values: dict[str, Any]) -> None:
    # `is_panic` is set by panics alone: a status from before one may arrive after it.
    if "group" in values:
        values["group_name"] = values["group"]
    if values.get("status") == OFFLINE:
        values["on_duty"] = False
    await units.put(change.sql, arrival.cad, ident, values, change.received)
