"""Removals and new properties are decided on in Discord."""

import asyncio

import aiohttp

from bot.settings import ApprovalSettings
from tests.end_to_end.town import TOKEN, Town
from tests.fake_discord import InteractionReply, Message, render


async def _expect_reply(town: Town, reply: InteractionReply, text: str) -> None:
    await town.fake.until(lambda: text in reply.content)
    assert reply.ephemeral


async def _request(town: Town) -> tuple[int, Message]:
    """Add a property, request its removal, and return its id and the request's card."""
    property_id = await town.add_property("Villa", drones=1)
    await town.channel("approvals").next_message()
    await town.query("change-property-status", propertyId=property_id, status="ACTIVE")
    await town.query(
        "request-remove-property", propertyId=property_id, userId="owner", reason="Moving"
    )
    return property_id, await town.channel("approvals").next_message()


async def test_approving_a_removal_removes_the_property_and_updates_the_card(
    town: Town,
) -> None:
    async with (
        town.bot_running(),
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        http.ws_connect(f"{town.url}/ws") as socket,
    ):
        await town.fake.until(lambda: town.fake.connected)
        await socket.send_json({"type": "subscribe", "data": {"id": "approved-remove-property"}})
        await socket.receive_json()
        property_id, card = await _request(town)
        assert "Removal requested" in render(card)
        assert "Moving" in render(card)
        for somebody in (town.stranger, town.vic, town.dora):
            refused = await town.fake.click(somebody, card, "Approve")
            await _expect_reply(town, refused, "This needs the")
        assert (await town.query("get-property", propertyId=property_id))["id"] == property_id
        await _expect_reply(town, await town.fake.click(town.anna, card, "Approve"), "removed.")
        assert (await town.query("get-property", propertyId=property_id))["code"] == "not-found"
        assert (await socket.receive_json())["data"] == {"propertyId": property_id}
        await town.fake.until(lambda: "Removal approved" in render(card))
        assert f"Settled by: <@{town.anna.id}>" in render(card)
        assert "[Approve]" not in render(card)


async def test_denying_a_removal_asks_for_a_reason_and_restores_the_status(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        property_id, card = await _request(town)
        await _expect_reply(town, await town.fake.click(town.dora, card, "Deny"), "approver role")
        form = await town.fake.click(town.anna, card, "Deny")
        done = await town.fake.submit(town.anna, form, {"Reason": "Not **yet** @everyone"})
        await _expect_reply(town, done, "denied.")
        assert (await town.query("get-property", propertyId=property_id))["status"] == "ACTIVE"
        await town.fake.until(lambda: "Removal denied" in render(card))
        assert "Answer: Not \\*\\*yet\\*\\* \\@everyone" in render(card)


async def test_of_two_who_approve_at_once_one_succeeds_and_the_other_reads_who_did(
    town: Town,
) -> None:
    second = town.guild.add_member("Bert", town.approvers)
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        _, card = await _request(town)
        replies = await asyncio.gather(
            town.fake.click(town.anna, card, "Approve"), town.fake.click(second, card, "Approve")
        )
        await town.fake.until(lambda: all(reply.content for reply in replies))
        said = sorted(reply.content for reply in replies)
        assert sum("removed." in text for text in said) == 1
        assert sum("already approved by <@" in text for text in said) == 1


async def test_buttons_work_on_messages_from_before_a_restart(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        property_id, card = await _request(town)
    async with town.bot_running():
        await town.fake.wait_connected()
        await _expect_reply(town, await town.fake.click(town.anna, card, "Approve"), "removed.")
        await town.fake.until(lambda: "Removal approved" in render(card))
        assert (await town.query("get-property", propertyId=property_id))["code"] == "not-found"
    assert len(town.channel("approvals").messages) == 2


async def test_an_old_card_does_not_approve_a_newer_request(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        property_id, old = await _request(town)
        old_buttons = old.components
        await town.query("change-property-status", propertyId=property_id, status="ACTIVE")
        await town.fake.until(lambda: "Removal withdrawn" in render(old))
        await town.query("request-remove-property", propertyId=property_id)
        await town.channel("approvals").next_message()
        old.components = old_buttons  # a click that was on its way before the edit
        await _expect_reply(
            town, await town.fake.click(town.anna, old, "Approve"), "already withdrawn"
        )
        assert (await town.query("get-property", propertyId=property_id))["status"] == "REMOVED"


async def test_the_slash_commands_do_the_same_as_the_buttons(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        property_id, card = await _request(town)
        listed = await town.fake.slash(town.vic, "removal list")
        await town.fake.until(lambda: f"{property_id} · Villa · owner owner" in render(listed))
        choices = await town.fake.autocomplete(
            town.anna, "removal deny", focused="property", value=""
        )
        assert [choice.value for choice in choices] == [str(property_id)]
        refused = await town.fake.slash(town.dora, "removal deny", property=str(property_id))
        await _expect_reply(town, refused, "approver role")
        form = await town.fake.slash(town.anna, "removal deny", property=str(property_id))
        await _expect_reply(
            town, await town.fake.submit(town.anna, form, {"Reason": ""}), "denied."
        )
        await town.fake.until(lambda: "Removal denied" in render(card))
        await town.query("request-remove-property", propertyId=property_id)
        done = await town.fake.slash(town.anna, "removal approve", property="villa")
        await _expect_reply(town, done, "**Villa** has been removed.")


async def test_a_new_property_is_approved_or_rejected(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        first = await town.add_property("Villa")
        card = await town.channel("approvals").next_message()
        await _expect_reply(
            town, await town.fake.click(town.dora, card, "Approve"), "approver role"
        )
        await _expect_reply(town, await town.fake.click(town.anna, card, "Approve"), "approved.")
        await town.fake.until(lambda: "Property approved" in render(card))
        assert (await town.query("get-property", propertyId=first))["status"] == "ACTIVE"
        second = await town.add_property("Shed")
        card = await town.channel("approvals").next_message()
        await _expect_reply(town, await town.fake.click(town.dora, card, "Reject"), "approver role")
        form = await town.fake.click(town.anna, card, "Reject")
        await _expect_reply(
            town, await town.fake.submit(town.anna, form, {"Reason": "Ugly"}), "rejected."
        )
        await town.fake.until(lambda: "Property rejected" in render(card))
        assert "Reason: Ugly" in render(card)
        assert (await town.query("get-property", propertyId=second))["status"] == "REJECTED"


async def test_a_property_that_is_set_to_pending_can_be_approved_on_its_card_again(
    town: Town,
) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        number = await town.add_property("Villa")
        card = await town.channel("approvals").next_message()
        await town.fake.click(town.anna, card, "Approve")
        await town.fake.until(lambda: "Property approved" in render(card))
        await town.query("change-property-status", propertyId=number, status="PENDING")
        await town.fake.until(lambda: "[Approve]" in render(card))
        await _expect_reply(town, await town.fake.click(town.anna, card, "Approve"), "approved.")


async def test_a_removed_property_is_restored_with_its_equipment_and_access_list(
    town: Town,
) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        property_id, card = await _request(town)
        await town.query("add-allowed-user", propertyId=property_id, userId="friend")
        await _expect_reply(town, await town.fake.click(town.anna, card, "Approve"), "removed.")
        await town.fake.until(lambda: "[Restore]" in render(card))
        await _expect_reply(
            town, await town.fake.click(town.dora, card, "Restore"), "approver role"
        )
        replies = [await town.fake.click(town.anna, card, "Restore") for _ in range(2)]
        await _expect_reply(town, replies[0], f"Property {property_id} restored.")
        await _expect_reply(town, replies[1], f"Property {property_id} is not removed.")
        await town.fake.until(lambda: "The property was restored." in render(card))
        found = await town.query("get-property-detailed", propertyId=property_id)
        assert (found["status"], len(found["equipment"])) == ("ACTIVE", 1)
        allowed = await town.query("get-allowed-users", propertyId=property_id)
        assert allowed["allowedUsers"] == {"friend": "friend"}
        assert await town.query("dispatch-drone", propertyId=property_id)
        channel = town.channel("properties")
        await town.fake.until(
            lambda: any("Property restored" in render(m) for m in channel.messages)
        )


async def test_nobody_approves_their_own_property_or_request(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        await town.query("link-user", memberId=str(town.anna.id), userId="owner")
        property_id = await town.add_property("Villa")
        card = await town.channel("approvals").next_message()
        reply = await town.fake.click(town.anna, card, "Approve")
        await _expect_reply(town, reply, "You cannot approve your own property or request")
        await town.query("change-property-status", propertyId=property_id, status="ACTIVE")
        by_discord = f"discord:{town.anna.id}"
        await town.query("request-remove-property", propertyId=property_id, userId=by_discord)
        card = await town.channel("approvals").next_message()
        reply = await town.fake.click(town.anna, card, "Approve")
        await _expect_reply(town, reply, "You cannot approve your own property or request")
        second = town.guild.add_member("Bert", town.approvers)
        await _expect_reply(town, await town.fake.click(second, card, "Approve"), "removed.")


async def test_people_approve_their_own_where_the_configuration_allows_it(town: Town) -> None:
    town.approvals = ApprovalSettings(own=True)
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        await town.query("link-user", memberId=str(town.anna.id), userId="owner")
        await town.add_property("Villa")
        card = await town.channel("approvals").next_message()
        await _expect_reply(town, await town.fake.click(town.anna, card, "Approve"), "approved.")


async def test_the_first_of_two_approvers_is_on_the_card_and_counts_once(
    town: Town,
) -> None:
    town.approvals = ApprovalSettings(approvers=2)
    second = town.guild.add_member("Bert", town.approvers)
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        property_id, card = await _request(town)
        one_more = "1 more person must approve"
        await _expect_reply(town, await town.fake.click(town.anna, card, "Approve"), one_more)
        await town.fake.until(lambda: "Approved by" in render(card))
        again = await town.fake.click(town.anna, card, "Approve")
        await _expect_reply(town, again, "You have approved this already")
        assert (await town.query("get-property", propertyId=property_id))["id"] == property_id
        await _expect_reply(town, await town.fake.click(second, card, "Approve"), "removed.")
        await town.fake.until(lambda: "Removal approved" in render(card))
        await town.add_property("Shed")
        new = await town.channel("approvals").next_message()
        await _expect_reply(town, await town.fake.click(second, new, "Approve"), one_more)
        await _expect_reply(town, await town.fake.click(town.anna, new, "Approve"), "approved.")


async def test_the_requester_of_a_removal_gets_the_decision_in_a_private_message(
    town: Town,
) -> None:
    private = town.guild.direct(town.stranger)
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        await town.query("link-user", memberId=str(town.stranger.id), userId="owner")
        _, card = await _request(town)
        form = await town.fake.click(town.anna, card, "Deny")
        await town.fake.submit(town.anna, form, {"Reason": "Not yet"})
        await town.fake.until(
            lambda: any("Removal denied" in render(one) for one in private.messages)
        )
        assert "Not yet" in render(private.messages[-1])
    sent = [one.method for one in town.fake.requests if f"/channels/{private.id}/" in one.path]
    assert sent == ["POST"] * len(private.messages)  # neither searched for nor edited


async def test_the_owner_of_a_new_property_gets_the_decision_in_a_private_message(
    town: Town,
) -> None:
    private = town.guild.direct(town.stranger)
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        mine = {"clientId": f"discord:{town.stranger.id}"}
        property_id = {"location": "Villa", "tier": 1, "x": 0, "y": 0, "description": ""}
        await town.query("add-property", **property_id, **mine)
        card = await town.channel("approvals").next_message()
        form = await town.fake.click(town.anna, card, "Reject")
        await town.fake.submit(town.anna, form, {"Reason": "Ugly"})
        told = await private.next_message()
        assert "Property rejected" in render(told)
        assert "Reason: Ugly" in render(told)
        await town.query("change-property-status", propertyId=1, status="ACTIVE")
        await town.fake.until(lambda: "Property approved" in render(told))
        assert told.components == []
    assert len(private.created) == 1
