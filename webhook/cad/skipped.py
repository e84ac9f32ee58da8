"""Which parts of a push were skipped because they are no ids."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SKIPPED: ContextVar[list[str] | None] = ContextVar("skipped", default=None)


@contextmanager
def collect_skipped() -> Iterator[list[str]]:
    """Collect the names of the members that are skipped within the block, one for each part."""
    parts: list[str] = []
    token = _SKIPPED.set(parts)
    try:
        yield parts
    finally:
        _SKIPPED.reset(token)


def note_skipped(member: str) -> None:
    """Note that a part of a member is no id, as far as somebody collects them."""
    parts = _SKIPPED.get()
    if parts is not None:
        parts.append(member)
