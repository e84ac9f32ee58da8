"""A CAD that falls silent while units are on duty is told of once, and once when it is back."""

import sqlite3
from typing import Any

import pytest

from db import units
from tests.webhook.house import DAY, MINUTE, House
from webhook.cad.silence import Heard, tell_silence

LIMIT = 30 * MINUTE
CADS = ["county", "city"]


class Ears:
    """What was heard, on a clock that the test sets in minutes."""

    def __init__(self) -> None:
        self.minutes = 0.0
        self.heard = Heard(lambda: self.minutes * 60)


async def log_in(house: House, cad: str, ident: int) -> None:
    async with house.database.write() as sql:
        await units.put(sql, cad, ident, {"on_duty": 1}, house.clock.now)


async def look(house: House, ears: Ears) -> list[str]:
    return await tell_silence(house.context(), ears.heard, CADS, LIMIT)


async def told(house: House) -> list[tuple[str, dict[str, Any]]]:
    return [
        (event.name.removeprefix("sentinel."), event.data) for event in await house.journalled()
    ]


async def test_a_silence_is_told_once_and_its_end_once(house: House) -> None:
    ears = Ears()
    for ident in (1, 2):
        await log_in(house, "county", ident)
    ears.heard.note("county")
    ears.minutes = 29.9
    assert await look(house, ears) == []
    ears.minutes = 30
    assert [await look(house, ears) for _ in range(3)] == [["county"]] * 3
    ears.minutes = 50
    ears.heard.note("county")
    assert [await look(house, ears) for _ in range(3)] == [[]] * 3
    began = house.clock.now - LIMIT
    assert await told(house) == [
        ("cad-silent", {"cad": "county", "since": began, "onDuty": 2}),
        ("cad-back", {"cad": "county", "since": began}),
    ]
    ears.minutes = 80
    assert await look(house, ears) == ["county"]
    assert len(await told(house)) == 3


async def test_while_nobody_is_on_duty_a_silence_means_nothing(house: House) -> None:
    ears = Ears()
    ears.minutes = 600
    await log_in(house, "another", 1)
    assert await look(house, ears) == []
    await log_in(house, "city", 1)
    assert await look(house, ears) == ["city"]


async def test_a_restart_tells_a_silence_neither_again_nor_too_early(house: House) -> None:
    await log_in(house, "county", 1)
    first = Ears()
    first.minutes = 31
    assert await look(house, first) == ["county"]
    second = Ears()
    assert await look(house, second) == ["county"]
    second.minutes = 31
    assert await look(house, second) == ["county"]
    second.heard.note("county")
    assert await look(house, second) == []
    assert [name for name, _ in await told(house)] == ["cad-silent", "cad-back"]
    third = Ears()
    third.minutes = 29
    assert await look(house, third) == []


async def test_a_clock_that_jumps_makes_no_silence_and_hides_none(house: House) -> None:
    ears = Ears()
    await log_in(house, "county", 1)
    ears.heard.note("county")
    house.clock.now += 400 * DAY
    assert await look(house, ears) == []
    house.clock.now -= 900 * DAY
    ears.minutes = 31
    assert await look(house, ears) == ["county"]
    ears.heard.note("county")
    house.clock.now -= DAY
    assert await look(house, ears) == []


async def test_what_could_not_be_kept_is_told_later(house: House) -> None:
    ears = Ears()
    await log_in(house, "county", 1)
    ears.minutes = 31
    async with house.database.write() as sql:
        await sql.run(
            "CREATE TRIGGER no_room BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(sqlite3.IntegrityError):
        await look(house, ears)
    assert await told(house) == []
    async with house.database.write() as sql:
        await sql.run("DROP TRIGGER no_room")
    assert await look(house, ears) == ["county"]
    assert [name for name, _ in await told(house)] == ["cad-silent"]
