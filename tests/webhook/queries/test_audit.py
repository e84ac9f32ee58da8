"""The audit log holds what every query changed."""

from typing import Any

import orjson

from db import audit
from tests.webhook.harness import START, AppHarness


async def records(harness: AppHarness) -> list[tuple[str, str, Any, Any]]:
    """Return what the audit log holds, oldest first, as (action, subject, before, after)."""
    found = await audit.page(harness.database.read, None, None, 1_000, 0)
    assert all((row.who, row.at) == ("tester", START) for row in found)
    return [
        (row.action, row.subject, orjson.loads(row.before), orjson.loads(row.after))
        for row in reversed(found)
    ]


async def test_every_change_is_audited_with_what_differs(harness: AppHarness) -> None:
    property_id = await harness.add_property(location="Villa", description="pool")
    added = {
        "id": property_id,
        "location": "Villa",
        "tier": 1,
        "x": 10,
        "y": -20,
        "width": 0,
        "height": 0,
        "status": "PENDING",
        "description": "pool",
        "owner": "license:owner",
    }
    villa, drone = f"property:{property_id}", "equipment:1"
    none: dict[str, object] = {}
    expected: list[tuple[str, str, object, object]] = [("add-property", villa, none, added)]

    async def after(name: str, *wanted: tuple[str, str, object, object], **asked: object) -> None:
        await harness.ask(name, **asked)
        expected.extend(wanted)
        assert await records(harness) == expected, name

    one = {"propertyId": property_id}
    size = ("edit-property", villa, {"width": 0, "height": 0}, {"width": 3, "height": 4})
    await after("change-property-size", size, **one, width=3, height=4)
    await after("change-property-size", **one, width=3, height=4)
    moved = ("edit-property", villa, {"x": 10}, {"x": 11})
    await after("change-property-coordinates", moved, **one, x=11, y=-20)
    tier = ("edit-property", villa, {"tier": 1}, {"tier": 2})
    await after("change-property-tier", tier, **one, tier=2)
    status = ("edit-property", villa, {"status": "PENDING"}, {"status": "active"})
    await after("change-property-status", status, **one, status="active")
    piece = {"property": property_id, "type": 3, "description": "Roof"}
    await after(
        "add-equipment",
        ("add-equipment", drone, none, piece),
        **one,
        equipmentType=3,
        description="Roof",
    )
    out = {"out": True, "property": property_id}
    sent = ("dispatch-drone", drone, {"out": False}, out | {"reason": "Look"})
    await after("dispatch-drone", sent, **one, reason="Look")
    back = ("recall-drone", drone, out, {"out": False})
    await after("recall-drone", back, droneId=1)
    allowed = ("add-allowed-user", villa, none, {"allowed": "u1"})
    await after("add-allowed-user", allowed, **one, userId="u1")
    await after("add-allowed-user", **one, userId="u1")
    named = ("add-user", "user:u1", {"fullName": "u1"}, {"fullName": "Wren"})
    await after("add-user", named, userId="u1", fullName="Wren")
    await after("add-user", userId="u1", fullName="Wren")
    denied = ("remove-allowed-user", villa, {"allowed": "u1"}, none)
    await after("remove-allowed-user", denied, **one, userId="u1")
    await after("add-allowed-user", allowed, **one, userId="u1")
    gone = ("remove-user", "user:u1", {"fullName": "Wren", "allowedAt": [property_id]}, none)
    await after("remove-user", gone, userId="u1")
    requested = (
        "request-remove-property",
        villa,
        {"status": "active"},
        {"status": "REMOVED", "reason": "Moving", "for": None},
    )
    await after("request-remove-property", requested, **one, reason="Moving")
    await after("request-remove-property", **one, reason="Moving")
    again = {"status": "REMOVED"}, {"status": "active"}
    no = ("deny-remove-property", villa, again[0], again[1] | {"reason": "No"})
    await after("deny-remove-property", no, **one, reason="No")
    await after("request-remove-property", requested, **one, reason="Moving")
    withdrawn = ("withdraw-remove-property", villa, again[0], again[1] | {"for": None})
    await after("withdraw-remove-property", withdrawn, **one)
    for name in ("add-alert", "add-auth-entry"):
        await after(name, **one, userId="u2")
    await after("add-crime", **one)
    await after("request-remove-property", requested, **one, reason="Moving")
    last = added | {"tier": 2, "x": 11, "width": 3, "height": 4, "status": "REMOVED"}
    await after("dispatch-drone", sent, **one, reason="Look")
    approved = ("approve-remove-property", villa, last, none)
    await after("approve-remove-property", back, approved, **one)


async def test_removals_of_properties_and_equipment_are_audited(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    piece = await harness.add_equipment(property_id, 1, "Gate")
    await harness.ask("remove-equipment", propertyId=property_id, equipmentId=piece)
    await harness.ask("remove-property", propertyId=property_id)
    lost, gone = (await records(harness))[-2:]
    kept = {"property": property_id, "type": 1, "description": "Gate"}
    assert lost == ("remove-equipment", f"equipment:{piece}", kept, {})
    assert gone[:2] == ("remove-property", f"property:{property_id}")
    assert gone[2]["location"] == "Forum Dr"
