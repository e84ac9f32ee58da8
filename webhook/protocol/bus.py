"""Hands committed events to their subscribers, at once and in journal order."""

import logging
from collections import defaultdict
from collections.abc import Callable

from webhook.protocol.events import ALL, StoredEvent

Subscriber = Callable[[StoredEvent], None]
"""Takes an event; must not wait."""

log = logging.getLogger(__name__)


class Bus:
    """Subscribers by event name, so that an event costs only those who subscribed to it."""

    def __init__(self) -> None:
        self._subscribers: defaultdict[str, dict[Subscriber, None]] = defaultdict(dict)

    def subscribe(self, name: str, subscriber: Subscriber) -> None:
        """Have `subscriber` called with every event of a name, of `cad`, or of `all`."""
        self._subscribers[name][subscriber] = None

    def unsubscribe(self, name: str, subscriber: Subscriber) -> None:
        """Undo `subscribe`."""
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
        for subscriber in (*by_name, *self._subscribers.get(ALL, ())):
            try:
                subscriber(event)
            except Exception:
                log.exception("A subscriber failed on event %s (%s).", event.id, event.name)
