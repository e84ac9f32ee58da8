"""The samples of the resource's README run, and its table of messages is complete."""

import json
import re

import pytest

from tests.fivem.conftest import NAME, RESOURCE, SentinelServer

README = (RESOURCE / "README.md").read_text("utf-8")
SAMPLES = re.findall(r"^```lua\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
ADAPTER = re.findall(r"^```lua adapter\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
JAVASCRIPT = re.findall(r"^```js\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

EXPORTS = {
    *("Alarm", "Visit", "BadgeScan", "Crime", "DispatchDrone", "RecallDrone", "PutProperty"),
    *("RemoveProperty", "Allow", "Disallow", "GetProperty", "Ask", "Status"),
}

NO_FAULT = {
    *("adapter_started", "dropped", "dropped_waiting", "retried", "usage", "up", "down"),
    *("status", "status_counts", "status_pushes", "way_event", "way_http", "way_none"),
    *("status_cad", "cad_bot", "cad_nobody", "cad_script", "cad_sonoran"),
    *("synced", "linked", "not_linked", "link_in_game", "link_slowly", "link_usage"),
}
"""Texts that answer a command or a player, or say that all is well."""

REPORTED = {
    *("house_removed", "house_robbed", "lock_picked", "no_key", "put", "raid", "stash_opened"),
    "taken",
}
"""Texts of adapters that the bot shows."""

RETURNED = {
    *("bad_key", "bad_position", "has_nul", "key_taken", "missing", "no_external", "no_license"),
    *("no_property", "no_table", "no_user", "not_json", "too_late"),
}
"""Reasons that an export returns to the script that called it."""


def test_lua_samples_run(game: SentinelServer) -> None:
    game.bot.replies["queries.get-tiers"] = {"tiers": [{"id": 1}, {"id": 2}]}
    game.bot.replies["queries.get-property"] = {"location": "Hillcrest"}
    game.add_script("samples", "\n".join(SAMPLES))
    game.start("samples")
    game.command("panicbutton", source=1)
    game.bot.emit(5, "drone-dispatched", propertyId=1, droneId=2)
    game.bot.missed = True
    game.client.release(200, '{"events": [], "last": 0}')
    game.run(3.0)
    assert [message["type"] for message in game.bot.messages] == [
        "queries.put-property",
        "queries.get-property",
        "queries.get-tiers",
        "queries.add-alert",
    ]
    assert "drone 2 is out at property 1 (event 5)" in game.console
    assert {"2 tiers", "Hillcrest"} < set(game.console)
    assert any(line.startswith("away for too long") for line in game.console)
    assert not any("not reported" in line for line in game.console)


def test_sample_of_an_adapter_runs(game: SentinelServer) -> None:
    (game.resources[NAME].folder / "adapters" / "sample.lua").write_text(ADAPTER[0])
    game.add_script("some-housing", "exports('IsInside', function(player, id) return id == 17 end)")
    game.start("some-housing")
    game.restart(NAME)
    for number in (16, 17):
        game.trigger_from_player(1, "some-housing:server:enter", number)
        game.run(2.0)
    [visit] = game.bot.messages
    assert visit["data"]["external"] == {"source": "some-housing", "id": "17"}


def test_javascript_sample_calls_exports_as_the_lua_one(game: SentinelServer) -> None:
    [sample] = JAVASCRIPT
    [(export, body)] = re.findall(
        r'exports\["cad-sentinel"\]\.(\w+)\((\{.*?\n  \})\)', sample, re.S
    )
    given = re.sub(r"(\w+):", r'"\1":', body).replace('"player"', "1").replace(": player", ": 1")
    key = game.call(NAME, export, json.loads(re.sub(r",(\s*})", r"\1", given)))
    assert isinstance(key[0], str)


def test_every_export_is_documented_and_there() -> None:
    assert set(re.findall(r"`(\w+)(?:\(.*?\))?`", README)) >= EXPORTS
    api = (RESOURCE / "server" / "api.lua").read_text()
    there = re.findall(r"^    ([A-Z]\w+) = \{", api, re.MULTILINE)
    there += re.findall(r"^function Api\.(\w+)", api, re.MULTILINE)
    assert set(there) == EXPORTS


TEXTS = json.loads((RESOURCE / "locales" / "en.json").read_text())


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - NO_FAULT - REPORTED - RETURNED))
def test_every_message_about_a_fault_has_its_cure(name: str) -> None:
    text = TEXTS[name].replace("^1", "").replace("^7", "").replace("%d", "0").replace("%s", "…")
    table = re.sub(r"\d+", "0", README).replace("`", "")
    pieces = [piece for piece in re.split(r"…|[:,.\"]", text) if len(piece.split()) > 1]
    assert any(piece.strip() in table for piece in pieces[:2]), text
