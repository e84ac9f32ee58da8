"""Maps show a property where it is, with what is around it, wherever and however large it is."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cogs.pictures.backdrop import BRIGHTNESS, Backdrop, Rectangle, store_backdrop
from cogs.pictures.drawing import BACKGROUND
from cogs.pictures.maps import (
    ACROSS,
    CALL,
    CAMERA,
    DOWN,
    DRONE,
    LEFT,
    NEIGHBOUR,
    PROPERTY,
    SYMBOLS,
    TOP,
    LegendLine,
    Map,
    Neighbour,
    Spot,
    draw_map,
    view_of,
)
from cogs.pictures.property_map import property_map
from cogs.ui.picture import ALT
from db import dispatches, emergencies
from db.calls import CallKey
from db.database import Transaction
from tests.cogs.pictures.pixels import opened, pixels, share
from tests.examples import examples
from tests.webhook.harness import AppHarness

GROUND = (LEFT, TOP, LEFT + ACROSS, TOP + DOWN)
"""Where on the picture the map itself is."""


async def _bank(harness: AppHarness) -> int:
    """Add a property with neighbours, equipment and calls around it."""
    bank = await harness.add_property(location="Fleeca *Bank*", x=100, y=200, width=40, height=30)
    await harness.add_property(location="Kiosk", x=60, y=170)
    await harness.add_property(location="Beach house", x=170, y=150, width=30, height=30)
    await harness.add_property(location="Far away", x=5_000, y=5_000, width=90, height=90)
    for name in ("Door", "Vault"):
        await harness.add_equipment(bank, 1, name)
    for name in ("Kestrel", "Heron"):
        await harness.add_equipment(bank, 3, name)
    await harness.ask("dispatch-drone", propertyId=bank)
    async with harness.database.write() as sql:
        await _call(sql, 7, "Robbery", 110.0, 210.0, bank)
        await _call(sql, 8, "Fire", 80.0, 230.0, None)
        await _call(sql, 9, "Elsewhere", -3_000.0, 230.0, None)
        await _call(sql, 10, "By its address", None, None, bank)
        await emergencies.put(
            sql,
            CallKey("cad", 4410),
            is_emergency=True,
            caller="",
            location="",
            postal="",
            description="",
            property_id=bank,
            pressed_by=None,
            now=5,
        )
    return bank


async def _call(
    sql: Transaction,
    call_id: int,
    title: str,
    x: float | None,
    y: float | None,
    property_id: int | None,
) -> None:
    call = CallKey("cad", call_id)
    values = {"title": title, "x": x, "y": y}
    await dispatches.put_first_report(sql, call, values, [], now=call_id)
    await dispatches.set_property(sql, call, property_id)


async def test_a_property_is_shown_with_everything_around_it(harness: AppHarness) -> None:
    picture = await property_map(harness.database.read, await _bank(harness))
    assert picture is not None
    assert picture.alt == (
        "Map of Fleeca *Bank*. Property 1 · x 100, y 200; 40 × 30 m, x and y are its"
        " south-western corner; 2 cameras: Door, Vault; 1 drone ready: Heron; 1 drone out: Kestrel;"
        " Call 7 Robbery · at the property; Call 10 By its address · at the property;"
        " Call 8 Fire · 20 m away; 911 call 4410 · at the property; Nearby: Kiosk, Beach house."
    )
    image = opened(picture.draw())
    assert image.width >= 800
    for colour in (PROPERTY, NEIGHBOUR, CALL, CAMERA, DRONE):
        assert share(image, colour, GROUND) > 0.0002, colour


async def test_others_see_only_what_is_the_propertys_own(harness: AppHarness) -> None:
    picture = await property_map(harness.database.read, await _bank(harness), whole=False)
    assert picture is not None
    assert "2 cameras" in picture.alt
    assert not any(word in picture.alt for word in ("Call", "call", "Nearby", "Kiosk"))
    image = opened(picture.draw())
    assert not share(image, CALL)
    assert not share(image, NEIGHBOUR)


async def test_removed_properties_have_a_map_and_unknown_ones_none(
    harness: AppHarness,
) -> None:
    assert await property_map(harness.database.read, 99) is None
    property_id = await harness.add_property()
    await harness.ask("remove-property", propertyId=property_id)
    assert await property_map(harness.database.read, property_id) is not None


async def test_the_digest_changes_with_the_drones(harness: AppHarness) -> None:
    property_id = await harness.add_property()
    await harness.add_equipment(property_id, 3)
    digests = []
    for query in (None, None, "dispatch-drone"):
        if query is not None:
            await harness.ask(query, propertyId=property_id)
        picture = await property_map(harness.database.read, property_id)
        assert picture is not None
        digests.append(picture.digest)
    assert digests[0] == digests[1] != digests[2]


async def test_the_owners_image_is_drawn_below_at_the_right_position(
    harness: AppHarness, tmp_path: Path
) -> None:
    file = tmp_path / "map.png"
    drawn = Image.new("RGB", (400, 400), (0, 250, 0))
    drawn.paste((250, 0, 0), (0, 0, 200, 400))
    drawn.save(file)
    # The image's middle, where red meets green, is the western edge of the property.
    backdrop = Backdrop.of(str(file), [[0, 0, -900, 1_100], [400, 400, 1_100, -900]])
    property_id = await harness.add_property(x=100, y=90, width=100, height=100)
    plain = await property_map(harness.database.read, property_id)
    async with harness.database.write() as sql:
        await store_backdrop(sql, backdrop)
    picture = await property_map(harness.database.read, property_id)
    assert picture is not None
    assert plain is not None
    assert picture.digest != plain.digest
    image = opened(picture.draw())
    red, green = (int(250 * BRIGHTNESS), 0, 0), (0, int(250 * BRIGHTNESS), 0)
    west, east = (120, 250, 270, 700), (750, 300, 900, 650)
    assert share(image, red, west) > 0.8
    assert share(image, green, east) > 0.8
    file.unlink()
    async with harness.database.write() as sql:
        await store_backdrop(sql, replace(backdrop, changed=0))
    without = await property_map(harness.database.read, property_id)
    assert without is not None
    assert opened(without.draw()).tobytes() == opened(plain.draw()).tobytes()


def test_a_call_is_drawn_at_its_position_with_north_up() -> None:
    area = Rectangle(0, 0, 0, 0)
    for x, y, box in (
        (60, 60, (650, 145, 900, 400)),
        (-60, 60, (150, 145, 450, 400)),
        (60, -60, (650, 500, 900, 755)),
        (-60, -60, (150, 500, 450, 755)),
    ):
        shown = Map(
            title="",
            subtitle="",
            view=view_of(area, []),
            area=area,
            badges=(),
            neighbours=(),
            calls=(Spot(x, y, "1"),),
            legend=(),
            north="N",
        )
        image = opened(draw_map(shown))
        assert pixels(image, CALL) == pixels(image.crop(box), CALL) > 0


def test_nothing_of_the_neighbours_covers_the_property() -> None:
    area = Rectangle(0, 0, 8, 8)
    houses = tuple(
        Neighbour(Rectangle(10 * column, 10 * row, 8, 8), "Vespucci Canals, a long name")
        for column in range(-4, 5)
        for row in range(-2, 3)
        if (column, row) != (0, 0)
    )
    view = view_of(area, [])

    def middle(neighbours: tuple[Neighbour, ...]) -> bytes:
        shown = Map("", "", view, area, (), neighbours, (), (), "N")
        image = opened(draw_map(shown))
        x, y, half = LEFT + ACROSS // 2, TOP + DOWN // 2, int(4 * ACROSS / view.width)
        return image.crop((x - half, y - half, x + half, y + half)).tobytes()

    assert middle(houses) == middle(())


_coordinates = st.integers(-1_000_000, 1_000_000)
_lengths = st.integers(0, 40) | st.integers(0, 1_000_000)
_rectangles = st.builds(Rectangle, _coordinates, _coordinates, _lengths, _lengths)
_neighbours = st.builds(Neighbour, _rectangles, st.text(max_size=80))
_points = st.floats(-1e9, 1e9)
_lines = st.builds(LegendLine, st.sampled_from(sorted(SYMBOLS)), st.text(max_size=300))


@examples(0.16)
@given(
    _rectangles,
    st.lists(_neighbours, max_size=40),
    st.lists(st.builds(Spot, _points, _points, st.text(max_size=20)), max_size=20),
    st.lists(_lines, max_size=8),
)
def test_anything_anywhere_is_drawn_and_stays_on_the_map(
    area: Rectangle, neighbours: list[Neighbour], calls: list[Spot], legend: list[LegendLine]
) -> None:
    shown = Map(
        title="x" * 300,
        subtitle="",
        view=view_of(area, []),
        area=area,
        badges=tuple(legend[:3]),
        neighbours=tuple(neighbours),
        calls=tuple(calls),
        legend=(),
        north="N",
    )
    image = opened(draw_map(shown))
    assert image.size == (1_000, 845)
    assert share(image, BACKGROUND, (LEFT + ACROSS + 3, TOP, 1_000, TOP + DOWN)) == 1
    assert share(image, BACKGROUND, (0, TOP + DOWN + 40, 1_000, 845)) == 1


@given(_rectangles, st.lists(st.tuples(_coordinates, _coordinates), max_size=5))
def test_a_view_holds_the_property_and_the_points(
    area: Rectangle, points: list[tuple[float, float]]
) -> None:
    view = view_of(area, points)
    for x, y in [(area.x, area.y), (area.x + area.width, area.y + area.height), *points]:
        assert view.x < x < view.x + view.width
        assert view.y < y < view.y + view.height


async def test_200_cameras_are_counted_and_the_words_still_fit(harness: AppHarness) -> None:
    property_id = await harness.add_property(location="x" * 200)
    for number in range(200):
        await harness.add_equipment(property_id, 1, f"Camera {number} " + "y" * 200)
    picture = await property_map(harness.database.read, property_id)
    assert picture is not None
    assert "200 cameras: " in picture.alt
    assert len(picture.alt) <= ALT
    assert opened(picture.draw()).height < 1_300
