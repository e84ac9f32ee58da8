"""A drill against the running bot: what people see of it, and whom it mentions."""

from asyncio import to_thread

import pytest

from bot.commands.client import InstanceClient
from bot.commands.simulate import simulate
from bot.settings import RuleSettings
from tests.end_to_end.environment import CAD_KEY, TOKEN, BotEnvironment
from tests.fake_discord import render


@pytest.mark.parametrize("pings", [False, True])
async def test_drill_mentions_nobody_unasked_and_ends_all_that_it_began(
    env: BotEnvironment, *, pings: bool
) -> None:
    env.rules = [
        RuleSettings(name="calls", types=["EVENT_911", "alerts"], mention=env.dispatchers.id)
    ]
    async with env.bot_running():
        client = InstanceClient(env.url, CAD_KEY, TOKEN)
        lines: list[str] = []
        played = await to_thread(
            simulate, client, speed=float("inf"), pings=pings, say=lines.append
        )
        assert played == 0
        shown = env.channel("approvals")
        await env.fake.until(lambda: len(shown.messages) == 3)
        await env.fake.until(lambda: not any(one.components for one in shown.messages))
        alerts, panics = env.channel("alerts"), env.channel("panic")
        await env.fake.until(lambda: "# Alarm resolved" in "".join(map(render, alerts.messages)))
        await env.fake.until(lambda: bool(panics.messages))
    assert not any("log:" in line for line in lines)
    pinged = {
        name: [role for message in channel.created for role in message.pings]
        for name, channel in env.channels.items()
        if any(message.pings for message in channel.created)
    }
    called = {
        "emergency": [env.dispatchers],
        "alerts": [env.dispatchers],
        "panic": [env.on_call],
    }
    assert pinged == (called if pings else {})
    assert all("SIMULATION" in render(one) for one in env.channel("alerts").created)
