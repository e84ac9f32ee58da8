"""A town for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.end_to_end.town import Town
from tests.fake_discord import FakeDiscord, hurry


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    """A town whose Discord has no rate limits worth waiting for."""
    async with FakeDiscord() as fake:
        fake.limits.hurry()
        yield Town(fake, tmp_path)
        assert fake.unexpected == []
