"""Stopping leaves nothing half done and nothing behind, at whatever moment it comes."""

import asyncio
import gc

import pytest

from tests.end_to_end.environment import BotEnvironment, call_911
from tests.fake_discord import render


def _left_behind() -> list[str]:
    """Return the tasks of discord.py and of the bot that still run."""
    tasks = (task for task in asyncio.all_tasks() if task is not asyncio.current_task())
    kept = ("aiohttp", "tests.")  # the fake's own
    return [
        f"{task.get_name()} {task.get_coro()}"
        for task in tasks
        if not any(name in repr(task.get_coro()) for name in kept)
        and task.get_name().startswith(("discord", "CommandTree", "channel", "delivery"))
    ]


@pytest.mark.parametrize(
    "seen",
    ["nothing", "GET /users/@me", "GET /applications/@me", "connected", "PUT commands"],
)
async def test_bot_can_be_stopped_at_any_point_of_its_start(env: BotEnvironment, seen: str) -> None:
    def is_there() -> bool:
        if seen == "connected":
            return env.fake.connected
        method, _, path = seen.partition(" ")
        return seen == "nothing" or bool(env.fake.requests_to(method, path))

    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        await env.fake.until(is_there)
    gc.collect()  # a coroutine that never ran would say so here
    assert _left_behind() == []
    async with env.bot_running():
        assert "911 call 1" in render(await env.channel("emergency").next_message())
    assert len(env.channel("emergency").created) == 1


async def test_bot_stops_while_discord_is_down(env: BotEnvironment) -> None:
    env.fake.outage()
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        await env.fake.until(lambda: any(one.status == 503 for one in env.fake.requests))
    assert _left_behind() == []


async def test_shutdown_waits_for_the_answer_to_a_command(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        property_id = await env.add_property("Villa", drones=1)
        env.fake.fault("PATCH", r"/messages/@original$", delay=0.3)
        env.fake.fault("POST", r"/webhooks/", delay=0.3)
        reply = await env.fake.slash(
            env.dora, "drone dispatch", property=str(property_id), until_answered=False
        )
        assert reply.content == ""
    assert reply.content == "Drone 1 (Drone 1) took off from **Villa**."
    assert _left_behind() == []
