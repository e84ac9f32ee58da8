"""Visits: recorded by cameras, and counted by day."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db import visits
from tests.webhook.harness import DAY, AppHarness


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


async def seen(harness: AppHarness, property_id: int, camera: int, user: str, when: int) -> None:
    harness.clock.now = when
    await harness.ask("add-visitor", propertyId=property_id, userId=user, cameraId=camera)


async def scanned(harness: AppHarness, property_id: int, first: str, last: str) -> dict[str, int]:
    asked: dict[str, Any] = {"propertyId": property_id, "from": first, "to": last}
    answer = await harness.ask("get-scanned-visitors", **asked)
    return {row["day"]: row["count"] for row in answer["visitors"]}


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/Havana",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Africa/Monrovia",
]
"""Clocks that differ by parts of an hour, that change by half of one, or at midnight."""


AROUND = ["1972-01-07", "2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-11-01"]
"""Days on which one of their clocks changed."""


PEOPLE = st.sampled_from(["u1", "u2", "u3"])


class Seen(NamedTuple):
    """A visit, so many milliseconds after the third midnight before a day."""

    camera: int
    user: str
    after: int


SEEN = st.builds(
    Seen,
    st.integers(0, 2),
    PEOPLE,
    st.integers(0, 6 * DAY) | st.integers(0, 6 * 96).map(lambda quarter: quarter * DAY // 96),
)


def midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1000


async def at_new_place(harness: AppHarness, begun: int, seen: Iterable[Seen]) -> int:
    """Have the three cameras of a new property see people, in the order given."""
    property_id = await harness.add_property()
    cameras = [await harness.add_equipment(property_id, 1) for _ in range(3)]
    async with harness.database.write() as sql:
        for visit in seen:
            await visits.add(
                sql, property_id, cameras[visit.camera], visit.user, begun + visit.after
            )
    return property_id


async def test_visit_is_published_under_both_of_its_names(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    camera = await harness.add_equipment(property_id, 1)
    done = await harness.ask(
        "add-visitor", propertyId=property_id, userId="u1", cameraId=str(camera)
    )
    assert done == {"success": True}
    assert harness.take_events() == [
        ("visits", {"propertyId": property_id, "clientId": "u1", "cameraId": camera}),
        ("scanned", {"propertyId": str(property_id), "clientId": "u1"}),
    ]


async def test_a_visit_is_stored_without_an_unknown_camera(
    harness: AppHarness,
) -> None:
    property_id, other = await harness.add_property(), await harness.add_property()
    reader = await harness.add_equipment(property_id, 2)
    elsewhere = await harness.add_equipment(other, 1)
    gone = await harness.add_equipment(property_id, 1)
    await harness.ask("remove-equipment", propertyId=property_id, equipmentId=gone)
    for camera in (reader, elsewhere, gone, 99):
        asked = {"propertyId": property_id, "userId": "u1", "cameraId": camera}
        assert await harness.ask("add-visitor", **asked) == {
            "success": True,
            "warning": f"property {property_id} has no camera {camera}; "
            "the visit is stored without one",
        }
        assert harness.take_events()[-2:] == [
            ("visits", {"propertyId": property_id, "clientId": "u1"}),
            ("scanned", {"propertyId": str(property_id), "clientId": "u1"}),
        ]
    asked = {"propertyId": 99, "userId": "u1", "cameraId": elsewhere}
    assert await harness.error_code("add-visitor", **asked) == "not-found"


async def test_visitors_of_a_week(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    authenticator, yard = [
        await harness.add_equipment(property_id, 1, name) for name in ("door", "")
    ]
    now = harness.clock.now
    await seen(harness, property_id, authenticator, "too long ago", now - 7 * DAY)
    await seen(harness, property_id, authenticator, "u1", now - 6 * DAY)
    await seen(harness, property_id, authenticator, "u2", now - DAY)
    await seen(harness, property_id, yard, "u1", now)
    await seen(harness, property_id, yard, "u1", now)
    assert await harness.ask("get-weekly-visitors", propertyId=property_id) == {
        "visitors": ["u1", "u2"],
        "cameras": {
            str(authenticator): {"name": "door", "data": {"2026-11-16": 1, "2026-11-21": 1}},
            str(yard): {"name": "Camera", "data": {"2026-11-22": 2}},
        },
        str(authenticator): {"name": "door", "data": by_weekday(monday=1, saturday=1)},
        str(yard): {"name": "Camera", "data": by_weekday(sunday=2)},
    }


def by_weekday(**counts: int) -> dict[str, int]:
    names = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
    return {str(day): counts.get(name, 0) for day, name in enumerate(names, 1)}


async def test_week_without_visitors(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    assert await harness.ask("get-weekly-visitors", propertyId=property_id) == {
        "visitors": [],
        "cameras": {},
    }


async def test_scanned_visitors_by_day_with_the_empty_ones(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    camera = await harness.add_equipment(property_id, 1)
    for when in ("2026-12-30T23:59:59.999+00:00", "2027-01-01T00:00:00+00:00"):
        await seen(harness, property_id, camera, "u1", at(when))
    assert await scanned(harness, property_id, "2026-12-30", "2027-01-01") == {
        "2026-12-30": 1,
        "2026-12-31": 0,
        "2027-01-01": 1,
    }


async def test_days_are_those_of_the_community_where_clocks_change(berlin: AppHarness) -> None:
    property_id = await berlin.add_property()
    camera = await berlin.add_equipment(property_id, 1)
    for when in (
        "2026-03-28T23:59:00+01:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-29T23:59:00+02:00",
        "2026-03-30T00:00:00+02:00",
        "2026-10-25T00:00:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T23:59:00+01:00",
        "2026-10-26T00:00:00+01:00",
    ):
        await seen(berlin, property_id, camera, "u1", at(when))
    assert await scanned(berlin, property_id, "2026-03-28", "2026-03-30") == {
        "2026-03-28": 1,
        "2026-03-29": 2,
        "2026-03-30": 1,
    }
    assert await scanned(berlin, property_id, "2026-10-25", "2026-10-26") == {
        "2026-10-25": 4,
        "2026-10-26": 1,
    }
    week = await berlin.ask("get-weekly-visitors", propertyId=property_id)
    assert week["cameras"][str(camera)]["data"] == {"2026-10-25": 4, "2026-10-26": 1}


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2026-11-02", "2026-11-01", "from"),
        ("2025-01-01", "2026-01-02", "to"),
        ("2026-11-31", "2026-12-01", "from"),
        ("2026-1-1", "2026-12-011", "to"),
        ("26-1-1", "2026-12-01", "from"),
        ("2026-11-01", 20261101, "to"),
        ("2026-11-01", "٢٠٢٦-١١-٠١", "to"),
        ("0001-01-01", "0001-01-02", "from"),
        ("2026-11-01", "9999-12-31", "to"),
        ("2026-11-01T00:00:00", "2026-11-01", "from"),
        (None, "2026-11-01", "from"),
    ],
)
async def test_invalid_range_of_days_is_named_in_the_error(
    harness: AppHarness, first: object, last: object, field: str
) -> None:
    property_id = await harness.add_property()
    asked = {"propertyId": property_id, "from": first, "to": last}
    frame = await harness.frame("queries.get-scanned-visitors", asked)
    assert frame["data"]["code"] == "invalid-data"
    assert frame["data"]["fields"][0]["field"] == field


async def test_range_of_366_days_is_allowed(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    assert len(await scanned(harness, property_id, "2026-01-01", "2027-01-01")) == 366


@given(st.sampled_from(AROUND), st.sampled_from(ZONES), st.lists(SEEN, max_size=40))
@example("1972-01-07", "Africa/Monrovia", [Seen(0, "u1", 3 * DAY + 44 * 60_000 + 29_999)])
async def test_visits_are_counted_by_the_days_of_every_zone(
    harness: AppHarness, around: str, zone: str, seen: list[Seen]
) -> None:
    harness.zone, begun = ZoneInfo(zone), midnight(around) - 3 * DAY
    property_id = await at_new_place(harness, begun, seen)
    days = Counter(
        str(datetime.fromtimestamp((begun + visit.after) / 1000, harness.zone).date())
        for visit in seen
    )
    first, last = (
        str(datetime.fromtimestamp((begun + after) / 1000, UTC).date()) for after in (-DAY, 7 * DAY)
    )
    asked: dict[str, Any] = {"propertyId": property_id, "from": first, "to": last}
    answer = await harness.ask("get-scanned-visitors", **asked)
    assert {row["day"]: row["count"] for row in answer["visitors"] if row["count"]} == days


@given(st.lists(SEEN, max_size=30))
async def test_week_lists_the_last_visitor_first_and_counts_each_camera(
    harness: AppHarness, seen: list[Seen]
) -> None:
    begun = midnight("2026-11-01")
    property_id = await at_new_place(harness, begun, seen)
    harness.clock.now = begun + 8 * DAY
    week = await harness.ask("get-weekly-visitors", propertyId=property_id)
    lately = [(visit, number) for number, visit in enumerate(seen) if visit.after >= 2 * DAY]
    last = {
        user: max((visit.after, number) for visit, number in lately if visit.user == user)
        for user in {visit.user for visit, _ in lately}
    }
    if len({visit.after for visit in seen}) == len(seen):
        assert week["visitors"] == sorted(last, key=lambda user: last[user], reverse=True)
    assert set(week["visitors"]) == set(last)
    assert [sum(camera["data"].values()) for camera in week["cameras"].values()] == [
        sum(visit.camera == camera for visit, _ in lately) for camera in range(3)
    ]
