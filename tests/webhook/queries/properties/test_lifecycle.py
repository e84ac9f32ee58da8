"""A change of status ends requests and approvals, and is about every card that shows it."""

from dataclasses import replace

import pytest

from db import approvals
from tests.webhook.harness import AppHarness
from webhook.protocol.context import ApprovalRules, Caller, Context, Scope
from webhook.protocol.errors import Conflict
from webhook.queries.models import OfProperty, SearchPage
from webhook.queries.properties.approvals import (
    OfRemovedProperty,
    approve_property,
    restore_property,
)
from webhook.queries.properties.edits import PropertyEdit, edit_property
from webhook.queries.properties.removals import (
    RemovalRequest,
    approve_remove_property,
    request_remove_property,
    suggest_removals,
)


def approver(harness: AppHarness, name: str) -> Context:
    """Return the context of a member who may approve, where two must."""
    caller = Caller(f"discord:{name}", Scope.APPROVE, (f"discord:{name}",))
    return replace(harness.context().of(caller), approvals=ApprovalRules(approvers=2))


async def status_of(harness: AppHarness, property_id: int) -> str:
    status: str = (await harness.ask("get-property", propertyId=property_id))["status"]
    return status


async def subjects_of_last_event(harness: AppHarness) -> set[str]:
    return {str(subject) for subject in (await harness.journal_events())[-1].subjects}


async def set_status(harness: AppHarness, property_id: int, status: str) -> None:
    await harness.ask("change-property-status", propertyId=property_id, status=status)


async def test_approval_does_not_survive_a_change_of_status(harness: AppHarness) -> None:
    number = await harness.add_property()
    ask = OfProperty(property_id=number)
    await approve_property(approver(harness, "anna"), ask)
    assert await status_of(harness, number) == "PENDING"
    await set_status(harness, number, "ACTIVE")
    await set_status(harness, number, "PENDING")
    await approve_property(approver(harness, "bert"), ask)
    assert await status_of(harness, number) == "PENDING"
    await approve_property(approver(harness, "anna"), ask)
    assert await status_of(harness, number) == "ACTIVE"


async def test_edit_of_the_status_needs_as_many_approvers_as_an_approval(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()
    ask = PropertyEdit(property_id=number, status="ACTIVE")
    with pytest.raises(Conflict):
        await edit_property(approver(harness, "anna"), ask)
    with pytest.raises(Conflict):
        await edit_property(approver(harness, "anna"), ask)
    await approve_property(approver(harness, "anna"), OfProperty(property_id=number))
    await edit_property(approver(harness, "bert"), ask)
    assert await status_of(harness, number) == "ACTIVE"


async def test_editing_the_status_does_not_approve_ones_own_property(harness: AppHarness) -> None:
    number = await harness.add_property(clientId="discord:anna")
    context = replace(approver(harness, "anna"), approvals=ApprovalRules(own=False))
    for status in ("ACTIVE", "OPEN"):
        with pytest.raises(Conflict):
            await edit_property(context, PropertyEdit(property_id=number, status=status))
    await edit_property(context, PropertyEdit(property_id=number, status="REJECTED"))
    with pytest.raises(Conflict):
        await edit_property(context, PropertyEdit(property_id=number, status="ACTIVE"))


async def test_approval_does_not_survive_a_removal(harness: AppHarness) -> None:
    number = await harness.add_property()
    ask = OfProperty(property_id=number)
    await approve_property(approver(harness, "anna"), ask)
    await harness.ask("remove-property", propertyId=number)
    await harness.ask("restore-property", propertyId=number)
    await approve_property(approver(harness, "bert"), ask)
    assert await status_of(harness, number) == "PENDING"


async def test_approvals_of_a_removal_stay_with_it_and_count_for_no_other(
    harness: AppHarness,
) -> None:
    async def approved_by(removal: int) -> list[str]:
        found = await approvals.of_subject(harness.database.read, f"removal:{removal}")
        return [approval.who for approval in found]

    number = await harness.add_property()
    ask = OfProperty(property_id=number)
    await request_remove_property(harness.context(), RemovalRequest(property_id=number))
    for name in ("anna", "bert"):
        await approve_remove_property(approver(harness, name), ask)
    assert await harness.error_code("get-property", propertyId=number) == "not-found"
    await harness.ask("restore-property", propertyId=number)
    await request_remove_property(harness.context(), RemovalRequest(property_id=number))
    await approve_remove_property(approver(harness, "anna"), ask)
    assert await status_of(harness, number) == "REMOVED"  # it waits for another one
    assert await approved_by(1) == ["discord:anna", "discord:bert"]
    assert await approved_by(2) == ["discord:anna"]


async def test_approval_does_not_survive_an_edit_of_what_was_approved(harness: AppHarness) -> None:
    number = await harness.add_property()
    ask = OfProperty(property_id=number)
    await approve_property(approver(harness, "anna"), ask)
    change = PropertyEdit(property_id=number, width=900, height=900)
    await edit_property(approver(harness, "bert"), change)
    await approve_property(approver(harness, "bert"), ask)
    assert await status_of(harness, number) == "PENDING"
    await approve_property(approver(harness, "anna"), ask)
    assert await status_of(harness, number) == "ACTIVE"


async def test_a_removal_request_does_not_bypass_the_approval_of_a_new_property(
    harness: AppHarness,
) -> None:
    number = await harness.add_property(clientId="discord:anna")
    await harness.ask("request-remove-property", propertyId=number)
    with pytest.raises(Conflict):
        await edit_property(
            approver(harness, "anna"), PropertyEdit(property_id=number, status="ACTIVE")
        )
    with pytest.raises(Conflict):
        await edit_property(
            approver(harness, "bert"), PropertyEdit(property_id=number, status="ACTIVE")
        )
    assert await status_of(harness, number) == "REMOVED"


async def test_restoring_needs_as_many_approvers_as_a_removal(harness: AppHarness) -> None:
    number = await harness.add_property()
    ask = OfRemovedProperty(property_id=number)
    for _round in range(2):  # what was approved before a removal does not count after the next
        await harness.ask("remove-property", propertyId=number)
        await restore_property(approver(harness, "anna"), ask)
        assert await harness.error_code("get-property", propertyId=number) == "not-found"
        with pytest.raises(Conflict):
            await restore_property(approver(harness, "anna"), ask)
        await restore_property(approver(harness, "bert"), ask)
        assert await status_of(harness, number) == "PENDING"


async def test_owners_neither_approve_the_removal_of_their_own_nor_restore_it(
    harness: AppHarness,
) -> None:
    number = await harness.add_property(clientId="discord:anna")
    ask = OfProperty(property_id=number)
    await harness.ask("request-remove-property", propertyId=number)
    own = replace(approver(harness, "anna"), approvals=ApprovalRules())
    with pytest.raises(Conflict):
        await approve_remove_property(own, ask)
    assert await suggest_removals(own, SearchPage(), "approve") == []
    await harness.ask("approve-remove-property", propertyId=number)
    with pytest.raises(Conflict):
        await restore_property(own, OfRemovedProperty(property_id=number))


async def test_ending_a_link_makes_nothing_somebody_elses(harness: AppHarness) -> None:
    number = await harness.add_property(clientId="license:anna")
    for user in ("license:anna", "license:other"):  # a link that is replaced has ended too
        await harness.ask("link-user", memberId="123456789012345678", userId=user)
    await harness.ask("unlink-user", memberId="123456789012345678")
    own = replace(approver(harness, "123456789012345678"), approvals=ApprovalRules())
    with pytest.raises(Conflict):
        await approve_property(own, OfProperty(property_id=number))
    other = replace(approver(harness, "223456789012345678"), approvals=ApprovalRules())
    await approve_property(other, OfProperty(property_id=number))


async def test_property_removed_during_a_request_is_restored_with_its_earlier_status(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()
    await set_status(harness, number, "LOCKDOWN")
    await harness.ask("request-remove-property", propertyId=number)
    await harness.ask("remove-property", propertyId=number)
    await harness.ask("restore-property", propertyId=number)
    assert await status_of(harness, number) == "LOCKDOWN"
    await harness.ask("request-remove-property", propertyId=number)
    await harness.ask("deny-remove-property", propertyId=number)
    assert await status_of(harness, number) == "LOCKDOWN"


async def test_property_is_restored_with_the_status_before_its_last_removal(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()
    await set_status(harness, number, "ACTIVE")
    await harness.ask("request-remove-property", propertyId=number)
    await harness.ask("approve-remove-property", propertyId=number)
    harness.clock.now += 1
    await harness.ask("restore-property", propertyId=number)
    assert await status_of(harness, number) == "ACTIVE"
    await set_status(harness, number, "LOCKDOWN")
    harness.clock.now += 1
    await harness.ask("remove-property", propertyId=number)
    await harness.ask("restore-property", propertyId=number)
    assert await status_of(harness, number) == "LOCKDOWN"


async def test_property_that_an_earlier_version_left_removed_can_be_requested_and_denied(
    harness: AppHarness,
) -> None:
    number = await harness.add_property()
    await set_status(harness, number, "ACTIVE")
    await harness.ask("request-remove-property", propertyId=number)
    async with harness.database.write() as sql:
        await sql.run("UPDATE removals SET outcome = 'withdrawn', settled_by = '', settled_at = 1")
    await harness.ask("request-remove-property", propertyId=number)
    await harness.ask("deny-remove-property", propertyId=number)
    assert await status_of(harness, number) == "ACTIVE"


@pytest.mark.parametrize(
    ("before", "after"), [("ACTIVE", "PENDING"), ("PENDING", "ACTIVE"), ("REJECTED", "PENDING")]
)
async def test_approvals_card_is_about_the_status_before_and_after(
    harness: AppHarness, before: str, after: str
) -> None:
    number = await harness.add_property()
    await set_status(harness, number, before)
    await set_status(harness, number, after)
    assert await subjects_of_last_event(harness) == {f"property:{number}", f"approval:{number}"}


async def test_every_ending_of_a_request_names_the_request(harness: AppHarness) -> None:
    number = await harness.add_property()
    await set_status(harness, number, "ACTIVE")
    ways = ("deny-remove-property", "withdraw-remove-property", "approve-remove-property")
    for request, way in enumerate(ways, 1):
        await harness.ask("request-remove-property", propertyId=number)
        assert await subjects_of_last_event(harness) == {f"property:{number}", f"removal:{request}"}
        await harness.ask(way, propertyId=number)
        assert await subjects_of_last_event(harness) == {f"property:{number}", f"removal:{request}"}
    await harness.ask("restore-property", propertyId=number)
    assert await subjects_of_last_event(harness) == {f"property:{number}", "removal:3"}
    await harness.ask("request-remove-property", propertyId=number)
    await set_status(harness, number, "ACTIVE")
    assert await subjects_of_last_event(harness) == {f"property:{number}", "removal:4"}
