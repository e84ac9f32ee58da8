"""A game server for each test; a script that fails fails the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fivem.fxserver import FXServer
from tests.fivem.http_client import ScriptedClient
from tests.fivem.scripted_bot import ScriptedBot

RESOURCE = Path(__file__).parents[2] / "fivem" / "cad-sentinel"
NAME = "cad-sentinel"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FXServer]:
    """A game server without resources, whose requests go over the network."""
    with FXServer(tmp_path) as server:
        yield server
        assert server.errors == []
        assert server.kvp.open_finds == 0


class SentinelServer(FXServer):
    """A game server with cad-sentinel, not started yet, and a bot that the test scripts."""

    def __init__(self, folder: Path, bot: ScriptedBot) -> None:
        self.bot = bot
        self.client = ScriptedClient(bot.answer)
        super().__init__(folder, self.client)
        self.add(RESOURCE)
        self.join(1, "Wren", license="41aa90be", discord="123456789012345678")

    def alarm(self, note: str, **given: object) -> list[object]:
        """Report an alarm; returns what the export returns."""
        return self.call(NAME, "Alarm", {"property": 1, "user": 1, "note": note, **given})

    def status(self) -> dict[str, object]:
        """What `Status` returns."""
        [status] = self.call(NAME, "Status")
        return dict(status)

    def drain(self) -> None:
        """Wait until nothing waits for the bot."""
        self.run(60.0, until=lambda: self.status()["waiting"] == 0)


@pytest.fixture
def game(tmp_path: Path) -> Iterator[SentinelServer]:
    """A game server with cad-sentinel, started, and a scripted bot."""
    with SentinelServer(tmp_path, ScriptedBot()) as server:
        server.start(NAME)
        server.run(0.2)
        yield server
        assert server.errors == []
        assert server.kvp.open_finds == 0
