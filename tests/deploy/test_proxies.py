"""deploy/nginx and deploy/caddy in front of the real bot, each with the real program."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.settings import HttpSettings
from tests.deploy.conftest import CLIENT, KEY, TOKEN, Front, Start, proxied
from tests.end_to_end.environment import call_911

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def front(start: Start, tmp_path: Path) -> AsyncIterator[Front]:
    """A proxy before a bot that has a client configured."""
    async with proxied(start, tmp_path, has_clients=True) as front:
        yield front


async def push(front: Front, data: dict[str, Any], path: str = "/sonorancad/event") -> int:
    """Push a 911 call through the proxy and return the status."""
    body = {"key": KEY, "type": "EVENT_911", "data": data}
    url = f"{front.url}{path}"
    async with front.http.post(url, data=io.BytesIO(orjson.dumps(body))) as got:
        return got.status


async def test_proxied_request_never_counts_as_local(start: Start, tmp_path: Path) -> None:
    async with proxied(start, tmp_path, has_clients=False) as front:
        token = (tmp_path / "client-token.txt").read_text("ascii").strip()
        async with front.http.get(f"{front.behind}/api/events") as straight:
            assert straight.status == 200
        for headers in (
            {},
            {"Connection": "close, X-Forwarded-For", "X-Forwarded-For": "127.0.0.1"},
            {"Authorization": f"Bearer {token}"},
        ):
            async with front.http.get(f"{front.url}/api/events", headers=headers) as through:
                assert through.status == 401
        # nginx hands it on; Caddy knows no such site, and answers without asking the bot.
        async with front.http.get(
            f"{front.url}/api/events", headers={"Host": "localhost"}
        ) as through:
            assert "events" not in await through.text()


async def test_forged_client_address_is_ignored(
    front: Front, caplog: pytest.LogCaptureFixture
) -> None:
    for claim in ("203.0.113.7", "203.0.113.7, 127.0.0.1"):
        headers = {"X-Forwarded-For": claim}
        async with front.http.post(f"{front.url}/event", json={}, headers=headers) as refused:
            assert refused.status == 400
    assert f"wrong or missing CAD key from {CLIENT}" in caplog.text
    assert "203.0.113.7" not in caplog.text


async def test_push_reaches_websocket_and_long_poll(front: Front) -> None:
    async with front.http.ws_connect(f"{front.url}/ws", headers=BEARER) as socket:
        for message in (
            {"type": "session", "data": {"id": "c1"}},
            {"type": "subscribe", "data": {"id": "cad"}},
        ):
            await socket.send_json(message)
            assert (await socket.receive_json(timeout=30))["type"] == "status"
        url = f"{front.url}/api/events?after=0&names=cad&wait=50"
        poll = asyncio.create_task(front.http.get(url, headers=BEARER))
        assert await push(front, call_911(1), "/event/county") == 200
        heard = await socket.receive_json(timeout=30)
        assert heard["type"] == "events.cad.EVENT_911"
        async with await poll as answer:
            assert [event["id"] for event in (await answer.json())["events"]] == [heard["id"]]


async def test_push_up_to_the_largest_size_passes(front: Front) -> None:
    most = HttpSettings().max_push_bytes
    assert await push(front, call_911(1) | {"more": "x" * (most - 1_000)}) == 200
    assert await push(front, call_911(2) | {"more": "x" * most}) == 413


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/api", "/ws/x", "/eventual", "//ws"])
async def test_other_paths_are_not_proxied(front: Front, path: str) -> None:
    async with front.http.get(f"{front.url}{path}", headers=BEARER) as answer:
        assert answer.status == 404
        assert "ready" not in await answer.text()
