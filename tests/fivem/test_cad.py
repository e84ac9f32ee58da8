"""What the bot asks of the CAD is carried out here, by Sonoran's resource or a script."""

import json
from typing import Any

import pytest

from tests.fivem.conftest import NAME, SentinelServer

SONORAN = """
    local cad = { __sonoranNamespace = true }
    function cad.attachUnitsToDispatchCallV2(_, call, body)
        print('attach', call, json.encode(body))
        Wait(100)
        return { success = true, data = { callId = call, identIds = { 7 } } }
    end
    function cad.getCallsV2() return { success = true, data = ('x'):rep(2000) } end
    function cad.closeDispatchCallsV2() error('no such method') end
    exports('getCadClient', function() return cad end)
"""


def _request(number: int, kind: str, **body: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "kind": kind, "body": body}


def _ask(game: SentinelServer, *requests: dict[str, Any]) -> None:
    """Have the bot answer the poll that waits."""
    given = json.dumps({"isWanted": True, "requests": list(requests)})
    held = game.client.held
    game.client.held = [one for one in held if "cad-requests" in one[0].url]
    others = [one for one in held if "cad-requests" not in one[0].url]
    game.client.release(200, given)
    game.client.held = others


def _is_polling(game: SentinelServer) -> bool:
    return any("cad-requests" in request.url for request, _ in game.client.held)


@pytest.fixture
def asked(game: SentinelServer) -> SentinelServer:
    """A server with Sonoran's resource, whose bot has no API key."""
    game.bot.wants_cad = True
    game.add_script("sonorancad", SONORAN)
    game.start("sonorancad")
    game.run(until=lambda: _is_polling(game))
    return game


def test_sonorans_resource_makes_the_request_and_returns_the_result(asked: SentinelServer) -> None:
    _ask(asked, _request(1, "attach", callId=55, discord="42"))
    asked.run(until=lambda: asked.bot.cad_answers)
    assert asked.bot.cad_answers == [
        {"id": "r1", "success": True, "data": {"callId": 55, "identIds": [7]}}
    ]
    assert 'attach\t55\t{"discord":"42"}' in asked.console
    assert asked.bot.working_on == ["r1"]  # of the poll meanwhile
    _ask(asked)
    asked.run(until=lambda: asked.bot.working_on == [] and _is_polling(asked))
    assert "requests to the CAD are carried out by: the Sonoran resource" in asked.command(
        "cadsentinel"
    )


def test_an_answer_that_is_lost_is_sent_again(asked: SentinelServer) -> None:
    _ask(asked, _request(1, "attach", callId=55, discord="42"))
    asked.run(until=lambda: 'attach\t55\t{"discord":"42"}' in asked.console)
    asked.bot.loses_answers = 1
    asked.run(0.5)
    assert asked.bot.cad_answers == []
    _ask(asked)
    asked.run(until=lambda: asked.bot.cad_answers)
    assert asked.console.count('attach\t55\t{"discord":"42"}') == 1


def test_a_failed_or_long_request_is_reported(asked: SentinelServer) -> None:
    requests = [_request(1, "close", callIds=[5]), _request(2, "calls"), _request(3, "unknown")]
    _ask(asked, *requests)
    asked.run(0.2)
    _ask(asked)
    asked.run(until=lambda: len(asked.bot.cad_answers) == 3)
    found = {answer["id"]: answer["error"] for answer in asked.bot.cad_answers}
    assert "no such method" in found["r1"]
    assert found["r2"] == "too long"
    assert "nil value" in found["r3"]


def test_a_restarted_sonoran_resource_is_asked_anew(asked: SentinelServer) -> None:
    _ask(asked, _request(1, "attach", callId=55, discord="42"))
    asked.run(until=lambda: asked.bot.cad_answers)
    asked.restart("sonorancad")
    _ask(asked, _request(2, "attach", callId=56, discord="42"))
    asked.run(until=lambda: len(asked.bot.cad_answers) == 2)


def test_a_bot_with_a_key_or_an_older_one_asks_nothing(game: SentinelServer) -> None:
    game.add_script("sonorancad", SONORAN)
    game.start("sonorancad")
    game.run(15)
    game.bot.wants_cad = False
    game.run(until=lambda: "the bot itself" in "".join(game.command("cadsentinel")))
    polls = [one for one in game.bot.requests if "cad-requests" in one.url]
    game.run(60)
    later = [one for one in game.bot.requests if "cad-requests" in one.url]
    assert len(later) - len(polls) <= 6
    assert game.status()["connected"]


def test_without_sonorans_resource_nobody_polls(game: SentinelServer) -> None:
    game.bot.wants_cad = True
    game.run(30)
    assert not any("cad-requests" in request.url for request in game.bot.requests)
    assert "requests to the CAD are carried out by: nobody" in game.command("cadsentinel")


def test_a_server_script_can_carry_out_requests(game: SentinelServer) -> None:
    game.bot.wants_cad = True
    (game.resources[NAME].folder / "config.lua").write_text("Config = { cad_requests = 'event' }")
    game.restart(NAME)
    game.add_script(
        "own",
        """
        AddEventHandler('cad-sentinel:cad-request', function(request, answer)
            if request.kind == 'note' then
                answer({ success = true, data = { callId = request.body.callId } })
                answer({ success = false })
            else
                answer(nil)
            end
        end)
        """,
    )
    game.start("own")
    game.run(until=lambda: _is_polling(game))
    _ask(game, _request(1, "note", callId=3, note="Hi"), _request(2, "close", callIds=[3]))
    game.run(until=lambda: len(game.bot.cad_answers) == 2)
    assert sorted(game.bot.cad_answers, key=lambda answer: str(answer["id"])) == [
        {"id": "r1", "success": True, "data": {"callId": 3}},
        {"id": "r2", "error": "no answer"},
    ]
