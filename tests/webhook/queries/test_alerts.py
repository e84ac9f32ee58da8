"""Alerts: each press is stored, published and listed."""

from tests.webhook.harness import AppHarness

AT = "2026-11-22T09:30:00.123Z"


async def test_alerts_are_published_and_listed_newest_first(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    numbers = []
    for user in ("u1", "u2", "u3"):
        added = await harness.ask("add-alert", propertyId=property_id, userId=user)
        assert added == {"success": True, "id": added["id"]}
        numbers.append(added["id"])
    assert harness.take_events()[0] == (
        "alerts",
        {"propertyId": str(property_id), "user": "u1", "alertId": numbers[0], "timestamp": AT},
    )
    page = await harness.ask("get-alerts", propertyId=property_id, limit=2, offset=1)
    assert page == {
        "alerts": [
            {"id": numbers[1], "userId": "u2", "timestamp": AT},
            {"id": numbers[0], "userId": "u1", "timestamp": AT},
        ]
    }
