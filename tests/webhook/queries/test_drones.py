"""The queries on equipment, drones and removals."""

import asyncio

import pytest

from tests.webhook.house import House
from webhook.protocol.context import Scope

START_TEXT = "2026-11-22T09:30:00.123Z"


@pytest.mark.parametrize("suffix", ["", "-property"])
async def test_equipment_is_added_listed_and_removed(house: House, suffix: str) -> None:
    place = await house.add_property()
    asked = {"propertyId": str(place), "equipmentType": "2", "description": "door"}
    added = await house.ask(f"add-equipment{suffix}", **asked)
    number = added["id"]
    assert added == {"id": number}
    assert house.told() == [
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
    listed = await house.ask(f"get-equipment{suffix}", propertyId=place)
    assert listed == {
        "equipment": [{"id": number, "type": 2, "description": "door", "name": "Badge reader"}]
    }
    gone = await house.ask(f"remove-equipment{suffix}", propertyId=place, equipmentId=number)
    assert gone == {"success": True}
    assert house.told() == [
        ("property-equipment-change", {"propertyId": place, "equipmentId": number})
    ]
    assert await house.ask(f"get-equipment{suffix}", propertyId=place) == {"equipment": []}
    assert (
        await house.refused(f"remove-equipment{suffix}", propertyId=place, equipmentId=number)
        == "not-found"
    )


async def test_equipment_of_an_unknown_type_or_property_is_not_found(house: House) -> None:
    place = await house.add_property()
    asked = {"equipmentType": 3, "description": ""}
    assert await house.refused("add-equipment", propertyId=99, **asked) == "not-found"
    wrong = asked | {"equipmentType": 9}
    assert await house.refused("add-equipment", propertyId=place, **wrong) == "not-found"


async def test_equipment_of_another_property_cannot_be_removed(house: House) -> None:
    place, other = await house.add_property(), await house.add_property()
    drone = await house.add_equipment(place, 3)
    code = await house.refused("remove-equipment", propertyId=other, equipmentId=drone)
    assert code == "not-found"


async def test_a_drone_goes_out_and_comes_back(house: House) -> None:
    place = await house.add_property()
    drone = await house.add_equipment(place, 3, "Kestrel")
    free = {"drones": [{"id": str(drone), "description": "Kestrel"}]}
    assert await house.ask("get-free-drones", propertyId=place) == free
    assert await house.ask("dispatch-drone", propertyId=place) == {"droneId": drone}
    assert house.told() == [("drone-dispatched", {"propertyId": place, "droneId": drone})]
    assert await house.ask("get-free-drones", propertyId=place) == {"drones": []}
    assert await house.ask("get-dispatched-drones") == {
        "drones": [
            {
                "id": str(drone),
                "description": "Kestrel",
                "propertyId": place,
                "dispatchedAt": START_TEXT,
            }
        ]
    }
    frame = await house.frame("queries.recall-drone", {"droneId": str(drone)})
    assert frame["type"] == "status"
    assert house.told() == [("drone-recalled", {"propertyId": place, "droneId": drone})]
    assert await house.ask("get-free-drones", propertyId=place) == free
    assert await house.ask("get-dispatched-drones") == {"drones": []}
    assert await house.refused("recall-drone", droneId=drone) == "conflict"


async def test_what_is_no_drone_does_not_fly(house: House) -> None:
    place = await house.add_property()
    camera = await house.add_equipment(place, 1)
    assert await house.refused("dispatch-drone", propertyId=place) == "conflict"
    assert await house.refused("dispatch-drone", propertyId=99) == "not-found"
    assert await house.refused("recall-drone", droneId=camera) == "not-found"
    assert await house.refused("recall-drone", droneId=99) == "not-found"


async def test_a_drone_that_is_out_cannot_be_removed(house: House) -> None:
    place = await house.add_property()
    drone = await house.add_equipment(place, 3)
    await house.ask("dispatch-drone", propertyId=place)
    asked = {"propertyId": place, "equipmentId": drone}
    assert await house.refused("remove-equipment", **asked) == "conflict"
    await house.ask("recall-drone", droneId=drone)
    await house.ask("remove-equipment", **asked)
    assert await house.refused("recall-drone", droneId=drone) == "not-found"


async def test_dispatched_drones_are_searched_and_paged(house: House) -> None:
    place = await house.add_property()
    drones = [await house.add_equipment(place, 3, f"Élan {n}%") for n in range(12)]
    for _ in drones:
        await house.ask("dispatch-drone", propertyId=place)
    listed = (await house.ask("get-dispatched-drones"))["drones"]
    assert [row["id"] for row in listed] == [str(drone) for drone in drones[:10]]
    found = (await house.ask("get-dispatched-drones", search="éLAN 7%"))["drones"]
    assert [row["description"] for row in found] == ["Élan 7%"]
    by_id = (await house.ask("get-dispatched-drones", search=str(drones[-1])))["drones"]
    assert str(drones[-1]) in [row["id"] for row in by_id]
    page = (await house.ask("get-dispatched-drones", limit=1, offset=11))["drones"]
    assert [row["id"] for row in page] == [str(drones[-1])]


async def test_twenty_dispatches_at_once_for_two_drones_are_two_flights(house: House) -> None:
    place = await house.add_property()
    drones = {await house.add_equipment(place, 3) for _ in range(2)}
    frames = await asyncio.gather(
        *(house.frame("queries.dispatch-drone", {"propertyId": place}) for _ in range(20))
    )
    sent = [frame["data"]["droneId"] for frame in frames if frame["type"] == "dispatch-drone"]
    codes = [frame["data"]["code"] for frame in frames if frame["type"] == "error"]
    assert set(sent) == drones
    assert len(sent) == 2
    assert codes == ["conflict"] * 18
    assert len(house.dump()["flights"]) == 2
    assert len(house.told()) == 2


async def test_a_removal_is_requested_once(house: House) -> None:
    place = await house.add_property(clientId="owner")
    for _ in range(2):
        done = await house.ask(
            "request-remove-property", propertyId=place, userId="u1", reason="moved away"
        )
        assert done == {"success": True}
    assert house.told() == [
        (
            "requested-remove-property",
            {"propertyId": place, "userId": "u1", "reason": "moved away"},
        )
    ]
    shown = await house.ask("get-property", propertyId=place)
    assert shown["status"] == "REMOVED"
    assert await house.ask("get-requested-remove-properties") == {
        "properties": [shown | {"clientId": "owner"}]
    }
    assert await house.ask("search-removal-properties", search="forum") == {"properties": [shown]}
    assert await house.ask("search-removal-properties", search="%") == {"properties": []}
    assert (await house.ask("get-user", userId="u1"))["fullName"] == "u1"


async def test_an_approved_removal_takes_the_property_away(house: House) -> None:
    place = await house.add_property()
    drone = await house.add_equipment(place, 3)
    await house.ask("dispatch-drone", propertyId=place)
    await house.ask("request-remove-property", propertyId=place)
    house.told()
    assert await house.ask("approve-remove-property", propertyId=place) == {"success": True}
    assert house.told() == [
        ("drone-recalled", {"propertyId": place, "droneId": drone}),
        ("approved-remove-property", {"propertyId": place}),
    ]
    assert await house.refused("get-property", propertyId=place) == "not-found"
    assert await house.ask("get-requested-remove-properties") == {"properties": []}
    assert await house.refused("approve-remove-property", propertyId=place) == "not-found"


@pytest.mark.parametrize("reason", [None, "still in use"])
async def test_a_denied_removal_brings_the_earlier_status_back(
    house: House, reason: str | None
) -> None:
    place = await house.add_property()
    await house.ask("change-property-status", propertyId=place, status="open")
    await house.ask("request-remove-property", propertyId=place)
    house.told()
    given = {} if reason is None else {"reason": reason}
    denied = await house.ask("deny-remove-property", propertyId=place, **given)
    assert denied == {"success": True}
    assert house.told() == [("denied-remove-property", {"propertyId": place} | given)]
    assert (await house.ask("get-property", propertyId=place))["status"] == "OPEN"
    assert await house.refused("deny-remove-property", propertyId=place) == "conflict"


async def test_what_was_not_requested_cannot_be_settled(house: House) -> None:
    place = await house.add_property()
    for query in ("approve-remove-property", "deny-remove-property"):
        assert await house.refused(query, propertyId=place) == "conflict"
        assert await house.refused(query, propertyId=99) == "not-found"
    assert await house.refused("request-remove-property", propertyId=99) == "not-found"


async def test_another_status_withdraws_the_request(house: House) -> None:
    place = await house.add_property()
    await house.ask("request-remove-property", propertyId=place)
    house.told()
    await house.ask("change-property-status", propertyId=place, status="pending")
    assert house.told() == [
        (
            "property-status-change",
            {"propertyId": place, "status": "PENDING", "previous": "REMOVED"},
        )
    ]
    assert await house.refused("approve-remove-property", propertyId=place) == "conflict"
    assert await house.ask("get-requested-remove-properties") == {"properties": []}
    await house.ask("request-remove-property", propertyId=place)
    assert len(house.told()) == 1


async def test_a_removed_property_has_no_open_request_left(house: House) -> None:
    place = await house.add_property()
    await house.ask("request-remove-property", propertyId=place)
    await house.ask("remove-property", propertyId=place)
    outcomes = await house.database.read.all(str, "SELECT outcome FROM removals")
    assert outcomes == ["withdrawn"]


async def test_approving_and_denying_at_once_settle_it_once(house: House) -> None:
    place = await house.add_property()
    await house.ask("request-remove-property", propertyId=place)
    house.told()
    frames = await asyncio.gather(
        *(
            house.frame(f"queries.{kind}-remove-property", {"propertyId": place}, Scope.APPROVE)
            for kind in ["approve", "deny"] * 5
        )
    )
    assert sum(frame["type"] != "error" for frame in frames) == 1
    assert len(house.told()) == 1
