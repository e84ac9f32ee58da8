"""The control room's own queries, and that the audit log tells what every query changed."""

import asyncio
from typing import Any

import orjson
import pytest

from db import audit
from tests.webhook.harness import START, AppHarness
from webhook.protocol.context import Caller, Scope
from webhook.protocol.errors import Forbidden
from webhook.queries.properties import Edit, edit_property
from webhook.queries.removals import (
    RemovalRequest,
    Withdrawal,
    request_remove_property,
    withdraw_remove_property,
)

START_TEXT = "2026-11-22T09:30:00.123Z"


async def records(harness: AppHarness) -> list[tuple[str, str, Any, Any]]:
    """Return what the audit log holds, oldest first, as (action, subject, before, after)."""
    found = await audit.page(harness.database.read, None, None, 1_000, 0)
    assert all((row.who, row.at) == ("tester", START) for row in found)
    return [
        (row.action, row.subject, orjson.loads(row.before), orjson.loads(row.after))
        for row in reversed(found)
    ]


async def test_a_certain_drone_goes_out_with_a_reason(harness: AppHarness) -> None:
    place = await harness.add_property()
    drones = [await harness.add_equipment(place, 3, name) for name in ("Kestrel", "Merlin")]
    asked = {"propertyId": place, "droneId": str(drones[1]), "reason": "Alarm"}
    assert await harness.ask("dispatch-drone", **asked) == {"droneId": drones[1]}
    assert harness.take_events() == [
        ("drone-dispatched", {"propertyId": place, "droneId": drones[1]})
    ]
    assert await harness.error_code("dispatch-drone", **asked) == "conflict"
    camera = await harness.add_equipment(place, 1)
    elsewhere = await harness.add_property()
    for number, at in ((camera, place), (drones[0], elsewhere), (99, place)):
        assert (
            await harness.error_code("dispatch-drone", propertyId=at, droneId=number) == "not-found"
        )
    await harness.ask("recall-drone", droneId=drones[1])
    assert await harness.ask("dispatch-drone", propertyId=place) == {"droneId": drones[0]}


async def test_twenty_at_once_send_a_certain_drone_out_once(harness: AppHarness) -> None:
    place = await harness.add_property()
    await harness.add_equipment(place, 3)
    drone = await harness.add_equipment(place, 3)
    asked = {"propertyId": place, "droneId": drone}
    frames = await asyncio.gather(
        *(harness.frame("queries.dispatch-drone", asked) for _ in range(20))
    )
    assert sorted(frame["type"] for frame in frames) == ["dispatch-drone"] + ["error"] * 19


async def test_flights_are_listed_by_property_and_drone_newest_first(harness: AppHarness) -> None:
    place, other = await harness.add_property(), await harness.add_property()
    first, second = (
        await harness.add_equipment(place, 3, "A"),
        await harness.add_equipment(other, 3),
    )
    await harness.ask("dispatch-drone", propertyId=place, reason="Look")
    await harness.ask("recall-drone", droneId=first)
    await harness.ask("dispatch-drone", propertyId=place)
    await harness.ask("dispatch-drone", propertyId=other)

    async def listed(**asked: object) -> list[int]:
        return [row["id"] for row in (await harness.ask("get-drone-flights", **asked))["flights"]]

    assert await listed() == [3, 2, 1]
    assert await listed(propertyId=place) == [2, 1]
    assert await listed(droneId=second) == [3]
    assert await listed(propertyId=place, droneId=second) == []
    assert await listed(limit=1, offset=2) == [1]
    oldest = (await harness.ask("get-drone-flights", offset=2))["flights"][0]
    assert oldest == {
        "id": 1,
        "droneId": first,
        "propertyId": place,
        "description": "A",
        "reason": "Look",
        "dispatchedAt": START_TEXT,
        "dispatchedBy": "tester",
        "recalledAt": START_TEXT,
        "recalledBy": "tester",
    }
    newest = (await harness.ask("get-drone-flights"))["flights"][0]
    assert newest["recalledAt"] is newest["recalledBy"] is None


async def test_an_edit_changes_all_that_is_given_or_nothing(harness: AppHarness) -> None:
    place = await harness.add_property(width=10, height=10)
    asked = {"propertyId": place, "x": 5, "width": 30, "tier": 2, "status": "open"}
    await harness.ask("edit-property", **asked)
    assert [name for name, _ in harness.take_events()] == [
        "property-size-changed",
        "property-coordinates-changed",
        "property-tier-changed",
        "property-status-change",
    ]
    stored = await harness.ask("get-property", propertyId=place)
    assert (stored["x"], stored["y"], stored["width"], stored["height"]) == (5, -20, 30, 10)
    assert (stored["tier"], stored["status"]) == (2, "OPEN")
    before = harness.dump()
    await harness.ask("edit-property", **asked)
    for field, wrong, code in (
        ("tier", 9, "not-found"),
        ("status", "removed", "conflict"),
        ("ifStatus", "pending", "conflict"),
        ("x", 10**7, "invalid-data"),
    ):
        refused = {"propertyId": place, "height": 99, field: wrong}
        assert await harness.error_code("edit-property", **refused) == code
    assert harness.dump() == before
    assert harness.take_events() == []
    await harness.ask("edit-property", propertyId=place, height=99, ifStatus="open")


async def test_a_person_needs_the_approver_role_to_change_a_status_that_approvers_decide_on(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()
    dispatcher = harness.context().of(Caller("discord:1", Scope.WRITE, ("discord:1",)))
    opened = Edit(property_id=number, status="OPEN")
    with pytest.raises(Forbidden):
        await edit_property(dispatcher, opened)
    await edit_property(dispatcher, Edit(property_id=number, x=5))
    await edit_property(harness.context(Scope.WRITE), opened)
    await edit_property(dispatcher, Edit(property_id=number, status="SHUT"))
    await request_remove_property(dispatcher, RemovalRequest(property_id=number))
    with pytest.raises(Forbidden):
        await edit_property(dispatcher, opened)


async def test_of_two_who_decide_at_once_one_does(harness: AppHarness) -> None:
    place = await harness.add_property()

    async def decide(status: str) -> None:
        asked = Edit(property_id=place, status=status, if_status="PENDING")
        await edit_property(harness.context(), asked)

    outcomes = await asyncio.gather(
        *(decide(status) for status in ["ACTIVE", "REJECTED"] * 5), return_exceptions=True
    )
    assert outcomes.count(None) == 1


async def test_a_removal_is_withdrawn_by_who_asked_for_whom_or_by_an_approver(
    harness: AppHarness,
) -> None:
    place = await harness.add_property()
    dora, vic = (harness.context(Scope.WRITE, name) for name in ("dora", "vic"))
    approver = harness.context(Scope.APPROVE, "anna")
    for context, user, may in (
        (dora, None, True),
        (vic, None, False),
        (vic, "license:owner", True),
        (vic, "license:asker", True),
        (vic, "license:other", False),
        (approver, None, True),
    ):
        asked = RemovalRequest(property_id=place, user_id="license:asker")
        await request_remove_property(dora, asked)
        withdrawal = Withdrawal(property_id=place, user_id=user)
        harness.take_events()
        if may:
            await withdraw_remove_property(context, withdrawal)
            assert harness.take_events() == [("withdrawn-remove-property", {"propertyId": place})]
            stored = await harness.ask("get-property", propertyId=place)
            assert stored["status"] == "PENDING"
        else:
            with pytest.raises(Forbidden, match="only who asked"):
                await withdraw_remove_property(context, withdrawal)
            assert harness.take_events() == []
            await withdraw_remove_property(dora, Withdrawal(property_id=place))
    assert await harness.error_code("withdraw-remove-property", propertyId=place) == "conflict"
    assert await harness.error_code("withdraw-remove-property", propertyId=99) == "not-found"


async def test_crimes_are_counted_for_as_many_days_as_asked(harness: AppHarness) -> None:
    await harness.ask("add-crime")
    counted = (await harness.ask("get-crimes-in-area", days=5))["crimes"]
    assert counted == [{"day": day, "count": int(day == 1)} for day in range(1, 6)]
    for days in (0, 32):
        assert await harness.error_code("get-crimes-in-area", days=days) == "invalid-data"


async def test_every_change_is_audited_with_what_differs(harness: AppHarness) -> None:
    place = await harness.add_property(location="Villa", description="pool")
    added = {
        "id": place,
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
    villa, drone = f"property:{place}", "equipment:1"
    none: dict[str, object] = {}
    expected: list[tuple[str, str, object, object]] = [("add-property", villa, none, added)]

    async def after(name: str, *wanted: tuple[str, str, object, object], **asked: object) -> None:
        await harness.ask(name, **asked)
        expected.extend(wanted)
        assert await records(harness) == expected, name

    one = {"propertyId": place}
    size = ("edit-property", villa, {"width": 0, "height": 0}, {"width": 3, "height": 4})
    await after("change-property-size", size, **one, width=3, height=4)
    await after("change-property-size", **one, width=3, height=4)
    moved = ("edit-property", villa, {"x": 10}, {"x": 11})
    await after("change-property-coordinates", moved, **one, x=11, y=-20)
    tier = ("edit-property", villa, {"tier": 1}, {"tier": 2})
    await after("change-property-tier", tier, **one, tier=2)
    status = ("edit-property", villa, {"status": "PENDING"}, {"status": "ACTIVE"})
    await after("change-property-status", status, **one, status="active")
    piece = {"property": place, "type": 3, "description": "Roof"}
    await after(
        "add-equipment",
        ("add-equipment", drone, none, piece),
        **one,
        equipmentType=3,
        description="Roof",
    )
    out = {"out": True, "property": place}
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
    gone = ("remove-user", "user:u1", {"fullName": "Wren", "allowedAt": [place]}, none)
    await after("remove-user", gone, userId="u1")
    requested = (
        "request-remove-property",
        villa,
        {"status": "ACTIVE"},
        {"status": "REMOVED", "reason": "Moving", "for": None},
    )
    await after("request-remove-property", requested, **one, reason="Moving")
    await after("request-remove-property", **one, reason="Moving")
    again = {"status": "REMOVED"}, {"status": "ACTIVE"}
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


async def test_a_removal_at_once_and_lost_equipment_are_audited(harness: AppHarness) -> None:
    place = await harness.add_property()
    piece = await harness.add_equipment(place, 1, "Gate")
    await harness.ask("remove-equipment", propertyId=place, equipmentId=piece)
    await harness.ask("remove-property", propertyId=place)
    lost, gone = (await records(harness))[-2:]
    kept = {"property": place, "type": 1, "description": "Gate"}
    assert lost == ("remove-equipment", f"equipment:{piece}", kept, {})
    assert gone[:2] == ("remove-property", f"property:{place}")
    assert gone[2]["location"] == "Forum Dr"
