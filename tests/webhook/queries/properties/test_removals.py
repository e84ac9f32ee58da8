"""Requests to remove a property: approved, denied, withdrawn."""

import asyncio

import pytest

from tests.webhook.harness import AppHarness
from webhook.protocol.context import Scope
from webhook.protocol.errors import Forbidden
from webhook.queries.properties.removals import (
    RemovalRequest,
    Withdrawal,
    request_remove_property,
    withdraw_remove_property,
)


def status_event(
    property_id: int, status: str, previous: str, cause: str
) -> tuple[str, dict[str, object]]:
    """Return the event that tells a new status to those who watch nothing else."""
    told = {"propertyId": property_id, "status": status, "previous": previous}
    return "property-status-change", told | {"cause": f"events.{cause}"}


async def test_requester_owner_and_approver_may_withdraw_a_removal(
    harness: AppHarness,
) -> None:
    property_id = await harness.add_property()
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
        asked = RemovalRequest(property_id=property_id, user_id="license:asker")
        await request_remove_property(dora, asked)
        withdrawal = Withdrawal(property_id=property_id, user_id=user)
        harness.take_events()
        if may:
            await withdraw_remove_property(context, withdrawal)
            assert harness.take_events() == [
                ("withdrawn-remove-property", {"propertyId": property_id}),
                status_event(property_id, "PENDING", "REMOVED", "withdrawn-remove-property"),
            ]
            stored = await harness.ask("get-property", propertyId=property_id)
            assert stored["status"] == "PENDING"
        else:
            with pytest.raises(Forbidden, match="only the requester"):
                await withdraw_remove_property(context, withdrawal)
            assert harness.take_events() == []
            await withdraw_remove_property(dora, Withdrawal(property_id=property_id))
    assert (
        await harness.error_code("withdraw-remove-property", propertyId=property_id) == "conflict"
    )
    assert await harness.error_code("withdraw-remove-property", propertyId=99) == "not-found"


async def test_removal_is_requested_once(harness: AppHarness) -> None:
    property_id = await harness.add_property(clientId="owner")
    for _ in range(2):
        done = await harness.ask(
            "request-remove-property", propertyId=property_id, userId="u1", reason="moved away"
        )
        assert done == {"success": True}
    assert harness.take_events() == [
        (
            "requested-remove-property",
            {"propertyId": property_id, "userId": "u1", "reason": "moved away"},
        ),
        status_event(property_id, "REMOVED", "PENDING", "requested-remove-property"),
    ]
    shown = (await harness.ask("get-property", propertyId=property_id))["property"]
    assert shown["status"] == "REMOVED"
    assert await harness.ask("get-requested-remove-properties") == {
        "properties": [shown | {"clientId": "owner"}]
    }
    for search, found in (("forum", [shown]), ("%", [])):
        page = await harness.ask("search-removal-properties", search=search)
        assert (page["properties"], page["total"]) == (found, len(found))
    assert (await harness.ask("get-user", userId="u1"))["fullName"] == "u1"


async def test_approved_removal_takes_the_property_away(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    drone = await harness.add_equipment(property_id, 3)
    await harness.ask("dispatch-drone", propertyId=property_id)
    await harness.ask("request-remove-property", propertyId=property_id)
    harness.take_events()
    assert await harness.ask("approve-remove-property", propertyId=property_id) == {"success": True}
    assert harness.take_events() == [
        ("drone-recalled", {"propertyId": property_id, "droneId": drone}),
        ("approved-remove-property", {"propertyId": property_id}),
        status_event(property_id, "REMOVED", "REMOVED", "approved-remove-property"),
    ]
    assert await harness.error_code("get-property", propertyId=property_id) == "not-found"
    assert await harness.ask("get-requested-remove-properties") == {"properties": []}
    assert (
        await harness.error_code("approve-remove-property", propertyId=property_id) == "not-found"
    )


@pytest.mark.parametrize("reason", [None, "still in use"])
async def test_denied_removal_brings_the_earlier_status_back(
    harness: AppHarness, reason: str | None
) -> None:
    property_id = await harness.add_property()
    await harness.ask("change-property-status", propertyId=property_id, status="open")
    await harness.ask("request-remove-property", propertyId=property_id)
    harness.take_events()
    given = {} if reason is None else {"reason": reason}
    denied = await harness.ask("deny-remove-property", propertyId=property_id, **given)
    assert denied == {"success": True}
    assert harness.take_events() == [
        ("denied-remove-property", {"propertyId": property_id} | given),
        status_event(property_id, "open", "REMOVED", "denied-remove-property"),
    ]
    assert (await harness.ask("get-property", propertyId=property_id))["status"] == "open"
    assert await harness.error_code("deny-remove-property", propertyId=property_id) == "conflict"


async def test_only_requested_removals_are_approved_or_denied(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    for query in ("approve-remove-property", "deny-remove-property"):
        assert await harness.error_code(query, propertyId=property_id) == "conflict"
        assert await harness.error_code(query, propertyId=99) == "not-found"
    assert await harness.error_code("request-remove-property", propertyId=99) == "not-found"


async def test_another_status_withdraws_the_request(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    await harness.ask("request-remove-property", propertyId=property_id)
    harness.take_events()
    await harness.ask("change-property-status", propertyId=property_id, status="pending")
    assert harness.take_events() == [
        (
            "property-status-change",
            {"propertyId": property_id, "status": "pending", "previous": "REMOVED"},
        )
    ]
    assert await harness.error_code("approve-remove-property", propertyId=property_id) == "conflict"
    assert await harness.ask("get-requested-remove-properties") == {"properties": []}
    await harness.ask("request-remove-property", propertyId=property_id)
    told = [event for event in harness.take_events() if "cause" not in event[1]]
    assert len(told) == 1


async def test_removed_property_has_no_open_request_left(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    await harness.ask("request-remove-property", propertyId=property_id)
    await harness.ask("remove-property", propertyId=property_id)
    outcomes = await harness.database.read.all(str, "SELECT outcome FROM removals")
    assert outcomes == ["withdrawn"]


async def test_of_an_approval_and_a_denial_at_once_one_succeeds(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    await harness.ask("request-remove-property", propertyId=property_id)
    harness.take_events()
    frames = await asyncio.gather(
        *(
            harness.frame(
                f"queries.{kind}-remove-property", {"propertyId": property_id}, Scope.APPROVE
            )
            for kind in ["approve", "deny"] * 5
        )
    )
    assert sum(frame["type"] != "error" for frame in frames) == 1
    told = [event for event in harness.take_events() if "cause" not in event[1]]
    assert len(told) == 1


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
@pytest.mark.parametrize("name", ["approve-remove-property", "deny-remove-property"])
async def test_deciding_on_a_removal_needs_the_scope_approve(
    harness: AppHarness, name: str, scope: Scope
) -> None:
    frame = await harness.frame(f"queries.{name}", {"propertyId": 1}, scope)
    assert frame["data"]["code"] == "forbidden"
    frame = await harness.frame(f"queries.{name}", {"propertyId": 1}, Scope.APPROVE)
    assert frame["data"]["code"] == "not-found"
