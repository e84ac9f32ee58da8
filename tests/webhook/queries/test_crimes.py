"""Crimes: reported, and counted by day and area."""

from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.harness import DAY, HOUR, MINUTE, AppHarness


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


async def counts(harness: AppHarness, **data: object) -> list[int]:
    """Return the crimes of today, yesterday and the day before, which all fields agree on."""
    found = await harness.ask("get-crimes-in-area", **data)
    days = [row["count"] for row in found["days"]]
    assert [row["daysAgo"] for row in found["days"]] == [0, 1, 2, 3]
    assert found["today"] == days[0]
    assert found["crimes"] == [{"day": day, "count": days[day]} for day in (1, 2, 3)]
    return days[:3]


class Reported(NamedTuple):
    """A crime: at which of the properties, so many milliseconds ago."""

    number: int | None
    ago: int


async def test_crimes_are_counted_for_as_many_days_as_asked(harness: AppHarness) -> None:
    await harness.ask("add-crime")
    harness.clock.now += DAY
    await harness.ask("add-crime")
    assert await harness.ask("get-crimes-in-area", days=2) == {
        "crimes": [{"day": 1, "count": 1}, {"day": 2, "count": 0}],
        "today": 1,
        "days": [
            {"date": "2026-11-23", "daysAgo": 0, "count": 1},
            {"date": "2026-11-22", "daysAgo": 1, "count": 1},
            {"date": "2026-11-21", "daysAgo": 2, "count": 0},
        ],
    }
    for days in (0, 32):
        assert await harness.error_code("get-crimes-in-area", days=days) == "invalid-data"


async def test_every_field_of_a_crime_may_be_missing(harness: AppHarness) -> None:
    added = await harness.ask("add-crime")
    assert added == {"success": True, "id": added["id"]}
    assert harness.take_events() == [("crimes", {"crimeId": added["id"]})]


async def test_crime_at_a_property(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    added = await harness.ask(
        "add-crime", propertyId=property_id, clientId=7, description="broke in"
    )
    assert harness.take_events() == [
        ("crimes", {"propertyId": property_id, "clientId": "7", "crimeId": added["id"]})
    ]
    assert (await harness.ask("get-user", userId=7))["id"] == "7"
    assert await harness.error_code("add-crime", propertyId=99) == "not-found"


async def test_crimes_are_counted_by_day_and_area(harness: AppHarness) -> None:
    here = await harness.add_property(x=0, y=0)
    near = await harness.add_property(x=30, y=40)
    now = harness.clock.now
    for property_id, ago in [
        (here, 0),
        (here, DAY),
        (near, 0),
        (near, 2 * DAY),
        (None, 0),
        (here, 3 * DAY),
    ]:
        harness.clock.now = now - ago
        await harness.ask("add-crime", **({"propertyId": property_id} if property_id else {}))
    harness.clock.now = now
    assert await counts(harness) == [3, 1, 1]
    assert await counts(harness, propertyId=here) == [1, 1, 0]
    assert await counts(harness, propertyId=here, radius=49) == [1, 1, 0]
    assert await counts(harness, propertyId=here, radius=50) == [2, 1, 1]
    assert await counts(harness, radius=1) == [3, 1, 1]
    assert await counts(harness, propertyId=99, radius=1) == [3, 1, 1]
    for number, found in ((here, True), (99, False)):
        answer = await harness.ask("get-crimes-in-area", propertyId=str(number))
        assert answer["propertyFound"] is found
    await harness.ask("remove-property", propertyId=near)
    assert await counts(harness, propertyId=here, radius=50) == [1, 1, 0]
    assert await counts(harness) == [2, 1, 0]


async def test_days_of_crimes_are_those_of_the_community(berlin: AppHarness) -> None:
    for when in ("2026-03-28T23:59:00+01:00", "2026-03-29T00:00:00+01:00"):
        berlin.clock.now = at(when)
        await berlin.ask("add-crime")
    berlin.clock.now = at("2026-03-30T00:30:00+02:00")
    assert await counts(berlin) == [0, 1, 1]
    berlin.clock.now += 23 * HOUR + 29 * MINUTE
    assert await counts(berlin) == [0, 1, 1]
    berlin.clock.now += MINUTE
    assert await counts(berlin) == [0, 0, 1]


@given(st.lists(st.builds(Reported, st.none() | st.integers(0, 3), st.integers(0, 4 * DAY))))
async def test_crimes_are_counted_where_they_happened(
    harness: AppHarness, reported: list[Reported]
) -> None:
    far, gone = 1_000, 3
    now = harness.clock.now = harness.clock.now + 10 * DAY
    places = [await harness.add_property(x=at, y=far) for at in (0, 300, far, 0)]
    for crime in reported:
        harness.clock.now = now - crime.ago
        where = {} if crime.number is None else {"propertyId": places[crime.number]}
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
            now // DAY - (now - crime.ago) // DAY for crime in reported if crime.number in counted
        )
        answer = await harness.ask("get-crimes-in-area", **asked, days=5)
        assert {row["daysAgo"]: row["count"] for row in answer["days"]} == {
            day: expected[day] for day in range(6)
        }
    async with harness.database.write() as sql:
        await sql.run("DELETE FROM properties")
        await sql.run("DELETE FROM crimes")
