"""A harness whose alarms have cards and escalate, on a clock that the test advances."""

from dataclasses import replace

from cogs.delivery.follower import Follower
from cogs.escalation import (
    DISPATCHERS,
    SUPERVISORS,
    AlarmEscalation,
    EscalationLevel,
    EscalationPlan,
)
from cogs.routing.rules import Pause, Router, Rule
from db import alarm_steps, alarms
from db.alarms import Alarm
from tests.webhook.harness import MINUTE, AppHarness
from webhook.protocol.context import PoliceRules

TO_DISPATCHERS, TO_SUPERVISORS, EXPIRY = 5 * MINUTE, 10 * MINUTE, 60 * MINUTE
LEVELS = {
    DISPATCHERS: EscalationLevel(TO_DISPATCHERS, (11, 12)),
    SUPERVISORS: EscalationLevel(TO_SUPERVISORS, (13,)),
}


class AlarmHarness:
    """Raises alarms, lets time pass, and lists the escalations."""

    def __init__(
        self,
        harness: AppHarness,
        *rules: Rule,
        levels: dict[int, EscalationLevel] | None = None,
        release_after: int = 0,
        police: PoliceRules | None = None,
    ) -> None:
        self.harness = harness
        router = Router(rules)
        self._rules = rules
        self.follower = Follower(
            harness.database, harness.bus, frozenset({"alerts"}), lambda _channels: None, router
        )
        plan = EscalationPlan(LEVELS if levels is None else levels, EXPIRY, release_after)
        self._plan = plan
        self.context = replace(harness.context(), police=police or PoliceRules())
        self.escalation = AlarmEscalation(self.context, plan, router)

    def pause(self, *pauses: Pause) -> None:
        """Have nobody mentioned for a time."""
        self.escalation.reconfigure(self._plan, Router(self._rules, pauses=pauses))

    async def raise_at(self, place: int) -> int:
        """Raise the alarm, have its card marked, and return the alarm's id."""
        await self.harness.ask("add-alert", propertyId=place, userId="u")
        while await self.follower.apply_next():
            pass
        alarm = await alarms.open_of_property(self.harness.database.read, place)
        assert alarm is not None
        return alarm.id

    async def after(self, milliseconds: int) -> int | None:
        """Let time pass, then do what is due; return when something is due next."""
        self.harness.clock.now += milliseconds
        while await self.follower.apply_next():
            pass
        return await self.escalation.run_due()

    async def alarm(self, alarm_id: int) -> Alarm:
        """Return an alarm."""
        found = await alarms.get(self.harness.database.read, alarm_id)
        assert found is not None
        return found

    async def steps(self, alarm_id: int) -> list[str]:
        """Return what was done about an alarm."""
        found, _total = await alarm_steps.last(self.harness.database.read, alarm_id, 100)
        return [step.action for step in found]

    async def escalations(self) -> list[tuple[str, str, str]]:
        """Return the cards of escalations with their channels, and the roles that they mention."""
        return await self.harness.database.read.all(
            lambda subject, channel, roles: (subject, channel, roles),
            "SELECT subject, channel, roles FROM cards JOIN escalations"
            " ON subject = 'alarm-call:' || alarm_id || '-' || number ORDER BY cards.id",
        )
