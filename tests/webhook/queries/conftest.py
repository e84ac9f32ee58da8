"""A harness in another time zone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.webhook.harness import AppHarness, open_harness


@pytest.fixture
async def berlin(tmp_path: Path) -> AsyncIterator[AppHarness]:
    """A harness whose days are those of Berlin."""
    async with open_harness(tmp_path / "berlin.db", "Europe/Berlin") as harness:
        yield harness
