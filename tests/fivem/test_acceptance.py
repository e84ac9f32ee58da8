"""The resource and the real bot, killed under way: `make soak` does the same at length."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from aiohttp.test_utils import unused_port

from tests.fivem.bot_process import TOKEN, BotProcess
from tests.fivem.conftest import NAME, RESOURCE
from tests.fivem.fxserver import FXServer
from tests.fivem.happenings import Outcome, happen, outcome, push_of, stored_numbers
from tests.fivem.lossy_proxy import Losses, LossyProxy

SECRET = "a-secret-of-the-tests"


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[BotProcess]:
    """The real bot, started."""
    (tmp_path / "game").mkdir()
    with BotProcess(tmp_path, unused_port()) as bot:
        bot.wait()
        yield bot


def _game_server(bot: BotProcess, url: str) -> FXServer:
    server = FXServer(bot.folder / "game")
    server.convars |= {
        "cad_sentinel_url": url,
        "cad_sentinel_token": TOKEN,
        "cad_sentinel_push_secret": SECRET,
    }
    server.add(RESOURCE)
    server.start(NAME)
    return server


def _drain(server: FXServer) -> None:
    server.run(120.0, until=lambda: server.call(NAME, "Status")[0]["waiting"] == 0)


def test_nothing_is_missing_doubled_or_out_of_order(bot: BotProcess) -> None:
    target = int(bot.url.rpartition(":")[2])
    with LossyProxy(target, Random(1), Losses(lost=0.2, late=0.0)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        numbers = iter(range(1, 46))
        for life in range(3):
            server = _game_server(bot, url)
            for place in range(15):
                assert happen(server, next(numbers))
                server.run(0.04)
                if place == 5 * life:
                    bot.kill()
                elif place == 5 * life + 4:
                    bot.start()
            if life == 2:
                bot.wait()
                _drain(server)
            assert server.errors == []
            server.kill()
        assert proxy.counts["lost"] > 0  # the first answer, at least
    assert outcome(bot.database, set(range(1, 46))) == Outcome([], [], True)


FORWARDER = """
    AddEventHandler('forward', function(raw)
        PerformHttpRequest(FORWARD_URL, function() end, 'POST', raw)
    end)
"""


def test_forwarded_pushes_arrive_once_through_an_outage(bot: BotProcess) -> None:
    with _game_server(bot, bot.url) as server:
        url = f"http://127.0.0.1:{server.port}/cad-sentinel/push/{SECRET}"
        server.add_script("forwarder", f"local FORWARD_URL = '{url}' {FORWARDER}")
        server.start("forwarder")
        for number in range(1, 21):
            if number == 8:
                bot.kill()
            server.trigger("forward", push_of(number))
            server.run(0.06)
        bot.start()
        bot.wait()
        _drain(server)
        assert server.errors == []
    assert sorted(stored_numbers(bot.database)) == list(range(1, 21))


def test_events_come_into_the_game_within_a_second(bot: BotProcess) -> None:
    with _game_server(bot, bot.url) as server:
        crimes = server.record("cad-sentinel:crimes")
        server.run(1.0, until=lambda: server.global_state.get("cadSentinel") == "up")
        server.run(0.5)
        bot.query("add-crime", description="from elsewhere")
        server.run(1.0, until=lambda: crimes)
        assert server.errors == []
    [[data, number]] = crimes
    assert (data["crimeId"], number) == (1, 1)


def test_bot_understands_every_report(bot: BotProcess) -> None:
    house = {"source": "ps-housing", "id": 17}
    reports = [
        (
            "PutProperty",
            {"property": house, "owner": 1, "location": "Hillcrest", "position": {"x": 1, "y": 2}},
        ),
        ("Alarm", {"property": house, "user": 1, "note": "Glass"}),
        ("Visit", {"property": house, "user": 1}),
        ("BadgeScan", {"property": house, "user": 1, "allowed": False, "reason": "No key"}),
        ("Crime", {"property": house, "user": 1, "description": "Fence"}),
        ("Allow", {"property": house, "user": 1}),
        ("Disallow", {"property": house, "user": 1}),
        ("PutProperty", {"property": house, "owner": "license:9b41fe02"}),
        ("RemoveProperty", {"property": house, "user": 1, "reason": "Sold"}),
    ]
    with _game_server(bot, bot.url) as server:
        server.join(1, "Wren", license="41aa90be")
        for export, given in reports:
            assert isinstance(server.call(NAME, export, given)[0], str)
        _drain(server)
        assert server.call(NAME, "Status")[0]["refused"] == 0, server.console
        answers = server.record("answer")
        server.add_script(
            "asks",
            """
            exports['cad-sentinel']:GetProperty({ source = 'ps-housing', id = 17 }, function(found)
                TriggerEvent('answer', found)
            end)
            """,
        )
        server.start("asks")
        server.run(5.0, until=lambda: answers)
        assert server.errors == []
    assert answers[0][0]["location"] == "Hillcrest"
    assert json.loads(json.dumps(answers[0][0]["external"])) == {"source": "ps-housing", "id": "17"}
