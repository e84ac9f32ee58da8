"""`POST /api/query` and the long poll, status by status."""

import asyncio
import io
import json
import time
from typing import Any

import orjson
import pytest

from db import journal
from db.errors import StorageUnavailable
from tests.webhook.harness import AppHarness, Frame
from tests.webhook.serving import BOSS, READER, WRITER, AppOptions, RunningApp, serve
from webhook.http.api import STATUS
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, RateLimited
from webhook.protocol.events import ALL
from webhook.protocol.wire import Reply


async def query(
    app: RunningApp, body: object, token: str | None = BOSS, **headers: str
) -> tuple[int, Frame]:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    given = {"Authorization": f"Bearer {token}"} if token else {}
    async with app.http.post(
        f"{app.url}/api/query", data=io.BytesIO(raw), headers=given | headers
    ) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def poll(app: RunningApp, token: str = READER, **query: object) -> tuple[int, Frame]:
    async with app.http.get(
        f"{app.url}/api/events",
        params={name: str(value) for name, value in query.items()},
        headers={"Authorization": f"Bearer {token}"},
    ) as response:
        body: Frame = await response.json()
        return response.status, body


async def emit(harness: AppHarness, *names: str) -> None:
    async with harness.context().change() as change:
        for name in names:
            await change.emit_named(name, b"{}")


async def test_query_answers_with_the_frame_of_the_websocket(app: RunningApp) -> None:
    message = {"type": "queries.get-tiers", "data": {"requestIdentifier": "r1"}}
    status, frame = await query(app, message)
    assert status == 200
    assert frame["type"] == "get-tiers"
    assert frame["data"]["requestIdentifier"] == "r1"
    assert [tier["price"] for tier in frame["data"]["tiers"]] == ["59.99", "99.99", "149.99"]


async def test_query_that_is_asked_again_has_the_same_answer(app: RunningApp) -> None:
    asked = [await query(app, {"type": "queries.get-tiers", "data": {}}) for _ in range(3)]
    assert asked[0][0] == 200
    assert asked == [asked[0]] * 3


def ask(name: str, **data: object) -> Frame:
    return {"type": f"queries.{name}", "data": data}


@pytest.mark.parametrize(
    ("body", "token", "status", "code"),
    [
        (b"{", BOSS, 400, "bad-json"),
        (b"\xff", BOSS, 400, "bad-json"),
        (b"[]", BOSS, 400, "bad-message"),
        (b'{"type": "a", "data": 3}', BOSS, 400, "bad-message"),
        (ask("fly-away"), BOSS, 400, "unknown-type"),
        ({"type": "subscribe", "data": {"id": "alerts"}}, BOSS, 400, "unknown-type"),
        (ask("get-property"), BOSS, 400, "invalid-data"),
        (ask("get-property", propertyId=7), BOSS, 404, "not-found"),
        (ask("change-property-status", propertyId=7, status="removed"), BOSS, 409, "conflict"),
        (ask("add-user", userId="u", fullName="U"), READER, 403, "forbidden"),
        (ask("remove-user", userId="u"), WRITER, 403, "forbidden"),
        (ask("get-tiers", pad="x" * 256 * 1024), BOSS, 413, "too-large"),
        (ask("get-tiers", pad="x" * 2 * 1024 * 1024), BOSS, 413, "too-large"),
    ],
)
async def test_every_refusal_has_its_status(
    app: RunningApp, body: object, token: str, status: int, code: str
) -> None:
    answered, frame = await query(app, body, token)
    assert (answered, frame["type"], frame["data"]["code"]) == (status, "error", code)


def failing(fault: Exception) -> Catalogue:
    table = Catalogue()

    @table.query("fail", scope=Scope.READ)
    async def fail(context: Context) -> Reply:
        """Fail."""
        raise fault

    return table


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (RateLimited("slower"), 429, "rate-limited"),
        (StorageUnavailable("full"), 503, "unavailable"),
        (ZeroDivisionError("oh"), 500, "internal"),
        (Conflict("no"), 409, "conflict"),
    ],
)
async def test_failures_inside_a_query_have_their_status(
    harness: AppHarness, fault: Exception, status: int, code: str
) -> None:
    async with serve(harness, AppOptions(catalogue=failing(fault))) as app:
        answered, frame = await query(app, ask("fail"))
    assert (answered, frame["data"]["code"]) == (status, code)


def test_every_error_code_has_a_status() -> None:
    assert set(STATUS) == {
        "bad-json",
        "bad-message",
        "unknown-type",
        "invalid-data",
        "not-found",
        "conflict",
        "forbidden",
        "key-reused",
        "rate-limited",
        "too-large",
        "unavailable",
        "internal",
    }


async def test_chunked_message_that_is_too_large_is_rejected(app: RunningApp) -> None:
    async def parts() -> Any:
        yield b'{"type": "queries.get-tiers", "data": {"pad": "'
        for _ in range(5):
            yield b"x" * 64 * 1024
        yield b'"}}'

    async with app.http.post(
        f"{app.url}/api/query", data=parts(), headers={"Authorization": f"Bearer {BOSS}"}
    ) as response:
        assert response.status == 413
        assert json.loads(await response.text())["data"]["code"] == "too-large"


@pytest.mark.parametrize("path", ["/api/query", "/api/events"])
async def test_missing_token_is_401(app: RunningApp, path: str) -> None:
    method = "POST" if path.endswith("query") else "GET"
    async with app.http.request(method, f"{app.url}{path}") as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_message_at_the_limit_is_read(app: RunningApp) -> None:
    empty = len(orjson.dumps(ask("get-tiers", pad="")))
    status, _ = await query(app, ask("get-tiers", pad="x" * (256 * 1024 - empty)))
    assert status == 200


async def test_poll_answers_at_once_with_existing_events(app: RunningApp) -> None:
    await emit(app.harness, "alerts", "visits")
    status, body = await poll(app, after=0, wait=55)
    assert status == 200
    assert body == {
        "events": [
            {"type": "events.alerts", "id": 1, "data": {}},
            {"type": "events.visits", "id": 2, "data": {}},
        ],
        "last": 2,
    }


async def test_poll_returns_only_the_requested_names(app: RunningApp) -> None:
    await emit(app.harness, "alerts", "visits", "cad.EVENT_911", "crimes")
    _, body = await poll(app, after=0, names="events.alerts, cad")
    assert [event["id"] for event in body["events"]] == [1, 3]
    assert body["last"] == 4
    _, body = await poll(app, after=body["last"], names="alerts,cad")
    assert body == {"events": [], "last": 4}


async def test_poll_waits_for_the_first_matching_event(app: RunningApp) -> None:
    waiting = asyncio.create_task(poll(app, after=0, names="visits", wait=55))
    await app.harness.bus.wait_for_count("visits", 1)
    await emit(app.harness, "alerts")
    await emit(app.harness, "visits")
    _, body = await waiting
    assert [event["type"] for event in body["events"]] == ["events.visits"]
    assert body["last"] == 2
    assert app.harness.bus.count("visits") == 0


async def test_poll_ends_empty_after_its_wait(app: RunningApp) -> None:
    started = time.monotonic()
    _, body = await poll(app, after=0, wait=1)
    assert time.monotonic() - started >= 1
    assert body == {"events": [], "last": 0}


async def test_poll_without_a_number_returns_only_new_events(app: RunningApp) -> None:
    await emit(app.harness, "alerts")
    _, body = await poll(app)
    assert body == {"events": [], "last": 1}


async def test_consecutive_polls_return_every_event_once(app: RunningApp) -> None:
    async def keep_on() -> None:
        for _ in range(60):
            await emit(app.harness, "alerts", "visits")

    task = asyncio.create_task(keep_on())
    last = 0
    got: list[int] = []
    while len(got) < 60:
        _, body = await poll(app, after=last, names="visits", wait=5)
        got += [event["id"] for event in body["events"]]
        last = body["last"]
    await task
    assert got == list(range(2, 121, 2))


async def test_long_backlog_comes_in_pages(app: RunningApp) -> None:
    await emit(app.harness, *["alerts"] * 1_200)
    got: list[int] = []
    last = 0
    for _ in range(3):
        _, body = await poll(app, after=last)
        got += [event["id"] for event in body["events"]]
        last = body["last"]
    assert got == list(range(1, 1_201))


async def test_poll_reports_missed_events(app: RunningApp) -> None:
    await emit(app.harness, *["alerts"] * 5)
    async with app.harness.database.write() as sql:
        await journal.prune(sql, app.harness.clock.now + 1, 3)
    _, body = await poll(app, after=1)
    assert body["missed"] is True
    assert [event["id"] for event in body["events"]] == [4, 5]
    _, body = await poll(app, after=3)
    assert "missed" not in body
    _, body = await poll(app, after=77)
    assert body == {"events": [], "last": 5, "missed": True}


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"after": "x"}, 400, "invalid-data"),
        ({"after": "-1"}, 400, "invalid-data"),
        ({"wait": "56"}, 400, "invalid-data"),
        ({"wait": "-1"}, 400, "invalid-data"),
        ({"wait": "nan"}, 400, "invalid-data"),
        ({"wait": "inf"}, 400, "invalid-data"),
        ({"names": ""}, 400, "invalid-data"),
        ({"names": "alerts,nothing"}, 404, "not-found"),
    ],
)
async def test_wrong_poll_is_rejected(
    app: RunningApp, asked: dict[str, str], status: int, code: str
) -> None:
    answered, frame = await poll(app, **asked)
    assert (answered, frame["type"], frame["data"]["code"]) == (status, "error", code)


async def test_success_is_in_the_answer(app: RunningApp) -> None:
    status, frame = await query(app, ask("add-user", userId="u", fullName="U"), WRITER)
    assert (status, frame) == (200, {"type": "add-user", "data": {"success": True}})


async def test_shutdown_answers_waiting_polls(app: RunningApp) -> None:
    waiting = asyncio.create_task(poll(app, after=0, wait=55))
    await app.harness.bus.wait_for_count(ALL, app.harness.bus.count(ALL) + 1)
    await app.listener.close()
    assert await waiting == (200, {"events": [], "last": 0})


async def test_body_that_cannot_be_decompressed_is_bad_json(app: RunningApp) -> None:
    status, frame = await query(app, b"no gzip", BOSS, **{"Content-Encoding": "gzip"})
    assert (status, frame["data"]["code"]) == (400, "bad-json")
