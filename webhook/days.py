"""Days of the community's time zone; they have 23 to 25 hours where clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Day(NamedTuple):
    """A calendar day from `start` up to, not including, `end`, in milliseconds since 1970."""

    name: str
    start: int
    end: int


def today(now: int, zone: ZoneInfo) -> date:
    """Return the calendar day of a time."""
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).date()


def days(first: date, last: date, zone: ZoneInfo) -> list[Day]:
    """Return every day from the first to the last, both included."""
    return [
        Day(day.isoformat(), _start(day, zone), _start(day + timedelta(1), zone))
        for day in (first + timedelta(n) for n in range((last - first).days + 1))
    ]


def last_days(count: int, now: int, zone: ZoneInfo) -> list[Day]:
    """Return the last days, oldest first; the last of them is today."""
    last = today(now, zone)
    return days(last - timedelta(count - 1), last, zone)


def _start(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time.min, zone).timestamp()) * 1000
