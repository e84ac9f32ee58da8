"""Removals and new properties are decided on in Discord."""

import asyncio

import aiohttp

from bot.settings import ApprovalSettings
from tests.end_to_end.answers import answer_to
from tests.end_to_end.environment import TOKEN, BotEnvironment
from tests.fake_discord import InteractionReply, Message, render


async def _expect_reply(env: BotEnvironment, reply: InteractionReply, text: str) -> None:
    await env.fake.until(lambda: text in reply.content)
    assert reply.ephemeral


async def _request(env: BotEnvironment) -> tuple[int, Message]:
    """Add a property, request its removal, and return its id and the request's card."""
    property_id = await env.add_property("Villa", drones=1)
    await env.channel("approvals").next_message()
    await env.query("change-property-status", propertyId=property_id, status="ACTIVE")
    await env.query(
        "request-remove-property", propertyId=property_id, userId="owner", reason="Moving"
    )
    return property_id, await env.channel("approvals").next_message()


async def test_approving_a_removal_removes_the_property_and_updates_the_card(
    env: BotEnvironment,
) -> None:
    async with (
        env.bot_running(),
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
        http.ws_connect(f"{env.url}/ws") as socket,
    ):
        await env.fake.until(lambda: env.fake.connected)
        await socket.send_json({"type": "subscribe", "data": {"id": "approved-remove-property"}})
        await socket.receive_json()
        property_id, card = await _request(env)
        assert "Removal requested" in render(card)
        assert "Moving" in render(card)
        for somebody in (env.stranger, env.vic, env.dora):
            refused = await env.fake.click(somebody, card, "Approve")
            await _expect_reply(env, refused, "This needs the")
        assert (await env.query("get-property", propertyId=property_id))["id"] == property_id
        await _expect_reply(env, await env.fake.click(env.anna, card, "Approve"), "removed.")
        assert (await env.query("get-property", propertyId=property_id))["code"] == "not-found"
        assert (await socket.receive_json())["data"] == {"propertyId": property_id}
        await env.fake.until(lambda: "Removal approved" in render(card))
        assert f"Settled by: <@{env.anna.id}>" in render(card)
        assert "[Approve]" not in render(card)


async def test_denying_a_removal_asks_for_a_reason_and_restores_the_status(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        property_id, card = await _request(env)
        await _expect_reply(env, await env.fake.click(env.dora, card, "Deny"), "approver role")
        form = await env.fake.click(env.anna, card, "Deny")
        done = await env.fake.submit(env.anna, form, {"Reason": "Not **yet** @everyone"})
        await _expect_reply(env, done, "denied.")
        assert (await env.query("get-property", propertyId=property_id))["status"] == "ACTIVE"
        await env.fake.until(lambda: "Removal denied" in render(card))
        assert "Answer: Not \\*\\*yet\\*\\* \\@everyone" in render(card)


async def test_the_second_of_two_concurrent_approvals_says_who_was_first(
    env: BotEnvironment,
) -> None:
    second = env.guild.add_member("Bert", env.approvers)
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        _, card = await _request(env)
        replies = await asyncio.gather(
            env.fake.click(env.anna, card, "Approve"), env.fake.click(second, card, "Approve")
        )
        await env.fake.until(lambda: all(reply.content for reply in replies))
        answers = sorted(reply.content for reply in replies)
        assert sum("removed." in text for text in answers) == 1
        assert sum("already approved by <@" in text for text in answers) == 1


async def test_buttons_work_on_messages_from_before_a_restart(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        property_id, card = await _request(env)
    async with env.bot_running():
        await env.fake.wait_connected()
        await _expect_reply(env, await env.fake.click(env.anna, card, "Approve"), "removed.")
        await env.fake.until(lambda: "Removal approved" in render(card))
        assert (await env.query("get-property", propertyId=property_id))["code"] == "not-found"
    assert len(env.channel("approvals").messages) == 2


async def test_an_old_card_does_not_approve_a_newer_request(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        property_id, old = await _request(env)
        old_buttons = old.components
        await env.query("change-property-status", propertyId=property_id, status="ACTIVE")
        await env.fake.until(lambda: "Removal withdrawn" in render(old))
        await env.query("request-remove-property", propertyId=property_id)
        await env.channel("approvals").next_message()
        old.components = old_buttons  # a click that was on its way before the edit
        await _expect_reply(
            env, await env.fake.click(env.anna, old, "Approve"), "already withdrawn"
        )
        assert (await env.query("get-property", propertyId=property_id))["status"] == "REMOVED"


async def test_the_slash_commands_do_the_same_as_the_buttons(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id, card = await _request(env)
        listed = await env.fake.slash(env.vic, "removal list")
        await env.fake.until(lambda: f"│ {property_id} · " in render(listed))
        choices = await env.fake.autocomplete(
            env.anna, "removal deny", focused="property", value=""
        )
        assert [choice.value for choice in choices] == [str(property_id)]
        refused = await env.fake.slash(env.dora, "removal deny", property=str(property_id))
        await _expect_reply(env, refused, "approver role")
        form = await env.fake.slash(env.anna, "removal deny", property=str(property_id))
        await _expect_reply(env, await env.fake.submit(env.anna, form, {"Reason": ""}), "denied.")
        await env.fake.until(lambda: "Removal denied" in render(card))
        await env.query("request-remove-property", propertyId=property_id)
        done = await env.fake.slash(env.anna, "removal approve", property="villa")
        await _expect_reply(env, done, "**Villa** (#1) removed.")


async def test_a_new_property_is_approved_or_rejected(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        first = await env.add_property("Villa")
        card = await env.channel("approvals").next_message()
        await _expect_reply(env, await env.fake.click(env.dora, card, "Approve"), "approver role")
        await _expect_reply(env, await env.fake.click(env.anna, card, "Approve"), "approved.")
        await env.fake.until(lambda: "Property approved" in render(card))
        assert (await env.query("get-property", propertyId=first))["status"] == "ACTIVE"
        second = await env.add_property("Shed")
        card = await env.channel("approvals").next_message()
        await _expect_reply(env, await env.fake.click(env.dora, card, "Reject"), "approver role")
        form = await env.fake.click(env.anna, card, "Reject")
        await _expect_reply(
            env, await env.fake.submit(env.anna, form, {"Reason": "Ugly"}), "rejected."
        )
        await env.fake.until(lambda: "Property rejected" in render(card))
        assert "Reason: Ugly" in render(card)
        assert (await env.query("get-property", propertyId=second))["status"] == "REJECTED"


async def test_a_property_that_is_set_to_pending_can_be_approved_on_its_card_again(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        number = await env.add_property("Villa")
        card = await env.channel("approvals").next_message()
        await env.fake.click(env.anna, card, "Approve")
        await env.fake.until(lambda: "Property approved" in render(card))
        await env.query("change-property-status", propertyId=number, status="PENDING")
        await env.fake.until(lambda: "[Approve]" in render(card))
        await _expect_reply(env, await env.fake.click(env.anna, card, "Approve"), "approved.")
        await env.query("request-remove-property", propertyId=number)
        await env.fake.until(lambda: "Property removal requested" in render(card))
        await env.query("withdraw-remove-property", propertyId=number)
        await env.fake.until(lambda: "Property approved" in render(card))
        assert "Set by: script" in render(card)


async def test_a_removed_property_is_restored_with_its_equipment_and_access_list(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        property_id, card = await _request(env)
        await env.query("add-allowed-user", propertyId=property_id, userId="friend")
        await _expect_reply(env, await env.fake.click(env.anna, card, "Approve"), "removed.")
        await env.fake.until(lambda: "[Restore]" in render(card))
        await _expect_reply(env, await env.fake.click(env.dora, card, "Restore"), "approver role")
        replies = [await env.fake.click(env.anna, card, "Restore") for _ in range(2)]
        await _expect_reply(env, replies[0], "**Villa** (#1) restored.")
        await _expect_reply(env, replies[1], "Property Villa (#1) is not removed.")
        await env.fake.until(
            lambda: f"Since then: The property was restored by <@{env.anna.id}>." in render(card)
        )
        found = await env.query("get-property-detailed", propertyId=property_id)
        assert (found["status"], len(found["equipment"])) == ("ACTIVE", 1)
        allowed = await env.query("get-allowed-users", propertyId=property_id)
        assert allowed["allowedUsers"] == {"friend": "friend"}
        assert await env.query("dispatch-drone", propertyId=property_id)
        channel = env.channel("properties")
        await env.fake.until(
            lambda: any("Property restored" in render(m) for m in channel.messages)
        )


async def test_nobody_approves_their_own_property_or_request(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        await env.query("link-user", memberId=str(env.anna.id), userId="owner")
        property_id = await env.add_property("Villa")
        card = await env.channel("approvals").next_message()
        reply = await env.fake.click(env.anna, card, "Approve")
        await _expect_reply(env, reply, "You cannot approve your own property or request")
        await env.query("change-property-status", propertyId=property_id, status="ACTIVE")
        by_discord = f"discord:{env.anna.id}"
        await env.query("request-remove-property", propertyId=property_id, userId=by_discord)
        card = await env.channel("approvals").next_message()
        reply = await env.fake.click(env.anna, card, "Approve")
        await _expect_reply(env, reply, "You cannot approve your own property or request")
        second = env.guild.add_member("Bert", env.approvers)
        await _expect_reply(env, await env.fake.click(second, card, "Approve"), "removed.")


async def test_members_approve_their_own_where_the_configuration_allows_it(
    env: BotEnvironment,
) -> None:
    env.approvals = ApprovalSettings(own=True)
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        await env.query("link-user", memberId=str(env.anna.id), userId="owner")
        await env.add_property("Villa")
        card = await env.channel("approvals").next_message()
        await _expect_reply(env, await env.fake.click(env.anna, card, "Approve"), "approved.")


async def test_the_first_of_two_approvers_is_on_the_card_and_counts_once(
    env: BotEnvironment,
) -> None:
    env.approvals = ApprovalSettings(approvers=2)
    second = env.guild.add_member("Bert", env.approvers)
    boss = env.guild.add_member("Boss", env.guild.add_role("Owner", "manage_guild"))
    async with env.bot_running():
        await env.wait_for_commands()
        property_id, card = await _request(env)
        one_more = "1 more person must approve"
        await _expect_reply(env, await env.fake.click(env.anna, card, "Approve"), one_more)
        await env.fake.until(lambda: "Approved by" in render(card))
        again = await env.fake.click(env.anna, card, "Approve")
        await _expect_reply(env, again, "You have already approved this")
        assert (await env.query("get-property", propertyId=property_id))["id"] == property_id
        await _expect_reply(env, await env.fake.click(second, card, "Approve"), "removed.")
        await env.fake.until(lambda: "Removal approved" in render(card))
        await _expect_reply(env, await env.fake.click(second, card, "Restore"), one_more)
        await env.fake.until(lambda: "Restoring approved by" in render(card))
        await _expect_reply(env, await env.fake.click(env.anna, card, "Restore"), "restored.")
        both = f"restored by <@{second.id}>, <@{env.anna.id}>"
        await env.fake.until(lambda: both in render(card))
        audit = await answer_to(env, boss, "audit", property=str(property_id))
        for what in ("removal", "restoring"):
            assert f"approved the {what} of **Villa** (#1). Approvals still needed: 1" in audit
        await env.add_property("Shed")
        new = await env.channel("approvals").next_message()
        await _expect_reply(env, await env.fake.click(second, new, "Approve"), one_more)
        await _expect_reply(env, await env.fake.click(env.anna, new, "Approve"), "approved.")


async def test_the_requester_of_a_removal_gets_the_decision_in_a_private_message(
    env: BotEnvironment,
) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        await env.query("link-user", memberId=str(env.stranger.id), userId="owner")
        _, card = await _request(env)
        form = await env.fake.click(env.anna, card, "Deny")
        await env.fake.submit(env.anna, form, {"Reason": "Not yet"})
        await env.fake.until(
            lambda: any("Removal denied" in render(one) for one in private.messages)
        )
        assert "Not yet" in render(private.messages[-1])
    sent = [one.method for one in env.fake.requests if f"/channels/{private.id}/" in one.path]
    assert sent == ["POST"] * len(private.messages)  # neither searched for nor edited


async def test_the_owner_of_a_new_property_gets_the_decision_in_a_private_message(
    env: BotEnvironment,
) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        mine = {"clientId": f"discord:{env.stranger.id}"}
        property_id = {"location": "Villa", "tier": 1, "x": 0, "y": 0, "description": ""}
        await env.query("add-property", **property_id, **mine)
        card = await env.channel("approvals").next_message()
        form = await env.fake.click(env.anna, card, "Reject")
        await env.fake.submit(env.anna, form, {"Reason": "Ugly"})
        message = await private.next_message()
        assert "Property rejected" in render(message)
        assert "Reason: Ugly" in render(message)
        await env.query("change-property-status", propertyId=1, status="ACTIVE")
        await env.fake.until(lambda: "Property approved" in render(message))
        assert message.components == []
    assert len(private.created) == 1
