"""Units as the board and the commands see them: on duty, in groups, in panic, found by text."""

from typing import Any

import pytest

from db import units
from db.units import Unit
from tests.webhook.harness import AppHarness
from webhook.cad.store import store_push

CAD = "cad"


async def push(harness: AppHarness, kind: str, data: object, cad: str = CAD) -> None:
    await store_push(harness.context(), cad, {"type": kind, "data": data})


async def log_in(harness: AppHarness, ident: int, cad: str = CAD, **fields: Any) -> None:
    data = {"unitNum": f"U-{ident}", "name": f"Name {ident}", "department": "LSPD"} | fields
    await push(harness, "EVENT_UNIT_LOGIN", {"unit": {"id": ident, "data": data, "status": 2}}, cad)


async def known(harness: AppHarness, ident: int, cad: str = CAD) -> Unit:
    unit = await units.get(harness.database.read, cad, ident)
    assert unit is not None
    return unit


async def on_duty(harness: AppHarness) -> list[tuple[str, int]]:
    return [(unit.cad, unit.ident) for unit in await units.on_duty(harness.database.read)]


async def test_units_on_duty_are_sorted_by_cad_department_and_number(harness: AppHarness) -> None:
    await log_in(harness, 3, cad="second")
    await log_in(harness, 2, unitNum="B")
    await log_in(harness, 4, department="EMS")
    await log_in(harness, 1, unitNum="A")
    assert await on_duty(harness) == [("cad", 4), ("cad", 1), ("cad", 2), ("second", 3)]
    await push(harness, "EVENT_UNIT_LOGOUT", {"identId": 1})
    await push(harness, "EVENT_UNIT_STATUS", {"identIds": [2], "status": 100})
    assert await on_duty(harness) == [("cad", 4), ("second", 3)]


async def test_every_field_of_a_unit_is_stored(harness: AppHarness) -> None:
    unit = {"id": 1, "location": "[8031] Forum Dr", "status": 3, "isDispatch": True}
    await push(harness, "EVENT_UNIT_LOGIN", {"unit": unit | {"data": {"group": "Bike"}}})
    stored = await known(harness, 1)
    assert (stored.location, stored.group_name) == ("[8031] Forum Dr", "Bike")
    assert (stored.status, stored.status_code) == ("ENROUTE", 3)
    assert (stored.is_dispatch, stored.on_duty, stored.is_panic) == (1, 1, 0)
    await push(harness, "EVENT_UNIT_STATUS", {"identIds": [1], "status": "At lunch"})
    stored = await known(harness, 1)
    assert (stored.status, stored.status_code) == ("At lunch", None)


async def test_groups_are_joined_renamed_and_left(harness: AppHarness) -> None:
    for ident in (1, 2, 3):
        await log_in(harness, ident)
    await push(harness, "EVENT_UNIT_GROUP_ADD", {"identIds": [1, 2], "groupName": "Bike"})
    await push(
        harness,
        "EVENT_UNIT_GROUP_CHANGE_NAME",
        {"identIds": [3], "oldName": "Bike", "newName": "Air"},
    )
    assert [(await known(harness, ident)).group_name for ident in (1, 2, 3)] == ["Air"] * 3
    await push(harness, "EVENT_UNIT_GROUP_REMOVE", {"identId": 1, "groupName": "Bike"})
    await push(harness, "EVENT_UNIT_GROUP_REMOVE", {"identId": 2, "groupName": "Air"})
    await push(harness, "EVENT_UNIT_GROUP_REMOVE", {"identId": 3})
    assert [(await known(harness, ident)).group_name for ident in (1, 2, 3)] == ["Air", "", ""]
    await push(harness, "EVENT_UNIT_GROUP_CHANGE_NAME", {"oldName": "", "newName": "All"})
    assert (await known(harness, 2)).group_name == ""


async def test_log_out_ends_group_and_panic(harness: AppHarness) -> None:
    await log_in(harness, 1, group="Bike")
    await push(harness, "EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True})
    assert (await known(harness, 1)).is_panic
    await push(harness, "EVENT_UNIT_LOGOUT", {"identId": 1})
    stored = await known(harness, 1)
    assert (stored.on_duty, stored.group_name, stored.is_panic) == (0, "", 0)
    assert await units.open_panics(harness.database.read, CAD, [1]) == {}
    (*_, last) = await harness.journal_events()
    assert [str(subject) for subject in last.subjects] == ["unit:1@cad", "panic:1"]


async def test_only_panics_put_a_unit_into_panic(harness: AppHarness) -> None:
    await push(harness, "EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True})
    await push(harness, "EVENT_UNIT_UPDATE", {"units": [{"id": 1, "isPanic": False}]})
    assert (await known(harness, 1)).is_panic
    await push(harness, "EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": False})
    await push(harness, "EVENT_UNIT_UPDATE", {"units": [{"id": 1, "isPanic": True}]})
    assert not (await known(harness, 1)).is_panic


@pytest.mark.parametrize(("later", "back"), [(1_000, False), (3_600_000, True)])
async def test_push_long_after_a_log_out_puts_the_unit_on_duty(
    harness: AppHarness, later: int, back: bool
) -> None:
    await log_in(harness, 1)
    await push(harness, "EVENT_UNIT_LOGOUT", {"identId": 1})
    harness.clock.now += later
    await push(harness, "EVENT_UNIT_STATUS", {"identIds": [1], "status": 2})
    assert (await known(harness, 1)).on_duty == back


async def test_units_are_found_by_number_and_name(harness: AppHarness) -> None:
    await log_in(harness, 1, unitNum="1-A-12", name="Éva Pike")
    await log_in(harness, 2, unitNum="2-A-12", name="Wren", cad="second")
    await push(harness, "EVENT_UNIT_LOGOUT", {"identId": 1})
    for text, idents in (("a-12", [2, 1]), ("éVA", [1]), ("", [2, 1]), ("zzz", [])):
        assert [unit.ident for unit in await units.search(harness.database.read, text, 9)] == idents
    assert len(await units.search(harness.database.read, "", 1)) == 1
    await push(harness, "EVENT_UNIT_UPDATE", {"units": [{"id": 1, "data": {"name": "Kit"}}]})
    assert await units.search(harness.database.read, "éva", 9) == []
