"""The push listener over real HTTP: its paths, its settled answers, its silence about the key."""

import gzip
import io
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.webhook.cad.corpus import CASES, Case, document
from tests.webhook.house import House
from tests.webhook.serving import KEY, SECOND_KEY, Served, Setting, serve
from webhook.cad.receive import Intake
from webhook.http.push import PATHS, CadKey

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
    "bad_raw": "Invalid JSON",
}


async def push(
    served: Served, body: object, path: str = "/event", **options: Any
) -> tuple[int, str]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with served.http.post(f"{served.url}{path}", data=io.BytesIO(raw), **options) as response:
        assert response.content_type == "text/plain"
        return response.status, await response.text()


async def stored(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """Return what pushes can have changed."""
    rows = house.dump()
    return {name: rows[name] for name in rows if name not in ("tiers", "equipment_types")}


async def unhandled(house: House) -> list[tuple[str, Any]]:
    rows = house.dump()["journal"]
    return [(row[2], json.loads(row[4])) for row in rows if not row[5]]


@pytest.mark.parametrize("path", PATHS)
async def test_a_push_on_each_path_is_on_disk_when_it_is_answered(
    served: Served, path: str
) -> None:
    assert await push(served, CALL, path) == (200, "OK")
    (event,) = await served.house.journalled()
    assert event.name == "cad.EVENT_911"
    assert event.data["caller"] == "Wren"
    assert served.house.told() == [("cad.EVENT_911", event.data)]


@pytest.mark.parametrize("path", ["/events", "/event/", "/sonorancad", "/sonorancad/event/x"])
async def test_another_path_is_not_found(served: Served, path: str) -> None:
    status, _ = await push(served, CALL, path)
    assert status == 404
    assert await served.house.journalled() == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_another_method_is_not_allowed(served: Served, path: str, method: str) -> None:
    async with served.http.request(method, f"{served.url}{path}") as response:
        assert response.status == 405


@pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=nonsense", ""])
async def test_the_content_type_does_not_matter(served: Served, kind: str) -> None:
    assert await push(served, CALL, headers={"Content-Type": kind}) == (200, "OK")


async def test_a_compressed_push_is_read(served: Served) -> None:
    raw = gzip.compress(json.dumps(CALL).encode())
    answer = await push(served, raw, headers={"Content-Encoding": "gzip"})
    assert answer == (200, "OK")


async def test_a_compressed_push_that_grows_too_large_is_refused(served: Served) -> None:
    raw = gzip.compress(LARGE)
    status, _ = await push(served, raw, headers={"Content-Encoding": "gzip"})
    assert status == 413


async def test_a_push_that_only_claims_to_be_compressed_is_the_senders_fault(
    served: Served,
) -> None:
    status, _ = await push(served, json.dumps(CALL).encode(), headers={"Content-Encoding": "gzip"})
    assert status == 400


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 64 * 1024):
        yield body[start : start + 64 * 1024]


async def test_a_body_of_2_mib_is_too_large(served: Served) -> None:
    assert await push(served, LARGE) == (413, "Too Large")
    assert await served.house.journalled() == []


async def test_a_chunked_body_of_2_mib_is_too_large(served: Served) -> None:
    async with served.http.post(f"{served.url}/event", data=chunks(LARGE)) as response:
        assert (response.status, await response.text()) == (413, "Too Large")
    assert await push(served, CALL) == (200, "OK")


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
async def test_a_wrong_key_is_refused_and_nothing_is_kept(served: Served, key: object) -> None:
    before = await stored(served.house)
    assert await push(served, CALL | {"key": key}) == (400, "Authentication Key Failed!")
    assert await stored(served.house) == before


async def test_a_missing_key_is_refused(served: Served) -> None:
    body = {name: CALL[name] for name in ("type", "data")}
    assert await push(served, body) == (400, "Authentication Key Failed!")


@pytest.mark.parametrize("key", [KEY, KEY.lower(), KEY.swapcase()])
async def test_a_key_matches_in_either_case(served: Served, key: str) -> None:
    assert await push(served, CALL | {"key": key}) == (200, "OK")


async def test_each_key_has_calls_of_its_own(served: Served) -> None:
    assert await push(served, CALL) == (200, "OK")
    assert await push(served, CALL | {"key": SECOND_KEY.upper()}) == (200, "OK")
    rows = served.house.dump()["emergency_calls"]
    assert sorted((row[0], row[1]) for row in rows) == [("cad", 4410), ("second", 4410)]
    subjects = [str(event.subjects[0]) for event in await served.house.journalled()]
    assert subjects == ["emergency:4410@cad", "emergency:4410@second"]


@pytest.mark.parametrize("key", ["", None])
async def test_an_empty_configured_key_lets_nobody_in(house: House, key: object) -> None:
    async with serve(house, Setting(cad_keys=(CadKey("cad", ""),))) as served:
        assert (await push(served, CALL | {"key": key}))[0] == 400


@pytest.mark.parametrize("data", [{"a": 1}, [], None, "text"])
async def test_an_unhandled_type_is_refused_and_journalled(served: Served, data: object) -> None:
    body = {"key": KEY, "type": "EVENT_OF_TOMORROW", "data": data}
    assert await push(served, body) == (400, "Invalid Type")
    kept = [("unhandled.EVENT_OF_TOMORROW", {"cad": "cad", "data": data})]
    assert await unhandled(served.house) == kept
    assert served.house.told() == []
    assert await served.house.journalled() == []


async def test_of_a_long_unhandled_push_only_the_type_is_kept(served: Served) -> None:
    body = {"key": KEY, "type": "NEW", "data": "x" * 100_000}
    assert await push(served, body) == (400, "Invalid Type")
    assert await unhandled(served.house) == [("unhandled.NEW", {"cad": "cad"})]


async def test_of_a_deep_unhandled_push_only_the_type_is_kept(served: Served) -> None:
    raw = b'{"key": "%b", "type": "NEW", "data": %b}' % (KEY.encode(), b"[" * 900 + b"]" * 900)
    assert await push(served, raw) == (400, "Invalid Type")
    assert await unhandled(served.house) == [("unhandled.NEW", {"cad": "cad"})]


@pytest.mark.parametrize("key", [KEY, KEY.lower()])
async def test_the_key_is_not_kept_with_an_unhandled_push(served: Served, key: str) -> None:
    data = {"token": KEY.swapcase(), KEY: [f"<{KEY}>"]}
    assert await push(served, {"key": key, "type": f"NEW {KEY}", "data": data}) == (
        400,
        "Invalid Type",
    )
    kept = {"token": "[key]", "[key]": ["<[key]>"]}
    assert await unhandled(served.house) == [("unhandled.NEW [key]", {"cad": "cad", "data": kept})]


async def test_get_logs_is_acknowledged_and_nothing_else(served: Served) -> None:
    before = await stored(served.house)
    assert await push(served, {"key": KEY, "type": "GET_LOGS", "logKey": "x"}) == (200, "OK")
    assert await stored(served.house) == before


async def test_a_push_that_makes_no_sense_says_which_member(served: Served) -> None:
    body = CALL | {"data": {"call": {"caller": "Wren"}}}
    assert await push(served, body) == (400, "Invalid Data: callId: missing")


async def test_half_of_what_a_push_says_is_never_kept(served: Served) -> None:
    before = await stored(served.house)
    body = CALL | {"data": [CALL["data"], {"call": {}}]}
    assert (await push(served, body))[0] == 400
    assert await stored(served.house) == before


async def test_a_push_that_cannot_be_stored_is_unavailable(served: Served) -> None:
    async with served.house.database.write() as sql:
        await sql.all(int, "PRAGMA max_page_count = 1")
    long = {"call": CALL["data"]["call"] | {"description": "x" * 4_000}}
    answers = [await push(served, CALL | {"data": long}) for _ in range(40)]
    assert answers[-1] == (503, "Storage Unavailable")
    acknowledged = answers.count((200, "OK"))
    assert len(await served.house.journalled()) == acknowledged
    async with served.house.database.write() as sql:
        await sql.all(int, "PRAGMA max_page_count = 100000")
    assert await push(served, CALL) == (200, "OK")


async def test_what_the_corpus_says_is_what_is_answered(served: Served) -> None:
    for case in CASES:
        before = served.house.dump()
        status, text = await push(served, document(case))
        after = served.house.dump()
        verdict = expected(case)
        assert (case["name"], status, text) == (case["name"], *verdict) or (
            verdict[1] == "Invalid Data" and (status, text[:13]) == (400, "Invalid Data:")
        )
        if case["valid"] is False:
            assert after == before, case["name"]
        if case["valid"] == "unknown":
            assert len(after["journal"]) == len(before["journal"]) + 1, case["name"]
    assert len(await unhandled(served.house)) == 3


def expected(case: Case) -> tuple[int, str]:
    if case["valid"] is True:
        return 200, "OK"
    if case["valid"] == "unknown":
        return 400, "Invalid Type"
    texts = [text for start, text in REFUSED_IN_FULL.items() if case["name"].startswith(start)]
    return 400, texts[0] if texts else "Invalid Data"


async def test_the_key_is_in_no_log_and_in_no_row(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for case in CASES:
        await push(served, document(case))
    await push(served, CALL | {"key": KEY.lower() + "x"})
    await push(served, LARGE)
    logged = caplog.text.lower()
    assert "refused a push" in logged
    assert KEY.lower() not in logged
    assert KEY.lower()[:12] not in logged


async def test_what_was_answered_is_counted(served: Served) -> None:
    await push(served, CALL)
    await push(served, CALL | {"key": "wrong"})
    await push(served, CALL | {"data": {"call": {}}})
    async with served.http.get(f"{served.url}/healthz") as response:
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


async def straight(served: Served, body: object) -> None:
    assert await push(served, body, "/sonorancad/event") == (200, "OK")


async def passed_on(served: Served, body: object, path: str = "/") -> None:
    assert await push(served, body, path, headers=GAME_SERVER) == (200, "OK")


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("path", PATHS)
async def test_what_comes_straight_and_passed_on_happened_once(
    served: Served, swapped: bool, path: str
) -> None:
    anew = {"data": [TONE["data"] | {"playTonesTo": [{"value": 1, "type": 0}]}]} | {
        name: TONE[name] for name in ("type", "key")
    }
    if swapped:
        await passed_on(served, anew, path)
        await straight(served, TONE)
    else:
        await straight(served, TONE)
        before = served.house.dump()["journal"]
        await passed_on(served, anew, path)
        assert served.house.dump()["journal"] == before
    assert len(served.house.told()) == 1


async def test_what_comes_twice_the_same_way_happened_twice(served: Served) -> None:
    for _ in range(2):
        await straight(served, TONE)
    for _ in range(2):
        await passed_on(served, TONE)
    assert len(await served.house.journalled()) == 2
    for send in (straight, passed_on, passed_on, straight):
        await send(served, TONE)
    assert len(await served.house.journalled()) == 4


async def test_a_third_way_adds_nothing(served: Served) -> None:
    await straight(served, TONE)
    await passed_on(served, TONE)
    await passed_on(served, TONE, "/event")
    assert len(await served.house.journalled()) == 1


async def test_what_is_not_equal_happened_twice(served: Served) -> None:
    panic = {"key": KEY, "type": "EVENT_UNIT_PANIC", "data": {"identIds": [61], "isPanic": True}}
    await straight(served, panic)
    await passed_on(served, panic | {"data": {"identIds": [62], "isPanic": True}})
    await passed_on(served, panic | {"data": {"identIds": [61], "isPanic": False}})
    await passed_on(served, panic | {"key": SECOND_KEY})
    assert len(await served.house.journalled()) == 4


async def test_what_comes_after_the_window_happened_again(served: Served) -> None:
    await straight(served, TONE)
    served.house.clock.now += 5_001
    await passed_on(served, TONE)
    assert len(await served.house.journalled()) == 2


async def test_without_a_window_every_push_is_an_event(house: House) -> None:
    async with serve(house, Setting(intake=Intake(window=0))) as served:
        await straight(served, TONE)
        await passed_on(served, TONE)
        assert len(await house.journalled()) == 2
        assert house.dump()["fingerprints"] == []


async def test_a_push_that_was_not_kept_leaves_no_fingerprint(served: Served) -> None:
    body = CALL | {"data": [CALL["data"], {"call": {}}]}
    assert (await push(served, body))[0] == 400
    assert served.house.dump()["fingerprints"] == []
