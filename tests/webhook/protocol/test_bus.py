"""The bus: who receives an event, how often, and what a failing subscriber does."""

import orjson
import pytest

from webhook.protocol.bus import Bus, StoredEvent

ALERT = StoredEvent(7, 1, "alerts", [], b'{"user":"u"}')
PUSH = StoredEvent(8, 1, "cad.EVENT_911", [], b"{}")


class EventRecorder:
    def __init__(self) -> None:
        self.events: list[StoredEvent] = []

    def receive(self, event: StoredEvent) -> None:
        self.events.append(event)


def test_event_reaches_only_its_subscribers() -> None:
    bus, receiver, other = Bus(), EventRecorder(), EventRecorder()
    bus.subscribe("alerts", receiver.receive)
    bus.subscribe("visits", other.receive)
    bus.publish(ALERT)
    assert receiver.events == [ALERT]
    assert other.events == []


def test_subscribing_twice_receives_once() -> None:
    bus, receiver = Bus(), EventRecorder()
    bus.subscribe("alerts", receiver.receive)
    bus.subscribe("alerts", receiver.receive)
    bus.publish(ALERT)
    assert receiver.events == [ALERT]
    bus.unsubscribe("alerts", receiver.receive)
    bus.publish(ALERT)
    assert len(receiver.events) == 1


def test_name_and_all_are_two_subscriptions() -> None:
    bus, receiver = Bus(), EventRecorder()
    bus.subscribe("all", receiver.receive)
    bus.subscribe("alerts", receiver.receive)
    bus.publish(ALERT)
    assert receiver.events == [ALERT, ALERT]


def test_push_under_its_type_and_under_cad_is_received_once() -> None:
    bus, receiver = Bus(), EventRecorder()
    bus.subscribe("cad", receiver.receive)
    bus.subscribe("cad.EVENT_911", receiver.receive)
    bus.publish(PUSH)
    assert receiver.events == [PUSH]


def test_unsubscribing_without_a_subscription_is_fine() -> None:
    Bus().unsubscribe("alerts", EventRecorder().receive)


def test_subscriber_may_unsubscribe_while_it_is_called() -> None:
    bus, later = Bus(), EventRecorder()

    def leave(_: StoredEvent) -> None:
        bus.unsubscribe("all", leave)

    bus.subscribe("all", leave)
    bus.subscribe("all", later.receive)
    bus.publish(ALERT)
    bus.publish(ALERT)
    assert len(later.events) == 2


def test_failing_subscriber_is_logged_and_the_others_receive_the_event(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus, by_name, of_all = Bus(), EventRecorder(), EventRecorder()

    def fail(_: StoredEvent) -> None:
        raise ArithmeticError("a bug")

    for name, receiver in (("alerts", by_name), ("all", of_all)):
        bus.subscribe(name, fail)
        bus.subscribe(name, receiver.receive)
    bus.publish(ALERT)
    bus.publish(ALERT)
    assert len(by_name.events) == len(of_all.events) == 2
    assert caplog.messages == ["a subscriber failed on event 7 (alerts)"] * 4
    assert "a bug" in caplog.text


def test_event_is_serialised_once_for_all_subscribers() -> None:
    bus = Bus()
    frames: list[bytes] = []
    for _ in range(3):
        bus.subscribe("alerts", lambda event: frames.append(event.frame))
    bus.publish(ALERT)
    assert len(frames) == 3
    assert len({id(frame) for frame in frames}) == 1


def test_frames_are_those_of_the_protocol() -> None:
    assert orjson.loads(ALERT.frame) == {"type": "events.alerts", "id": 7, "data": {"user": "u"}}
    assert orjson.loads(ALERT.frame_for_all) == {
        "type": "events.all",
        "id": 7,
        "event": "events.alerts",
        "data": {"event": "events.alerts", "user": "u"},
    }
    assert ALERT.frames_for({"visits"}) == []
    assert ALERT.frames_for({"all", "alerts"}) == [ALERT.frame, ALERT.frame_for_all]


def test_the_name_of_an_event_is_in_its_data_once() -> None:
    push = StoredEvent(9, 1, "cad.EVENT_NEW", [], b'{"event":"fire","unit":7}')
    assert push.frame_for_all.count(b'"event"') == 2
    assert orjson.loads(push.frame_for_all)["data"] == {"event": "events.cad.EVENT_NEW", "unit": 7}
    assert orjson.loads(push.frame)["data"] == {"event": "fire", "unit": 7}
