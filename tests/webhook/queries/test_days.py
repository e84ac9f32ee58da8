"""Days of the community's time zone, where clocks change and where years do."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.queries.days import days, last_days, today

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "America/Los_Angeles",
    "Asia/Beirut",
    "Atlantic/Azores",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
]
HOUR = 3_600_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def hours(day: str, zone: str) -> float:
    (only,) = days(date.fromisoformat(day), date.fromisoformat(day), ZoneInfo(zone))
    return (only.end - only.start) / HOUR


@pytest.mark.parametrize(
    ("day", "zone", "length"),
    [
        ("2026-03-28", "Europe/Berlin", 24),
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        # Midnight itself does not exist: the day begins at 01:00.
        ("2018-11-04", "America/Sao_Paulo", 23),
        ("2018-11-03", "America/Sao_Paulo", 24),
        # The last hour of the day comes twice.
        ("2018-02-17", "America/Sao_Paulo", 25),
        ("2018-02-18", "America/Sao_Paulo", 24),
        # The first hour of the day comes twice.
        ("2026-10-25", "Atlantic/Azores", 25),
        ("2026-11-01", "America/Havana", 25),
        ("2026-04-05", "Australia/Lord_Howe", 24.5),
        # A day that was left out.
        ("2011-12-30", "Pacific/Apia", 0),
        ("2026-07-01", "UTC", 24),
    ],
)
def test_day_of_a_clock_change_has_23_or_25_hours(day: str, zone: str, length: float) -> None:
    assert hours(day, zone) == length


def test_day_without_a_midnight_starts_at_its_first_moment() -> None:
    first = date(2018, 11, 4)
    (only,) = days(first, first, ZoneInfo("America/Sao_Paulo"))
    assert only.start == at("2018-11-04T03:00:00+00:00")
    assert today(only.start, ZoneInfo("America/Sao_Paulo")) == first
    assert today(only.start - 1, ZoneInfo("America/Sao_Paulo")) == date(2018, 11, 3)


def test_last_days_across_new_year() -> None:
    found = last_days(3, at("2027-01-01T00:30:00+01:00"), ZoneInfo("Europe/Berlin"))
    assert [day.name for day in found] == ["2026-12-30", "2026-12-31", "2027-01-01"]
    assert found[-1].start == at("2026-12-31T23:00:00+00:00")


def test_today_is_that_of_the_zone() -> None:
    moment = at("2026-12-31T23:30:00+00:00")
    assert today(moment, ZoneInfo("Europe/Berlin")) == date(2027, 1, 1)
    assert today(moment, ZoneInfo("UTC")) == date(2026, 12, 31)
    assert today(moment, ZoneInfo("America/Los_Angeles")) == date(2026, 12, 31)


def test_leap_day_is_a_day() -> None:
    found = days(date(2028, 2, 28), date(2028, 3, 1), ZoneInfo("UTC"))
    assert [day.name for day in found] == ["2028-02-28", "2028-02-29", "2028-03-01"]


@given(
    st.dates(date(1990, 1, 1), date(2998, 1, 1)),
    st.integers(0, 400),
    st.sampled_from(ZONES),
)
def test_days_follow_one_another_without_gap_or_overlap(first: date, more: int, zone: str) -> None:
    found = days(first, first + timedelta(more), ZoneInfo(zone))
    assert len(found) == more + 1
    assert all(one.end == next_one.start for one, next_one in pairwise(found))
    assert all(one.start <= one.end for one in found)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(ZONES),
)
def test_every_moment_lies_in_its_today(moment: datetime, zone: str) -> None:
    now = int(moment.replace(tzinfo=UTC).timestamp()) * 1000
    (day,) = last_days(1, now, ZoneInfo(zone))
    assert day.start <= now < day.end
