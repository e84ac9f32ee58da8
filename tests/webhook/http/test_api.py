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
from tests.webhook.house import Frame, House
from tests.webhook.serving import BOSS, READER, WRITER, Served, Setting, serve
from webhook.http.api import STATUS
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, RateLimited
from webhook.protocol.events import ALL
from webhook.protocol.wire import Reply


async def query(
    served: Served, body: object, token: str | None = BOSS, **headers: str
) -> tuple[int, Frame]:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    given = {"Authorization": f"Bearer {token}"} if token else {}
    async with served.http.post(
        f"{served.url}/api/query", data=io.BytesIO(raw), headers=given | headers
    ) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


async def poll(served: Served, token: str = READER, **query: object) -> tuple[int, Frame]:
    async with served.http.get(
        f"{served.url}/api/events",
        params={name: str(value) for name, value in query.items()},
        headers={"Authorization": f"Bearer {token}"},
    ) as response:
        body: Frame = await response.json()
        return response.status, body


async def emit(house: House, *names: str) -> None:
    async with house.context().change() as change:
        for name in names:
            await change.emit_named(name, b"{}")


async def test_a_query_answers_with_the_frame_of_the_websocket(served: Served) -> None:
    message = {"type": "queries.get-tiers", "data": {"requestIdentifier": "r1"}}
    status, frame = await query(served, message)
    assert status == 200
    assert frame["type"] == "get-tiers"
    assert frame["data"]["requestIdentifier"] == "r1"
    assert [tier["price"] for tier in frame["data"]["tiers"]] == ["59.99", "99.99", "149.99"]


async def test_a_query_that_is_asked_again_has_the_same_answer(served: Served) -> None:
    asked = [await query(served, {"type": "queries.get-tiers", "data": {}}) for _ in range(3)]
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
    served: Served, body: object, token: str, status: int, code: str
) -> None:
    answered, frame = await query(served, body, token)
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
async def test_what_fails_inside_has_its_status(
    house: House, fault: Exception, status: int, code: str
) -> None:
    async with serve(house, Setting(catalogue=failing(fault))) as served:
        answered, frame = await query(served, ask("fail"))
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
        "rate-limited",
        "too-large",
        "unavailable",
        "internal",
    }


async def test_a_chunked_message_that_is_too_large_is_refused(served: Served) -> None:
    async def parts() -> Any:
        yield b'{"type": "queries.get-tiers", "data": {"pad": "'
        for _ in range(5):
            yield b"x" * 64 * 1024
        yield b'"}}'

    async with served.http.post(
        f"{served.url}/api/query", data=parts(), headers={"Authorization": f"Bearer {BOSS}"}
    ) as response:
        assert response.status == 413
        assert json.loads(await response.text())["data"]["code"] == "too-large"


@pytest.mark.parametrize("path", ["/api/query", "/api/events"])
async def test_without_a_token_nobody_is_answered(served: Served, path: str) -> None:
    method = "POST" if path.endswith("query") else "GET"
    async with served.http.request(method, f"{served.url}{path}") as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_message_at_the_limit_is_read(served: Served) -> None:
    empty = len(orjson.dumps(ask("get-tiers", pad="")))
    status, _ = await query(served, ask("get-tiers", pad="x" * (256 * 1024 - empty)))
    assert status == 200


async def test_the_poll_answers_at_once_with_what_there_is(served: Served) -> None:
    await emit(served.house, "alerts", "visits")
    status, body = await poll(served, after=0, wait=55)
    assert status == 200
    assert body == {
        "events": [
            {"type": "events.alerts", "id": 1, "data": {}},
            {"type": "events.visits", "id": 2, "data": {}},
        ],
        "last": 2,
    }


async def test_the_poll_sends_only_the_names_asked_for_and_last_goes_on(served: Served) -> None:
    await emit(served.house, "alerts", "visits", "cad.EVENT_911", "crimes")
    _, body = await poll(served, after=0, names="events.alerts, cad")
    assert [event["id"] for event in body["events"]] == [1, 3]
    assert body["last"] == 4
    _, body = await poll(served, after=body["last"], names="alerts,cad")
    assert body == {"events": [], "last": 4}


async def test_the_poll_waits_for_the_first_that_matches(served: Served) -> None:
    waiting = asyncio.create_task(poll(served, after=0, names="visits", wait=55))
    while not served.house.bus._sinks.get("visits"):  # noqa: ASYNC110 - has it begun to wait?
        await asyncio.sleep(0)
    await emit(served.house, "alerts")
    await emit(served.house, "visits")
    _, body = await waiting
    assert [event["type"] for event in body["events"]] == ["events.visits"]
    assert body["last"] == 2
    assert not served.house.bus._sinks.get("visits")


async def test_the_poll_ends_empty_when_nothing_comes(served: Served) -> None:
    started = time.monotonic()
    _, body = await poll(served, after=0, wait=1)
    assert time.monotonic() - started >= 1
    assert body == {"events": [], "last": 0}


async def test_without_a_number_the_poll_begins_now(served: Served) -> None:
    await emit(served.house, "alerts")
    _, body = await poll(served)
    assert body == {"events": [], "last": 1}


async def test_polling_on_misses_nothing_and_gets_nothing_twice(served: Served) -> None:
    async def keep_on() -> None:
        for _ in range(60):
            await emit(served.house, "alerts", "visits")

    task = asyncio.create_task(keep_on())
    last = 0
    got: list[int] = []
    while len(got) < 60:
        _, body = await poll(served, after=last, names="visits", wait=5)
        got += [event["id"] for event in body["events"]]
        last = body["last"]
    await task
    assert got == list(range(2, 121, 2))


async def test_a_long_backlog_comes_in_pages(served: Served) -> None:
    await emit(served.house, *["alerts"] * 1_200)
    got: list[int] = []
    last = 0
    for _ in range(3):
        _, body = await poll(served, after=last)
        got += [event["id"] for event in body["events"]]
        last = body["last"]
    assert got == list(range(1, 1_201))


async def test_a_gap_is_told(served: Served) -> None:
    await emit(served.house, *["alerts"] * 5)
    async with served.house.database.write() as sql:
        await journal.prune(sql, served.house.clock.now + 1, 3)
    _, body = await poll(served, after=1)
    assert body["missed"] is True
    assert [event["id"] for event in body["events"]] == [4, 5]
    _, body = await poll(served, after=3)
    assert "missed" not in body
    _, body = await poll(served, after=77)
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
async def test_a_wrong_poll_is_refused(
    served: Served, asked: dict[str, str], status: int, code: str
) -> None:
    answered, frame = await poll(served, **asked)
    assert (answered, frame["type"], frame["data"]["code"]) == (status, "error", code)


async def test_a_query_that_answers_success_says_so(served: Served) -> None:
    status, frame = await query(served, ask("add-user", userId="u", fullName="U"), WRITER)
    assert (status, frame) == (200, {"type": "add-user", "data": {"success": True}})


async def test_a_shutdown_answers_those_who_wait(served: Served) -> None:
    waiting = asyncio.create_task(poll(served, after=0, wait=55))
    before = len(served.house.bus._sinks[ALL])
    while len(served.house.bus._sinks[ALL]) == before:  # noqa: ASYNC110 - has it begun to wait?
        await asyncio.sleep(0)
    await served.listener.close()
    assert await waiting == (200, {"events": [], "last": 0})


async def test_a_body_that_cannot_be_unpacked_is_bad_json(served: Served) -> None:
    status, frame = await query(served, b"no gzip", BOSS, **{"Content-Encoding": "gzip"})
    assert (status, frame["data"]["code"]) == (400, "bad-json")
