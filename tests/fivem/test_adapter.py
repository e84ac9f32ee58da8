"""What an adapter is made of, with one for a resource of the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fivem.conftest import NAME, SentinelServer
from tests.fivem.scripted_bot import ScriptedBot

ADAPTER = """
Adapter('housing', function(adapter)
    adapter.on_net('housing:enter', function(player, id)
        adapter.verify_later(500, function()
            if exports['housing']:IsInside(player) then
                adapter.report('Visit', { property = adapter.property(id), user = player })
            end
        end)
    end)
    adapter.on('housing:sold', function(id, owner)
        adapter.report('PutProperty', {
            property = adapter.property(id),
            owner = owner,
            position = adapter.position(1),
        })
    end)
    adapter.on_start(function()
        print('hooked', exports['housing']:Hook(adapter.callback(function(text)
            if text == 'fail' then
                error('a fault of the adapter')
            end
            adapter.report('Crime', { description = text })
            return false
        end)))
    end)
    adapter.on_stop(function() print('gone', json.encode(adapter.config)) end)
end)
"""

HOUSING = """
    local hook
    exports('IsInside', function(player) return player == 1 end)
    exports('Hook', function(fn) hook = fn return 'yes' end)
    exports('Call', function(text) return hook(text) == nil end)
"""


@pytest.fixture
def housing(tmp_path: Path) -> Iterator[SentinelServer]:
    """A server with an adapter, and the resource that it is for, not started."""
    with SentinelServer(tmp_path, ScriptedBot()) as server:
        folder = server.resources[NAME].folder
        for file in folder.glob("adapters/*.lua"):
            file.unlink()
        (folder / "adapters" / "housing.lua").write_text(ADAPTER)
        server.add_script("housing", HOUSING)
        server.join(2, "Vic", license="9b41fe02")
        yield server
        assert server.errors == []


def test_attempts_are_verified_before_they_are_reported(housing: SentinelServer) -> None:
    housing.start("housing", NAME)
    housing.trigger_from_player(1, "housing:enter", 17)
    housing.trigger_from_player(2, "housing:enter", 17)
    housing.run(0.4)
    assert housing.bot.messages == []
    housing.run(1.0)
    [visit] = housing.bot.messages
    assert visit["data"] == {
        "external": {"source": "housing", "id": "17"},
        "userId": "license:41aa90be",
    }


def test_one_attempt_a_second_of_each_player_counts(housing: SentinelServer) -> None:
    housing.start("housing", NAME)
    for _ in range(100):
        housing.trigger_from_player(1, "housing:enter", 17)
        housing.run(0.02)
    housing.run(2.0)
    assert len(housing.bot.messages) == 2


def test_nothing_is_registered_without_the_resource(housing: SentinelServer) -> None:
    housing.start(NAME)
    runtime = housing.resources[NAME].runtime
    assert runtime is not None
    assert runtime.net_events == set()
    housing.start("housing")
    housing.run(0.1)
    assert runtime.net_events == {"housing:enter"}
    assert "housing is running: what happens there is reported to CAD Sentinel." in housing.console


def test_hooks_are_given_anew_after_a_restart_and_return_nothing(housing: SentinelServer) -> None:
    housing.start("housing", NAME)
    assert housing.call("housing", "Call", "first") == [True]
    housing.restart("housing")
    housing.run(0.1)
    assert housing.call("housing", "Call", "second") == [True]
    housing.drain()
    assert [one["data"]["description"] for one in housing.bot.messages] == ["first", "second"]
    assert housing.console.count("hooked\tyes") == 2
    assert housing.console.count("gone\t[]") == 1


def test_failing_adapter_disturbs_nobody(housing: SentinelServer) -> None:
    housing.start("housing", NAME)
    assert housing.call("housing", "Call", "fail") == [True]
    assert any("The adapter of housing failed" in line for line in housing.console)


def test_stopped_resource_is_not_asked(housing: SentinelServer) -> None:
    housing.start("housing", NAME)
    housing.trigger_from_player(1, "housing:enter", 17)
    housing.stop("housing")
    housing.run(2.0)
    assert housing.bot.messages == []
    assert not any("failed" in line for line in housing.console)


def test_positions_are_those_of_the_ped(housing: SentinelServer) -> None:
    housing.players[1].position = (-857.2, 697.6, 30.0)
    housing.start("housing", NAME)
    housing.trigger("housing:sold", 17, "license:9b41fe02")
    housing.drain()
    assert housing.bot.messages[0]["data"] == {
        "external": {"source": "housing", "id": "17"},
        "owner": "license:9b41fe02",
        "x": -857,
        "y": 698,
        "position": {"x": -857.2, "y": 697.6, "z": 30.0},
    }


def test_players_cannot_trigger_an_event_of_the_server(housing: SentinelServer) -> None:
    housing.start("housing", NAME)
    housing.trigger_from_player(1, "housing:sold", 17, "license:41aa90be")
    housing.run(1.0)
    assert housing.bot.messages == []


def test_adapter_can_be_switched_off(housing: SentinelServer) -> None:
    config = housing.resources[NAME].folder / "config.lua"
    text = config.read_text().replace("adapters = {\n", "adapters = {\n['housing'] = false,\n")
    config.write_text(text)
    housing.start("housing", NAME)
    housing.run(0.1)
    assert "hooked\tyes" not in housing.console
