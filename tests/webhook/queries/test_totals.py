"""Answers count what was recorded, in every zone and wherever it happened."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from db import alarms, properties, visits
from tests.webhook.harness import DAY, AppHarness

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
    place = await harness.add_property()
    cameras = [await harness.add_equipment(place, 1) for _ in range(3)]
    async with harness.database.write() as sql:
        for visit in seen:
            await visits.add(sql, place, cameras[visit.camera], visit.user, begun + visit.after)
    return place


@given(st.sampled_from(AROUND), st.sampled_from(ZONES), st.lists(SEEN, max_size=40))
@example("1972-01-07", "Africa/Monrovia", [Seen(0, "u1", 3 * DAY + 44 * 60_000 + 29_999)])
async def test_visits_are_counted_by_the_days_of_every_zone(
    harness: AppHarness, around: str, zone: str, seen: list[Seen]
) -> None:
    harness.zone, begun = ZoneInfo(zone), midnight(around) - 3 * DAY
    place = await at_new_place(harness, begun, seen)
    days = Counter(
        str(datetime.fromtimestamp((begun + visit.after) / 1000, harness.zone).date())
        for visit in seen
    )
    first, last = (
        str(datetime.fromtimestamp((begun + after) / 1000, UTC).date()) for after in (-DAY, 7 * DAY)
    )
    asked: dict[str, Any] = {"propertyId": place, "from": first, "to": last}
    answer = await harness.ask("get-scanned-visitors", **asked)
    assert {row["day"]: row["count"] for row in answer["visitors"] if row["count"]} == days


@given(st.lists(SEEN, max_size=30))
async def test_a_week_knows_who_came_last_and_what_each_camera_saw(
    harness: AppHarness, seen: list[Seen]
) -> None:
    begun = midnight("2026-11-01")
    place = await at_new_place(harness, begun, seen)
    harness.clock.now = begun + 8 * DAY
    week = await harness.ask("get-weekly-visitors", propertyId=place)
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


class Reported(NamedTuple):
    """A crime: at which property, so many milliseconds ago."""

    place: int | None
    ago: int


@given(st.lists(st.builds(Reported, st.none() | st.integers(0, 3), st.integers(0, 4 * DAY))))
async def test_crimes_are_counted_where_they_happened(
    harness: AppHarness, reported: list[Reported]
) -> None:
    far, gone = 1_000, 3
    now = harness.clock.now = harness.clock.now + 10 * DAY
    places = [await harness.add_property(x=at, y=far) for at in (0, 300, far, 0)]
    for crime in reported:
        harness.clock.now = now - crime.ago
        where = {} if crime.place is None else {"propertyId": places[crime.place]}
        await harness.ask("add-crime", **where)
    harness.clock.now = now
    await harness.ask("remove-property", propertyId=places[gone])
    questions: list[tuple[dict[str, Any], set[int | None]]] = [
        ({}, {None, 0, 1, 2}),
        ({"propertyId": places[0]}, {0}),
        ({"propertyId": places[0], "radius": 300}, {0, 1}),
    ]
    for asked, counted in questions:
        expected = Counter(
            (now // DAY - (now - crime.ago) // DAY) + 1
            for crime in reported
            if crime.place in counted
        )
        answer = await harness.ask("get-crimes-in-area", **asked, days=5)
        assert {row["day"]: row["count"] for row in answer["crimes"]} == {
            day: expected[day] for day in range(1, 6)
        }
    async with harness.database.write() as sql:
        await sql.run("DELETE FROM properties")
        await sql.run("DELETE FROM crimes")


async def test_alarms_and_properties_are_counted_until_their_rows_are_gone(
    harness: AppHarness,
) -> None:
    places = [await harness.add_property() for _ in range(3)]
    for place in (places[0], places[0], places[1]):
        await harness.ask("add-alert", propertyId=place, userId="u1")
        alarm = await alarms.open_of_property(harness.database.read, place)
        assert alarm is not None
        await harness.ask("settle-alarm", alarmId=alarm.id, outcome="false")
    await harness.ask("approve-property", propertyId=places[1])
    await harness.ask("remove-property", propertyId=places[2])

    async def totals() -> list[int]:
        sql = harness.database.read
        alarmed = [(await alarms.page(sql, of, 1, 0))[1] for of in (None, *places)]
        return alarmed + [await properties.count(sql, of) for of in (None, "PENDING", "ACTIVE")]

    assert await totals() == [3, 2, 1, 0, 2, 1, 1]
    assert await properties.statuses(harness.database.read) == ["ACTIVE", "PENDING"]
    await harness.ask("restore-property", propertyId=places[2])
    assert await totals() == [3, 2, 1, 0, 3, 2, 1]
    await harness.ask("remove-property", propertyId=places[2])
    async with harness.database.write() as sql:
        await sql.run("DELETE FROM properties WHERE id = ?", places[0])
    assert await totals() == [1, 0, 1, 0, 1, 0, 1]
    assert await properties.statuses(harness.database.read) == ["ACTIVE"]
