"""Floods and hostile input: what is bounded, and that everybody else is served."""

import asyncio
import gzip
import json
import logging
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

import pytest
from aiohttp import WSCloseCode, web

from db import subscriptions
from tests.webhook.harness import AppHarness, FakeSession
from tests.webhook.http.test_websocket import IN_TIME, closed, emit, hear, refusal, say
from tests.webhook.serving import BOSS, KEY, READER, AppOptions, RunningApp, serve
from webhook.cad import EVENT_NAMES
from webhook.cad.events import values
from webhook.cad.events.event import InvalidPush
from webhook.cad.events.registry import parse
from webhook.http import authentication, bodies, connection_limits
from webhook.http.authentication import FailureDelays
from webhook.http.connection import MAX_INVALID, ConnectionCounter, ConnectionLimits, SendQueue
from webhook.http.connection_limits import (
    READS_A_TURN,
    ConnectionLimiter,
    ReadTurns,
    RejectionLog,
)
from webhook.http.listener import MAX_HEADERS
from webhook.http.push import SHORT
from webhook.protocol import session
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import BadJson
from webhook.protocol.events import ALL
from webhook.protocol.json_reader import MAX_VALUES, parse_json
from webhook.protocol.session import AT_A_TIME, SessionSettings
from webhook.protocol.wire import Success

PUSH = {"key": KEY, "type": "EVENT_911", "data": {"call": {"callId": 1}}}
PACKED = gzip.compress(json.dumps(PUSH).encode(), mtime=0)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def raw(app: RunningApp, *parts: bytes, address: str = "127.0.0.1") -> AsyncIterator[Streams]:
    """A connection over which these bytes were sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port, local_addr=(address, 0))
    try:
        writer.write(b"".join(parts))
        yield reader, writer
    finally:
        writer.transport.abort()


async def status(reader: asyncio.StreamReader) -> int:
    """Return the status of the next answer."""
    async with asyncio.timeout(IN_TIME):
        line = await reader.readline()
    return int(line.split()[1])


async def ended(reader: asyncio.StreamReader) -> None:
    """Read until the server hangs up."""
    async with asyncio.timeout(IN_TIME):
        with suppress(ConnectionResetError):
            await reader.read()


def request(path: str, body: bytes = b"", length: int | None = None, **headers: str) -> bytes:
    given = {"Host": "x", "Content-Length": str(len(body) if length is None else length)} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items()]
    return "\r\n".join([f"POST {path} HTTP/1.1", *lines, "", ""]).encode() + body


async def push(app: RunningApp, body: bytes | None = None, **headers: str) -> int:
    given = json.dumps(PUSH).encode() if body is None else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with app.http.post(f"{app.url}/event", data=given, headers=named) as answer:
        return answer.status


class Idle:
    """A connection that says nothing."""

    def __init__(self) -> None:
        self.is_open = True

    def abort(self) -> None:
        self.is_open = False


async def test_oldest_unauthenticated_connection_is_evicted() -> None:
    limiter = ConnectionLimiter(16)
    known = [Idle() for _ in range(12)]
    for place, connection in enumerate(known):
        assert limiter.admit(connection, f"known {place}")
        assert limiter.mark_authenticated(connection, "script")
    strangers = [Idle() for _ in range(100)]
    assert all(limiter.admit(one, f"address {place}") for place, one in enumerate(strangers))
    assert [one.is_open for one in strangers] == [False] * 96 + [True] * 4
    assert all(connection.is_open for connection in known)


def test_quarter_of_the_places_is_for_unauthenticated_connections() -> None:
    limiter = ConnectionLimiter(16)
    known = [Idle() for _ in range(12)]
    assert all(
        limiter.admit(one, "here") and limiter.mark_authenticated(one, "script") for one in known
    )
    one_more = Idle()
    assert limiter.admit(one_more, "here")
    assert not limiter.mark_authenticated(one_more, "script")
    limiter.remove(known[0])
    assert limiter.mark_authenticated(one_more, "script")


async def test_one_address_may_have_half_of_these_unless_it_is_trusted() -> None:
    limiter = ConnectionLimiter(80)
    here = [Idle() for _ in range(12)]
    assert [limiter.admit(one, "here") for one in here] == [True] * 10 + [False] * 2
    assert limiter.admit(Idle(), "elsewhere")
    assert limiter.mark_authenticated(here[0], "script")
    assert limiter.admit(here[10], "here")
    others = [Idle() for _ in range(9)]
    assert all(limiter.admit(one, "elsewhere") for one in others)
    assert not limiter.admit(Idle(), "elsewhere")
    limiter.remove(others[0])
    assert limiter.admit(Idle(), "elsewhere")


async def test_this_machine_may_have_all_places() -> None:
    limiter = ConnectionLimiter(16)
    assert all(limiter.admit(Idle(), "127.0.0.1") for _ in range(20))


async def test_new_connection_is_served_when_idle_ones_fill_all_places(harness: AppHarness) -> None:
    async with serve(harness, AppOptions(max_connections=16)) as app:
        idle = [await asyncio.open_connection("127.0.0.1", app.port) for _ in range(2)]
        assert await push(app) == 200
        idle += [await asyncio.open_connection("127.0.0.1", app.port) for _ in range(40)]
        async with raw(app, request("/event", json.dumps(PUSH).encode())) as (reader, _):
            assert await status(reader) == 200
        await ended(idle[0][0])
        for _, writer in idle:
            writer.transport.abort()


async def test_connection_beyond_the_limit_is_answered_503(harness: AppHarness) -> None:
    async with (
        serve(harness, AppOptions(max_connections=16)) as app,
        raw(app, address="127.0.0.2"),
        raw(app, address="127.0.0.2"),
        raw(app, address="127.0.0.2") as (reader, _),
    ):
        assert await status(reader) == 503
        await ended(reader)


async def test_slow_body_times_out(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_TIMEOUT", 0.05)
    for start in (
        request("/event", b"{", length=1000),
        request("/api/query", b"{", length=1000, Authorization=f"Bearer {BOSS}"),
        b"POST /event HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ):
        async with raw(app, start) as (reader, _):
            assert await status(reader) == 408


async def test_oldest_of_too_many_large_bodies_is_evicted(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_LARGE", 2)
    large = request("/event", b" " * (bodies.LARGE * 2), length=bodies.LARGE * 3)
    async with raw(app, large) as (oldest, _):
        # The order in which they become large is that in which they came, as each is waited for.
        while not oldest.at_eof():
            async with raw(app, large), raw(app, large):
                if await status(oldest) == 408:
                    break
    assert await push(app, b" " * (bodies.LARGE * 3) + json.dumps(PUSH).encode()) == 200


@pytest.mark.parametrize("path", ["/event", "/api/query"])
async def test_compression_bomb_is_too_large(app: RunningApp, path: str) -> None:
    bomb = gzip.compress(b" " * (64 * 1024 * 1024), mtime=0)
    headers = {"Content-Encoding": "gzip", "Authorization": f"Bearer {BOSS}"}
    async with app.http.post(app.url + path, data=bomb, headers=headers) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    ("body", "packing", "expected"),
    [
        (PACKED, "gzip", 200),
        (PACKED, "GZIP", 200),
        (zlib.compress(json.dumps(PUSH).encode()), "deflate", 200),
        (json.dumps(PUSH).encode(), "identity", 200),
        (b"no gzip", "gzip", 400),
        (PACKED[:-9], "gzip", 400),
        (PACKED * 2, "gzip", 400),
        (b"", "gzip", 400),
        (b"anything", "br", 415),
        (b"anything", "zstd", 415),
        (b"anything", "gzip, gzip", 415),
    ],
)
async def test_compressed_bodies_are_decompressed_or_rejected(
    app: RunningApp, caplog: pytest.LogCaptureFixture, body: bytes, packing: str, expected: int
) -> None:
    assert await push(app, body, Content_Encoding=packing) == expected
    assert [record for record in caplog.records if record.exc_info] == []


ODDITIES: dict[str, tuple[bytes, int]] = {
    "both lengths": (
        b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "two lengths": (
        b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n1234",
        400,
    ),
    "a length that is none": (
        b"POST /event HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\n1234",
        400,
    ),
    "a chunk that is none": (
        b"POST /event HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        400,
    ),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "a long line": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "a long header": (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 10_000 + b"\r\n\r\n", 400),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", 400),
    "a blank in a name": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    "an unknown method": (b"BREW /event HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "another method": (b"PROPFIND /event HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    "an absolute address": (b"GET http://elsewhere/healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "a tunnel": (b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "a path upwards": (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
}


@pytest.mark.parametrize("name", ODDITIES)
async def test_odd_http_has_a_status_and_no_traceback(
    app: RunningApp, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    sent, expected = ODDITIES[name]
    async with raw(app, sent) as (reader, _):
        assert await status(reader) == expected
    assert [record for record in caplog.records if record.exc_info] == []
    assert await push(app) == 200


async def test_reads_of_one_sender_are_spread_over_turns_in_order() -> None:
    turns, other = ReadTurns(), ReadTurns()
    read: list[int] = []
    ended: list[int] = []
    for number in range(3 * READS_A_TURN):
        if not turns.take():
            turns.wait(partial(read.append, number))
    assert other.take()  # nobody else waits for this
    while len(read) < 2 * READS_A_TURN:
        await asyncio.sleep(0)
        ended.append(len(read))
    assert read == list(range(READS_A_TURN, 3 * READS_A_TURN))
    assert ended == [READS_A_TURN, 2 * READS_A_TURN]


async def test_only_the_first_request_of_a_stranger_is_answered(app: RunningApp) -> None:
    async with raw(app, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3) as (reader, _):
        async with asyncio.timeout(IN_TIME):
            answers = await reader.read()
    assert answers.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close" in answers


LONG_TEXT = "x" * SHORT


@pytest.mark.parametrize("key", [KEY, KEY.lower(), "SCAD-KISS-WRONG"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"key": "%b", "type": "EVENT_911", "data": {"call": {"callId": 1, "c": "\xff%b"}}}',
        b'"{\\"key\\":\\"%b\\",\\"type\\":\\"EVENT_911\\",'
        b'\\"data\\":{\\"call\\":{\\"callId\\":1,\\"a\\":NaN,\\"c\\":\\"%b\\"}}}"',
        b"type=EVENT_911&key=%b&data=%%7B%%22call%%22%%3A%%7B%%22callId%%22%%3A1,%%22c%%22%%3A"
        b"%%22%b%%22%%7D%%7D",
        b"payload=%%7B%%22key%%22%%3A%%22%b%%22%%2C%%22type%%22%%3A%%22EVENT_911%%22%%2C%%22data"
        b"%%22%%3A%%7B%%22call%%22%%3A%%7B%%22callId%%22%%3A1,%%22c%%22%%3A%%22%b%%22%%7D%%7D%%7D",
    ],
    ids=["broken", "text", "form", "form of JSON"],
)
async def test_long_body_is_repaired_only_if_it_shows_a_key(
    app: RunningApp, body: bytes, key: str
) -> None:
    """Repairing 1.5 MiB took 330 ms, in which nobody else was served."""
    sent = body % (key.encode(), LONG_TEXT.encode())
    async with app.http.post(f"{app.url}/event", data=sent) as answer:
        said = await answer.text()
    assert (said == "OK") is (key != "SCAD-KISS-WRONG"), said
    assert said in ("OK", "Invalid JSON") or said.startswith("Invalid JSON:")


async def test_client_with_much_to_do_holds_up_nobody_else(harness: AppHarness) -> None:
    busy, is_held, release = 0, asyncio.Event(), asyncio.Event()
    table = Catalogue()

    @table.query("wait", scope=Scope.READ)
    async def wait(context: Context) -> Success:
        nonlocal busy
        if context.caller.name == "reader":
            busy += 1
            is_held.set()
            await release.wait()
        return Success()

    async with (
        serve(harness, AppOptions(catalogue=table, messages_per_second=10_000)) as app,
        AsyncExitStack() as stack,
    ):
        flood = [await stack.enter_async_context(app.connect(READER)) for _ in range(3)]
        for ws in flood:
            for number in range(AT_A_TIME):
                await say(ws, "queries.wait", str(number))
        async with app.connect(BOSS) as good:
            await is_held.wait()
            await say(good, "queries.wait")
            assert (await hear(good))["type"] == "wait"
        assert busy <= AT_A_TIME
        release.set()
        for ws in flood:
            for _ in range(AT_A_TIME):
                assert (await hear(ws))["type"] == "wait"
    assert busy == 3 * AT_A_TIME


async def test_pipelined_pushes_are_answered_in_order(app: RunningApp) -> None:
    good = request("/event", json.dumps(PUSH).encode())
    async with raw(app, good, request("/event", b"{}"), request("/nowhere"), good) as (got, _):
        answered: list[int] = []
        while len(answered) < 4:
            line = await asyncio.wait_for(got.readline(), IN_TIME)
            _, _, status_line = line.rpartition(b"HTTP/1.1 ")
            if status_line != line:
                answered.append(int(status_line.split()[0]))
    assert answered == [200, 400, 404, 200]


async def test_a_client_that_disconnects_leaves_no_traceback(
    app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        async with raw(app, request("/event", b"{", length=1000)) as (_, writer):
            await writer.drain()
            await push(app)
    await app.listener.close()
    assert [record for record in caplog.records if record.exc_info] == []


async def test_hundred_wrong_keys_are_two_lines_in_the_log(
    app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = request("/event", json.dumps(PUSH | {"key": "wrong"}).encode())
    for _ in range(100):
        async with raw(app, wrong) as (reader, _):
            assert await status(reader) == 400
    assert await push(app) == 200
    app.authenticator.limiter.rejection_log.log_totals()
    lines = [text for text in caplog.messages if "wrong" in text]
    assert lines == [
        "refused a push with a wrong or missing CAD key from 127.0.0.1: [cad] keys must hold the"
        " API key of the CAD's admin panel",
        "refused a push with a wrong or missing CAD key from 127.0.0.1, 100 times in ten minutes",
    ]


async def test_refusals_of_many_addresses_are_logged_together(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counted = RejectionLog()
    for number in range(5_000):
        counted.count("it", f"address {number}")
    counted.log_totals()
    assert len(caplog.messages) == connection_limits.MAX_LOGGED + 1
    assert caplog.messages[-1] == "refused it from other addresses, 4900 times in ten minutes"
    caplog.clear()
    counted.log_totals()
    assert caplog.messages == []


async def test_refusals_of_many_kinds_are_logged_together(caplog: pytest.LogCaptureFixture) -> None:
    counted = RejectionLog()
    for number in range(5_000):
        counted.count(f"a push of the unknown type {number}", "one address")
    counted.log_totals()
    assert len(caplog.messages) <= 2 * connection_limits.MAX_LOGGED + 1
    assert caplog.messages[-1].startswith("refused other messages from other addresses, 48")


async def test_connection_of_a_client_that_does_not_read_is_aborted(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "UNREAD_TIMEOUT", 0.1)
    lost = asyncio.Event()
    monkeypatch.setattr(app.authenticator.limiter, "note_lost", lambda _: lost.set())
    async with raw(app, request("/api/schema").replace(b"POST", b"GET") * 60) as (reader, _writer):
        assert await status(reader) == 200
        async with asyncio.timeout(IN_TIME):
            await lost.wait()


async def test_bytes_that_wait_for_all_connections_of_a_client_are_bounded() -> None:
    limits = ConnectionLimits(waiting_bytes=300_000, client_bytes=500_000)
    counter = ConnectionCounter(limits)
    dropped: list[str] = []
    with counter.count("one") as waiting, counter.count("other") as of_other:
        first = SendQueue[bytes](waiting, lambda: dropped.append("first"))
        second = SendQueue[bytes](waiting, lambda: dropped.append("second"))
        third = SendQueue[bytes](waiting, lambda: dropped.append("third"))
        other = SendQueue[bytes](of_other, lambda: dropped.append("other"))
        for queue in (first, second, other):
            queue.put(b"x" * 240_000)
        third.put(b"x" * 30_000)  # so few that it may be a client that reads
        assert dropped == []
        second.put(b"x")
        assert dropped == ["second"]
        first.put(b"x" * 50_000)
        assert dropped == ["second"]  # what waited for the second has gone
        for queue in (first, third):
            queue.remove(2)
        assert waiting.total == 0


async def test_nothing_more_is_read_while_a_wrong_token_is_delayed(app: RunningApp) -> None:
    await refusal(app)
    wrong = request("/api/query", Authorization="Bearer wrong")
    async with raw(app, wrong * 3) as (reader, _):
        assert await status(reader) == 401
        async with asyncio.timeout(IN_TIME):
            rest = await reader.read()
    assert b"HTTP/1.1" not in rest  # the other two are not even looked at


def test_many_addresses_do_not_reset_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authentication, "COUNTERS", 4)
    delays = FailureDelays()
    for number in range(20):
        delays.add(f"127.0.0.{number}")
    assert sum(delays.add(f"127.0.1.{number}") for number in range(4)) > authentication.DELAY


async def test_few_pipelined_requests_are_parsed_while_one_is_delayed(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[int] = []
    hold = authentication._hold

    async def count_waiting(request: web.Request, seconds: float) -> None:
        parsed.append(len(request.protocol._messages))  # aiohttp has no public way to see it
        await hold(request, seconds)

    monkeypatch.setattr(authentication, "_hold", count_waiting)
    async with raw(app, request("/api/query") * 100) as (reader, _):
        assert await status(reader) == 401
    assert parsed[0] <= 2


async def test_invalid_messages_in_a_row_close_with_1008(app: RunningApp) -> None:
    async with app.connect() as ws:
        for number in range(MAX_INVALID):
            await (ws.send_str("{") if number % 2 else ws.send_bytes(b"x"))
        assert await closed(ws) == WSCloseCode.POLICY_VIOLATION


async def test_invalid_messages_between_valid_ones_do_not_close(app: RunningApp) -> None:
    async with app.connect() as ws:
        for _ in range(2):
            for _ in range(MAX_INVALID // 2):
                await ws.send_str("{")
                assert (await hear(ws))["data"]["code"] == "bad-json"
            await say(ws, "nothing")
            assert (await hear(ws))["data"]["code"] == "unknown-type"
        for _ in range(MAX_INVALID // 2):
            await ws.send_str("{")
            assert (await hear(ws))["data"]["code"] == "bad-json"


@pytest.mark.parametrize("kind", ["nonsense", "binary", "pings"])
async def test_every_frame_counts_against_the_rate(harness: AppHarness, kind: str) -> None:
    async with serve(harness, AppOptions(messages_per_second=1)) as app, app.connect() as ws:
        for _ in range(2):
            if kind == "nonsense":
                await ws.send_str("{")
            elif kind == "binary":
                await ws.send_bytes(b"x")
            else:
                await ws.ping()
        await say(ws, "queries.get-tiers")
        heard = [await hear(ws) for _ in range(1 if kind == "pings" else 3)]
        assert heard[-1]["data"]["code"] == "rate-limited"


async def test_invalid_query_over_http_counts_against_the_rate(harness: AppHarness) -> None:
    async with serve(harness, AppOptions(messages_per_second=1)) as app:
        headers = {"Authorization": f"Bearer {READER}"}
        url = f"{app.url}/api/query"
        answered = []
        for _ in range(3):
            async with app.http.post(url, data=b"{", headers=headers) as answer:
                answered.append(answer.status)
        assert answered == [400, 400, 429]


async def test_flood_of_pings_reaches_no_other_client(harness: AppHarness) -> None:
    async with serve(harness) as app, app.connect(READER) as bad, app.connect(BOSS) as good:
        await say(good, "subscribe", id="alerts")
        await hear(good)
        for _ in range(500):
            await bad.ping(b"x" * 100)
        await emit(harness)
        assert (await hear(good))["type"] == "events.alerts"


async def test_too_many_polls_of_a_client_are_rejected(harness: AppHarness) -> None:
    async with serve(harness, AppOptions(limits=ConnectionLimits(connections_per_client=1))) as app:
        url, headers = f"{app.url}/api/events", {"Authorization": f"Bearer {READER}"}
        waiting = asyncio.create_task(
            app.http.get(url, params={"wait": "55"}, headers=headers).__aenter__()
        )
        await harness.bus.wait_for_count(ALL, harness.bus.count(ALL) + 1)
        async with app.http.get(url, headers=headers) as answer:
            assert answer.status == 429
        await emit(harness)
        answered = await waiting
        assert answered.status == 200
        await answered.read()


async def test_token_has_a_bounded_number_of_remembered_clients(
    harness: AppHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MAX_CLIENTS", 3)
    rules = SessionSettings(EVENT_NAMES)
    lines = [FakeSession(harness, rules) for _ in range(4)]
    for number, line in enumerate(lines):
        await line.say("session", id=f"c{number}")
    for line in lines[:3]:
        await line.subscribe("alerts", "visits")
    refused = await lines[3].say("subscribe", id="alerts")
    assert refused["data"]["code"] == "conflict"
    assert "3 clients" in refused["data"]["message"]
    await FakeSession(harness, rules, caller="another").subscribe("alerts")
    for name in ("alerts", "visits"):
        await lines[0].say("unsubscribe", id=name)
    await lines[3].subscribe("alerts")
    assert {row[0] for row in harness.dump()["subscriptions"]} == {
        "tester/c1",
        "tester/c2",
        "tester/c3",
    }


async def test_new_client_takes_the_room_of_the_one_that_is_away_for_the_longest(
    harness: AppHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MAX_CLIENTS", 3)
    rules = SessionSettings(EVENT_NAMES)
    for client in ("there", "longest", "away", "new"):
        harness.clock.now += 1_000
        line = FakeSession(harness, rules)
        await line.say("session", id=client)
        await line.subscribe("alerts", "visits")
        if client != "there":
            line.close()
    left = {row[0] for row in harness.dump()["subscriptions"]}
    assert left == {"tester/there", "tester/away", "tester/new"}


async def test_subscriptions_are_forgotten_when_nobody_returns(harness: AppHarness) -> None:
    for client in ("gone", "returned", "there"):
        line = FakeSession(harness)
        await line.say("session", id=client)
        await line.subscribe("alerts", "visits")
    harness.clock.now += 10_000
    await FakeSession(harness).resume("returned", 0)
    async with harness.database.write() as sql:
        await subscriptions.touch(sql, ["tester/there"], harness.clock.now)
        assert await subscriptions.forget(sql, harness.clock.now, 1) == 1
        assert await subscriptions.forget(sql, harness.clock.now, 10) == 1
    left = {row[0] for row in harness.dump()["subscriptions"]}
    assert left == {"tester/returned", "tester/there"}


@pytest.mark.parametrize(
    "body",
    [
        "[" + "1," * MAX_VALUES + "1]",
        "[" * 100_000,
        '{"a":' * 100_000,
        "1" * 1_000_000,
        '["' + "\\ud800" * 100_000 + '"]',
    ],
)
def test_json_that_is_slow_to_parse_is_rejected(body: str) -> None:
    with pytest.raises(BadJson):
        parse_json(body)


def test_large_json_of_few_values_is_parsed() -> None:
    speech = "QUFB" * 300_000
    assert parse_json(json.dumps({"message": speech})) == {"message": speech}
    assert len(parse_json(json.dumps(list(range(MAX_VALUES - 1))))) == MAX_VALUES - 1


def test_too_long_list_of_ids_is_rejected_at_once() -> None:
    with pytest.raises(InvalidPush, match="more than 2048"):
        parse({"type": "EVENT_REMOVE_911", "data": {"callIds": [1] * 49_000}})


def test_metadata_is_read_only_up_to_a_limit() -> None:
    class Entries(dict[str, object]):
        seen = 0

        def items(self):  # type: ignore[no-untyped-def]
            for item in super().items():
                Entries.seen += 1
                yield item

    blank = Entries({chr(0xF0000 + number): None for number in range(10_000)})
    assert values.metadata(blank) == {}
    assert Entries.seen < 1_000


@pytest.mark.parametrize(
    "data",
    [
        {"id": "x" * 200_000},
        {"id": "\x00" * 100},
        {"id": ["x"] * 40_000},
        {f"k{number}": 1 for number in range(20_000)},
    ],
)
async def test_identifier_of_any_size_is_a_clear_error(app: RunningApp, data: object) -> None:
    async with app.connect() as ws:
        await ws.send_str(json.dumps({"type": "session", "data": data}))
        assert (await hear(ws))["data"]["code"] in ("invalid-data", "bad-message")


async def test_request_identifier_of_any_size_is_a_clear_error(app: RunningApp) -> None:
    async with app.connect() as ws:
        await say(ws, "queries.get-tiers", "x" * 200_000)
        assert (await hear(ws))["data"]["code"] == "invalid-data"


def test_our_own_errors_are_logged() -> None:
    log = logging.getLogger("webhook.http")
    try:
        raise RuntimeError("ours")
    except RuntimeError as fault:
        info = (type(fault), fault, fault.__traceback__)
    record = log.makeRecord(log.name, logging.ERROR, "", 0, "", (), info)
    assert log.filter(record)
