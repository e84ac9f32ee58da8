"""Days of the community's time zone; they have 23 to 25 hours where clocks change."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple


class Day(NamedTuple):
    """A calendar day from `start` up to, not including, `end`, in milliseconds since 1970."""

    name: str
    start: int
    end: int


def today(now: int, zone: tzinfo) -> date:
    """Return the calendar day of a time."""
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(zone).date()


def days(first: date, last: date, zone: tzinfo) -> list[Day]:
    """Return every day from the first to the last, both included."""
    return [
        Day(
            day.isoformat(),
            _moment(day, time.min, zone),
            _moment(day + timedelta(1), time.min, zone),
        )
        for day in (first + timedelta(n) for n in range((last - first).days + 1))
    ]


def last_days(count: int, now: int, zone: tzinfo) -> list[Day]:
    """Return the last days, oldest first; the last of them is today."""
    last = today(now, zone)
    return days(last - timedelta(count - 1), last, zone)


def last_ended(at: time, now: int, zone: tzinfo) -> Day:
    """Return the last full day where days begin at a time of day, named by the date of its end."""
    date_of_end = today(now, zone)
    if _moment(date_of_end, at, zone) > now:
        date_of_end -= timedelta(1)
    start = _moment(date_of_end - timedelta(1), at, zone)
    return Day(date_of_end.isoformat(), start, _moment(date_of_end, at, zone))


def _moment(day: date, at: time, zone: tzinfo) -> int:
    return int(datetime.combine(day, at, zone).timestamp()) * 1000
