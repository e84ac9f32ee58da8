"""Numbers of the CAD that come again, and copies that come late, as Discord shows them."""

from collections.abc import Callable

from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import Message, render


async def until_shown(env: BotEnvironment, message: Message, word: str) -> None:
    await env.fake.until(lambda: word in render(message))


async def test_number_used_ten_times_in_an_hour_has_ten_cards_each_in_its_last_state(
    env: BotEnvironment, later: Callable[[float], None]
) -> None:
    async with env.bot_running():
        cards = []
        for number in range(10):
            name = f"robbery number {number} of ten"
            place = {"location": f"{number} Elm St", "caller": f"Caller {number}"}
            await env.push("EVENT_911", call_911(7, description=name, **place))
            call = await env.channel("emergency").next_message()
            origin = {"metaData": {"origin911": "7"}, "address": f"{number} Elm St"}
            await env.push(
                "EVENT_DISPATCH_NEW", dispatch_call(7, title=name, description=name, **origin)
            )
            card = await env.channel("dispatch").next_message()
            cards.append((name, call, card))
            later(60)
            if number % 3:  # what ends the others is lost
                await env.push("EVENT_REMOVE_911", {"callIds": [7]})
                await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [7]})
            later(300)
        await env.push("EVENT_DISPATCH_EDIT", {"dispatch": {"callId": 7, "status": 2}})
        for name, call, card in cards:
            await until_shown(env, card, "closed")
            await until_shown(env, call, "dispatched")
            others = {other for other, _, _ in cards} - {name}
            for message in (call, card):
                shown = render(message)
                assert name in shown
                assert not [other for other in others if other in shown]
    assert len(env.channel("emergency").messages) == 10
    assert len(env.channel("dispatch").messages) == 10


async def test_button_pressed_again_within_two_minutes_notifies_nobody(
    env: BotEnvironment, later: Callable[[float], None]
) -> None:
    async with env.bot_running():
        on = {"identIds": [61], "isPanic": True}
        off = {"identIds": [61], "isPanic": False}
        await env.push("EVENT_UNIT_PANIC", on)
        card = await env.channel("panic").next_message()
        await env.push("EVENT_UNIT_PANIC", off)
        await env.fake.until(lambda: "cleared" in render(card))
        later(115)
        await env.push("EVENT_UNIT_PANIC", on)
        await env.fake.until(lambda: "cleared" not in render(card))
        later(30)
        await env.push("EVENT_UNIT_PANIC", off)
        await env.fake.until(lambda: "cleared" in render(card))
    assert len(env.channel("panic").messages) == 1
