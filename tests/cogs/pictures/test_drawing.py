"""Pictures can be read: on a phone, in the dark theme, whatever a name is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.pictures import drawing
from cogs.pictures.charts import COLOURS, HATCHES
from cogs.pictures.drawing import (
    BACKGROUND,
    DPI,
    FIELD,
    SMALL,
    TEXT,
    WIDTH,
    fitted,
    readable,
    short,
    text_width,
)
from cogs.pictures.maps import SYMBOLS
from tests.cogs.hostile_texts import texts
from tests.cogs.pictures.pixels import contrast
from tests.examples import examples

SHOWN = (drawing.BRIGHT, drawing.MUTED, *COLOURS, *(symbol.colour for symbol in SYMBOLS.values()))


@pytest.mark.parametrize("below", [BACKGROUND, FIELD])
def test_colours_have_enough_contrast(below: str) -> None:
    assert min(contrast(colour, below) for colour in SHOWN) >= 4.5


def test_texts_are_large_on_a_phone() -> None:
    phone = 350  # points across, of which a letter needs eight
    assert SMALL * DPI / 72 / WIDTH * phone >= 8
    assert TEXT * DPI / 72 / WIDTH * phone >= 10


def test_patterns_and_symbols_differ_without_their_colours() -> None:
    assert len(set(HATCHES)) == len(HATCHES) == len(COLOURS)
    assert len({symbol.character for symbol in SYMBOLS.values()}) == len(SYMBOLS)


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
        ("$x^2$", "$x^2$"),
    ],
)
def test_characters_that_the_font_lacks_are_written_in_plain_letters(text: str, shown: str) -> None:
    assert readable(text) == shown


@examples(0.4)
@given(texts, st.integers(50, 950))
def test_every_name_fits(text: str, width: int) -> None:
    line = fitted(text, width, TEXT)
    assert text_width(line, TEXT) <= width
    assert "\n" not in line


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0"),
        (9_999, "9999"),
        (12_000, "12k"),
        (999_999, "1000k"),
        (3_500_000, "3.5M"),
        (10**12, "1T"),
    ],
)
def test_large_numbers_take_little_room(number: int, shown: str) -> None:
    assert short(number) == shown
