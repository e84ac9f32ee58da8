"""Every documented query, asked as loosely as a script in the game would."""

import pytest

from tests.seed import SEED_QUERIES
from tests.webhook.harness import AppHarness

NOTHING: list[object] = []
"""An empty table, as FXServer's Lua writes it."""

PROPERTY = {"propertyId": "1.0", "reason": None}
USER_AT_PROPERTY = {"propertyId": 1.0, "user": " License:Guest "}
PAGE = {"limit": "5", "page": 1.0, "offset": None, "search": None}

ASKED: dict[str, object] = {
    "get-user": {"id": "LICENSE:owner"},
    "get-users": PAGE,
    "get-user-properties": {"user": "License:Owner"},
    "dispatch-drone": PROPERTY,
    "get-dispatched-drones": NOTHING,
    "get-free-drones": PROPERTY,
    "recall-drone": {"droneId": "2"},
    "add-property": {
        "location": "Forum Dr",
        "tier": "premium",
        "x": -857.23,
        "y": "12.6",
        "description": None,
        "owner": 7.0,
    },
    "remove-property": PROPERTY,
    "get-property": PROPERTY,
    "get-property-detailed": PROPERTY,
    "get-properties": NOTHING,
    "change-property-size": PROPERTY | {"width": "20.4", "height": 10.5},
    "change-property-coordinates": PROPERTY | {"x": -13.5, "y": "7"},
    "change-property-status": PROPERTY | {"status": " Sold "},
    "change-property-tier": PROPERTY | {"tier": "3"},
    "get-pending-properties": NOTHING,
    "search-pending-properties": PAGE,
    "search-removal-properties": PAGE,
    "request-remove-property": PROPERTY,
    "get-requested-remove-properties": NOTHING,
    "approve-remove-property": PROPERTY,
    "add-equipment": PROPERTY | {"type": "camera"},
    "remove-equipment": PROPERTY | {"equipmentId": 99.0},
    "get-equipment": PROPERTY,
    "get-allowed-users": PROPERTY | {"userId": "x"},
    "add-allowed-user": USER_AT_PROPERTY,
    "remove-allowed-user": USER_AT_PROPERTY,
    "get-alerts": PROPERTY | {"limit": None},
    "add-alert": USER_AT_PROPERTY | {"note": 911},
    "add-visitor": USER_AT_PROPERTY | {"cameraId": ""},
    "get-weekly-visitors": PROPERTY,
    "get-scanned-visitors": PROPERTY | {"from": "2026-11-4", "to": "2026-11-22"},
    "get-crimes-in-area": {"userId": "x", "propertyId": "5", "radius": None},
    "add-crime": NOTHING,
    "get-auth-entries": PROPERTY,
    "add-auth-entry": USER_AT_PROPERTY | {"allowed": "", "method": 2.0, "reason": 7},
}


def test_every_documented_query_is_asked() -> None:
    assert ASKED.keys() == set(SEED_QUERIES)


@pytest.mark.parametrize("name", ASKED)
async def test_loose_input_is_taken(harness: AppHarness, name: str) -> None:
    number = await harness.add_property(clientId="license:OWNER")
    await harness.add_equipment(number, 1)
    await harness.add_equipment(number, 3)
    if name == "approve-remove-property":
        await harness.ask("request-remove-property", propertyId=number)
    frame = await harness.frame(f"queries.{name}**", ASKED[name])
    assert frame["type"] in (name, "status"), frame
