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
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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

BADGE = 65
"""Points from one badge to the next."""

OWN = 2
"""How far above its neighbours (1) the property is drawn; symbols and texts are two above."""

LONGEST_LABEL = 210
"""Pixels of a label on the map."""

PROPERTY, NEIGHBOUR, CALL = "#6cbfff", "#d0d4db", "#ff8a7a"
CAMERA, DRONE = "#63dba4", "#ffd15c"

log = logging.getLogger(__name__)


class Symbol(NamedTuple):
    """A character of the font, and its colour."""

    character: str
    colour: str


SYMBOLS = {
    "property": Symbol("◆", PROPERTY),
    "area": Symbol("▣", PROPERTY),
    "neighbour": Symbol("□", NEIGHBOUR),
    "call": Symbol("▲", CALL),
    "camera": Symbol("◉", CAMERA),
    "drone": Symbol("✚", DRONE),
    "out": Symbol("➤", DRONE),
}
"""The symbols of the map and its legend: each has a shape of its own besides its colour."""


class Neighbour(NamedTuple):
    """A neighbouring property."""

    rectangle: Rectangle
    name: str


class Spot(NamedTuple):
    """A call on the map."""

    x: float
    y: float
    name: str


class LegendLine(NamedTuple):
    """A line of the legend: one of SYMBOLS, and a text."""

    symbol: str
    text: str


@dataclass(frozen=True, slots=True)
class Map:
    """Everything that a map shows; all coordinates are the game's, in metres."""

    title: str
    subtitle: str
    view: Rectangle
    area: Rectangle
    badges: tuple[LegendLine, ...]
    """What stands at the property: symbols with a few characters."""
    neighbours: tuple[Neighbour, ...]
    calls: tuple[Spot, ...]
    legend: tuple[LegendLine, ...]
    north: str
    backdrop: Backdrop | None = None


def view_of(area: Rectangle, points: list[tuple[float, float]]) -> Rectangle:
    """Return what a map shows: the property with some ground around it, and these points."""
    west = min([area.x, *(x - area.width * 0.1 for x, _ in points)])
    east = max([area.x + area.width, *(x + area.width * 0.1 for x, _ in points)])
    south = min([area.y, *(y - area.height * 0.1 for _, y in points)])
    north = max([area.y + area.height, *(y + area.height * 0.1 for _, y in points)])
    width = max(LEAST, (east - west) * GROUND, (north - south) * GROUND * SHAPE)
    height = width / SHAPE
    return Rectangle((west + east - width) / 2, (south + north - height) / 2, width, height)


def draw_map(shown: Map) -> bytes:
    from matplotlib import rc_context

    height = TOP + DOWN + 60 + len(shown.legend) * LINE + MARGIN
    with rc_context(STYLE):
        figure = new_figure(height, shown.title, shown.subtitle)
        axes = figure.add_axes(
            (LEFT / WIDTH, 1 - (TOP + DOWN) / height, ACROSS / WIDTH, DOWN / height)
        )
        _MapDrawing(axes, shown).draw()
        for number, line in enumerate(shown.legend):
            y = TOP + DOWN + 90 + number * LINE
            symbol = SYMBOLS[line.symbol]
            write(figure, MARGIN + 20, y, symbol.character, color=symbol.colour, ha="center")
            write(figure, MARGIN + 52, y, fitted(line.text, WIDTH - 2 * MARGIN - 52, TEXT))
        return png(figure)


class _MapDrawing:
    """The map itself. `_taken`: where something stands that no label may cover."""

    def __init__(self, axes: "Axes", shown: Map) -> None:
        from matplotlib.transforms import Bbox

        self._axes = axes
        self._shown = shown
        self._view = Bbox.from_bounds(*shown.view)
        self._pixel = shown.view.width / ACROSS
        self._taken: list[Bbox] = []

    def draw(self) -> None:
        from matplotlib.transforms import Bbox

        shown = self._shown
        self._draw_ground()
        self._draw_scale_and_north()
        self._draw_area(shown.area, "property", alpha=0.28, linewidth=4, zorder=OWN)
        self._draw_badges()
        middles = [
            self._draw_area(
                neighbour.rectangle, "neighbour", alpha=0.12, linestyle="--", linewidth=2, zorder=1
            )
            for neighbour in shown.neighbours
        ]
        calls = [spot for spot in shown.calls if self._view.contains(spot.x, spot.y)]
        for spot in calls:
            self._draw_symbol("call", spot.x, spot.y)
        for spot in calls:
            self._label(spot.name, (spot.x, spot.y), CALL)
        # Calls may be inside it; of neighbours nothing but a fence is.
        own = Bbox.intersection(Bbox.from_bounds(*shown.area), self._view)
        if own is not None:
            self._taken.append(self._axes.transData.transform_bbox(own))
        for neighbour, middle in zip(shown.neighbours, middles, strict=True):
            if middle is not None:
                self._label(neighbour.name, middle, NEIGHBOUR)

    def _draw_ground(self) -> None:
        """Draw the coordinates' grid, on the owner's map image where there is one."""
        from matplotlib.ticker import MaxNLocator

        axes, view = self._axes, self._view
        axes.set_facecolor(FIELD)
        if self._shown.backdrop is not None:
            try:
                image, (x, y, width, height) = self._shown.backdrop.cut(
                    self._shown.view, (ACROSS, DOWN)
                )
            except BackdropError as fault:
                log.warning("the map image cannot be used, the map has a plain grid: %s", fault)
            else:
                axes.imshow(image, extent=(x, x + width, y, y + height), interpolation="nearest")
        axes.set(aspect="auto", autoscale_on=False, xlim=view.intervalx, ylim=view.intervaly)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(7, integer=True, steps=[1, 2, 5, 10]))
            axis.set_major_formatter(lambda value, _position: f"{value:.0f}")
        axes.tick_params(labelsize=14)
        axes.grid()

    def _draw_scale_and_north(self) -> None:
        from matplotlib.ticker import MaxNLocator

        metres = MaxNLocator(9, steps=[1, 2, 5, 10]).tick_values(0, self._view.width)[1]
        name = f"{metres:.0f} m" if metres < 1_000 else f"{metres / 1_000:.0f} km"
        east, y = self._view.x1 - 26 * self._pixel, self._view.y0 + 24 * self._pixel
        self._axes.plot(
            [east - metres, east], [y, y], color=BRIGHT, linewidth=3, marker="|", markersize=12
        )
        self._write(name, (east, y), (0, 18), BRIGHT, ha="right")
        corner = east - 14 * self._pixel, self._view.y1 - 58 * self._pixel
        self._write(f"▲\n{self._shown.north}", corner, (0, 0), BRIGHT, weight="bold")

    def _draw_area(
        self, area: Rectangle, symbol: str, *, alpha: float, zorder: int, **line: Any
    ) -> tuple[float, float] | None:
        """Draw an area, a small one as a symbol; return the middle of what the map shows of it."""
        from matplotlib.colors import to_rgba
        from matplotlib.patches import Rectangle as Patch
        from matplotlib.transforms import Bbox

        beyond = self._view.padded(10 * self._pixel)  # so that the frame shows no edge of it
        visible = Bbox.intersection(Bbox.from_bounds(*area), beyond)
        if visible is None:
            return None
        middle = visible.x0 + visible.width / 2, visible.y0 + visible.height / 2
        if min(area.width, area.height) >= SMALLEST * self._pixel:
            colour = SYMBOLS[symbol].colour
            patch = Patch(
                visible.p0, visible.width, visible.height, edgecolor=colour, zorder=zorder, **line
            )
            patch.set_facecolor(to_rgba(colour, alpha))
            self._axes.add_patch(patch)
        elif self._view.contains(*middle):
            self._draw_symbol(symbol, *middle, zorder=zorder + 2)
        else:
            return None
        return middle

    def _draw_symbol(self, name: str, x: float, y: float, zorder: int = OWN + 2) -> None:
        from matplotlib.patheffects import withStroke

        symbol = SYMBOLS[name]
        text = self._axes.text(
            x, y, symbol.character, color=symbol.colour, fontsize=24, clip_on=True, zorder=zorder,
            ha="center", va="center", path_effects=[withStroke(linewidth=4, foreground=BACKGROUND)],
        )  # fmt: skip
        self._taken.append(text.get_window_extent())

    def _draw_badges(self) -> None:
        area, badges = self._shown.area, self._shown.badges
        for number, badge in enumerate(badges):
            symbol = SYMBOLS[badge.symbol]
            right = (number - (len(badges) - 1) / 2) * BADGE
            text = fitted(f"{symbol.character} {badge.text}", LONGEST_LABEL, SMALL)
            self._write(
                text, (area.x + area.width / 2, area.y), (right, -26), symbol.colour, zorder=OWN + 2
            )

    def _label(self, text: str, position: tuple[float, float], colour: str) -> None:
        """Write beside a position, or else above or below, where nothing stands yet."""
        is_west = position[0] < self._view.x0 + self._view.width / 2
        right, side = (17, "left") if is_west else (-17, "right")  # so that it stays on the map
        line = fitted(text, LONGEST_LABEL, SMALL)
        for up in (0, 25, -25):
            if self._write(line, position, (right, up), colour, ha=side):
                return

    def _write(
        self,
        text: str,
        position: tuple[float, float],
        offset: tuple[float, float],
        colour: str,
        **style: Any,
    ) -> bool:
        """Write on a plate, so many points from a position; return False if there is no room."""
        plate = {"boxstyle": "round,pad=0.2", "facecolor": BACKGROUND, "edgecolor": "none"}
        written = self._axes.annotate(
            text, position, offset, textcoords="offset points", color=colour, fontsize=SMALL,
            bbox=plate, **({"ha": "center", "va": "center"} | style),
        )  # fmt: skip
        extent = written.get_window_extent().padded(4)
        frame = self._axes.bbox
        if any(extent.overlaps(taken) for taken in self._taken) or not (
            frame.y0 <= extent.y0 and extent.y1 <= frame.y1
        ):
            written.remove()
            return False
        self._taken.append(extent)
        return True
