"""A game server for each test; a script that fails fails the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fivem.fxserver import FXServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FXServer]:
    """A game server without resources."""
    with FXServer(tmp_path) as server:
        yield server
        assert server.errors == []
        assert server.kvp.open_finds == 0
