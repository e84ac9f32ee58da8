"""Work in the background: what is done again and again, and whether the event loop keeps up."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import time as TimeOfDay  # noqa: N812 - a class
from pathlib import Path

from db import (
    cad_requests,
    cards,
    drill_cards,
    feeds,
    journal,
    request_keys,
    settings,
    subscriptions,
    troubles,
)
from db.database import Database
from db.errors import StorageUnavailable
from webhook.cad.silence import LastPush, silent_cads
from webhook.protocol.context import Context, now
from webhook.protocol.metrics import Metrics
from webhook.queries.daily_report import PROBLEMS, report_day
from webhook.queries.drills import end_drills

PRUNE_BATCH = 1_000
DAY = 24 * 60 * 60 * 1000

KEY_DAYS = 7
"""Days for which a request is recognised by its key."""

TICK = 0.1
"""Seconds between two measurements of the loop's lag: nearly all that an idle instance does."""

MAX_LAG = 0.1
"""Seconds that the loop may be late before it is worth a line in the log."""

FRAMES = 8
"""Innermost calls that are logged of what blocked the loop."""

IDLE = frozenset({"runners.py", "selectors.py"})
"""Files of the innermost call while the loop runs none of our code: the machine is busy then."""

log = logging.getLogger(__name__)


async def run_periodically(work: Callable[[], Awaitable[object]], interval: float) -> None:
    """Do work until cancelled, every `interval` seconds; a failure is logged and tried again.

    The task's name stands in the log. That storage is unavailable is logged once.
    """
    task = asyncio.current_task()
    name = task.get_name() if task is not None else ""
    is_waiting = False
    while True:
        try:
            await work()
            is_waiting = False
        except StorageUnavailable as error:
            if not is_waiting:
                log.warning("%s is waiting for storage: %s", name, error)
            is_waiting = True
        except Exception:
            log.exception("%s failed, trying again in %.0f s", name, interval)
        await asyncio.sleep(interval)


async def prune_journal(database: Database, days: int, live_clients: Counter[str]) -> None:
    """Delete old events, and what else is told or asked once and then only grows.

    In batches, so that nobody waits long for the writer.
    """
    async with database.write() as sql:
        await subscriptions.touch(sql, live_clients, now())
    ages = {
        journal.prune: days,
        subscriptions.forget: days,
        request_keys.prune: KEY_DAYS,
        cards.prune: days,
        troubles.prune: days,
        drill_cards.prune: days,
        cad_requests.prune: days,
    }
    for prune, age in ages.items():
        pruned = PRUNE_BATCH
        while pruned == PRUNE_BATCH:
            async with database.write() as sql:
                pruned = await prune(sql, now() - age * DAY, PRUNE_BATCH)


class ErrorCounter(logging.Handler):
    """Counts warnings and errors in the log."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.WARNING)
        self._metrics = metrics
        self.total = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.total += 1
        level = "warning" if record.levelno < logging.ERROR else "error"
        self._metrics.problems.labels(level).inc()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count what is logged meanwhile."""
        logging.getLogger().addHandler(self)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(self)


class PeriodicChecks:
    """Finds silent CADs, reports the end of a day in the log channel, stores how much went wrong.

    `silent_after`: milliseconds without a push until a CAD counts as silent, 0 for never.
    `daily_at`: when the day is reported, None for never. `wake` has new reports delivered.
    """

    def __init__(
        self,
        context: Context,
        last_push: LastPush,
        errors: ErrorCounter,
        wake: Callable[[], None],
        *,
        cads: Sequence[str] = (),
        silent_after: int = 0,
        daily_at: TimeOfDay | None = None,
    ) -> None:
        self._context = context
        self._last_push = last_push
        self._errors = errors
        self._wake = wake
        self._cads = cads
        self._silent_after = silent_after
        self._daily_at = daily_at
        self._stored_errors = 0
        self.refused = 0
        """How many messages Discord refused for good."""
        self.silent_cads: dict[str, int] = {}
        """Since when each silent CAD has been silent, in milliseconds since 1970."""

    async def run(self) -> None:
        await self._store_errors()
        read = self._context.read
        rejections = [*await cards.rejections(read), *await feeds.rejections(read)]
        self.refused = sum(rejection.number for rejection in rejections)
        if self._silent_after:
            self.silent_cads = await silent_cads(
                self._context, self._last_push, self._cads, self._silent_after
            )
        await end_drills(self._context)
        if self._daily_at is not None:
            await report_day(self._context, self._daily_at)
        self._wake()

    async def _store_errors(self) -> None:
        """Store how many errors there were; the write also shows whether storage is back."""
        total = self._errors.total
        if total == self._stored_errors and self._context.database.is_writable:
            return
        async with self._context.database.write() as sql:
            await settings.add(sql, PROBLEMS, total - self._stored_errors)
        self._stored_errors = total


class LoopMonitor:
    """Measures how late the event loop is, and logs where it was blocked.

    While it is blocked, nobody is answered. `record_lag` takes each delay in seconds.
    """

    def __init__(self, record_lag: Callable[[float], None]) -> None:
        self._record_lag = record_lag
        self._is_late = False

    async def run(self) -> None:
        """Monitor the loop that this runs in until cancelled."""
        sampler = _StackSampler(threading.get_ident())
        sampler.start()
        try:
            while True:
                due = time.monotonic() + TICK
                await asyncio.sleep(TICK)
                self.record(time.monotonic() - due, sampler.beat())
        finally:
            sampler.stop()

    def record(self, lag: float, stack: str = "") -> None:
        """Record a delay; of several in a row only the first is logged."""
        self._record_lag(max(0.0, lag))
        is_late = lag > MAX_LAG
        if is_late and not self._is_late:
            if stack:
                log.warning("the event loop was blocked for %.0f ms by %s", lag * 1000, stack)
            else:
                log.warning("the event loop was %.0f ms late: this machine is busy", lag * 1000)
        self._is_late = is_late


class _StackSampler(threading.Thread):
    """Takes the stack of a thread whose next beat is late.

    faulthandler's timer would do this too, but it reads the frames of a running thread without
    holding the interpreter's lock, and has crashed the process under load.
    """

    def __init__(self, watched: int) -> None:
        super().__init__(name="stack sampler", daemon=True)
        self._watched = watched
        self._beats = threading.Event()
        self._is_stopped = False
        self._stack = ""

    def beat(self) -> str:
        """Return in one line what ran since the last beat, the innermost call first, or ""."""
        stack, self._stack = self._stack, ""
        self._beats.set()
        return stack

    def stop(self) -> None:
        self._is_stopped = True
        self._beats.set()

    def run(self) -> None:
        while not self._is_stopped:
            if not self._beats.wait(TICK + MAX_LAG):
                self._stack = self._take()
                self._beats.wait()
            self._beats.clear()

    def _take(self) -> str:
        frame = sys._current_frames().get(self._watched)
        if frame is None:
            return ""
        calls = traceback.StackSummary.extract(
            traceback.walk_stack(frame), limit=FRAMES, lookup_lines=False
        )
        if not calls or Path(calls[0].filename).name in IDLE:
            return ""
        return ", called by ".join(f"{one.name} ({one.filename}:{one.lineno})" for one in calls)
