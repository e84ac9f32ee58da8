"""Messages that Discord does not take at present, while it takes others of the same channel."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from cogs.delivery.rest.errors import DeliveryError, Postponed

FEED = 0
"""Stands for the next message of the feed, which keeps its order; no card has this id."""


log = logging.getLogger(__name__)


@dataclass
class _Hold:
    until: float
    tries: int = 0


@dataclass
class Holds:
    """What waits for itself, by the card's id or FEED; `backoff` returns seconds for a try."""

    backoff: Callable[[int], float]
    _held: dict[int, _Hold] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._held)

    def add(self, what: int) -> bool:
        """Have something wait, the longer the oftener; return whether it did not before."""
        hold = self._held.setdefault(what, _Hold(0.0))
        hold.tries += 1
        hold.until = time.monotonic() + self.backoff(hold.tries)
        return hold.tries == 1

    def postpone(self, what: int, called: str, fault: DeliveryError) -> NoReturn:
        """Have a message wait for itself, and tell so once."""
        if self.add(what):
            log.warning("Discord does not take %s now, it waits: %s", called, fault)
        postponed = fault if isinstance(fault, Postponed) else Postponed(str(fault))
        postponed.code = fault.code
        raise postponed from fault

    def clear(self) -> None:
        self._held.clear()

    def release(self, what: int) -> bool:
        """Have something wait no more; return whether it did."""
        return self._held.pop(what, None) is not None

    def retry(self) -> None:
        """Have all of it tried again at once."""
        for hold in self._held.values():
            hold.until = 0.0

    def current(self) -> dict[int, float]:
        """Return what is not to be tried yet, with the seconds until then."""
        now = time.monotonic()
        return {what: hold.until - now for what, hold in self._held.items() if hold.until > now}
