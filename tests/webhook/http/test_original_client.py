"""The event bus with the libraries of the original web client, under node.

`vertx3-eventbus-client` over `sockjs-client`, as the original's pages use them: an answer with
their identifier settles a question, an error is only shown.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.node import NodeProcess, run_node
from tests.webhook.harness import AppHarness, Frame
from tests.webhook.http.test_websocket import emit
from tests.webhook.serving import BOSS, AppOptions, RunningApp, serve
from webhook.http import sockjs_session

SCRIPT = Path(__file__).with_name("original_client.js")
ID = "3f0e1c9a-1111-4c1e-9a55-john-doe"

STREAMING = "xhr-streaming"
TRANSPORTS = ["websocket", STREAMING, "eventsource", "xhr-polling"]

EVENTS = [
    "all",
    "alerts",
    "approved-remove-property",
    "auth-entries",
    "crimes",
    "drone-dispatched",
    "drone-recalled",
    "property-added",
    "property-coordinates-changed",
    "property-equipment-change",
    "property-size-changed",
    "property-status-change",
    "property-tier-changed",
    "requested-remove-property",
    "scanned",
    "visits",
]

PLACE = {"propertyId": 1}
USER = {"userId": ID}
QUERIES: list[tuple[str, dict[str, Any]]] = [
    (
        "add-property",
        {"location": "Forum Dr", "tier": 1, "x": 0, "y": 10.5, "description": "", "clientId": ID},
    ),
    ("get-property", PLACE),
    ("get-property-detailed", PLACE),
    ("get-properties", {"search": "", "page": 1, "limit": 10}),
    ("get-pending-properties", {}),
    ("search-pending-properties", {"search": "", "page": 1, "limit": 10}),
    ("change-property-size", PLACE | {"width": 10, "height": 20}),
    ("change-property-coordinates", PLACE | {"x": -857.23, "y": 3}),
    ("change-property-status", PLACE | {"status": "APPROVED"}),
    ("change-property-tier", PLACE | {"tier": 2}),
    ("add-equipment-property", PLACE | {"equipmentType": 3, "description": "Kestrel"}),
    ("add-equipment-property", PLACE | {"equipmentType": 1, "description": "door"}),
    ("get-equipment-property", PLACE),
    ("get-equipment-types", {}),
    ("get-free-drones", PLACE),
    ("dispatch-drone", PLACE),
    ("get-dispatched-drones", {"search": "", "page": 1, "limit": 10}),
    ("recall-drone", {"droneId": "1"}),
    ("get-user", USER),
    ("get-users", {"search": "", "page": 1, "limit": 10}),
    ("get-user-properties", USER),
    ("add-allowed-user", {"propertyId": "1", "userId": "u2"}),
    ("get-allowed-users", {"propertyId": "1"} | USER),
    ("remove-allowed-user", {"propertyId": "1", "userId": "u2"}),
    ("add-alert", PLACE | USER),
    ("get-alerts", PLACE),
    ("add-visitor", PLACE | USER | {"cameraId": 2}),
    ("get-weekly-visitors", PLACE),
    ("get-scanned-visitors", PLACE | {"from": "2026-11-20", "to": "2026-11-22"}),
    ("add-crime", PLACE | {"clientId": ID}),
    ("get-crimes-in-area", {"propertyId": "5", "radius": 100} | USER),
    ("add-auth-entry", PLACE | USER),
    ("get-auth-entries", PLACE),
    ("remove-equipment-property", PLACE | {"equipmentId": 2}),
    ("request-remove-property", {"propertyId": "1"}),
    ("get-requested-remove-properties", {}),
    ("search-removal-properties", {"search": "", "page": 1, "limit": 10}),
    ("approve-remove-property", PLACE),
    ("remove-property", {"propertyId": 2}),
]
"""The 38 queries of the original client, in an order in which each of them has something to do."""

UNKNOWN = {"propertyId": 4711, "userId": "nobody", "droneId": 4711, "equipmentId": 4711}
UNHAPPY: list[dict[str, Any]] = [
    {},
    UNKNOWN,
    UNKNOWN | {"tier": 99, "status": "", "width": -1, "height": "x", "x": {}, "limit": "many"},
    UNKNOWN | {"cameraId": 1, "equipmentType": 1, "description": "", "location": "", "tier": 1},
    {"propertyId": [], "userId": {}, "droneId": None, "equipmentId": "x", "from": "x", "to": 7},
]


class OriginalPages:
    """Pages of the original client, by name."""

    def __init__(self, node: NodeProcess, app: RunningApp) -> None:
        self._node = node
        self.url = f"{app.url}/events?token={BOSS}"

    async def connect(self, page: str = "", **options: object) -> object:
        """Open a page; return its transport, or code and reason if it could not connect."""
        return await self("connect", page, **{"url": self.url, "id": ID} | options)

    async def ask(self, *queries: tuple[str, dict[str, Any]], page: str = "") -> list[Frame]:
        """Ask one after the other and return what settled them."""
        answers: list[Frame] = await self("ask", page, queries=queries)
        return answers

    async def __call__(self, command: str, page: str = "", **options: object) -> Any:
        return await self._node.call({"command": command, "page": page} | options)


@asynccontextmanager
async def open_pages(app: RunningApp) -> AsyncIterator[OriginalPages]:
    async with run_node(SCRIPT) as node:
        yield OriginalPages(node, app)


@pytest.mark.parametrize("transport", TRANSPORTS[:2])
async def test_every_query_settles_and_every_event_arrives(app: RunningApp, transport: str) -> None:
    assert len({name for name, _ in QUERIES}) == 38
    await app.harness.ask("add-user", userId=ID, fullName="John Doe")
    async with open_pages(app) as pages:
        assert await pages.connect(transports=[transport]) == transport
        await pages("subscribe", names=EVENTS)
        spare = QUERIES[0]
        answers = await pages.ask(*QUERIES[:1], spare, *QUERIES[1:])
        failed = [
            (query, answer)
            for query, answer in zip([QUERIES[0], spare, *QUERIES[1:]], answers, strict=True)
            if answer["type"] == "hangs" or answer["toasts"]
        ]
        assert failed == []
        events = await pages("events", kinds=len(EVENTS))
        assert {event["type"] for event in events} == {f"events.{name}" for name in EVENTS}
        assert (await pages("rest", seconds=0))["errors"] == []


@pytest.mark.parametrize("transport", TRANSPORTS[:2])
async def test_every_query_settles_whatever_it_asks(app: RunningApp, transport: str) -> None:
    async with open_pages(app) as pages:
        await pages.connect(transports=[transport])
        for name in dict.fromkeys(name for name, _ in QUERIES):
            for answer, data in zip(
                await pages("askAtOnce", queries=[(name, data) for data in UNHAPPY]),
                UNHAPPY,
                strict=True,
            ):
                assert answer["type"] != "hangs", (name, data)


@pytest.mark.parametrize("transport", TRANSPORTS[2:])
async def test_other_transports_carry_queries_and_events(
    app: RunningApp, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    monkeypatch.setattr(sockjs_session, "DISCONNECT_DELAY", 1.0)
    async with open_pages(app) as pages:
        assert await pages.connect(transports=[transport]) == transport
        await pages("subscribe", names=["alerts"])
        await emit(app.harness, 30, '{"text":"100% ü 🚁"}'.encode())
        events = await pages("events", count=30)
        assert [event["id"] for event in events] == list(range(1, 31))
        assert {event["data"]["text"] for event in events} == {"100% ü 🚁"}
        assert await pages("close") == [1000, "Normal closure"]
    await app.harness.bus.wait_for_count("alerts", 0)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_idle_page_stays_connected(
    harness: AppHarness, monkeypatch: pytest.MonkeyPatch, transport: str
) -> None:
    """A hundred times as fast as in life; `tests.soak.event_bus` takes its time."""
    monkeypatch.setattr("webhook.http.app.PING_TIMEOUT", 0.5)
    monkeypatch.setattr(sockjs_session, "HEARTBEAT", 0.25)
    async with serve(harness) as app, open_pages(app) as pages:
        await pages.connect(transports=[transport], ping=50)
        await pages("subscribe", names=["alerts"])
        assert (await pages("rest", seconds=1.0))["closed"] is None
        await emit(harness)
        assert len(await pages("events", count=1)) == 1


@pytest.mark.parametrize("transport", TRANSPORTS[:2])
async def test_page_reconnects_and_hears_events_again(harness: AppHarness, transport: str) -> None:
    async with serve(harness) as app, open_pages(app) as pages:
        await pages.connect(transports=[transport], reconnects=True)
        await pages("subscribe", names=["alerts"])
        await app.listener.close()
        async with serve(harness, AppOptions(port=app.port)):
            assert await pages("sessions", count=2) == 2
            await emit(harness)
            assert [event["type"] for event in await pages("events", count=1)] == ["events.alerts"]


async def test_two_pages_of_one_client_each_get_their_answers_and_all_events(
    app: RunningApp,
) -> None:
    async with open_pages(app) as pages:
        for page, transport in (("one", "websocket"), ("two", STREAMING)):
            await pages.connect(page, transports=[transport])
            await pages("subscribe", page, names=["alerts"])
        (one,) = await pages.ask(("get-tiers", {}), page="one")
        (two,) = await pages.ask(("get-users", {}), page="two")
        assert (one["type"], two["type"]) == ("get-tiers", "get-users")
        await emit(app.harness)
        for page in ("one", "two"):
            assert len(await pages("events", page, count=1)) == 1


async def test_page_that_asks_faster_than_the_rate_limit_gets_every_answer(
    harness: AppHarness,
) -> None:
    options = AppOptions(messages_per_second=100)
    async with serve(harness, options) as app, open_pages(app) as pages:
        await pages.connect()
        answers = await pages("askAtOnce", queries=[("get-allowed-users", {"propertyId": 1})] * 250)
        assert {answer["type"] for answer in answers} == {"get-allowed-users"}
        assert [answer for answer in answers if answer["toasts"]] == []


async def test_wrong_token_is_a_connection_that_fails(app: RunningApp) -> None:
    async with open_pages(app) as pages:
        url = f"{app.url}/events?token=wrong"
        assert await pages.connect(url=url) == [1002, "Cannot connect to server"]


async def test_newer_client_library_works_as_well(app: RunningApp) -> None:
    async with open_pages(app) as pages:
        library = "@vertx/eventbus-bridge-client.js"
        assert await pages.connect(library=library) == "websocket"
        (answer,) = await pages.ask(("get-tiers", {}))
        assert answer["type"] == "get-tiers"
