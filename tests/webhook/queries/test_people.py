"""The queries on people at a property: lists, alarms, visits, crimes, doors."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.webhook.harness import DAY, HOUR, MINUTE, AppHarness, open_harness

AT = "2026-11-22T09:30:00.123Z"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.fixture
async def berlin(tmp_path: Path) -> AsyncIterator[AppHarness]:
    """A house whose days are those of Berlin."""
    async with open_harness(tmp_path / "berlin.db", "Europe/Berlin") as harness:
        yield harness


async def seen(harness: AppHarness, place: int, camera: int, user: str, when: int) -> None:
    harness.clock.now = when
    await harness.ask("add-visitor", propertyId=place, userId=user, cameraId=camera)


async def scanned(harness: AppHarness, place: int, first: str, last: str) -> dict[str, int]:
    asked: dict[str, Any] = {"propertyId": place, "from": first, "to": last}
    answer = await harness.ask("get-scanned-visitors", **asked)
    return {row["day"]: row["count"] for row in answer["visitors"]}


async def test_the_list_of_allowed_users(harness: AppHarness) -> None:
    place = await harness.add_property()
    await harness.ask("add-user", userId="u1", fullName="Wren")
    for _ in range(2):
        added = await harness.ask("add-allowed-user", propertyId=place, userId="u1")
        assert added == {"success": True}
    await harness.ask("add-allowed-user", propertyId=place, userId="u2")
    listed = await harness.ask("get-allowed-users", propertyId=place)
    assert listed == {"allowedUsers": {"u1": "Wren", "u2": "u2"}}
    removed = await harness.ask("remove-allowed-user", propertyId=place, userId="u1")
    assert removed == {"success": True}
    asked = {"propertyId": place, "userId": "u1"}
    assert await harness.error_code("remove-allowed-user", **asked) == "not-found"
    assert harness.take_events() == []


@pytest.mark.parametrize(
    "name", ["add-allowed-user", "remove-allowed-user", "add-alert", "add-auth-entry"]
)
async def test_nothing_happens_at_a_property_that_is_not_there(
    harness: AppHarness, name: str
) -> None:
    before = harness.dump()
    assert await harness.error_code(name, propertyId=99, userId="u") == "not-found"
    assert harness.dump() == before


async def test_alarms_are_told_and_listed_newest_first(harness: AppHarness) -> None:
    place = await harness.add_property()
    numbers = []
    for user in ("u1", "u2", "u3"):
        added = await harness.ask("add-alert", propertyId=place, userId=user)
        assert added == {"success": True, "id": added["id"]}
        numbers.append(added["id"])
    assert harness.take_events()[0] == (
        "alerts",
        {"propertyId": str(place), "user": "u1", "alertId": numbers[0], "timestamp": AT},
    )
    page = await harness.ask("get-alerts", propertyId=place, limit=2, offset=1)
    assert page == {
        "alerts": [
            {"id": numbers[1], "userId": "u2", "timestamp": AT},
            {"id": numbers[0], "userId": "u1", "timestamp": AT},
        ]
    }


async def test_a_visit_is_told_twice(harness: AppHarness) -> None:
    place = await harness.add_property()
    camera = await harness.add_equipment(place, 1)
    done = await harness.ask("add-visitor", propertyId=place, userId="u1", cameraId=str(camera))
    assert done == {"success": True}
    assert harness.take_events() == [
        ("visits", {"propertyId": place, "clientId": "u1", "cameraId": camera}),
        ("scanned", {"propertyId": str(place), "clientId": "u1"}),
    ]


async def test_a_camera_that_is_not_there_sees_nobody(harness: AppHarness) -> None:
    place, other = await harness.add_property(), await harness.add_property()
    reader = await harness.add_equipment(place, 2)
    elsewhere = await harness.add_equipment(other, 1)
    gone = await harness.add_equipment(place, 1)
    await harness.ask("remove-equipment", propertyId=place, equipmentId=gone)
    for camera in (reader, elsewhere, gone, 99):
        asked = {"propertyId": place, "userId": "u1", "cameraId": camera}
        assert await harness.error_code("add-visitor", **asked) == "conflict"
    asked = {"propertyId": 99, "userId": "u1", "cameraId": elsewhere}
    assert await harness.error_code("add-visitor", **asked) == "not-found"


async def test_the_visitors_of_a_week(harness: AppHarness) -> None:
    place = await harness.add_property()
    authenticator, yard = [await harness.add_equipment(place, 1, name) for name in ("door", "")]
    now = harness.clock.now
    await seen(harness, place, authenticator, "too long ago", now - 7 * DAY)
    await seen(harness, place, authenticator, "u1", now - 6 * DAY)
    await seen(harness, place, authenticator, "u2", now - DAY)
    await seen(harness, place, yard, "u1", now)
    await seen(harness, place, yard, "u1", now)
    assert await harness.ask("get-weekly-visitors", propertyId=place) == {
        "visitors": ["u1", "u2"],
        "cameras": {
            str(authenticator): {"name": "door", "data": {"2026-11-16": 1, "2026-11-21": 1}},
            str(yard): {"name": "Camera", "data": {"2026-11-22": 2}},
        },
    }


async def test_a_week_without_visitors(harness: AppHarness) -> None:
    place = await harness.add_property()
    assert await harness.ask("get-weekly-visitors", propertyId=place) == {
        "visitors": [],
        "cameras": {},
    }


async def test_scanned_visitors_by_day_with_the_empty_ones(harness: AppHarness) -> None:
    place = await harness.add_property()
    camera = await harness.add_equipment(place, 1)
    for when in ("2026-12-30T23:59:59.999+00:00", "2027-01-01T00:00:00+00:00"):
        await seen(harness, place, camera, "u1", at(when))
    assert await scanned(harness, place, "2026-12-30", "2027-01-01") == {
        "2026-12-30": 1,
        "2026-12-31": 0,
        "2027-01-01": 1,
    }


async def test_days_are_those_of_the_community_where_clocks_change(berlin: AppHarness) -> None:
    place = await berlin.add_property()
    camera = await berlin.add_equipment(place, 1)
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
        await seen(berlin, place, camera, "u1", at(when))
    assert await scanned(berlin, place, "2026-03-28", "2026-03-30") == {
        "2026-03-28": 1,
        "2026-03-29": 2,
        "2026-03-30": 1,
    }
    assert await scanned(berlin, place, "2026-10-25", "2026-10-26") == {
        "2026-10-25": 4,
        "2026-10-26": 1,
    }
    week = await berlin.ask("get-weekly-visitors", propertyId=place)
    assert week["cameras"][str(camera)]["data"] == {"2026-10-25": 4, "2026-10-26": 1}


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        ("2026-11-02", "2026-11-01", "from"),
        ("2025-01-01", "2026-01-02", "to"),
        ("2026-11-31", "2026-12-01", "from"),
        ("2026-1-1", "2026-12-01", "from"),
        ("2026-11-01", 20261101, "to"),
        ("2026-11-01", "٢٠٢٦-١١-٠١", "to"),
        ("0001-01-01", "0001-01-02", "from"),
        ("2026-11-01", "9999-12-31", "to"),
        ("2026-11-01T00:00:00", "2026-11-01", "from"),
        (None, "2026-11-01", "from"),
    ],
)
async def test_a_wrong_span_is_named(
    harness: AppHarness, first: object, last: object, field: str
) -> None:
    place = await harness.add_property()
    asked = {"propertyId": place, "from": first, "to": last}
    frame = await harness.frame("queries.get-scanned-visitors", asked)
    assert frame["data"]["code"] == "invalid-data"
    assert frame["data"]["fields"][0]["field"] == field


async def test_a_span_of_366_days_is_answered(harness: AppHarness) -> None:
    place = await harness.add_property()
    assert len(await scanned(harness, place, "2026-01-01", "2027-01-01")) == 366


async def test_a_crime_may_be_about_nothing(harness: AppHarness) -> None:
    added = await harness.ask("add-crime")
    assert added == {"success": True, "id": added["id"]}
    assert harness.take_events() == [
        ("crimes", {"propertyId": None, "clientId": None, "crimeId": added["id"]})
    ]


async def test_a_crime_at_a_property(harness: AppHarness) -> None:
    place = await harness.add_property()
    added = await harness.ask("add-crime", propertyId=place, clientId=7, description="broke in")
    assert harness.take_events() == [
        ("crimes", {"propertyId": place, "clientId": "7", "crimeId": added["id"]})
    ]
    assert (await harness.ask("get-user", userId=7))["id"] == "7"
    assert await harness.error_code("add-crime", propertyId=99) == "not-found"


async def counts(harness: AppHarness, **data: object) -> list[int]:
    crimes = (await harness.ask("get-crimes-in-area", **data))["crimes"]
    assert [row["day"] for row in crimes] == [1, 2, 3]
    return [row["count"] for row in crimes]


async def test_crimes_are_counted_by_day_and_area(harness: AppHarness) -> None:
    here = await harness.add_property(x=0, y=0)
    near = await harness.add_property(x=30, y=40)
    now = harness.clock.now
    for place, ago in [
        (here, 0),
        (here, DAY),
        (near, 0),
        (near, 2 * DAY),
        (None, 0),
        (here, 3 * DAY),
    ]:
        harness.clock.now = now - ago
        await harness.ask("add-crime", **({"propertyId": place} if place else {}))
    harness.clock.now = now
    assert await counts(harness) == [3, 1, 1]
    assert await counts(harness, propertyId=here) == [1, 1, 0]
    assert await counts(harness, propertyId=here, radius=49) == [1, 1, 0]
    assert await counts(harness, propertyId=here, radius=50) == [2, 1, 1]
    assert await counts(harness, radius=1) == [3, 1, 1]
    assert await harness.error_code("get-crimes-in-area", propertyId=99) == "not-found"
    await harness.ask("remove-property", propertyId=near)
    assert await counts(harness, propertyId=here, radius=50) == [1, 1, 0]
    assert await counts(harness) == [2, 1, 0]


async def test_the_days_of_crimes_are_those_of_the_community(berlin: AppHarness) -> None:
    for when in ("2026-03-28T23:59:00+01:00", "2026-03-29T00:00:00+01:00"):
        berlin.clock.now = at(when)
        await berlin.ask("add-crime")
    berlin.clock.now = at("2026-03-30T00:30:00+02:00")
    assert await counts(berlin) == [0, 1, 1]
    berlin.clock.now += 23 * HOUR + 29 * MINUTE
    assert await counts(berlin) == [0, 1, 1]
    berlin.clock.now += MINUTE
    assert await counts(berlin) == [0, 0, 1]


async def test_the_door_knows_owners_and_the_list(harness: AppHarness) -> None:
    place = await harness.add_property(clientId="owner")
    await harness.ask("add-allowed-user", propertyId=place, userId="friend")
    for user in ("owner", "friend", "stranger"):
        added = await harness.ask("add-auth-entry", propertyId=str(place), userId=user)
        assert added == {"success": True}
    assert harness.take_events() == [
        ("auth-entries", {"propertyId": str(place), "clientId": user, "allowed": allowed})
        for user, allowed in [("owner", True), ("friend", True), ("stranger", False)]
    ]
    assert await harness.ask("get-auth-entries", propertyId=place) == {
        "authEntries": [
            {"user_id": user, "timestamp": AT} for user in ("stranger", "friend", "owner")
        ]
    }
