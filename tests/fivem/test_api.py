"""What other resources can call."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fivem.conftest import NAME, SentinelServer
from tests.fivem.scripted_bot import ScriptedBot

WREN = "license:41aa90be"
HOUSE = {"source": "ps-housing", "id": 17}
EXTERNAL = {"source": "ps-housing", "id": "17"}

REPORTS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    (
        "Alarm",
        {"property": HOUSE, "user": 1, "note": "Glass"},
        "add-alert",
        {"external": EXTERNAL, "userId": WREN, "note": "Glass"},
    ),
    (
        "Visit",
        {"property": 3, "user": "1", "camera": 4},
        "add-visitor",
        {"propertyId": 3, "userId": WREN, "cameraId": 4},
    ),
    ("Visit", {"property": "3", "user": 1}, "add-visitor", {"propertyId": "3", "userId": WREN}),
    (
        "BadgeScan",
        {"property": 3, "user": 1, "allowed": False, "reason": "No key", "method": "keypad"},
        "add-auth-entry",
        {"propertyId": 3, "userId": WREN, "allowed": False, "reason": "No key", "method": "keypad"},
    ),
    (
        "Crime",
        {"property": HOUSE, "user": "steam:11", "description": "Climbed the fence"},
        "add-crime",
        {"external": EXTERNAL, "clientId": "steam:11", "description": "Climbed the fence"},
    ),
    (
        "DispatchDrone",
        {"property": 3, "drone": 2, "reason": "Alarm"},
        "dispatch-drone",
        {"propertyId": 3, "droneId": 2, "reason": "Alarm"},
    ),
    ("RecallDrone", {"drone": 2}, "recall-drone", {"droneId": 2}),
    (
        "Visit",
        {"external": HOUSE, "userId": WREN, "cameraId": 4},
        "add-visitor",
        {"external": EXTERNAL, "userId": WREN, "cameraId": 4},
    ),
    (
        "PutProperty",
        {
            "property": HOUSE,
            "owner": 1,
            "location": "Hillcrest",
            "position": {"x": -857.5, "y": 697.4, "z": 3},
            "tier": 2,
        },
        "put-property",
        {
            "external": EXTERNAL,
            "owner": WREN,
            "location": "Hillcrest",
            "x": -857,
            "y": 697,
            "position": {"x": -857.5, "y": 697.4, "z": 3},
            "tier": 2,
        },
    ),
    (
        "RemoveProperty",
        {"property": HOUSE, "user": 1, "reason": "Sold"},
        "request-remove-property",
        {"external": EXTERNAL, "userId": WREN, "reason": "Sold"},
    ),
    ("Allow", {"property": 3, "user": 1}, "add-allowed-user", {"propertyId": 3, "userId": WREN}),
    (
        "Disallow",
        {"property": 3, "user": 1},
        "remove-allowed-user",
        {"propertyId": 3, "userId": WREN},
    ),
]


@pytest.mark.parametrize(
    ("export", "given", "query", "data"), REPORTS, ids=lambda value: str(value)
)
def test_exports_send_queries(
    game: SentinelServer, export: str, given: dict[str, Any], query: str, data: dict[str, Any]
) -> None:
    key, *why = game.call(NAME, export, given)
    assert (isinstance(key, str), [text for text in why if text]) == (True, [])
    game.drain()
    [message] = game.bot.messages
    assert (message["type"], message["data"], message["key"]) == (f"queries.{query}", data, key)


def test_texts_that_are_not_utf8_are_made_so(game: SentinelServer) -> None:
    game.add_script(
        "reports",
        """
        exports['cad-sentinel']:Crime({
            description = 'M\\xfcller, ' .. utf8.char(0xfc),
            property = { source = 'h\\xfcuser', id = 'ü' },
            user = 'name:\\xff',
        })
        """,
    )
    game.start("reports")
    game.drain()
    assert game.bot.messages[0]["data"] == {
        "description": "M?ller, ??",
        "external": {"source": "h?user", "id": "ü"},
        "clientId": "name:?",
    }


def test_a_crime_without_content_has_no_data(game: SentinelServer) -> None:
    game.call(NAME, "Crime", {})
    game.drain()
    [request] = [one for one in game.bot.requests if one.url.endswith("/api/query")]
    assert json.loads(request.body) == {"type": "queries.add-crime"}


def test_position_may_be_called_coords(game: SentinelServer) -> None:
    given = {"property": HOUSE, "coords": {"x": -857.23, "y": 12.6, "z": 3}}
    game.call(NAME, "PutProperty", given)
    game.drain()
    [message] = game.bot.messages
    assert (message["data"]["x"], message["data"]["y"]) == (-857, 13)


REFUSALS: list[tuple[str, Any, str]] = [
    ("Alarm", {"user": 1}, "property must be a number, or a table with source and id"),
    ("Alarm", {"property": {"id": 3}, "user": 1}, "property must have source and id"),
    ("Alarm", {"property": 1}, "user must be the number of a player, or a user id"),
    ("Alarm", {"property": 1, "user": 77}, "player 77 has no license identifier"),
    ("Alarm", {"property": 1, "user": 2}, "player 2 has no license identifier"),
    ("Alarm", "text", "the export takes one table"),
    ("RecallDrone", {}, "drone is missing"),
    ("PutProperty", {"property": 3}, "property must have source and id"),
    ("PutProperty", {"property": HOUSE, "position": "there"}, "position must have x and y"),
]


@pytest.mark.parametrize(("export", "given", "why"), REFUSALS, ids=lambda value: str(value))
def test_invalid_reports_are_rejected_with_the_reason(
    game: SentinelServer, export: str, given: Any, why: str
) -> None:
    game.join(2, "No license")
    key, problem = game.call(NAME, export, given)
    assert key is None
    assert problem.startswith(why)
    assert game.status()["waiting"] == 0


def test_a_player_who_has_left_is_still_identified(game: SentinelServer) -> None:
    game.bot.is_down = True
    game.alarm("one")
    game.leave(1)
    game.bot.is_down = False
    game.drain()
    assert game.bot.messages[0]["data"]["userId"] == WREN


ASK = """
    exports['cad-sentinel']:Ask('get-tiers', {}, function(data, why)
        print(json.encode(data), why)
    end)
    exports['cad-sentinel']:GetProperty({ source = 'ps-housing', id = 17 }, function(data, why)
        print(data, why)
    end)
    exports['cad-sentinel']:GetProperty(nil, function(data, why) print(data, why) end)
"""


def test_questions_are_answered_or_refused_and_never_kept(game: SentinelServer) -> None:
    game.bot.refuse = lambda message: 404 if message["type"] == "queries.get-property" else 200
    game.add_script("asks", ASK)
    game.start("asks")
    game.run(1.0)
    assert sorted(game.console) == [
        "nil\tbecause of 404",
        "nil\tproperty must be a number, or a table with source and id",
        '{"success":true}\tnil',
    ]
    asked = [json.loads(one.body) for one in game.bot.requests if one.url.endswith("/api/query")]
    assert asked == [
        {"type": "queries.get-tiers"},
        {"type": "queries.get-property", "data": {"external": EXTERNAL}},
    ]
    game.bot.is_down = True
    game.restart("asks")
    game.run(1.0)
    assert any("Could not connect" in line for line in game.console if line.startswith("nil\t"))
    assert game.status()["waiting"] == 0


def test_status_shows_the_state_of_each_part(game: SentinelServer) -> None:
    assert game.status() == {
        "connected": True,
        "waiting": 0,
        "refused": 0,
        "full": False,
        "cad": "nobody",
        "version": "0.1.0",
    }
    assert game.global_state == {"cadSentinel": "up"}


@pytest.mark.parametrize(
    ("convar", "value", "says"),
    [
        ("url", "bot.example.org", "cad_sentinel_url"),
        ("url", "http://127.0.0.1:30150/api", "cad_sentinel_url"),
        ("url", "https://bot.example.org", "cad_sentinel_token is missing"),
        ("token", "with a blank", "cad_sentinel_token must not"),
    ],
)
def test_wrong_convars_are_reported_once_and_nothing_is_lost(
    game: SentinelServer, convar: str, value: str, says: str
) -> None:
    game.convars[f"cad_sentinel_{convar}"] = value
    game.console.clear()
    game.restart(NAME)
    game.alarm("one")
    game.run(20.0)
    [line] = [line for line in game.console if says in line]
    assert "CAD SENTINEL CANNOT WORK YET" in line
    assert game.status()["waiting"] == 1
    assert game.global_state["cadSentinel"] == "down"
    game.convars.clear()
    game.drain()
    assert game.bot.notes() == ["one"]


ATTACK = r"""
    local values = {
        false, true, 0, -1, 1.5, 1 / 0, -1 / 0, 0 / 0, 2 ^ 63, math.mininteger, '', ' ',
        'a\0b', '\255', ('x'):rep(65536), {}, { 1, 2 }, { source = 'x' }, { source = {}, id = {} },
        { source = '\255', id = '\0' }, { { { '\254' } } }, { [1.5] = 'k', [true] = 1 },
        { x = 0 / 0 }, { x = 1e308, y = -1e308 }, function() end, vector3(1.5, 2.5, 3.5),
    }
    local names = { 'BadgeScan', 'Crime', 'PutProperty' }
    local fields = {
        'property', 'user', 'note', 'camera', 'allowed', 'reason', 'method', 'description', 'drone',
        'owner', 'location', 'position', 'x', 'tier', 'status', 'key',
    }
    local sentinel = exports['cad-sentinel']
    exports('attack', function()
        for _, name in ipairs(names) do
            sentinel[name](sentinel)
            for _, value in ipairs(values) do
                sentinel[name](sentinel, value)
                for _, field in ipairs(fields) do
                    local given = { property = { source = 'a', id = 'b' }, user = 1, drone = 1 }
                    given[field] = value
                    sentinel[name](sentinel, given)
                end
            end
        end
        for _, value in ipairs(values) do
            sentinel:Ask(value)
            sentinel:Ask('get-property', value, function() end)
            sentinel:GetProperty(value, function() end)
            sentinel:Status(value)
        end
    end)
"""


def test_malformed_events_of_other_resources_are_harmless(game: SentinelServer) -> None:
    game.add_script("attacker", ATTACK)
    game.start("attacker")
    game.call("attacker", "attack")
    game.drain()
    assert game.status()["waiting"] == 0
    assert len(game.bot.messages) > 300


def test_number_of_a_property_is_one_text_however_it_is_written(game: SentinelServer) -> None:
    game.add_script(
        "sells", "exports['cad-sentinel']:PutProperty({property={source='s', id=17.0}})"
    )
    game.start("sells")
    game.drain()
    assert game.bot.messages[0]["data"] == {"external": {"source": "s", "id": "17"}}


@pytest.mark.parametrize(
    "native",
    [
        "GlobalState",
        "SaveResourceFile",
        "SetResourceKvpNoSync",
        "DeleteResourceKvpNoSync",
        "GetResourceMetadata",
        "GetPlayers",
        "SetHttpHandler",
        "GetPlayerIdentifierByType",
    ],
)
def test_server_may_lack_a_native(tmp_path: Path, native: str) -> None:
    with SentinelServer(tmp_path, ScriptedBot()) as server:
        folder = server.resources[NAME].folder
        (folder / "lacks.lua").write_text(f"{native} = nil")
        manifest = folder / "fxmanifest.lua"
        manifest.write_text(
            manifest.read_text().replace("server_scripts {", "server_scripts { 'lacks.lua',")
        )
        server.start(NAME)
        server.alarm("one")
        server.drain()
        assert server.bot.messages[0]["data"]["userId"] == WREN
        assert server.errors == []
