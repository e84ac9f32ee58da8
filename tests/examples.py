"""How many examples a test with dear ones has: a share of those of other tests.

Few in the suite, many with `HYPOTHESIS_PROFILE=thorough`, as `make soak` has it.
"""

from hypothesis import settings


def examples(share: float) -> settings:
    """Return the settings of such a test; it has three examples at least."""
    return settings(max_examples=max(3, round(settings().max_examples * share)))
