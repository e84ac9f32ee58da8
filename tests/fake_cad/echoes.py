"""Every way in which the CAD may push what was done over its API, two requests at a time."""

import itertools
import random
from collections.abc import Mapping
from typing import Literal

Echo = Literal["early", "late", "twice"]
"""When the CAD pushes what a request did: before its answer, when the test says so, or both."""

WAYS: tuple[Echo | None, ...] = (None, "early", "late", "twice")

ECHOED = (
    "create-911",
    "remove-911",
    "create-dispatch",
    "attach",
    "detach",
    "note",
    "close",
    "status",
    "panic",
)
"""The kinds of requests that may be echoed."""

TRIES = 200


def pairwise() -> list[dict[str, Echo]]:
    """Return settings such that any two kinds occur with each pair of ways in one of them.

    All combinations are 262 144. Each setting is the best of some drawn at random, always the same.
    """
    draw = random.Random(0)
    chosen = [dict.fromkeys(ECHOED, way) for way in WAYS]
    missing = {
        ((first, one), (second, other))
        for first, second in itertools.combinations(ECHOED, 2)
        for one, other in itertools.product(WAYS, repeat=2)
    }
    missing -= {pair for setting in chosen for pair in _pairs(setting)}
    while missing:
        tries = [{kind: draw.choice(WAYS) for kind in ECHOED} for _ in range(TRIES)]
        best = max(tries, key=lambda setting: len(missing & _pairs(setting)))
        chosen.append(best)
        missing -= _pairs(best)
    return [{kind: way for kind, way in one.items() if way is not None} for one in chosen]


def _pairs(setting: Mapping[str, Echo | None]) -> set[object]:
    return set(itertools.combinations(setting.items(), 2))
