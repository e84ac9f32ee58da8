"""Stopping leaves nothing half done and nothing behind, at whatever moment it comes."""

import asyncio
import gc

import pytest

from tests.end_to_end.town import Town, call_911
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
async def test_it_can_be_stopped_at_any_moment_of_its_start(town: Town, seen: str) -> None:
    def is_there() -> bool:
        if seen == "connected":
            return town.fake.connected
        method, _, path = seen.partition(" ")
        return seen == "nothing" or bool(town.fake.requests_to(method, path))

    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        await town.fake.until(is_there)
    gc.collect()  # a coroutine that never ran would say so here
    assert _left_behind() == []
    async with town.bot_running():
        assert "911 call 1" in render(await town.channel("emergency").next_message())
    assert len(town.channel("emergency").created) == 1


async def test_it_stops_while_discord_is_down(town: Town) -> None:
    town.fake.outage()
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        await town.fake.until(lambda: any(one.status == 503 for one in town.fake.requests))
    assert _left_behind() == []


async def test_a_command_that_is_being_answered_is_answered_to_the_end(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        place = await town.add_property("Villa", drones=1)
        town.fake.fault("PATCH", r"/messages/@original$", delay=0.3)
        town.fake.fault("POST", r"/webhooks/", delay=0.3)
        reply = await town.fake.slash(
            town.dora, "drone dispatch", property=str(place), until_answered=False
        )
        assert reply.content == ""
    assert reply.content == "Drone 1 dispatched at **Villa**."
    assert _left_behind() == []
