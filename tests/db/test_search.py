"""Searching finds what a look at every row would find, through an index, the likeliest first."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db import community, equipment, properties, users
from db.community import EquipmentType, Tier
from db.database import Database
from db.migrate import migrations
from db.search import fold_case, indexed, words

TEXTS = st.text(st.sampled_from("aAbBéÉßİı\0\n \"'*():-^😀中文ﬁ1290\u0301"), max_size=12)


@pytest.fixture
async def stocked(database: Database) -> Database:
    """A database with a tier and equipment types on offer."""
    async with database.write() as sql:
        kinds = [EquipmentType(1, "Camera"), EquipmentType(3, "Drone")]
        await community.replace(sql, [Tier(1, "Basic", "1")], kinds)
    return database


@pytest.fixture(params=[1, 1_000])
def first(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With few users before the index, what a large database meets happens here too."""
    monkeypatch.setattr("db.users.FIRST", request.param)


async def add(database: Database, *locations: str, description: str = "") -> list[int]:
    async with database.write() as sql:
        return [
            await properties.add(
                sql,
                location=location,
                tier=1,
                x=0,
                y=0,
                width=0,
                height=0,
                description=description,
                owner="o",
                now=1,
            )
            for location in locations
        ]


@given(st.lists(TEXTS, min_size=1, max_size=3), TEXTS, TEXTS, st.integers(0, 9))
@example(["Pier 400"], "x", "00", 0)
@example(['say "hi"'], "x", 'y "h', 0)
@example(["a\0bcdef"], "", "cde", 0)
@example(["x"], "", "text : x", 0)
@example(["[12] 9 a", "[12] 90 a"], "12 9", "12] 9 ", 0)
@example(["a"], "q", "q", 0)
async def test_property_search_finds_exactly_the_matching_rows(
    stocked: Database, locations: list[str], description: str, other: str, start: int
) -> None:
    await add(stocked, *locations, description=description)
    everything = await stocked.read.all(
        lambda *row: row, "SELECT id, location, description FROM properties ORDER BY id"
    )
    for search in (other, locations[0][start:], description[:5], str(everything[-1][0])):
        wanted = fold_case(search)
        expected = [
            number
            for number, location, described in everything
            if wanted in fold_case(location, described) or wanted in str(number)
        ]
        found = await properties.page(stocked.read, search, 10_000, 0)
        assert [row.id for row in found] == expected
        second_page = await properties.page(stocked.read, search, 2, 2)
        assert [row.id for row in second_page] == expected[2:4]
        pending = await properties.page_of_status(stocked.read, properties.PENDING, search)
        assert [row.id for row in pending] == expected
        assert {row.id for row in await properties.suggest(stocked.read, search, 10_000)} <= {
            *expected,
            *(row[0] for row in everything if _place(search) in _place(row[1])),
            *(row[0] for row in everything if str(row[0]) == search.lstrip("0")),
        }


def _place(text: str) -> str:
    return " ".join(words(text))


@pytest.mark.usefixtures("first")
@given(st.lists(st.tuples(TEXTS.filter(bool), TEXTS.filter(bool)), min_size=1, max_size=3), TEXTS)
async def test_user_search_finds_current_names(
    stocked: Database, people: list[tuple[str, str]], other: str
) -> None:
    async with stocked.write() as sql:
        for user_id, name in people:
            await users.add_seen(sql, user_id)
            await users.put(sql, user_id, name)
        await users.add_seen(sql, "gone")
        await users.remove(sql, "gone")
    everybody = await stocked.read.all(users.User, "SELECT id, full_name FROM users ORDER BY id")
    for search in (other, people[-1][0], people[-1][1][1:]):
        wanted = fold_case(search)
        expected = [
            user.id
            for user in everybody
            if wanted in fold_case(user.full_name, user.id) or wanted in fold_case(user.id)
        ]
        found = [user.id for user in await users.page(stocked.read, search, 10_000, 0)]
        if all(user.full_name != user.id for user in everybody):
            assert found == expected
        second_page = await users.page(stocked.read, search, 2, 2)
        assert [user.id for user in second_page] == found[2:4]
        assert set(found) <= set(expected)


async def test_property_suggestions_are_ranked(stocked: Database) -> None:
    names = ["East Vinewood", "Alta 5", "The olive grove", "Vinewood", "Vine St"]
    await add(stocked, *names)
    for typed, expected in {
        "vin": ["Vine St", "Vinewood", "East Vinewood"],
        "v": ["Vine St", "Vinewood", "East Vinewood"],
        "wood": ["East Vinewood", "Vinewood"],
        "vinewood": ["Vinewood", "East Vinewood"],
        "5": ["Vine St", "Alta 5"],
        "ive gr": ["The olive grove"],
        "": names,
        "(": [],
    }.items():
        found = await properties.suggest(stocked.read, typed, 25)
        assert [row.location for row in found] == expected, typed
    assert len(await properties.suggest(stocked.read, "v", 2)) == 2


async def test_user_and_drone_suggestions_are_ranked(stocked: Database) -> None:
    (place,) = await add(stocked, "Villa")
    async with stocked.write() as sql:
        for user_id, name in {"u1": "Ann Wren", "u2": "Wren Hall", "u3": "Bewren"}.items():
            await users.put(sql, user_id, name)
        for name in ("South wren", "wrens", "gull"):
            await equipment.add(sql, place, equipment.DRONE, name, 1)
        await equipment.add(sql, place, equipment.CAMERA, "wren camera", 1)
    found = await users.suggest(stocked.read, "wren", 25)
    assert [user.id for user in found] == ["u2", "u1", "u3"]
    assert [user.id for user in await users.suggest(stocked.read, "u3", 25)] == ["u3"]
    assert len(await users.suggest(stocked.read, "", 25)) == 3

    async def drones(typed: str) -> list[int]:
        found = await equipment.suggest(stocked.read, typed, equipment.DRONE, 25)
        return [row.id for row in found]

    assert await drones("wr") == [1, 2]
    assert await drones("ull") == [3]
    assert await drones("2") == [2]
    assert await drones("") == [3, 2, 1]


async def test_rows_from_before_the_index_are_found(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    number, first = migrations()[0]
    with closing(sqlite3.connect(path)) as old:
        old.executescript(first)
        old.execute(f"PRAGMA user_version = {number}")
        old.execute(f"PRAGMA application_id = {0x5E471E1}")
        old.execute("INSERT INTO tiers VALUES (1, 'Basic', '1', 0)")
        old.execute("INSERT INTO users VALUES ('license:1', 'Wren', 'wren\nlicense:1')")
        old.execute(
            "INSERT INTO properties (location, tier, x, y, width, height, status, description,"
            " owner, added_at, searched, place)"
            " VALUES ('Old mill', 1, 0, 0, 0, 0, 'ACTIVE', '', 'o', 1, 'old mill\n', 'old mill')"
        )
        old.commit()
    async with Database.open(path) as database:
        assert [row.id for row in await properties.page(database.read, "d mil", 9, 0)] == [1]
        assert [row.id for row in await users.page(database.read, "wren", 9, 0)] == ["license:1"]
        assert [row.id for row in await users.suggest(database.read, "license", 9)] == ["license:1"]
        assert [row.id for row in await users.page(database.read, "re", 9, 0)] == ["license:1"]
        assert [row.id for row in await properties.suggest(database.read, "m", 9)] == [1]
        migrated = await database.read.all(str, "SELECT text FROM user_search")
        async with database.write() as sql:
            await users.put(sql, "license:1", "Wren")
        assert await database.read.all(str, "SELECT text FROM user_search") == migrated
        assert await database.read.one(str, "SELECT text FROM property_search") == indexed(
            "1\nold mill\n\n old mill \n  "
        )
