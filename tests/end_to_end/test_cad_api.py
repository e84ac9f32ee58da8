"""What members ask of the CAD from Discord, against a CAD of our own."""

import asyncio
import copy
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.settings import ApiSettings, RuleSettings
from tests.end_to_end.answers import expect
from tests.end_to_end.environment import (
    CAD_KEY,
    TOKEN,
    BotEnvironment,
    call_911,
    dispatch_call,
)
from tests.end_to_end.test_setup import open_page
from tests.fake_cad import FakeCad
from tests.fake_cad.echoes import ECHOED
from tests.fake_discord import Member
from tests.fake_discord.render import render
from tests.fivem.played_server import PlayedServer


@pytest.fixture
async def cad(env: BotEnvironment) -> AsyncIterator[FakeCad]:
    """A CAD that the bot has the key of; Dora has unit 7 there, Vic nothing."""
    async with FakeCad() as fake:
        fake.add_member(env.dora.id, 7, "1-A-7")
        env.api = ApiSettings(key=fake.key, url=fake.url)
        yield fake
        assert fake.faults == []
        assert fake.windows.exceeded == []


async def test_a_911_call_is_answered_from_discord(env: BotEnvironment, cad: FakeCad) -> None:
    cad.echoes = dict.fromkeys(ECHOED, "twice")
    async with env.bot_running():
        await env.wait_for_commands()
        cad.bot_url, cad.push_key = env.url, CAD_KEY
        form = await env.fake.slash(env.vic, "911")
        fields = {"Where": "Forum Dr", "Postal code": "8031", "What happens": "Smoke.\n@everyone"}
        answer = await env.fake.submit(env.vic, form, fields)
        await env.fake.until(lambda: "911 call 101 was placed in the CAD." in render(answer))
        assert answer.content == "911 call: Forum Dr"
        card = await env.channel("emergency").next_message()
        assert "Forum Dr" in render(card)
        unlinked = await env.fake.click(env.vic, card, "Responding")
        await env.fake.until(lambda: "does not know your Discord account" in render(unlinked))
        await env.fake.until(lambda: "the CAD refused" in render(card))
        form = await env.fake.click(env.dora, card, "Note")
        noted = await env.fake.submit(env.dora, form, {"Note": "The roof is wooden."})
        assert noted.content.endswith("Only here: the CAD has no dispatch call for this yet.")
        await env.fake.click(env.vic, card, "Leave")
        await env.fake.until(lambda: "the CAD refused" not in render(card))
        taken = await env.fake.click(env.dora, card, "Responding")
        await env.fake.until(
            lambda: "call 101 was opened in the CAD, with your unit on it." in render(taken)
        )
        made = await env.channel("dispatch").next_message()
        await cad.until(lambda: not cad.emergencies)
        await env.fake.until(lambda: "Dispatched" in render(card))
        form = await env.fake.click(env.dora, made, "Note")
        noted = await env.fake.submit(env.dora, form, {"Note": "Two cars burn."})
        await env.fake.until(lambda: "The note is on the call in the CAD." in render(noted))
        assert noted.content == "Note added."
        await env.fake.until(lambda: render(made).count("Two cars burn.") == 1)
        closed = await env.fake.slash(env.dora, "cad close", id="101")
        await env.fake.until(lambda: "The call is closed in the CAD." in render(closed))
        await env.fake.until(lambda: "closed" in render(made))
        assert cad.dispatches == cad.emergencies == {}
    assert len(env.channel("emergency").created) == len(env.channel("dispatch").created) == 1
    assert card.pings == made.pings == []


async def test_a_slow_cad_delays_no_answer_and_no_push(env: BotEnvironment, cad: FakeCad) -> None:
    """B9: the answer comes within Discord's three seconds, and is edited later."""
    env.fake.interactions.deadline = 3.0
    async with env.bot_running():
        await env.wait_for_commands()
        await env.push("EVENT_911", call_911(1))
        card = await env.channel("emergency").next_message()
        cad.begin_holding()
        answer = await env.fake.click(env.dora, card, "Responding")
        assert "Sent to the CAD" in answer.content
        await env.fake.until(lambda: "sent to the CAD" in render(card))
        async with asyncio.timeout(3):
            await env.push("EVENT_911", call_911(2))
            await env.channel("emergency").next_message()
        cad.end_holding()
        await env.fake.until(lambda: "with your unit on it" in render(answer))
        made = await env.channel("dispatch").next_message()
        assert "1-A-7" in render(made) or "7" in render(made)


async def test_an_answer_tells_the_end_after_a_restart_or_a_message_does(
    env: BotEnvironment, cad: FakeCad
) -> None:
    """What only the private answer could tell is told by a message when that cannot be edited."""
    fields = {"Where": "Forum Dr @everyone", "What happens": "Smoke."}
    private = env.guild.direct(env.dora)
    async with env.bot_running():
        await env.wait_for_commands()
        cad.begin_holding()
        form = await env.fake.slash(env.dora, "911")
        placed = await env.fake.submit(env.dora, form, fields)
        await cad.until(lambda: bool(cad.asked("create-911")))
    cad.end_holding(abandon=True)
    async with env.bot_running():
        await env.fake.until(lambda: "911 call 101 was placed in the CAD." in render(placed))
        card = await env.channel("emergency").next_message()
        cad.plan_is_too_low = True
        gone = {"message": "Invalid Webhook Token", "code": 50027}
        env.fake.fault("PATCH", r"/webhooks/.*", status=401, body=gone)
        responding = await env.fake.click(env.dora, card, "Responding")
        await env.fake.until(lambda: "the CAD refused: not in the plan" in render(card))
        env.fake.fault("PATCH", r"/webhooks/.*", status=401, body=gone)
        form = await env.fake.slash(env.dora, "911")
        await env.fake.submit(env.dora, form, fields)
        message = await private.next_message()
        assert "911 call: Forum Dr" in render(message)
        assert "plan of Sonoran CAD does not include this" in render(message)
    assert private.messages == [message]
    assert "Sent to the CAD" in responding.content
    assert message.pings == []


async def test_a_supervisor_ends_a_panic(env: BotEnvironment, cad: FakeCad) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        cad.units[7]["isPanic"] = True
        await env.push("EVENT_UNIT_PANIC", {"identIds": [7], "isPanic": True})
        card = await env.channel("panic").next_message()
        refused = await env.fake.click(env.dora, card, "Panic over")
        assert "approver" in refused.content
        ended = await env.fake.click(env.anna, card, "Panic over")
        await env.fake.until(lambda: "The panic is over in the CAD." in render(ended))
        await env.fake.until(lambda: "cleared" in render(card))
    assert not cad.units[7]["isPanic"]


async def test_cards_are_right_after_a_stop_whatever_the_bot_missed(
    env: BotEnvironment, cad: FakeCad
) -> None:
    """It stops before the CAD's answer comes; meanwhile the CAD closes another call."""
    env.rules = [RuleSettings(name="all", types=["EVENT_DISPATCH_NEW"], mention=env.on_call.id)]
    async with env.bot_running():
        await env.wait_for_commands()
        cards = []
        for number in (1, 2):
            data = dispatch_call(number, title=f"Fire {number}")
            cad.dispatches[number] = dict(data["dispatch"])
            await env.push("EVENT_DISPATCH_NEW", data)
            cards.append(await env.channel("dispatch").next_message())
        taken, closed = cards
        cad.held, cad.hold = {"attach"}, asyncio.Event()
        await env.fake.click(env.dora, taken, "Responding")
        await cad.until(lambda: cad.dispatches[1]["idents"] == [7])
    cad.hold.set()
    cad.hold = None
    cad.closed[2] = cad.dispatches.pop(2) | {"status": 2}
    async with env.bot_running():
        await env.fake.until(lambda: "· closed" in render(closed))
        await env.fake.until(lambda: "1-A-7" in render(taken))
        await env.fake.until(lambda: "sent to the CAD" not in render(taken))
    assert cad.dispatches[1]["idents"] == [7]
    assert env.channel("dispatch").created == cards
    assert [card.pings for card in cards] == [[env.on_call], [env.on_call]]


async def test_an_alarm_and_its_911_call_are_one_card(env: BotEnvironment, cad: FakeCad) -> None:
    cad.echoes = dict.fromkeys(ECHOED, "early")
    env.rules = [RuleSettings(name="all", types=["EVENT_911"], mention=env.on_call.id)]
    async with env.bot_running():
        await env.wait_for_commands()
        cad.bot_url, cad.push_key = env.url, CAD_KEY
        villa = await env.add_property("Villa Lomax")
        await env.query("add-alert", propertyId=villa, userId="license:owner")
        card = await env.channel("alerts").next_message()
        shown = copy.copy(card)  # as somebody still sees it who presses a little later
        await env.fake.click(env.dora, card, "Call the police")
        await env.fake.until(lambda: "911 call 101" in render(card))
        second = await env.fake.click(env.anna, shown, "Call the police")
        await expect(env, second, f"{env.dora.mention} has already called the police, <t:")
        await env.push("EVENT_911", call_911(7))  # after it, so that its own would be there
        other = await env.channel("emergency").next_message()
        assert "Villa" not in render(other)
        await env.fake.click(env.dora, card, "Resolve")
        await cad.until(lambda: not cad.emergencies and not cad.open_pushes)
        await env.fake.until(lambda: "resolved" in render(card).casefold())
    assert env.channel("emergency").created == [other]
    assert card.pings == []


def _boss(env: BotEnvironment) -> Member:
    return env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))


async def test_setup_shows_how_asking_goes_and_tests_it(env: BotEnvironment, cad: FakeCad) -> None:
    boss = _boss(env)
    async with env.bot_running():
        await env.wait_for_commands()
        await cad.until(lambda: bool(cad.asked("units")))
        page = await open_page(env, boss, "cad")
        page = await env.fake.click(boss, page, "Next: requests to the CAD")
        await env.fake.until(lambda: "Asked with the API key" in render(page))
        tested = await env.fake.click(boss, page, "Test")
        await env.fake.until(lambda: "Test passed: the CAD answers" in render(tested))
        key, cad.key = cad.key, "ANOTHER-KEY"
        tested = await env.fake.click(boss, tested, "Test")
        await env.fake.until(
            lambda: "Test failed: the CAD rejects the bot's API key" in render(tested)
        )
        status = await env.fake.slash(boss, "status")
        await env.fake.until(lambda: "rejects the API key with which it is asked" in render(status))
        assert key not in render(tested) + render(status)
        cad.key = key
        tested = await env.fake.click(boss, tested, "Test")
        await env.fake.until(lambda: "Test passed" in render(tested))
        assert "What is wrong" not in render(tested)


async def test_setup_says_how_the_cad_can_be_asked(env: BotEnvironment) -> None:
    boss = _boss(env)
    async with env.bot_running():
        await env.wait_for_commands()
        page = await open_page(env, boss, "cad")
        page = await env.fake.click(boss, page, "Next: requests to the CAD")
        await env.fake.until(lambda: "Have the game server do it" in render(page))
        assert "[cad.api]" in render(page)
        assert "[Test]" not in render(page)


async def test_without_a_key_the_game_server_asks_the_cad(
    env: BotEnvironment, cad: FakeCad, tmp_path: Path
) -> None:
    env.api = ApiSettings()
    async with env.bot_running():
        await env.wait_for_commands()
        await env.push("EVENT_911", call_911(7))
        card = await env.channel("emergency").next_message()
        alone = await env.fake.click(env.dora, card, "Responding")
        assert "Only here: the bot cannot tell the CAD" in alone.content
        await env.fake.click(env.dora, card, "Responding")
        convars = {
            "cad_sentinel_url": env.url,
            "cad_sentinel_token": TOKEN,
            "cad_url": cad.url,
            "cad_key": cad.key,
        }
        with PlayedServer(tmp_path / "game", convars):
            await cad.until(lambda: bool(cad.asked("units")))
            status = await env.fake.slash(env.dora, "cad status", status=3)
            await env.fake.until(lambda: "has its new status in the CAD." in render(status))
            assert status.content == "Your unit: En route"
    assert cad.units[7]["status"] == 3
