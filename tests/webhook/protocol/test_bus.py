"""The bus: to those who subscribed, once each, whatever they do meanwhile."""

import orjson

from webhook.protocol.bus import Bus
from webhook.protocol.events import StoredEvent

ALERT = StoredEvent(7, 1, "alerts", [], b'{"user":"u"}')
PUSH = StoredEvent(8, 1, "cad.EVENT_911", [], b"{}")


class Ear:
    def __init__(self) -> None:
        self.heard: list[StoredEvent] = []

    def hear(self, event: StoredEvent) -> None:
        self.heard.append(event)


def test_an_event_reaches_those_who_subscribed_to_it() -> None:
    bus, ear, other = Bus(), Ear(), Ear()
    bus.subscribe("alerts", ear.hear)
    bus.subscribe("visits", other.hear)
    bus.publish(ALERT)
    assert ear.heard == [ALERT]
    assert other.heard == []


def test_subscribing_twice_is_hearing_once() -> None:
    bus, ear = Bus(), Ear()
    bus.subscribe("alerts", ear.hear)
    bus.subscribe("alerts", ear.hear)
    bus.publish(ALERT)
    assert ear.heard == [ALERT]
    bus.unsubscribe("alerts", ear.hear)
    bus.publish(ALERT)
    assert len(ear.heard) == 1


def test_own_name_and_all_are_two_subscriptions() -> None:
    bus, ear = Bus(), Ear()
    bus.subscribe("all", ear.hear)
    bus.subscribe("alerts", ear.hear)
    bus.publish(ALERT)
    assert ear.heard == [ALERT, ALERT]


def test_a_push_is_heard_under_its_type_and_under_cad_but_once() -> None:
    bus, ear = Bus(), Ear()
    bus.subscribe("cad", ear.hear)
    bus.subscribe("cad.EVENT_911", ear.hear)
    bus.publish(PUSH)
    assert ear.heard == [PUSH]


def test_unsubscribing_what_was_never_subscribed_is_fine() -> None:
    Bus().unsubscribe("alerts", Ear().hear)


def test_a_sink_may_leave_while_it_is_called() -> None:
    bus, later = Bus(), Ear()

    def leave(_: StoredEvent) -> None:
        bus.unsubscribe("all", leave)

    bus.subscribe("all", leave)
    bus.subscribe("all", later.hear)
    bus.publish(ALERT)
    bus.publish(ALERT)
    assert len(later.heard) == 2


def test_a_frame_is_written_once_however_many_hear_it() -> None:
    bus = Bus()
    frames: list[bytes] = []
    # Functions of their own, as one sink hears an event once.
    for _ in range(3):
        bus.subscribe("alerts", lambda event: frames.append(event.frame))
    bus.publish(ALERT)
    assert len(frames) == 3
    assert len({id(frame) for frame in frames}) == 1


def test_the_frames_are_those_of_the_protocol() -> None:
    assert orjson.loads(ALERT.frame) == {"type": "events.alerts", "id": 7, "data": {"user": "u"}}
    assert orjson.loads(ALERT.frame_for_all) == {
        "type": "events.all",
        "id": 7,
        "event": "events.alerts",
        "data": {"user": "u"},
    }
    assert ALERT.frames({"visits"}) == []
    assert ALERT.frames({"all", "alerts"}) == [ALERT.frame, ALERT.frame_for_all]
