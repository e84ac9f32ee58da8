"""`python -m benchmarks.growth FILE.svg`: how costs grow, as a table and as a plot.

Each cost at four sizes: a query's time with the properties that there are (each with ten visits),
the time until the last subscriber has an event, the answers a second with more connections.
"""

import argparse
import itertools
import math
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib as mpl
import orjson
import uvloop
from matplotlib import pyplot
from matplotlib.axes import Axes

from benchmarks import large
from benchmarks.filling import SMALL, Sizes, filled
from benchmarks.large import Case, Conversation, Site
from benchmarks.load import Audience, ask, connected
from benchmarks.processes import Server, bot

ROWS = (1_000, 10_000, 100_000, 1_000_000)
SUBSCRIBERS = (1, 10, 100, 1_000)
CONNECTIONS = (1, 10, 100, 1_000)

ROUNDS = 3
EVENTS = 50
"""How many events the subscribers hear."""

SECONDS = 2.0
"""How long the connections ask."""

CASES = {
    "get-property": Case(
        "get-property", lambda site: site.ask("get-property", **large.at_home(site))
    ),
    "search, three letters": large.searching("get-properties", large.part_of_street, ""),
    "search, one letter": large.searching("get-properties", large.letter, ""),
    "get-weekly-visitors": large.asking("get-weekly-visitors", large.at_home),
    "add-visitor": Case("add-visitor", large.visit_at(Site.home)),
}
"""What is asked where rows grow."""


@dataclass(frozen=True)
class Panel:
    """A cost, or several of the same unit, at every size."""

    title: str
    sizes: Sequence[int]
    of: str
    unit: str
    lines: dict[str, list[float]]


async def measure() -> list[Panel]:
    """Measure everything."""
    return [
        Panel("One query", ROWS, "properties", "ms", await _by_rows()),
        Panel("One event", SUBSCRIBERS, "subscribers", "ms", await _by_subscribers()),
        Panel("Answers", CONNECTIONS, "connections", "a second", await _by_connections()),
    ]


async def _by_rows() -> dict[str, list[float]]:
    """Return the median milliseconds of each case at each size."""
    lines: dict[str, list[float]] = {name: [] for name in CASES}
    for rows in ROWS:
        sizes = Sizes(properties=rows, visits=10 * rows, alerts=rows)
        with tempfile.TemporaryDirectory(prefix="sentinel-bench-") as folder:
            async with large.site(sizes, Path(folder) / "bot") as site:
                for name, case in CASES.items():
                    work = large.rounds_of(case, site)
                    rounds = [statistics.median(await work()) for _ in range(ROUNDS)]
                    lines[name].append(statistics.median(rounds))
    return lines


async def _by_subscribers() -> dict[str, list[float]]:
    """Return the median milliseconds from a change until the last subscriber knows of it."""
    with tempfile.TemporaryDirectory(prefix="sentinel-bench-") as folder:
        async with bot(Path(folder), **large.NO_BACKUP) as server:
            return {"to the last one": [await _told(server, number) for number in SUBSCRIBERS]}


async def _told(server: Server, number: int) -> float:
    audience, conversation, url = Audience(number), Conversation(), f"{server.url}/ws"
    async with AsyncExitStack() as stack:
        await audience.listen(stack, url, server.headers, "crimes")
        await stack.enter_async_context(connected(lambda: conversation, url, server.headers))
        tell = partial(conversation.ask, "add-crime", {})
        times = [await audience.told(tell) for _ in range(EVENTS)]
    return statistics.median(times) * 1000


async def _by_connections() -> dict[str, list[float]]:
    """Return the answers a second to connections that each have one question outstanding."""
    with tempfile.TemporaryDirectory(prefix="sentinel-bench-") as folder:
        await filled(SMALL, Path(folder))
        site = Site(SMALL, Conversation())
        questions = [
            orjson.dumps({"type": "queries.get-property", "data": large.at_home(site)})
            for _ in range(100)
        ]
        async with bot(Path(folder), **large.NO_BACKUP) as server:
            rates = [
                await ask(
                    f"{server.url}/ws",
                    server.headers,
                    questions,
                    connections=number,
                    in_flight=1,
                    seconds=SECONDS,
                )
                for number in CONNECTIONS
            ]
    return {"get-property": rates}


def table(panels: list[Panel]) -> Iterator[str]:
    """Write what was measured as tables of Markdown."""
    for panel in panels:
        heads = [f"{panel.title}, {panel.unit}, by {panel.of}", *map("{:,}".format, panel.sizes)]
        yield f"| {' | '.join(heads)} |"
        yield f"|{' --- |' + ' ---: |' * len(panel.sizes)}"
        for name, values in panel.lines.items():
            yield f"| {' | '.join([name, *map(_short, values)])} |"
        yield ""


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def plot(panels: list[Panel], path: Path) -> None:
    """Draw what was measured, a panel beside the other."""
    # Without these, no two files would be alike.
    mpl.rcParams |= {"svg.hashsalt": "growth", "svg.fonttype": "none", "font.size": 9}
    figure, axes = pyplot.subplots(
        1, len(panels), figsize=(11, 3.4), width_ratios=[1.5, 1, 1], layout="constrained"
    )
    for panel, ax in zip(panels, axes, strict=True):
        _draw(panel, ax)
    figure.savefig(path, facecolor="white", metadata={"Date": None})


def _draw(panel: Panel, ax: Axes) -> None:
    ax.set_title(f"{panel.title}, {panel.unit}", loc="left", fontsize=10, fontweight="bold")
    ax.set_xlabel(panel.of)
    ax.set_xscale("log")
    ax.set_yscale("log")
    values = list(itertools.chain.from_iterable(panel.lines.values()))
    ax.set_ylim(10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values))))
    ax.set_xticks(panel.sizes, [f"{size:,}" for size in panel.sizes])
    ax.minorticks_off()
    ax.margins(x=0.12)
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.grid(axis="y", color="#e3e3e3")
    ax.spines[["top", "right"]].set_visible(False)
    ends = _apart({name: values[-1] for name, values in panel.lines.items()}, ax)
    for number, (name, values) in enumerate(panel.lines.items()):
        colour = f"C{number}"
        ax.plot(panel.sizes, values, marker="o", markersize=3.5, color=colour)
        if len(panel.lines) > 1:
            ax.annotate(
                name,
                (panel.sizes[-1], ends[name]),
                xytext=(8, 0),
                textcoords="offset points",
                color=colour,
                va="center",
                annotation_clip=False,
            )
        else:
            for size, value in zip(panel.sizes, values, strict=True):
                ax.annotate(
                    _short(value), (size, value), (0, 7), textcoords="offset points", ha="center"
                )


def _apart(ends: dict[str, float], ax: Axes) -> dict[str, float]:
    """Return where labels stand so that none covers another: near the ends of their lines."""
    low, high = map(math.log10, ax.get_ylim())
    least = (high - low) / 13
    names = sorted(ends, key=ends.__getitem__)
    places = [math.log10(ends[name]) for name in names]
    for _ in range(100):
        for below, above in itertools.pairwise(range(len(places))):
            overlap = max(0.0, least - (places[above] - places[below]))
            places[below] -= overlap / 2
            places[above] += overlap / 2
    return {name: 10**place for name, place in zip(names, places, strict=True)}


def main() -> None:
    """Measure, print and draw."""
    asked = argparse.ArgumentParser(description=__doc__, prog="benchmarks.growth")
    asked.add_argument("plot", type=Path, help="where to put the plot, an SVG file")
    given = asked.parse_args()
    panels = uvloop.run(measure())
    for line in table(panels):
        print(line)
    plot(panels, given.plot)


if __name__ == "__main__":
    main()
