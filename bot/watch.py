"""Once a minute: whether the CAD fell silent, whether a day has ended, what went wrong."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import time

from db import settings
from webhook.cad.silence import LastPush, report_silence
from webhook.protocol.context import Context
from webhook.protocol.daily_report import PROBLEMS, report_day
from webhook.protocol.metrics import Metrics


@dataclass(frozen=True)
class Watched:
    """What to tell: silences of these CADs from `silent` milliseconds on, and when the day.

    0 and None: never.
    """

    cads: Sequence[str]
    silent: int
    daily_at: time | None


class Problems(logging.Handler):
    """Counts warnings and errors."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(logging.WARNING)
        self._metrics = metrics
        self.total = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a record."""
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


class Watch:
    """Tells the log channel; `wake` has the follower look for it."""

    def __init__(
        self,
        context: Context,
        watched: Watched,
        last_push: LastPush,
        problems: Problems,
        wake: Callable[[], None],
    ) -> None:
        self._context = context
        self._watched = watched
        self._last_push = last_push
        self._problems = problems
        self._wake = wake
        self._noted = 0
        self.silent: list[str] = []

    async def look(self) -> None:
        """Look once."""
        await self._note_problems()
        told = self._watched
        if told.silent:
            self.silent = await report_silence(
                self._context, self._last_push, told.cads, told.silent
            )
        if told.daily_at is not None:
            await report_day(self._context, told.daily_at)
        self._wake()

    async def _note_problems(self) -> None:
        """Keep how many problems there were; the write shows also whether storage is back."""
        if self._problems.total == self._noted and self._context.database.is_writable:
            return
        total = self._problems.total
        async with self._context.database.write() as sql:
            await settings.add(sql, PROBLEMS, total - self._noted)
        self._noted = total
