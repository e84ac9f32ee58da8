"""Charts: how many visits or crimes each day had."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from cogs.i18n.language import N_, _, plural
from cogs.pictures.drawing import (
    BRIGHT,
    FIELD,
    INSIDE,
    LINE,
    MARGIN,
    MUTED,
    SMALL,
    STYLE,
    TEXT,
    WIDTH,
    fitted,
    new_figure,
    png,
    short,
    write,
)
from cogs.ui.picture import Picture
from cogs.ui.text import fitting, plain_line
from webhook.queries.crimes import CrimesOn
from webhook.queries.properties.visitors import WEEK, ScannedVisitors, WeeklyVisitors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#5cb8ff", "#ffb03b", "#4fd19a", "#f48fc7", "#f2e25b", "#b9a2ff", "#b4b9c2")
HATCHES = ("", "\\\\", "o", "//", "-", "xx", "|")
"""Each series has a pattern of its own besides its colour; the last is all others together."""

NAMED = len(COLOURS) - 1
"""Cameras that have a colour of their own."""

TOP, HEIGHT = 150, 450
"""Pixels above the bars, and of them."""

TICKS = 5
TICKS_WIDTH = 70
"""Pixels of the numbers beside the bars."""

DAYS_WITH_NAME = 10
"""Days that are named below the bars, if there are more, at even distances."""

WITH_TOTALS = 16
"""Bars that have their number above them; more would not leave room for it."""

WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


class Series(NamedTuple):
    """What one camera counted, day by day; a chart's only series needs no name."""

    name: str
    counts: tuple[int, ...]


class Chart(NamedTuple):
    """Stacked bars, one per label. `nothing` is written where there is nothing to draw."""

    title: str
    subtitle: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    nothing: str


def visitors_chart(place: str, visits: WeeklyVisitors | ScannedVisitors, today: date) -> Picture:
    """Return a chart of a property's visits: of the week by camera, or of some days."""
    if isinstance(visits, WeeklyVisitors):
        days = [today - timedelta(WEEK - 1 - number) for number in range(WEEK)]
        series = [
            Series(camera.name, tuple(camera.data.get(day.isoformat(), 0) for day in days))
            for camera in visits.cameras.values()
        ]
        if visits.without_camera:
            counts = tuple(visits.without_camera.get(day.isoformat(), 0) for day in days)
            series.append(Series(_("without a camera"), counts))
    else:
        days = [date.fromisoformat(day.day) for day in visits.visitors]
        series = [Series("", tuple(day.count for day in visits.visitors))]
    title = _("Visits · {place}").format(place=place)
    return _picture("visits.png", title, _("No visits"), days, series)


def crimes_chart(place: str, crimes: Sequence[CrimesOn]) -> Picture:
    """Return a chart of the crimes of the last days, today first; `place` says where."""
    oldest_first = crimes[::-1]
    days = [date.fromisoformat(day.date) for day in oldest_first]
    series = [Series("", tuple(day.count for day in oldest_first))]
    title = _("Crimes · {place}").format(place=place)
    return _picture("crimes.png", title, _("No crimes"), days, series)


def _picture(
    name: str, title: str, nothing: str, days: Sequence[date], series: Sequence[Series]
) -> Picture:
    totals = _totals(series)
    span = f"{days[0]} – {days[-1]}" if days else ""
    in_all = _("{number} in all").format(number=sum(totals))
    labels = [f"{day:%m-%d}" for day in days]
    if len(days) <= 2 * WEEK:
        labels = [f"{_(WEEKDAYS[day.weekday()])}\n{day:%m-%d}" for day in days]
    title = plain_line(title, 200)
    subtitle = f"{span} · {in_all}" if any(totals) else span
    chart = Chart(title, subtitle, tuple(labels), tuple(_merged(series)), nothing)
    alt = f"{title}, {subtitle}"
    if any(totals):
        bars = [f"{day} {total}" for day, total in zip(days, totals, strict=True) if total]
        alt += f": {fitting(bars, ', ', 500)}."
        names = [f"{one.name} {sum(one.counts)}" for one in chart.series if one.name]
        alt += f" {fitting(names, ', ', 300)}." if names else ""
    else:
        alt += f": {nothing}."
    return Picture.of(name, alt, chart, draw_chart)


def _totals(series: Sequence[Series]) -> list[int]:
    return [sum(day) for day in zip(*(one.counts for one in series), strict=True)]


def _merged(series: Sequence[Series]) -> list[Series]:
    """Merge all cameras but those with the most visits into one series."""
    if len(series) <= NAMED:
        return list(series)
    first = sorted(series, key=lambda one: -sum(one.counts))
    name = plural("{number} other", "{number} others", len(series) - NAMED)
    return [*first[:NAMED], Series(name, tuple(_totals(first[NAMED:])))]


def draw_chart(chart: Chart) -> bytes:
    from matplotlib import rc_context
    from matplotlib.patches import Rectangle

    legend = [series for series in chart.series if series.name]
    height = TOP + HEIGHT + 110 + -(-len(legend) // 2) * LINE
    totals = _totals(chart.series)
    left = MARGIN + (TICKS_WIDTH if any(totals) else 0)
    with rc_context(STYLE):
        figure = new_figure(height, chart.title, chart.subtitle)
        axes = figure.add_axes(
            (
                left / WIDTH,
                1 - (TOP + HEIGHT) / height,
                1 - (left + MARGIN) / WIDTH,
                HEIGHT / height,
            )
        )
        axes.spines[["top", "left", "right"]].set_visible(False)
        if any(totals):
            _draw_bars(axes, chart, totals)
        else:
            axes.set_facecolor(FIELD)
            axes.set(xticks=[], yticks=[])
            axes.text(0.5, 0.5, chart.nothing, color=MUTED, fontsize=28, ha="center", va="center")
        for number, series in enumerate(legend):
            x = MARGIN + number % 2 * INSIDE / 2
            y = TOP + HEIGHT + 120 + number // 2 * LINE
            corner = x / WIDTH, 1 - (y + 4) / height
            figure.add_artist(Rectangle(corner, 30 / WIDTH, 28 / height, **_fill(number)))
            text = f"{series.name} · {short(sum(series.counts))}"
            write(figure, x + 42, y, fitted(text, INSIDE / 2 - 60, TEXT))
        return png(figure)


def _draw_bars(axes: "Axes", chart: Chart, totals: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    days = range(len(totals))
    width = min(0.66, 0.17 * len(totals))
    bottoms = [0] * len(totals)
    for number, series in enumerate(chart.series):
        bars = axes.bar(days, series.counts, width=width, bottom=bottoms, **_fill(number))
        bottoms = [below + count for below, count in zip(bottoms, series.counts, strict=True)]
    if len(totals) <= WITH_TOTALS:
        written = [short(total) if total else "" for total in totals]
        size = min(TEXT, 170 / len(totals))
        axes.bar_label(bars, written, padding=4, fontsize=size, weight="bold")
    axes.set(xlim=(-0.5, len(totals) - 0.5), ylim=(0, max(totals) * 1.12))
    axes.grid(axis="y")
    axes.yaxis.set_major_locator(MaxNLocator(TICKS, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _position: short(value))
    axes.tick_params(labelsize=SMALL)
    every = -(-len(totals) // DAYS_WITH_NAME)
    # From the last one back: what is newest must have its name.
    axes.set_xticks(days[::-every], chart.labels[::-every], color=BRIGHT)


def _fill(number: int) -> dict[str, Any]:
    colour = COLOURS[number % len(COLOURS)]
    dark = tuple(int(colour[part : part + 2], 16) / 510 for part in (1, 3, 5))
    hatch = HATCHES[number % len(HATCHES)]
    return {"facecolor": colour, "hatch": hatch, "edgecolor": dark, "linewidth": 0}
