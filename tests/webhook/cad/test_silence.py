"""A CAD that falls silent while units are on duty is told of once, and once when it is back."""

import sqlite3
from typing import Any

import pytest

from db import units
from tests.webhook.harness import DAY, MINUTE, AppHarness
from webhook.cad.silence import Heard, tell_silence

LIMIT = 30 * MINUTE
CADS = ["county", "city"]


class Ears:
    """What was heard, on a clock that the test sets in minutes."""

    def __init__(self) -> None:
        self.minutes = 0.0
        self.heard = Heard(lambda: self.minutes * 60)


async def log_in(harness: AppHarness, cad: str, ident: int) -> None:
    async with harness.database.write() as sql:
        await units.put(sql, cad, ident, {"on_duty": 1}, harness.clock.now)


async def look(harness: AppHarness, ears: Ears) -> list[str]:
    return await tell_silence(harness.context(), ears.heard, CADS, LIMIT)


async def told(harness: AppHarness) -> list[tuple[str, dict[str, Any]]]:
    return [
        (event.name.removeprefix("sentinel."), event.data)
        for event in await harness.journal_events()
    ]


async def test_a_silence_is_told_once_and_its_end_once(harness: AppHarness) -> None:
    ears = Ears()
    for ident in (1, 2):
        await log_in(harness, "county", ident)
    ears.heard.note("county")
    ears.minutes = 29.9
    assert await look(harness, ears) == []
    ears.minutes = 30
    assert [await look(harness, ears) for _ in range(3)] == [["county"]] * 3
    ears.minutes = 50
    ears.heard.note("county")
    assert [await look(harness, ears) for _ in range(3)] == [[]] * 3
    began = harness.clock.now - LIMIT
    assert await told(harness) == [
        ("cad-silent", {"cad": "county", "since": began, "onDuty": 2}),
        ("cad-back", {"cad": "county", "since": began}),
    ]
    ears.minutes = 80
    assert await look(harness, ears) == ["county"]
    assert len(await told(harness)) == 3


async def test_while_nobody_is_on_duty_a_silence_means_nothing(harness: AppHarness) -> None:
    ears = Ears()
    ears.minutes = 600
    await log_in(harness, "another", 1)
    assert await look(harness, ears) == []
    await log_in(harness, "city", 1)
    assert await look(harness, ears) == ["city"]


async def test_a_restart_tells_a_silence_neither_again_nor_too_early(harness: AppHarness) -> None:
    await log_in(harness, "county", 1)
    first = Ears()
    first.minutes = 31
    assert await look(harness, first) == ["county"]
    second = Ears()
    assert await look(harness, second) == ["county"]
    second.minutes = 31
    assert await look(harness, second) == ["county"]
    second.heard.note("county")
    assert await look(harness, second) == []
    assert [name for name, _ in await told(harness)] == ["cad-silent", "cad-back"]
    third = Ears()
    third.minutes = 29
    assert await look(harness, third) == []


async def test_a_clock_that_jumps_makes_no_silence_and_hides_none(harness: AppHarness) -> None:
    ears = Ears()
    await log_in(harness, "county", 1)
    ears.heard.note("county")
    harness.clock.now += 400 * DAY
    assert await look(harness, ears) == []
    harness.clock.now -= 900 * DAY
    ears.minutes = 31
    assert await look(harness, ears) == ["county"]
    ears.heard.note("county")
    harness.clock.now -= DAY
    assert await look(harness, ears) == []


async def test_what_could_not_be_kept_is_told_later(harness: AppHarness) -> None:
    ears = Ears()
    await log_in(harness, "county", 1)
    ears.minutes = 31
    async with harness.database.write() as sql:
        await sql.run(
            "CREATE TRIGGER no_room BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(sqlite3.IntegrityError):
        await look(harness, ears)
    assert await told(harness) == []
    async with harness.database.write() as sql:
        await sql.run("DROP TRIGGER no_room")
    assert await look(harness, ears) == ["county"]
    assert [name for name, _ in await told(harness)] == ["cad-silent"]
