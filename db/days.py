"""Days in a statement: spans of time, each with its name."""

from collections.abc import Sequence

Span = tuple[str, int, int]
"""A day's name, and its time from the first millisecond up to, not including, the second."""


def with_days(spans: Sequence[Span]) -> tuple[str, list[object]]:
    """Return what makes a table `days (day, start, stop)` for a statement, and its parameters."""
    rows = ", ".join(["(?, ?, ?)"] * len(spans))
    return f"days (day, start, stop) AS (VALUES {rows})", [part for span in spans for part in span]
