"""Who is called, when snoozes end, when alarms fall quiet: by a clock that the tests step."""

import asyncio
from dataclasses import replace

import pytest

from cogs.escalation import BATCH, DISPATCHERS, SUPERVISORS, EscalationPlan
from cogs.routing.rules import Pause, QuietHours, Router, Rule
from db import cad_requests, cards
from db.errors import StorageUnavailable
from tests.cogs.alarm_harness import EXPIRY, LEVELS, TO_DISPATCHERS, TO_SUPERVISORS, AlarmHarness
from tests.db.interrupt import interrupt
from tests.webhook.harness import HOUR, MINUTE, START, AppHarness
from webhook.protocol.context import Caller, PoliceRules, Scope
from webhook.protocol.errors import Conflict
from webhook.queries.alarms import OfAlarm, police_alarm
from webhook.queries.cad.requests import store_api_cads

TYPES = frozenset({"alerts"})


@pytest.fixture
async def alarms(harness: AppHarness) -> AlarmHarness:
    """A alarms house with one property."""
    await harness.add_property()
    return AlarmHarness(harness)


async def test_an_alarm_escalates_to_dispatchers_then_to_supervisors_once_each(
    alarms: AlarmHarness,
) -> None:
    alarm = await alarms.raise_at(1)
    assert await alarms.after(TO_DISPATCHERS - 1) == START + TO_DISPATCHERS
    assert await alarms.escalations() == []
    assert await alarms.after(1) == START + TO_SUPERVISORS
    first = (f"alarm-call:{alarm}-1", "alerts", "11 12")
    assert await alarms.escalations() == [first]
    await alarms.raise_at(1)
    await alarms.after(1)
    assert await alarms.escalations() == [first]
    await alarms.after(TO_SUPERVISORS)
    second = (f"alarm-call:{alarm}-2", "alerts", "13")
    assert await alarms.escalations() == [first, second]
    await alarms.after(30 * MINUTE)
    assert await alarms.escalations() == [first, second]
    assert await alarms.steps(alarm) == ["called", "called"]


async def test_late_alarm_escalates_as_if_it_had_been_raised_when_it_came(
    alarms: AlarmHarness,
) -> None:
    alarms.harness.age = HOUR
    alarm = await alarms.raise_at(1)
    assert await alarms.after(TO_DISPATCHERS - 1) == START + TO_DISPATCHERS
    assert await alarms.escalations() == []
    assert (await alarms.alarm(alarm)).raised_at == START - HOUR
    await alarms.after(1)
    assert await alarms.escalations() == [(f"alarm-call:{alarm}-1", "alerts", "11 12")]


async def test_late_repeat_does_not_set_back_when_the_alarm_was_raised_last(
    alarms: AlarmHarness,
) -> None:
    alarm = await alarms.raise_at(1)
    alarms.harness.age = HOUR
    assert await alarms.raise_at(1) == alarm
    stored = await alarms.alarm(alarm)
    assert (stored.last_at, stored.repeats, stored.touched_at) == (START, 2, START)


async def test_an_acknowledged_alarm_does_not_escalate_when_raised_again(
    alarms: AlarmHarness,
) -> None:
    alarm = await alarms.raise_at(1)
    await alarms.harness.ask("acknowledge-alarm", alarmId=alarm)
    assert await alarms.raise_at(1) == alarm
    await alarms.after(TO_SUPERVISORS)
    assert await alarms.escalations() == []


async def test_waiting_starts_over_when_a_snooze_ends(alarms: AlarmHarness) -> None:
    alarm = await alarms.raise_at(1)
    await alarms.after(4 * MINUTE)
    await alarms.harness.ask("snooze-alarm", alarmId=alarm, minutes=15)
    assert await alarms.raise_at(1) == alarm
    assert await alarms.after(15 * MINUTE - 1) == START + 19 * MINUTE
    assert (await alarms.alarm(alarm)).state == "snoozed"
    assert await alarms.after(1) == START + 19 * MINUTE + TO_DISPATCHERS
    assert (await alarms.alarm(alarm)).state == "waiting"
    assert await alarms.steps(alarm) == ["snoozed", "snooze-ended"]
    await alarms.after(TO_DISPATCHERS - 1)
    assert await alarms.escalations() == []
    await alarms.after(1)
    assert len(await alarms.escalations()) == 1


async def test_a_released_alarm_escalates_anew_once(alarms: AlarmHarness) -> None:
    alarm = await alarms.raise_at(1)
    await alarms.after(TO_SUPERVISORS)
    await alarms.harness.ask("acknowledge-alarm", alarmId=alarm)
    await alarms.harness.ask("release-alarm", alarmId=alarm)
    await alarms.after(TO_DISPATCHERS - 1)
    assert len(await alarms.escalations()) == 2
    await alarms.after(1)
    await alarms.after(1)
    again = (f"alarm-call:{alarm}-3", "alerts", "11 12")
    assert (await alarms.escalations())[2:] == [again]


async def test_an_alarm_whose_handler_does_nothing_more_waits_again(harness: AppHarness) -> None:
    await harness.add_property()
    alarms = AlarmHarness(harness, release_after=20 * MINUTE)
    alarm = await alarms.raise_at(1)
    await harness.ask("acknowledge-alarm", alarmId=alarm)
    await alarms.after(15 * MINUTE)
    await harness.ask("note-alarm", alarmId=alarm, text="at the gate")
    assert await alarms.after(20 * MINUTE - 1) == harness.clock.now + 1
    assert (await alarms.alarm(alarm)).state == "acknowledged"
    assert await alarms.after(1) == harness.clock.now + TO_DISPATCHERS
    assert (await alarms.alarm(alarm)).state == "waiting"
    assert await alarms.steps(alarm) == ["acknowledged", "noted", "released"]
    await alarms.after(TO_DISPATCHERS)
    assert len(await alarms.escalations()) == 1


async def test_an_untouched_alarm_expires_and_the_next_alert_opens_another(
    alarms: AlarmHarness,
) -> None:
    alarm = await alarms.raise_at(1)
    await alarms.harness.ask("acknowledge-alarm", alarmId=alarm)
    await alarms.after(EXPIRY - 1)
    await alarms.harness.ask("note-alarm", alarmId=alarm, text="still here")
    assert await alarms.after(EXPIRY - 1) is not None
    assert (await alarms.alarm(alarm)).state == "acknowledged"
    assert await alarms.after(1) is None
    quiet = await alarms.alarm(alarm)
    assert (quiet.state, quiet.settled_by) == ("quiet", "")
    assert (await alarms.steps(alarm))[-1] == "quiet"
    second = await alarms.raise_at(1)
    assert second != alarm
    read = alarms.harness.database.read
    assert await cards.of_subject(read, f"alarm:{second}") is not None


async def test_a_snoozed_alarm_does_not_expire_before_its_snooze_ends(
    alarms: AlarmHarness,
) -> None:
    alarm = await alarms.raise_at(1)
    await alarms.harness.ask("snooze-alarm", alarmId=alarm, minutes=60)
    await alarms.after(HOUR)
    assert (await alarms.alarm(alarm)).state == "waiting"
    await alarms.after(EXPIRY)
    assert (await alarms.alarm(alarm)).state == "quiet"


@pytest.mark.parametrize(
    ("away", "called"), [(TO_DISPATCHERS, 1), (TO_SUPERVISORS, 2), (EXPIRY, 0), (9 * HOUR, 0)]
)
async def test_after_a_downtime_alarms_escalate_late_unless_they_have_expired(
    alarms: AlarmHarness, away: int, called: int
) -> None:
    await alarms.raise_at(1)
    await alarms.after(away)
    assert len(await alarms.escalations()) == called


async def test_an_alarm_that_expired_in_a_downtime_during_its_snooze_does_not_escalate(
    alarms: AlarmHarness,
) -> None:
    alarm = await alarms.raise_at(1)
    await alarms.harness.ask("snooze-alarm", alarmId=alarm, minutes=15)
    await alarms.after(9 * HOUR)
    assert await alarms.escalations() == []
    assert await alarms.steps(alarm) == ["snoozed", "snooze-ended", "quiet"]


async def test_a_level_without_roles_is_skipped(harness: AppHarness) -> None:
    place = await harness.add_property()
    alarms = AlarmHarness(harness, levels={SUPERVISORS: LEVELS[SUPERVISORS]})
    alarm = await alarms.raise_at(place)
    await alarms.after(TO_SUPERVISORS)
    assert await alarms.escalations() == [(f"alarm-call:{alarm}-1", "alerts", "13")]


async def test_an_escalation_is_posted_in_the_channel_of_the_alarm_card(
    harness: AppHarness,
) -> None:
    place = await harness.add_property()
    alarms = AlarmHarness(harness, Rule("all", channel=77))
    alarms.follower._in_use = frozenset({"77"})
    alarm = await alarms.raise_at(place)
    await alarms.after(TO_DISPATCHERS)
    assert await alarms.escalations() == [(f"alarm-call:{alarm}-{DISPATCHERS}", "77", "11 12")]


async def test_an_alarm_that_a_rule_silences_does_not_escalate(harness: AppHarness) -> None:
    place = await harness.add_property()
    alarms = AlarmHarness(harness, Rule("none", types=TYPES, silent=True))
    await alarms.raise_at(place)
    await alarms.after(TO_SUPERVISORS)
    assert await alarms.escalations() == []


async def test_an_alarm_escalates_after_the_hours_in_which_a_rule_silences_it(
    harness: AppHarness,
) -> None:
    place = await harness.add_property()
    silent = Rule("night", types=TYPES, silent=True, quiet=QuietHours.parse("09:33-09:50"))
    alarms = AlarmHarness(harness, silent)
    await alarms.raise_at(place)
    await alarms.after(TO_SUPERVISORS)
    assert await alarms.escalations() == []
    await alarms.after(TO_SUPERVISORS)  # 09:50
    assert len(await alarms.escalations()) == 2


async def test_alarms_that_a_rule_silences_do_not_hide_the_others(harness: AppHarness) -> None:
    places = [await harness.add_property() for _ in range(BATCH + 1)]
    silent = Rule("none", types=TYPES, properties=frozenset(places[:-1]), silent=True)
    alarms = AlarmHarness(harness)  # they got cards before the rule was made
    for place in places:
        alarm = await alarms.raise_at(place)
    alarms.escalation.reconfigure(EscalationPlan(LEVELS, EXPIRY), Router([silent]))
    await alarms.after(TO_DISPATCHERS)
    assert await alarms.escalations() == [(f"alarm-call:{alarm}-1", "alerts", "11 12")]


async def test_in_quiet_hours_an_escalation_mentions_nobody(harness: AppHarness) -> None:
    place = await harness.add_property()
    alarms = AlarmHarness(harness, Rule("night", mention=5, quiet=QuietHours.parse("09:33-09:50")))
    alarm = await alarms.raise_at(place)
    await alarms.after(TO_DISPATCHERS)
    assert await alarms.escalations() == [(f"alarm-call:{alarm}-1", "alerts", "")]


async def test_an_alarm_that_falls_into_a_pause_escalates_after_it(harness: AppHarness) -> None:
    await harness.add_property()
    alarms = AlarmHarness(harness)
    end = START + 2 * HOUR
    pauses = [Pause("alerts", end, "boss"), Pause("emergency", end + HOUR, "boss")]
    alarms.pause(*pauses)
    alarm = await alarms.raise_at(1)
    # It is asked about when the pause ends, not all the time.
    assert await alarms.after(TO_SUPERVISORS) == end
    assert await alarms.after(2 * HOUR - TO_SUPERVISORS - 1) == end
    assert await alarms.escalations() == []
    await alarms.after(1)
    assert [roles for _card, _channel, roles in await alarms.escalations()] == ["11 12", "13"]
    # From then on it may expire, as long after the pause as without one.
    await alarms.after(EXPIRY - 1)
    assert (await alarms.alarm(alarm)).state == "waiting"
    await alarms.after(1)
    assert (await alarms.alarm(alarm)).state == "quiet"


async def test_an_alarm_of_a_drill_never_escalates(harness: AppHarness) -> None:
    drill = (await harness.ask("begin-simulation", pings=True))["simulationId"]
    place = await harness.add_property(clientId=f"simulation:{drill}:vivian")
    alarms = AlarmHarness(harness)
    await alarms.raise_at(place)
    assert await alarms.after(TO_SUPERVISORS) == START + EXPIRY
    assert await alarms.escalations() == []


async def test_an_escalation_waits_for_the_alarm_card(alarms: AlarmHarness) -> None:
    await alarms.harness.ask("add-alert", propertyId=1, userId="u")
    alarms.harness.clock.now += TO_DISPATCHERS
    await alarms.escalation.run_due()
    assert await alarms.escalations() == []
    await alarms.after(0)
    assert len(await alarms.escalations()) == 1


async def test_an_escalation_interrupted_anywhere_is_stored_with_its_card_or_not_at_all(
    harness: AppHarness,
) -> None:
    await harness.add_property()
    alarms = AlarmHarness(harness)
    alarm = await alarms.raise_at(1)
    harness.clock.now += TO_DISPATCHERS

    async def once() -> None:
        await alarms.escalation.run_due()

    point = 0
    while True:
        point += 1
        seen = await interrupt(once(), point)
        async with harness.database.write():
            pass  # what was on its way to the disk when the process ended is there
        assert (await alarms.alarm(alarm)).called == len(await alarms.escalations())
        if not seen.cut_short:
            break
    assert len(await alarms.escalations()) == 1
    assert await alarms.steps(alarm) == ["called"]


async def test_escalation_goes_on_after_storage_was_unavailable(
    alarms: AlarmHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: asyncio.Queue[int] = asyncio.Queue()

    async def run_due() -> int | None:
        looked.put_nowait(looked.qsize())
        raise StorageUnavailable("the disk is full")

    monkeypatch.setattr(alarms.escalation, "run_due", run_due)
    running = asyncio.create_task(alarms.escalation.run(0.0))
    async with asyncio.timeout(10):
        for _ in range(3):
            await looked.get()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


@pytest.mark.parametrize("first", ["rule", "member", "both at once"])
async def test_an_escalated_alarm_has_one_911_call_whoever_places_it(
    harness: AppHarness, first: str
) -> None:
    await harness.add_property(tier=2)
    async with harness.database.write() as sql:
        await store_api_cads(sql, ["cad"])
    rules = PoliceRules("dispatchers", frozenset({2}))
    alarms = AlarmHarness(harness, police=rules)
    alarm = await alarms.raise_at(1)
    member = replace(alarms.context, caller=Caller("discord:7", Scope.ADMIN, ("discord:7",)))

    async def press() -> bool:
        try:
            await police_alarm(member, OfAlarm(alarm_id=alarm))
        except Conflict:
            return False
        return True

    if first == "member":
        assert await press()
    elif first == "both at once":
        harness.clock.now += TO_DISPATCHERS
        await asyncio.gather(press(), alarms.escalation.run_due())
    await alarms.after(TO_DISPATCHERS)
    assert not await press()
    after_restart = AlarmHarness(harness, police=rules)
    await after_restart.after(TO_SUPERVISORS)
    await harness.ask("acknowledge-alarm", alarmId=alarm)
    await harness.ask("release-alarm", alarmId=alarm)
    await after_restart.after(TO_DISPATCHERS)
    assert len(await alarms.escalations()) == 3
    asked = await cad_requests.of_subject(harness.database.read, f"alarm:{alarm}")
    assert [request.kind for request in asked] == ["create-911"]
    assert (await alarms.steps(alarm)).count("police") == 1
