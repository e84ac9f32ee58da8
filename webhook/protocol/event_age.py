"""The age of a message: how long ago the reported thing happened, as the sender states it."""

import logging
import re

AGE = "X-Event-Age"

MAX_AGE = 7 * 24 * 60 * 60 * 1000
"""The largest age in milliseconds; larger ones are cut to it."""

_SECONDS = re.compile(r"[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?")

log = logging.getLogger(__name__)


class AgeReader:
    """Reads ages, and logs the first invalid one of each sender."""

    def __init__(self) -> None:
        self._warned: set[str] = set()

    def read(self, sender: str, seconds: object) -> int:
        """Return an age in milliseconds; 0 if it is missing or invalid.

        A message is worth more than its age, so it is never rejected for it.
        """
        if seconds is None:
            return 0
        age = _milliseconds(seconds)
        if age is None:
            if sender not in self._warned:
                self._warned.add(sender)
                log.warning(
                    "%s sends an invalid %s, which is ignored: it must be a number of seconds",
                    sender,
                    AGE,
                )
            return 0
        return age


def _milliseconds(seconds: object) -> int | None:
    if isinstance(seconds, str) and _SECONDS.fullmatch(seconds.strip()):
        seconds = float(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    if not seconds >= 0:  # also NaN
        return None
    return round(min(seconds * 1000, MAX_AGE))
