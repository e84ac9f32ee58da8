"""A change of status ends requests and approvals, and is about every card that shows it."""

from dataclasses import replace

import pytest

from db import approvals
from tests.webhook.house import House
from webhook.protocol.context import ApprovalRules, Caller, Context, Scope
from webhook.queries.approvals import approve_property, restore_property
from webhook.queries.models import OfProperty
from webhook.queries.removals import (
    RemovalRequest,
    approve_remove_property,
    request_remove_property,
)


def approver(house: House, name: str) -> Context:
    """Return the context of a member who may approve, where two must."""
    caller = Caller(f"discord:{name}", Scope.APPROVE, (f"discord:{name}",))
    return replace(house.context().of(caller), approvals=ApprovalRules(approvers=2))


async def status_of(house: House, property_id: int) -> str:
    status: str = (await house.ask("get-property", propertyId=property_id))["status"]
    return status


async def subjects_of_last_event(house: House) -> set[str]:
    return {str(subject) for subject in (await house.journalled())[-1].subjects}


async def set_status(house: House, property_id: int, status: str) -> None:
    await house.ask("change-property-status", propertyId=property_id, status=status)


async def test_an_approval_does_not_survive_a_change_of_status(house: House) -> None:
    number = await house.add_property()
    ask = OfProperty(property_id=number)
    await approve_property(approver(house, "anna"), ask)
    assert await status_of(house, number) == "PENDING"
    await set_status(house, number, "ACTIVE")
    await set_status(house, number, "PENDING")
    await approve_property(approver(house, "bert"), ask)
    assert await status_of(house, number) == "PENDING"
    await approve_property(approver(house, "anna"), ask)
    assert await status_of(house, number) == "ACTIVE"


async def test_an_approval_does_not_survive_a_removal(house: House) -> None:
    number = await house.add_property()
    ask = OfProperty(property_id=number)
    await approve_property(approver(house, "anna"), ask)
    await house.ask("remove-property", propertyId=number)
    await restore_property(approver(house, "anna"), ask)
    await approve_property(approver(house, "bert"), ask)
    assert await status_of(house, number) == "PENDING"


async def test_an_approved_removal_leaves_no_approvals_behind(house: House) -> None:
    number = await house.add_property()
    ask = OfProperty(property_id=number)
    await request_remove_property(house.context(), RemovalRequest(property_id=number))
    for name in ("anna", "bert"):
        await approve_remove_property(approver(house, name), ask)
    assert await house.refused("get-property", propertyId=number) == "not-found"
    assert await approvals.of_subject(house.database.read, "removal:1") == []


async def test_a_property_removed_during_a_request_is_restored_with_its_earlier_status(
    house: House,
) -> None:
    number = await house.add_property()
    await set_status(house, number, "LOCKDOWN")
    await house.ask("request-remove-property", propertyId=number)
    await house.ask("remove-property", propertyId=number)
    await house.ask("restore-property", propertyId=number)
    assert await status_of(house, number) == "LOCKDOWN"
    await house.ask("request-remove-property", propertyId=number)
    await house.ask("deny-remove-property", propertyId=number)
    assert await status_of(house, number) == "LOCKDOWN"


async def test_a_property_is_restored_with_the_status_before_its_last_removal(
    house: House,
) -> None:
    number = await house.add_property()
    await set_status(house, number, "ACTIVE")
    await house.ask("request-remove-property", propertyId=number)
    await house.ask("approve-remove-property", propertyId=number)
    house.clock.now += 1
    await house.ask("restore-property", propertyId=number)
    assert await status_of(house, number) == "ACTIVE"
    await set_status(house, number, "LOCKDOWN")
    house.clock.now += 1
    await house.ask("remove-property", propertyId=number)
    await house.ask("restore-property", propertyId=number)
    assert await status_of(house, number) == "LOCKDOWN"


async def test_a_property_that_an_earlier_version_left_removed_can_be_requested_and_denied(
    house: House,
) -> None:
    number = await house.add_property()
    await set_status(house, number, "ACTIVE")
    await house.ask("request-remove-property", propertyId=number)
    async with house.database.write() as sql:
        await sql.run("UPDATE removals SET outcome = 'withdrawn', settled_by = '', settled_at = 1")
    await house.ask("request-remove-property", propertyId=number)
    await house.ask("deny-remove-property", propertyId=number)
    assert await status_of(house, number) == "ACTIVE"


@pytest.mark.parametrize(
    ("before", "after"), [("ACTIVE", "PENDING"), ("PENDING", "ACTIVE"), ("REJECTED", "PENDING")]
)
async def test_the_approvals_card_is_about_the_status_before_and_after(
    house: House, before: str, after: str
) -> None:
    number = await house.add_property()
    await set_status(house, number, before)
    await set_status(house, number, after)
    assert await subjects_of_last_event(house) == {f"property:{number}", f"approval:{number}"}


async def test_every_way_out_of_a_request_is_about_the_request(house: House) -> None:
    number = await house.add_property()
    await set_status(house, number, "ACTIVE")
    ways = ("deny-remove-property", "withdraw-remove-property", "approve-remove-property")
    for request, way in enumerate(ways, 1):
        await house.ask("request-remove-property", propertyId=number)
        assert await subjects_of_last_event(house) == {f"property:{number}", f"removal:{request}"}
        await house.ask(way, propertyId=number)
        assert await subjects_of_last_event(house) == {f"property:{number}", f"removal:{request}"}
    await house.ask("restore-property", propertyId=number)
    assert await subjects_of_last_event(house) == {f"property:{number}", "removal:3"}
    await house.ask("request-remove-property", propertyId=number)
    await set_status(house, number, "ACTIVE")
    assert await subjects_of_last_event(house) == {f"property:{number}", "removal:4"}
