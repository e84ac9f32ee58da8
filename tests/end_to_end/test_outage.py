"""Discord misbehaves: what can be delivered is, the rest waits, and nothing is posted twice."""

import asyncio

import pytest

from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import Rate, render
from tests.soak.ledger import caught_up


async def test_a_bot_that_starts_while_discord_is_down_catches_up(env: BotEnvironment) -> None:
    env.fake.outage()
    async with env.bot_running():
        assert await env.push("EVENT_911", call_911(1)) == 200
        assert await env.push("EVENT_REMOVE_911", {"callIds": [1]}) == 200
        assert await env.push("EVENT_911", call_911(2)) == 200
        await env.fake.until(lambda: any(r.status == 503 for r in env.fake.requests))
        env.fake.recover()
        await env.fake.until(lambda: len(env.channel("emergency").messages) == 2, timeout=20)
    first, second = env.channel("emergency").messages
    assert "911 call 1 · over" in render(first)
    assert "911 call 2" in render(second)


async def test_after_an_outage_each_card_is_posted_once_and_feeds_are_in_order(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        property_id = await env.add_property("Villa")
        await env.channel("approvals").next_message()
        camera = await env.query(
            "add-equipment", propertyId=property_id, equipmentType=1, description="Gate"
        )
        env.fake.outage()
        for number in range(25):
            visitor = f"visitor-{number:02}"
            await env.query(
                "add-visitor", propertyId=property_id, userId=visitor, cameraId=camera["id"]
            )
        for number in range(5):
            await env.push("EVENT_911", call_911(number))
            await env.push("EVENT_REMOVE_911", {"callIds": [number]})
        env.fake.recover()
        await env.fake.until(lambda: len(env.channel("emergency").messages) == 5, timeout=20)
        visits = env.channel("visits")
        await env.fake.until(lambda: "visitor-24" in render(visits.messages[-1]), timeout=20)
    assert all("over" in render(card) for card in env.channel("emergency").messages)
    shown = [embed["description"] for message in visits.messages for embed in message.embeds]
    assert [text.split()[0] for text in shown] == [f"visitor-{n:02}" for n in range(25)]
    assert len(visits.messages) <= 4


@pytest.mark.parametrize("forgets", [False, True], ids=["by its nonce", "in the channel"])
async def test_a_message_that_was_posted_without_an_answer_is_recognised(
    env: BotEnvironment, *, forgets: bool
) -> None:
    async with env.bot_running():
        env.fake.fault("POST", env.channel("emergency").messages_path, reset=True, after=True)
        if forgets:
            env.fake.nonce_memory = 0.0
        await env.push("EVENT_911", call_911(1))
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        card = await env.channel("emergency").next_message()
        await env.fake.until(lambda: "over" in render(card))
        await env.push("EVENT_911", call_911(2))
        await env.fake.until(lambda: len(env.channel("emergency").messages) == 2)
    assert len(env.channel("emergency").created) == 2


async def test_a_feed_message_without_an_answer_is_recognised(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        env.fake.nonce_memory = 0.0
        property_id = await env.add_property("Villa")
        await env.channel("approvals").next_message()
        env.fake.fault("POST", env.channel("access").messages_path, reset=True, after=True)
        for user in ("first", "second"):
            await env.query("add-auth-entry", propertyId=property_id, userId=user)
        await env.fake.until(
            lambda: "second" in "".join(render(m) for m in env.channel("access").messages)
        )
    shown = "".join(render(message) for message in env.channel("access").created)
    assert (shown.count("first"), shown.count("second")) == (1, 1)


async def test_a_dead_channel_holds_up_no_other_and_recovers(env: BotEnvironment) -> None:
    dead = env.channel("emergency")
    async with env.bot_running():
        await env.fake.until(lambda: env.fake.connected)
        dead.forbidden = True
        await env.push("EVENT_911", call_911(1))
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        await env.channel("panic").next_message()
        assert dead.messages == []
        dead.forbidden = False
        dead.restore()
        await dead.next_message(timeout=10)


async def test_a_card_deleted_by_hand_is_reposted_only_on_an_update(env: BotEnvironment) -> None:
    dispatch = env.channel("dispatch")
    async with env.bot_running():
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(1))
        (await dispatch.next_message()).delete()
        await env.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": "A second car"})
        again = await dispatch.next_message()
        assert "A second car" in render(again)
        again.delete()
        await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [1]})  # an end is none
        await caught_up(env)
    assert dispatch.messages == []
    assert len(dispatch.created) == 2


async def test_a_burst_of_pushes_draws_no_429(env: BotEnvironment) -> None:
    env.fake.limits.messages = Rate(5, 0.5)
    async with env.bot_running():
        await asyncio.gather(*(env.push("EVENT_911", call_911(n)) for n in range(15)))
        await env.fake.until(lambda: len(env.channel("emergency").messages) == 15, timeout=20)
    assert env.fake.too_many_requests == 0


async def test_ten_quick_changes_make_few_edits(env: BotEnvironment) -> None:
    env.fake.limits.messages = Rate(5, 2.0)  # a busy machine takes long for 30 pushes
    async with env.bot_running():
        await env.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": "first"})
        card = await env.channel("dispatch").next_message()
        for number in range(30):
            await env.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": f"note {number}"})
        await env.fake.until(lambda: "note 29" in render(card), timeout=20)
    assert card.edit_count < 15


async def test_a_rejected_token_leaves_the_listener_running(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    right, env.fake.token = env.fake.token, "another"
    settings = env.settings()
    env.fake.token = right
    wrong = settings.model_copy(
        update={"discord": settings.discord.model_copy(update={"token": "wrong"})}
    )
    env.settings = lambda: wrong  # type: ignore[method-assign]
    async with env.bot_running():
        await env.fake.until(lambda: any(r.status == 401 for r in env.fake.requests))
        assert await env.push("EVENT_911", call_911(1)) == 200
    assert "Discord rejects the token" in caplog.text


async def test_a_rejected_card_does_not_stop_the_next_one(env: BotEnvironment) -> None:
    refusal = {"code": 50035, "message": "Invalid Form Body", "errors": {}}
    async with env.bot_running():
        of_channel = env.channel("emergency").messages_path
        env.fake.fault("POST", of_channel, status=400, body=refusal)
        await env.push("EVENT_911", call_911(1))
        await env.push("EVENT_911", call_911(2))
        card = await env.channel("emergency").next_message()
    assert "911 call 2" in render(card)
