"""The queries on equipment, drones and removals."""

import asyncio

import pytest

from tests.webhook.harness import AppHarness
from webhook.protocol.context import Scope

START_TEXT = "2026-11-22T09:30:00.123Z"


@pytest.mark.parametrize("suffix", ["", "-property"])
async def test_equipment_is_added_listed_and_removed(harness: AppHarness, suffix: str) -> None:
    place = await harness.add_property()
    asked = {"propertyId": str(place), "equipmentType": "2", "description": "door"}
    added = await harness.ask(f"add-equipment{suffix}", **asked)
    number = added["id"]
    assert added == {"id": number}
    assert harness.take_events() == [
        (
            "property-equipment-change",
            {
                "propertyId": place,
                "equipmentId": number,
                "equipmentType": 2,
                "description": "door",
            },
        )
    ]
    listed = await harness.ask(f"get-equipment{suffix}", propertyId=place)
    assert listed == {
        "equipment": [{"id": number, "type": 2, "description": "door", "name": "Badge reader"}]
    }
    gone = await harness.ask(f"remove-equipment{suffix}", propertyId=place, equipmentId=number)
    assert gone == {"success": True}
    assert harness.take_events() == [
        ("property-equipment-change", {"propertyId": place, "equipmentId": number})
    ]
    assert await harness.ask(f"get-equipment{suffix}", propertyId=place) == {"equipment": []}
    assert (
        await harness.error_code(f"remove-equipment{suffix}", propertyId=place, equipmentId=number)
        == "not-found"
    )


async def test_equipment_of_an_unknown_type_or_property_is_not_found(harness: AppHarness) -> None:
    place = await harness.add_property()
    asked = {"equipmentType": 3, "description": ""}
    assert await harness.error_code("add-equipment", propertyId=99, **asked) == "not-found"
    wrong = asked | {"equipmentType": 9}
    assert await harness.error_code("add-equipment", propertyId=place, **wrong) == "not-found"


async def test_equipment_of_another_property_cannot_be_removed(harness: AppHarness) -> None:
    place, other = await harness.add_property(), await harness.add_property()
    drone = await harness.add_equipment(place, 3)
    code = await harness.error_code("remove-equipment", propertyId=other, equipmentId=drone)
    assert code == "not-found"


async def test_a_drone_goes_out_and_comes_back(harness: AppHarness) -> None:
    place = await harness.add_property()
    drone = await harness.add_equipment(place, 3, "Kestrel")
    free = {"drones": [{"id": str(drone), "description": "Kestrel"}]}
    assert await harness.ask("get-free-drones", propertyId=place) == free
    assert await harness.ask("dispatch-drone", propertyId=place) == {"droneId": drone}
    assert harness.take_events() == [("drone-dispatched", {"propertyId": place, "droneId": drone})]
    assert await harness.ask("get-free-drones", propertyId=place) == {"drones": []}
    assert await harness.ask("get-dispatched-drones") == {
        "drones": [
            {
                "id": str(drone),
                "description": "Kestrel",
                "propertyId": place,
                "dispatchedAt": START_TEXT,
            }
        ]
    }
    frame = await harness.frame("queries.recall-drone", {"droneId": str(drone)})
    assert frame["type"] == "status"
    assert harness.take_events() == [("drone-recalled", {"propertyId": place, "droneId": drone})]
    assert await harness.ask("get-free-drones", propertyId=place) == free
    assert await harness.ask("get-dispatched-drones") == {"drones": []}
    assert await harness.error_code("recall-drone", droneId=drone) == "conflict"


async def test_what_is_no_drone_does_not_fly(harness: AppHarness) -> None:
    place = await harness.add_property()
    camera = await harness.add_equipment(place, 1)
    assert await harness.error_code("dispatch-drone", propertyId=place) == "conflict"
    assert await harness.error_code("dispatch-drone", propertyId=99) == "not-found"
    assert await harness.error_code("recall-drone", droneId=camera) == "not-found"
    assert await harness.error_code("recall-drone", droneId=99) == "not-found"


async def test_a_drone_that_is_out_cannot_be_removed(harness: AppHarness) -> None:
    place = await harness.add_property()
    drone = await harness.add_equipment(place, 3)
    await harness.ask("dispatch-drone", propertyId=place)
    asked = {"propertyId": place, "equipmentId": drone}
    assert await harness.error_code("remove-equipment", **asked) == "conflict"
    await harness.ask("recall-drone", droneId=drone)
    await harness.ask("remove-equipment", **asked)
    assert await harness.error_code("recall-drone", droneId=drone) == "not-found"


async def test_dispatched_drones_are_searched_and_paged(harness: AppHarness) -> None:
    place = await harness.add_property()
    drones = [await harness.add_equipment(place, 3, f"Élan {n}%") for n in range(12)]
    for _ in drones:
        await harness.ask("dispatch-drone", propertyId=place)
    listed = (await harness.ask("get-dispatched-drones"))["drones"]
    assert [row["id"] for row in listed] == [str(drone) for drone in drones[:10]]
    found = (await harness.ask("get-dispatched-drones", search="éLAN 7%"))["drones"]
    assert [row["description"] for row in found] == ["Élan 7%"]
    by_id = (await harness.ask("get-dispatched-drones", search=str(drones[-1])))["drones"]
    assert str(drones[-1]) in [row["id"] for row in by_id]
    page = (await harness.ask("get-dispatched-drones", limit=1, offset=11))["drones"]
    assert [row["id"] for row in page] == [str(drones[-1])]


async def test_twenty_dispatches_at_once_for_two_drones_are_two_flights(
    harness: AppHarness,
) -> None:
    place = await harness.add_property()
    drones = {await harness.add_equipment(place, 3) for _ in range(2)}
    frames = await asyncio.gather(
        *(harness.frame("queries.dispatch-drone", {"propertyId": place}) for _ in range(20))
    )
    sent = [frame["data"]["droneId"] for frame in frames if frame["type"] == "dispatch-drone"]
    codes = [frame["data"]["code"] for frame in frames if frame["type"] == "error"]
    assert set(sent) == drones
    assert len(sent) == 2
    assert codes == ["conflict"] * 18
    assert len(harness.dump()["flights"]) == 2
    assert len(harness.take_events()) == 2


async def test_a_removal_is_requested_once(harness: AppHarness) -> None:
    place = await harness.add_property(clientId="owner")
    for _ in range(2):
        done = await harness.ask(
            "request-remove-property", propertyId=place, userId="u1", reason="moved away"
        )
        assert done == {"success": True}
    assert harness.take_events() == [
        (
            "requested-remove-property",
            {"propertyId": place, "userId": "u1", "reason": "moved away"},
        )
    ]
    shown = await harness.ask("get-property", propertyId=place)
    assert shown["status"] == "REMOVED"
    assert await harness.ask("get-requested-remove-properties") == {
        "properties": [shown | {"clientId": "owner"}]
    }
    assert await harness.ask("search-removal-properties", search="forum") == {"properties": [shown]}
    assert await harness.ask("search-removal-properties", search="%") == {"properties": []}
    assert (await harness.ask("get-user", userId="u1"))["fullName"] == "u1"


async def test_an_approved_removal_takes_the_property_away(harness: AppHarness) -> None:
    place = await harness.add_property()
    drone = await harness.add_equipment(place, 3)
    await harness.ask("dispatch-drone", propertyId=place)
    await harness.ask("request-remove-property", propertyId=place)
    harness.take_events()
    assert await harness.ask("approve-remove-property", propertyId=place) == {"success": True}
    assert harness.take_events() == [
        ("drone-recalled", {"propertyId": place, "droneId": drone}),
        ("approved-remove-property", {"propertyId": place}),
    ]
    assert await harness.error_code("get-property", propertyId=place) == "not-found"
    assert await harness.ask("get-requested-remove-properties") == {"properties": []}
    assert await harness.error_code("approve-remove-property", propertyId=place) == "not-found"


@pytest.mark.parametrize("reason", [None, "still in use"])
async def test_a_denied_removal_brings_the_earlier_status_back(
    harness: AppHarness, reason: str | None
) -> None:
    place = await harness.add_property()
    await harness.ask("change-property-status", propertyId=place, status="open")
    await harness.ask("request-remove-property", propertyId=place)
    harness.take_events()
    given = {} if reason is None else {"reason": reason}
    denied = await harness.ask("deny-remove-property", propertyId=place, **given)
    assert denied == {"success": True}
    assert harness.take_events() == [("denied-remove-property", {"propertyId": place} | given)]
    assert (await harness.ask("get-property", propertyId=place))["status"] == "OPEN"
    assert await harness.error_code("deny-remove-property", propertyId=place) == "conflict"


async def test_what_was_not_requested_cannot_be_settled(harness: AppHarness) -> None:
    place = await harness.add_property()
    for query in ("approve-remove-property", "deny-remove-property"):
        assert await harness.error_code(query, propertyId=place) == "conflict"
        assert await harness.error_code(query, propertyId=99) == "not-found"
    assert await harness.error_code("request-remove-property", propertyId=99) == "not-found"


async def test_another_status_withdraws_the_request(harness: AppHarness) -> None:
    place = await harness.add_property()
    await harness.ask("request-remove-property", propertyId=place)
    harness.take_events()
    await harness.ask("change-property-status", propertyId=place, status="pending")
    assert harness.take_events() == [
        (
            "property-status-change",
            {"propertyId": place, "status": "PENDING", "previous": "REMOVED"},
        )
    ]
    assert await harness.error_code("approve-remove-property", propertyId=place) == "conflict"
    assert await harness.ask("get-requested-remove-properties") == {"properties": []}
    await harness.ask("request-remove-property", propertyId=place)
    assert len(harness.take_events()) == 1


async def test_a_removed_property_has_no_open_request_left(harness: AppHarness) -> None:
    place = await harness.add_property()
    await harness.ask("request-remove-property", propertyId=place)
    await harness.ask("remove-property", propertyId=place)
    outcomes = await harness.database.read.all(str, "SELECT outcome FROM removals")
    assert outcomes == ["withdrawn"]


async def test_approving_and_denying_at_once_settle_it_once(harness: AppHarness) -> None:
    place = await harness.add_property()
    await harness.ask("request-remove-property", propertyId=place)
    harness.take_events()
    frames = await asyncio.gather(
        *(
            harness.frame(f"queries.{kind}-remove-property", {"propertyId": place}, Scope.APPROVE)
            for kind in ["approve", "deny"] * 5
        )
    )
    assert sum(frame["type"] != "error" for frame in frames) == 1
    assert len(harness.take_events()) == 1
