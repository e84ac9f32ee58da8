"""`POST /api/query` and the long poll, status by status."""

import io
import json
from typing import Any

import orjson
import pytest

from db.errors import StorageUnavailable
from tests.webhook.harness import AppHarness, Frame
from tests.webhook.serving import BOSS, READER, WRITER, AppOptions, RunningApp, serve
from webhook.http.api import STATUS
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, RateLimited
from webhook.protocol.wire import Reply


async def query(
    app: RunningApp, body: object, token: str | None = BOSS, address: str = "", **headers: str
) -> tuple[int, Frame]:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    given = {"Authorization": f"Bearer {token}"} if token else {}
    async with app.http.post(
        f"{app.url}/api/query{address}", data=io.BytesIO(raw), headers=given | headers
    ) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


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
        (ask("dispatch-drone", propertyId=1), BOSS, 409, "conflict"),  # it has none
        (ask("add-user", userId="u", fullName="U"), READER, 403, "forbidden"),
        (ask("remove-user", userId="u"), WRITER, 403, "forbidden"),
        (ask("get-tiers", pad="x" * 256 * 1024), BOSS, 413, "too-large"),
        (ask("get-tiers", pad="x" * 2 * 1024 * 1024), BOSS, 413, "too-large"),
    ],
)
async def test_every_refusal_has_its_status(
    app: RunningApp, body: object, token: str, status: int, code: str
) -> None:
    await app.harness.add_property()
    answered, frame = await query(app, body, token)
    assert (answered, frame["type"], frame["data"]["code"]) == (status, "error", code)
    assert await query(app, body, token, "?status=200") == (200, frame)
    assert await query(app, body, token, **{"X-Always-200": "1"}) == (200, frame)
    assert await query(app, body, token, "?status=", **{"X-Always-200": "0"}) == (status, frame)


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
        assert await query(app, ask("fail"), BOSS, "?status=200") == (200, frame)


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


async def test_reused_key_is_an_error_like_others(app: RunningApp) -> None:
    key = {"Idempotency-Key": "k1"}
    first, second = (ask("add-user", userId=name, fullName="U") for name in ("a", "b"))
    assert (await query(app, first, **key))[0] == 200
    status, frame = await query(app, second, **key)
    assert (status, frame["data"]["code"]) == (422, "key-reused")
    assert await query(app, second, BOSS, "?status=200", **key) == (200, frame)


async def test_success_is_in_the_answer(app: RunningApp) -> None:
    status, frame = await query(app, ask("add-user", userId="u", fullName="U"), WRITER)
    assert (status, frame) == (
        200,
        {"type": "add-user", "query": "queries.add-user", "data": {"success": True}},
    )


async def test_body_that_cannot_be_decompressed_is_bad_json(app: RunningApp) -> None:
    status, frame = await query(app, b"no gzip", BOSS, **{"Content-Encoding": "gzip"})
    assert (status, frame["data"]["code"]) == (400, "bad-json")
