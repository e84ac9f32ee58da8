"""Who is called, when snoozes end, when alarms fall quiet: by a clock that the tests step."""

import asyncio

import pytest

from cogs.escalation import BATCH, DISPATCHERS, SUPERVISORS, EscalationPlan
from cogs.routing.rules import QuietHours, Router, Rule
from db import cards
from db.errors import StorageUnavailable
from tests.cogs.watched import CALL, LEVELS, QUIET, SUPERVISE, Watched
from tests.db.interrupt import interrupt
from tests.webhook.harness import HOUR, MINUTE, START, AppHarness

TYPES = frozenset({"alerts"})


@pytest.fixture
async def watched(harness: AppHarness) -> Watched:
    """A watched house with one property."""
    await harness.add_property()
    return Watched(harness)


async def test_first_the_dispatchers_are_called_then_the_supervisor_each_once(
    watched: Watched,
) -> None:
    alarm = await watched.raise_at(1)
    assert await watched.after(CALL - 1) == START + CALL
    assert await watched.calls() == []
    assert await watched.after(1) == START + SUPERVISE
    first = (f"alarm-call:{alarm}-1", "alerts", "11 12")
    assert await watched.calls() == [first]
    await watched.raise_at(1)
    await watched.after(1)
    assert await watched.calls() == [first]
    await watched.after(SUPERVISE)
    second = (f"alarm-call:{alarm}-2", "alerts", "13")
    assert await watched.calls() == [first, second]
    await watched.after(30 * MINUTE)
    assert await watched.calls() == [first, second]
    assert await watched.steps(alarm) == ["called", "called"]


async def test_nobody_is_called_for_an_acknowledged_alarm_that_is_raised_again(
    watched: Watched,
) -> None:
    alarm = await watched.raise_at(1)
    await watched.harness.ask("acknowledge-alarm", alarmId=alarm)
    assert await watched.raise_at(1) == alarm
    await watched.after(SUPERVISE)
    assert await watched.calls() == []


async def test_when_a_snooze_ends_the_waiting_begins_anew(watched: Watched) -> None:
    alarm = await watched.raise_at(1)
    await watched.after(4 * MINUTE)
    await watched.harness.ask("snooze-alarm", alarmId=alarm, minutes=15)
    assert await watched.raise_at(1) == alarm
    assert await watched.after(15 * MINUTE - 1) == START + 19 * MINUTE
    assert (await watched.alarm(alarm)).state == "snoozed"
    assert await watched.after(1) == START + 19 * MINUTE + CALL
    assert (await watched.alarm(alarm)).state == "waiting"
    assert await watched.steps(alarm) == ["snoozed", "snooze-ended"]
    await watched.after(CALL - 1)
    assert await watched.calls() == []
    await watched.after(1)
    assert len(await watched.calls()) == 1


async def test_an_alarm_that_nobody_touches_falls_quiet_and_the_next_alert_opens_another(
    watched: Watched,
) -> None:
    alarm = await watched.raise_at(1)
    await watched.harness.ask("acknowledge-alarm", alarmId=alarm)
    await watched.after(QUIET - 1)
    await watched.harness.ask("note-alarm", alarmId=alarm, text="still here")
    assert await watched.after(QUIET - 1) is not None
    assert (await watched.alarm(alarm)).state == "acknowledged"
    assert await watched.after(1) is None
    quiet = await watched.alarm(alarm)
    assert (quiet.state, quiet.settled_by) == ("quiet", "")
    assert (await watched.steps(alarm))[-1] == "quiet"
    second = await watched.raise_at(1)
    assert second != alarm
    read = watched.harness.database.read
    assert await cards.of_subject(read, f"alarm:{second}") is not None


async def test_a_snoozed_alarm_does_not_fall_quiet_before_its_snooze_is_over(
    watched: Watched,
) -> None:
    alarm = await watched.raise_at(1)
    await watched.harness.ask("snooze-alarm", alarmId=alarm, minutes=60)
    await watched.after(HOUR)
    assert (await watched.alarm(alarm)).state == "waiting"
    await watched.after(QUIET)
    assert (await watched.alarm(alarm)).state == "quiet"


@pytest.mark.parametrize(("away", "called"), [(CALL, 1), (SUPERVISE, 2), (QUIET, 0), (9 * HOUR, 0)])
async def test_after_a_downtime_calls_are_made_up_for_but_not_for_what_is_long_over(
    watched: Watched, away: int, called: int
) -> None:
    await watched.raise_at(1)
    await watched.after(away)
    assert len(await watched.calls()) == called


async def test_a_long_downtime_during_a_snooze_calls_nobody(watched: Watched) -> None:
    alarm = await watched.raise_at(1)
    await watched.harness.ask("snooze-alarm", alarmId=alarm, minutes=15)
    await watched.after(9 * HOUR)
    assert await watched.calls() == []
    assert await watched.steps(alarm) == ["snoozed", "snooze-ended", "quiet"]


async def test_a_stage_without_roles_is_passed_over(harness: AppHarness) -> None:
    place = await harness.add_property()
    watched = Watched(harness, levels={SUPERVISORS: LEVELS[SUPERVISORS]})
    alarm = await watched.raise_at(place)
    await watched.after(SUPERVISE)
    assert [subject for subject, _, _ in await watched.calls()] == [f"alarm-call:{alarm}-2"]


async def test_the_call_follows_the_card_into_the_channel_of_a_rule(harness: AppHarness) -> None:
    place = await harness.add_property()
    watched = Watched(harness, Rule("all", channel=77))
    watched.follower._in_use = frozenset({"77"})
    alarm = await watched.raise_at(place)
    await watched.after(CALL)
    assert await watched.calls() == [(f"alarm-call:{alarm}-{DISPATCHERS}", "77", "11 12")]


async def test_nobody_is_called_for_an_alarm_that_a_rule_keeps_back(harness: AppHarness) -> None:
    place = await harness.add_property()
    watched = Watched(harness, Rule("none", types=TYPES, silent=True))
    await watched.raise_at(place)
    await watched.after(SUPERVISE)
    assert await watched.calls() == []


async def test_nobody_is_called_while_a_rule_keeps_alarms_back(harness: AppHarness) -> None:
    place = await harness.add_property()
    silent = Rule("night", types=TYPES, silent=True, quiet=QuietHours.parse("09:33-09:50"))
    watched = Watched(harness, silent)
    await watched.raise_at(place)
    await watched.after(SUPERVISE)
    assert await watched.calls() == []
    await watched.after(SUPERVISE)  # 09:50
    assert len(await watched.calls()) == 2


async def test_alarms_that_a_rule_silences_do_not_hide_the_others(harness: AppHarness) -> None:
    places = [await harness.add_property() for _ in range(BATCH + 1)]
    silent = Rule("none", types=TYPES, properties=frozenset(places[:-1]), silent=True)
    watched = Watched(harness)  # they got cards before the rule was made
    for place in places:
        alarm = await watched.raise_at(place)
    watched.escalation.reconfigure(EscalationPlan(LEVELS, QUIET), Router([silent]))
    await watched.after(CALL)
    assert await watched.calls() == [(f"alarm-call:{alarm}-1", "alerts", "11 12")]


async def test_in_quiet_hours_a_call_pings_nobody(harness: AppHarness) -> None:
    place = await harness.add_property()
    watched = Watched(harness, Rule("night", mention=5, quiet=QuietHours.parse("09:33-09:50")))
    alarm = await watched.raise_at(place)
    await watched.after(CALL)
    assert await watched.calls() == [(f"alarm-call:{alarm}-1", "alerts", "")]


async def test_a_call_without_a_card_to_answer_waits_for_the_card(watched: Watched) -> None:
    await watched.harness.ask("add-alert", propertyId=1, userId="u")
    watched.harness.clock.now += CALL
    await watched.escalation.run_due()
    assert await watched.calls() == []
    await watched.after(0)
    assert len(await watched.calls()) == 1


async def test_interrupted_anywhere_a_stage_is_noted_with_its_card_or_not_at_all(
    harness: AppHarness,
) -> None:
    await harness.add_property()
    watched = Watched(harness)
    alarm = await watched.raise_at(1)
    harness.clock.now += CALL

    async def once() -> None:
        await watched.escalation.run_due()

    point = 0
    while True:
        point += 1
        seen = await interrupt(once(), point)
        async with harness.database.write():
            pass  # what was on its way to the disk when the process ended is there
        assert (await watched.alarm(alarm)).called == len(await watched.calls())
        if not seen.cut_short:
            break
    assert len(await watched.calls()) == 1
    assert await watched.steps(alarm) == ["called"]


async def test_the_watch_goes_on_after_storage_was_unavailable(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: asyncio.Queue[int] = asyncio.Queue()

    async def run_due() -> int | None:
        looked.put_nowait(looked.qsize())
        raise StorageUnavailable("the disk is full")

    monkeypatch.setattr(watched.escalation, "run_due", run_due)
    running = asyncio.create_task(watched.escalation.run(0.0))
    async with asyncio.timeout(10):
        for _ in range(3):
            await looked.get()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
