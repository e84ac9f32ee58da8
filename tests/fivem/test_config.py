"""Mistakes in config.lua stop nothing that they are not about."""

from pathlib import Path

import pytest

from tests.fivem.conftest import NAME, SentinelServer
from tests.fivem.scripted_bot import ScriptedBot


@pytest.mark.parametrize(
    "config",
    [
        "Config = { most_waiting = ",
        "Config = nil",
        "Config = 'en'",
        "Config = { most_waiting = '50000', language = 5, adapters = true, check_version = 'yes' }",
        "Config = { most_waiting = {}, events = 7, adapters = 'ox_doorlock' }",
        "Config = {}",
    ],
)
def test_reports_arrive_whatever_the_configuration_is(tmp_path: Path, config: str) -> None:
    with SentinelServer(tmp_path, ScriptedBot()) as server:
        (server.resources[NAME].folder / "config.lua").write_text(config)
        server.start(NAME)
        is_broken = config.endswith("= ")
        assert len(server.errors) == int(is_broken)  # of the file itself, which FXServer prints
        server.errors.clear()
        server.alarm("one")
        server.drain()
        assert server.bot.notes() == ["one"]
        assert server.errors == []


def test_events_may_be_a_list(tmp_path: Path) -> None:
    with SentinelServer(tmp_path, ScriptedBot()) as server:
        config = "Config = { events = { 'alerts', 'visits' } }"
        (server.resources[NAME].folder / "config.lua").write_text(config)
        server.start(NAME)
        server.run(0.1)
        assert "names=alerts,visits&" in server.bot.requests[0].url


def test_a_broken_locale_is_ignored(tmp_path: Path) -> None:
    with SentinelServer(tmp_path, ScriptedBot()) as server:
        (server.resources[NAME].folder / "locales" / "de.json").write_text("{")
        server.convars["ox:locale"] = "de-DE"
        server.start(NAME)
        assert server.command("cadsentinel nonsense") == [
            "cadsentinel status | retry | drop | drop waiting | sync"
        ]
