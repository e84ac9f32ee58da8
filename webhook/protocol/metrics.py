"""The metrics for Prometheus; docs/monitoring.md describes every family.

Labels take few values: a name from outside is a label only if it is a known one. They hold no
secret and nothing that a player wrote.
"""

from collections.abc import Collection
from functools import cache, partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder

_QUERY_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

DISCORD_STATES = ("off", "connecting", "ready", "refused")


class Metrics:
    """The metrics of one running program, in a registry of its own.

    `push_types` and `queries` are the names that may be labels.
    """

    def __init__(self, push_types: Collection[str] = (), queries: Collection[str] = ()) -> None:
        # When each counter began would be half of the page, and is never read.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._push_types = frozenset(push_types)
        self._query_names = frozenset(queries)
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        counter = partial(Counter, registry=registry)
        gauge = partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        self._pushes = counter(
            "sentinel_pushes", "Pushes by type and outcome.", ["type", "outcome"]
        )
        self._last_push = gauge(
            "sentinel_last_push_timestamp_seconds",
            "When each CAD pushed last, since this start.",
            ["cad"],
        )
        self._queries = counter(
            "sentinel_queries", "Queries of scripts by name and outcome.", ["query", "outcome"]
        )
        self._query_seconds = histogram(
            "sentinel_query_seconds", "How long queries took.", ["query"], buckets=_QUERY_SECONDS
        )
        self.websockets = gauge("sentinel_websocket_clients", "Open websockets.")
        self.event_bus = gauge("sentinel_event_bus_clients", "Open connections of the event bus.")
        self.too_slow = counter(
            "sentinel_websocket_clients_dropped",
            "Websockets and event buses that were closed because the client did not read.",
        )
        self.published = counter("sentinel_events_published", "Events handed to subscribers.")
        self.passed_over = counter(
            "sentinel_events_passed_over", "Events that could not be turned into cards and feeds."
        )
        self.deliveries = counter(
            "sentinel_deliveries",
            "Requests to Discord by channel, kind and outcome.",
            ["channel", "kind", "outcome"],
        )
        self.waiting = gauge(
            "sentinel_deliveries_waiting", "What a channel has still to show.", ["channel", "kind"]
        )
        self.oldest_waiting = gauge(
            "sentinel_deliveries_oldest_seconds",
            "Age of the oldest message that a channel has still to post; 0: none waits.",
            ["channel", "kind"],
        )
        self.refused = gauge(
            "sentinel_deliveries_refused",
            "Messages that Discord refused for good and that are kept.",
            ["channel"],
        )
        self._longest = 0.0
        self._lag = histogram(
            "sentinel_loop_lag_seconds", "How late the event loop was.", buckets=_LAG_SECONDS
        )
        self._longest_lag = gauge(
            "sentinel_loop_lag_max_seconds", "The latest it was since the start."
        )
        self.database_bytes = gauge("sentinel_database_bytes", "Size of the database.", ["file"])
        self.newest_event = gauge("sentinel_journal_newest_id", "The newest event's number.")
        self.writable = gauge("sentinel_storage_writable", "1 unless the last write failed.")
        self.discord = Enum(
            "sentinel_discord_state",
            "The state of the connection to Discord.",
            states=DISCORD_STATES,
            registry=registry,
        )
        self.game_server_connected = gauge(
            "sentinel_game_server_connected",
            "1 while the game server's resource sends something, by its client.",
            ["client"],
        )
        self.game_server_waiting = gauge(
            "sentinel_game_server_waiting", "Messages that it has still to send.", ["client"]
        )
        self.game_server_refused = gauge(
            "sentinel_game_server_refused", "Messages of it that were refused.", ["client"]
        )
        self.problems = counter(
            "sentinel_log_records", "Warnings and errors in the log.", ["level"]
        )

        # `labels` takes as long as the counting itself: under a lock, in Python.
        self._push_counter = cache(self._pushes.labels)
        self._push_clock = cache(self._last_push.labels)
        self._query_counter = cache(self._queries.labels)
        self._query_timer = cache(self._query_seconds.labels)

    def record_push(self, cad: str) -> None:
        self._push_clock(cad).set_to_current_time()

    def count_push(self, kind: str, outcome: str) -> None:
        """Count a push; an unknown type is counted as `other`."""
        self._push_counter(kind if kind in self._push_types else "other", outcome).inc()

    def count_query(self, name: str, outcome: str, seconds: float) -> None:
        """Count a query and how long it took; an unknown name is counted as `unknown`."""
        label = name if name in self._query_names else "unknown"
        self._query_counter(label, outcome).inc()
        self._query_timer(label).observe(seconds)

    def record_lag(self, seconds: float) -> None:
        self._lag.observe(seconds)
        if seconds > self._longest:
            self._longest = seconds
            self._longest_lag.set(seconds)

    def render(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics in a format that the `Accept` header allows, and its content type."""
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # a version that is no version
            encode, content_type = choose_encoder("")
        return encode(self._registry), content_type
