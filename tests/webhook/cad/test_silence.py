"""Which CADs are silent while units are on duty, also after a restart."""

from db import units
from tests.webhook.harness import DAY, MINUTE, AppHarness
from webhook.cad.silence import LastPush, silent_cads

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
    return list(await silent_cads(harness.context(), times.last_push, CADS, LIMIT))


async def test_silence_and_its_end_are_noticed(harness: AppHarness) -> None:
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
    times.minutes = 80
    assert await report(harness, times) == ["county"]
    harness.clock.now += 10 * MINUTE
    times.minutes = 90
    silent = await silent_cads(harness.context(), times.last_push, CADS, LIMIT)
    assert silent == {"county": harness.clock.now - 40 * MINUTE}


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
