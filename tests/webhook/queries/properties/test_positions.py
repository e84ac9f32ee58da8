"""Exact positions beside the whole coordinates, in every query that says where a property is."""

from typing import Any

import pytest

from tests.webhook.harness import AppHarness

EXACT = {"x": -857.37, "y": 697.62, "z": 148.01}


async def position_of(harness: AppHarness, number: int) -> tuple[int, int, Any]:
    """Return x, y and the position of a property's answer."""
    data = await harness.ask("get-property", propertyId=number)
    assert data["property"].get("position") == data.get("position")
    return data["x"], data["y"], data.get("position")


async def test_property_without_fractions_has_no_position(harness: AppHarness) -> None:
    new = {"location": "Forum Dr", "tier": 1, "clientId": "license:owner"}
    added = await harness.ask("add-property", **new, x=3.0, y="4")
    assert await position_of(harness, added["id"]) == (3, 4, None)
    [(_, event)] = harness.take_events()
    assert "position" not in event


async def test_fractions_are_kept_beside_the_nearest_metres(harness: AppHarness) -> None:
    new = {"location": "Forum Dr", "tier": 1, "clientId": "license:owner"}
    added = await harness.ask("add-property", **new, x=-857.37, y="44.5")
    assert await position_of(harness, added["id"]) == (-857, 44, {"x": -857.37, "y": 44.5})
    [(_, event)] = harness.take_events()
    assert event["position"] == {"x": -857.37, "y": 44.5}


async def test_height_beside_the_coordinates_is_kept(harness: AppHarness) -> None:
    number = await harness.add_property(x=3, y=4, z="7.5", position=[])
    assert await position_of(harness, number) == (3, 4, {"x": 3, "y": 4, "z": 7.5})


@pytest.mark.parametrize("position", [EXACT, list(EXACT.values())])
@pytest.mark.parametrize("query", ["change-property-coordinates", "edit-property"])
async def test_position_moves_a_property(harness: AppHarness, query: str, position: object) -> None:
    number = await harness.add_property(x=1, y=2)
    await harness.ask(query, propertyId=number, position=position)
    assert await position_of(harness, number) == (-857, 698, EXACT)
    [(name, event)] = harness.take_events()
    assert name == "property-coordinates-changed"
    assert event == {"propertyId": number, "x": -857, "y": 698, "position": EXACT}
    await harness.ask(query, propertyId=number, x=5, y=6)
    assert await position_of(harness, number) == (5, 6, None)


async def test_same_position_again_changes_nothing(harness: AppHarness) -> None:
    number = await harness.add_property(position=EXACT, x=None, y=None)
    await harness.ask("change-property-coordinates", propertyId=number, position=EXACT)
    [(_, event)] = harness.take_events()
    assert event["changed"] is False
    assert event["position"] == EXACT
    await harness.ask("change-property-coordinates", propertyId=number, position=EXACT | {"z": 9})
    [(_, event)] = harness.take_events()
    assert "changed" not in event


async def test_put_takes_a_position(harness: AppHarness) -> None:
    house = {"external": {"source": "ps-housing", "id": 17}, "location": "Villa", "owner": "o"}
    answer = await harness.ask("put-property", **house, position=EXACT)
    assert await position_of(harness, answer["id"]) == (-857, 698, EXACT)
    again = await harness.ask("put-property", **house, position=EXACT)
    assert again["changed"] is False


@pytest.mark.parametrize(
    "position", [{"x": "a", "y": 1}, {"x": 1}, {"x": 1e9, "y": 0.5}, {}, [1], {"x": [], "y": {}}]
)
async def test_unreadable_position_is_an_error(harness: AppHarness, position: object) -> None:
    number = await harness.add_property(x=1, y=2)
    ask = {"propertyId": number, "position": position}
    assert await harness.error_code("change-property-coordinates", **ask) == "invalid-data"
    assert await position_of(harness, number) == (1, 2, None)


async def test_text_in_place_of_a_position_loses_only_the_position(harness: AppHarness) -> None:
    number = await harness.add_property(x=7, y=8, position="vector3(7, 8, 9)")
    assert await position_of(harness, number) == (7, 8, None)
