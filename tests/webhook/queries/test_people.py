"""The queries on people at a property: lists, alarms, visits, crimes, doors."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.webhook.house import DAY, HOUR, MINUTE, House, open_house

AT = "2026-11-22T09:30:00.123Z"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.fixture
async def berlin(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose days are those of Berlin."""
    async with open_house(tmp_path / "berlin.db", "Europe/Berlin") as house:
        yield house


async def seen(house: House, place: int, camera: int, user: str, when: int) -> None:
    house.clock.now = when
    await house.ask("add-visitor", propertyId=place, userId=user, cameraId=camera)


async def scanned(house: House, place: int, first: str, last: str) -> dict[str, int]:
    asked: dict[str, Any] = {"propertyId": place, "from": first, "to": last}
    answer = await house.ask("get-scanned-visitors", **asked)
    return {row["day"]: row["count"] for row in answer["visitors"]}


async def test_the_list_of_allowed_users(house: House) -> None:
    place = await house.add_property()
    await house.ask("add-user", userId="u1", fullName="Wren")
    for _ in range(2):
        added = await house.ask("add-allowed-user", propertyId=place, userId="u1")
        assert added == {"success": True}
    await house.ask("add-allowed-user", propertyId=place, userId="u2")
    listed = await house.ask("get-allowed-users", propertyId=place)
    assert listed == {"allowedUsers": {"u1": "Wren", "u2": "u2"}}
    removed = await house.ask("remove-allowed-user", propertyId=place, userId="u1")
    assert removed == {"success": True}
    asked = {"propertyId": place, "userId": "u1"}
    assert await house.refused("remove-allowed-user", **asked) == "not-found"
    assert house.told() == []


@pytest.mark.parametrize(
    "name", ["add-allowed-user", "remove-allowed-user", "add-alert", "add-auth-entry"]
)
async def test_nothing_happens_at_a_property_that_is_not_there(house: House, name: str) -> None:
    before = house.dump()
    assert await house.refused(name, propertyId=99, userId="u") == "not-found"
    assert house.dump() == before


async def test_alarms_are_told_and_listed_newest_first(house: House) -> None:
    place = await house.add_property()
    numbers = []
    for user in ("u1", "u2", "u3"):
        added = await house.ask("add-alert", propertyId=place, userId=user)
        assert added == {"success": True, "id": added["id"]}
        numbers.append(added["id"])
    assert house.told()[0] == (
        "alerts",
        {"propertyId": str(place), "user": "u1", "alertId": numbers[0], "timestamp": AT},
    )
    page = await house.ask("get-alerts", propertyId=place, limit=2, offset=1)
    assert page == {
        "alerts": [
            {"id": numbers[1], "userId": "u2", "timestamp": AT},
            {"id": numbers[0], "userId": "u1", "timestamp": AT},
        ]
    }


async def test_a_visit_is_told_twice(house: House) -> None:
    place = await house.add_property()
    camera = await house.add_equipment(place, 1)
    done = await house.ask("add-visitor", propertyId=place, userId="u1", cameraId=str(camera))
    assert done == {"success": True}
    assert house.told() == [
        ("visits", {"propertyId": place, "clientId": "u1", "cameraId": camera}),
        ("scanned", {"propertyId": str(place), "clientId": "u1"}),
    ]


async def test_a_camera_that_is_not_there_sees_nobody(house: House) -> None:
    place, other = await house.add_property(), await house.add_property()
    reader = await house.add_equipment(place, 2)
    elsewhere = await house.add_equipment(other, 1)
    gone = await house.add_equipment(place, 1)
    await house.ask("remove-equipment", propertyId=place, equipmentId=gone)
    for camera in (reader, elsewhere, gone, 99):
        asked = {"propertyId": place, "userId": "u1", "cameraId": camera}
        assert await house.refused("add-visitor", **asked) == "conflict"
    asked = {"propertyId": 99, "userId": "u1", "cameraId": elsewhere}
    assert await house.refused("add-visitor", **asked) == "not-found"


async def test_the_visitors_of_a_week(house: House) -> None:
    place = await house.add_property()
    door, yard = [await house.add_equipment(place, 1, name) for name in ("door", "")]
    now = house.clock.now
    await seen(house, place, door, "too long ago", now - 7 * DAY)
    await seen(house, place, door, "u1", now - 6 * DAY)
    await seen(house, place, door, "u2", now - DAY)
    await seen(house, place, yard, "u1", now)
    await seen(house, place, yard, "u1", now)
    assert await house.ask("get-weekly-visitors", propertyId=place) == {
        "visitors": ["u1", "u2"],
        "cameras": {
            str(door): {"name": "door", "data": {"2026-11-16": 1, "2026-11-21": 1}},
            str(yard): {"name": "Camera", "data": {"2026-11-22": 2}},
        },
    }


async def test_a_week_without_visitors(house: House) -> None:
    place = await house.add_property()
    assert await house.ask("get-weekly-visitors", propertyId=place) == {
        "visitors": [],
        "cameras": {},
    }


async def test_scanned_visitors_by_day_with_the_empty_ones(house: House) -> None:
    place = await house.add_property()
    camera = await house.add_equipment(place, 1)
    for when in ("2026-12-30T23:59:59.999+00:00", "2027-01-01T00:00:00+00:00"):
        await seen(house, place, camera, "u1", at(when))
    assert await scanned(house, place, "2026-12-30", "2027-01-01") == {
        "2026-12-30": 1,
        "2026-12-31": 0,
        "2027-01-01": 1,
    }


async def test_days_are_those_of_the_community_where_clocks_change(berlin: House) -> None:
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
async def test_a_wrong_span_is_named(house: House, first: object, last: object, field: str) -> None:
    place = await house.add_property()
    asked = {"propertyId": place, "from": first, "to": last}
    frame = await house.frame("queries.get-scanned-visitors", asked)
    assert frame["data"]["code"] == "invalid-data"
    assert frame["data"]["fields"][0]["field"] == field


async def test_a_span_of_366_days_is_answered(house: House) -> None:
    place = await house.add_property()
    assert len(await scanned(house, place, "2026-01-01", "2027-01-01")) == 366


async def test_a_crime_may_be_about_nothing(house: House) -> None:
    added = await house.ask("add-crime")
    assert added == {"success": True, "id": added["id"]}
    assert house.told() == [
        ("crimes", {"propertyId": None, "clientId": None, "crimeId": added["id"]})
    ]


async def test_a_crime_at_a_property(house: House) -> None:
    place = await house.add_property()
    added = await house.ask("add-crime", propertyId=place, clientId=7, description="broke in")
    assert house.told() == [
        ("crimes", {"propertyId": place, "clientId": "7", "crimeId": added["id"]})
    ]
    assert (await house.ask("get-user", userId=7))["id"] == "7"
    assert await house.refused("add-crime", propertyId=99) == "not-found"


async def counts(house: House, **data: object) -> list[int]:
    crimes = (await house.ask("get-crimes-in-area", **data))["crimes"]
    assert [row["day"] for row in crimes] == [1, 2, 3]
    return [row["count"] for row in crimes]


async def test_crimes_are_counted_by_day_and_area(house: House) -> None:
    here = await house.add_property(x=0, y=0)
    near = await house.add_property(x=30, y=40)
    now = house.clock.now
    for place, ago in [
        (here, 0),
        (here, DAY),
        (near, 0),
        (near, 2 * DAY),
        (None, 0),
        (here, 3 * DAY),
    ]:
        house.clock.now = now - ago
        await house.ask("add-crime", **({"propertyId": place} if place else {}))
    house.clock.now = now
    assert await counts(house) == [3, 1, 1]
    assert await counts(house, propertyId=here) == [1, 1, 0]
    assert await counts(house, propertyId=here, radius=49) == [1, 1, 0]
    assert await counts(house, propertyId=here, radius=50) == [2, 1, 1]
    assert await counts(house, radius=1) == [3, 1, 1]
    assert await house.refused("get-crimes-in-area", propertyId=99) == "not-found"
    await house.ask("remove-property", propertyId=near)
    assert await counts(house, propertyId=here, radius=50) == [1, 1, 0]
    assert await counts(house) == [2, 1, 0]


async def test_the_days_of_crimes_are_those_of_the_community(berlin: House) -> None:
    for when in ("2026-03-28T23:59:00+01:00", "2026-03-29T00:00:00+01:00"):
        berlin.clock.now = at(when)
        await berlin.ask("add-crime")
    berlin.clock.now = at("2026-03-30T00:30:00+02:00")
    assert await counts(berlin) == [0, 1, 1]
    berlin.clock.now += 23 * HOUR + 29 * MINUTE
    assert await counts(berlin) == [0, 1, 1]
    berlin.clock.now += MINUTE
    assert await counts(berlin) == [0, 0, 1]


async def test_the_door_knows_owners_and_the_list(house: House) -> None:
    place = await house.add_property(clientId="owner")
    await house.ask("add-allowed-user", propertyId=place, userId="friend")
    for user in ("owner", "friend", "stranger"):
        added = await house.ask("add-auth-entry", propertyId=str(place), userId=user)
        assert added == {"success": True}
    assert house.told() == [
        ("auth-entries", {"propertyId": str(place), "clientId": user, "allowed": allowed})
        for user, allowed in [("owner", True), ("friend", True), ("stranger", False)]
    ]
    assert await house.ask("get-auth-entries", propertyId=place) == {
        "authEntries": [
            {"user_id": user, "timestamp": AT} for user in ("stranger", "friend", "owner")
        ]
    }
