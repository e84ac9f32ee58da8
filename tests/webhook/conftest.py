"""The application without Discord, for every test that wants it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.webhook.harness import AppHarness, open_harness
from tests.webhook.serving import RunningApp, serve


@pytest.fixture
async def harness(database_path: Path) -> AsyncIterator[AppHarness]:
    """Storage with tiers and equipment types on offer."""
    async with open_harness(database_path) as harness:
        yield harness


@pytest.fixture
async def app(harness: AppHarness) -> AsyncIterator[RunningApp]:
    """The application, listening, with a reader, a writer and a boss configured."""
    async with serve(harness) as app:
        yield app
