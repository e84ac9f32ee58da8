"""A house for every test that wants one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.webhook.house import House, open_house
from tests.webhook.serving import Served, serve


@pytest.fixture
async def house(database_path: Path) -> AsyncIterator[House]:
    """A house with tiers and equipment types on offer."""
    async with open_house(database_path) as house:
        yield house


@pytest.fixture
async def served(house: House) -> AsyncIterator[Served]:
    """The house, listening, with a reader, a writer and a boss configured."""
    async with serve(house) as served:
        yield served
