"""A figure: what is measured, against which baseline, and what it should reach."""

import statistics
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS = 5
"""How often each side is measured, in turns; what counts is the median."""

Samples = list[float]
Work = Callable[[], Awaitable[Samples]]
"""Measures one side for one round: a rate, or the times of many single things."""


@dataclass(frozen=True)
class Pair:
    """The two sides, ready to be measured; a figure that stands for itself has no baseline."""

    ours: Work
    baseline: Work | None = None


@dataclass(frozen=True)
class Target:
    """What the ratio of ours to the baseline should be, or ours itself where there is none.

    `of`: what is compared of a round's samples.
    """

    bound: float
    is_at_least: bool
    label: str = ""
    of: Callable[[Sequence[float]], float] = statistics.median

    def is_met(self, value: float) -> bool:
        """Tell whether a value is on the right side of the bound."""
        return value >= self.bound if self.is_at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_at_least else '≤'} {self.bound:g}"


def at_least(bound: float) -> Target:
    """Want as much as this, or more."""
    return Target(bound, is_at_least=True)


def at_most(
    bound: float, label: str = "", of: Callable[[Sequence[float]], float] = statistics.median
) -> Target:
    """Want no more than this."""
    return Target(bound, is_at_least=False, label=label, of=of)


def percentile(share: float) -> Callable[[Sequence[float]], float]:
    """Return what finds the value that this share of all samples does not exceed."""

    def of(samples: Sequence[float]) -> float:
        return sorted(samples)[min(len(samples) - 1, int(len(samples) * share))]

    return of


@dataclass(frozen=True)
class Figure:
    """A figure. `prepare` gets an empty folder and readies both sides."""

    name: str
    unit: str
    baseline: str
    targets: tuple[Target, ...]
    prepare: Callable[[Path], AbstractAsyncContextManager[Pair]]
    rounds: int = ROUNDS


@dataclass
class Measured:
    """A figure's value for one of its targets; `baseline` is None for one without."""

    figure: str
    unit: str
    target: Target
    ours: float
    baseline: float | None
    rounds: list[tuple[float | None, float]] = field(default_factory=list)

    @property
    def value(self) -> float:
        """What the target is about."""
        return self.ours if self.baseline is None else self.ours / self.baseline

    @property
    def is_met(self) -> bool:
        """Whether it is reached."""
        return self.target.is_met(self.value)


async def measure(figure: Figure, folder: Path) -> list[Measured]:
    """Measure both sides in turns, so that what else the machine does meets both."""
    baselines: list[Samples] = []
    ours: list[Samples] = []
    async with figure.prepare(folder) as pair:
        for _ in range(figure.rounds):
            if pair.baseline is not None:
                baselines.append(await pair.baseline())
            ours.append(await pair.ours())
    return [_measured(figure, target, baselines, ours) for target in figure.targets]


def _measured(
    figure: Figure, target: Target, baselines: list[Samples], ours: list[Samples]
) -> Measured:
    own = [target.of(samples) for samples in ours]
    base = [target.of(samples) for samples in baselines]
    return Measured(
        f"{figure.name}, {target.label}" if target.label else figure.name,
        figure.unit,
        target,
        statistics.median(own),
        statistics.median(base) if base else None,
        [(base[turn] if base else None, value) for turn, value in enumerate(own)],
    )
