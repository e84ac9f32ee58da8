"""What charts and maps share: colours, the figure, text that fits, the finished file.

matplotlib takes a second and 60 MiB to import, so it is imported when the first picture is drawn.
Only the painter thread of `cogs.ui.picture` draws, so that its settings are changed by one at a
time.
"""

import unicodedata
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from anyascii import anyascii

from cogs.ui.text import plain_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 1_000
"""Pixels of a picture's width."""

DPI = 100
MARGIN = 30
INSIDE = WIDTH - 2 * MARGIN

TITLE, TEXT, SMALL = 30, 21, 17
"""Font sizes in points."""

LINE = 44
"""Pixels from one line of a legend to the next."""

SUBPIXELS = 64
"""In which part of a pixel FreeType measures."""

LONGEST = 200
"""Characters of a name that are looked at, and of what they are written as."""

FONT = "DejaVu Sans"
"""The font that matplotlib brings along, as nobody knows which ones a machine has."""

BACKGROUND = "#2b2d31"
"""As embeds have it in Discord's dark theme."""
FIELD = "#1f2125"
GRID = "#454850"
BRIGHT = "#f7f8fa"
MUTED = "#b9bec7"

STYLE: dict[Any, Any] = {
    "font.family": FONT,
    "text.parse_math": False,  # a name from the game may contain dollars
    "text.color": BRIGHT,
    "figure.facecolor": BACKGROUND,
    "axes.facecolor": BACKGROUND,
    "axes.edgecolor": GRID,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 1.5,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "hatch.linewidth": 3,
}


@lru_cache(4_096)
def _drawable(character: str) -> str:
    """Return a character if the font has it, or else how it is written in plain letters."""
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont(FONT))
    if font.get_char_index(ord(character)):
        return character
    return anyascii(character) or "?"


def readable(text: str) -> str:
    """Return a text from the game in one line, in characters that the font has."""
    line = unicodedata.normalize("NFC", plain_line(text, LONGEST))
    return "".join(map(_drawable, line))[:LONGEST]


@lru_cache(4_096)
def text_width(line: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a drawable line in pixels."""
    from matplotlib import font_manager
    from matplotlib.font_manager import FontProperties

    wanted = FontProperties(family=FONT, weight="bold" if bold else "normal")
    font = font_manager.get_font(font_manager.findfont(wanted))
    font.clear()
    font.set_size(size, DPI)
    font.set_text(line)
    return font.get_width_height()[0] / SUBPIXELS


def fitted(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return a text as it can be drawn, cut so that it is no wider than `width` pixels."""
    line = readable(text)
    if text_width(line, size, bold=bold) <= width:
        return line
    while line and text_width(f"{line}…", size, bold=bold) > width:
        excess = text_width(line, size, bold=bold) / width
        line = line[: min(len(line) - 1, round(len(line) / excess))]
    return line.rstrip() + "…"


def new_figure(height: int, title: str, subtitle: str) -> "Figure":
    """Return an empty picture with a heading, `WIDTH` wide; call it inside STYLE's context."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)
    heading = fitted(title, INSIDE, TITLE, bold=True)
    write(figure, MARGIN, 64, heading, size=TITLE, weight="bold")
    write(figure, MARGIN, 112, fitted(subtitle, INSIDE, TEXT), color=MUTED)
    return figure


def write(
    figure: "Figure", x: float, y: float, text: str, size: float = TEXT, **style: Any
) -> None:
    """Write a drawable line, its baseline so many pixels below the top."""
    height = figure.get_figheight() * DPI
    figure.text(x / WIDTH, 1 - y / height, text, fontsize=size, **style)


def png(figure: "Figure") -> bytes:
    finished = BytesIO()
    figure.savefig(finished, format="png", dpi=DPI)
    return finished.getvalue()


def short(number: float) -> str:
    """Write a number so that it takes little room: `950`, `12k`, `3.5M`."""
    for size, unit, letter in (
        (1e12, 1e12, "T"),
        (1e9, 1e9, "G"),
        (1e6, 1e6, "M"),
        (1e4, 1e3, "k"),
    ):
        if number >= size:
            value = number / unit
            return f"{value:.0f}{letter}" if value >= 100 else f"{value:.3g}{letter}"
    return f"{number:.0f}"
