"""Discord misbehaves: what can be delivered is, the rest waits, and nothing is told twice."""

import asyncio

import pytest

from tests.end_to_end.town import Town, call_911
from tests.fake_discord import Rate, render


async def test_a_bot_that_starts_while_discord_is_down_catches_up(town: Town) -> None:
    town.fake.outage()
    async with town.bot_running():
        assert await town.push("EVENT_911", call_911(1)) == 200
        assert await town.push("EVENT_REMOVE_911", {"callIds": [1]}) == 200
        assert await town.push("EVENT_911", call_911(2)) == 200
        await town.fake.until(lambda: any(r.status == 503 for r in town.fake.requests))
        town.fake.recover()
        await town.fake.until(lambda: len(town.channel("emergency").messages) == 2, timeout=20)
    first, second = town.channel("emergency").messages
    assert "911 call 1 · over" in render(first)
    assert "911 call 2" in render(second)


async def test_after_an_outage_each_card_is_posted_once_and_feeds_are_in_order(
    town: Town,
) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        place = await town.add_property("Villa")
        await town.channel("approvals").next_message()
        camera = await town.query(
            "add-equipment", propertyId=place, equipmentType=1, description="Gate"
        )
        town.fake.outage()
        for number in range(25):
            visitor = f"visitor-{number:02}"
            await town.query("add-visitor", propertyId=place, userId=visitor, cameraId=camera["id"])
        for number in range(5):
            await town.push("EVENT_911", call_911(number))
            await town.push("EVENT_REMOVE_911", {"callIds": [number]})
        town.fake.recover()
        await town.fake.until(lambda: len(town.channel("emergency").messages) == 5, timeout=20)
        visits = town.channel("visits")
        await town.fake.until(lambda: "visitor-24" in render(visits.messages[-1]), timeout=20)
    assert all("over" in render(card) for card in town.channel("emergency").messages)
    shown = [embed["description"] for message in visits.messages for embed in message.embeds]
    assert [text.split()[0] for text in shown] == [f"visitor-{n:02}" for n in range(25)]
    assert len(visits.messages) <= 4


@pytest.mark.parametrize("forgets", [False, True], ids=["by its nonce", "in the channel"])
async def test_a_message_that_was_posted_without_an_answer_is_recognised(
    town: Town, *, forgets: bool
) -> None:
    async with town.bot_running():
        town.fake.fault("POST", town.channel("emergency").messages_path, reset=True, after=True)
        if forgets:
            town.fake.nonce_memory = 0.0
        await town.push("EVENT_911", call_911(1))
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
        card = await town.channel("emergency").next_message()
        await town.fake.until(lambda: "over" in render(card))
        await town.push("EVENT_911", call_911(2))
        await town.fake.until(lambda: len(town.channel("emergency").messages) == 2)
    assert len(town.channel("emergency").created) == 2


async def test_a_feed_message_without_an_answer_is_recognised(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        town.fake.nonce_memory = 0.0
        place = await town.add_property("Villa")
        await town.channel("approvals").next_message()
        town.fake.fault("POST", town.channel("access").messages_path, reset=True, after=True)
        for user in ("first", "second"):
            await town.query("add-auth-entry", propertyId=place, userId=user)
        await town.fake.until(
            lambda: "second" in "".join(render(m) for m in town.channel("access").messages)
        )
    shown = "".join(render(message) for message in town.channel("access").created)
    assert (shown.count("first"), shown.count("second")) == (1, 1)


async def test_a_dead_channel_holds_up_no_other_and_recovers(town: Town) -> None:
    dead = town.channel("emergency")
    async with town.bot_running():
        await town.fake.until(lambda: town.fake.connected)
        dead.forbidden = True
        await town.push("EVENT_911", call_911(1))
        await town.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        await town.channel("panic").next_message()
        assert dead.messages == []
        dead.forbidden = False
        dead.restore()
        await dead.next_message(timeout=10)


async def test_a_card_deleted_by_hand_is_posted_again_at_its_next_change(town: Town) -> None:
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        first = await town.channel("emergency").next_message()
        first.delete()
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
        second = await town.channel("emergency").next_message()
    assert "over" in render(second)
    assert town.channel("emergency").messages == [second]


async def test_a_burst_of_pushes_draws_no_429(town: Town) -> None:
    town.fake.limits.messages = Rate(5, 0.5)
    async with town.bot_running():
        await asyncio.gather(*(town.push("EVENT_911", call_911(n)) for n in range(15)))
        await town.fake.until(lambda: len(town.channel("emergency").messages) == 15, timeout=20)
    assert town.fake.too_many_requests == 0


async def test_ten_changes_in_a_moment_are_few_edits(town: Town) -> None:
    town.fake.limits.messages = Rate(5, 0.5)
    async with town.bot_running():
        await town.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": "first"})
        card = await town.channel("dispatch").next_message()
        for number in range(30):
            await town.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": f"note {number}"})
        await town.fake.until(lambda: "note 29" in render(card), timeout=10)
    assert card.edit_count < 15


async def test_a_rejected_token_leaves_the_listener_running(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    right, town.fake.token = town.fake.token, "another"
    settings = town.settings()
    town.fake.token = right
    wrong = settings.model_copy(
        update={"discord": settings.discord.model_copy(update={"token": "wrong"})}
    )
    town.settings = lambda: wrong  # type: ignore[method-assign]
    async with town.bot_running():
        await town.fake.until(lambda: any(r.status == 401 for r in town.fake.requests))
        assert await town.push("EVENT_911", call_911(1)) == 200
    assert "Discord rejects the token" in caplog.text


async def test_a_rejected_card_does_not_stop_the_next_one(town: Town) -> None:
    refusal = {"code": 50035, "message": "Invalid Form Body", "errors": {}}
    async with town.bot_running():
        of_channel = town.channel("emergency").messages_path
        town.fake.fault("POST", of_channel, status=400, body=refusal)
        await town.push("EVENT_911", call_911(1))
        await town.push("EVENT_911", call_911(2))
        card = await town.channel("emergency").next_message()
    assert "911 call 2" in render(card)
