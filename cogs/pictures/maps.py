"""Maps: a property, what is around it and what happens there."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cogs.pictures.backdrop import Backdrop, BackdropError, Rectangle
from cogs.pictures.drawing import (
    BACKGROUND,
    BRIGHT,
    FIELD,
    LINE,
    MARGIN,
    SMALL,
    STYLE,
    TEXT,
    WIDTH,
    fitted,
    new_figure,
    png,
    text_width,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

LEFT, TOP = 100, 145
ACROSS, DOWN = WIDTH - LEFT - MARGIN, 610
"""Where the map itself is on the picture, and its size, in pixels."""

SHAPE = ACROSS / DOWN

GROUND = 2.4
"""How much wider the view is than the property."""

LEAST = 300.0
"""Metres that the view is wide at least."""

SMALLEST = 18
"""Pixels below which a property is shown as a symbol."""

BADGE = 90
"""Pixels from one badge to the next."""

LONGEST_LABEL = 210
"""Pixels of a label on the map."""

PLACE, NEIGHBOUR, CALL = "#6cbfff", "#d0d4db", "#ff8a7a"
CAMERA, DRONE = "#63dba4", "#ffd15c"

log = logging.getLogger(__name__)


class Symbol(NamedTuple):
    """A character of the font, and its colour."""

    character: str
    colour: str


SYMBOLS = {
    "place": Symbol("◆", PLACE),
    "area": Symbol("▣", PLACE),
    "neighbour": Symbol("□", NEIGHBOUR),
    "call": Symbol("▲", CALL),
    "camera": Symbol("◉", CAMERA),
    "drone": Symbol("✚", DRONE),
    "out": Symbol("➤", DRONE),
}
"""The symbols of the map and its legend: each has a shape of its own besides its colour."""


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
class LegendLine:
    """A line of the legend: one of SYMBOLS, and a text."""

    symbol: str
    text: str


@dataclass(frozen=True, slots=True)
class Map:
    """Everything that a map shows; all coordinates are the game's, in metres."""

    title: str
    subtitle: str
    view: Rectangle
    place: Rectangle
    badges: tuple[LegendLine, ...]
    """What stands at the property: symbols with a few characters."""
    neighbours: tuple[Area, ...]
    calls: tuple[Spot, ...]
    legend: tuple[LegendLine, ...]
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
    from matplotlib import rc_context

    height = TOP + DOWN + 60 + len(shown.legend) * LINE + MARGIN
    with rc_context(STYLE):
        figure = new_figure(height, shown.title, shown.subtitle)
        axes = figure.add_axes(
            (LEFT / WIDTH, 1 - (TOP + DOWN) / height, ACROSS / WIDTH, DOWN / height)
        )
        _Ground(axes, shown).draw()
        for number, line in enumerate(shown.legend):
            y = TOP + DOWN + 90 + number * LINE
            symbol = SYMBOLS[line.symbol]
            write(figure, MARGIN + 20, y, symbol.character, color=symbol.colour, ha="center")
            write(figure, MARGIN + 52, y, fitted(line.text, WIDTH - 2 * MARGIN - 52, TEXT))
        return png(figure)


class _Ground:
    """The map itself. `_taken`: where something stands that no label may cover."""

    def __init__(self, axes: "Axes", shown: Map) -> None:
        self._axes = axes
        self._shown = shown
        self._taken: list[Bbox] = []

    def draw(self) -> None:
        self._draw_ground()
        for area in self._shown.neighbours:
            self._draw_area(area.rectangle, "neighbour", alpha=0.12, linestyle="--", linewidth=2)
        self._draw_area(self._shown.place, "place", alpha=0.28, linewidth=4)
        self._draw_badges()
        self._draw_scale_and_north()
        for spot in self._shown.calls:
            self._draw_symbol("call", spot.x, spot.y)
        for spot in self._shown.calls:
            self._label(spot.name, spot.x, spot.y, CALL, beside=True)
        for area in self._shown.neighbours:
            middle = _middle(self._visible(area.rectangle))
            self._label(area.name, *middle, NEIGHBOUR, beside=self._is_small(area.rectangle))

    def _draw_ground(self) -> None:
        """Draw the coordinates' grid, on the owner's map image where there is one."""
        from matplotlib.ticker import MaxNLocator

        view, axes = self._shown.view, self._axes
        axes.set_facecolor(FIELD)
        if self._shown.backdrop is not None:
            try:
                image, (left, top) = self._shown.backdrop.cut(view, (ACROSS, DOWN))
            except BackdropError as fault:
                log.warning("a map is drawn on a plain grid: %s", fault)
            else:
                metres = view.width / ACROSS
                west, north = view.x + left * metres, view.y + view.height - top * metres
                east, south = west + image.width * metres, north - image.height * metres
                axes.imshow(image, extent=(west, east, south, north), interpolation="nearest")
        axes.set(aspect="auto", autoscale_on=False)
        axes.set_xlim(view.x, view.x + view.width)
        axes.set_ylim(view.y, view.y + view.height)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(7, integer=True, steps=[1, 2, 5, 10]))
            axis.set_major_formatter(lambda value, _position: f"{value:.0f}")
        axes.tick_params(labelsize=14)
        axes.grid()

    def _visible(self, area: Rectangle) -> Rectangle:
        """Return an area as far as the map shows it, and a little beyond."""
        view, beyond = self._shown.view, self._shown.view.width * 0.02
        west = min(max(area.x, view.x - beyond), view.x + view.width + beyond)
        south = min(max(area.y, view.y - beyond), view.y + view.height + beyond)
        east = min(max(area.x + area.width, west), view.x + view.width + beyond)
        north = min(max(area.y + area.height, south), view.y + view.height + beyond)
        return Rectangle(west, south, east - west, north - south)

    def _is_small(self, area: Rectangle) -> bool:
        visible, pixel = self._visible(area), self._shown.view.width / ACROSS
        return min(visible.width, visible.height) < SMALLEST * pixel

    def _draw_area(self, area: Rectangle, symbol: str, *, alpha: float, **line: Any) -> None:
        from matplotlib.colors import to_rgba
        from matplotlib.patches import Rectangle as Patch

        visible = self._visible(area)
        if self._is_small(area):
            self._draw_symbol(symbol, *_middle(visible))
            return
        colour = SYMBOLS[symbol].colour
        patch = Patch(visible[:2], *visible[2:], edgecolor=colour, **line)
        patch.set_facecolor(to_rgba(colour, alpha))
        self._axes.add_patch(patch)

    def _draw_symbol(self, name: str, x: float, y: float) -> None:
        from matplotlib.patheffects import withStroke

        view, symbol = self._shown.view, SYMBOLS[name]
        if not (view.x <= x <= view.x + view.width and view.y <= y <= view.y + view.height):
            return
        text = self._axes.text(
            x, y, symbol.character, color=symbol.colour, fontsize=24, clip_on=True,
            ha="center", va="center", path_effects=[withStroke(linewidth=4, foreground=BACKGROUND)],
        )  # fmt: skip
        self._taken.append(text.get_window_extent())

    def _draw_badges(self) -> None:
        """Write the equipment inside the property, or below it if there is too little room."""
        visible, view = self._visible(self._shown.place), self._shown.view
        pixel = view.width / ACROSS
        has_room = visible.height > 150 * pixel and visible.width > 330 * pixel
        x, y = _middle(visible)
        y += (32 if has_room else -38) * pixel - max(visible.height, SMALLEST * pixel) / 2
        for number, badge in enumerate(self._shown.badges):
            symbol = SYMBOLS[badge.symbol]
            right = (number - (len(self._shown.badges) - 1) / 2) * BADGE * pixel
            text = f"{symbol.character} {badge.text}"
            self._label(text, x + right, max(y, view.y + 80 * pixel), symbol.colour)

    def _draw_scale_and_north(self) -> None:
        from matplotlib.ticker import MaxNLocator

        view = self._shown.view
        pixel = view.width / ACROSS
        metres = MaxNLocator(9, steps=[1, 2, 5, 10]).tick_values(0, view.width)[1]
        name = f"{metres:.0f} m" if metres < 1_000 else f"{metres / 1_000:.0f} km"
        half = max(metres / pixel, text_width(name, SMALL)) / 2
        x, y = view.x + view.width - (half + 26) * pixel, view.y + 24 * pixel
        ends = [x - metres / 2, x + metres / 2]
        self._axes.plot(
            ends, [y, y], color=BRIGHT, linewidth=3, marker="|", markersize=12, zorder=4
        )
        self._label(name, x, y + 24 * pixel, BRIGHT)
        x, y = view.x + view.width - 40 * pixel, view.y + view.height - 76 * pixel
        self._label(self._shown.north, x, y, BRIGHT, weight="bold")
        self._label("▲", x, y + 36 * pixel, BRIGHT)

    def _label(
        self, text: str, x: float, y: float, colour: str, *, beside: bool = False, **style: Any
    ) -> None:
        """Write on a plate inside the map, or beside a symbol, where nothing stands yet."""
        line = fitted(text, LONGEST_LABEL, SMALL)
        half = text_width(line, SMALL) / 2
        sides = ((half + 24, 0), (-half - 24, 0), (0, -34), (0, 36)) if beside else ((0, 0),)
        view, pixel = self._shown.view, self._shown.view.width / ACROSS
        edge = (half + 8) * pixel
        for right, up in sides:
            at_x = min(max(x + right * pixel, view.x + edge), view.x + view.width - edge)
            at_y = min(max(y + up * pixel, view.y + 20 * pixel), view.y + view.height - 20 * pixel)
            label = self._axes.text(
                at_x, at_y, line, color=colour, fontsize=SMALL, bbox=PLATE,
                ha="center", va="center", **style,
            )  # fmt: skip
            taken = label.get_window_extent().padded(4)
            if not any(taken.overlaps(other) for other in self._taken):
                self._taken.append(taken)
                return
            label.remove()


PLATE = {"boxstyle": "round,pad=0.2", "facecolor": BACKGROUND, "edgecolor": "none"}


def _middle(area: Rectangle) -> tuple[float, float]:
    return area.x + area.width / 2, area.y + area.height / 2
