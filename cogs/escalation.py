"""Watches over alarms: calls for help, ends snoozes, has alarms fall quiet when it is time."""

import asyncio
import logging
from dataclasses import dataclass, field

from cogs.routing.rules import Router, RoutingFacts
from db import alarms, cards
from db.alarms import Alarm
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.protocol.events import Subject
from webhook.queries.alarms import tell_step
from webhook.queries.subjects import alarm_subject

AT_ONCE = 100
"""Alarms of which something is due that one look takes on."""

SHORTEST = 1.0
"""Seconds until the next look while something is due that cannot be done."""

DISPATCHERS, SUPERVISOR = 1, 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EscalationStage:
    """Roles that are called when nobody has acknowledged an alarm for so many milliseconds."""

    after: int
    roles: tuple[int, ...]


@dataclass(frozen=True)
class EscalationPlan:
    """How long alarms wait, in milliseconds: until each stage is called, until they fall quiet."""

    stages: dict[int, EscalationStage] = field(default_factory=dict)
    quiet_after: int = 60 * 60 * 1000


class AlarmEscalation:
    """Does what is due by itself; what people do is in webhook/queries/alarms.py."""

    def __init__(self, context: Context, plan: EscalationPlan, router: Router) -> None:
        self._context = context
        self.reconfigure(plan, router)

    def reconfigure(self, plan: EscalationPlan, router: Router) -> None:
        """Go by other times, roles and rules from now on."""
        self._plan = plan
        self._router = router

    async def run(self, longest: float) -> None:
        """Look again and again until cancelled, at most so many seconds apart."""
        while True:
            wait = longest
            try:
                due = await self.look()
                if due is not None:
                    wait = min(longest, max(SHORTEST, (due - self._context.now()) / 1000))
            except StorageUnavailable as fault:
                log.warning("storage cannot be used, alarms wait: %s", fault)
            await asyncio.sleep(wait)

    async def look(self) -> int | None:
        """Do what is due; return when something is due next, in milliseconds since 1970.

        What is over is ended before anybody is called, so that after a downtime nobody is called
        for an alarm that has fallen quiet meanwhile.
        """
        now, read = self._context.now(), self._context.read
        for alarm in await alarms.ended_snoozes(read, now, AT_ONCE):
            await self._end_snooze(alarm, now)
        since = now - self._plan.quiet_after
        for alarm in await alarms.untouched(read, since, AT_ONCE):
            await self._fall_quiet(alarm, since)
        for number, stage in self._plan.stages.items():
            # Page by page: alarms that a rule silences stay due, and must not hide the others.
            after = 0
            while page := await alarms.due_for_escalation(
                read, number, now - stage.after, after, AT_ONCE
            ):
                for alarm in page:
                    await self._call(alarm, number, stage, now)
                after = page[-1].id
        stages = {number: stage.after for number, stage in self._plan.stages.items()}
        return await alarms.next_due(read, self._plan.quiet_after, stages)

    async def _end_snooze(self, alarm: Alarm, now: int) -> None:
        async with self._context.change() as change:
            if await alarms.end_snooze(change.sql, alarm.id, now):
                await tell_step(change, alarm, "snooze-ended")

    async def _fall_quiet(self, alarm: Alarm, since: int) -> None:
        async with self._context.change() as change:
            if await alarms.expire(change.sql, alarm.id, since, change.now):
                await tell_step(change, alarm, "quiet")

    async def _call(self, alarm: Alarm, number: int, stage: EscalationStage, now: int) -> None:
        """Note that a stage is called and mark its card, both or neither; nobody is called twice.

        An alarm that the rules keep back now calls nobody; in quiet hours the card pings nobody.
        """
        facts = RoutingFacts(frozenset({"alerts"}), properties=frozenset({alarm.property_id}))
        decision = self._router.decide(facts, now, "")
        if decision.silent:
            return
        roles = "" if decision.is_quiet else " ".join(map(str, stage.roles))
        async with self._context.change() as change:
            card = await cards.of_subject(change.sql, str(alarm_subject(alarm.id)))
            if card is None or not await alarms.escalate(
                change.sql, alarm.id, number, roles, now - stage.after, change.now
            ):
                return
            about = Subject("alarm-call", f"{alarm.id}-{number}")
            await cards.mark_stale(change.sql, str(about), card.channel, change.now)
            await tell_step(change, alarm, "called", text=str(number))
