"""The push listener over real HTTP: its paths, its settled answers, its silence about the key."""

import asyncio
import gzip
import io
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest

from tests.webhook.cad.corpus import CASES, Case, document
from tests.webhook.harness import AppHarness
from tests.webhook.serving import BOSS, KEY, SECOND_KEY, AppOptions, RunningApp, serve
from webhook.cad.store import PushConfig
from webhook.http.push import PATHS, CadKey
from webhook.protocol.events import is_event_name

CALL: dict[str, Any] = {
    "key": KEY,
    "type": "EVENT_911",
    "data": {"call": {"callId": 4410, "caller": "Wren", "location": "Forum Dr"}},
}
LARGE = b'{"key": "%b", "data": "%b"}' % (KEY.encode(), b"x" * 2 * 1024 * 1024)
REFUSED_IN_FULL = {
    "bad_key": "Authentication Key Failed!",
    "bad_duplicate_key": "Authentication Key Failed!",
    "bad_body": "Authentication Key Failed!",
    "bad_type": "Invalid Type",
    "bad_raw_nan": "Invalid Data",
    "bad_raw_infinity": "Invalid Data",
    "bad_raw_float": "Invalid Data",
    "bad_raw": "Invalid JSON",
}


async def push(
    app: RunningApp, body: object, path: str = "/event", **options: Any
) -> tuple[int, str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with app.http.post(f"{app.url}{path}", data=io.BytesIO(raw), **options) as response:
        assert response.content_type == "text/plain"
        return response.status, await response.text()


async def stored(harness: AppHarness) -> dict[str, list[tuple[Any, ...]]]:
    """Return what pushes can have changed."""
    rows = harness.dump()
    return {name: rows[name] for name in rows if name not in ("tiers", "equipment_types")}


@pytest.mark.parametrize("path", PATHS)
async def test_push_is_on_disk_when_it_is_answered(app: RunningApp, path: str) -> None:
    assert await push(app, CALL, path) == (200, "OK")
    (event,) = await app.harness.journal_events()
    assert event.name == "cad.EVENT_911"
    assert event.data["caller"] == "Wren"
    assert app.harness.take_events() == [("cad.EVENT_911", event.data)]


ANYWHERE = [
    *("/event/", "//event", "/SonoranCAD//Event/", "/sonorancad", "/pluginevent", "/a/b?c=d"),
    *("/ws", "/ws/", "/healthz", "/events", "/events/info", "/api/events"),
]


@pytest.mark.parametrize("path", ANYWHERE)
async def test_push_with_a_valid_key_is_taken_on_any_path(app: RunningApp, path: str) -> None:
    assert await push(app, CALL, path) == (200, "OK")
    assert len(await app.harness.journal_events()) == 1


@pytest.mark.parametrize("body", [CALL | {"key": "wrong"}, b"{", b"", []])
async def test_unknown_path_without_a_push_is_not_found(
    app: RunningApp, caplog: pytest.LogCaptureFixture, body: object
) -> None:
    status, _ = await push(app, body, "/pluginevent")
    assert status == 404
    assert await app.harness.journal_events() == []
    assert any("/pluginevent; pushes go to /event" in line for line in caplog.messages)


@pytest.mark.parametrize("path", ["/healthz/", "//healthz", "/metrics//"])
async def test_needless_slashes_are_ignored(app: RunningApp, path: str) -> None:
    headers = {"Authorization": f"Bearer {BOSS}"}
    async with app.http.get(app.url + path, headers=headers) as response:
        assert response.status == 200


async def test_websocket_is_opened_with_a_slash_too_many(app: RunningApp) -> None:
    headers = {"Authorization": f"Bearer {BOSS}"}
    async with app.http.ws_connect(f"{app.url}//ws/", headers=headers) as websocket:
        await websocket.send_json({"type": "session", "data": {"id": "x"}})
        assert (await websocket.receive_json())["data"]["message"] == "created"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_not_allowed(app: RunningApp, path: str, method: str) -> None:
    async with app.http.request(method, f"{app.url}{path}") as response:
        assert response.status == 405


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=nonsense", ""])
async def test_any_content_type_is_accepted(app: RunningApp, kind: str) -> None:
    assert await push(app, CALL, headers={"Content-Type": kind}) == (200, "OK")


async def test_compressed_push_is_accepted(app: RunningApp) -> None:
    raw = gzip.compress(json.dumps(CALL).encode())
    answer = await push(app, raw, headers={"Content-Encoding": "gzip"})
    assert answer == (200, "OK")


async def test_compressed_push_that_is_too_large_is_rejected(app: RunningApp) -> None:
    raw = gzip.compress(LARGE)
    status, _ = await push(app, raw, headers={"Content-Encoding": "gzip"})
    assert status == 413


async def test_uncompressed_push_with_a_compression_header_is_invalid(
    app: RunningApp,
) -> None:
    status, _ = await push(app, json.dumps(CALL).encode(), headers={"Content-Encoding": "gzip"})
    assert status == 400


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 64 * 1024):
        yield body[start : start + 64 * 1024]


async def test_body_of_2_mib_is_too_large(app: RunningApp) -> None:
    assert await push(app, LARGE) == (413, "Too Large")
    assert await app.harness.journal_events() == []


async def test_chunked_body_of_2_mib_is_too_large(app: RunningApp) -> None:
    async with app.http.post(f"{app.url}/event", data=chunks(LARGE)) as response:
        assert (response.status, await response.text()) == (413, "Too Large")
    assert await push(app, CALL) == (200, "OK")


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "wrong",
        KEY + " ",
        " " + KEY,
        KEY[:-1],
        7,
        True,
        [KEY],
        {"key": KEY},
        KEY.replace("K", "\u212a"),
        KEY.replace("S", "\u017f"),
        KEY.replace("I", "\u0131"),
        KEY + "\x00",
        "\ud800",
    ],
)
async def test_wrong_key_is_rejected_and_nothing_is_stored(app: RunningApp, key: object) -> None:
    before = await stored(app.harness)
    assert await push(app, CALL | {"key": key}) == (400, "Authentication Key Failed!")
    assert await stored(app.harness) == before


async def test_missing_key_is_rejected(app: RunningApp) -> None:
    body = {name: CALL[name] for name in ("type", "data")}
    assert await push(app, body) == (400, "Authentication Key Failed!")


@pytest.mark.parametrize("key", [KEY, KEY.lower(), KEY.swapcase()])
async def test_key_is_case_insensitive(app: RunningApp, key: str) -> None:
    assert await push(app, CALL | {"key": key}) == (200, "OK")


async def test_calls_of_each_key_are_separate(app: RunningApp) -> None:
    assert await push(app, CALL) == (200, "OK")
    assert await push(app, CALL | {"key": SECOND_KEY.upper()}) == (200, "OK")
    rows = app.harness.dump()["emergency_calls"]
    assert sorted((row[0], row[1]) for row in rows) == [("cad", 4410), ("second", 4410)]
    subjects = [str(event.subjects[0]) for event in await app.harness.journal_events()]
    assert subjects == ["emergency:4410@cad", "emergency:4410@second"]


SERVERS = (CadKey("city", KEY), CadKey("county", KEY.lower(), "north"))


@pytest.mark.parametrize(
    ("path", "cad"),
    [
        ("/event/county", "county"),
        ("/sonorancad/event/North", "county"),
        ("/event/north/", "county"),
        ("/county", "county"),
        ("/county/event", "county"),
        ("/event?cad=COUNTY", "county"),
        ("/event?server=north", "county"),
        ("/event/city?cad=north", "county"),
        ("/event/city", "city"),
        ("/event", "city"),
        ("/event?cad=desert", "city"),
        ("/event/desert", "city"),
    ],
)
async def test_address_names_the_cad_of_a_shared_key(
    harness: AppHarness, caplog: pytest.LogCaptureFixture, path: str, cad: str
) -> None:
    async with serve(harness, AppOptions(cad_keys=SERVERS)) as app:
        for _ in range(2):
            assert await push(app, CALL, path) == (200, "OK")
        assert [row[0] for row in harness.dump()["emergency_calls"]] == [cad]
    warnings = [line for line in caplog.messages if "names none of city, county" in line]
    assert len(warnings) == (1 if "desert" in path else 0)


WRAPPED = {
    "encoded twice": json.dumps(json.dumps(CALL)).encode(),
    "a form with the members": urlencode(CALL | {"data": json.dumps(CALL["data"])}).encode(),
    "a form with the push": urlencode({"payload": json.dumps(CALL)}).encode(),
    "a form that is the push": quote_plus(json.dumps(CALL)).encode(),
    "with a type in blanks": json.dumps(CALL | {"type": " event_911\n"}).encode(),
}


@pytest.mark.parametrize("name", WRAPPED)
async def test_wrapped_push_is_taken(app: RunningApp, name: str) -> None:
    assert await push(app, WRAPPED[name]) == (200, "OK")
    (event,) = await app.harness.journal_events()
    assert event.data["caller"] == "Wren"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (json.dumps("hello").encode(), "the body is a text"),
        (json.dumps(CALL).encode("utf-16"), "the body is UTF-16"),
        (json.dumps(CALL).encode("utf-16-be"), "the body is UTF-16"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--', "multipart form"),
        (b"a=1&b=2", "form without a push"),
    ],
)
async def test_an_unexpected_body_form_is_named_in_the_error(
    app: RunningApp, body: bytes, word: str
) -> None:
    status, text = await push(app, body)
    assert status == 400
    assert text.startswith("Invalid JSON: ")
    assert word in text


SILENT = {
    "a push that is not JSON": b"{",
    "a push that is too large": LARGE,
    "an invalid push of type 'EVENT_911'": json.dumps(CALL | {"data": {"call": {}}}).encode(),
    "a push of the unknown type 'NEW'": json.dumps(CALL | {"type": "NEW"}).encode(),
    "a push with a wrong or missing CAD key": json.dumps(CALL | {"key": "wrong"}).encode(),
    "a push without a type": json.dumps(CALL | {"type": 7}).encode(),
}


@pytest.mark.parametrize("what", SILENT)
async def test_refusal_is_one_warning_with_advice(
    app: RunningApp, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    for _ in range(3):
        assert (await push(app, SILENT[what]))[0] >= 400
    (warning,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert warning.getMessage().startswith(f"refused {what} from 127.0.0.1: ")


async def test_unsupported_compression_and_tls_are_logged(
    app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    async with app.http.post(
        f"{app.url}/event", data=b"x", headers={"Content-Encoding": "br"}
    ) as response:
        assert response.status == 415
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    writer.write(b"\x16\x03\x01\x00\xa5\x01")
    await reader.read()
    writer.close()
    first, second = caplog.messages
    assert "only gzip and deflate are supported" in first
    assert "a TLS connection from 127.0.0.1: this port speaks plain http" in second


async def test_skipped_parts_are_counted_and_logged(
    app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"key": KEY, "type": "EVENT_UNIT_PANIC", "data": {"identIds": [61, "x", True]}}
    assert await push(app, body) == (200, "OK")
    assert "skipped unreadable parts of 'EVENT_UNIT_PANIC' from 127.0.0.1: identIds" in caplog.text
    async with app.http.get(f"{app.url}/healthz") as response:
        assert (await response.json())["pushes"] == {"OK": 1, "skipped parts": 2}


@pytest.mark.parametrize("key", ["", None])
async def test_empty_configured_key_is_never_valid(harness: AppHarness, key: object) -> None:
    async with serve(harness, AppOptions(cad_keys=(CadKey("cad", ""),))) as app:
        assert (await push(app, CALL | {"key": key}))[0] == 400


@pytest.mark.parametrize(
    ("data", "stored_as"),
    [
        ({"a": 1}, {"a": 1}),
        ([{"a": 1}], {"a": 1}),
        ([1, {"b": 2}], {"data": [1, {"b": 2}]}),
        ([], {"data": []}),
        (None, {"data": None}),
        ("text\u202e\u0000", {"data": "text"}),
        ({"\u202ea": ["x" * 5_000]}, {"a": ["x" * 4_000]}),
        ({"a": "x" * 4_000, "b": list(range(1_000))}, {"a": "x" * 4_000, "b": list(range(256))}),
    ],
)
async def test_unknown_type_is_rejected_and_journalled(
    app: RunningApp, data: object, stored_as: object
) -> None:
    body = {"key": KEY, "type": "event_Of tomorrow!", "data": data}
    assert await push(app, body) == (400, "Invalid Type")
    (event,) = await app.harness.journal_events()
    assert (event.name, event.data) == ("cad.EVENT_OF_TOMORROW", stored_as)
    assert app.harness.take_events() == [("cad.EVENT_OF_TOMORROW", stored_as)]


@pytest.mark.parametrize(
    ("push_type", "name"),
    [
        ("EVENT 911", "cad.OTHER_EVENT_911"),
        ("EVENT_UN\u0131T_PANIC", "cad.EVENT_UN_T_PANIC"),
        ("event-unit-panic", "cad.OTHER_EVENT_UNIT_PANIC"),
        ("\u202e!", "cad.OTHER_"),
        ("911", "cad.911"),
    ],
)
async def test_unknown_type_never_has_the_name_of_another(
    app: RunningApp, push_type: str, name: str
) -> None:
    assert await push(app, {"key": KEY, "type": push_type, "data": {}}) == (400, "Invalid Type")
    (event,) = await app.harness.journal_events()
    assert event.name == name
    assert is_event_name(event.name, ())


async def test_unknown_type_is_counted(app: RunningApp) -> None:
    for number in range(120):
        await push(app, {"key": KEY, "type": f"NEW_{number}"})
    await push(app, {"key": KEY, "type": "NEW_7"})
    async with app.http.get(f"{app.url}/healthz") as response:
        counts = (await response.json())["unknownTypes"]
    assert (len(counts), counts["NEW_7"], counts["others"]) == (101, 2, 20)


async def test_unknown_push_that_was_forwarded_too_is_one_event(app: RunningApp) -> None:
    body = {"key": KEY, "type": "NEW", "data": {"a": 1}}
    await push(app, body)
    await push(app, body, headers=GAME_SERVER)
    assert len(await app.harness.journal_events()) == 1


async def test_script_receives_pushes_of_a_type_that_nobody_knows(app: RunningApp) -> None:
    async with app.connect() as websocket:
        await websocket.send_json({"type": "subscribe", "data": {"id": "events.cad.NEW"}})
        assert "Subscribed" in (await websocket.receive_json())["data"]["message"]
        await push(app, {"key": KEY, "type": "OTHER", "data": {"a": 1}})
        await push(app, {"key": KEY, "type": "new", "data": {"a": 2}})
        frame = await websocket.receive_json()
    assert (frame["type"], frame["data"]) == ("events.cad.NEW", {"a": 2})
    headers = {"Authorization": f"Bearer {BOSS}"}
    poll = f"{app.url}/api/events?names=cad.OTHER&after=0"
    async with app.http.get(poll, headers=headers) as response:
        (event,) = (await response.json())["events"]
    assert event["data"] == {"a": 1}


async def test_events_name_their_cad_where_there_are_several(harness: AppHarness) -> None:
    options = AppOptions(push_config=PushConfig(name_cad=True))
    async with serve(harness, options) as app:
        assert await push(app, CALL) == (200, "OK")
        assert await push(app, {"key": KEY, "type": "NEW", "data": {"cad": "x"}}) == (
            400,
            "Invalid Type",
        )
    call, unknown = await harness.journal_events()
    assert (call.data["cad"], unknown.data) == ("cad", {"cad": "cad"})


async def test_long_or_deep_unknown_push_is_bounded(app: RunningApp) -> None:
    long = {"key": KEY, "type": "LONG", "data": [["x" * 4_000] * 100]}
    deep = b'{"key": "%b", "type": "DEEP", "data": %b}' % (KEY.encode(), b"[" * 900 + b"]" * 900)
    for body in (long, deep):
        assert await push(app, body) == (400, "Invalid Type")
    of_long, of_deep = await app.harness.journal_events()
    assert of_long.data == {"tooLong": True}
    assert len(of_deep.json) < 100


@pytest.mark.parametrize("key", [KEY, KEY.lower()])
async def test_key_is_not_stored_with_an_unknown_push(app: RunningApp, key: str) -> None:
    data = {"token": KEY.swapcase(), KEY: [f"<{KEY}>"]}
    body = {"key": key, "type": f"NEW {KEY}", "data": data}
    assert await push(app, body) == (400, "Invalid Type")
    (event,) = await app.harness.journal_events()
    kept = {"token": "[key]", "[key]": ["<[key]>"]}
    assert (event.name, event.data) == ("cad.NEW_KEY", kept)


async def test_get_logs_is_acknowledged_without_an_event(app: RunningApp) -> None:
    before = await stored(app.harness)
    assert await push(app, {"key": KEY, "type": "GET_LOGS", "logKey": "x"}) == (200, "OK")
    assert await stored(app.harness) == before


async def test_invalid_push_names_its_invalid_field(app: RunningApp) -> None:
    body = CALL | {"data": {"call": {"caller": "Wren"}}}
    assert await push(app, body) == (400, "Invalid Data: callId: missing")


async def test_an_unreadable_object_does_not_lose_the_others(app: RunningApp) -> None:
    body = CALL | {"data": [{"call": {}}, 5, CALL["data"], None]}
    assert await push(app, body) == (200, "OK")
    (event,) = await app.harness.journal_events()
    assert event.data["callId"] == 4410


async def test_push_is_unavailable_while_storage_is(app: RunningApp) -> None:
    async with app.harness.database.write() as sql:
        await sql.all(int, "PRAGMA max_page_count = 1")
    long = {"call": CALL["data"]["call"] | {"description": "x" * 4_000}}
    answers = [await push(app, CALL | {"data": long}) for _ in range(40)]
    assert answers[-1] == (503, "Storage Unavailable")
    acknowledged = answers.count((200, "OK"))
    assert len(await app.harness.journal_events()) == acknowledged
    async with app.harness.database.write() as sql:
        await sql.all(int, "PRAGMA max_page_count = 100000")
    assert await push(app, CALL) == (200, "OK")


async def test_corpus_is_answered_as_expected(app: RunningApp) -> None:
    after = app.harness.dump()
    for case in CASES:
        before = after
        status, text = await push(app, document(case))
        after = app.harness.dump()
        verdict = expected(case)
        assert (case["name"], status, text) == (case["name"], *verdict) or (
            verdict[1] == "Invalid Data" and (status, text[:13]) == (400, "Invalid Data:")
        )
        if case["valid"] is False:
            assert after == before, case["name"]
        if case["valid"] == "unknown":
            assert len(after["journal"]) == len(before["journal"]) + 1, case["name"]
    names = {event.name for event in await app.harness.journal_events()}
    assert {"cad.EVENT_WEATHER_CHANGED", "cad.EVENT_SOMETHING_NEW"} < names


def expected(case: Case) -> tuple[int, str]:
    if case["valid"] is True:
        return 200, "OK"
    if case["valid"] == "unknown":
        return 400, "Invalid Type"
    texts = [text for start, text in REFUSED_IN_FULL.items() if case["name"].startswith(start)]
    return 400, texts[0] if texts else "Invalid Data"


async def test_key_is_neither_logged_nor_stored(
    app: RunningApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for case in CASES:
        await push(app, document(case))
    await push(app, CALL | {"key": KEY.lower() + "x"})
    await push(app, LARGE)
    logged = caplog.text.lower()
    assert "refused an invalid push" in logged
    assert KEY.lower() not in logged
    assert KEY.lower()[:12] not in logged


async def test_answers_are_counted(app: RunningApp) -> None:
    await push(app, CALL)
    await push(app, CALL | {"key": "wrong"})
    await push(app, CALL | {"data": {"call": {}}})
    async with app.http.get(f"{app.url}/healthz") as response:
        health = await response.json()
    assert health["pushes"] == {
        "OK": 1,
        "Authentication Key Failed!": 1,
        "Invalid Data": 1,
    }


GAME_SERVER = {"User-Agent": "FXServer/PerformHttpRequest"}
TONE: dict[str, Any] = {
    "key": KEY,
    "type": "EVENT_TONE",
    "data": {"url": "https://tones.example/1.ogg", "playTonesTo": [{"type": 0, "value": 1.0}]},
}


async def push_directly(app: RunningApp, body: object) -> None:
    assert await push(app, body, "/sonorancad/event") == (200, "OK")


async def push_forwarded(app: RunningApp, body: object, path: str = "/") -> None:
    assert await push(app, body, path, headers=GAME_SERVER) == (200, "OK")


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("path", PATHS)
async def test_push_received_directly_and_forwarded_is_one_event(
    app: RunningApp, swapped: bool, path: str
) -> None:
    anew = {"data": [TONE["data"] | {"playTonesTo": [{"value": 1, "type": 0}]}]} | {
        name: TONE[name] for name in ("type", "key")
    }
    if swapped:
        await push_forwarded(app, anew, path)
        await push_directly(app, TONE)
    else:
        await push_directly(app, TONE)
        before = app.harness.dump()["journal"]
        await push_forwarded(app, anew, path)
        assert app.harness.dump()["journal"] == before
    assert len(app.harness.take_events()) == 1


async def test_push_received_twice_the_same_way_is_two_events(app: RunningApp) -> None:
    for _ in range(2):
        await push_directly(app, TONE)
    for _ in range(2):
        await push_forwarded(app, TONE)
    assert len(await app.harness.journal_events()) == 2
    for send in (push_directly, push_forwarded, push_forwarded, push_directly):
        await send(app, TONE)
    assert len(await app.harness.journal_events()) == 4


async def test_push_received_a_third_way_is_a_duplicate(app: RunningApp) -> None:
    await push_directly(app, TONE)
    await push_forwarded(app, TONE)
    await push_forwarded(app, TONE, "/event")
    assert len(await app.harness.journal_events()) == 1


async def test_different_pushes_are_two_events(app: RunningApp) -> None:
    panic = {"key": KEY, "type": "EVENT_UNIT_PANIC", "data": {"identIds": [61], "isPanic": True}}
    await push_directly(app, panic)
    await push_forwarded(app, panic | {"data": {"identIds": [62], "isPanic": True}})
    await push_forwarded(app, panic | {"data": {"identIds": [61], "isPanic": False}})
    await push_forwarded(app, panic | {"key": SECOND_KEY})
    assert len(await app.harness.journal_events()) == 4


async def test_push_after_the_window_is_a_new_event(app: RunningApp) -> None:
    await push_directly(app, TONE)
    app.harness.clock.now += 60_001
    await push_forwarded(app, TONE)
    assert len(await app.harness.journal_events()) == 2


async def test_without_a_window_every_push_is_an_event(harness: AppHarness) -> None:
    async with serve(harness, AppOptions(push_config=PushConfig(window=0))) as app:
        await push_directly(app, TONE)
        await push_forwarded(app, TONE)
        assert len(await harness.journal_events()) == 2
        assert harness.dump()["fingerprints"] == []


async def test_rejected_push_leaves_no_fingerprint(app: RunningApp) -> None:
    body = CALL | {"data": [{"call": {}}, {"call": {}}]}
    assert (await push(app, body))[0] == 400
    assert app.harness.dump()["fingerprints"] == []
