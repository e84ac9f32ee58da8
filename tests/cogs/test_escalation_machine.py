"""Random sequences of alerts, answers and time against a small model of alarms."""

import asyncio
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.cogs.alarm_harness import EXPIRY, TO_DISPATCHERS, TO_SUPERVISORS, AlarmHarness
from tests.webhook.harness import MINUTE, open_harness

UNATTENDED = 20 * MINUTE
PLACES = st.integers(1, 2)


@dataclass
class Open:
    """An open alarm as the model has it."""

    number: int
    since: int
    touched: int
    repeats: int = 1
    acknowledged: bool = False
    until: int | None = None
    called: int = 0

    @property
    def state(self) -> str:
        if self.until is not None:
            return "snoozed"
        return "acknowledged" if self.acknowledged else "waiting"


class AlarmsMachine(RuleBasedStateMachine):
    """What people believe, beside what is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        directory = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.harness = self.runner.run(
            self.stack.enter_async_context(open_harness(Path(directory) / "sentinel.db"))
        )
        for _ in range(2):
            self.runner.run(self.harness.add_property())
        self.watched = AlarmHarness(self.harness, release_after=UNATTENDED)
        self.open: dict[int, Open] = {}
        self.over: dict[int, str] = {}
        self.calls: dict[int, int] = {}

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    @property
    def now(self) -> int:
        return self.harness.clock.now

    def ask(self, name: str, place: int, *states: str, **data: object) -> Open | None:
        """Ask about the alarm of a place, which must be in one of the states for it to work."""
        alarm = self.open.get(place)
        asked = {"alarmId": alarm.number if alarm else 99} | data
        frame = self.runner.run(self.harness.frame(f"queries.{name}", asked))
        works = alarm is not None and alarm.state in states
        assert (frame["type"] == name) == works, frame
        if alarm is None or not works:
            return None
        alarm.touched = self.now
        return alarm

    @rule(place=PLACES)
    def alert(self, place: int) -> None:
        number = self.runner.run(self.watched.raise_at(place))
        alarm = self.open.get(place)
        if alarm is None:
            assert number not in self.over
            self.open[place] = Open(number, self.now, self.now)
        else:
            assert number == alarm.number
            alarm.repeats += 1
            alarm.touched = self.now

    @rule(place=PLACES)
    def acknowledge(self, place: int) -> None:
        alarm = self.ask("acknowledge-alarm", place, "waiting", "snoozed")
        if alarm is not None:
            alarm.acknowledged, alarm.until = True, None

    @rule(place=PLACES)
    def release(self, place: int) -> None:
        alarm = self.ask("release-alarm", place, "acknowledged")
        if alarm is not None:
            alarm.acknowledged, alarm.since, alarm.called = False, self.now, 0

    @rule(place=PLACES, minutes=st.sampled_from([1, 15]))
    def snooze(self, place: int, minutes: int) -> None:
        alarm = self.ask("snooze-alarm", place, "waiting", "acknowledged", minutes=minutes)
        if alarm is not None:
            alarm.until, alarm.acknowledged = self.now + minutes * MINUTE, False

    @rule(place=PLACES)
    def note(self, place: int) -> None:
        self.ask("note-alarm", place, "waiting", "snoozed", "acknowledged", text="x")

    @rule(place=PLACES, outcome=st.sampled_from(["resolved", "false"]))
    def settle(self, place: int, outcome: str) -> None:
        states = ("waiting", "snoozed", "acknowledged")
        if self.ask("settle-alarm", place, *states, outcome=outcome) is not None:
            self.over[self.open.pop(place).number] = outcome

    @rule(minutes=st.sampled_from([1, 4, 5, 10, 16, 61]))
    def time_passes(self, minutes: int) -> None:
        self.runner.run(self.watched.after(minutes * MINUTE))
        for place, alarm in list(self.open.items()):
            if alarm.until is not None and alarm.until <= self.now:
                alarm.since, alarm.called = alarm.until, 0
                alarm.touched, alarm.until = max(alarm.touched, alarm.until), None
            if alarm.until is None and alarm.touched <= self.now - EXPIRY:
                self.over[self.open.pop(place).number] = "quiet"
                continue
            if alarm.acknowledged and alarm.touched <= self.now - UNATTENDED:
                alarm.acknowledged, alarm.since, alarm.called = False, self.now, 0
            for level, after in ((1, TO_DISPATCHERS), (2, TO_SUPERVISORS)):
                due = alarm.state == "waiting" and alarm.since <= self.now - after
                if due and alarm.called < level:
                    alarm.called = level
                    self.calls[alarm.number] = self.calls.get(alarm.number, 0) + 1

    @invariant()
    def the_alarms_agree(self) -> None:
        async def run_due() -> None:
            rows = (await self.harness.ask("get-alarms", limit=100))["alarms"]
            told = {row["id"]: (row["propertyId"], row["state"], row["repeats"]) for row in rows}
            assert {number: told[number][1] for number in self.over} == self.over
            still_open = {number: row for number, row in told.items() if number not in self.over}
            assert still_open == {
                alarm.number: (place, alarm.state, alarm.repeats)
                for place, alarm in self.open.items()
            }

        self.runner.run(run_due())

    @invariant()
    def each_level_is_called_once_each_time_that_an_alarm_waits(self) -> None:
        made = [subject for subject, _, _ in self.runner.run(self.watched.escalations())]
        calls = [
            f"alarm-call:{number}-{which + 1}"
            for number, count in self.calls.items()
            for which in range(count)
        ]
        assert sorted(made) == sorted(calls)

    @invariant()
    def escalations_are_unanswered_exactly_while_their_alarm_waits(self) -> None:
        waiting = {alarm.number for alarm in self.open.values() if alarm.state == "waiting"}

        async def unanswered() -> list[int]:
            return await self.harness.database.read.all(
                int, "SELECT alarm_id FROM escalations WHERE answer IS NULL"
            )

        assert set(self.runner.run(unanswered())) <= waiting


TestAlarms = AlarmsMachine.TestCase
TestAlarms.settings = settings(max_examples=4, stateful_step_count=25, deadline=None)
