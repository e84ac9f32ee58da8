"""The channel over real websockets: who gets in, what is sent, who is dropped."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import orjson
import pytest
from aiohttp import WSCloseCode, WSMsgType

from tests.webhook.harness import AppHarness, Frame
from tests.webhook.serving import (
    BOSS,
    GAME_PAGE,
    PAGE,
    READER,
    WRITER,
    AppOptions,
    RunningApp,
    serve,
)
from webhook.http import websocket
from webhook.http.connection import ConnectionLimits

IN_TIME = 20.0

Socket = aiohttp.ClientWebSocketResponse[bool]


async def say(ws: Socket, kind: str, identifier: str | None = None, **data: object) -> None:
    given = data | ({"requestIdentifier": identifier} if identifier else {})
    await ws.send_str(orjson.dumps({"type": kind, "data": given}).decode())


async def hear(ws: Socket) -> Frame:
    """Return the next frame."""
    message = await ws.receive(timeout=IN_TIME)
    assert message.type is WSMsgType.TEXT, message
    frame: Frame = orjson.loads(message.data)
    return frame


async def subscribe(ws: Socket, *names: str) -> None:
    for name in names:
        await say(ws, "subscribe", id=name)
        assert (await hear(ws))["type"] == "status"


async def closed(ws: Socket) -> int | None:
    """Read until the server closes and return its code."""
    while (message := await ws.receive(timeout=IN_TIME)).type is WSMsgType.TEXT:
        pass
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING), message
    return ws.close_code


async def emit(harness: AppHarness, times: int = 1, data: bytes = b"{}") -> None:
    async with harness.context().change() as change:
        for _ in range(times):
            await change.emit_named("alerts", data)


async def refusal(app: RunningApp, url: str = "/ws", **headers: str) -> int:
    """Return the status with which a handshake is refused."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await app.http.ws_connect(f"{app.url}{url}", headers=headers)
    return refused.value.status


@asynccontextmanager
async def open_to_loopback(harness: AppHarness) -> AsyncIterator[RunningApp]:
    async with serve(harness, AppOptions(open_to_loopback=True)) as app:
        yield app


async def test_bearer_token_is_accepted(app: RunningApp) -> None:
    async with app.connect(READER) as ws:
        await say(ws, "session", id="c1")
        assert await hear(ws) == {"type": "status", "data": {"message": "created"}}


@pytest.mark.parametrize("kind", [WSMsgType.TEXT, WSMsgType.BINARY])
async def test_bytes_that_are_not_utf8_lose_neither_query_nor_connection(
    app: RunningApp, kind: WSMsgType
) -> None:
    async with app.connect() as ws:
        await say(ws, "queries.add-user", "u", userId="ann", fullName="M\ufffdller")
        await hear(ws)
        query = b'{"type": "queries.get-users", "data": {"search": "m\xfcl", "limit": 5}}'
        for _ in range(2):
            await ws.send_frame(query, kind)
            assert [user["id"] for user in (await hear(ws))["data"]["users"]] == ["ann"]


@pytest.mark.parametrize("kind", ["bearer", "BEARER", "Bearer "])
async def test_bearer_is_case_insensitive(app: RunningApp, kind: str) -> None:
    async with app.connect(None, Authorization=f"{kind} {READER}") as ws:
        await say(ws, "session", id="c1")
        assert (await hear(ws))["type"] == "status"


async def test_token_in_the_query_string_is_accepted(app: RunningApp) -> None:
    async with app.http.ws_connect(f"{app.url}/ws?token={WRITER}") as ws:
        await say(ws, "queries.add-user", userId="u", fullName="U")
        assert (await hear(ws))["data"] == {"success": True}


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("/ws", {}),
        ("/ws?token=", {}),
        ("/ws?token=wrong", {}),
        ("/ws", {"Authorization": "Bearer wrong"}),
        ("/ws", {"Authorization": f"Basic {READER}"}),
        ("/ws", {"Authorization": READER}),
        (f"/ws?token={READER}", {"Authorization": "Bearer wrong"}),
        ("/ws", {"Authorization": f"Bearer {READER}x"}),
        ("/ws?token=%ED%A0%80", {}),
    ],
)
async def test_wrong_or_missing_token_is_rejected_before_the_upgrade(
    app: RunningApp, url: str, headers: dict[str, str]
) -> None:
    assert await refusal(app, url, **headers) == 401


async def test_while_no_client_is_configured_this_machine_needs_no_token(
    harness: AppHarness,
) -> None:
    async with open_to_loopback(harness) as app, app.connect(None) as ws:
        await say(ws, "queries.remove-user", userId="nobody")
        assert (await hear(ws))["data"]["code"] == "not-found"


async def test_wrong_token_is_rejected_from_this_machine_too(harness: AppHarness) -> None:
    async with open_to_loopback(harness) as app:
        assert await refusal(app, Authorization="Bearer wrong") == 401


@pytest.mark.parametrize(
    "header",
    [
        *("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"),
        *("CF-Connecting-IP", "True-Client-IP", "X-Client-IP"),
    ],
)
async def test_forwarded_request_is_not_from_this_machine(harness: AppHarness, header: str) -> None:
    async with open_to_loopback(harness) as app:
        assert await refusal(app, **{header: "127.0.0.1"}) == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:30150", 404),
        ("127.0.0.1", 404),
        ("[::1]:30150", 404),
        ("sentinel.example.org", 401),  # what a proxy without forwarding headers hands on
        ("rebound.evil.example:30150", 401),  # a web page whose name leads to 127.0.0.1
        ("127.0.0.1.evil.example", 401),
        ("10.0.0.1:30150", 401),
        ("", 401),
        ("]localhost[", 401),
        ("[localhost]", 401),
        ("[::1%25lo]", 401),
        ("[[::1]]", 401),
    ],
)
async def test_request_for_another_host_is_not_from_this_machine(
    harness: AppHarness, host: str, status: int
) -> None:
    message = {"type": "queries.remove-user", "data": {"userId": "nobody"}}
    async with (
        open_to_loopback(harness) as app,
        app.http.post(f"{app.url}/api/query", json=message, headers={"Host": host}) as answer,
    ):
        assert answer.status == status


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("none", 200), ("", 200)]
)
async def test_page_that_includes_the_address_of_a_poll_is_refused(
    harness: AppHarness, site: str, status: int
) -> None:
    async with open_to_loopback(harness) as app:
        headers = {"Sec-Fetch-Site": site} if site else {}
        async with app.http.get(f"{app.url}/api/events?after=0", headers=headers) as answer:
            assert answer.status == status


async def test_once_clients_are_configured_this_machine_needs_a_token_too(app: RunningApp) -> None:
    assert await refusal(app) == 401


async def test_foreign_web_page_is_forbidden(app: RunningApp) -> None:
    given = {"Authorization": f"Bearer {BOSS}"}
    for origin in ("https://evil.example", "null", f"{PAGE}.evil.example"):
        assert await refusal(app, Origin=origin, **given) == 403


@pytest.mark.parametrize("origin", [PAGE, f"{PAGE.upper()}/", GAME_PAGE, ""])
async def test_configured_web_page_is_accepted(app: RunningApp, origin: str) -> None:
    async with app.connect(READER, Origin=origin) as ws:
        await say(ws, "session", id="c1")
        assert (await hear(ws))["type"] == "status"


async def test_failed_attempts_of_an_address_are_delayed(app: RunningApp) -> None:
    clock = asyncio.get_running_loop().time
    await refusal(app)
    started = clock()
    await refusal(app)
    assert clock() - started >= 0.25
    async with app.connect(READER):
        started = clock()
    assert await refusal(app) == 401
    assert clock() - started < 0.25


async def test_no_token_is_logged(app: RunningApp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with app.http.ws_connect(f"{app.url}/ws?token={READER}") as ws:
        await say(ws, "session", id="c1")
        await hear(ws)
    await refusal(app, "/ws?token=some-wrong-token")
    assert READER not in caplog.text
    assert "some-wrong-token" not in caplog.text


async def test_scopes_are_enforced(app: RunningApp) -> None:
    async with app.connect(READER) as ws:
        await say(ws, "queries.add-user", userId="u", fullName="U")
        assert (await hear(ws))["data"]["code"] == "forbidden"
        await say(ws, "queries.get-users")
        assert (await hear(ws))["data"]["users"] == []


async def test_frame_that_is_too_large_closes_with_1009(app: RunningApp) -> None:
    async with app.connect() as ws:
        await say(ws, "queries.get-tiers", pad="x" * 256 * 1024)
        assert await closed(ws) == WSCloseCode.MESSAGE_TOO_BIG


async def test_frame_at_the_limit_is_read(app: RunningApp) -> None:
    async with app.connect() as ws:
        await say(ws, "queries.get-tiers", pad="x" * (255 * 1024))
        assert (await hear(ws))["type"] == "get-tiers"


async def test_binary_frame_is_read_as_text(app: RunningApp) -> None:
    async with app.connect() as ws:
        await ws.send_bytes(b'{"type": "queries.get-tiers"}')
        assert (await hear(ws))["type"] == "get-tiers"
        await ws.send_bytes('{"type": "queries.get-tiers"}'.encode("utf-16"))
        assert (await hear(ws))["data"]["code"] == "bad-json"
        await say(ws, "queries.get-tiers")
        assert (await hear(ws))["type"] == "get-tiers"


async def test_messages_without_identifiers_are_answered_in_the_order_they_were_sent(
    app: RunningApp,
) -> None:
    place = await app.harness.add_property()
    kinds = ["get-tiers", "change-property-size", "get-property", "get-free-drones"] * 20
    async with app.connect() as ws:
        for number, kind in enumerate(kinds):
            await say(ws, f"queries.{kind}", propertyId=place, width=number, height=1)
        assert [(await hear(ws))["type"] for _ in kinds] == kinds


async def test_ping_is_answered_with_pong(app: RunningApp) -> None:
    async with app.connect(READER) as ws:
        await ws.send_str('{"type": "ping"}')
        assert await hear(ws) == {"type": "status", "data": {"message": "pong"}}
        await say(ws, "ping", "p1")
        assert (await hear(ws))["data"] == {"message": "pong", "requestIdentifier": "p1"}


@pytest.mark.parametrize("path", ["/", "/ws/", "//ws"])
async def test_other_addresses_of_the_websocket(app: RunningApp, path: str) -> None:
    headers = {"Authorization": f"Bearer {READER}"}
    async with app.http.ws_connect(f"{app.url}{path}", headers=headers) as ws:
        await say(ws, "queries.get-tiers")
        assert (await hear(ws))["type"] == "get-tiers"
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await app.http.ws_connect(f"{app.url}{path}")


@pytest.mark.parametrize("path", ["/", "/event", "/event/", "/sonorancad/event"])
async def test_a_browser_sees_that_the_program_listens(app: RunningApp, path: str) -> None:
    async with app.http.get(f"{app.url}{path}") as answer:
        assert (answer.status, await answer.text()) == (200, "CAD Sentinel is listening\n")
    async with app.http.head(f"{app.url}{path}") as answer:
        assert answer.status == 200


async def test_every_identifier_comes_back_with_its_one_answer(app: RunningApp) -> None:
    place = await app.harness.add_property()
    async with app.connect() as ws:
        for number in range(150):
            kind = ["queries.get-property", "queries.change-property-tier", "nonsense"][number % 3]
            await say(ws, kind, f"r{number}", propertyId=place, tier=1 + number % 2)
        answers = [await hear(ws) for _ in range(150)]
    by_identifier = {frame["data"]["requestIdentifier"]: frame["type"] for frame in answers}
    assert by_identifier == {
        f"r{number}": ["get-property", "change-property-tier", "error"][number % 3]
        for number in range(150)
    }


async def test_too_many_messages_are_rejected_and_the_connection_stays_open(
    harness: AppHarness,
) -> None:
    async with serve(harness, AppOptions(messages_per_second=5)) as app, app.connect() as ws:
        for _ in range(40):
            await say(ws, "queries.get-tiers")
        answers = [await hear(ws) for _ in range(40)]
    codes = [frame["data"].get("code") for frame in answers]
    assert codes[:10] == [None] * 10
    assert "rate-limited" in codes


async def test_too_many_connections_of_one_client_are_rejected(harness: AppHarness) -> None:
    options = AppOptions(limits=ConnectionLimits(connections_per_client=2))
    async with serve(harness, options) as app:
        async with app.connect(READER), app.connect(READER), app.connect(WRITER):
            assert await refusal(app, Authorization=f"Bearer {READER}") == 429
        async with app.connect(READER) as ws:
            await say(ws, "queries.get-tiers")
            assert (await hear(ws))["type"] == "get-tiers"


async def test_slow_client_is_dropped_and_others_are_served(
    harness: AppHarness,
) -> None:
    options = AppOptions(limits=ConnectionLimits(waiting_bytes=4 * 1024 * 1024))
    big = b'{"pad":"%b"}' % (b"x" * 200_000)
    async with serve(harness, options) as app:
        async with app.connect(READER) as slow, app.connect(WRITER) as good:
            await say(slow, "session", id="slow")
            await hear(slow)
            await subscribe(slow, "alerts")
            await subscribe(good, "alerts")
            last = 0
            for _ in range(120):
                await emit(harness, 1, big)
                # The good client takes each event as it comes; nobody reads the slow one's.
                last = (await hear(good))["id"]
            assert last == 120
            got = []
            while (message := await slow.receive(timeout=IN_TIME)).type is WSMsgType.TEXT:
                got.append(orjson.loads(message.data)["id"])
            assert slow.close_code == WSCloseCode.TRY_AGAIN_LATER
            assert got == list(range(1, len(got) + 1))
            assert len(got) < 120
        async with app.connect(READER) as again:
            await say(again, "session", id="slow", lastEventId=got[-1])
            assert await hear(again) == {"type": "status", "data": {"message": "created"}}
            missed = [(await hear(again))["id"] for _ in range(120 - len(got))]
            assert missed == list(range(len(got) + 1, 121))


async def test_parallel_connections_each_get_their_own_answers(app: RunningApp) -> None:
    """60 connections: own answers, and every event in journal order, on all of them."""
    many, each = 60, 3

    async def converse(number: int, ready: asyncio.Barrier) -> list[int]:
        async with app.connect(WRITER) as ws:
            await subscribe(ws, "property-added")
            await ready.wait()
            for turn in range(each):
                await say(
                    ws,
                    "queries.add-property",
                    f"{number}/{turn}",
                    location=f"{number}/{turn}",
                    tier=1,
                    x=number,
                    y=turn,
                    description="",
                    clientId=f"c{number}",
                )
            answered: dict[str, int] = {}
            told: dict[int, str] = {}
            numbers: list[int] = []
            while len(numbers) < many * each or len(answered) < each:
                frame = await hear(ws)
                if frame["type"] == "events.property-added":
                    numbers.append(frame["id"])
                    told[frame["data"]["id"]] = frame["data"]["location"]
                else:
                    answered[frame["data"]["requestIdentifier"]] = frame["data"]["id"]
            assert {name: told[place] for name, place in answered.items()} == {
                f"{number}/{turn}": f"{number}/{turn}" for turn in range(each)
            }
            return numbers

    ready = asyncio.Barrier(many)
    heard = await asyncio.gather(*(converse(number, ready) for number in range(many)))
    in_order = [event.id for event in await app.harness.journal_events()]
    assert len(in_order) == many * each
    assert all(numbers == in_order for numbers in heard)


async def test_shutdown_closes_with_1001(harness: AppHarness) -> None:
    async with serve(harness) as app, app.connect() as one, app.connect() as two:
        await subscribe(one, "alerts")
        stopping = asyncio.create_task(app.listener.close())
        assert await closed(one) == WSCloseCode.GOING_AWAY
        assert await closed(two) == WSCloseCode.GOING_AWAY
        async with asyncio.timeout(IN_TIME):
            await stopping


async def test_client_that_leaves_is_forgotten(app: RunningApp) -> None:
    async with app.connect() as ws:
        await subscribe(ws, "alerts")
    await app.harness.bus.wait_for_count("alerts", 0)


async def test_client_that_answers_no_ping_is_disconnected(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "HEARTBEAT", 0.05)
    headers = {"Authorization": f"Bearer {READER}"}
    async with (
        app.connect() as answering,
        app.http.ws_connect(f"{app.url}/ws", headers=headers, autoping=False) as silent,
    ):
        hearing = asyncio.create_task(answering.receive())
        async with asyncio.timeout(IN_TIME):
            assert (await silent.receive()).type is WSMsgType.PING
            await silent.receive()
        assert silent.closed
        await say(answering, "subscribe", id="alerts")
        assert (await asyncio.wait_for(hearing, IN_TIME)).type is WSMsgType.TEXT


async def test_hanging_up_in_the_handshake_is_not_an_error(
    app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    handshake = (
        f"GET /ws HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {READER}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", app.port)
        writer.write(handshake.encode())
        writer.transport.abort()
    async with app.connect() as ws:
        await subscribe(ws, "alerts")
    assert "failed" not in caplog.text
