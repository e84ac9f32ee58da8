"""Charts: how many visits or crimes each day had."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from PIL import Image, ImageDraw

from cogs.i18n.language import N_, _, plural
from cogs.pictures.canvas import (
    BRIGHT,
    FIELD,
    GRID,
    INSIDE,
    LINE,
    MARGIN,
    MUTED,
    SMALL,
    TEXT,
    WIDTH,
    Canvas,
    Colour,
    font,
    nice,
    short,
)
from cogs.ui.picture import Picture
from cogs.ui.text import fitting, plain_line
from webhook.queries.crimes import CrimesInArea
from webhook.queries.visitors import WEEK, ScannedVisitors, WeeklyVisitors

COLOURS: tuple[Colour, ...] = (
    (0x5C, 0xB8, 0xFF),
    (0xFF, 0xB0, 0x3B),
    (0x4F, 0xD1, 0x9A),
    (0xF4, 0x8F, 0xC7),
    (0xF2, 0xE2, 0x5B),
    (0xB9, 0xA2, 0xFF),
    (0xB4, 0xB9, 0xC2),
)
"""Each has a pattern of its own too; the last is of all others together."""

NAMED = len(COLOURS) - 1
"""Cameras that have a colour of their own."""

TOP, HEIGHT = 300, 900
TICKS = 5
TILE = 48
WIDEST_BAR = 240
WITH_TOTALS = 16
"""Bars that have their number above them; more would not leave it room."""

WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


@dataclass(frozen=True, slots=True)
class Series:
    """What one camera counted, day by day; the only series of a chart needs no name."""

    name: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars, one per label. `nothing` is written where there is nothing to count."""

    title: str
    subtitle: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    nothing: str


def visitors_chart(place: str, counted: WeeklyVisitors | ScannedVisitors, today: date) -> Picture:
    """Draw a property's visits, of the week by camera, or of the days that were asked for."""
    if isinstance(counted, WeeklyVisitors):
        days = [today - timedelta(WEEK - 1 - back) for back in range(WEEK)]
        series = [
            Series(seen.name, tuple(seen.data.get(day.isoformat(), 0) for day in days))
            for seen in counted.cameras.values()
        ]
    else:
        days = [date.fromisoformat(day.day) for day in counted.visitors]
        series = [Series("", tuple(day.count for day in counted.visitors))]
    title = _("Visits · {place}").format(place=place)
    return _picture("visits.png", title, _("No visits"), days, series)


def crimes_chart(place: str, counted: CrimesInArea, today: date) -> Picture:
    """Draw the crimes of the last days, at a property, around it or, as `place` says, elsewhere."""
    oldest_first = sorted(counted.crimes, key=lambda one: -one.day)
    days = [today - timedelta(one.day - 1) for one in oldest_first]
    series = [Series("", tuple(one.count for one in oldest_first))]
    title = _("Crimes · {place}").format(place=place)
    return _picture("crimes.png", title, _("No crimes"), days, series)


def _picture(
    name: str, title: str, nothing: str, days: Sequence[date], series: Sequence[Series]
) -> Picture:
    totals = [sum(counts) for counts in zip(*(one.counts for one in series), strict=True)]
    span = f"{days[0]} – {days[-1]}" if days else ""
    in_all = _("{number} in all").format(number=sum(totals))
    chart = Chart(
        title=plain_line(title, 200),
        subtitle=f"{span} · {in_all}" if any(totals) else span,
        labels=tuple(_labels(days)),
        series=tuple(_folded(series)),
        nothing=nothing,
    )
    return Picture.of(name, _alt(chart, days, totals), chart, draw_chart)


def _labels(days: Sequence[date]) -> list[str]:
    """Name the days: with their weekday as long as there are few of them."""
    if len(days) <= 2 * WEEK:
        return [f"{_(WEEKDAYS[day.weekday()])}\n{day:%m-%d}" for day in days]
    return [f"{day:%m-%d}" for day in days]


def _folded(series: Sequence[Series]) -> list[Series]:
    """Put together what the cameras beyond those with most visits saw."""
    if len(series) <= NAMED:
        return list(series)
    first = sorted(series, key=lambda one: -sum(one.counts))
    rest = first[NAMED:]
    counts = tuple(sum(day) for day in zip(*(one.counts for one in rest), strict=True))
    name = plural("{number} other", "{number} others", len(rest))
    return [*first[:NAMED], Series(name, counts)]


def _alt(chart: Chart, days: Sequence[date], totals: Sequence[int]) -> str:
    """Say what the chart says."""
    said = f"{chart.title}, {chart.subtitle}"
    if not any(totals):
        return f"{said}: {chart.nothing}."
    counted = [f"{day} {total}" for day, total in zip(days, totals, strict=True) if total]
    said += f": {fitting(counted, ', ', 500)}."
    named = [f"{one.name} {sum(one.counts)}" for one in chart.series if one.name]
    return f"{said} {fitting(named, ', ', 300)}." if named else said


def draw_chart(chart: Chart) -> bytes:
    """Draw a chart as a PNG file."""
    named = [one for one in chart.series if one.name]
    rows = -(-len(named) // 2)
    canvas = Canvas(TOP + HEIGHT + 220 + rows * LINE)
    canvas.heading(chart.title, chart.subtitle)
    totals = [sum(counts) for counts in zip(*(one.counts for one in chart.series), strict=True)]
    if not any(totals):
        middle = (WIDTH / 2, TOP + HEIGHT / 2)
        canvas.draw.rectangle((MARGIN, TOP, WIDTH - MARGIN, TOP + HEIGHT), FIELD)
        canvas.text(middle, chart.nothing, 84, colour=MUTED, anchor="mm")
    else:
        _draw_bars(canvas, chart, totals)
    for place, one in enumerate(named):
        left = MARGIN + place % 2 * INSIDE / 2
        bottom = TOP + HEIGHT + 250 + place // 2 * LINE
        canvas.image.paste(_texture(place, 60, 60), (round(left), bottom - 54))
        said = f"{one.name} · {short(sum(one.counts))}"
        canvas.text((left + 84, bottom), said, width=INSIDE / 2 - 110)
    return canvas.png()


def _draw_bars(canvas: Canvas, chart: Chart, totals: Sequence[int]) -> None:
    step = nice(max(totals) / TICKS)
    top_value = step * -(-max(totals) // step)
    ticks = [step * number for number in range(round(top_value / step) + 1)]
    left = MARGIN + 30 + max(font(SMALL).getlength(short(tick)) for tick in ticks)
    bottom = TOP + HEIGHT

    def height_of(value: float) -> float:
        return bottom - (HEIGHT - 80) * value / top_value

    for tick in ticks:
        line = height_of(tick)
        canvas.draw.line((left, line, WIDTH - MARGIN, line), GRID, 3)
        canvas.text((left - 24, line), short(tick), SMALL, colour=MUTED, anchor="rm")
    slot = (WIDTH - MARGIN - left) / len(totals)
    bar = max(2.0, min(WIDEST_BAR, slot * 0.66))
    for day, total in enumerate(totals):
        middle = left + slot * (day + 0.5)
        edges = (round(middle - bar / 2), round(middle + bar / 2))
        below = 0
        for place, one in enumerate(chart.series):
            upper, lower = height_of(below + one.counts[day]), height_of(below)
            _fill(canvas, place, (edges[0], round(upper), edges[1], round(lower)))
            below += one.counts[day]
        if total and len(totals) <= WITH_TOTALS:
            above = (middle, height_of(total) - 18)
            canvas.text(above, short(total), TEXT, bold=True, anchor="ms", width=slot)
    _draw_labels(canvas, chart.labels, left, slot)
    canvas.draw.line((left, bottom, WIDTH - MARGIN, bottom), MUTED, 5)


def _draw_labels(canvas: Canvas, labels: Sequence[str], left: float, slot: float) -> None:
    """Name as many days as have room, at even distances."""
    widest = max(font(SMALL).getlength(line) for label in labels for line in label.splitlines())
    every = max(1, -(-round(widest + 40) // max(1, int(slot))))
    for day in range(0, len(labels), every):
        middle = left + slot * (day + 0.5)
        for number, line in enumerate(labels[day].splitlines()):
            colour = MUTED if number else BRIGHT
            bottom = TOP + HEIGHT + 72 + number * 64
            canvas.text((middle, bottom), line, SMALL, colour=colour, anchor="ms")


def _fill(canvas: Canvas, place: int, box: tuple[int, int, int, int]) -> None:
    """Fill a part of a bar, with a gap to the one below."""
    left, upper, right, lower = box
    lower -= 4
    if lower > upper:
        canvas.image.paste(_texture(place, right - left, lower - upper), (left, upper))


def _texture(place: int, width: int, height: int) -> Image.Image:
    """Return an area in a series' colour and pattern."""
    tile = _tile(place % len(COLOURS))
    area = Image.new("RGB", (width, height))
    for x in range(0, width, TILE):
        for y in range(height, -TILE, -TILE):
            area.paste(tile, (x, y))
    return area


@lru_cache(len(COLOURS))
def _tile(place: int) -> Image.Image:
    """Return the pattern of a series; patterns tell series apart without their colours."""
    colour = COLOURS[place]
    tile = Image.new("RGB", (TILE, TILE), colour)
    draw = ImageDraw.Draw(tile)
    dark = tuple(round(part * 0.5) for part in colour)
    if place in (1, 5):  # falling, and crossed
        for shift in (-TILE, 0, TILE):
            draw.line((shift - TILE, -TILE, shift + 2 * TILE, 2 * TILE), dark, 9)
    if place in (3, 5):  # rising, and crossed
        for shift in (-TILE, 0, TILE):
            draw.line((shift - TILE, 2 * TILE, shift + 2 * TILE, -TILE), dark, 9)
    if place == 2:
        draw.ellipse((14, 14, 34, 34), dark)
    if place == 4:
        draw.rectangle((0, 18, TILE, 28), dark)
    if place == 6:
        draw.rectangle((18, 0, 28, TILE), dark)
    return tile
