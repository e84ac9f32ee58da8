"""The environment of every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end.environment import BotEnvironment, open_environment
from tests.fake_discord import hurry


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[BotEnvironment]:
    async with open_environment(tmp_path) as env:
        yield env
