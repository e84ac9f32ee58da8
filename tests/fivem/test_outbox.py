"""What scripts report reaches the bot once and in order, whatever happens."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.fivem.conftest import NAME, RESOURCE, SentinelServer
from tests.fivem.http_client import GameRequest
from tests.fivem.scripted_bot import ScriptedBot


def test_reports_arrive_at_once_with_a_key_and_an_age(game: SentinelServer) -> None:
    [key] = game.alarm("one")
    game.drain()
    [message] = game.bot.messages
    assert message["key"] == key
    assert 0 <= message["age"] < 1
    assert message["type"] == "queries.add-alert"
    assert message["data"] == {"propertyId": 1, "userId": "license:41aa90be", "note": "one"}


def test_backlog_is_sent_in_order_in_batches(game: SentinelServer) -> None:
    game.bot.is_down = True
    notes = [str(number) for number in range(250)]
    for note in notes:
        assert game.alarm(note)[0]
    game.bot.is_down = False
    before = len(game.bot.requests)
    game.drain()
    assert game.bot.notes() == notes
    batches = [one for one in game.bot.requests[before:] if one.url.endswith("/api/batch")]
    assert 3 <= len(batches) <= 9  # small ones at first, as the bot may be slow


def test_slow_bot_gets_fewer_at_a_time(game: SentinelServer) -> None:
    game.bot.is_down = True
    for number in range(100):
        game.alarm(str(number))
    game.bot.is_down = False
    carry_out = game.client.answer

    def answer_few(request: GameRequest) -> tuple[int, str] | None:
        """Answer in time only what is short; FXServer gives the rest up."""
        answer = carry_out(request)
        is_long = request.url.endswith("/api/batch") and request.body.count('"key"') > 20
        return (0, "") if is_long else answer

    game.client.answer = answer_few
    game.drain()
    assert game.bot.notes() == [str(number) for number in range(100)]


def test_lost_answers_do_not_double(game: SentinelServer) -> None:
    game.bot.loses_answers = 3
    for number in range(30):
        game.alarm(str(number))
    game.drain()
    assert game.bot.notes() == [str(number) for number in range(30)]


def test_kill_of_the_game_server_loses_nothing(tmp_path: Path) -> None:
    bot = ScriptedBot(is_down=True)
    for start in range(4):
        server = SentinelServer(tmp_path, bot)
        server.start(NAME)
        for number in range(5):
            server.alarm(str(start * 5 + number))
        server.run(0.1)
        if start == 2:
            bot.is_down, bot.loses_answers = False, 1
            server.run(5.0)
            bot.is_down = True
        server.kill(power_fails=start == 1)
        assert server.errors == []
    bot.is_down = False
    with SentinelServer(tmp_path, bot) as server:
        server.start(NAME)
        server.drain()
    assert bot.notes() == [str(number) for number in range(20)]


def test_restart_with_a_request_under_way_has_one_effect(game: SentinelServer) -> None:
    game.alarm("one")  # is under way, and its answer is never heard
    game.restart(NAME)
    game.drain()
    assert game.bot.notes() == ["one"]
    assert len([one for one in game.bot.requests if one.url.endswith("/api/query")]) == 2


def test_a_wrong_token_discards_nothing(game: SentinelServer) -> None:
    game.bot.token = "the-right-token"
    game.convars["cad_sentinel_token"] = "a-wrong-token"
    for number in range(3):
        game.alarm(str(number))
    game.run(30.0)
    assert game.status()["waiting"] == 3
    assert game.status()["connected"] is False
    assert len([line for line in game.console if "rejects the token" in line]) == 1
    game.convars["cad_sentinel_token"] = "the-right-token"
    game.drain()
    assert game.bot.notes() == ["0", "1", "2"]


def test_status_says_why_nothing_gets_through(game: SentinelServer) -> None:
    game.bot.token = "the-right-token"
    for token, why in (("a-wrong-token", "rejects the token"), ("", "cad_sentinel_token is miss")):
        game.convars["cad_sentinel_token"] = token
        game.alarm("one")
        game.run(15.0)
        assert [line for line in game.command("cadsentinel status") if why in line]
    game.convars["cad_sentinel_token"] = ' "the-right-token" '
    game.drain()
    assert "problem" not in game.status()
    game.bot.is_down = True
    game.alarm("two")
    game.run(15.0)
    assert "cannot be reached" in game.command("cadsentinel status")[-1]


def test_renamed_resource_says_so(tmp_path: Path) -> None:
    with SentinelServer(tmp_path, ScriptedBot()) as server:
        server.add(RESOURCE, "sentinel")
        server.start("sentinel")
        assert "is named sentinel" in server.console[0]


def test_a_wrong_address_discards_nothing(tmp_path: Path) -> None:
    bot = ScriptedBot(is_another_server=True)
    with SentinelServer(tmp_path, bot) as server:
        server.start(NAME)
        for number in range(3):
            server.alarm(str(number))
        server.run(30.0)
        assert (server.status()["waiting"], server.status()["refused"]) == (3, 0)
        [line] = [line for line in server.console if "Something else" in line]
        assert "http://127.0.0.1:30150 (HTTP 404: Route not found.)" in line
        assert not [line for line in server.console if "No events" in line]
        bot.is_another_server = False
        server.drain()
    assert bot.notes() == ["0", "1", "2"]


def test_refused_messages_block_nobody_and_are_shown(game: SentinelServer) -> None:
    refusals = {"a": 404, "c": 422, "d": 400}
    game.bot.refuse = lambda message: refusals.get(message["data"]["note"], 200)
    game.bot.is_down = True
    keys = {note: game.alarm(note)[0] for note in "abcde"}
    game.bot.is_down = False
    game.drain()
    assert game.bot.notes() == ["b", "e"]
    assert game.status()["refused"] == 3
    lines = game.command("cadsentinel status")
    assert f"CAD Sentinel refused queries.add-alert ({keys['a']}): 404 because of 404" in lines
    game.restart(NAME)
    assert game.status()["refused"] == 3
    game.bot.refuse = lambda _: 200
    assert game.command("cadsentinel retry") == ["3 refused messages wait again."]
    game.drain()
    assert game.bot.notes() == ["b", "e", "a", "c", "d"]
    assert game.status()["refused"] == 0
    assert {message["key"] for message in game.bot.messages} == set(keys.values())


def test_last_hundred_refused_messages_are_kept(game: SentinelServer) -> None:
    game.bot.refuse = lambda _: 404
    for number in range(120):
        game.alarm(str(number))
    game.drain()
    assert game.status()["refused"] == 100
    game.restart(NAME)
    assert game.status()["refused"] == 100
    assert game.command("cadsentinel drop") == ["100 refused messages were thrown away."]
    assert game.status()["refused"] == 0


def test_unavailable_bot_is_asked_again_with_growing_waits(game: SentinelServer) -> None:
    game.bot.refuse = lambda _: 503
    game.alarm("one")
    times: list[float] = []
    for _ in range(3000):
        sent = len([one for one in game.bot.requests if one.url.endswith("/api/query")])
        times += [game.now / 1000] * (sent - len(times))
        game.tick()
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[0] < 1.3
    assert all(earlier < later * 1.3 for earlier, later in pairwise(waits))
    assert max(waits) <= 12.6
    game.bot.refuse = lambda _: 200
    game.drain()
    assert game.bot.notes() == ["one"]


def test_one_failure_in_a_batch_is_sent_again_alone(game: SentinelServer) -> None:
    failing = {"b"}
    game.bot.refuse = lambda message: 503 if message["data"]["note"] in failing else 200
    game.bot.is_down = True
    for note in "abc":
        game.alarm(note)
    game.bot.is_down = False
    game.run(20.0)
    assert game.status()["waiting"] == 1
    failing.clear()
    game.drain()
    assert sorted(game.bot.notes()) == ["a", "b", "c"]


def test_bot_without_batches_gets_one_after_the_other(game: SentinelServer) -> None:
    game.bot.has_batches = False
    game.bot.is_down = True
    for note in "abc":
        game.alarm(note)
    game.bot.is_down = False
    game.drain()
    assert game.bot.notes() == ["a", "b", "c"]


def test_age_counts_through_restarts_and_changes_of_the_clock(tmp_path: Path) -> None:
    bot = ScriptedBot(is_down=True)
    with SentinelServer(tmp_path, bot) as server:
        server.start(NAME)
        server.alarm("before")
        now = server.unix_time
    with FXServerAt(tmp_path, bot, now + 600) as server:
        server.start(NAME)
        server.alarm("after")
        server.move_clock(-7200)
        server.run(30.0)
        bot.is_down = False
        server.drain()
    ages = {message["data"]["note"]: message["age"] for message in bot.messages}
    assert ages["before"] == 0  # by a clock that was set back, it has not happened yet
    assert 30 <= ages["after"] < 60
    bot.messages.clear()
    with FXServerAt(tmp_path, bot, now + 900) as server:
        bot.is_down = True
        server.start(NAME)
        server.alarm("waits")
    with FXServerAt(tmp_path, bot, now + 1000) as server:
        bot.is_down = False
        server.start(NAME)
        server.drain()
    assert 99 <= bot.messages[0]["age"] < 110


class FXServerAt(SentinelServer):
    """The same at a time of the test's."""

    def __init__(self, folder: Path, bot: ScriptedBot, now: float) -> None:
        super().__init__(folder, bot)
        self.move_clock(now - self.unix_time)


def test_every_request_says_how_the_resource_is_doing(game: SentinelServer) -> None:
    game.bot.is_down = True
    game.alarm("one")
    game.alarm("two")
    game.bot.is_down = False
    game.bot.refuse = lambda message: 404 if message["data"]["note"] == "one" else 200
    game.drain()
    game.client.release(200, '{"events": [], "last": 0}')
    game.run(2.0)
    seen = [request.headers["X-Sentinel-Resource"] for request in game.bot.requests]
    assert seen[0] == "cad-sentinel/0.1.0; waiting=0; refused=0"
    assert "cad-sentinel/0.1.0; waiting=2; refused=0" in seen
    assert seen[-1] == "cad-sentinel/0.1.0; waiting=0; refused=1"


def test_stopped_bot_is_asked_rarely(game: SentinelServer) -> None:
    game.bot.is_down = True
    game.client.release(0)
    game.alarm("one")
    game.run(60.0)
    before = len(game.bot.requests)
    game.run(60.0)
    assert 8 <= len(game.bot.requests) - before <= 14  # polls and messages, each 10 to 12.5 s
    assert game.global_state["cadSentinel"] == "down"


@pytest.mark.parametrize(
    "answer",
    ["<html>", "[]", "{}", '{"answers": 3}', '{"answers": [3, {}, {"status": "x"}]}', ""],
)
def test_an_answer_that_is_not_from_the_bot_is_harmless(game: SentinelServer, answer: str) -> None:
    game.bot.is_down = True
    for note in "abc":
        game.alarm(note)
    game.bot.is_down = False
    carry_out = game.client.answer
    game.client.answer = lambda request: (200, answer) if request.body else carry_out(request)
    game.run(8.0)
    game.client.answer = carry_out
    game.drain()
    assert game.status()["refused"] == 0


def test_a_page_of_another_server_is_not_a_success(tmp_path: Path) -> None:
    bot = ScriptedBot()
    with SentinelServer(tmp_path, bot) as server:
        server.client.answer = lambda _: (200, "<html>Welcome</html>")
        server.start(NAME)
        server.alarm("one")
        server.trigger("SonoranCAD::pushevents:shim", "{}")
        server.run(20.0)
        assert server.status()["waiting"] == 2
        assert any("Something else than CAD Sentinel" in line for line in server.console)


def test_slow_answers_are_waited_for(game: SentinelServer) -> None:
    game.alarm("one")
    game.alarm("two")
    assert len([one for one in game.bot.requests if "/api/query" in one.url]) == 1
    game.drain()
    assert game.bot.notes() == ["one", "two"]


def test_message_at_which_the_bot_always_fails_is_given_up(game: SentinelServer) -> None:
    game.bot.refuse = lambda message: 500 if message["data"]["note"] == "bad" else 200
    game.bot.is_down = True
    key = [game.alarm(note)[0] for note in ("one", "bad", "two")][1]
    game.bot.is_down = False
    game.run(20.0, until=lambda: game.status()["waiting"] == 1)
    for number in range(20):  # it holds up nobody meanwhile
        game.alarm(str(number))
        game.run(1.0)
        assert game.bot.notes()[-1] == str(number)
    assert game.status()["waiting"] == 1
    game.run(120.0, until=lambda: game.status()["waiting"] == 0)
    assert game.status()["refused"] == 1
    assert f"CAD Sentinel refused queries.add-alert ({key}): 500 because of 500" in game.console
    game.bot.refuse = lambda _: 200
    game.command("cadsentinel retry")
    game.drain()
    assert game.bot.notes()[-1] == "bad"


@pytest.mark.parametrize("status", [0, 401, 429, 502, 503, 504])
def test_nothing_is_given_up_while_the_bot_is_away(game: SentinelServer, status: int) -> None:
    carry_out = game.client.answer
    game.client.answer = lambda request: (status, "") if request.body else carry_out(request)
    game.alarm("one")
    game.run(200.0)
    assert (game.status()["waiting"], game.status()["refused"]) == (1, 0)


def test_bot_that_fails_at_everything_is_waited_for(game: SentinelServer) -> None:
    game.bot.refuse = lambda _: 500
    for number in range(30):
        game.alarm(str(number))
    game.run(200.0)
    assert (game.status()["waiting"], game.status()["refused"]) == (30, 0)
    game.bot.refuse = lambda _: 200
    game.drain()
    assert game.bot.notes() == [str(number) for number in range(30)]
