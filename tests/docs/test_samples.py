"""The samples of docs/protocol.md run as they are printed: in FXServer's Lua, and under node."""

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import pytest
from aiohttp.test_utils import unused_port

from tests.docs.page import DOCS, TEXT
from tests.fivem import http_client
from tests.fivem.bot_process import TOKEN, BotProcess
from tests.fivem.fxserver import FXServer
from tests.node import node_environment

[LUA] = re.findall(r"^```lua\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
[JAVASCRIPT, EVENT_BUS] = re.findall(r"^```js\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)

README = (DOCS.parent / "README.md").read_text("utf-8")
RESOURCE = DOCS.parent / "fivem" / "cad-sentinel"

NODE = which("node")
ALERT = {"propertyId": 1, "userId": "license:41aa90be"}
HEARS = 'AddEventHandler("sentinel:events.alerts", function(data) print("heard", data.alertId) end)'


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[BotProcess]:
    """The bot, on an empty database."""
    folder = tmp_path / "bot"
    folder.mkdir()
    with BotProcess(folder, unused_port()) as bot:
        bot.wait()
        yield bot


def add_property(bot: BotProcess) -> None:
    bot.query(
        "add-property", location="Forum Dr", tier=1, x=1, y=2, description="", clientId="owner"
    )


def test_lua_sample_gets_answers_errors_and_every_event(
    bot: BotProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the game server allows is five seconds; a poll is never silent, not even for half a one.
    monkeypatch.setattr(http_client, "SILENCE", 0.5)
    with FXServer(tmp_path) as game:
        game.convars |= {"sentinel_url": bot.url, "sentinel_token": TOKEN}
        game.add_script("sample", LUA)
        game.add_script("hears", HEARS)
        game.start("hears", "sample")
        game.run(until=lambda: {"3 tiers"} < set(game.console))
        assert "add-alert failed: there is no property 1" in game.console
        add_property(bot)
        game.restart("sample")
        game.run(until=lambda: "alert 1 of alarm 1" in game.console)
        game.run(1.0)  # longer than the game server would wait in silence
        bot.query("add-alert", **ALERT)
        game.run(until=lambda: any("heard" in line and "2" in line for line in game.console))
        assert not any("no events" in line for line in game.console)
        assert game.errors == []


@contextmanager
def node_lines(
    bot: BotProcess, folder: Path, sample: str, *options: str
) -> Iterator[Iterator[str]]:
    """Run a sample under node and return the lines that it prints."""
    script = folder / "sample.mjs"
    port = bot.url.rpartition(":")[2]
    script.write_text(sample.replace("30150", port).replace("2000", "20"), "utf-8")
    process = subprocess.Popen(
        [str(NODE), *options, script],
        env=os.environ | {"SENTINEL_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    watchdog = threading.Timer(60.0, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        yield iter(process.stdout.readline, "")
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_javascript_sample_gets_answers_and_resumes(bot: BotProcess, tmp_path: Path) -> None:
    add_property(bot)
    with node_lines(bot, tmp_path, JAVASCRIPT, "--experimental-websocket") as lines:
        assert next(line for line in lines if "Forum Dr" in line)
        bot.query("add-alert", **ALERT)
        assert next(line for line in lines if "alertId: 1" in line)
        bot.kill()
        bot.start()
        bot.wait()
        bot.query("add-alert", **ALERT)
        assert next(line for line in lines if "alertId: 2" in line)


def test_event_bus_sample_gets_answers_and_events(bot: BotProcess, tmp_path: Path) -> None:
    add_property(bot)
    (tmp_path / "node_modules").symlink_to(node_environment()["NODE_PATH"])
    with node_lines(bot, tmp_path, EVENT_BUS) as lines:
        assert next(line for line in lines if "get-properties" in line)
        bot.query("add-alert", **ALERT)
        assert next(line for line in lines if "events.alerts" in line)


def test_line_of_the_readme_reaches_the_bot(bot: BotProcess, tmp_path: Path) -> None:
    add_property(bot)
    [line] = re.findall(r"^    (exports\[.*)$", README, re.MULTILINE)
    with FXServer(tmp_path) as game:
        game.convars |= {"cad_sentinel_url": bot.url, "cad_sentinel_token": TOKEN}
        game.add(RESOURCE)
        game.join(1, "Wren", license="41aa90be")
        game.add_script("mine", f"source = 1\n{line}")  # as in the handler of an event
        game.start("cad-sentinel", "mine")
        game.run(until=lambda: bot.query("get-alerts", propertyId=1)["alerts"])
        assert game.errors == []


@pytest.mark.parametrize("page", ["../README.md", "install.md"])
def test_other_pages_have_no_samples_that_nobody_runs(page: str) -> None:
    assert re.findall(r"^```(?:lua|js)", (DOCS / page).read_text("utf-8"), re.MULTILINE) == []
