"""Rules and pauses that are made in Discord hold at once, across restarts, and end."""

from typing import Any

import pytest

from tests.end_to_end.environment import BotEnvironment, call_911
from tests.fake_discord import CannotDo, Member, render


def _boss(env: BotEnvironment) -> Member:
    return env.guild.add_member("Boss", env.guild.add_role("Boss", "manage_guild"))


async def _answer(env: BotEnvironment, who: Member, command: str, **options: Any) -> str:
    reply = await env.fake.slash(who, command, options=options)
    await env.fake.until(lambda: bool(reply.content or reply.embeds))
    return render(reply)


async def test_a_rule_from_discord_applies_at_once_until_removed(
    env: BotEnvironment,
) -> None:
    boss, fires = _boss(env), env.guild.add_channel("fires")
    rule = {"types": "EVENT_911", "keywords": "smoke, fire", "channel": fires}
    async with env.bot_running():
        await env.wait_for_commands()
        added = await _answer(env, boss, "route add", name="fires", **rule)
        assert "The rule fires is in force: type EVENT\\_911; keyword smoke or fire" in added
        assert await env.push("EVENT_911", call_911(1)) == 200
        await fires.next_message()
        assert "already" in await _answer(env, boss, "route add", name="fires", **rule)
        wrong = await _answer(env, boss, "route add", name="x", types="EVENT_912", silent=True)
        assert "Events: not an event; did you mean EVENT\\_911?" in wrong
        nothing = await _answer(env, boss, "route add", name="x", types="EVENT_911")
        assert "The rule does nothing" in nothing
        with pytest.raises(CannotDo):  # it is for those who manage the server
            await _answer(env, env.dora, "route list")
    async with env.bot_running():
        await env.fake.wait_connected()
        assert await env.push("EVENT_911", call_911(2)) == 200
        await fires.next_message()
        assert "1. **fires (/route)**" in await _answer(env, boss, "route list")
        assert "fires (/route): yes" in await _answer(
            env, boss, "route test", event="EVENT_911", data='{"description": "smoke"}'
        )
        await _answer(env, boss, "route remove", name="fires")
        assert "There are no rules" in await _answer(env, boss, "route list")
        assert await env.push("EVENT_911", call_911(3)) == 200
        await env.channel("emergency").next_message()
    assert len(fires.created) == 2


async def test_a_pause_mentions_nobody_but_for_panics_until_it_ends(env: BotEnvironment) -> None:
    boss, called = _boss(env), env.guild.add_role("Fire", mentionable=True)
    emergency = env.channel("emergency")
    async with env.bot_running():
        await env.wait_for_commands()
        await _answer(env, boss, "route add", name="all", types="EVENT_911", mention=called)
        assert await env.push("EVENT_911", call_911(1)) == 200
        assert (await emergency.next_message()).pings == [called]
        assert "Nobody is mentioned until" in await _answer(env, boss, "pause", time="1h")
        board = env.channel("board")
        await env.fake.until(lambda: "Mentions are off" in "".join(map(render, board.messages)))
    async with env.bot_running():
        await env.fake.wait_connected()
        assert await env.push("EVENT_911", call_911(2)) == 200
        assert (await emergency.next_message()).pings == []
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        assert (await env.channel("panic").next_message()).pings == [env.on_call]
        assert "Mentions are off until" in await _answer(env, env.dora, "status")
        await _answer(env, boss, "pause", time="end")
        assert await env.push("EVENT_911", call_911(3)) == 200
        assert (await emergency.next_message()).pings == [called]


async def test_a_form_asks_for_the_usual_rule_and_gives_back_what_was_typed(
    env: BotEnvironment,
) -> None:
    boss, called = _boss(env), env.guild.add_role("Fire", mentionable=True)
    fires = env.guild.add_channel("fires")
    async with env.bot_running():
        await env.wait_for_commands()
        opened = await env.fake.slash(boss, "route add")
    async with env.bot_running():  # a form that was opened before a restart is as good
        await env.fake.wait_connected()
        words = {"name": "fires", "keywords": "smoke, @everyone"}
        nothing = await env.fake.submit(boss, opened, words)
        await env.fake.until(lambda: nothing.answered)
        assert "The rule does nothing" in render(nothing)
        assert "smoke, @everyone" in render(nothing)
        opened = await env.fake.slash(boss, "route add")
        done = await env.fake.submit(
            boss,
            opened,
            {**words, "types": ["911 call"], "channel": [fires], "mention": [called]},
        )
        await env.fake.until(lambda: done.answered)
        assert "The rule fires is in force: type EVENT\\_911; keyword smoke or" in render(done)
        assert await env.push("EVENT_911", call_911(1)) == 200
        assert (await fires.next_message()).pings == [called]
        unnamed = await _answer(env, boss, "route add", silent=True)
        assert "Give the rule a name." in unnamed
