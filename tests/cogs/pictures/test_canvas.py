"""Pictures can be read: on a phone, in the dark theme, whatever a name is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from cogs.pictures import canvas, symbols
from cogs.pictures.canvas import BACKGROUND, FIELD, SMALL, TEXT, WIDTH, fitted, font, nice, readable
from cogs.pictures.charts import COLOURS, _tile
from tests.cogs.hostile import texts
from tests.cogs.pictures.looking import contrast

DRAWN_ON = (BACKGROUND, FIELD)
LETTERS = (canvas.BRIGHT, canvas.MUTED, symbols.PLACE, symbols.NEIGHBOUR, symbols.CALL)
SIGNS = (symbols.CAMERA, symbols.DRONE, *COLOURS)


@pytest.mark.parametrize("below", DRAWN_ON)
def test_everything_stands_out_from_what_it_is_drawn_on(below: canvas.Colour) -> None:
    assert min(contrast(colour, below) for colour in (*LETTERS, *SIGNS)) >= 4.5


def test_texts_are_large_on_a_phone() -> None:
    phone = 350  # points across, of which a letter needs eight
    assert SMALL / WIDTH * phone >= 8
    assert TEXT / WIDTH * phone >= 10


def test_patterns_tell_series_apart_without_their_colours() -> None:
    shapes = set()
    for place, colour in enumerate(COLOURS):
        tile = _tile(place)
        plain = Image.new("RGB", tile.size, colour)
        drawn = ImageChops.difference(tile, plain).convert("L")
        shapes.add(drawn.point([0] * 20 + [255] * 236).tobytes())
    assert len(shapes) == len(COLOURS)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grove Street", "Grove Street"),
        ("Straße der Öfen, Łódź", "Straße der Öfen, Łódź"),
        ("Виноградная", "Виноградная"),
        ("東京 🚓", "DongJing :police_car:"),
        ("e\u0301", "é"),
        ("two\nlines\u202e", "two lines"),
        ("\U0010ffff", "?"),
    ],
)
def test_what_the_font_lacks_is_written_in_plain_letters(text: str, shown: str) -> None:
    assert readable(text) == shown


@given(texts, st.integers(100, 1_900))
def test_every_name_fits(text: str, width: int) -> None:
    line = fitted(text, width, TEXT)
    assert font(TEXT).getlength(line) <= width
    assert "\n" not in line


@given(st.floats(0, 1e12))
def test_steps_are_round(least: float) -> None:
    assert nice(least) >= max(least, 1)
    assert str(int(nice(least))).strip("0") in {"1", "2", "5"}
