"""A CAD that falls silent while units are on duty is told of once, and once when it is back."""

import sqlite3
from typing import Any

import pytest

from db import units
from tests.webhook.harness import DAY, MINUTE, AppHarness
from webhook.cad.silence import LastPush, report_silence

LIMIT = 30 * MINUTE
CADS = ["county", "city"]


class PushTimes:
    """The last pushes, on a clock that the test sets in minutes."""

    def __init__(self) -> None:
        self.minutes = 0.0
        self.last_push = LastPush(lambda: self.minutes * 60)


async def log_in(harness: AppHarness, cad: str, ident: int) -> None:
    async with harness.database.write() as sql:
        await units.put(sql, cad, ident, {"on_duty": 1}, harness.clock.now)


async def report(harness: AppHarness, times: PushTimes) -> list[str]:
    return await report_silence(harness.context(), times.last_push, CADS, LIMIT)


async def reported(harness: AppHarness) -> list[tuple[str, dict[str, Any]]]:
    return [
        (event.name.removeprefix("sentinel."), event.data)
        for event in await harness.journal_events()
    ]


async def test_silence_and_its_end_are_reported_once_each(harness: AppHarness) -> None:
    times = PushTimes()
    for ident in (1, 2):
        await log_in(harness, "county", ident)
    times.last_push.note("county")
    times.minutes = 29.9
    assert await report(harness, times) == []
    times.minutes = 30
    assert [await report(harness, times) for _ in range(3)] == [["county"]] * 3
    times.minutes = 50
    times.last_push.note("county")
    assert [await report(harness, times) for _ in range(3)] == [[]] * 3
    began = harness.clock.now - LIMIT
    assert await reported(harness) == [
        ("cad-silent", {"cad": "county", "since": began, "onDuty": 2}),
        ("cad-back", {"cad": "county", "since": began}),
    ]
    times.minutes = 80
    assert await report(harness, times) == ["county"]
    assert len(await reported(harness)) == 3


async def test_no_silence_is_reported_while_nobody_is_on_duty(harness: AppHarness) -> None:
    times = PushTimes()
    times.minutes = 600
    await log_in(harness, "another", 1)
    assert await report(harness, times) == []
    await log_in(harness, "city", 1)
    assert await report(harness, times) == ["city"]


async def test_restart_reports_a_silence_neither_again_nor_too_early(
    harness: AppHarness,
) -> None:
    await log_in(harness, "county", 1)
    first = PushTimes()
    first.minutes = 31
    assert await report(harness, first) == ["county"]
    second = PushTimes()
    assert await report(harness, second) == ["county"]
    second.minutes = 31
    assert await report(harness, second) == ["county"]
    second.last_push.note("county")
    assert await report(harness, second) == []
    assert [name for name, _ in await reported(harness)] == ["cad-silent", "cad-back"]
    third = PushTimes()
    third.minutes = 29
    assert await report(harness, third) == []


async def test_jump_of_the_clock_neither_causes_nor_hides_a_silence(harness: AppHarness) -> None:
    times = PushTimes()
    await log_in(harness, "county", 1)
    times.last_push.note("county")
    harness.clock.now += 400 * DAY
    assert await report(harness, times) == []
    harness.clock.now -= 900 * DAY
    times.minutes = 31
    assert await report(harness, times) == ["county"]
    times.last_push.note("county")
    harness.clock.now -= DAY
    assert await report(harness, times) == []


async def test_silence_that_could_not_be_stored_is_reported_later(harness: AppHarness) -> None:
    times = PushTimes()
    await log_in(harness, "county", 1)
    times.minutes = 31
    async with harness.database.write() as sql:
        await sql.run(
            "CREATE TRIGGER no_room BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(sqlite3.IntegrityError):
        await report(harness, times)
    assert await reported(harness) == []
    async with harness.database.write() as sql:
        await sql.run("DROP TRIGGER no_room")
    assert await report(harness, times) == ["county"]
    assert [name for name, _ in await reported(harness)] == ["cad-silent"]
