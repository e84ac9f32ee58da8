"""Pushes of the CAD are taken over from its resource, by one way."""

import json

from tests.fivem.conftest import NAME, SentinelServer

SHIM = "SonoranCAD::pushevents:shim"
SECRET = "a-secret-of-the-tests"
PATH = f"/cad-sentinel/push/{SECRET}"


def _raw(number: int) -> str:
    return json.dumps({"key": "CAD-KEY", "type": "EVENT_911", "data": {"call": {"callId": number}}})


def _pushes(game: SentinelServer) -> list[object]:
    return [message["push"] for message in game.bot.messages]


def test_pushes_of_the_local_event_arrive_as_they_are_and_in_order(game: SentinelServer) -> None:
    game.bot.is_down = True
    for number in range(5):
        game.trigger(SHIM, _raw(number))
    game.bot.is_down = False
    game.drain()
    game.trigger(SHIM, _raw(5))
    game.drain()
    assert _pushes(game) == [_raw(number) for number in range(6)]
    assert "pushes of the CAD: the event of the Sonoran resource" in game.command("cadsentinel")
    assert len({message["key"] for message in game.bot.messages}) == 6


def test_pushes_come_over_the_secret_path(game: SentinelServer) -> None:
    game.convars["cad_sentinel_push_secret"] = SECRET
    assert game.post(PATH, _raw(1)) == (200, "OK")
    game.drain()
    assert _pushes(game) == [_raw(1)]


def test_other_paths_do_not_exist(game: SentinelServer) -> None:
    game.convars["cad_sentinel_push_secret"] = SECRET
    for path in (
        f"{PATH}/",
        f"{PATH}x",
        PATH[:-1],
        "/cad-sentinel/push/",
        f"{PATH}?a=1",
        PATH.replace(SECRET, SECRET.swapcase()),
        PATH.replace(SECRET, f"%{ord(SECRET[0]):02x}{SECRET[1:]}"),
        f"/cad-sentinel/x{PATH.removeprefix('/cad-sentinel')}",
        "/cad-sentinel/",
    ):
        assert game.post(path, _raw(1))[0] == 404
    for method in ("GET", "PUT", "HEAD"):
        assert game.post(PATH, _raw(1), method=method)[0] == 404
    assert game.post(PATH, "")[0] == 400
    assert game.status()["waiting"] == 0


def test_without_a_good_secret_there_is_no_path(game: SentinelServer) -> None:
    for secret in ("", "short", "with blanks in it, long"):
        game.convars["cad_sentinel_push_secret"] = secret
        assert game.post(f"/cad-sentinel/push/{secret}", _raw(1))[0] == 404
    game.restart(NAME)
    assert any("cad_sentinel_push_secret must have" in line for line in game.console)
    game.alarm("one")
    game.drain()
    assert game.bot.notes() == ["one"]


def test_the_first_push_transport_is_the_only_one(game: SentinelServer) -> None:
    game.convars["cad_sentinel_push_secret"] = SECRET
    for number in range(3):
        game.trigger(SHIM, _raw(number))
        assert game.post(PATH, _raw(number))[0] == 200
    game.drain()
    assert _pushes(game) == [_raw(number) for number in range(3)]
    notes = [line for line in game.console if line.startswith("Pushes also come by HTTP")]
    assert len(notes) == 1


def test_new_start_of_the_cads_resource_may_change_the_way(game: SentinelServer) -> None:
    game.convars["cad_sentinel_push_secret"] = SECRET
    game.add_script("sonorancad", "")
    game.start("sonorancad")
    game.run(0.1)
    game.trigger(SHIM, _raw(1))
    game.restart("sonorancad")
    game.run(0.1)
    assert game.post(PATH, _raw(2))[0] == 200
    game.drain()
    assert _pushes(game) == [_raw(1), _raw(2)]


def test_a_push_that_cannot_be_stored_is_rejected(game: SentinelServer) -> None:
    game.convars["cad_sentinel_push_secret"] = SECRET
    game.kvp.is_full = True
    status, why = game.post(PATH, _raw(1))
    assert status == 503
    assert "disk" in why


def test_players_cannot_forge_a_push(game: SentinelServer) -> None:
    game.trigger_from_player(1, SHIM, _raw(1))
    game.run(1.0)
    assert game.bot.messages == []


def test_pushes_and_reports_keep_their_order(game: SentinelServer) -> None:
    game.bot.is_down = True
    game.alarm("one")
    game.trigger(SHIM, _raw(1))
    game.alarm("two")
    game.bot.is_down = False
    game.drain()
    assert ["push" in message for message in game.bot.messages] == [False, True, False]


def test_refused_push_is_shown_without_its_key(game: SentinelServer) -> None:
    game.bot.refuse = lambda _: 400
    game.trigger(SHIM, _raw(1))
    game.drain()
    assert game.status()["refused"] == 1
    assert any(line.startswith("CAD Sentinel refused push (") for line in game.console)
    assert not any("CAD-KEY" in line for line in game.console)
    assert NAME in game.resources
