"""What people delete in Discord is told once, holds nothing else up, and is recovered from."""

import asyncio
import time
from dataclasses import replace

import pytest

from bot.settings import Channels
from cogs import bot as cogs_bot
from tests.end_to_end.test_setup import configure, in_use
from tests.end_to_end.town import QUICK, Town, call_911
from tests.fake_discord import InteractionReply, Member, Message, render

PATIENT = replace(QUICK, closed=300.0)


@pytest.fixture(autouse=True)
def _quickly_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cogs_bot, "CHANGE_INTERVAL", 0.05)


async def logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Wait until the log has a text."""
    async with asyncio.timeout(20):
        while text not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # polls the log; nothing here could tell us


async def started(town: Town) -> None:
    await town.fake.until(lambda: town.fake.connected and bool(town.guild.commands))


async def channels_page(town: Town, boss: Member) -> InteractionReply:
    """Open the page of /setup that says what is posted where."""
    reply = await town.fake.slash(boss, "setup")
    await town.fake.until(lambda: "1 of 3" in render(reply))
    await town.fake.click(boss, reply, "Next: channels")
    await town.fake.until(lambda: "2 of 3" in render(reply))
    return reply


async def panic(town: Town, ident: int) -> Message:
    """Press a panic button and return its card."""
    assert await town.push("EVENT_UNIT_PANIC", {"identIds": [ident], "isPanic": True}) == 200
    return await town.channel("panic").next_message()


async def test_a_deleted_feed_message_stays_deleted_and_the_feed_goes_on(town: Town) -> None:
    async with town.bot_running():
        await started(town)
        place = await town.add_property("Villa")
        await town.query("add-auth-entry", propertyId=place, userId="first")
        (await town.channel("access").next_message()).delete()
        await town.query("add-auth-entry", propertyId=place, userId="second")
        assert "second" in render(await town.channel("access").next_message())
    assert len(town.channel("access").created) == 2


async def test_a_deleted_channel_is_reported_once_and_its_cards_move_where_setup_says(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    boss = town.guild.add_member("Boss", town.guild.add_role("Boss", "manage_guild"))
    old = town.channel("emergency")
    async with town.bot_running(PATIENT):
        await started(town)
        await town.push("EVENT_911", call_911(1))
        await old.next_message()
        old.delete()
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
        for number in (2, 3):
            await town.push("EVENT_911", call_911(number))
        await panic(town, 61)  # the others go on
        await town.fake.until(lambda: any(r.status == 404 for r in town.fake.requests))
        await logged(caplog, "The channel emergency")
        place = town.guild.add_channel("new-emergency")
        reply = await channels_page(town, boss)
        await town.fake.until(lambda: "it was deleted" in render(reply))
        await town.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await town.fake.until(lambda: "Which channel" in render(reply))
        await town.fake.choose(boss, reply, "Which channel?", [place])
        shown = [render(await place.next_message()) for _ in range(3)]
    everything = "\n".join(shown)
    assert "911 call 1 · over" in everything
    assert all(f"911 call {number}" in everything for number in (2, 3))
    assert len(place.created) == 3
    sentence = f"The channel emergency ({old.id}): it was deleted, or the bot is not in its server."
    assert sum(record.message.startswith(sentence) for record in caplog.records) == 1
    assert sum(f"channel {old.id} (emergency)" in r.message for r in caplog.records) == 1


async def test_a_deleted_role_breaks_no_card_and_is_reported_once_and_by_check(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with town.bot_running():
        await started(town)
        town.on_call.delete()
        town.viewers.delete()
        card = await panic(town, 61)
        assert card.content == f"<@&{town.on_call.id}>"
        refused = await town.fake.slash(town.vic, "drone list")
        await town.fake.until(lambda: "This needs the viewer role" in refused.content)
        allowed = await town.fake.slash(town.dora, "drone list")
        await town.fake.until(lambda: "No drones are out" in render(allowed))
        await logged(caplog, "The viewer role")
        status = await town.fake.slash(town.dora, "status")
        await town.fake.until(lambda: "Something needs attention" in render(status))
        assert f"The viewer role ({town.viewers.id}): it was deleted" in render(status)
    for role in (f"The panic role ({town.on_call.id})", f"The viewer role ({town.viewers.id})"):
        told = [record.message for record in caplog.records if record.message.startswith(role)]
        assert told == [
            f"{role}: it was deleted, or the bot is not in its server. Fix it with /setup."
        ]


async def test_a_kicked_bot_waits_quietly_and_goes_on_when_invited_again(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with town.bot_running(PATIENT):
        await started(town)
        town.fake.kick(town.guild)
        for number in range(20):
            await town.push("EVENT_911", call_911(number))
            await town.push("EVENT_UNIT_PANIC", {"identIds": [number], "isPanic": True})
        await town.fake.until(lambda: town.fake.invalid_requests >= 2)
        for number in range(20, 40):
            await town.push("EVENT_911", call_911(number))
        assert town.fake.invalid_requests <= len(town.channels)
        await logged(caplog, "The bot is in no Discord server: invite it again.")
        town.fake.join(town.guild)
        await town.fake.until(lambda: len(town.channel("emergency").messages) == 40, timeout=30)
        await town.fake.until(lambda: len(town.channel("panic").messages) == 20, timeout=30)
        await town.fake.until(lambda: bool(town.guild.commands))
        reply = await town.fake.slash(town.vic, "drone list")
        await town.fake.until(lambda: "No drones are out" in render(reply))
    assert len(town.channel("emergency").created) == 40
    assert "fixed: The bot is in no Discord server" in caplog.text


async def test_a_bot_invited_again_while_it_was_off_registers_its_commands(
    town: Town,
) -> None:
    async with town.bot_running():
        await started(town)
    town.fake.kick(town.guild)
    town.fake.join(town.guild)
    assert town.guild.commands == []
    async with town.bot_running():
        await started(town)
        reply = await town.fake.slash(town.vic, "drone list")
        await town.fake.until(lambda: "No drones are out" in render(reply))


async def test_frequent_role_changes_retry_a_closed_channel_only_a_few_times(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cogs_bot, "CHANGE_INTERVAL", 0.5)
    async with town.bot_running(PATIENT):
        await started(town)
        town.channel("emergency").forbidden = True
        await town.push("EVENT_911", call_911(1))
        await town.fake.until(lambda: town.fake.invalid_requests > 0)
        before, began = len(town.fake.requests), time.monotonic()
        for number in range(60):
            town.viewers.grant("view_channel" if number % 2 else "send_messages")
            await town.push("EVENT_911", call_911(number))  # lets the bot hear of it
        took = time.monotonic() - began
        tries = [r for r in town.fake.requests[before:] if r.status == 403]
        town.channel("emergency").restore()
        await town.channel("emergency").next_message(timeout=20)
    assert len(tries) <= 2 + took / 0.5


async def test_a_choice_of_setup_survives_a_crash_right_after_it(town: Town) -> None:
    boss = town.guild.add_member("Boss", town.guild.add_role("Boss", "manage_guild"))
    configure(town, channels=Channels())
    async with town.bot_running():
        await started(town)
        reply = await channels_page(town, boss)
        await town.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await town.fake.until(lambda: "Which channel" in render(reply))
        await town.fake.choose(boss, reply, "Which channel?", [town.channel("log")])
        await town.fake.until(lambda: "Chosen here" in render(reply))
    async with town.bot_running():
        await in_use(town, town.channel("log"))


async def test_shutdown_ends_while_choices_of_setup_are_taken_up(town: Town) -> None:
    boss = town.guild.add_member("Boss", town.guild.add_role("Boss", "manage_guild"))
    async with asyncio.timeout(30):
        async with town.bot_running():
            await started(town)
            reply = await channels_page(town, boss)
            of_channel = town.channel("emergency").messages_path
            town.fake.fault("POST", of_channel, delay=1.0)
            await town.push("EVENT_911", call_911(1))
            await town.fake.until(lambda: bool(town.fake.requests_to("POST", "/messages$")))
            await town.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
            await town.fake.until(lambda: "Which channel" in render(reply))
            await town.fake.click(boss, reply, "None", until_answered=False)
    assert len(town.channel("emergency").created) == 1
