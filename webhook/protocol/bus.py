"""Hands committed events to those who subscribed, at once and in journal order."""

from collections import defaultdict
from collections.abc import Callable
from itertools import chain

from webhook.protocol.events import ALL, StoredEvent

Subscriber = Callable[[StoredEvent], None]
"""Takes an event; never waits and never raises."""


class Bus:
    """Subscriptions by event name, so that an event costs only those who hear it."""

    def __init__(self) -> None:
        self._sinks: defaultdict[str, dict[Subscriber, None]] = defaultdict(dict)

    def subscribe(self, name: str, sink: Subscriber) -> None:
        """Have `sink` called with every event of a name, of `cad`, or of `all`."""
        self._sinks[name][sink] = None

    def unsubscribe(self, name: str, sink: Subscriber) -> None:
        """Undo `subscribe`."""
        sinks = self._sinks.get(name, {})
        sinks.pop(sink, None)
        if not sinks:
            self._sinks.pop(name, None)

    def publish(self, event: StoredEvent) -> None:
        """Hand out one event; a sink hears it once for its own name and once for `all`."""
        named = [sinks for name in event.heard_as if (sinks := self._sinks.get(name))]
        # Copies: a sink may give up its subscriptions while it is called.
        heard = list(named[0]) if len(named) == 1 else dict.fromkeys(chain.from_iterable(named))
        for sink in heard:
            sink(event)
        for sink in list(self._sinks.get(ALL, ())):
            sink(event)
