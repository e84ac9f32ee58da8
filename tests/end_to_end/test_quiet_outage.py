"""An outage is a line in the log, and so is its end; a crash loop spares the day's sessions."""

import logging
import time

import pytest

from cogs.delivery.outage import Outage
from tests.end_to_end.environment import BotEnvironment, call_911
from tests.end_to_end.test_recovery import logged, started
from tests.fake_discord import render

SESSIONS_LEFT = 50


async def test_an_outage_is_one_line_and_so_is_its_end(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    emergency, records = env.channel("emergency"), env.channel("records")
    async with env.bot_running():
        await started(env)
        caplog.clear()
        await env.fake.unplug()
        await logged(caplog, "Discord cannot be reached, messages wait: ")
        await env.push("EVENT_911", call_911(1))
        await env.push("EVENT_RECORD_ADD", {"record": {"id": 1, "type": 3, "name": "late"}})
        await env.fake.plug_in()
        await emergency.next_message(timeout=60)
        await records.next_message()
        await logged(caplog, "Discord is back after ")
    problems = [one.name for one in caplog.records if one.levelno >= logging.WARNING]
    slow = "bot.background"  # on a busy machine the loop is late
    assert [name for name in problems if name != slow] == ["cogs.delivery.outage"]
    assert not any(one.exc_info for one in caplog.records)


async def test_unexpected_errors_of_discord_py_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    logger, outage = logging.getLogger("discord.client"), Outage()
    with outage.instead_of_tracebacks():
        for number in range(3):
            try:
                raise OSError(f"gone {number}")
            except OSError:
                logger.exception("Attempting a reconnect in %.2fs", 1.0)
        logger.error("Ignoring exception in %s", "on_ready")
    outage.end("gateway", 7)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING] == [
        "Discord cannot be reached, messages wait: gone 0",
        "Ignoring exception in on_ready",
    ]


async def test_with_few_sessions_left_the_bot_connects_slowly_but_delivers(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    env.fake.rest.sessions_left = SESSIONS_LEFT
    env.fake.rest.sessions_reset_after = SESSIONS_LEFT * 1_000
    began = time.monotonic()
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        assert "911 call 1" in render(await env.channel("emergency").next_message())
        assert env.fake.identifies == 0
        await env.fake.wait_connected()
        assert time.monotonic() - began > 1
    assert f"only {SESSIONS_LEFT} connections to Discord are left" in caplog.text
