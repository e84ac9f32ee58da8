"""Fixtures: the app without Discord, and the real bot beside a fake Discord."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end.environment import BotEnvironment, open_environment
from tests.fake_discord import hurry
from tests.webhook.harness import AppHarness, open_harness


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[AppHarness]:
    """An app with nothing stored."""
    async with open_harness(tmp_path / "house.db") as harness:
        yield harness


@pytest.fixture
async def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BotEnvironment]:
    hurry(monkeypatch)
    async with open_environment(tmp_path) as env:
        yield env
