"""A conversation by the rules of "Internal messages" and "Answers" in the protocol."""

import asyncio
import json
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import journal, subscriptions
from tests.webhook.harness import AppHarness, FakeSession, Frame, open_harness
from webhook.cad import EVENT_NAMES
from webhook.protocol.context import Scope
from webhook.protocol.messages import read_message
from webhook.protocol.session import REPLAY_BATCH, SessionSettings
from webhook.queries import CATALOGUE

CREATED = {"type": "status", "data": {"message": "created"}}
CREATED_WITH_GAP = {"type": "status", "data": {"message": "created", "missed": True}}


async def alert(harness: AppHarness, times: int = 1) -> None:
    """Have so many events of `alerts` happen."""
    async with harness.context().change() as change:
        for _ in range(times):
            await change.emit_named("alerts", b'{"propertyId":"1","user":"u"}')


async def visit(harness: AppHarness) -> None:
    async with harness.context().change() as change:
        await change.emit_named("visits", b'{"propertyId":1}')


async def push(harness: AppHarness) -> None:
    """Have an event of the CAD happen."""
    async with harness.context().change() as change:
        await change.emit_named("cad.EVENT_911", b"{}")


def code(frame: Frame) -> object:
    return frame["data"].get("code")


async def test_session_is_created(harness: AppHarness) -> None:
    assert await FakeSession(harness).say("session", id="c1") == CREATED
    assert await FakeSession(harness).say("session", id=210987654321098765) == CREATED


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "id"),
        ({"id": ""}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"id": True}, "id"),
        ({"id": "c", "lastEventId": "7th"}, "lastEventId"),
        ({"id": "c", "lastEventId": -1}, "lastEventId"),
        ({"id": "c", "lastEventId": 2**63}, "lastEventId"),
        ({"id": "c", "lastEventId": 1.5}, "lastEventId"),
    ],
)
async def test_session_of_wrong_data_is_rejected_by_field(
    harness: AppHarness, data: Frame, field: str
) -> None:
    said = await FakeSession(harness).say("session", **data)
    assert code(said) == "invalid-data"
    assert [fault["field"] for fault in said["data"]["fields"]] == [field]


async def test_subscriber_receives_events(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    said = await session.say("subscribe", clientId="c1", id="events.alerts")
    assert said == {"type": "status", "data": {"message": "Subscribed to events.alerts"}}
    await alert(harness)
    await visit(harness)
    assert session.frames == [
        {"type": "events.alerts", "id": 1, "data": {"propertyId": "1", "user": "u"}}
    ]


async def test_prefix_of_an_event_name_may_be_left_out(harness: AppHarness) -> None:
    session = FakeSession(harness)
    said = await session.say("subscribe", id="alerts")
    assert said["data"] == {"message": "Subscribed to events.alerts"}


@pytest.mark.parametrize("name", sorted(EVENT_NAMES))
async def test_every_event_can_be_subscribed_to(harness: AppHarness, name: str) -> None:
    said = await FakeSession(harness).say("subscribe", id=f"events.{name}")
    assert said["data"] == {"message": f"Subscribed to events.{name}"}


async def test_stars_after_an_event_name_do_not_count(harness: AppHarness) -> None:
    line = FakeSession(harness)
    for written in ("events.alerts*", " events.alerts** "):
        said = await line.say("subscribe", id=written)
        assert said["data"] == {"message": "Subscribed to events.alerts"}
    said = await line.say("subscribe", id="events.cad.*")
    assert said["data"] == {"message": "Subscribed to events.cad"}


@pytest.mark.parametrize(
    "name", ["", "events.", "events.nothing", "ALERTS", "events.events.alerts"]
)
@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe"])
async def test_unknown_event_is_not_found(harness: AppHarness, kind: str, name: str) -> None:
    assert code(await FakeSession(harness).say(kind, id=name)) == "not-found"


@pytest.mark.parametrize("kind", ["subscribe", "unsubscribe"])
async def test_another_clients_id_is_forbidden(harness: AppHarness, kind: str) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    assert code(await session.say(kind, id="alerts", clientId="c2")) == "forbidden"
    assert (await session.say(kind, id="alerts", clientId="c1"))["type"] == "status"
    assert (await session.say(kind, id="alerts"))["type"] == "status"


async def test_rejected_subscription_receives_nothing(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.say("subscribe", id="alerts", clientId="c2")
    await alert(harness)
    assert session.frames == []


async def test_subscribing_without_a_session_opens_one(harness: AppHarness) -> None:
    session = FakeSession(harness)
    assert (await session.say("subscribe", id="alerts", clientId="c1"))["type"] == "status"
    assert code(await session.say("subscribe", id="visits", clientId="c2")) == "forbidden"
    session.close()
    await alert(harness)
    resumed = FakeSession(harness)
    await resumed.resume("c1", 0)
    assert resumed.events() == [(1, "events.alerts")]


async def test_session_without_a_client_id_leaves_nothing_behind(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.subscribe("alerts", "visits")
    await alert(harness)
    assert session.events() == [(1, "events.alerts")]
    session.close()
    assert harness.dump()["subscriptions"] == []


async def test_subscribing_twice_receives_once(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.subscribe("alerts", "alerts")
    await alert(harness)
    assert session.events() == [(1, "events.alerts")]


async def test_unsubscribed_events_are_not_received(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.subscribe("alerts", "visits")
    said = await session.say("unsubscribe", id="events.alerts")
    assert said["data"] == {"message": "Unsubscribed from events.alerts"}
    await alert(harness)
    await visit(harness)
    assert session.events() == [(2, "events.visits")]


async def test_unsubscribing_what_was_never_subscribed_succeeds(harness: AppHarness) -> None:
    assert (await FakeSession(harness).say("unsubscribe", id="alerts"))["type"] == "status"


async def test_all_gets_every_event_in_its_own_frame_and_both_get_both(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.subscribe("all", "alerts")
    await alert(harness)
    await visit(harness)
    assert session.frames[1] == {
        "type": "events.all",
        "id": 1,
        "event": "events.alerts",
        "data": {"event": "events.alerts", "propertyId": "1", "user": "u"},
    }
    assert session.events() == [(1, "events.alerts"), (1, "events.all"), (2, "events.all")]


async def test_new_session_on_the_same_connection_starts_afresh(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    await session.say("session", id="c2")
    await alert(harness)
    assert session.frames == []


async def test_event_of_an_own_change_comes_before_the_answer(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.subscribe("property-added")
    session.frames.clear()
    data = {"location": "l", "tier": 1, "x": 1, "y": 1, "description": "", "clientId": "o"}
    await session.session.handle(
        read_message(orjson.dumps({"type": "queries.add-property", "data": data}))
    )
    assert [frame["type"] for frame in session.frames] == ["events.property-added", "add-property"]


async def test_queries_work_without_a_session(harness: AppHarness) -> None:
    said = await FakeSession(harness).say("queries.get-tiers")
    assert [tier["id"] for tier in said["data"]["tiers"]] == [1, 2, 3]


@pytest.mark.parametrize("kind", ["session", "subscribe", "unsubscribe"])
async def test_scope_read_suffices_for_session_messages(harness: AppHarness, kind: str) -> None:
    session = FakeSession(harness, scope=Scope.READ)
    assert (await session.say(kind, id="alerts"))["type"] == "status"


async def test_each_connection_of_a_client_has_its_own_subscriptions(harness: AppHarness) -> None:
    one, two = FakeSession(harness), FakeSession(harness)
    for session in (one, two):
        await session.say("session", id="c1")
    await one.subscribe("alerts")
    await two.subscribe("visits")
    await alert(harness)
    await visit(harness)
    assert one.events() == [(1, "events.alerts")]
    assert two.events() == [(2, "events.visits")]


async def test_second_connection_does_not_forget_what_the_first_subscribed_to(
    harness: AppHarness,
) -> None:
    settings = SessionSettings(EVENT_NAMES)
    one, two = FakeSession(harness, settings), FakeSession(harness, settings)
    await one.say("session", id="c1")
    await one.subscribe("alerts")
    await two.say("session", id="c1")
    two.close()
    one.close()
    await alert(harness)
    resumed = FakeSession(harness, settings)
    await resumed.resume("c1", 0)
    assert resumed.events() == [(1, "events.alerts")]


async def test_fresh_session_forgets_what_an_earlier_one_subscribed_to(
    harness: AppHarness,
) -> None:
    settings = SessionSettings(EVENT_NAMES)
    session = FakeSession(harness, settings)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    session.close()
    session = FakeSession(harness, settings)
    await session.say("session", id="c1", fresh=True)
    await alert(harness)
    assert session.events() == []
    session.close()
    resumed = FakeSession(harness, settings)
    await resumed.resume("c1", 0)
    assert resumed.events() == []


async def test_fresh_session_leaves_another_connection_of_its_client_alone(
    harness: AppHarness,
) -> None:
    settings = SessionSettings(EVENT_NAMES)
    one, other = FakeSession(harness, settings), FakeSession(harness, settings)
    await one.say("session", id="c1")
    await one.subscribe("alerts")
    await other.say("session", id="c1", fresh=True)
    one.frames.clear()
    await alert(harness)
    assert (one.events(), other.events()) == ([(1, "events.alerts")], [])
    assert await subscriptions.of_client(harness.database.read, "tester/c1") == ["alerts"]


async def test_repeating_the_session_changes_nothing(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    assert (await session.say("session", id=" c1 "))["data"]["message"] == "created"
    await alert(harness)
    assert session.events() == [(1, "events.alerts")]


async def test_subscription_before_the_session_of_its_client_stays(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("subscribe", id="alerts", clientId="c1")
    await session.say("session", id="c1")
    await alert(harness)
    assert session.events() == [(1, "events.alerts")]


async def test_subscription_before_the_first_session_moves_into_it(harness: AppHarness) -> None:
    settings = SessionSettings(EVENT_NAMES)
    session = FakeSession(harness, settings)
    await session.say("subscribe", event="events.alerts")
    await session.say("session", id="c1")
    await alert(harness)
    assert session.events() == [(1, "events.alerts")]
    session.close()
    assert not settings.live_clients
    resumed = FakeSession(harness, settings)
    await resumed.resume("c1", 0)
    assert resumed.events() == [(1, "events.alerts")]


async def test_reconnected_client_hears_live_events_without_subscribing_again(
    harness: AppHarness,
) -> None:
    settings = SessionSettings(EVENT_NAMES)
    session = FakeSession(harness, settings)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    session.close()
    await alert(harness)
    session = FakeSession(harness, settings)
    await session.say("session", id="c1")
    await alert(harness)
    assert session.events() == [(2, "events.alerts")]


async def test_client_that_reconnects_before_its_old_connection_is_noticed_hears(
    harness: AppHarness,
) -> None:
    settings = SessionSettings(EVENT_NAMES)
    old, new = FakeSession(harness, settings), FakeSession(harness, settings)
    await old.say("session", id="c1")
    await old.subscribe("alerts")
    await new.say("session", id="c1")
    old.close()
    await alert(harness)
    assert new.events() == [(1, "events.alerts")]


async def test_pushes_of_the_cad_come_to_all_only_if_asked_for(harness: AppHarness) -> None:
    settings = SessionSettings(EVENT_NAMES)
    plain, asking = FakeSession(harness, settings), FakeSession(harness, settings)
    for session, cad in ((plain, False), (asking, True)):
        await session.say("session", id=f"c{cad}")
        await session.say("subscribe", id="events.all", cad=cad)
        await session.subscribe("all")
        session.frames.clear()
    await push(harness)
    assert (plain.events(), asking.events()) == ([], [(1, "events.all")])
    resumed = FakeSession(harness, settings)
    await resumed.resume("cTrue", 0)
    assert resumed.events() == [(1, "events.all")]
    await asking.say("unsubscribe", id="all")
    await push(harness)
    await alert(harness)
    assert asking.events() == []


async def test_closed_connection_receives_nothing(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.subscribe("all")
    session.close()
    await alert(harness)
    assert session.frames == []


async def test_resumed_session_receives_missed_then_new_events(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    await alert(harness, 3)
    assert session.events()[-1] == (3, "events.alerts")
    session.close()
    await visit(harness)
    await alert(harness, 2)
    resumed = FakeSession(harness)
    assert await resumed.resume("c1", 2) == CREATED
    await alert(harness)
    assert resumed.events() == [(number, "events.alerts") for number in (3, 5, 6, 7)]


async def test_answer_comes_before_the_missed_events(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    session.close()
    await alert(harness)
    resumed = FakeSession(harness)
    message = {"type": "session", "data": {"id": "c1", "lastEventId": 0}}
    await resumed.session.handle(read_message(orjson.dumps(message)))
    assert [frame["type"] for frame in resumed.frames] == ["status", "events.alerts"]


async def test_resumed_session_gets_both_frames(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts", "all")
    session.close()
    await alert(harness)
    resumed = FakeSession(harness)
    await resumed.resume("c1", 0)
    assert resumed.events() == [(1, "events.alerts"), (1, "events.all")]


async def test_unsubscribed_events_are_not_resumed(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts", "visits")
    await session.say("unsubscribe", id="alerts")
    session.close()
    await alert(harness)
    await visit(harness)
    resumed = FakeSession(harness)
    await resumed.resume("c1", 0)
    assert resumed.events() == [(2, "events.visits")]


async def test_nobody_resumes_the_session_of_another_token(harness: AppHarness) -> None:
    session = FakeSession(harness, caller="one")
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    session.close()
    await alert(harness)
    other = FakeSession(harness, caller="two")
    assert await other.resume("c1", 0) == CREATED
    assert other.frames == []


async def test_session_resumes_across_a_restart(database_path: Path) -> None:
    async with open_harness(database_path) as harness:
        session = FakeSession(harness)
        await session.say("session", id="c1")
        await session.subscribe("alerts")
        await alert(harness, 2)
    async with open_harness(database_path) as harness:
        await alert(harness)
        resumed = FakeSession(harness)
        assert await resumed.resume("c1", 1) == CREATED
        await alert(harness)
        assert resumed.events() == [(number, "events.alerts") for number in (2, 3, 4)]


async def test_gap_in_the_journal_is_reported(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    session.close()
    await alert(harness, 5)
    async with harness.database.write() as sql:
        await journal.prune(sql, harness.clock.now + 1, 3)
    resumed = FakeSession(harness)
    assert await resumed.resume("c1", 2) == CREATED_WITH_GAP
    assert resumed.events() == [(4, "events.alerts"), (5, "events.alerts")]
    assert await FakeSession(harness).resume("c1", 3) == CREATED


async def test_number_from_the_future_is_reported_and_live_events_follow(
    harness: AppHarness,
) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    session.close()
    await alert(harness)
    resumed = FakeSession(harness)
    assert await resumed.resume("c1", 99) == CREATED_WITH_GAP
    await alert(harness)
    assert resumed.events() == [(2, "events.alerts")]


async def test_resuming_with_the_newest_number_is_not_a_gap(harness: AppHarness) -> None:
    await alert(harness)
    assert await FakeSession(harness).resume("c1", 1) == CREATED


async def test_more_than_one_page_is_replayed_in_order(harness: AppHarness) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    session.close()
    missed = 2 * REPLAY_BATCH + 7
    await alert(harness, missed)
    resumed = FakeSession(harness)
    await resumed.resume("c1", 0)
    assert [number for number, _ in resumed.events()] == list(range(1, missed + 1))


async def test_events_during_a_replay_come_once_and_in_order(
    harness: AppHarness,
) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts", "visits")
    session.close()
    await alert(harness, REPLAY_BATCH + 50)

    async def keep_on() -> None:
        for _ in range(40):
            await alert(harness)
            await visit(harness)

    resumed = FakeSession(harness)
    await asyncio.gather(resumed.resume("c1", 10), keep_on(), keep_on())
    numbers = [number for number, _ in resumed.events()]
    assert numbers == list(range(11, REPLAY_BATCH + 50 + 160 + 1))


async def test_subscription_during_a_replay_starts_after_it(
    harness: AppHarness,
) -> None:
    session = FakeSession(harness)
    await session.say("session", id="c1")
    await session.subscribe("alerts")
    session.close()
    await visit(harness)
    await alert(harness)
    resumed = FakeSession(harness)
    await asyncio.gather(resumed.resume("c1", 0), resumed.say("subscribe", id="visits"))
    await visit(harness)
    assert resumed.events() == [(2, "events.alerts"), (3, "events.visits")]


async def test_too_many_messages_are_rejected_and_the_connection_stays_open(
    harness: AppHarness,
) -> None:
    session = FakeSession(harness, SessionSettings(EVENT_NAMES, messages_per_second=5))
    answers = [await session.say("queries.get-tiers") for _ in range(40)]
    refused = [frame for frame in answers if code(frame) == "rate-limited"]
    assert [code(frame) for frame in answers[:10]] == [None] * 10
    assert refused
    assert all(frame["type"] == "error" for frame in refused)
    assert len(answers) == 40


async def test_events_do_not_count_against_the_rate(harness: AppHarness) -> None:
    session = FakeSession(harness, SessionSettings(EVENT_NAMES, messages_per_second=1))
    await session.subscribe("alerts")
    await alert(harness, 50)
    assert len(session.events()) == 50


async def test_parallel_messages_each_get_their_own_answer(harness: AppHarness) -> None:
    place = await harness.add_property()
    session = FakeSession(harness)
    answers = await asyncio.gather(
        *(
            session.say("queries.change-property-size", propertyId=place, width=n, height=1)
            if n % 2
            else session.say("queries.get-property", propertyId=place)
            for n in range(100)
        )
    )
    assert [frame["type"] for frame in answers] == ["get-property", "change-property-size"] * 50


@pytest.mark.parametrize("raw", ["{", "[]", "{}", '{"type": "subscribe", "data": 1}'])
async def test_invalid_message_is_answered_and_the_session_goes_on(
    harness: AppHarness, raw: str
) -> None:
    session = FakeSession(harness)
    await session.session.handle(read_message(raw))
    assert [frame["type"] for frame in session.frames] == ["error"]
    session.frames.clear()
    assert (await session.say("session", id="c1"))["type"] == "status"


KINDS = ["session", "subscribe", "unsubscribe", *(f"queries.{q.name}" for q in CATALOGUE.queries)]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
FRAMES = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(KINDS) | ANY, "data": ANY}),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(KINDS[:3]),
            "data": st.fixed_dictionaries(
                {"id": st.sampled_from(["a", "events.*", "alerts", "visits"]) | ANY},
                optional={"lastEventId": st.integers(-1, 9), "clientId": ANY | st.just("a")},
            ),
        }
    ),
    ANY,
).map(lambda frame: json.dumps(frame).encode())


@given(st.lists(FRAMES | st.binary(max_size=30), min_size=1, max_size=6))
async def test_every_frame_has_one_answer(harness: AppHarness, frames: list[bytes]) -> None:
    session = FakeSession(harness)
    await alert(harness)
    try:
        for raw in frames:
            session.frames.clear()
            message = read_message(raw)
            await session.session.handle(message)
            (answer,) = [frame for frame in session.frames if "id" not in frame]
            assert answer["data"].get("requestIdentifier") == message.identifier
            assert code(answer) != "internal"
    finally:
        session.close()


async def test_read_after_a_change_returns_the_new_value(harness: AppHarness) -> None:
    number = await harness.add_property()
    session = FakeSession(harness)
    for width in (5, 6, 7):
        await session.say("queries.change-property-size", propertyId=number, width=width, height=1)
        for _ in range(2):
            told = await session.say("queries.get-property", propertyId=number)
            assert told["data"]["width"] == width
