"""What the CAD's events change in units, their groups and their panics."""

from typing import Any

from db import stale_ends, units
from webhook.cad.apply.event import apply
from webhook.cad.apply.matching import fold_earlier_calls
from webhook.cad.arrival import Arrival
from webhook.cad.events.calls import ToggleBodycam
from webhook.cad.events.event import emergency_subject, panic_subject, unit_subjects
from webhook.cad.events.records import PrintRecord
from webhook.cad.events.units import (
    OFFLINE,
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

PANIC_REOPEN_WINDOW = 120_000
"""Milliseconds after its end within which another press of the button reopens a panic."""


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


async def _store_unit(change: Change, arrival: Arrival, ident: int, values: dict[str, Any]) -> None:
    # `is_panic` is set by panics alone: a status from before one may arrive after it.
    if "group" in values:
        values["group_name"] = values["group"]
    if values.get("status") == OFFLINE:
        values["on_duty"] = False
    await units.put(change.sql, arrival.cad, ident, values, change.received)
