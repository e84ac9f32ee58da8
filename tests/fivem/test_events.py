"""Events of the bot reach other resources of the server, at least once."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fivem import http_client
from tests.fivem.conftest import NAME, SentinelServer
from tests.fivem.http_client import GameResponse
from tests.fivem.scripted_bot import ScriptedBot


def _polls(bot: ScriptedBot) -> list[dict[str, list[str]]]:
    urls = [urlsplit(request.url) for request in bot.requests]
    return [parse_qs(url.query) for url in urls if url.path == "/api/events"]


def _deliver(game: SentinelServer) -> None:
    """Have the poll that waits end as if its time were over: the next one sees what is new."""
    game.client.release(200, f'{{"events": [], "last": {_polls(game.bot)[-1]["after"][0]}}}')
    game.run(2.5)


def test_events_come_with_their_number(game: SentinelServer) -> None:
    alerts = game.record("cad-sentinel:alerts")
    game.bot.emit(7, "alerts", propertyId="1", user="license:41aa90be")
    _deliver(game)
    assert alerts == [[{"propertyId": "1", "user": "license:41aa90be"}, 7]]


def test_first_poll_learns_the_newest_number(tmp_path: Path) -> None:
    bot = ScriptedBot()
    bot.emit(41, "alerts", propertyId="1")
    with SentinelServer(tmp_path, bot) as server:
        alerts = server.record("cad-sentinel:alerts")
        server.start(NAME)
        server.run(1.0)
        assert alerts == []  # of a time before the resource was there
    polls = _polls(bot)
    assert (polls[0]["wait"], polls[0].get("after")) == (["0"], None)
    assert (polls[1]["wait"], polls[1]["after"]) == (["4"], ["41"])


def test_polls_end_before_the_game_server_times_out(game: SentinelServer) -> None:
    _deliver(game)
    assert all(int(poll["wait"][0]) < http_client.SILENCE for poll in _polls(game.bot))


def test_events_of_an_outage_or_restart_come_later(game: SentinelServer, tmp_path: Path) -> None:
    alerts = game.record("cad-sentinel:alerts")
    game.stop(NAME)
    game.bot.emit(8, "alerts", propertyId="1")
    game.start(NAME)
    game.run(1.0)
    game.bot.is_down = True
    game.client.release(0)
    game.bot.emit(9, "alerts", propertyId="2")
    game.run(20.0)
    game.bot.is_down = False
    game.run(15.0)
    assert [number for _, number in alerts] == [8, 9]


def test_a_gap_is_reported(game: SentinelServer) -> None:
    missed = game.record("cad-sentinel:missed")
    game.bot.missed = True
    _deliver(game)
    assert missed == [[]]


def test_handler_that_fails_stops_nothing(game: SentinelServer) -> None:
    game.add_script("breaks", 'AddEventHandler("cad-sentinel:alerts", function() error("no") end)')
    game.start("breaks")
    alerts = game.record("cad-sentinel:alerts")
    game.bot.emit(1, "alerts", propertyId="1")
    _deliver(game)
    game.bot.emit(2, "alerts", propertyId="1")
    _deliver(game)
    assert len(alerts) == 2
    assert all("breaks" in error for error in game.errors)
    game.errors.clear()


def test_poll_that_ends_at_once_is_not_repeated_in_a_loop(game: SentinelServer) -> None:
    before = len(_polls(game.bot))
    for _ in range(500):
        game.client.release(200, '{"events": [], "last": 0}')
        game.tick()
    assert len(_polls(game.bot)) - before <= 11


def test_poll_that_never_ends_is_given_up(game: SentinelServer) -> None:
    alerts = game.record("cad-sentinel:alerts")
    game.bot.emit(1, "alerts", propertyId="1")  # the poll that waits is never answered
    game.run(50.0)
    assert len(alerts) == 1
    _, deliver = game.client.held[0]
    deliver(GameResponse(200, '{"events": [{"type": "events.alerts", "id": 1}], "last": 1}'))
    game.run(5.0)
    assert len(alerts) == 1  # its late answer is of no use any more


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        "{}",
        '{"events": 3, "last": 1}',
        "<html>",
        '{"last": 1}',
        '{"events": [], "last": 1.5}',
        '{"events": [], "last": {}}',
    ],
)
def test_an_answer_that_is_not_a_page_is_harmless(game: SentinelServer, answer: str) -> None:
    game.client.release(200, answer)
    game.run(2.0)
    alerts = game.record("cad-sentinel:alerts")
    game.bot.emit(1, "alerts", propertyId="1")
    _deliver(game)
    assert len(alerts) == 1


def test_an_unknown_event_in_the_configuration_is_reported(game: SentinelServer) -> None:
    body = {"type": "error", "data": {"code": "not-found", "message": "unknown event 'x'"}}
    game.client.release(404, json.dumps(body))
    game.run(0.5)
    line = "No events come into the game: unknown event 'x'. Correct `events` in config.lua."
    assert line in game.console


def test_no_event_is_sent_to_players(game: SentinelServer) -> None:
    game.bot.emit(1, "alerts", propertyId="1")
    _deliver(game)
    assert game.client_events == []
