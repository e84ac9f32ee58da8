"""Periodic work survives its failures, and a blocked event loop is noticed."""

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.background import DAY, MAX_LAG, TICK, LoopMonitor, prune_journal, run_periodically
from db import cad_requests, cards, drill_cards, request_keys, troubles
from db.cards import StaleCard
from db.database import Database, Transaction
from db.errors import StorageUnavailable
from db.request_keys import StoredAnswer
from webhook.protocol.context import now


async def test_answers_under_keys_are_forgotten_after_a_week(database_path: Path) -> None:
    async with Database.open(database_path) as database:
        async with database.write() as sql:
            for days in (0, 6, 8, 400):
                at = now() - days * DAY
                answer = StoredAnswer(b"", "OK")
                await request_keys.add(sql, "cad:cad", f"{days} days old", answer, at)
        await prune_journal(database, 30, Counter())
        kept = await database.read.all(str, "SELECT key FROM request_keys ORDER BY key")
    assert kept == ["0 days old", "6 days old"]


async def _tell_trouble(sql: Transaction, at: int) -> None:
    number = await troubles.begin(sql, f"disk-{at}", "No space.", "Make some.", 0, 0, at)
    await troubles.end(sql, number, at)
    await cards.mark_stale(sql, StaleCard(f"trouble:{number}", "log", at))


async def _play_drill(sql: Transaction, at: int) -> None:
    number = await drill_cards.add(sql, "panic", "discord:7", at)
    await drill_cards.end(sql, number)
    await cards.mark_stale(sql, StaleCard(f"drill:{number}", "log", at))


async def _tell_owner(sql: Transaction, at: int) -> None:
    await cards.mark_stale(sql, StaleCard(f"property-message:{at}@7", "direct:7", at))


async def _ask_cad(sql: Transaction, at: int) -> None:
    name = f"asked at {at}"
    await cad_requests.add(
        sql, id=name, cad="cad", kind="note", lane=2, body="{}", now=at, deadline=None
    )
    await cad_requests.end(sql, name, "done", at)


@pytest.mark.parametrize(
    ("add", "table"),
    [
        (_tell_trouble, "troubles"),
        (_play_drill, "drill_cards"),
        (_tell_owner, "cards"),
        (_ask_cad, "cad_requests"),
    ],
)
async def test_ended_rows_are_deleted_with_the_journal(
    database_path: Path, add: Callable[[Transaction, int], Awaitable[None]], table: str
) -> None:
    async with Database.open(database_path) as database:
        async with database.write() as sql:
            for days in (400, 31, 29, 0):
                await add(sql, now() - days * DAY)
        has_cards = await database.read.count("cards") > 0
        await prune_journal(database, 30, Counter())
        left = await database.read.count(table)
        cards_left = await database.read.count("cards")
    assert left == 2
    assert cards_left == (2 if has_cards else 0)


async def test_failed_work_is_logged_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done = asyncio.Event()
    faults = [KeyError("unforeseen"), *[StorageUnavailable("disk full")] * 3, ValueError("again")]

    async def work() -> None:
        if faults:
            raise faults.pop(0)
        done.set()

    task = asyncio.create_task(run_periodically(work, 0.0), name="chore")
    await asyncio.wait_for(done.wait(), 10)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert [record.getMessage() for record in caplog.records] == [
        "chore failed, trying again in 0 s",
        "chore is waiting for storage: disk full",
        "chore failed, trying again in 0 s",
    ]
    assert "KeyError: 'unforeseen'" in caplog.text


def a_slow_calculation(seconds: float) -> None:
    time.sleep(seconds)


async def _monitored(lags: list[float], act: Callable[[], None], enough: int) -> None:
    """Act as soon as the loop is monitored, then go on until there are enough measurements more."""
    task = asyncio.create_task(LoopMonitor(lags.append).run())
    async with asyncio.timeout(30):
        while not lags:  # noqa: ASYNC110 - the monitor reports to nobody
            await asyncio.sleep(TICK / 5)
        act()
        seen = len(lags)
        while len(lags) < seen + enough:  # noqa: ASYNC110
            await asyncio.sleep(TICK / 5)
    task.cancel()
    await asyncio.wait({task})


async def test_blocked_loop_is_measured_and_logged_with_its_stack(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lags: list[float] = []
    await _monitored(lags, lambda: a_slow_calculation(1.0), 2)
    assert max(lags) > 1.0 - 2 * TICK
    (line, *_) = [r.getMessage() for r in caplog.records if "a_slow_calculation" in r.getMessage()]
    assert re.fullmatch(
        r"the event loop was blocked for \d+ ms by a_slow_calculation \(\S+:\d+\), called by .*",
        line,
    )


def test_delays_in_a_row_are_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lags: list[float] = []
    monitor = LoopMonitor(lags.append)
    late, on_time = MAX_LAG * 2, 0.0
    for lag in (on_time, late, late, late, on_time, late, -0.001):
        monitor.record(lag)
    assert lags == [0.0, late, late, late, 0.0, late, 0.0]
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["the event loop was 200 ms late: this machine is busy"] * 2
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
