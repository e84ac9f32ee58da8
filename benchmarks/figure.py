"""A figure: what is measured, beside which baseline, and what it should reach."""

import statistics
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 5
"""How often each side is measured, in turns; the median counts."""

RATE, PROCESSOR = "operations/s", "µs of processor time"

Round = Mapping[str, float]
"""What one round of one side found, by unit."""

Work = Callable[[], Awaitable[Round]]
"""Measures one side for one round."""


@dataclass(frozen=True)
class Pair:
    """The two sides, ready to be measured; an absolute figure has no baseline."""

    ours: Work
    baseline: Work | None = None


@dataclass(frozen=True)
class Target:
    """A bound for the ratio of ours to the baseline, or for ours itself without a baseline."""

    unit: str
    bound: float
    is_at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Tell whether a value is on the right side of the bound."""
        return value >= self.bound if self.is_at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_at_least else '≤'} {self.bound:g}"


@dataclass(frozen=True)
class Figure:
    """A figure. `prepare` gets an empty folder and starts both sides."""

    name: str
    baseline: str
    targets: tuple[Target, ...]
    prepare: Callable[[Path], AbstractAsyncContextManager[Pair]]
    rounds: int = ROUNDS


@dataclass(frozen=True)
class Result:
    """What one target of a figure came to: medians, and every round as (baseline, ours)."""

    figure: Figure
    target: Target
    ours: float
    baseline: float | None = None
    rounds: list[tuple[float | None, float]] = field(default_factory=list)

    @property
    def value(self) -> float:
        """The value that the target limits; the median of the rounds' ratios."""
        return statistics.median(own if base is None else own / base for base, own in self.rounds)

    @property
    def is_met(self) -> bool:
        """Whether the target is met."""
        return self.target.is_met(self.value)


async def measure(figure: Figure, folder: Path) -> list[Result]:
    """Measure both sides in turns, so that whatever else the machine does affects both."""
    baselines: list[Round] = []
    ours: list[Round] = []
    async with figure.prepare(folder) as pair:
        for _ in range(figure.rounds):
            if pair.baseline is not None:
                baselines.append(await pair.baseline())
            ours.append(await pair.ours())
    return [_result(figure, target, baselines, ours) for target in figure.targets]


def _result(figure: Figure, target: Target, baselines: list[Round], ours: list[Round]) -> Result:
    own = [found[target.unit] for found in ours]
    base = [found[target.unit] for found in baselines]
    return Result(
        figure,
        target,
        statistics.median(own),
        statistics.median(base) if base else None,
        [(base[number] if base else None, value) for number, value in enumerate(own)],
    )
