"""Equipment: added, listed, removed."""

import pytest

from tests.webhook.harness import AppHarness


@pytest.mark.parametrize("suffix", ["", "-property"])
async def test_equipment_is_added_listed_and_removed(harness: AppHarness, suffix: str) -> None:
    property_id = await harness.add_property()
    asked = {"propertyId": str(property_id), "equipmentType": "2", "description": "door"}
    added = await harness.ask(f"add-equipment{suffix}", **asked)
    number = added["id"]
    assert added == {"id": number}
    assert harness.take_events() == [
        (
            "property-equipment-change",
            {
                "propertyId": property_id,
                "equipmentId": number,
                "equipmentType": 2,
                "description": "door",
            },
        )
    ]
    listed = await harness.ask(f"get-equipment{suffix}", propertyId=property_id)
    assert listed == {
        "equipment": [{"id": number, "type": 2, "description": "door", "name": "Badge reader"}]
    }
    gone = await harness.ask(
        f"remove-equipment{suffix}", propertyId=property_id, equipmentId=number
    )
    assert gone == {"success": True, "changed": True}
    assert harness.take_events() == [
        ("property-equipment-change", {"propertyId": property_id, "equipmentId": number})
    ]
    assert await harness.ask(f"get-equipment{suffix}", propertyId=property_id) == {"equipment": []}
    again = await harness.ask(
        f"remove-equipment{suffix}", propertyId=property_id, equipmentId=number
    )
    assert again == {"success": True, "changed": False}
    assert harness.take_events() == []


async def test_equipment_of_an_unknown_type_or_property_is_not_found(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    asked = {"equipmentType": 3, "description": ""}
    assert await harness.error_code("add-equipment", propertyId=99, **asked) == "not-found"
    wrong = asked | {"equipmentType": 9}
    assert await harness.error_code("add-equipment", propertyId=property_id, **wrong) == "not-found"


async def test_equipment_of_another_property_cannot_be_removed(harness: AppHarness) -> None:
    property_id, other = await harness.add_property(), await harness.add_property()
    drone = await harness.add_equipment(property_id, 3)
    code = await harness.error_code("remove-equipment", propertyId=other, equipmentId=drone)
    assert code == "not-found"


async def test_drone_that_is_out_cannot_be_removed(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    drone = await harness.add_equipment(property_id, 3)
    await harness.ask("dispatch-drone", propertyId=property_id)
    asked = {"propertyId": property_id, "equipmentId": drone}
    assert await harness.error_code("remove-equipment", **asked) == "conflict"
    await harness.ask("recall-drone", droneId=drone)
    await harness.ask("remove-equipment", **asked)
    assert await harness.error_code("recall-drone", droneId=drone) == "not-found"
