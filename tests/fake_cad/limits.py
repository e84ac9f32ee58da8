"""How often a minute the CAD takes each request with one key."""

import time
from collections import defaultdict
from collections.abc import Callable

PUBLISHED = {
    "create-911": 10,
    "remove-911": 10,
    "create-dispatch": 20,
    "note": 60,
    "close": 20,
    "attach": 10,
    "detach": 10,
    "units": 3,
    "calls": 5,
    "status": 30,
    "panic": 20,
    "account": 10,
    "account-units": 10,
    "version": 10,
}
WINDOW = 60.0


class RateWindows:
    """Counts every request, by whomever; `exceeded` are those beyond a limit."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.exceeded: list[str] = []
        self._at: defaultdict[str, list[float]] = defaultdict(list)

    def take(self, kind: str) -> bool:
        """Count a request; return whether it is within the limit of any minute."""
        now = self.clock()
        times = [at for at in self._at[kind] if at > now - WINDOW]
        self._at[kind] = [*times, now]
        if len(times) >= PUBLISHED[kind]:
            self.exceeded.append(kind)
            return False
        return True
