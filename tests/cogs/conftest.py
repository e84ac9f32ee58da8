"""A house whose evening the tests tell, and a town with the real bot and a fake Discord."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end.town import Town
from tests.fake_discord import FakeDiscord, hurry
from tests.webhook.harness import AppHarness, open_harness


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[AppHarness]:
    """A house with nothing in it."""
    async with open_harness(tmp_path / "house.db") as harness:
        yield harness


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    """A town whose Discord has no rate limits worth waiting for."""
    hurry(monkeypatch)
    async with FakeDiscord() as fake:
        fake.limits.hurry()
        yield Town(fake, tmp_path)
        assert fake.unexpected == []
