"""What people delete in Discord is reported once, holds nothing else up, and is recovered from."""

import asyncio
import time
from dataclasses import replace

import pytest

from bot.settings import Channels
from cogs import bot as cogs_bot
from tests.end_to_end.environment import QUICK, BotEnvironment, call_911
from tests.end_to_end.test_setup import configure, in_use
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


async def started(env: BotEnvironment) -> None:
    await env.fake.until(lambda: env.fake.connected and bool(env.guild.commands))


async def channels_page(env: BotEnvironment, boss: Member) -> InteractionReply:
    """Open the page of /setup that says what is posted where."""
    reply = await env.fake.slash(boss, "setup")
    await env.fake.until(lambda: "1 of 5" in render(reply))
    await env.fake.click(boss, reply, "Next: channels")
    await env.fake.until(lambda: "2 of 5" in render(reply))
    return reply


async def panic(env: BotEnvironment, ident: int) -> Message:
    """Press a panic button and return its card."""
    assert await env.push("EVENT_UNIT_PANIC", {"identIds": [ident], "isPanic": True}) == 200
    return await env.channel("panic").next_message()


async def test_a_deleted_feed_message_stays_deleted_and_the_feed_goes_on(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await started(env)
        property_id = await env.add_property("Villa")
        await env.query("add-auth-entry", propertyId=property_id, userId="first")
        (await env.channel("access").next_message()).delete()
        await env.query("add-auth-entry", propertyId=property_id, userId="second")
        assert "second" in render(await env.channel("access").next_message())
    assert len(env.channel("access").created) == 2


async def test_a_deleted_channel_is_reported_once_and_its_cards_move_where_setup_says(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    old = env.channel("emergency")
    configure(env, guild_id=env.guild.id)
    async with env.bot_running(PATIENT):
        await started(env)
        await env.push("EVENT_911", call_911(1))
        await old.next_message()
        old.delete()
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        for number in (2, 3):
            await env.push("EVENT_911", call_911(number))
        await panic(env, 61)  # the others go on
        await env.fake.until(lambda: any(r.status == 404 for r in env.fake.requests))
        await logged(caplog, "The channel emergency")
        channel = env.guild.add_channel("new-emergency")
        reply = await channels_page(env, boss)
        await env.fake.until(lambda: "it was deleted" in render(reply))
        await env.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await env.fake.until(lambda: "Which channel" in render(reply))
        await env.fake.choose(boss, reply, "Which channel?", [channel])
        shown = [render(await channel.next_message()) for _ in range(3)]
    everything = "\n".join(shown)
    assert "911 call 1 · over" in everything
    assert all(f"911 call {number}" in everything for number in (2, 3))
    assert len(channel.created) == 3
    sentence = "The channel emergency: it was deleted, or the bot is not in its server."
    assert sum(record.message.startswith(sentence) for record in caplog.records) == 1
    assert sum(f"channel {old.id} (emergency)" in r.message for r in caplog.records) == 1


async def test_a_deleted_role_breaks_no_card_and_is_reported_once_and_by_check(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    async with env.bot_running():
        await started(env)
        env.on_call.delete()
        env.viewers.delete()
        card = await panic(env, 61)
        assert card.content == f"<@&{env.on_call.id}> **PANIC** unit 61"
        refused = await env.fake.slash(env.vic, "drone list")
        await env.fake.until(lambda: "This needs the viewer role" in refused.content)
        allowed = await env.fake.slash(env.dora, "drone list")
        await env.fake.until(lambda: "No drones are out" in render(allowed))
        await logged(caplog, "The viewer role")
        status = await env.fake.slash(env.dora, "status")
        await env.fake.until(lambda: "Something needs attention" in render(status))
        assert "The viewer role: it was deleted" in render(status)
    for role, role_id in (("The panic role", env.on_call.id), ("The viewer role", env.viewers.id)):
        lines = [record.message for record in caplog.records if record.message.startswith(role)]
        assert lines == [
            f"{role}: it was deleted, or the bot is not in its server. Fix it with /setup."
            f" ({role_id})"
        ]


async def test_a_kicked_bot_waits_quietly_and_resumes_when_invited_again(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with env.bot_running(PATIENT):
        await started(env)
        env.fake.kick(env.guild)
        for number in range(20):
            await env.push("EVENT_911", call_911(number))
            await env.push("EVENT_UNIT_PANIC", {"identIds": [number], "isPanic": True})
        await env.fake.until(lambda: env.fake.invalid_requests >= 2)
        for number in range(20, 40):
            await env.push("EVENT_911", call_911(number))
        assert env.fake.invalid_requests <= len(env.channels)
        await logged(caplog, "The bot is in no Discord server. Its messages wait. Invite it again.")
        env.fake.join(env.guild)
        await env.fake.until(lambda: len(env.channel("emergency").messages) == 40, timeout=30)
        await env.fake.until(lambda: len(env.channel("panic").messages) == 20, timeout=30)
        await env.wait_for_commands()
        reply = await env.fake.slash(env.vic, "drone list")
        await env.fake.until(lambda: "No drones are out" in render(reply))
    assert len(env.channel("emergency").created) == 40
    assert "fixed: The bot is in no Discord server" in caplog.text


async def test_a_bot_invited_again_while_it_was_off_registers_its_commands(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await started(env)
    env.fake.kick(env.guild)
    env.fake.join(env.guild)
    assert env.guild.commands == []
    async with env.bot_running():
        await started(env)
        reply = await env.fake.slash(env.vic, "drone list")
        await env.fake.until(lambda: "No drones are out" in render(reply))


async def test_frequent_role_changes_retry_a_closed_channel_only_a_few_times(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cogs_bot, "CHANGE_INTERVAL", 0.5)
    async with env.bot_running(PATIENT):
        await started(env)
        env.channel("emergency").forbidden = True
        await env.push("EVENT_911", call_911(1))
        await env.fake.until(lambda: env.fake.invalid_requests > 0)
        before, began = len(env.fake.requests), time.monotonic()
        for number in range(60):
            env.viewers.grant("view_channel" if number % 2 else "send_messages")
            await env.push("EVENT_911", call_911(number))  # lets the bot hear of it
        took = time.monotonic() - began
        tries = [r for r in env.fake.requests[before:] if r.status == 403]
        env.channel("emergency").restore()
        await env.channel("emergency").next_message(timeout=20)
    assert len(tries) <= 2 + took / 0.5


async def test_a_setup_choice_survives_an_immediate_crash(env: BotEnvironment) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    configure(env, channels=Channels())
    async with env.bot_running():
        await started(env)
        reply = await channels_page(env, boss)
        await env.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
        await env.fake.until(lambda: "Which channel" in render(reply))
        await env.fake.choose(boss, reply, "Which channel?", [env.channel("log")])
        await env.fake.until(lambda: "Chosen here" in render(reply))
    async with env.bot_running():
        await in_use(env, env.channel("log"))


async def test_shutdown_ends_while_setup_choices_are_applied(env: BotEnvironment) -> None:
    boss = env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))
    async with asyncio.timeout(30):
        async with env.bot_running():
            await started(env)
            reply = await channels_page(env, boss)
            of_channel = env.channel("emergency").messages_path
            env.fake.fault("POST", of_channel, delay=1.0)
            await env.push("EVENT_911", call_911(1))
            await env.fake.until(lambda: bool(env.fake.requests_to("POST", "/messages$")))
            await env.fake.choose(boss, reply, "Choose existing ones", ["emergency"])
            await env.fake.until(lambda: "Which channel" in render(reply))
            await env.fake.click(boss, reply, "None", until_answered=False)
    assert len(env.channel("emergency").created) == 1
