"""Requests with a key: one effect and one answer, however often, and in whatever way, they come."""

import asyncio
import io
from typing import Any

import orjson
import pytest

from tests.webhook.harness import DAY, SHOP, AppHarness, Frame
from tests.webhook.serving import (
    BOSS,
    KEY,
    READER,
    SECOND_KEY,
    WRITER,
    AppOptions,
    RunningApp,
    serve,
)
from webhook.http.push import PATHS

Answered = tuple[int, str, bool]
"""Status, text, and whether it was replayed."""

PRESS = {"type": "queries.add-alert", "data": {"propertyId": 1, "userId": "license:41aa90be"}}
TONE: dict[str, Any] = {
    "key": KEY,
    "type": "EVENT_TONE",
    "data": {"tones": [{"id": 1, "name": "Fire"}], "playTonesTo": [{"type": 0, "value": 1}]},
}


async def send(
    app: RunningApp, path: str, body: object, key: str | None = "k", **options: Any
) -> Answered:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    headers = {"Authorization": f"Bearer {options.pop('token', WRITER)}"}
    headers |= {"Idempotency-Key": key} if key is not None else {}
    headers |= options.pop("headers", {})
    async with app.http.post(f"{app.url}{path}", data=io.BytesIO(raw), headers=headers) as response:
        replayed = response.headers.get("Idempotency-Replayed") == "true"
        return response.status, await response.text(), replayed


async def query(app: RunningApp, body: object, key: str | None = "k", **options: Any) -> Answered:
    return await send(app, "/api/query", body, key, **options)


async def alerts(harness: AppHarness) -> list[Frame]:
    found: list[Frame] = (await harness.ask("get-alerts", propertyId=1))["alerts"]
    return found


@pytest.fixture
async def shop(app: RunningApp) -> RunningApp:
    """The application with one property."""
    await app.harness.ask("add-property", **SHOP)
    app.harness.take_events()
    return app


async def test_same_request_again_has_one_effect_and_the_same_answer(shop: RunningApp) -> None:
    status, text, replayed = await query(shop, PRESS)
    assert (status, replayed) == (200, False)
    assert orjson.loads(text)["type"] == "add-alert"
    for _ in range(3):
        assert await query(shop, PRESS) == (200, text, True)
    assert len(await alerts(shop.harness)) == 1
    assert [name for name, _ in shop.harness.take_events()] == ["alerts"]


async def test_without_a_key_each_request_has_an_effect(shop: RunningApp) -> None:
    answers = [await query(shop, PRESS, None) for _ in range(2)]
    assert [replayed for _, _, replayed in answers] == [False, False]
    assert len(await alerts(shop.harness)) == 2


async def test_requests_at_the_same_time_have_one_effect(shop: RunningApp) -> None:
    answers = await asyncio.gather(*(query(shop, PRESS) for _ in range(20)))
    assert {(status, text) for status, text, _ in answers} == {answers[0][:2]}
    assert sorted(replayed for _, _, replayed in answers) == [False] + [True] * 19
    assert len(await alerts(shop.harness)) == 1


async def test_same_key_with_another_message_is_refused(shop: RunningApp) -> None:
    await query(shop, PRESS)
    other = {**PRESS, "data": {**PRESS["data"], "userId": "license:other"}}  # type: ignore[dict-item]
    status, text, _ = await query(shop, other)
    assert (status, orjson.loads(text)["data"]["code"]) == (422, "key-reused")
    assert len(await alerts(shop.harness)) == 1


async def test_order_of_members_and_identifier_make_no_other_message(shop: RunningApp) -> None:
    await query(shop, PRESS)
    again = (
        b'{"data": {"userId": "license:41aa90be", "requestIdentifier": "7", "propertyId": 1},'
        b' "type": "queries.add-alert"}'
    )
    status, text, replayed = await query(shop, again)
    assert (status, replayed) == (200, True)
    assert orjson.loads(text)["data"]["requestIdentifier"] == "7"


async def test_replayed_sentence_is_a_status_as_the_first_time(shop: RunningApp) -> None:
    await shop.harness.add_equipment(1, 3)
    await shop.harness.ask("dispatch-drone", propertyId=1)
    recall = {"type": "queries.recall-drone", "data": {"droneId": 1}}
    status, text, _ = await query(shop, recall)
    assert (status, orjson.loads(text)["type"]) == (200, "status")
    assert await query(shop, recall) == (200, text, True)


async def test_refusal_is_not_stored_and_leaves_nothing(app: RunningApp) -> None:
    before = app.harness.dump()
    assert (await query(app, PRESS))[0] == 404
    assert app.harness.dump() == before
    await app.harness.ask("add-property", **SHOP)
    assert (await query(app, PRESS))[0] == 200


async def test_key_of_a_refused_request_may_be_sent_with_the_corrected_one(
    shop: RunningApp,
) -> None:
    assert (await query(shop, {"type": "queries.add-alert", "data": {"propertyId": 1}}))[0] == 400
    assert (await query(shop, PRESS))[0] == 200


@pytest.mark.parametrize("path", ["/api/query", "/event"])
async def test_key_works_after_the_disk_was_full(shop: RunningApp, path: str) -> None:
    note = "x" * 2_000
    press = {**PRESS, "data": {**PRESS["data"], "note": note}}  # type: ignore[dict-item]
    call = {"callId": 1, "description": note, "caller": "", "location": ""}
    push = {"key": KEY, "type": "EVENT_911", "data": {"call": call}}
    body = press if path == "/api/query" else push
    async with shop.harness.database.write() as sql:
        await sql.all(int, "PRAGMA max_page_count = 1")
    keys = [f"k{number}" for number in range(60)]
    refused = [key for key in keys if (await send(shop, path, body, key))[0] == 503]
    assert refused
    async with shop.harness.database.write() as sql:
        await sql.all(int, "PRAGMA max_page_count = 100000")
    answers = [await send(shop, path, body, key) for key in keys]
    assert {status for status, _, _ in answers} == {200}
    assert {key for key, answer in zip(keys, answers, strict=True) if not answer[2]} == set(refused)
    name = "alerts" if path == "/api/query" else "cad.EVENT_911"
    assert [event.name for event in await shop.harness.journal_events()].count(name) == len(keys)


async def test_key_belongs_to_its_sender(shop: RunningApp) -> None:
    assert not (await query(shop, PRESS, token=WRITER))[2]
    assert not (await query(shop, PRESS, token=BOSS))[2]
    assert not (await send(shop, "/event", TONE))[2]
    assert not (await send(shop, "/event", TONE | {"key": SECOND_KEY}))[2]


async def test_key_on_a_query_that_only_reads_is_ignored(shop: RunningApp) -> None:
    ask = {"type": "queries.get-alerts", "data": {"propertyId": 1}}
    _, before, _ = await query(shop, ask, token=READER)
    await shop.harness.ask("add-alert", **PRESS["data"])  # type: ignore[arg-type]
    status, after, replayed = await query(shop, ask, token=READER)
    assert (status, replayed) == (200, False)
    assert after != before


@pytest.mark.parametrize("key", ["", "x" * 129, "a\tb", "a\u200bb", "\u202e"])
@pytest.mark.parametrize("path", ["/api/query", *PATHS])
async def test_an_invalid_key_is_rejected_with_a_reason(
    shop: RunningApp, path: str, key: str
) -> None:
    before = shop.harness.dump()
    status, text, _ = await send(shop, path, PRESS if path == "/api/query" else TONE, key)
    assert status == 400
    assert "Idempotency-Key: must have 1 to 128 printable characters" in text
    assert shop.harness.dump() == before


async def test_two_keys_on_one_request_are_refused(shop: RunningApp) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    headers.append(("Authorization", f"Bearer {WRITER}"))
    raw = orjson.dumps(PRESS)
    async with shop.http.post(f"{shop.url}/api/query", data=raw, headers=headers) as response:
        assert response.status == 400


@pytest.mark.parametrize("key", ["k", "x" * 128, "7f3a-000000000042", "Schlüssel 1", "'; --"])
async def test_key_may_have_any_printable_characters(shop: RunningApp, key: str) -> None:
    assert [await query(shop, PRESS, key) for _ in range(2)][1][2]
    assert len(await alerts(shop.harness)) == 1


async def test_message_nested_too_deeply_for_a_key_is_refused(shop: RunningApp) -> None:
    deep = b'{"type": "queries.add-alert", "data": {"a": ' + b"[" * 600 + b"]" * 600 + b"}}"
    status, text, _ = await query(shop, deep)
    assert (status, orjson.loads(text)["data"]["code"]) == (400, "bad-json")


@pytest.mark.parametrize("path", PATHS)
async def test_push_with_a_key_is_stored_once(app: RunningApp, path: str) -> None:
    assert await send(app, path, TONE) == (200, "OK", False)
    for again in PATHS:
        assert await send(app, again, TONE) == (200, "OK", True)
    assert len(await app.harness.journal_events()) == 1


async def test_push_with_the_key_of_another_is_refused(app: RunningApp) -> None:
    await send(app, "/event", TONE)
    other = TONE["data"] | {"tones": [{"id": 2, "name": "Medical"}]}
    status, text, _ = await send(app, "/event", TONE | {"data": other})
    assert (status, text.partition(":")[0]) == (422, "Key Reused")
    assert len(await app.harness.journal_events()) == 1


async def test_equal_pushes_with_keys_of_their_own_are_each_stored(app: RunningApp) -> None:
    """One sender sends them, whatever path it takes: none is a copy of another."""
    for number, path in enumerate(PATHS):
        assert await send(app, path, TONE, f"k{number}") == (200, "OK", False)
    assert len(await app.harness.journal_events()) == len(PATHS)


async def test_push_straight_from_the_cad_and_one_with_a_key_are_one_event(
    app: RunningApp,
) -> None:
    assert await send(app, "/sonorancad/event", TONE, None) == (200, "OK", False)
    assert await send(app, "/event", TONE) == (200, "OK", False)
    app.harness.clock.now += DAY
    assert await send(app, "/event", TONE) == (200, "OK", True)
    assert len(await app.harness.journal_events()) == 1


async def test_refused_push_may_be_sent_again_with_its_key(app: RunningApp) -> None:
    bad = TONE | {"type": "EVENT_911", "data": {"call": {"caller": "Wren"}}}
    assert (await send(app, "/event", bad))[:1] == (400,)
    assert await send(app, "/event", TONE) == (200, "OK", False)


async def test_push_of_an_unknown_type_is_in_the_journal_once(app: RunningApp) -> None:
    """It is refused, but scripts receive it; so sent again it must not come twice."""
    for _ in range(2):
        status, text, _ = await send(app, "/event", TONE | {"type": "EVENT_NEW"})
        assert (status, text) == (400, "Invalid Type")
    assert [event.name for event in await app.harness.journal_events()] == ["cad.EVENT_NEW"]


async def test_rate_limit_counts_replays(harness: AppHarness) -> None:
    async with serve(harness, AppOptions(messages_per_second=1)) as app:
        await harness.ask("add-property", **SHOP)
        answers = [(await query(app, PRESS))[0] for _ in range(4)]
        assert answers == [200, 200, 429, 429]
