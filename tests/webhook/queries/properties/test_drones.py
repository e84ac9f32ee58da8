"""Drones: dispatched, recalled, listed; each is out once."""

import asyncio

from tests.webhook.harness import AppHarness

START_TEXT = "2026-11-22T09:30:00.123Z"


async def test_given_drone_is_dispatched_with_a_reason(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    drones = [await harness.add_equipment(property_id, 3, name) for name in ("Kestrel", "Merlin")]
    asked = {"propertyId": property_id, "droneId": str(drones[1]), "reason": "Alarm"}
    assert await harness.ask("dispatch-drone", **asked) == {"droneId": drones[1]}
    assert harness.take_events() == [
        ("drone-dispatched", {"propertyId": property_id, "droneId": drones[1]})
    ]
    assert await harness.error_code("dispatch-drone", **asked) == "conflict"
    camera = await harness.add_equipment(property_id, 1)
    elsewhere = await harness.add_property()
    for number, at in ((camera, property_id), (drones[0], elsewhere), (99, property_id)):
        assert (
            await harness.error_code("dispatch-drone", propertyId=at, droneId=number) == "not-found"
        )
    await harness.ask("recall-drone", droneId=drones[1])
    assert await harness.ask("dispatch-drone", propertyId=property_id) == {"droneId": drones[0]}


async def test_of_twenty_dispatches_of_one_drone_one_succeeds(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    await harness.add_equipment(property_id, 3)
    drone = await harness.add_equipment(property_id, 3)
    asked = {"propertyId": property_id, "droneId": drone}
    frames = await asyncio.gather(
        *(harness.frame("queries.dispatch-drone", asked) for _ in range(20))
    )
    assert sorted(frame["type"] for frame in frames) == ["dispatch-drone"] + ["error"] * 19


async def test_flights_are_listed_by_property_and_drone_newest_first(harness: AppHarness) -> None:
    property_id, other = await harness.add_property(), await harness.add_property()
    first, second = (
        await harness.add_equipment(property_id, 3, "A"),
        await harness.add_equipment(other, 3),
    )
    await harness.ask("dispatch-drone", propertyId=property_id, reason="Look")
    await harness.ask("recall-drone", droneId=first)
    await harness.ask("dispatch-drone", propertyId=property_id)
    await harness.ask("dispatch-drone", propertyId=other)

    async def listed(**asked: object) -> list[int]:
        return [row["id"] for row in (await harness.ask("get-drone-flights", **asked))["flights"]]

    assert await listed() == [3, 2, 1]
    assert await listed(propertyId=property_id) == [2, 1]
    assert await listed(droneId=second) == [3]
    assert await listed(propertyId=property_id, droneId=second) == []
    assert await listed(limit=1, offset=2) == [1]
    oldest = (await harness.ask("get-drone-flights", offset=2))["flights"][0]
    assert oldest == {
        "id": 1,
        "droneId": first,
        "propertyId": property_id,
        "description": "A",
        "reason": "Look",
        "dispatchedAt": START_TEXT,
        "dispatchedBy": "tester",
        "recalledAt": START_TEXT,
        "recalledBy": "tester",
    }
    newest = (await harness.ask("get-drone-flights"))["flights"][0]
    assert newest["recalledAt"] is newest["recalledBy"] is None


async def test_drone_is_dispatched_and_recalled(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    drone = await harness.add_equipment(property_id, 3, "Kestrel")
    free = {
        "drones": [{"id": str(drone), "droneId": drone, "description": "Kestrel"}],
        "droneIds": [drone],
    }
    assert await harness.ask("get-free-drones", propertyId=property_id) == free
    assert await harness.ask("dispatch-drone", propertyId=property_id) == {"droneId": drone}
    assert harness.take_events() == [
        ("drone-dispatched", {"propertyId": property_id, "droneId": drone})
    ]
    assert await harness.ask("get-free-drones", propertyId=property_id) == {
        "drones": [],
        "droneIds": [],
    }
    assert await harness.ask("get-dispatched-drones") == {
        "drones": [
            {
                "id": str(drone),
                "droneId": drone,
                "description": "Kestrel",
                "propertyId": property_id,
                "dispatchedAt": START_TEXT,
            }
        ],
        "total": 1,
        "limit": 10,
        "offset": 0,
    }
    frame = await harness.frame("queries.recall-drone", {"droneId": str(drone)})
    assert frame["type"] == "status"
    assert harness.take_events() == [
        ("drone-recalled", {"propertyId": property_id, "droneId": drone})
    ]
    assert await harness.ask("get-free-drones", propertyId=property_id) == free
    assert (await harness.ask("get-dispatched-drones"))["drones"] == []
    again = await harness.ask("recall-drone", droneId=drone)
    assert again == {"message": f"Drone {drone} is not out", "success": True, "changed": False}
    assert harness.take_events() == []


async def test_only_drones_are_dispatched(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    camera = await harness.add_equipment(property_id, 1)
    assert await harness.error_code("dispatch-drone", propertyId=property_id) == "conflict"
    assert await harness.error_code("dispatch-drone", propertyId=99) == "not-found"
    assert await harness.error_code("recall-drone", droneId=camera) == "not-found"
    assert await harness.error_code("recall-drone", droneId=99) == "not-found"


async def test_dispatched_drones_are_searched_and_paged(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    drones = [await harness.add_equipment(property_id, 3, f"Élan {n}%") for n in range(12)]
    for _ in drones:
        await harness.ask("dispatch-drone", propertyId=property_id)
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
    property_id = await harness.add_property()
    drones = {await harness.add_equipment(property_id, 3) for _ in range(2)}
    frames = await asyncio.gather(
        *(harness.frame("queries.dispatch-drone", {"propertyId": property_id}) for _ in range(20))
    )
    sent = [frame["data"]["droneId"] for frame in frames if frame["type"] == "dispatch-drone"]
    codes = [frame["data"]["code"] for frame in frames if frame["type"] == "error"]
    assert set(sent) == drones
    assert len(sent) == 2
    assert codes == ["conflict"] * 18
    assert len(harness.dump()["flights"]) == 2
    assert len(harness.take_events()) == 2
