"""A bot in a process of its own, killed and started again, before a fake that lives on."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fake_discord import FakeDiscord, Guild

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def bot_process(fake: FakeDiscord, guild: Guild) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, killed without mercy at the end of the block."""
    arguments = [fake.rest_url, fake.gateway_url, fake.token, str(guild.id)]
    module = "tests.fake_discord_test.bot_process"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=ROOT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def test_the_world_outlives_a_killed_bot(fake: FakeDiscord, guild: Guild) -> None:
    alice = guild.add_member("Alice")
    async with bot_process(fake, guild):
        await fake.wait_connected(timeout=20)
        card = await fake.slash(alice, "drone dispatch", property="12")
    await fake.wait_disconnected()
    assert guild.channel("dispatch").messages == [card.message]
    async with bot_process(fake, guild):
        await fake.wait_connected(timeout=20)
        await fake.click(alice, card, "Approve")
    assert card.content == "approved 7"
    assert (fake.identifies, fake.resumes) == (2, 0)
    assert len(guild.commands) == 3
    assert fake.unexpected == []
