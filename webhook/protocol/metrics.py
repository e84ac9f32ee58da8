"""What is counted and measured, for Prometheus; docs/monitoring.md describes every family.

Labels take few values: a name that came from outside counts as itself only if it was known
beforehand. No secret and nothing that a player wrote stands in any of them.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cache
from itertools import accumulate

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
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_QUERY_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

DISCORD_STATES = ("off", "connecting", "ready", "refused")


class _Asked(Collector):
    """Queries by name and outcome, and how long they took.

    Counted in plain Python: a counter and a histogram of prometheus_client, which hold for any
    number of threads, take as long as an answer.
    """

    def __init__(self) -> None:
        self._outcomes: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._buckets: defaultdict[str, list[int]] = defaultdict(
            lambda: [0] * (len(_QUERY_SECONDS) + 1)
        )
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def count(self, name: str, outcome: str, seconds: float) -> None:
        """Count one."""
        self._outcomes[name, outcome] += 1
        self._buckets[name][bisect_left(_QUERY_SECONDS, seconds)] += 1
        self._seconds[name] += seconds

    def collect(self) -> Iterator[Metric]:
        """Return what was counted; another thread may ask."""
        asked = CounterMetricFamily(
            "sentinel_queries",
            "Queries of scripts by name and outcome.",
            labels=["query", "outcome"],
        )
        for labels, number in list(self._outcomes.items()):
            asked.add_metric(labels, number)
        yield asked
        took = HistogramMetricFamily(
            "sentinel_query_seconds", "How long queries took.", labels=["query"]
        )
        bounds = [*map(floatToGoString, _QUERY_SECONDS), "+Inf"]
        for name, buckets in list(self._buckets.items()):
            took.add_metric(
                [name], list(zip(bounds, accumulate(buckets), strict=True)), self._seconds[name]
            )
        yield took


class Metrics:
    """The families of one running program, in a registry of its own.

    `push_types` and `queries` are the names that count as themselves.
    """

    def __init__(self, push_types: Collection[str] = (), queries: Collection[str] = ()) -> None:
        # When each counter began would be half of the page, and nobody asks for it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._push_types = frozenset(push_types)
        self._queries = frozenset(queries)
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        self._pushes = Counter(
            "sentinel_pushes", "Pushes by type and outcome.", ["type", "outcome"], registry=registry
        )
        self._last_push = Gauge(
            "sentinel_last_push_timestamp_seconds",
            "When each CAD pushed last, since this start.",
            ["cad"],
            registry=registry,
        )
        self._asked = _Asked()
        registry.register(self._asked)
        self.websockets = Gauge("sentinel_websocket_clients", "Open websockets.", registry=registry)
        self.too_slow = Counter(
            "sentinel_websocket_clients_dropped",
            "Websockets that were closed because the client did not read.",
            registry=registry,
        )
        self.published = Counter(
            "sentinel_events_published", "Events handed to subscribers.", registry=registry
        )
        self.passed_over = Counter(
            "sentinel_events_passed_over",
            "Events that could not be taken to cards and feeds.",
            registry=registry,
        )
        self.deliveries = Counter(
            "sentinel_deliveries",
            "Requests to Discord by channel, kind and outcome.",
            ["channel", "kind", "outcome"],
            registry=registry,
        )
        self.waiting = Gauge(
            "sentinel_deliveries_waiting",
            "What a channel has still to show.",
            ["channel", "kind"],
            registry=registry,
        )
        self.oldest_waiting = Gauge(
            "sentinel_deliveries_oldest_seconds",
            "Age of the oldest message that a channel has still to post; 0: none waits.",
            ["channel", "kind"],
            registry=registry,
        )
        self._longest = 0.0
        self._lag = Histogram(
            "sentinel_loop_lag_seconds",
            "How late the event loop was.",
            buckets=_LAG_SECONDS,
            registry=registry,
        )
        self._longest_lag = Gauge(
            "sentinel_loop_lag_max_seconds", "The latest it was since the start.", registry=registry
        )
        self.database_bytes = Gauge(
            "sentinel_database_bytes", "Size of the database.", ["file"], registry=registry
        )
        self.newest_event = Gauge(
            "sentinel_journal_newest_id", "The newest event's number.", registry=registry
        )
        self.writable = Gauge(
            "sentinel_storage_writable", "1 unless the last write failed.", registry=registry
        )
        self.discord = Enum(
            "sentinel_discord_state",
            "How things stand with Discord.",
            states=DISCORD_STATES,
            registry=registry,
        )
        self.problems = Counter(
            "sentinel_log_records", "Warnings and errors in the log.", ["level"], registry=registry
        )

        # A family looks its labels up under a lock each time, in Python.
        self._pushed = cache(self._pushes.labels)
        self._last_pushed = cache(self._last_push.labels)

    def note_push(self, cad: str) -> None:
        """Note that a CAD pushed just now."""
        self._last_pushed(cad).set_to_current_time()

    def count_push(self, kind: str, outcome: str) -> None:
        """Count a push; one of a type that is not known is `other`."""
        self._pushed(kind if kind in self._push_types else "other", outcome).inc()

    def count_query(self, name: str, outcome: str, seconds: float) -> None:
        """Count a query and how long it took; one of a name that is not known is `unknown`."""
        self._asked.count(name if name in self._queries else "unknown", outcome, seconds)

    def note_lag(self, seconds: float) -> None:
        """Note how late the event loop was."""
        self._lag.observe(seconds)
        if seconds > self._longest:
            self._longest = seconds
            self._longest_lag.set(seconds)

    def written(self, accept: str) -> tuple[bytes, str]:
        """Write all of it in a form that the reader accepts; return also the form's name."""
        encode, form = choose_encoder(accept)
        return encode(self._registry), form
