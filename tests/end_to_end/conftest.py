"""The environment of every test."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cogs.cards import CARDS
from tests.end_to_end.environment import BotEnvironment, open_environment
from tests.fake_discord import hurry


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
async def env(tmp_path: Path) -> AsyncIterator[BotEnvironment]:
    async with open_environment(tmp_path) as env:
        yield env


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return what sets the bot's clock forward by some seconds."""
    ahead, real = [0.0], time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + int(ahead[0] * 1e9))

    def skip(seconds: float) -> None:
        ahead[0] += seconds

    return skip


@pytest.fixture
def _hurried_board(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the board edited at once, so that a test need not wait for it."""
    monkeypatch.setitem(CARDS, "board", replace(CARDS["board"], edit_interval=0.0))
