"""Maps: a property, what is around it and what happens there."""

import logging
from dataclasses import dataclass
from itertools import count, takewhile
from math import ceil

from cogs.pictures.backdrop import Backdrop, BackdropError, Rectangle
from cogs.pictures.canvas import (
    BACKGROUND,
    BRIGHT,
    FIELD,
    GRID,
    INSIDE,
    LINE,
    MARGIN,
    MUTED,
    SMALL,
    Box,
    Canvas,
    Colour,
    fitted,
    font,
    nice,
)
from cogs.pictures.symbols import CALL, NEIGHBOUR, PLACE, SYMBOLS, dashed

TOP, HEIGHT = 290, 1_310
SHAPE = INSIDE / HEIGHT
"""Width by height of the map itself."""

GROUND = 2.4
"""How much wider the view is than the property."""

LEAST = 300.0
"""Metres that the view is wide at least."""

SMALLEST = 36
"""Pixels below which a property is marked by a pin."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Area:
    """A neighbouring property."""

    rectangle: Rectangle
    name: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A call on the map."""

    x: float
    y: float
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the legend: what it is about, as `SYMBOLS` names it, and what it says."""

    symbol: str
    text: str


@dataclass(frozen=True, slots=True)
class Map:
    """Everything that a map shows; all coordinates are the game's, in metres."""

    title: str
    subtitle: str
    view: Rectangle
    place: Rectangle
    badges: tuple[Line, ...]
    """What stands at the property: symbols with a few characters."""
    neighbours: tuple[Area, ...]
    calls: tuple[Spot, ...]
    legend: tuple[Line, ...]
    north: str
    """The letter that stands for north."""
    backdrop: Backdrop | None = None


def view_of(place: Rectangle, points: list[tuple[float, float]]) -> Rectangle:
    """Return what a map shows: the property with some ground around it, and these points."""
    west = min([place.x, *(x - place.width * 0.1 for x, _ in points)])
    east = max([place.x + place.width, *(x + place.width * 0.1 for x, _ in points)])
    south = min([place.y, *(y - place.height * 0.1 for _, y in points)])
    north = max([place.y + place.height, *(y + place.height * 0.1 for _, y in points)])
    width = max(LEAST, (east - west) * GROUND, (north - south) * GROUND * SHAPE)
    height = width / SHAPE
    return Rectangle((west + east - width) / 2, (south + north - height) / 2, width, height)


def draw_map(shown: Map) -> bytes:
    """Draw a map as a PNG file."""
    canvas = Canvas(TOP + HEIGHT + 40 + len(shown.legend) * LINE + 30)
    canvas.heading(shown.title, shown.subtitle)
    _Ground(canvas, shown).draw()
    for number, line in enumerate(shown.legend):
        middle = TOP + HEIGHT + 30 + number * LINE + LINE / 2
        SYMBOLS[line.symbol](canvas.draw, MARGIN + 40, middle, 28)
        canvas.text((MARGIN + 104, middle), line.text, anchor="lm", width=INSIDE - 104)
    return canvas.png()


class _Ground:
    """The map itself, which `TOP` and `MARGIN` place on the canvas."""

    def __init__(self, canvas: Canvas, shown: Map) -> None:
        self._canvas = canvas
        self._shown = shown
        self._taken: list[Box] = []
        """Where labels and calls stand: no label covers them."""

    def draw(self) -> None:
        canvas, shown = self._canvas, self._shown
        frame = (MARGIN, TOP, MARGIN + INSIDE, TOP + HEIGHT)
        canvas.draw.rectangle(frame, FIELD)
        self._draw_backdrop()
        steps = self._draw_grid()
        for area in shown.neighbours:
            self._draw_neighbour(area)
        self._draw_place()
        self._draw_badges()
        self._draw_scale()
        self._draw_north()
        for spot in shown.calls:
            x, y = self._pixel(spot.x, spot.y)
            SYMBOLS["call"](canvas.draw, x, y, 34)
            self._taken.append((x - 30, y - 34, x + 30, y + 26))
        for spot in shown.calls:
            self._label_beside(spot.name, self._pixel(spot.x, spot.y), CALL)
        self._label_grid(*steps)
        for area in shown.neighbours:
            box = self._clipped(area.rectangle)
            if _is_small(box):
                self._label_beside(area.name, _middle_of(box), NEIGHBOUR)
            else:
                self._label(area.name, _middle_of(box), "mm", NEIGHBOUR)
        self._trim(frame)

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        view = self._shown.view
        right = (x - view.x) / view.width * INSIDE
        up = (y - view.y) / view.height * HEIGHT
        return MARGIN + right, TOP + HEIGHT - up

    def _box(self, area: Rectangle) -> Box:
        left, bottom = self._pixel(area.x, area.y)
        right, top = self._pixel(area.x + area.width, area.y + area.height)
        return left, top, right, bottom

    def _clipped(self, area: Rectangle) -> Box:
        """Return where an area is, as far as the map shows it and a little beyond."""
        left, top, right, bottom = self._box(area)
        return (
            min(max(left, MARGIN - 20), MARGIN + INSIDE + 20),
            min(max(top, TOP - 20), TOP + HEIGHT + 20),
            min(max(right, MARGIN - 20), MARGIN + INSIDE + 20),
            min(max(bottom, TOP - 20), TOP + HEIGHT + 20),
        )

    def _draw_backdrop(self) -> None:
        if self._shown.backdrop is None:
            return
        try:
            image, at = self._shown.backdrop.cut(self._shown.view, (INSIDE, HEIGHT))
        except BackdropError as fault:
            log.warning("a map is drawn on a plain grid: %s", fault)
        else:
            self._canvas.image.paste(image, (MARGIN + at[0], TOP + at[1]))

    def _draw_grid(self) -> tuple[list[float], list[float]]:
        view = self._shown.view
        step = nice(view.width / 7)
        columns = _multiples(step, view.x, view.x + view.width)
        rows = _multiples(step, view.y, view.y + view.height)
        for column in columns:
            x, _ = self._pixel(column, 0)
            self._canvas.draw.line((x, TOP, x, TOP + HEIGHT), GRID, 3)
        for row in rows:
            _, y = self._pixel(0, row)
            self._canvas.draw.line((MARGIN, y, MARGIN + INSIDE, y), GRID, 3)
        return columns, rows

    def _label_grid(self, columns: list[float], rows: list[float]) -> None:
        """Write the coordinates, eastward ones along the top, northward ones along the left."""
        for column in columns:
            x, _ = self._pixel(column, 0)
            self._label(f"{column:.0f}", (x, TOP + 44), "mm", MUTED, 40)
        for row in rows:
            _, y = self._pixel(0, row)
            self._label(f"{row:.0f}", (MARGIN + 16, y), "lm", MUTED, 40)

    def _draw_neighbour(self, area: Area) -> None:
        box = self._clipped(area.rectangle)
        if _is_small(box):
            SYMBOLS["neighbour"](self._canvas.draw, *_middle_of(box), 22)
            return
        self._canvas.tint(box, NEIGHBOUR, 30)
        dashed(self._canvas.draw, box, NEIGHBOUR)

    def _draw_place(self) -> None:
        box = self._clipped(self._shown.place)
        if _is_small(box):
            SYMBOLS["place"](self._canvas.draw, *self._middle(), 34)
            return
        self._canvas.tint(box, PLACE, 70)
        outer = (box[0] - 6, box[1] - 6, box[2] + 6, box[3] + 6)
        self._canvas.draw.rectangle(outer, outline=BACKGROUND, width=18)
        self._canvas.draw.rectangle(box, outline=PLACE, width=9)

    def _middle(self) -> tuple[float, float]:
        area = self._shown.place
        return self._pixel(area.x + area.width / 2, area.y + area.height / 2)

    def _draw_badges(self) -> None:
        """Write what the property has inside it, or below it where there is too little room."""
        left, top, right, bottom = self._clipped(self._shown.place)
        x, y = self._middle()
        bottom = max(bottom, y + 40)
        badges = [(badge, font(54).getlength(badge.text)) for badge in self._shown.badges]
        wide = sum(width + 120 for _, width in badges)
        if not badges:
            return
        has_room = bottom - top > 320 and right - left > wide + 40
        middle = min(bottom - 62 if has_room else bottom + 62, TOP + HEIGHT - 170)
        start = x - wide / 2
        self._plate((start, middle - 44, start + wide, middle + 44))
        for badge, width in badges:
            SYMBOLS[badge.symbol](self._canvas.draw, start + 52, middle, 26)
            self._canvas.text((start + 92, middle), badge.text, 54, anchor="lm")
            start += width + 120

    def _label_beside(self, text: str, at: tuple[float, float], colour: Colour) -> None:
        """Write on a side of a symbol where nothing stands yet, if there is one."""
        x, y = at
        sides = (
            ((x + 46, y), "lm"),
            ((x - 46, y), "rm"),
            ((x, y + 66), "mm"),
            ((x, y - 76), "mm"),
        )
        for place, anchor in sides:
            if self._label(text, place, anchor, colour):
                return

    def _draw_scale(self) -> None:
        view = self._shown.view
        metres = nice(view.width / 9)
        pixels = metres / view.width * INSIDE
        said = f"{metres:.0f} m" if metres < 1_000 else f"{metres / 1_000:.0f} km"
        wide = max(pixels, font(SMALL).getlength(said)) + 60
        right, bottom = MARGIN + INSIDE - 24, TOP + HEIGHT - 24
        self._plate((right - wide, bottom - 120, right, bottom))
        middle = right - wide / 2
        start, end, line = middle - pixels / 2, middle + pixels / 2, bottom - 32
        self._canvas.draw.line((start, line, end, line), BRIGHT, 8)
        for edge in (start, end):
            self._canvas.draw.line((edge, line - 14, edge, line + 14), BRIGHT, 8)
        self._canvas.text((middle, bottom - 60), said, SMALL, anchor="ms")

    def _draw_north(self) -> None:
        x, y = MARGIN + INSIDE - 80, TOP + 110
        self._plate((x - 52, y - 84, x + 52, y + 92))
        self._canvas.draw.polygon(
            [(x, y - 70), (x + 32, y + 6), (x, y - 14), (x - 32, y + 6)], BRIGHT
        )
        self._canvas.text((x, y + 72), self._shown.north, SMALL, bold=True, anchor="ms")

    def _label(
        self,
        text: str,
        at: tuple[float, float],
        anchor: str,
        colour: Colour,
        size: int = SMALL,
    ) -> bool:
        """Write on a plate inside the map, unless something else stands there.

        Returns:
            Whether it was written.
        """
        line = fitted(text, 420, size)
        left, top, right, bottom = font(size).getbbox(line, anchor=anchor)
        right_room = MARGIN + INSIDE - 20 - right - 14
        x = min(max(at[0], MARGIN + 20 - left + 14), right_room)
        y = min(max(at[1], TOP + 8 - top + 8), TOP + HEIGHT - 8 - bottom - 8)
        plate = (x + left - 14, y + top - 8, x + right + 14, y + bottom + 8)
        if any(_overlap(plate, other) for other in self._taken):
            return False
        self._plate(plate)
        self._canvas.text((x, y), line, size, colour=colour, anchor=anchor)
        return True

    def _plate(self, box: Box) -> None:
        self._canvas.draw.rounded_rectangle(box, 14, BACKGROUND)
        self._taken.append(box)

    def _trim(self, frame: Box) -> None:
        """Take away what was drawn beyond the map's edge."""
        left, top, right, bottom = frame
        width, height = self._canvas.image.size
        for box in (
            (0, top - 60, left, bottom + 60),
            (right, top - 60, width, bottom + 60),
            (0, bottom, width, height),
            (0, top - 46, width, top),
        ):
            self._canvas.draw.rectangle(box, BACKGROUND)
        self._canvas.draw.rectangle(frame, outline=GRID, width=4)


def _multiples(step: float, first: float, last: float) -> list[float]:
    start = ceil(first / step)
    return list(takewhile(lambda value: value < last, (number * step for number in count(start))))


def _is_small(box: Box) -> bool:
    return box[2] - box[0] < SMALLEST or box[3] - box[1] < SMALLEST


def _middle_of(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
