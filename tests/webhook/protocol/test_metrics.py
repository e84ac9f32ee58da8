"""`GET /metrics`: what is counted, who may read it, and what never stands in it."""

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from db.errors import StorageUnavailable
from tests.webhook.harness import AppHarness
from tests.webhook.serving import BOSS, KEY, PAGE, READER, AppOptions, RunningApp, serve
from webhook import cad
from webhook.http.connection import ConnectionLimits
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.metrics import Metrics
from webhook.protocol.wire import StatusReply
from webhook.queries import CATALOGUE

QUERIES = CATALOGUE.names | {"session", "break-storage"}

_broken = Catalogue()


@_broken.query("break-storage", scope=Scope.READ)
async def _break_storage(context: Context) -> StatusReply:
    raise StorageUnavailable("the disk is full")


def options(**changed: object) -> AppOptions:
    """A setting with metrics that know the push types and the queries."""
    given = {"metrics": Metrics(cad.HANDLED_TYPES, QUERIES)} | changed
    return AppOptions(**given)  # type: ignore[arg-type]


async def page(app: RunningApp, token: str = READER) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    async with app.http.get(f"{app.url}/metrics", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        return await response.text()


async def values(app: RunningApp, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The values of a series, by those of these labels."""
    found = text_string_to_metric_families(await page(app))
    samples = [sample for family in found for sample in family.samples if sample.name == name]
    return {tuple(sample.labels[label] for label in labels): sample.value for sample in samples}


async def push(
    app: RunningApp, kind: object, data: object, key: str = KEY, path: str = "/"
) -> None:
    body = {"key": key, "type": kind, "data": data}
    async with app.http.post(f"{app.url}{path}", json=body) as response:
        await response.read()


async def test_pushes_are_counted_by_known_types_and_outcomes(harness: AppHarness) -> None:
    call = {"call": {"callId": 1}}
    async with serve(harness, options(push_bytes=1_024)) as app:
        await push(app, "EVENT_911", call)
        await push(app, "EVENT_911", call, path="/event")
        await push(app, "EVENT_911", {"call": {"callId": "x"}})
        await push(app, "EVENT_911", call, key="wrong")
        await push(app, "EVENT_MADE_UP_BY_ME", {})
        await push(app, 7, {})
        async with app.http.post(app.url, data=b"{") as response:
            assert response.status == 400
        async with app.http.post(app.url, data=b" " * 2_000) as response:
            assert response.status == 413
        counted = await values(app, "sentinel_pushes_total", "type", "outcome")
        text = await page(app)
    assert counted == {
        ("EVENT_911", "ok"): 1,
        ("EVENT_911", "duplicate"): 1,
        ("EVENT_911", "invalid"): 1,
        ("other", "unauthorised"): 1,
        ("other", "unhandled"): 1,
        ("other", "invalid"): 2,
        ("other", "too-large"): 1,
    }
    assert "MADE_UP" not in text


async def test_pushes_that_cannot_be_stored_are_counted(
    harness: AppHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> bool:
        raise StorageUnavailable("the disk is full")

    monkeypatch.setattr("webhook.http.push.store_push", full)
    async with serve(harness, options()) as app:
        await push(app, "EVENT_911", {})
        counted = await values(app, "sentinel_pushes_total", "type", "outcome")
    assert counted == {("EVENT_911", "unavailable"): 1}


async def test_queries_are_counted_by_name_and_error_code(
    harness: AppHarness,
) -> None:
    catalogue = Catalogue.join(CATALOGUE, _broken)
    async with serve(harness, options(catalogue=catalogue)) as app:
        async with app.connect() as ws:
            for name, data in (
                ("queries.get-tiers", {}),
                ("queries.get-property", {"propertyId": 9}),
                ("queries.made-up-by-me", {}),
                ("session", {"id": "a"}),
                ("queries.break-storage", {}),
            ):
                await ws.send_json({"type": name, "data": data})
                await ws.receive_json(timeout=10)
            await ws.send_str("{")
            await ws.receive_json(timeout=10)
        headers = {"Authorization": f"Bearer {BOSS}"}
        message = {"type": "queries.get-tiers"}
        async with app.http.post(f"{app.url}/api/query", json=message, headers=headers) as response:
            assert response.status == 200
        counted = await values(app, "sentinel_queries_total", "query", "outcome")
        timed = await values(app, "sentinel_query_seconds_count", "query")
        text = await page(app)
    assert counted == {
        ("get-tiers", "ok"): 2,
        ("get-property", "not-found"): 1,
        ("unknown", "unknown-type"): 1,
        ("session", "ok"): 1,
        ("break-storage", "unavailable"): 1,
        ("unknown", "bad-json"): 1,
    }
    assert timed[("get-tiers",)] == 2
    assert "made-up" not in text


async def test_open_and_dropped_websockets_are_counted(harness: AppHarness) -> None:
    limits = ConnectionLimits(waiting_bytes=0)
    async with serve(harness, options(limits=limits)) as app:
        async with app.connect() as ws:
            assert await values(app, "sentinel_websocket_clients") == {(): 1}
            await ws.send_json({"type": "subscribe", "data": {"id": "alerts"}})
            assert (await ws.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT
            async with harness.context().change() as change:
                await change.emit_named("alerts", b"{}")
            assert (await ws.receive(timeout=10)).type is aiohttp.WSMsgType.CLOSE
        async with asyncio.timeout(10):
            while await values(app, "sentinel_websocket_clients") != {(): 0}:
                pass
        assert await values(app, "sentinel_websocket_clients_dropped_total") == {(): 1}


async def test_last_push_of_each_cad_and_the_process_are_measured(
    harness: AppHarness,
) -> None:
    async with serve(harness, options()) as app:
        await push(app, "EVENT_911", {"call": {"callId": 1}})
        assert (await values(app, "sentinel_last_push_timestamp_seconds", "cad")).keys() == {
            ("cad",)
        }
        assert (await values(app, "process_cpu_seconds_total"))[()] > 0


async def test_metrics_need_a_token(harness: AppHarness) -> None:
    async with serve(harness, options()) as app:
        for headers, query, status in (
            ({}, "", 401),
            ({"Authorization": "Bearer nonsense"}, "", 401),
            ({"Authorization": f"Bearer {READER}"}, "", 200),
            ({}, f"?token={READER}", 200),
            ({"Origin": "https://evil.example"}, f"?token={READER}", 403),
            ({"Origin": PAGE}, f"?token={READER}", 200),
        ):
            async with app.http.get(f"{app.url}/metrics{query}", headers=headers) as got:
                assert got.status == status, (headers, query)
    async with (
        serve(harness, options(clients=[], open_to_loopback=True)) as app,
        app.http.get(f"{app.url}/metrics") as got,
    ):
        assert got.status == 200


async def test_metrics_hold_no_secrets_and_no_text_of_players(
    harness: AppHarness,
) -> None:
    async with serve(harness, options()) as app:
        secret = "Wren-Halloway-was-here"
        await push(app, f"EVENT_{secret}", {})
        await push(app, "EVENT_911", {"call": {"callId": 1, "caller": secret}})
        await push(app, "EVENT_911", {}, key=secret)
        async with app.connect() as ws:
            for kind in (secret, f"queries.{secret}"):
                await ws.send_json({"type": kind, "data": {"id": secret}})
                await ws.receive_json(timeout=10)
        text = await page(app)
    for word in (secret, KEY, READER, BOSS, "reader", "boss"):
        assert word not in text


def test_every_family_is_on_the_page_about_monitoring() -> None:
    described = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text("utf-8")
    families = text_string_to_metric_families(Metrics().render("")[0].decode())
    own = {family.name for family in families if family.name.startswith("sentinel_")}
    listed = re.findall(r"^\| `(sentinel_\w+)` \|", described, re.M)
    assert own == {name.removesuffix("_total") for name in listed}


@pytest.mark.parametrize("version", ["x", "1.x", "", "-1"])
def test_a_malformed_accept_header_is_answered_with_text(version: str) -> None:
    page, content_type = Metrics().render(f"application/openmetrics-text;version={version}")
    assert page
    assert "text" in content_type
