"""`GET /api/events`, the long poll."""

import asyncio
import json
import time

import pytest

from db import journal
from db.errors import StorageUnavailable
from tests.webhook.harness import AppHarness, Frame
from tests.webhook.serving import READER, AppOptions, RunningApp, serve
from webhook.http import long_poll
from webhook.http.connection import ConnectionLimits
from webhook.protocol.events import ALL

TOKEN = {"Authorization": f"Bearer {READER}"}


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


async def test_names_may_come_one_by_one_and_end_in_stars(app: RunningApp) -> None:
    await emit(app.harness, "alerts", "visits", "crimes")
    url = f"{app.url}/api/events?after=0&names=alerts*&names=events.crimes&token={READER}"
    async with app.http.get(url) as answer:
        body = await answer.json()
    assert [event["id"] for event in body["events"]] == [1, 3]


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


async def test_poll_does_not_read_a_long_journal_in_one_go(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_poll, "PAGE", 2)
    monkeypatch.setattr(long_poll, "MAX_PAGES", 2)
    await emit(app.harness, *["alerts"] * 5, "visits")
    _, body = await poll(app, after=0, names="visits", wait=55)
    assert body == {"events": [], "last": 4}
    _, body = await poll(app, after=4, names="visits", wait=55)
    assert [event["id"] for event in body["events"]] == [6]


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
        ({"after": "1.5"}, 400, "invalid-data"),
        ({"after": "9" * 30}, 400, "invalid-data"),
        ({"wait": "56"}, 400, "invalid-data"),
        ({"wait": "-1"}, 400, "invalid-data"),
        ({"wait": "-0.1"}, 400, "invalid-data"),
        ({"wait": "55.1"}, 400, "invalid-data"),
        ({"wait": "1e999"}, 400, "invalid-data"),
        ({"wait": "soon"}, 400, "invalid-data"),
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
    answered, frame = await poll(app, **asked, status="200")
    assert (answered, frame["type"], frame["data"]["code"]) == (200, "error", code)


async def test_limit_of_the_wait_is_named_as_people_write_it(app: RunningApp) -> None:
    _, frame = await poll(app, wait=60)
    assert frame["data"]["message"] == "wait: must be 55 or less"


@pytest.mark.parametrize("wait", ["0.01", "0.0", "", "00", " 0"])
@pytest.mark.parametrize("after", ["1", "1.0", ""])
async def test_numbers_are_read_as_lua_writes_them(app: RunningApp, wait: str, after: str) -> None:
    await emit(app.harness, "alerts")
    assert await poll(app, wait=wait, after=after) == (200, {"events": [], "last": 1})


@pytest.mark.parametrize("wait", ["0.5", "55.0"])
async def test_poll_may_wait_for_a_fraction_of_a_second(app: RunningApp, wait: str) -> None:
    await emit(app.harness, "alerts")
    _, body = await poll(app, wait=wait, after=0)
    assert body["last"] == 1


async def test_waiting_poll_is_never_silent(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_poll, "SILENCE", 0.01)
    async with app.http.get(f"{app.url}/api/events?wait=55", headers=TOKEN) as response:
        assert response.content_type == "application/json"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert await response.content.readexactly(4) == b"    "
        await emit(app.harness, "alerts")
        assert (await response.json(content_type=None))["last"] == 1


async def test_poll_of_http_1_0_waits_too(app: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_poll, "SILENCE", 0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    request = f"GET /api/events?wait=55&token={READER} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
    writer.write(request.encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"chunked" not in head
    assert await reader.readexactly(2) == b"  "
    await emit(app.harness, "alerts")
    assert json.loads(await reader.read())["last"] == 1  # the connection is closed behind it
    writer.close()


async def test_head_does_not_wait(app: RunningApp) -> None:
    for _ in range(2):
        async with app.http.head(f"{app.url}/api/events?wait=55", headers=TOKEN) as response:
            assert (response.status, await response.read()) == (200, b"")


async def test_a_failure_after_the_first_byte_is_reported_to_the_next_poll(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with app.http.get(f"{app.url}/api/events?wait=55&after=0", headers=TOKEN) as response:
        with monkeypatch.context() as patch:
            patch.setattr(journal, "after", out_of_order)
            patch.setattr(journal, "bounds", out_of_order)
            await emit(app.harness, "alerts")
            assert await response.json() == {"events": [], "last": 0}
            status, frame = await poll(app, after=0)
            assert (status, frame["data"]["code"]) == (503, "unavailable")
    assert (await poll(app, after=0))[1]["last"] == 1


async def out_of_order(*_: object) -> None:
    raise StorageUnavailable("the disk is gone")


async def test_a_poll_ends_when_its_client_disconnects(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_poll, "SILENCE", 0.01)
    async with app.http.get(f"{app.url}/api/events?wait=55", headers=TOKEN) as response:
        assert app.harness.bus.count(ALL) == 2
        response.close()
    await app.harness.bus.wait_for_count(ALL, 1)


async def test_polls_count_against_the_rate(harness: AppHarness) -> None:
    async with serve(harness, AppOptions(messages_per_second=1)) as app:
        statuses = [(await poll(app, after=0))[0] for _ in range(4)]
        assert statuses[:2] == [200, 200]
        assert 429 in statuses


async def test_polls_of_a_client_are_limited(harness: AppHarness) -> None:
    options = AppOptions(limits=ConnectionLimits(connections_per_client=1))
    async with (
        serve(harness, options) as app,
        app.http.get(f"{app.url}/api/events?wait=55", headers=TOKEN),
    ):
        status, frame = await poll(app)
        assert (status, frame["data"]["code"]) == (429, "rate-limited")
        status, frame = await poll(app, status="200")
        assert (status, frame["data"]["code"]) == (200, "rate-limited")


async def test_shutdown_answers_waiting_polls(app: RunningApp) -> None:
    waiting = asyncio.create_task(poll(app, after=0, wait=55))
    await app.harness.bus.wait_for_count(ALL, app.harness.bus.count(ALL) + 1)
    await app.listener.close()
    assert await waiting == (200, {"events": [], "last": 0})
