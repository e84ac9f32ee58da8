"""The watchdog notices a blocked event loop and says where it was blocked."""

import asyncio
import logging
import time
from collections.abc import Callable

import pytest

from bot.watchdog import TICK, TOO_LATE, Watchdog


def a_slow_calculation(seconds: float) -> None:
    time.sleep(seconds)


async def _watched(lags: list[float], act: Callable[[], None], enough: int) -> None:
    """Act as soon as the loop is watched, then watch until there are enough measurements more."""
    task = asyncio.create_task(Watchdog(lags.append).run())
    async with asyncio.timeout(30):
        while not lags:  # noqa: ASYNC110 - the watchdog tells nobody
            await asyncio.sleep(TICK / 5)
        act()
        seen = len(lags)
        while len(lags) < seen + enough:  # noqa: ASYNC110
            await asyncio.sleep(TICK / 5)
    task.cancel()
    await asyncio.wait({task})


async def test_a_blocked_loop_is_measured_and_logged_with_the_place(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lags: list[float] = []
    await _watched(lags, lambda: a_slow_calculation(1.0), 2)
    assert max(lags) > 1.0 - 2 * TICK
    (told, *_) = [r.getMessage() for r in caplog.records if "a_slow_calculation" in r.getMessage()]
    assert told.startswith("the event loop was blocked for ")


def test_several_delays_in_a_row_are_one_line_and_a_later_one_is_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lags: list[float] = []
    watchdog = Watchdog(lags.append)
    late, on_time = TOO_LATE * 2, 0.0
    for lag in (on_time, late, late, late, on_time, late, -0.001):
        watchdog._look(lag)
    assert lags == [0.0, late, late, late, 0.0, late, 0.0]
    told = [record.getMessage() for record in caplog.records]
    assert told == ["the event loop was blocked for 200 ms"] * 2
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
