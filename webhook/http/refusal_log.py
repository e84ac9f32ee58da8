"""Logs what was refused to unauthenticated clients without filling the log."""

import asyncio
import logging
from collections import Counter

MINUTE = 60.0
MAX_ADDRESSES = 100
"""Addresses of one minute that are logged apart; what comes from more of them is only counted."""

OTHERS = "other addresses"

log = logging.getLogger(__name__)


class RefusalLog:
    """Logs the first refusal of each kind and address, and after a minute how many there were."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, what: str, address: str) -> None:
        """Count a refusal, say of "a push with a wrong key"."""
        if not self._counts:
            asyncio.get_running_loop().call_later(MINUTE, self.log_totals)
        if (what, address) not in self._counts:
            if len(self._counts) < MAX_ADDRESSES:
                log.warning("Refused %s from %s.", what, address)
            else:
                address = OTHERS
        self._counts[what, address] += 1

    def log_totals(self) -> None:
        """Log how often each was refused, and start again."""
        for (what, address), count in self._counts.items():
            if count > 1 or address is OTHERS:
                log.warning("Refused %s from %s, %s times in a minute.", what, address, count)
        self._counts.clear()
