"""SockJS: its routes, its frames, its sessions and what they may cost."""

import asyncio
import json

import pytest
from aiohttp import WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.harness import AppHarness
from tests.webhook.http.bus_client import (
    IN_TIME,
    TRANSPORTS,
    OverHttp,
    OverWebSocket,
    over_http,
    over_websocket,
)
from tests.webhook.http.test_websocket import emit, refusal
from tests.webhook.serving import BOSS, PAGE, READER, AppOptions, RunningApp, serve
from webhook.http import sockjs, sockjs_session
from webhook.http.connection import ConnectionLimits
from webhook.http.sockjs import InvalidFrame, unpack

TOKEN = {"Authorization": f"Bearer {BOSS}"}
GO_AWAY = 'c[3000,"Go away!"]'


@pytest.mark.parametrize("path", ["/events", "/events/"])
async def test_sockjs_greeting_is_served(app: RunningApp, path: str) -> None:
    async with app.http.get(app.url + path) as answer:
        assert (answer.status, await answer.text()) == (200, "Welcome to SockJS!\n")
        assert answer.content_type == "text/plain"


async def test_info_names_the_transports(app: RunningApp) -> None:
    entropies = set()
    for _ in range(2):
        async with app.http.get(f"{app.url}/events/info?token={BOSS}") as answer:
            assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
            assert "no-store" in answer.headers["Cache-Control"]
            info = await answer.json()
            entropies.add(info.pop("entropy"))
            assert info == {"websocket": True, "cookie_needed": False, "origins": ["*:*"]}
    assert len(entropies) == 2
    assert all(0 <= entropy < 2**32 for entropy in entropies)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/events/info"),
        ("GET", "/events/websocket"),
        ("GET", "/events/0/a/websocket"),
        ("GET", "/events/0/a/eventsource"),
        ("POST", "/events/0/a/xhr"),
        ("POST", "/events/0/a/xhr_streaming"),
        ("POST", "/events/0/a/xhr_send"),
    ],
)
async def test_every_address_needs_a_token_and_an_allowed_page(
    app: RunningApp, method: str, path: str
) -> None:
    async with app.http.request(method, app.url + path) as answer:
        assert answer.status == 401
    foreign = TOKEN | {"Origin": "https://evil.example"}
    async with app.http.request(method, app.url + path, headers=foreign) as answer:
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    async with app.http.options(app.url + path, headers={"Origin": PAGE}) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_allowed_page_may_read_a_stream(app: RunningApp) -> None:
    headers = TOKEN | {"Origin": PAGE}
    url = f"{app.url}/events/0/page/xhr_streaming"
    async with app.http.post(url, headers=headers) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"


async def test_while_no_client_is_configured_this_machine_needs_no_token(
    harness: AppHarness,
) -> None:
    async with serve(harness, AppOptions(open_to_loopback=True)) as app:
        async with app.http.get(f"{app.url}/events/info") as answer:
            assert answer.status == 200
        async with app.http.get(f"{app.url}/events/info", headers={"Via": "x"}) as answer:
            assert answer.status == 401
        async with app.http.ws_connect(f"{app.url}/events/0/a/websocket") as socket:
            assert await socket.receive_str() == "o"


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/events/0/a/websocket", 400, 'Can "Upgrade" only to "WebSocket".'),
        ("GET", "/events/websocket", 400, 'Can "Upgrade" only to "WebSocket".'),
        ("POST", "/events/0/a/websocket", 405, None),
        ("GET", "/events/0/a/xhr", 405, None),
        ("GET", "/events/0/a.b/eventsource", 404, None),
        ("GET", "/events/0.1/a/eventsource", 404, None),
        ("GET", "/events//a/eventsource", 404, None),
        ("GET", "/events/0/a/jsonp", 404, None),
        ("POST", "/events/0/unknown/xhr_send", 404, None),
    ],
)
async def test_an_unknown_transport_is_rejected(
    app: RunningApp, method: str, path: str, status: int, text: str | None
) -> None:
    async with app.http.request(method, app.url + path, headers=TOKEN, data=b"[]") as answer:
        assert answer.status == status
        assert text is None or await answer.text() == text


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_messages_and_events_come_over_every_transport(
    app: RunningApp, transport: str
) -> None:
    async with TRANSPORTS[transport](app) as client:
        await client.start("c1")
        await client.subscribe("alerts")
        await emit(app.harness, 3, b'{"sale":"100%25 off \xf0\x9f\x9a\x81"}')
        for number in (1, 2, 3):
            assert await client.hear() == {
                "type": "events.alerts",
                "id": number,
                "data": {"sale": "100%25 off 🚁"}
                if transport != "eventsource"
                else {"sale": "100%2525 off 🚁"},  # sockjs-client decodes it
            }


async def test_frames_are_ascii(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        await client.subscribe("alerts")
        await emit(app.harness, 1, '{"name":"Zoë\u2028"}'.encode())
        frame = await client.transport.frame()
        assert frame.isascii()
        assert json.loads(json.loads(frame[1:])[0])["body"]["data"] == {"name": "Zoë\u2028"}


async def test_answers_over_http_have_the_types_that_clients_expect(app: RunningApp) -> None:
    for transport, kind, prelude in (
        ("xhr", "application/javascript; charset=UTF-8", b"o\n"),
        ("xhr_streaming", "application/javascript; charset=UTF-8", b"h" * 2048 + b"\no\n"),
        ("eventsource", "text/event-stream; charset=UTF-8", b"\r\ndata: o\r\n\r\n"),
    ):
        answer = await OverHttp(app, transport, BOSS).ask()
        assert answer.headers["Content-Type"] == kind
        assert "no-store" in answer.headers["Cache-Control"]
        assert await answer.content.readexactly(len(prelude)) == prelude
        answer.close()


@pytest.mark.parametrize(
    ("frame", "texts"),
    [("", []), ("[]", []), ('"a"', ["a"]), ('["a","b"]', ["a", "b"]), ('[""]', [""])],
)
def test_frame_holds_messages(frame: str, texts: list[str]) -> None:
    assert unpack(frame) == texts


@pytest.mark.parametrize("frame", ["{", "[1]", "1", "null", '{"a":"b"}', '["a",null]', "[[]]", "x"])
def test_all_other_frames_are_invalid(frame: str) -> None:
    with pytest.raises(InvalidFrame):
        unpack(frame)


async def test_invalid_frame_closes_the_websocket(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        assert isinstance(client.transport, OverWebSocket)
        socket = client.transport.socket
        for ignored in ("", "[]"):
            await socket.send_str(ignored)
        await socket.send_str("[1]")
        assert await client.transport.frame() == GO_AWAY
        assert (await socket.receive(IN_TIME)).type is WSMsgType.CLOSE


async def test_binary_frame_in_utf_8_counts_as_text(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        assert isinstance(client.transport, OverWebSocket)
        await client.transport.socket.send_bytes(b'["{}"]')
        assert await client.receive() == {"type": "err", "body": "missing_type"}
        await client.transport.socket.send_bytes(b"\xff")
        assert await client.transport.frame() == GO_AWAY


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (b"", 500, "Payload expected."),
        (b"[", 500, "Broken JSON encoding."),
        (b"[1]", 500, "Broken JSON encoding."),
        (b'{"a":1}', 500, "Broken JSON encoding."),
        (b"[]", 204, ""),
        (b'"{}"', 204, ""),
        (b'["' + b"x" * 600_000 + b'"]', 413, "a message must not exceed 524288 bytes"),
    ],
)
async def test_bodies_of_xhr_send(harness: AppHarness, body: bytes, status: int, text: str) -> None:
    options = AppOptions(limits=ConnectionLimits(frame_bytes=128 * 1024))
    async with serve(harness, options) as app, over_http(app, "xhr") as (_, session):
        assert await session.post(body) == (status, text)


@pytest.mark.parametrize("slashes", ["//events/0/{}/{}", "/events//0/{}/{}/"])
async def test_needless_slashes_are_ignored(app: RunningApp, slashes: str) -> None:
    async with app.http.post(app.url + slashes.format("s", "xhr"), headers=TOKEN) as answer:
        assert (answer.status, await answer.text()) == (200, "o\n")
    url = app.url + slashes.format("s", "xhr_send")
    async with app.http.post(url, headers=TOKEN, json=["{}"]) as answer:
        assert answer.status == 204


async def test_a_second_request_on_a_session_is_rejected(app: RunningApp) -> None:
    async with over_http(app, "xhr_streaming") as (client, session):
        answer = await session.ask()
        text = await answer.text()
        assert text == "h" * 2048 + '\nc[2010,"Another connection still open"]\n'
        await client.start("c1")


async def test_session_of_another_client_cannot_be_reached(app: RunningApp) -> None:
    async with over_http(app, "xhr", READER) as (_, session):
        url = f"{session.url}/xhr_send"
        async with app.http.post(url, data=b"[]", headers=TOKEN) as answer:
            assert answer.status == 404


async def test_streaming_answer_ends_after_128_kib_and_nothing_is_lost(app: RunningApp) -> None:
    async with over_http(app, "xhr_streaming") as (client, session):
        await client.start("c1")
        await client.subscribe("alerts")
        first = session._answer
        assert first is not None
        await emit(app.harness, 40, b'{"pad":"%b"}' % (b"x" * 10_000))
        assert [(await client.hear())["id"] for _ in range(40)] == list(range(1, 41))
        assert first.content.total_bytes < 128 * 1024 + sockjs_session.FRAME_BYTES + 20_000
        assert session._answer is not first


async def test_events_between_two_polls_wait_for_the_next(app: RunningApp) -> None:
    async with over_http(app, "xhr") as (client, session):
        await client.start("c1")
        await client.subscribe("alerts")
        await emit(app.harness, 5)
        assert [(await client.hear())["id"] for _ in range(5)] == [1, 2, 3, 4, 5]
        (await session.ask()).close()  # a poll whose client vanishes
        await emit(app.harness, 5)
        assert [(await client.hear())["id"] for _ in range(5)] == [6, 7, 8, 9, 10]


async def test_session_without_a_request_is_dropped(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockjs_session, "DISCONNECT_DELAY", 0.05)
    async with over_http(app, "xhr_streaming") as (client, session):
        await client.start("c1")
        await client.subscribe("alerts")
    async with asyncio.timeout(IN_TIME):
        await app.harness.bus.wait_for_count("alerts", 0)
    assert await session.post(b"[]") == (404, "Not Found")


async def test_heartbeats_come_over_every_transport(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockjs_session, "HEARTBEAT", 0.05)
    async with over_websocket(app) as client:
        assert [await client.transport.frame() for _ in range(2)] == ["h", "h"]
    for transport in ("xhr", "xhr_streaming", "eventsource"):
        async with over_http(app, transport) as (_, session):
            assert [await session.frame() for _ in range(2)] == ["h", "h"]


async def test_raw_websocket_has_no_frames_around_its_messages(app: RunningApp) -> None:
    async with app.http.ws_connect(f"{app.url}/events/websocket", headers=TOKEN) as socket:
        await socket.send_json({"type": "register", "address": "events.to.martians.c1"})
        body = {"type": "session", "data": {"id": "c1"}}
        await socket.send_bytes(
            json.dumps({"type": "send", "address": "events.from.martians", "body": body}).encode()
        )
        assert await socket.receive_json(timeout=IN_TIME) == {
            "type": "rec",
            "address": "events.to.martians.c1",
            "body": {"type": "status", "data": {"message": "created"}},
        }
        stopping = asyncio.create_task(app.listener.close())
        message = await socket.receive(IN_TIME)
        assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)
        assert message.extra == "Session expired"
        await stopping


async def test_shutdown_tells_every_client_to_go_away(harness: AppHarness) -> None:
    async with serve(harness) as app:
        clients = [
            await OverHttp(app, name, BOSS).ask() for name in ("xhr_streaming", "eventsource")
        ]
        poll = OverHttp(app, "xhr", BOSS)
        assert await poll.frame() == "o"
        waiting = asyncio.create_task(poll.frame())
        async with over_websocket(app) as client:
            async with asyncio.timeout(IN_TIME):
                await app.listener.close()
            assert await client.transport.frame() == GO_AWAY
        for answer in clients:
            assert GO_AWAY in await answer.text()
        assert await waiting == GO_AWAY


@pytest.mark.parametrize("transport", ["websocket", "xhr_streaming", "xhr"])
async def test_client_that_does_not_read_is_dropped_and_forgotten(
    harness: AppHarness, transport: str
) -> None:
    options = AppOptions(limits=ConnectionLimits(waiting_bytes=1024 * 1024))
    big = b'{"pad":"%b"}' % (b"x" * 200_000)
    async with serve(harness, options) as app, TRANSPORTS[transport](app) as client:
        await client.start("slow")
        await client.subscribe("alerts")
        for _ in range(100):  # more than the buffers of the system hold
            await emit(harness, 1, big)
            if not harness.bus.count("alerts"):
                break
        assert harness.bus.count("alerts") == 0
        assert b"dropped_total 1.0" in options.metrics.render("")[0]


async def test_connections_of_every_kind_are_counted_together(harness: AppHarness) -> None:
    options = AppOptions(limits=ConnectionLimits(connections_per_client=3))
    async with serve(harness, options) as app:
        async with app.connect(BOSS), over_websocket(app), over_http(app, "xhr") as (client, _):
            assert await refusal(app, "/events/0/a/websocket", **TOKEN) == 429
            assert await refusal(app, "/ws", **TOKEN) == 429
            assert (await OverHttp(app, "xhr", BOSS).ask()).status == 429
            await client.start("c1")
            assert b"sentinel_event_bus_clients 2.0" in options.metrics.render("")[0]
        async with over_websocket(app):
            pass


async def test_a_vanished_client_leaves_nothing_behind(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sockjs_session, "DISCONNECT_DELAY", 1.0)
    for name in TRANSPORTS:
        async with TRANSPORTS[name](app) as client:
            await client.start("c1")
            await client.subscribe("alerts")
    async with asyncio.timeout(IN_TIME):
        await app.harness.bus.wait_for_count("alerts", 0)
    assert [record for record in caplog.records if record.exc_info] == []


@given(st.lists(st.text() | st.binary(), max_size=5))
async def test_garbage_never_fails(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch, frames: list[str | bytes]
) -> None:
    monkeypatch.setattr(sockjs, "INVALID_DELAY", 0.0)
    async with app.http.ws_connect(f"{app.url}/events/0/a/websocket", headers=TOKEN) as socket:
        for frame in frames:
            await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
    async with over_websocket(app) as client:
        await client.start("c1")
