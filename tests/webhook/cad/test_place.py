"""Which property a call is at: the rules alone, and as pushes meet them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import dispatches, emergencies
from db.properties import ACTIVE, Property
from tests.webhook.harness import AppHarness
from webhook.cad.place import MOST_WORDS, Place, best, code_of, phrases, property_at
from webhook.cad.store import store_push

CAD = "cad"


def lot(number: int, **fields: Any) -> Property:
    known: dict[str, Any] = {
        "id": number,
        "location": "Somewhere else",
        "tier": 1,
        "x": 9_000,
        "y": 9_000,
        "width": 0,
        "height": 0,
        "status": ACTIVE,
        "status_by": None,
        "description": "",
        "owner": "o",
        "added_at": 1,
        "removed_at": None,
        "status_reason": None,
    }
    return Property(**known | fields)


@pytest.mark.parametrize(
    ("point", "found"),
    [
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
    ],
)
def test_a_point_is_in_a_rectangle_or_near_a_property_without_one(
    point: tuple[float, float], found: int | None
) -> None:
    known = [lot(1, x=100, y=200, width=10, height=20), lot(2, x=-500, y=-500)]
    assert best(Place(point=point), known) == found


def test_the_smallest_area_around_a_point_comes_first_and_the_nearest_point_last() -> None:
    estate = lot(1, x=0, y=0, width=100, height=100)
    cottage = lot(2, x=10, y=10, width=10, height=10)
    gate, tree = lot(3, x=14, y=14), lot(4, x=16, y=15)
    known = [estate, gate, tree, cottage]
    assert best(Place(point=(15, 15)), known) == 2
    assert best(Place(point=(15, 15)), [estate, gate, tree]) == 1
    assert best(Place(point=(15, 15)), [gate, tree]) == 4


@pytest.mark.parametrize(
    ("address", "location", "fits"),
    [
        ("[8031] Forum Dr / Strawberry Ave", "Forum Dr", True),
        ("30 FORUM DR", "forum  dr.", True),
        ("Forum Drive", "Forum Dr", False),
        ("Platform Dr", "form Dr", False),
        ("at Éclipse Blvd", "éclipse BLVD", True),
        ("Rd", "Rd", False),
        ("the bar", "bar", False),
        ("Lot 8", "Lot 8", True),
        ("", "Forum Dr", False),
        ("Forum Dr", "", False),
        ("Forum Dr", "---", False),
    ],
)
def test_a_location_matches_whole_words_of_an_address(
    address: str, location: str, fits: bool
) -> None:
    assert best(Place(address), [lot(7, location=location)]) == (7 if fits else None)


def test_the_longest_location_wins_then_the_postal_code_then_the_older_one() -> None:
    street, shop = lot(1, location="Forum Dr"), lot(2, location="Laundromat Forum Dr")
    place = Place("Laundromat, Forum Dr", "8031")
    assert best(place, [street, shop]) == 2
    twin = lot(3, location="Forum Dr", description="house 2, 8031")
    assert best(Place("Forum Dr"), [twin, street]) == 1
    assert best(Place("Forum Dr", "8031"), [street, twin]) == 3


@pytest.mark.parametrize(
    ("postal", "location", "description", "fits"),
    [
        ("8031", "8031 Forum Dr", "", True),
        ("8031", "", "a shop (8031)", True),
        ("a7", "", "by A7.", True),
        ("803", "8031 Forum Dr", "", False),
        ("", "8031", "", False),
        ("Davis", "Davis", "", False),
    ],
)
def test_a_postal_code_matches_a_whole_word(
    postal: str, location: str, description: str, fits: bool
) -> None:
    known = [lot(7, location=location, description=description)]
    assert best(Place(postal=postal), known) == (7 if fits else None)


def test_a_point_outranks_the_address_and_that_the_postal_code() -> None:
    known = [
        lot(1, description="8031"),
        lot(2, location="Forum Dr"),
        lot(3, x=0, y=0),
    ]
    assert best(Place("Forum Dr", "8031", (0, 0)), known) == 3
    assert best(Place("Forum Dr", "8031", (99, 99)), known) == 2
    assert best(Place("Route 68", "8031", (99, 99)), known) == 1
    assert best(Place("Route 68", "1", (99, 99)), known) is None


@given(st.text(max_size=400), st.text(max_size=80))
def test_the_search_for_any_text_is_bounded(address: str, postal: str) -> None:
    found = phrases(address)
    assert len(found) <= MOST_WORDS * (MOST_WORDS + 1) // 2
    assert len(code_of(postal).split()) <= 1


WORDS = st.sampled_from(["Forum", "Dr", "8031", "Lot", "7A", "Route", "68", "/"])
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)
SPOTS = st.integers(-30, 30)
SIZES = st.sampled_from([0, 0, 1, 15, 40])
LOTS = st.lists(
    st.tuples(TEXTS.filter(bool), TEXTS, SPOTS, SPOTS, SIZES, SIZES), min_size=1, max_size=6
)
PLACES = st.builds(
    Place,
    TEXTS,
    WORDS,
    st.one_of(st.none(), st.tuples(st.floats(-60, 60), st.floats(-60, 60))),
)


@given(LOTS, st.lists(PLACES, min_size=1, max_size=5))
async def test_storage_finds_what_the_rules_choose(
    harness: AppHarness, lots: list[tuple[str, str, int, int, int, int]], places: list[Place]
) -> None:
    async with harness.database.write() as sql:
        await sql.run("DELETE FROM properties")
    known = [
        lot(
            await harness.add_property(
                location=where, description=what, x=x, y=y, width=width, height=height
            ),
            location=where,
            description=what,
            x=x,
            y=y,
            width=width,
            height=height,
        )
        for where, what, x, y, width, height in lots
    ]
    for place in places:
        assert await property_at(harness.database.read, place) == best(place, known)


async def test_removed_and_rejected_properties_are_never_found(harness: AppHarness) -> None:
    removed = await harness.add_property(location="Forum Dr")
    await harness.ask("remove-property", propertyId=removed)
    rejected = await harness.add_property(location="Forum Dr")
    await harness.ask("change-property-status", propertyId=rejected, status="REJECTED")
    for place in (Place("Forum Dr"), Place(point=(10, -20))):
        assert await property_at(harness.database.read, place) is None


async def test_a_property_that_is_moved_or_resized_is_found_there(harness: AppHarness) -> None:
    number = await harness.add_property(x=0, y=0)
    await harness.ask("change-property-coordinates", propertyId=number, x=1_000, y=1_000)
    await harness.ask("change-property-size", propertyId=number, width=500, height=500)
    assert await property_at(harness.database.read, Place(point=(1_499, 1_499))) == number
    assert await property_at(harness.database.read, Place(point=(0, 0))) is None


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
async def test_a_dispatch_call_without_a_position_has_that_of_its_911_call(
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
