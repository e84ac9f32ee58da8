"""Reading the times that the CAD and scripts write as text: of notes, and of the last change."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import NamedTuple

DAY = 24 * 60 * 60
"""Seconds of a day."""

_EPOCH = re.compile(r"(\d{9,10}|\d{12,13})(?:\.\d+)?")
_CLOCK = re.compile(
    r"(?<![\d:])(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?\s*([ap]\.?m\b)?", re.IGNORECASE
)
_ZONE = re.compile(
    r"\s*(?:(Z|UTC|GMT)\b)?\s*(?:([+-])(\d{2}|\d(?=\D|$)):?(\d{2})?(?!\d))?", re.IGNORECASE
)
_YEAR_FIRST = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"\b(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4})\b")
_MONTH = re.compile(r"\b(?:(\d{1,2})\s+)?([A-Z][a-z]{2})[a-z]*\.?\s+(?:(\d{1,2}),?\s+)?(\d{4})\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Written(NamedTuple):
    """A time as far as a text gives it: the moment, else only the time of day."""

    at: datetime | None
    clock: time | None
    zone: tzinfo | None = None


def instant(text: str, zone: tzinfo) -> int | None:
    """Read a date with a time, in milliseconds since 1970; `zone` is for a text without one."""
    at = _read(text, zone).at
    return None if at is None else round(at.timestamp() * 1000)


def seconds_of_day(text: str, zone: tzinfo, shown_in: tzinfo, now: int) -> int | None:
    """Read when on its day something was written, in seconds on the clocks of another zone.

    `zone` is for a text that gives none, `now` for one without a date, in milliseconds since 1970.
    Scripts write midnight without a date where they do not know the time.
    """
    found = _read(text, zone)
    at = found.at
    if at is None and found.clock is not None and found.clock != time():
        own = found.zone or zone
        at = datetime.combine(datetime.fromtimestamp(now / 1000, own), found.clock, own)
    if at is None:
        return None
    shown = at.astimezone(shown_in)
    return shown.hour * 3600 + shown.minute * 60 + shown.second


def _read(text: str, zone: tzinfo) -> Written:
    text = text.strip()
    if epoch := _EPOCH.fullmatch(text):
        seconds = int(epoch[1]) if len(epoch[1]) < 12 else int(epoch[1]) / 1000
        return Written(datetime.fromtimestamp(seconds, UTC), None)
    found = _CLOCK.search(text.replace("T", " "))
    if found is None:
        return Written(None, None)
    clock = _clock(found)
    if clock is None:
        return Written(None, None)
    own = _zone(text[found.end() :])
    day = _date(text[: found.start()]) or _date(text[found.end() :])
    if day is None:
        return Written(None, clock, own)
    try:
        return Written(datetime.combine(day, clock, own or zone), clock, own)
    except OverflowError:
        return Written(None, clock, own)


def _clock(found: re.Match[str]) -> time | None:
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[4]:
        hours = hours % 12 + (12 if found[4][0] in "pP" else 0)
    try:
        return time(hours, minutes, seconds)
    except ValueError:
        return None


def _zone(rest: str) -> tzinfo | None:
    """Read the zone behind a time: `Z`, `+02:00`, `GMT-0500 (EST)`."""
    found = _ZONE.match(rest)
    if found is None or not (found[1] or found[2]):
        return None
    shift = timedelta(hours=int(found[3] or 0), minutes=int(found[4] or 0))
    return timezone(-shift if found[2] == "-" else shift) if shift < timedelta(hours=24) else UTC


def _date(text: str) -> date | None:
    """Read a date: 2026-11-29, 11/29/2026, 29.11.2026, Nov 29 2026, 29 November 2026."""
    try:
        if found := _YEAR_FIRST.search(text.replace("T", " ")):
            return date(int(found[1]), int(found[2]), int(found[3]))
        if found := _YEAR_LAST.search(text):
            first, second = int(found[1]), int(found[3])
            # With slashes the month comes first, unless it cannot be one.
            month, day = (first, second) if found[2] == "/" and first <= 12 else (second, first)
            return date(int(found[4]), month, day)
        if found := _MONTH.search(text):
            return date(int(found[4]), 1 + _MONTHS.index(found[2]), int(found[1] or found[3] or 0))
    except ValueError:
        return None
    return None
