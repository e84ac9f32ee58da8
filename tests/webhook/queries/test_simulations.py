"""Drills: what is removed with one, and what only looks like it."""

import pytest

from tests.webhook.harness import AppHarness
from webhook.queries import simulations


async def test_ending_a_drill_removes_its_properties_users_and_alarms(harness: AppHarness) -> None:
    drill = (await harness.ask("begin-simulation"))["simulationId"]
    other = (await harness.ask("begin-simulation"))["simulationId"]
    for number in (drill, other):
        place = await harness.add_property(clientId=f"simulation:{number}:vivian")
        await harness.ask("add-alert", propertyId=place, userId=f"simulation:{number}:rex")
        await harness.ask("add-crime", propertyId=place, clientId=f"simulation:{number}:rex")
    ended = await harness.ask("end-simulation", simulationId=drill)
    assert ended == {"success": True, "properties": 1, "users": 2}
    states = [alarm["state"] for alarm in (await harness.ask("get-alarms"))["alarms"]]
    assert states == ["waiting", "removed"]
    assert await harness.database.read.all(int, "SELECT property_id FROM crimes") == [2]
    (left,) = (await harness.ask("get-simulations"))["simulations"]
    assert left["simulationId"] == other
    assert await harness.error_code("end-simulation", simulationId=drill) == "not-found"


@pytest.mark.parametrize("owner", ["simulation:17:vivian", "simulation:x", "SIMULATION"])
async def test_users_and_properties_named_like_a_drill_stay(
    harness: AppHarness, owner: str
) -> None:
    drill = (await harness.ask("begin-simulation"))["simulationId"]
    place = await harness.add_property(clientId=owner, location="SIMULATION: villa")
    ended = await harness.ask("end-simulation", simulationId=drill)
    assert (ended["properties"], ended["users"]) == (0, 0)
    assert (await harness.ask("get-property", propertyId=place))["id"] == place


async def test_drills_of_earlier_versions_are_removed_too(harness: AppHarness) -> None:
    async with harness.database.write() as sql:  # as the migration does
        await sql.insert("simulations", id=0, pings=0)
    await harness.add_property(clientId="simulation:vivian-castellane")
    ended = await harness.ask("end-simulation", simulationId=0)
    assert ended == {"success": True, "properties": 1, "users": 1}


async def test_drills_that_are_never_ended_are_bounded(harness: AppHarness) -> None:
    for _ in range(simulations.MAX_DRILLS):
        await harness.ask("begin-simulation")
    assert await harness.error_code("begin-simulation") == "conflict"
