"""How a game server's resource introduces itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.harness import START, Clock
from tests.webhook.serving import BOSS, READER, RunningApp
from webhook.protocol.game_servers import SILENT_AFTER, GameServer, GameServers


@pytest.mark.parametrize(
    ("header", "waiting", "refused"),
    [
        ("cad-sentinel/1.2.0; waiting=12; refused=3", 12, 3),
        ("cad-sentinel/1.2.0;refused=3;waiting=12", 12, 3),
        ("cad-sentinel/1.2.0", 0, 0),
        ("cad-sentinel/1.2.0; waiting=-1; refused=many; mood=good", 0, 0),
        ("cad-sentinel/1.2.0; waiting=99999999999", 0, 0),
    ],
)
def test_header_is_read(header: str, waiting: int, refused: int) -> None:
    servers = GameServers(Clock())
    servers.note("game", header)
    expected = GameServer("cad-sentinel", "1.2.0", waiting, refused, START)
    assert servers.by_client() == {"game": expected}


@pytest.mark.parametrize("header", [None, "", "/", "cad-sentinel", "a b/1", "<@1>/1", "x/" * 99])
def test_other_programs_are_not_game_servers(header: str | None) -> None:
    servers = GameServers()
    servers.note("game", header)
    assert servers.by_client() == {}


@given(st.text())
def test_any_header_can_be_read(header: str) -> None:
    GameServers().note("game", header)


def test_game_server_that_sends_nothing_is_gone() -> None:
    clock = Clock()
    servers = GameServers(clock)
    servers.note("game", "cad-sentinel/1.2.0; waiting=1")
    clock.now += SILENT_AFTER
    (server,) = servers.by_client().values()
    assert servers.is_connected(server)
    clock.now += 1
    assert not servers.is_connected(server)
    servers.note("game", "cad-sentinel/1.2.1")
    (server,) = servers.by_client().values()
    assert servers.is_connected(server)
    assert (server.version, server.waiting) == ("1.2.1", 0)


async def test_only_requests_with_a_valid_token_count(app: RunningApp) -> None:
    for token, header in (("wrong", "cad-sentinel/6.6.6"), (READER, "cad-sentinel/1.2.0")):
        headers = {"Authorization": f"Bearer {token}", "X-Sentinel-Resource": header}
        async with app.http.get(f"{app.url}/api/events", headers=headers):
            pass
    async with app.http.get(
        f"{app.url}/api/events", headers={"Authorization": f"Bearer {BOSS}"}
    ) as response:
        assert response.status == 200
    found = app.authenticator.game_servers.by_client()
    assert {client: server.version for client, server in found.items()} == {"reader": "1.2.0"}
