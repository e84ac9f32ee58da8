"""A running fake with a guild in it, and the test bot connected to it."""

from collections.abc import AsyncIterator

import pytest

from tests.fake_discord import FakeDiscord, Guild, hurry

from .sample_bot import SampleBot, running


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A fake that listens."""
    async with FakeDiscord() as fake:
        fake.limits.hurry()
        yield fake


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    """A guild with one channel."""
    guild = fake.add_guild("Los Santos")
    guild.add_channel("dispatch")
    return guild


@pytest.fixture
async def bot(fake: FakeDiscord, guild: Guild) -> AsyncIterator[SampleBot]:
    """The test bot, connected, its commands registered in the guild."""
    async with running(fake, guild) as bot:
        yield bot
    assert fake.unexpected == []
