"""Odd pushes, and pushes in any order, in large numbers: `python -m tests.soak.corpus [EXAMPLES]`.

The suite runs the same tests with few examples.
"""

import sys
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

from tests.cogs.cards.test_odd_pushes import check_shown
from tests.webhook.cad.test_apply import check_order, stories
from tests.webhook.cad.test_properties import check, mutated_bodies, odd_bodies

EXAMPLES = 2_000

CHECKS: tuple[tuple[str, Callable[[Any], None], SearchStrategy[Any]], ...] = (
    ("changed pushes of the corpus", check, mutated_bodies()),
    ("any JSON", check, odd_bodies()),
    ("their cards and entries in feeds", check_shown, mutated_bodies()),
    ("the events of a call in any order", check_order, stories()),
)


def main(examples: int = EXAMPLES) -> None:
    """Run each check; the first example that fails is raised, made as short as it gets."""
    thorough = settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck)
    )
    for name, check_one, examples_of in CHECKS:
        print(f"{name}: {examples} examples", flush=True)
        thorough(given(examples_of)(check_one))()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
