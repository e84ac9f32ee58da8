"""The event bus: the bridge's frames, addresses and errors, and the original's own answers."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.harness import AppHarness
from tests.webhook.http.bus_client import FROM, IN_TIME, TO, BusClient, over_http, over_websocket
from tests.webhook.http.test_websocket import emit
from tests.webhook.serving import READER, WRITER, AppOptions, RunningApp, serve
from webhook.http.connection import MAX_INVALID
from webhook.http.event_bus import MAX_ADDRESSES
from webhook.protocol.context import Scope
from webhook.queries import CATALOGUE

GO_AWAY = 'c[3000,"Go away!"]'


async def test_answers_and_events_come_to_the_clients_own_address(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        await client.say("subscribe", clientId="c1", id="events.property-added")
        assert await client.hear() == {
            "type": "status",
            "data": {"message": "Subscribed to events.property-added"},
        }
        place: dict[str, Any] = {
            "location": "Forum Dr",
            "tier": 1,
            "x": 0,
            "y": 0,
            "description": "",
        }
        await client.say("queries.add-property", clientId="c1", requestIdentifier="7", **place)
        event, answer = await client.hear(), await client.hear()
        assert event["type"] == "events.property-added"
        assert event["data"]["owner"] == "c1"
        assert answer == {
            "type": "Property added",
            "data": {"success": True, "id": 1, "requestIdentifier": "7"},
        }


@pytest.mark.parametrize("kind", ["send", "publish"])
@pytest.mark.parametrize("is_text", [True, False])
async def test_body_is_a_message_or_a_string_that_holds_one(
    app: RunningApp, kind: str, is_text: bool
) -> None:
    message = {"type": "queries.get-tiers", "data": {"requestIdentifier": "1"}}
    async with over_websocket(app) as client:
        await client.start("c1")
        body = json.dumps(message) if is_text else message
        await client.send_frame(kind, address=f"{FROM}.c1", body=body)
        answer = await client.hear()
        assert answer["type"] == "get-tiers"
        assert answer["data"]["requestIdentifier"] == "1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "bad-json"),
        ("[]", "bad-message"),
        (None, "bad-message"),
        (7, "bad-message"),
        ({"data": {}}, "bad-message"),
        ({"type": "queries.nothing"}, "unknown-type"),
        ({"type": "queries.get-user", "data": {}}, "invalid-data"),
    ],
)
async def test_invalid_body_is_answered_with_an_error(
    app: RunningApp, body: object, code: str
) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        await client.send_frame("send", address=f"{FROM}.c1", body=body)
        assert (await client.hear())["data"]["code"] == code


REGISTER = {"type": "register", "address": f"{TO}.c1"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("[]", "invalid_json"),
        ('"ping"', "invalid_json"),
        ("{}", "missing_type"),
        ('{"type":7}', "missing_type"),
        ('{"type":"send"}', "missing_address"),
        ('{"type":"nonsense"}', "missing_address"),
        ('{"type":"register","address":7}', "missing_address"),
        ('{"type":"nonsense","address":"events.x"}', "invalid_type"),
        ('{"type":"reply","address":"events.x"}', "invalid_type"),
        (json.dumps(REGISTER), "address_already_registered"),
        (json.dumps(REGISTER | {"address": "events." + "x" * 194}), "max_address_length_reached"),
        (json.dumps(REGISTER | {"address": "vertx.secret"}), "access_denied"),
        (json.dumps(REGISTER | {"address": "events."}), "access_denied"),
        (json.dumps(REGISTER | {"address": f"{TO}.c2"}), "access_denied"),
        ('{"type":"send","address":"vertx.secret","body":{}}', "access_denied"),
        ('{"type":"send","address":"events.to.martians.c2","body":{}}', "access_denied"),
        ('{"type":"publish","address":"events.to.martians","body":{}}', "access_denied"),
        ('{"type":"send","address":"events.from.martians.c2","body":{}}', "access_denied"),
        (
            json.dumps({"type": "send", "address": f"{FROM}.c1", "replyAddress": "x" * 37}),
            "invalid_reply_address",
        ),
        (
            json.dumps({"type": "send", "address": f"{FROM}.c1", "replyAddress": 7}),
            "invalid_reply_address",
        ),
    ],
)
async def test_frame_that_the_bridge_rejects(app: RunningApp, text: str, reason: str) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        await client.transport.send(text)
        assert await client.receive() == {"type": "err", "body": reason}
        assert (await client.ask("queries.get-tiers"))["type"] == "get-tiers"


async def test_before_the_session_only_one_clients_address_can_be_registered(
    app: RunningApp,
) -> None:
    async with over_websocket(app) as client:
        await client.send_frame("register", address=f"{TO}.c1")
        await client.send_frame("register", address=TO)
        await client.send_frame("register", address=f"{TO}.c2")
        assert await client.receive() == {"type": "err", "body": "access_denied"}


async def test_addresses_of_a_connection_are_bounded(app: RunningApp) -> None:
    options = AppOptions(messages_per_second=10_000)
    async with serve(app.harness, options) as quick, over_websocket(quick) as client:
        for number in range(MAX_ADDRESSES + 1):
            await client.send_frame("register", address=f"events.{number}")
        assert await client.receive() == {"type": "err", "body": "max_handlers_reached"}
        await client.send_frame("unregister", address="events.1")
        await client.send_frame("register", address=f"{TO}.c1")
        await client.say("session", at=FROM, id="c1")
        client.client = "c1"
        assert (await client.hear())["data"] == {"message": "created"}


async def test_before_the_session_nobody_listens_at_the_clients_address(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        client.client = "c1"
        await client.say("queries.add-user", userId="u", fullName="U")
        await client.start("c1")
        assert (await client.ask("queries.get-users"))["data"]["users"] == []


async def test_message_to_an_address_without_a_listener_is_dropped(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        for address in ("events.elsewhere", "events.from.martians2", "events.from"):
            await client.send_frame("send", address=address, body={}, replyAddress="r")
        assert (await client.ask("queries.get-tiers"))["type"] == "get-tiers"


async def test_other_messages_to_the_public_address_are_answered_at_the_public_one(
    app: RunningApp,
) -> None:
    async with over_websocket(app) as client:
        await client.send_frame("register", address=TO)
        await client.say("queries.get-tiers", at=FROM)
        received = await client.receive()
        assert (received["address"], received["body"]["type"]) == (TO, "get-tiers")
        await client.start("c1")
        await client.say("session", at=FROM)
        received = await client.receive()
        assert (received["address"], received["body"]["data"]["code"]) == (TO, "invalid-data")


async def test_nothing_comes_to_an_address_that_is_not_registered(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        await client.subscribe("alerts")
        await client.send_frame("unregister", address=f"{TO}.c1")
        await client.say("queries.get-tiers")
        await emit(app.harness)
        await client.send_frame("register", address=f"{TO}.c1")
        await client.send_frame("unregister", address="events.never")
        assert (await client.ask("queries.get-users"))["type"] == "get-users"
        await emit(app.harness)
        assert (await client.hear())["id"] == 2


async def test_answer_comes_to_the_asker_and_events_to_every_connection_of_a_client(
    app: RunningApp,
) -> None:
    async with over_websocket(app) as one, over_http(app, "xhr_streaming") as (two, _):
        for client in (one, two):
            await client.start("John Doe")
            await client.subscribe("alerts")
        assert (await one.ask("queries.get-tiers"))["type"] == "get-tiers"
        await emit(app.harness)
        for client in (one, two):
            assert (await client.hear())["type"] == "events.alerts"


async def test_client_may_change_its_id(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        await client.say("session", at=FROM, id="c2")
        await client.send_frame("register", address=f"{TO}.c2")
        client.client = "c2"
        assert (await client.ask("queries.get-tiers"))["type"] == "get-tiers"
        await client.send_frame("send", address=f"{FROM}.c1", body={})
        assert await client.receive() == {"type": "err", "body": "access_denied"}


async def test_number_as_client_id_is_read_as_its_digits(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        client.client = "7"
        await client.send_frame("register", address=f"{TO}.7")
        await client.say("session", at=FROM, id=7)
        assert (await client.hear())["data"] == {"message": "created"}
        assert (await client.ask("queries.get-tiers"))["type"] == "get-tiers"


@pytest.mark.parametrize("written", ["License:ABC", " mdt 1 ", "a.b\u2028c"])
async def test_address_holds_the_client_id_as_the_client_writes_it(
    app: RunningApp, written: str
) -> None:
    async with over_websocket(app) as client:
        own = f"{TO}.{written}"
        await client.send_frame("register", address=own)
        await client.say("session", at=FROM, clientId=written)
        assert (await client.receive())["address"] == own
        await client.say("subscribe", at=f"{FROM}.{written}", id="alerts", clientId=written)
        assert (await client.receive())["body"]["data"]["message"] == "Subscribed to events.alerts"
        await client.send_frame("unregister", address=own)
        await client.say("ping", at=f"{FROM}.{written}")
        await client.send_frame("nonsense", address=own)
        assert await client.receive() == {"type": "err", "body": "invalid_type"}


async def test_missed_events_are_replayed_to_a_polling_client(app: RunningApp) -> None:
    """Who posts, and only then asks for the answers, must not wait for itself."""
    async with over_http(app, "xhr") as (client, _):
        await client.start("c1")
        await client.subscribe("alerts")
    await emit(app.harness, 700)
    async with over_http(app, "xhr") as (client, _):
        client.client = "c1"
        await client.send_frame("register", address=f"{TO}.c1")
        await client.say("session", at=FROM, id="c1", lastEventId=0)
        await client.say("queries.get-tiers")
        assert (await client.hear())["data"] == {"message": "created"}
        assert [(await client.hear())["id"] for _ in range(700)] == list(range(1, 701))
        assert (await client.hear())["type"] == "get-tiers"


async def test_scopes_are_enforced(app: RunningApp) -> None:
    async with over_websocket(app, READER) as client:
        await client.start("c1")
        answer = await client.ask("queries.add-user", userId="u", fullName="U")
        assert (answer["type"], answer["data"]["code"]) == ("error", "forbidden")
    async with over_websocket(app, WRITER) as client:
        await client.start("c1")
        answer = await client.ask("queries.add-user", userId="u", fullName="U")
        assert answer["data"]["success"] is True


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("change-property-coordinates", "change-property-location"),
        ("add-equipment-property", "add-equipment"),
        ("add-equipment", "add-equipment"),
        ("get-equipment-property", "get-equipment"),
        ("get-user-properties", "get-properties"),
        ("get-dispatched-drones", "dispatched-drones"),
        ("get-equipment-types", "equipment-types"),
        ("get-property", "get-property"),
    ],
)
async def test_answers_have_the_types_of_the_original(
    app: RunningApp, query: str, kind: str
) -> None:
    place = await app.harness.add_property()
    data: dict[str, Any] = {"userId": "license:owner", "propertyId": place, "x": 1, "y": 2}
    async with over_websocket(app) as client:
        await client.start("c1")
        answer = await client.ask(f"queries.{query}", equipmentType=1, description="", **data)
        assert answer["type"] == kind


async def test_recalled_drone_is_answered_under_the_querys_own_name(app: RunningApp) -> None:
    place = await app.harness.add_property()
    drone = await app.harness.add_equipment(place, 3)
    async with over_websocket(app) as client:
        await client.start("c1")
        await client.ask("queries.dispatch-drone", propertyId=place)
        assert (await client.ask("queries.recall-drone", droneId=drone))["type"] == "recall-drone"


EMPTY = {
    "get-property": {},
    "get-property-detailed": {},
    "get-free-drones": {"drones": [], "droneIds": []},
    "get-equipment": {"equipment": []},
    "get-equipment-property": {"equipment": []},
    "get-allowed-users": {"allowedUsers": {}},
    "get-alerts": {"alerts": []},
    "get-auth-entries": {"authEntries": []},
    "get-weekly-visitors": {"visitors": [], "cameras": {}},
}


async def test_reading_something_unknown_returns_nothing(app: RunningApp) -> None:
    """The original's pages ask about properties and users that do not exist."""
    unknown: dict[str, object] = {"propertyId": 4711, "userId": "nobody", "droneId": 4711}
    unknown |= {"from": "2026-11-01", "to": "2026-11-02"}
    async with over_websocket(app) as client:
        await client.start("c1")
        for query in CATALOGUE.queries:
            if query.scope is not Scope.READ:
                continue
            for kind in query.types:
                answer = await client.ask(kind, **unknown)
                assert answer["type"] != "error", answer
                name = kind.removeprefix("queries.")
                assert answer["data"] == EMPTY.get(name, answer["data"])


async def test_error_is_followed_by_the_answer_that_the_original_waits_for(
    app: RunningApp,
) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        await client.say(
            "queries.change-property-tier", propertyId=7, tier=1, requestIdentifier="9"
        )
        error, answer = await client.hear(), await client.hear()
        assert error["data"]["code"] == "not-found"
        assert error["data"]["requestIdentifier"] == "9"
        assert answer == {
            "type": "change-property-tier",
            "data": {
                "success": False,
                "message": error["data"]["message"],
                "requestIdentifier": "9",
            },
        }
        await client.say("queries.get-users", limit="many", requestIdentifier="10")
        assert (await client.hear())["type"] == "error"
        data = (await client.hear())["data"]
        assert (data["users"], data["success"]) == ([], False)
        await client.say("queries.get-users", requestIdentifier=True)
        assert (await client.hear())["data"]["code"] == "invalid-data"
        assert (await client.hear())["type"] == "get-users"


async def test_session_that_cannot_be_opened_is_only_an_error(app: RunningApp) -> None:
    """An answer would make the original client go on as if it had a session."""
    async with over_websocket(app) as client:
        await client.send_frame("register", address=TO)
        await client.say("session", at=FROM, id={}, requestIdentifier="1")
        await client.say("queries.get-tiers", at=FROM, requestIdentifier="2")
        kinds = [(await client.receive())["body"]["type"] for _ in range(2)]
        assert kinds == ["error", "get-tiers"]


async def test_page_above_the_rate_limit_is_slowed_down_and_gets_every_answer(
    harness: AppHarness,
) -> None:
    options = AppOptions(messages_per_second=100)
    async with serve(harness, options) as app, over_websocket(app) as client:
        await client.start("c1")
        for number in range(230):
            await client.say("queries.get-tiers", requestIdentifier=str(number))
        answers = [await client.hear() for _ in range(230)]
    assert {answer["type"] for answer in answers} == {"get-tiers"}
    assert len({answer["data"]["requestIdentifier"] for answer in answers}) == 230


async def test_connection_that_misses_its_pings_is_closed(
    harness: AppHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhook.http.app.PING_TIMEOUT", 0.3)
    async with serve(harness) as app:
        async with over_websocket(app) as pinging, over_websocket(app) as silent:
            ticking = asyncio.create_task(_keep_pinging(pinging))
            assert await silent.transport.frame() == GO_AWAY
            assert (await pinging.start("c1")).client == "c1"
            ticking.cancel()
        async with over_http(app, "xhr_streaming") as (_, session):
            assert await session.frame() == GO_AWAY
            assert (await session.post(b"[]"))[0] == 404


async def _keep_pinging(client: BusClient) -> None:
    while True:
        await client.send_frame("ping")
        await asyncio.sleep(0.05)


async def test_invalid_messages_in_a_row_close(app: RunningApp) -> None:
    async with over_websocket(app) as client:
        await client.start("c1")
        for number in range(MAX_INVALID):
            text = json.dumps({"type": "send", "address": f"{FROM}.c1", "body": "{"})
            await client.transport.send(text if number % 2 else "{")
        frames = []
        while (frame := await client.transport.frame()) != GO_AWAY:
            frames.append(frame)
        assert all(frame.startswith("a") for frame in frames)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "address", "body", "data", "headers", "replyAddress"]),
                inner,
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(["send", "publish", "register", "unregister", "ping"]),
    st.sampled_from([FROM, f"{FROM}.c1", TO, f"{TO}.c1", "events.x"]),
)
async def test_garbage_never_closes_the_connection(
    app: RunningApp, garbage: object, kind: str, address: str
) -> None:
    async with over_websocket(app) as client, asyncio.timeout(IN_TIME):
        await client.start("c1")
        await client.transport.send(json.dumps(garbage))
        await client.send_frame(kind, address=address, body=garbage)
        await client.send_frame(kind, address=garbage, body=garbage)
        await client.send_frame("register", address=f"{TO}.c1")
        await client.say("queries.get-tiers", requestIdentifier="last")
        while True:
            received = await client.receive()
            if received["type"] == "rec" and received["body"]["type"] == "get-tiers":
                break
