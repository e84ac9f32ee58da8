"""What charts and maps share: colours, fonts, text that fits, the finished file."""

import unicodedata
from functools import lru_cache
from importlib.resources import files
from io import BytesIO

from anyascii import anyascii
from PIL import Image, ImageDraw, ImageFont

from cogs.ui.text import plain_line

WIDTH = 2_000
"""Pixels of what is drawn; the file is half as wide, which smooths the edges."""

MARGIN = 60
INSIDE = WIDTH - 2 * MARGIN
TITLE, TEXT, SMALL = 92, 62, 50
LINE = 92
"""Pixels from one line of a legend to the next."""

LONGEST = 200
"""Characters of a name that are looked at."""

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

BACKGROUND: Colour = (0x2B, 0x2D, 0x31)
"""As Discord's dark theme has embeds."""
FIELD: Colour = (0x1F, 0x21, 0x25)
GRID: Colour = (0x45, 0x48, 0x50)
BRIGHT: Colour = (0xF7, 0xF8, 0xFA)
MUTED: Colour = (0xB9, 0xBE, 0xC7)

# The font of the font-roboto package, as what is installed on the machine is not known.
_FOLDER = files("font_roboto") / "files"
_UNKNOWN = "\uffff"


@lru_cache(16)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return the font in a size."""
    name = "Roboto-Bold.ttf" if bold else "Roboto-Regular.ttf"
    file = BytesIO((_FOLDER / name).read_bytes())
    return ImageFont.truetype(file, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(4_096)
def _written(character: str) -> str:
    """Return a character if the font has it, or else what it sounds like in plain letters."""
    face = font(SMALL)
    shape, missing = face.getmask(character), face.getmask(_UNKNOWN)
    if (shape.size, bytes(shape)) != (missing.size, bytes(missing)):
        return character
    return anyascii(character) or "?"


def readable(text: str) -> str:
    """Return a text from the game in one line, in characters that the font has."""
    line = unicodedata.normalize("NFC", plain_line(text, LONGEST))
    return "".join(_written(character) for character in line)


def fitted(text: str, width: float, size: int, *, bold: bool = False) -> str:
    """Return a text as it can be drawn, cut so that it is no wider than `width`."""
    face = font(size, bold=bold)
    line = readable(text)
    if face.getlength(line) <= width:
        return line
    while line and face.getlength(line + "…") > width:
        line = line[:-1]
    return line.rstrip() + "…"


class Canvas:
    """A drawing in progress, `WIDTH` wide."""

    def __init__(self, height: int) -> None:
        self.image = Image.new("RGB", (WIDTH, height), BACKGROUND)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self,
        at: tuple[float, float],
        text: str,
        size: int = TEXT,
        *,
        colour: Colour = BRIGHT,
        anchor: str = "ls",
        bold: bool = False,
        width: float = INSIDE,
    ) -> Box:
        """Write one line, cut to a width; return where it stands."""
        line = fitted(text, width, size, bold=bold)
        face = font(size, bold=bold)
        self.draw.text(at, line, colour, face, anchor)
        left, top, right, bottom = face.getbbox(line, anchor=anchor)
        return at[0] + left, at[1] + top, at[0] + right, at[1] + bottom

    def heading(self, title: str, subtitle: str) -> None:
        """Write the title and what stands below it."""
        self.text((MARGIN, 130), title, TITLE, bold=True)
        self.text((MARGIN, 224), subtitle, TEXT, colour=MUTED)

    def tint(self, box: Box, colour: Colour, strength: int) -> None:
        """Mix a colour into an area, by 0 to 255."""
        left, top, right, bottom = (round(edge) for edge in box)
        if right > left and bottom > top:
            mask = Image.new("L", (right - left, bottom - top), strength)
            self.image.paste(colour, (left, top, right, bottom), mask)

    def png(self) -> bytes:
        """Return the finished file."""
        finished = BytesIO()
        self.image.reduce(2).save(finished, "PNG")
        return finished.getvalue()


def nice(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, 20 … that is not below a number; 1 at least."""
    power = 1.0
    while True:
        for step in (1, 2, 5):
            if step * power >= least:
                return step * power
        power *= 10


def short(number: float) -> str:
    """Write a number so that it takes little room: `950`, `12k`, `3.5M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(number) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{number / unit:.3g}{letter}"
    return f"{number:.0f}"
