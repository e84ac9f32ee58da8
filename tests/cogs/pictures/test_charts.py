"""Charts show what was counted, in bars and in words, whatever there is to count."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.pictures.charts import COLOURS, NAMED, crimes_chart, visitors_chart
from cogs.pictures.drawing import BACKGROUND, FIELD
from cogs.ui.picture import ALT
from tests.cogs.pictures.pixels import opened, share
from tests.examples import examples
from webhook.queries.crimes import CrimesOn
from webhook.queries.properties.visitors import (
    CameraWeek,
    DayVisitors,
    ScannedVisitors,
    WeeklyVisitors,
)

TODAY = date(2026, 11, 22)
COUNTS = st.integers(0, 3) | st.integers(0, 10**12)


def _week(**cameras: dict[str, int]) -> WeeklyVisitors:
    known = {
        str(number): CameraWeek(name=name, data=data)
        for number, (name, data) in enumerate(cameras.items())
    }
    return WeeklyVisitors(visitors=[], cameras=known)


def _crimes(*newest_first: int) -> list[CrimesOn]:
    dates = [(TODAY - timedelta(ago)).isoformat() for ago in range(len(newest_first))]
    return [
        CrimesOn(date=dates[ago], days_ago=ago, count=count)
        for ago, count in enumerate(newest_first)
    ]


def test_a_week_is_stacked_by_camera_with_alt_text() -> None:
    week = _week(Door={"2026-11-20": 2, "2026-11-22": 1}, Yard={"2026-11-20": 2})
    picture = visitors_chart("Villa *bold*", week, TODAY)
    assert picture.alt == (
        "Visits · Villa *bold*, 2026-11-16 – 2026-11-22 · 5 in all:"
        " 2026-11-20 4, 2026-11-22 1. Door 3, Yard 2."
    )
    image = opened(picture.draw())
    assert image.width >= 800
    friday, sunday = (620, 220, 700, 596), (870, 220, 950, 596)
    assert share(image, COLOURS[0], friday) > 0.3
    assert share(image, COLOURS[1], friday) > 0.15
    assert share(image, COLOURS[0], sunday) > 0.15
    assert not share(image, COLOURS[1], sunday)
    assert not share(image, COLOURS[0], (100, 220, 560, 580)), "other days have no bar"


def test_crimes_show_three_days_the_oldest_first() -> None:
    picture = crimes_chart("Davis", _crimes(3, 0, 12))
    assert picture.alt == (
        "Crimes · Davis, 2026-11-20 – 2026-11-22 · 15 in all: 2026-11-20 12, 2026-11-22 3."
    )
    image = opened(picture.draw())
    left, middle, right = (
        share(image, COLOURS[0], (start, 200, start + 300, 598)) for start in (60, 370, 680)
    )
    assert left == pytest.approx(4 * right, rel=0.1)
    assert not middle


def test_a_span_of_days_is_one_series_without_a_legend() -> None:
    days = [DayVisitors(day=f"2026-11-{day:02}", count=day) for day in range(1, 31)]
    image = opened(visitors_chart("Villa", ScannedVisitors(visitors=days), TODAY).draw())
    assert share(image, COLOURS[0]) > 0.1
    assert not share(image, COLOURS[1])
    with_cameras = opened(visitors_chart("Villa", _week(Door={"2026-11-20": 1}), TODAY).draw())
    assert image.height < with_cameras.height


def test_the_last_of_many_days_is_named() -> None:
    def names(number: int, last: str) -> bytes:
        """Return what is written below the bars."""
        days = [DayVisitors(day="2026-11-01", count=1)] * (number - 1)
        visits = ScannedVisitors(visitors=[*days, DayVisitors(day=last, count=1)])
        image = opened(visitors_chart("Villa", visits, TODAY).draw())
        return image.crop((0, 600, image.width, image.height)).tobytes()

    for number in (27, 30, 31):
        assert names(number, "2026-11-28") != names(number, "2026-11-29")


def test_an_empty_chart_says_so() -> None:
    picture = visitors_chart("Villa", _week(Door={}), TODAY)
    assert picture.alt == "Visits · Villa, 2026-11-16 – 2026-11-22: No visits."
    image = opened(picture.draw())
    assert share(image, FIELD) > 0.4
    assert share(image, BACKGROUND, (0, 0, 20, 20)) == 1


def test_the_digest_changes_with_what_is_shown() -> None:
    week = _week(Door={"2026-11-20": 2})
    same = visitors_chart("Villa", week, TODAY)
    assert visitors_chart("Villa", week, TODAY).digest == same.digest
    others = [
        visitors_chart("Villas", week, TODAY),
        visitors_chart("Villa", week, TODAY + timedelta(1)),
        visitors_chart("Villa", _week(Door={"2026-11-20": 3}), TODAY),
    ]
    assert len({same.digest, *(one.digest for one in others)}) == 4


@examples(0.16)
@given(
    st.lists(st.tuples(st.text(max_size=300), st.lists(COUNTS, max_size=7)), max_size=12),
    st.text(max_size=300),
)
def test_any_week_is_drawn(cameras: list[tuple[str, list[int]]], place: str) -> None:
    known = {
        str(number): CameraWeek(
            name=name,
            data={str(TODAY - timedelta(back)): count for back, count in enumerate(counts)},
        )
        for number, (name, counts) in enumerate(cameras)
    }
    picture = visitors_chart(place, WeeklyVisitors(visitors=[], cameras=known), TODAY)
    assert 0 < len(picture.alt) <= ALT
    assert opened(picture.draw()).width == 1_000


@examples(0.16)
@given(st.lists(COUNTS, min_size=1, max_size=366))
def test_any_span_of_days_is_drawn(counts: list[int]) -> None:
    days = [
        DayVisitors(day=str(TODAY + timedelta(number)), count=count)
        for number, count in enumerate(counts)
    ]
    image = opened(visitors_chart("Villa", ScannedVisitors(visitors=days), TODAY).draw())
    assert image.size == (1_000, 710)


def test_200_cameras_have_a_legend_of_those_with_most_visits() -> None:
    known = {
        str(number): CameraWeek(name=f"Camera {number}", data={str(TODAY): number})
        for number in range(200)
    }
    picture = visitors_chart("Tower", WeeklyVisitors(visitors=[], cameras=known), TODAY)
    assert picture.alt.endswith(
        " Camera 199 199, Camera 198 198, Camera 197 197, Camera 196 196, Camera 195 195,"
        " Camera 194 194, 194 others 18721."
    )
    image = opened(picture.draw())
    assert image.height < 1_000
    assert all(share(image, colour) for colour in COLOURS[: NAMED + 1])
