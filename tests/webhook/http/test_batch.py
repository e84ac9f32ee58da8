"""`POST /api/batch`: a backlog in order, each message by itself."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.webhook.harness import SHOP, START, AppHarness, Frame, open_harness
from tests.webhook.http.test_idempotency import PRESS, TONE, alerts, send
from tests.webhook.serving import BOSS, KEY, READER, WRITER, AppOptions, RunningApp, serve
from webhook.protocol.wire import timestamp

ADD = {"type": "queries.add-property", "data": SHOP}


async def batch(
    app: RunningApp, messages: object, token: str = WRITER
) -> tuple[int, list[dict[str, Any]]]:
    status, text, _ = await send(app, "/api/batch", {"messages": messages}, None, token=token)
    return status, orjson.loads(text).get("answers", [])


def statuses(answers: list[dict[str, Any]]) -> list[int]:
    return [answer["status"] for answer in answers]


async def test_messages_are_answered_in_order_and_each_sees_those_before(app: RunningApp) -> None:
    listed = {"type": "queries.get-alerts", "data": {"propertyId": 1}}
    push = {"push": orjson.dumps(TONE).decode(), "key": "p"}
    status, answers = await batch(app, [ADD, PRESS, listed, push, {"push": TONE}, PRESS, listed])
    assert (status, statuses(answers)) == (200, [200] * 7)
    assert [answer.get("text") or answer["frame"]["type"] for answer in answers] == [
        "add-property",
        "add-alert",
        "get-alerts",
        "OK",
        "OK",
        "add-alert",
        "get-alerts",
    ]
    assert [len(answers[at]["frame"]["data"]["alerts"]) for at in (2, 6)] == [1, 2]
    assert not any(answer["replayed"] for answer in answers)


async def test_batch_again_has_the_same_answers_and_no_effect(app: RunningApp) -> None:
    messages = [ADD | {"key": "a"}, PRESS | {"key": "b"}, {"push": TONE, "key": "c"}]
    _, first = await batch(app, messages)
    before = app.harness.dump()
    status, again = await batch(app, messages)
    assert status == 200
    assert again == [answer | {"replayed": True} for answer in first]
    assert app.harness.dump() == before


async def test_key_is_the_same_one_by_one_and_in_a_batch(app: RunningApp) -> None:
    await batch(app, [ADD, PRESS | {"key": "b"}, {"push": TONE, "key": "c"}])
    assert (await send(app, "/api/query", PRESS, "b"))[2]
    assert (await send(app, "/event", TONE, "c"))[2]
    await send(app, "/api/query", PRESS, "d")
    _, answers = await batch(app, [PRESS | {"key": "d"}])
    assert answers[0]["replayed"]


async def test_same_key_twice_in_a_batch_has_one_effect(app: RunningApp) -> None:
    _, answers = await batch(app, [ADD, PRESS | {"key": "b"}, PRESS | {"key": "b"}])
    assert [answer["replayed"] for answer in answers] == [False, False, True]
    assert len(await alerts(app.harness)) == 1


@pytest.mark.parametrize(
    ("message", "status", "code"),
    [
        (None, 400, "bad-message"),
        ([1], 400, "bad-message"),
        ({}, 400, "bad-message"),
        ({"type": 3}, 400, "bad-message"),
        (PRESS | {"data": "x"}, 400, "bad-message"),
        (PRESS | {"key": 7}, 400, "invalid-data"),
        (PRESS | {"key": ""}, 400, "invalid-data"),
        (PRESS | {"key": "used"}, 422, "key-reused"),
        ({"type": "queries.fly-away", "key": "f"}, 400, "unknown-type"),
        ({"type": "subscribe", "data": {"id": "alerts"}}, 400, "unknown-type"),
        ({"type": "queries.add-alert", "data": {"propertyId": 9, "userId": "u"}}, 404, "not-found"),
        ({"type": "queries.remove-property", "data": {"propertyId": 1}}, 403, "forbidden"),
        ({"push": "{", "key": "p"}, 400, "Invalid JSON"),
        ({"push": TONE | {"key": "wrong"}}, 400, "Authentication Key Failed!"),
        ({"push": {"key": KEY}}, 400, "Invalid Type"),
        ({"push": 7}, 400, "Authentication Key Failed!"),
        ({"push": "x" * 1024 * 1600}, 413, "Too Large"),
    ],
)
async def test_refused_message_does_not_stop_the_rest(
    app: RunningApp, message: object, status: int, code: str
) -> None:
    used = {"type": "queries.add-user", "data": {"userId": "u", "fullName": "U"}, "key": "used"}
    answered, answers = await batch(app, [ADD, used, PRESS, message, PRESS])
    assert (answered, statuses(answers)) == (200, [200, 200, 200, status, 200])
    refused = answers[3]
    shown = refused["frame"]["data"]["code"] if "frame" in refused else refused["text"]
    assert shown == code
    assert len(await alerts(app.harness)) == 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "bad-json"),
        (b"[]", 400, "bad-message"),
        (b"{}", 400, "bad-message"),
        (b'{"messages": {}}', 400, "bad-message"),
        (orjson.dumps({"messages": [PRESS] * 101}), 400, "invalid-data"),
        (b'{"messages": ["' + b"x" * 4 * 1024 * 1024 + b'"]}', 413, "too-large"),
    ],
)
async def test_an_invalid_batch_is_rejected_as_a_whole(
    app: RunningApp, body: bytes, status: int, code: str
) -> None:
    before = app.harness.dump()
    answered, text, _ = await send(app, "/api/batch", body, None)
    assert (answered, orjson.loads(text)["data"]["code"]) == (status, code)
    assert app.harness.dump() == before


async def test_batch_needs_a_token(app: RunningApp) -> None:
    assert (await send(app, "/api/batch", {"messages": []}, None, token="wrong"))[0] == 401


async def test_batch_may_be_empty(app: RunningApp) -> None:
    assert await batch(app, []) == (200, [])


async def test_reader_may_only_read_in_a_batch(app: RunningApp) -> None:
    await app.harness.ask("add-property", **SHOP)
    listed = {"type": "queries.get-alerts", "data": {"propertyId": 1}}
    _, answers = await batch(app, [PRESS, listed], READER)
    assert statuses(answers) == [403, 200]


async def test_batch_shares_a_commit(app: RunningApp) -> None:
    """A reader sees all of it at once."""
    await app.harness.ask("add-property", **SHOP)
    sizes = set()
    app.harness.bus.subscribe("alerts", lambda _: sizes.add(count(app.harness)))
    status, _ = await batch(app, [PRESS] * 50)
    assert (status, sizes) == (200, {50})


def count(harness: AppHarness) -> int:
    return len(harness.dump()["alerts"])


async def test_batch_is_unavailable_message_by_message_while_storage_is(app: RunningApp) -> None:
    await app.harness.ask("add-property", **SHOP)
    async with app.harness.database.write() as sql:
        await sql.all(int, "PRAGMA max_page_count = 1")
    noted = {**PRESS, "data": {**PRESS["data"], "note": "x" * 2_000}}  # type: ignore[dict-item]
    messages = [noted | {"key": str(number)} for number in range(100)]
    status, answers = await batch(app, messages)
    assert status == 200
    assert 503 in statuses(answers)
    async with app.harness.database.write() as sql:
        await sql.all(int, "PRAGMA max_page_count = 100000")
    assert set(statuses((await batch(app, messages))[1])) == {200}
    assert count(app.harness) == 100


async def test_rate_limit_counts_the_messages_of_a_batch(harness: AppHarness) -> None:
    async with serve(harness, AppOptions(messages_per_second=10)) as app:
        await harness.ask("add-property", **SHOP)
        assert (await batch(app, [PRESS] * 100))[0] == 200
        assert (await batch(app, [PRESS]))[0] == 429
        assert (await send(app, "/api/query", PRESS, None))[0] == 429
        assert (await batch(app, [PRESS], BOSS))[0] == 200  # others have their own
    assert count(harness) == 101


async def test_full_batches_pass_the_usual_rate_limit(app: RunningApp) -> None:
    await app.harness.ask("add-property", **SHOP)
    for _ in range(5):
        assert (await batch(app, [PRESS] * 100))[0] == 200


async def test_each_message_has_an_age_of_its_own(app: RunningApp) -> None:
    aged = [PRESS | {"age": 90.5}, PRESS, PRESS | {"age": "garbage"}, {"push": TONE, "age": "12"}]
    _, answers = await batch(app, [ADD, *aged])
    assert statuses(answers) == [200] * 5
    times = [alert["timestamp"] for alert in await alerts(app.harness)]
    assert times == [timestamp(at) for at in (START, START, START - 90_500)]
    events = (await app.harness.journal_events())[1:]
    assert [(event.at, event.age) for event in events] == [
        (START, 90_500),
        (START, 0),
        (START, 0),
        (START, 12_000),
    ]


SENT = st.lists(
    st.tuples(
        st.booleans(),
        st.lists(
            st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(("ok", "refused", "bad"))),
            min_size=1,
            max_size=8,
        ),
    ),
    max_size=6,
)


@examples(0.4)
@given(SENT)
def test_each_key_has_one_effect_in_the_order_of_its_first_success(
    sent: list[tuple[bool, list[tuple[str, str]]]],
) -> None:
    asyncio.run(_play(sent))


async def _play(sent: list[tuple[bool, list[tuple[str, str]]]]) -> None:
    """Send messages one by one or in batches, and compare with what a script expects."""
    done: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        async with open_harness(Path(folder) / "sentinel.db") as harness, serve(harness) as app:
            await harness.ask("add-property", **SHOP)
            for in_batch, messages in sent:
                asked = [_message(key, kind) for key, kind in messages]
                expected = []
                for key, kind in messages:
                    replayed = kind == "ok" and key in done
                    status = {"ok": 200, "refused": 422 if key in done else 404}.get(kind, 400)
                    expected.append((status, replayed))
                    if kind == "ok" and key not in done:
                        done.append(key)
                if in_batch:
                    _, answers = await batch(app, asked)
                    found = [(answer["status"], answer["replayed"]) for answer in answers]
                else:
                    found = [
                        (status, replayed)
                        for message in asked
                        for status, _, replayed in [
                            await send(app, "/api/query", message, message["key"])
                        ]
                    ]
                assert found == expected
            assert [alert["userId"] for alert in reversed(await _all_alerts(harness))] == done


def _message(key: str, kind: str) -> Frame:
    data: Frame = {"propertyId": 1 if kind == "ok" else 2, "userId": key}
    return {"type": "queries.add-alert", "data": data if kind != "bad" else [1], "key": key}


async def _all_alerts(harness: AppHarness) -> list[Frame]:
    found: list[Frame] = (await harness.ask("get-alerts", propertyId=1, limit=100))["alerts"]
    return found
