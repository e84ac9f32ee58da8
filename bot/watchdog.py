"""Watches how late the event loop is: while it is blocked, nobody is answered."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TICK = 0.1
"""Seconds between two looks: nearly all that an idle instance does, 0.3 % of a processor."""

TOO_LATE = 0.1
"""Seconds that the loop may be late before it is worth a line in the log."""

FRAMES = 8
"""Innermost calls that are shown of what blocked the loop."""

log = logging.getLogger(__name__)


class Watchdog:
    """Feeds each delay of the loop to `note`, in seconds, and logs where the loop was blocked."""

    def __init__(self, note: Callable[[float], None]) -> None:
        self._note = note
        self._thread_id = threading.get_ident()
        self._due = 0.0
        self._caught = ""
        self._is_late = False

    async def run(self) -> None:
        """Watch the loop that this runs in until cancelled."""
        with self._watched():
            while True:
                self._due = time.monotonic() + TICK
                await asyncio.sleep(TICK)
                self._look(time.monotonic() - self._due)

    def _look(self, lag: float) -> None:
        """Note a delay; of several in a row only the first is logged."""
        self._note(max(0.0, lag))
        is_late = lag > TOO_LATE
        if is_late and not self._is_late:
            where = f", here:\n{self._caught}" if self._caught else ""
            log.warning("the event loop was blocked for %.0f ms%s", lag * 1000, where)
        self._is_late, self._caught = is_late, ""

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Have a thread look where the loop's thread is while it is too late."""
        ended = threading.Event()
        self._due = time.monotonic() + TICK
        thread = threading.Thread(target=self._catch, args=(ended,), name="watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()

    def _catch(self, ended: threading.Event) -> None:
        while not ended.wait(TICK):
            if not self._caught and time.monotonic() - self._due > TOO_LATE:
                frame = sys._current_frames().get(self._thread_id)
                calls = traceback.extract_stack(frame, limit=None)[-FRAMES:]
                self._caught = "".join(traceback.format_list(calls)).rstrip()
