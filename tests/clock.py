"""A machine whose clock is wrong; the fake Discord keeps the right time."""

import time

import pytest

_RIGHT, _RIGHT_NS = time.time, time.time_ns


def set_clock(patch: pytest.MonkeyPatch, ahead: float) -> None:
    """Have this process's clock be so many seconds ahead; negative: behind."""
    patch.setattr(time, "time", lambda: _RIGHT() + ahead)
    patch.setattr(time, "time_ns", lambda: _RIGHT_NS() + round(ahead * 10**9))
