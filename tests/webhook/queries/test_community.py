"""Tiers and equipment types are those of the configuration."""

from db import community
from tests.webhook.harness import KINDS, SHOP, TIERS, AppHarness


async def test_tiers_and_types_are_those_on_offer(harness: AppHarness) -> None:
    number = await harness.add_property(**SHOP)
    async with harness.database.write() as sql:
        await community.replace(sql, TIERS[:1], KINDS[2:])
    assert await harness.ask("get-tiers") == {
        "tiers": [{"id": 1, "name": "Basic", "price": "59.99"}]
    }
    assert await harness.ask("get-equipment-types") == {
        "equipmentTypes": [{"type": 3, "name": "Drone"}]
    }
    detailed = await harness.ask("get-property-detailed", propertyId=number)
    assert (detailed["tier"], detailed["tier_name"]) == (2, "Premium")
    assert await harness.error_code("add-property", **SHOP) == "not-found"
    owned = await harness.ask("get-user-properties", userId="license:owner")
    assert owned["properties"][0]["value"] == "99.99"
