"""/cadsentinel is the console's, /cadlink the players'."""

import json

from tests.fivem.conftest import NAME, SentinelServer


def _told(game: SentinelServer) -> list[str]:
    told = [arguments[0]["args"] for name, _, arguments in game.client_events]
    assert {name for name, _, _ in game.client_events} == {"chat:addMessage"}
    return [text for _, text in told]


def test_status_on_the_console(game: SentinelServer) -> None:
    assert game.command("cadsentinel status") == [
        "CAD Sentinel 0.1.0: connected, http://127.0.0.1:30150",
        "waiting: 0, refused: 0",
        "pushes of the CAD: none since the start",
        "requests to the CAD are carried out by: nobody",
    ]
    assert game.command("cadsentinel what") == [
        "cadsentinel status | retry | drop | drop waiting | sync"
    ]


def test_players_may_not_use_the_console_command(game: SentinelServer) -> None:
    assert game.command("cadsentinel drop", source=1) == ["Access denied for command cadsentinel."]
    game.players[1].aces.add("command.cadsentinel")
    assert game.command("cadsentinel drop", source=1) == []


def test_code_links_the_player(game: SentinelServer) -> None:
    game.command("cadlink XK4T9P", source=1)
    game.run(1.0)
    [message] = game.bot.messages
    assert message["type"] == "queries.confirm-link"
    assert message["data"] == {"code": "XK4T9P", "clientId": "license:41aa90be"}
    assert _told(game) == ["You are linked with your Discord account."]
    assert game.client_events[0][1] == 1


def test_sentence_of_the_bot_is_shown(game: SentinelServer) -> None:
    game.bot.replies["queries.confirm-link"] = {"success": True, "message": "Linked with Wren"}
    game.command("cadlink XK4T9P", source=1)
    game.run(1.0)
    assert _told(game) == ["Linked with Wren"]


def test_wrong_codes_are_explained_and_cannot_be_tried_quickly(game: SentinelServer) -> None:
    game.bot.refuse = lambda _: 404
    game.command("cadlink", source=1)
    game.command("cadlink WRONG1", source=1)
    game.command("cadlink WRONG2", source=1)
    game.run(4.0)
    game.command("cadlink WRONG3", source=1)
    game.run(1.0)
    assert _told(game) == [
        "Type /link code in Discord, and then here: /cadlink CODE",
        "Wait a moment before you try again.",
        "That did not work: because of 404",
        "That did not work: because of 404",
    ]
    tried = [json.loads(one.body) for one in game.bot.requests if one.url.endswith("/api/query")]
    assert [one["data"]["code"] for one in tried] == ["WRONG1", "WRONG3"]


def test_a_player_without_a_license_is_notified(game: SentinelServer) -> None:
    game.join(2, "No license")
    game.command("cadlink XK4T9P", source=2)
    assert _told(game)[0].startswith("player 2 has no license identifier")


def test_console_commands_report_who_typed_them(game: SentinelServer) -> None:
    [line] = game.command("cadlink XK4T9P")
    assert "A player types this" in line


def test_another_version_of_the_bot_is_reported_once(game: SentinelServer) -> None:
    game.bot.version = "9.0.0"
    game.restart(NAME)
    game.run(1.0)
    told = [line for line in game.console if "This resource is version 0.1.0, the bot is" in line]
    assert told == [
        "This resource is version 0.1.0, the bot is 9.0.0:"
        " copy fivem/cad-sentinel of the bot's version to the server."
    ]


def test_language_of_the_server_is_spoken(game: SentinelServer) -> None:
    game.convars["ox:locale"] = "de"
    game.restart(NAME)
    game.run(1.0)
    assert game.command("cadsentinel")[1] == "wartend: 0, abgelehnt: 0"
    game.convars["ox:locale"] = "fr-FR"
    game.restart(NAME)
    assert game.command("cadsentinel")[1] == "waiting: 0, refused: 0"
