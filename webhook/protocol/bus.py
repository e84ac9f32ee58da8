"""Events of the journal, and the bus that hands them to subscribers once they are committed."""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from db.journal import Entry
from webhook.protocol.events import ALL, ALL_WITH_CAD, CAD, EVENTS, Subject

log = logging.getLogger(__name__)


@dataclass(eq=False)
class StoredEvent:
    """An event of the journal; serialised once, however many receive it.

    `at`: when it was received, in milliseconds since 1970; `age`: how many after it happened.
    """

    id: int
    at: int
    name: str
    subjects: Sequence[Subject]
    json: bytes
    age: int = 0

    @classmethod
    def from_journal(cls, entry: Entry) -> "StoredEvent":
        subjects = [Subject.parse(text) for text in orjson.loads(entry.subjects)]
        data = entry.data.encode()
        return cls(entry.id, entry.at, entry.name, subjects, data, entry.age)

    @property
    def happened(self) -> int:
        """When it happened, in milliseconds since 1970."""
        return self.at - self.age

    @cached_property
    def subscription_names(self) -> set[str]:
        """The subscriptions, beside `all`, that the event matches."""
        return {self.name, CAD} if self.is_of_cad else {self.name}

    @property
    def is_of_cad(self) -> bool:
        return self.name.startswith(f"{CAD}.")

    @cached_property
    def is_redundant(self) -> bool:
        """Whether it need not be shown: nothing changed, or another event says the same."""
        if self.name not in EVENTS:
            return False
        return self.data.get("changed") is False or "cause" in self.data

    @cached_property
    def is_reconciled(self) -> bool:
        """Whether it was found when the CAD was read: it may be old."""
        return b'"reconciled"' in self.json and self.data.get("reconciled") is True

    @cached_property
    def data(self) -> dict[str, Any]:
        """The event's data, read back from JSON."""
        data: dict[str, Any] = orjson.loads(self.json)
        return data

    @cached_property
    def frame(self) -> bytes:
        return b'{"type":"events.%b","id":%d,"data":%b}' % (
            self.name.encode(),
            self.id,
            self.json,
        )

    @cached_property
    def frame_for_all(self) -> bytes:
        """The frame of `events.all`: its data names the event too, for handlers of data alone."""
        name = b'"event":"events.%b"' % self.name.encode()
        data = self.json
        if self.is_of_cad and "event" in self.data:  # of a push whose type is unknown
            data = orjson.dumps({key: self.data[key] for key in self.data if key != "event"})
        data = b"{%b%b%b" % (name, b"" if data == b"{}" else b",", data[1:])
        return b'{"type":"events.all","id":%d,%b,"data":%b}' % (self.id, name, data)

    def frames_for(self, subscriptions: set[str]) -> list[bytes]:
        """Return the frames for a subscriber of these names: none, one, or both."""
        frames = []
        if subscriptions & self.subscription_names:
            frames.append(self.frame)
        if self.is_in_all(subscriptions):
            frames.append(self.frame_for_all)
        return frames

    def is_in_all(self, subscriptions: Collection[str]) -> bool:
        """Return whether a subscriber of these names receives it as `events.all`."""
        return ALL_WITH_CAD in subscriptions or (ALL in subscriptions and not self.is_of_cad)


Subscriber = Callable[[StoredEvent], None]
"""Takes an event; must not wait."""


class Bus:
    """Hands committed events to their subscribers, at once and in journal order."""

    def __init__(self) -> None:
        self._subscribers: defaultdict[str, dict[Subscriber, None]] = defaultdict(dict)

    def subscribe(self, name: str, subscriber: Subscriber) -> None:
        """Have `subscriber` called with every event of a name, of `cad`, or of `all`."""
        self._subscribers[name][subscriber] = None

    def unsubscribe(self, name: str, subscriber: Subscriber) -> None:
        subscribers = self._subscribers.get(name, {})
        subscribers.pop(subscriber, None)
        if not subscribers:
            self._subscribers.pop(name, None)

    def publish(self, event: StoredEvent) -> None:
        """Hand out one event: once to whoever subscribed by name, and once to those of `all`.

        A subscriber that raises is logged; the others still receive the event.
        """
        by_name = dict.fromkeys(
            subscriber
            for name in event.subscription_names
            for subscriber in self._subscribers.get(name, ())
        )
        self._hand_out(event, *by_name, *self._subscribers.get(ALL, ()))

    def publish_internal(self, event: StoredEvent) -> None:
        """Hand out an event that is for this program alone, to who subscribed by its name."""
        self._hand_out(event, *self._subscribers.get(event.name, ()))

    def _hand_out(self, event: StoredEvent, *subscribers: Subscriber) -> None:
        for subscriber in subscribers:
            try:
                subscriber(event)
            except Exception:
                log.exception("a subscriber failed on event %s (%s)", event.id, event.name)
