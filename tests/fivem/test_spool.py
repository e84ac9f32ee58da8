"""What is kept is on disk; what cannot be kept is refused, aloud."""

from pathlib import Path

import pytest

from tests.fivem.conftest import NAME, SentinelServer
from tests.fivem.scripted_bot import ScriptedBot


def test_a_full_disk_is_reported_and_nothing_claims_success(game: SentinelServer) -> None:
    game.kvp.is_full = True
    [key, why] = game.alarm("one")
    assert key is None
    assert (
        why
        == "The disk of the game server is full: nothing new is kept until there is space again."
    )
    assert why in game.console
    assert game.status()["full"] is True
    game.kvp.is_full = False
    assert game.alarm("two")[0] is not None
    game.drain()
    assert game.bot.notes() == ["two"]
    assert game.status()["full"] is False


def test_message_sent_on_a_full_disk_is_not_doubled_after_a_restart(game: SentinelServer) -> None:
    game.bot.is_down = True
    game.alarm("one")
    game.kvp.is_full = True
    game.bot.is_down = False
    game.drain()
    game.restart(NAME)
    assert game.status()["waiting"] == 1  # it could not be deleted
    game.drain()
    assert game.bot.notes() == ["one"]


def test_a_destroyed_store_gets_new_keys_and_is_reported(tmp_path: Path) -> None:
    bot, keys = ScriptedBot(), set()
    for is_destroyed in (False, True, True):
        with SentinelServer(tmp_path, bot) as server:
            if is_destroyed:
                server.kvp.destroy()
            server.start(NAME)
            keys.add(server.alarm("one")[0])
            server.drain()
            was_told = any("The key-value store" in line for line in server.console)
            assert was_told == is_destroyed
    assert len(keys) == 3
    assert bot.notes() == ["one", "one", "one"]


def test_a_store_destroyed_while_running_stops_nothing(game: SentinelServer) -> None:
    game.bot.is_down = True
    for note in "abc":
        game.alarm(note)
    game.kvp.destroy()
    game.alarm("d")
    game.bot.is_down = False
    game.drain()
    assert game.bot.notes() == ["d"]
    assert any("The key-value store" in line for line in game.console)


def test_bound_rejects_the_newest(game: SentinelServer) -> None:
    config = game.resources[NAME].folder / "config.lua"
    config.write_text(config.read_text().replace("most_waiting = 50000", "most_waiting = 3"))
    game.restart(NAME)
    game.bot.is_down = True
    keys = [game.alarm(note)[0] for note in "abcde"]
    assert [key is not None for key in keys] == [True, True, True, False, False]
    assert len([line for line in game.console if "3 messages wait already" in line]) == 1
    game.bot.is_down = False
    game.drain()
    assert game.bot.notes() == ["a", "b", "c"]


def test_key_of_the_callers_own_is_kept_and_stored_once(game: SentinelServer) -> None:
    game.bot.is_down = True
    assert game.alarm("one", key="robbery-17") == ["robbery-17"]
    assert game.alarm("one", key="robbery-17") == ["robbery-17"]
    game.restart(NAME)
    assert game.alarm("one", key="robbery-17") == ["robbery-17"]
    assert game.alarm("two", key="robbery-17") == [
        None,
        "this key waits already, with something else",
    ]
    assert game.status()["waiting"] == 1
    game.bot.is_down = False
    game.drain()
    game.alarm("one", key="robbery-17")
    game.drain()
    assert game.bot.notes() == ["one"]


@pytest.mark.parametrize("key", ["", "with blank", "x" * 129, "ü", 7, "line\nbreak"])
def test_keys_that_no_header_can_carry_are_refused(game: SentinelServer, key: object) -> None:
    assert game.alarm("one", key=key) == [
        None,
        "key must be 1 to 128 visible characters without blanks",
    ]


def test_nul_is_refused(game: SentinelServer) -> None:
    assert game.alarm("be\0hind") == [None, "a text must not have a NUL byte in it"]


@pytest.mark.parametrize("note", ["ü😀", '"quoted"\\', "line\nbreak\t", "\x1b[31m", "x" * 100_000])
def test_texts_arrive_as_they_are(game: SentinelServer, note: str) -> None:
    game.alarm(note)
    game.drain()
    assert game.bot.notes() == [note]


def test_numbers_never_start_again(tmp_path: Path) -> None:
    bot, keys = ScriptedBot(), []
    for _ in range(3):
        with SentinelServer(tmp_path, bot) as server:
            server.start(NAME)
            keys.append(server.alarm("one")[0])
            server.drain()
            server.kill(power_fails=True)
    assert len(set(keys)) == 3
    assert len({str(key).split("-")[0] for key in keys}) == 1


def test_drop_waiting_discards_everything(game: SentinelServer) -> None:
    game.bot.is_down = True
    game.alarm("one")
    game.alarm("two")
    assert game.command("cadsentinel drop waiting") == ["2 waiting messages were thrown away."]
    game.bot.is_down = False
    game.alarm("three")
    game.drain()
    assert game.bot.notes() == ["three"]
    game.restart(NAME)
    assert game.status()["waiting"] == 0


def test_refused_message_is_not_lost_on_a_full_disk(game: SentinelServer) -> None:
    game.bot.is_down = True
    [key] = game.alarm("one")
    game.kvp.is_full = True
    game.bot.refuse = lambda _: 404
    game.bot.is_down = False
    game.drain()
    assert game.status()["refused"] == 1
    assert any(str(key) in line for line in game.command("cadsentinel status"))
    assert any("disk of the game server is full" in line for line in game.console)
    game.kvp.is_full = False
    game.restart(NAME)
    game.drain()  # it was still there, and is refused once more
    assert game.status()["refused"] == 1
    game.restart(NAME)
    assert (game.status()["waiting"], game.status()["refused"]) == (0, 1)
    game.bot.refuse = lambda _: 200
    assert game.command("cadsentinel retry") == ["1 refused messages wait again."]
    game.drain()
    assert [message["key"] for message in game.bot.messages] == [key]


def test_refused_message_on_a_full_disk_can_be_sent_or_dropped(game: SentinelServer) -> None:
    game.bot.refuse = lambda _: 404
    for note in ("one", "two"):
        game.alarm(note)
        game.kvp.is_full = True
        game.drain()
        game.kvp.is_full = False
        if note == "one":
            game.bot.refuse = lambda _: 200
            game.command("cadsentinel retry")
            game.drain()
            game.bot.refuse = lambda _: 404
        else:
            game.command("cadsentinel drop")
        game.restart(NAME)
        assert (game.status()["waiting"], game.status()["refused"]) == (0, 0)
    assert game.bot.notes() == ["one"]
