"""Which property a call is at: the rules alone, and as pushes meet them."""

from collections.abc import Iterable
from math import hypot
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import dispatches, emergencies
from db.search import words
from tests.webhook.harness import AppHarness
from webhook.cad.apply.matching import (
    MAX_ADDRESS_WORDS,
    MAX_POSTAL_WORDS,
    MIN_LOCATION_LENGTH,
    REACH,
    CallLocation,
    code_of,
    phrases_of,
    property_at,
)
from webhook.cad.store import store_push

CAD = "cad"

Lot = dict[str, Any]
"""The fields of a property."""


def lot(**fields: Any) -> Lot:
    elsewhere = {"x": 9_000, "y": 9_000, "width": 0, "height": 0}
    return elsewhere | {"location": "Somewhere else", "description": ""} | fields


async def put_lots(harness: AppHarness, lots: Iterable[Lot]) -> dict[int | None, int | None]:
    """Have these properties and no others; return their numbers, from 1, by their ids."""
    async with harness.database.write() as sql:
        await sql.run("DELETE FROM property_search")
        await sql.run("DELETE FROM properties")
    ids = [await harness.add_property(**fields) for fields in lots]
    return {None: None} | {stored: number for number, stored in enumerate(ids, 1)}


async def found(harness: AppHarness, location: CallLocation, *lots: Lot) -> int | None:
    """Return the number, from 1, of the property that a call is at."""
    numbers = await put_lots(harness, lots)
    return numbers[await property_at(harness.database.read, location)]


async def test_point_is_in_a_rectangle_or_near_a_property_without_one(
    harness: AppHarness,
) -> None:
    lots = [lot(x=100, y=200, width=10, height=20), lot(x=-500, y=-500)]
    for position, number in (
        ((100, 200), 1),
        ((110, 220), 1),
        ((105, 205), 1),
        ((99.9, 205), None),
        ((111, 205), None),
        ((105, 220.5), None),
        ((-500, -500), 2),
        ((-515, -520), 2),
        ((-526, -500), None),
        ((-518, -518), None),
    ):
        assert await found(harness, CallLocation(position=position), *lots) == number, position


async def test_smallest_area_around_a_point_comes_first_and_the_nearest_point_last(
    harness: AppHarness,
) -> None:
    location = CallLocation(position=(15, 15))
    estate = lot(x=0, y=0, width=100, height=100)
    house = lot(x=10, y=10, width=10, height=10)
    gate, tree = lot(x=14, y=14), lot(x=16, y=15)
    assert await found(harness, location, estate, house, gate, tree) == 2
    assert await found(harness, location, estate, gate, tree) == 1
    assert await found(harness, location, gate, tree) == 2


async def test_location_matches_whole_words_of_an_address(harness: AppHarness) -> None:
    for address, location, fits in (
        ("[8031] Forum Dr / Strawberry Ave", "Forum Dr", True),
        ("30 FORUM DR", "forum  dr.", True),
        ("Forum Drive", "Forum Dr", False),
        ("Platform Dr", "form Dr", False),
        ("at Éclipse Blvd", "éclipse BLVD", True),
        ("Rd", "Rd", False),
        ("the bar", "bar", False),
        ("Lot 8", "Lot 8", True),
        ("", "Forum Dr", False),
        ("Forum Dr", "---", False),
    ):
        at = await found(harness, CallLocation(address), lot(location=location))
        assert at == (1 if fits else None), address


async def test_longest_location_wins_then_the_postal_code_then_the_older_one(
    harness: AppHarness,
) -> None:
    street, shop = lot(location="Forum Dr"), lot(location="Laundromat Forum Dr")
    assert await found(harness, CallLocation("Laundromat, Forum Dr", "8031"), street, shop) == 2
    twin = lot(location="Forum Dr", description="house 2, 8031")
    assert await found(harness, CallLocation("Forum Dr"), street, twin) == 1
    assert await found(harness, CallLocation("Forum Dr", "8031"), street, twin) == 2


async def test_postal_code_matches_a_whole_word(harness: AppHarness) -> None:
    for postal, location, description, fits in (
        ("8031", "8031 Forum Dr", "", True),
        ("8031", "Shop", "a shop (8031)", True),
        ("a7", "Shop", "by A7.", True),
        ("803", "8031 Forum Dr", "", False),
        ("", "8031", "", False),
        ("Davis", "Davis", "", False),
    ):
        only = lot(location=location, description=description)
        at = await found(harness, CallLocation(postal=postal), only)
        assert at == (1 if fits else None), postal


async def test_point_outranks_the_address_and_that_the_postal_code(harness: AppHarness) -> None:
    lots = [lot(description="8031"), lot(location="Forum Dr"), lot(x=1, y=0)]
    assert await found(harness, CallLocation("Forum Dr", "8031", (1, 0)), *lots) == 3
    assert await found(harness, CallLocation("Forum Dr", "8031", (99, 99)), *lots) == 2
    assert await found(harness, CallLocation("Route 68", "8031", (99, 99)), *lots) == 1
    assert await found(harness, CallLocation("Route 68", "1", (99, 99)), *lots) is None


@given(st.text(max_size=400), st.text(max_size=80))
def test_search_for_any_text_is_bounded(address: str, postal: str) -> None:
    runs = phrases_of(address)
    assert len(runs) <= MAX_ADDRESS_WORDS * (MAX_ADDRESS_WORDS + 1) // 2
    assert len(code_of(postal).split()) <= MAX_POSTAL_WORDS


WORDS = st.sampled_from(["Forum", "Dr", "8031", "Lot", "7A", "Route", "68", "/"])
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)
SPOTS = st.integers(-30, 30)
SIZES = st.sampled_from([0, 0, 1, 15, 40])
LOTS = st.lists(
    st.fixed_dictionaries(
        {
            "location": TEXTS.filter(bool),
            "description": TEXTS,
            "x": SPOTS,
            "y": SPOTS,
            "width": SIZES,
            "height": SIZES,
        }
    ),
    min_size=1,
    max_size=6,
)
POINTS = st.floats(-60, 60).map(lambda metres: round(metres, 3))
LOCATIONS = st.builds(
    CallLocation,
    TEXTS,
    WORDS,
    st.one_of(st.none(), st.tuples(POINTS, POINTS)),
)


def expected(location: CallLocation, lots: list[Lot]) -> int | None:
    """Choose by plain rules the number of the property that a call is at."""
    by_position = sorted(
        (rank, number)
        for number, fields in enumerate(lots, 1)
        if location.position and (rank := around(fields, *location.position))
    )
    code = code_of(location.postal)
    by_address = sorted(
        (-len(" ".join(words(fields["location"]))), not has_code(fields, code), number)
        for number, fields in enumerate(lots, 1)
        if is_in(fields["location"], location.address)
    )
    by_code = sorted(
        (code not in words(fields["location"]), number)
        for number, fields in enumerate(lots, 1)
        if has_code(fields, code)
    )
    return next((ranked[0][-1] for ranked in (by_position, by_address, by_code) if ranked), None)


def around(fields: Lot, x: float, y: float) -> tuple[bool, float] | None:
    dx = max(fields["x"] - x, 0.0, x - fields["x"] - fields["width"])
    dy = max(fields["y"] - y, 0.0, y - fields["y"] - fields["height"])
    distance, area = hypot(dx, dy), fields["width"] * fields["height"]
    if area:
        return None if distance else (False, area)
    if (fields["x"], fields["y"]) == (0, 0):
        return None
    return (True, distance) if distance <= REACH else None


def is_in(location: str, address: str) -> bool:
    phrase = " ".join(words(location))
    return len(phrase) >= MIN_LOCATION_LENGTH and f" {phrase} " in f" {' '.join(words(address))} "


def has_code(fields: Lot, code: str) -> bool:
    return bool(code) and code in words(f"{fields['location']} {fields['description']}")


@given(LOTS, st.lists(LOCATIONS, min_size=1, max_size=5))
async def test_statement_finds_what_the_rules_choose(
    harness: AppHarness, lots: list[Lot], locations: list[CallLocation]
) -> None:
    numbers = await put_lots(harness, lots)
    for location in locations:
        at = await property_at(harness.database.read, location)
        assert numbers[at] == expected(location, lots)


async def test_removed_and_rejected_properties_are_never_found(harness: AppHarness) -> None:
    removed = await harness.add_property(location="Forum Dr")
    await harness.ask("remove-property", propertyId=removed)
    rejected = await harness.add_property(location="Forum Dr")
    await harness.ask("change-property-status", propertyId=rejected, status="REJECTED")
    for location in (CallLocation("Forum Dr"), CallLocation(position=(10, -20))):
        assert await property_at(harness.database.read, location) is None


async def test_property_that_is_moved_or_resized_is_found_there(harness: AppHarness) -> None:
    number = await harness.add_property(x=0, y=0)
    await harness.ask("change-property-coordinates", propertyId=number, x=1_000, y=1_000)
    await harness.ask("change-property-size", propertyId=number, width=500, height=500)
    assert await property_at(harness.database.read, CallLocation(position=(1_499, 1_499))) == number
    assert await property_at(harness.database.read, CallLocation(position=(0, 0))) is None


async def push(harness: AppHarness, kind: str, data: object) -> None:
    await store_push(harness.context(), CAD, {"type": kind, "data": data})


async def test_edits_of_a_call_change_its_property(harness: AppHarness) -> None:
    here = await harness.add_property(location="Forum Dr")
    there = await harness.add_property(location="Route 68", x=700, y=700)
    await push(harness, "EVENT_911", {"call": {"callId": 5, "location": "[8031] Forum Dr"}})
    emergency = await emergencies.get(harness.database.read, CAD, 5)
    assert emergency is not None
    assert emergency.property_id == here
    found = []
    for change in (
        {"address": "Forum Dr"},
        {"title": "Fire"},
        {"address": "Vinewood"},
        {"metaData": {"x": "701", "y": "699"}},
    ):
        await push(harness, "EVENT_DISPATCH_EDIT", {"dispatch": {"callId": 5} | change})
        call = await dispatches.get(harness.database.read, CAD, 5)
        assert call is not None
        found.append(call.property_id)
    assert found == [here, here, None, there]


@pytest.mark.parametrize("swapped", [False, True])
async def test_dispatch_call_without_a_position_has_that_of_its_911_call(
    harness: AppHarness, swapped: bool
) -> None:
    here = await harness.add_property(location="Forum Dr")
    story: list[tuple[str, dict[str, Any]]] = [
        ("EVENT_911", {"call": {"callId": 5, "location": "Forum Dr"}}),
        ("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 9, "metaData": {"origin911": 5}}}),
    ]
    for event in story[::-1] if swapped else story:
        await push(harness, *event)
    call = await dispatches.get(harness.database.read, CAD, 9)
    assert call is not None
    assert call.property_id == here
    (*_, last) = await harness.journal_events()
    assert "dispatch:9@cad" in [str(subject) for subject in last.subjects]
