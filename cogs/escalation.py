"""Escalates alarms that nobody acknowledges, ends snoozes, lets untouched alarms expire."""

import asyncio
import logging
from dataclasses import dataclass, field

from cogs.routing.rules import Router, RoutingFacts
from db import alarms, cards
from db.alarms import Alarm
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.protocol.events import Subject
from webhook.queries.alarm_steps import call_police_by_rule, record_step
from webhook.queries.models import alarm_subject

BATCH = 100
"""Alarms that are read at once."""

MIN_WAIT = 1.0
"""Seconds until the next look while something is due that cannot be done."""

DISPATCHERS, SUPERVISORS = 1, 2
"""The levels of an escalation."""

_MOMENTS = {DISPATCHERS: "dispatchers", SUPERVISORS: "supervisors"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EscalationLevel:
    """The roles that are mentioned when an alarm has waited for so many milliseconds."""

    after: int
    roles: tuple[int, ...]


@dataclass(frozen=True)
class EscalationPlan:
    """How long alarms wait, in milliseconds: until they reach each level, until they expire.

    `release_after`: until one that was acknowledged, and not touched since, waits again; 0: never.
    """

    levels: dict[int, EscalationLevel] = field(default_factory=dict)
    expire_after: int = 60 * 60 * 1000
    release_after: int = 0


class AlarmEscalation:
    """Does what time does to alarms; what people do is in webhook/queries/alarms.py."""

    def __init__(self, context: Context, plan: EscalationPlan, router: Router) -> None:
        self._context = context
        self.reconfigure(plan, router)

    def reconfigure(self, plan: EscalationPlan, router: Router) -> None:
        """Go by another plan and other rules from now on."""
        self._plan = plan
        self._router = router

    async def run(self, max_wait: float) -> None:
        """Do what is due until cancelled; look at least every so many seconds."""
        while True:
            wait = max_wait
            try:
                due = await self.run_due()
                if due is not None:
                    wait = min(max_wait, max(MIN_WAIT, (due - self._context.now()) / 1000))
            except StorageUnavailable as fault:
                log.warning("storage cannot be used, alarms wait: %s", fault)
            await asyncio.sleep(wait)

    async def run_due(self) -> int | None:
        """Do what is due; return when something is due next, in milliseconds since 1970.

        Alarms expire before any escalates, so that after a downtime nobody is mentioned for an
        alarm that is over by now.
        """
        now, read = self._context.now(), self._context.read
        for alarm in await alarms.ended_snoozes(read, now, BATCH):
            await self._end_snooze(alarm, now)
        untouched_since = now - self._plan.expire_after
        paused_until = self._router.paused_until("alerts")
        # What a pause held back escalates after it, and must not expire before.
        is_held_back = paused_until > untouched_since
        for alarm in [] if is_held_back else await alarms.untouched(read, untouched_since, BATCH):
            await self._expire(alarm, untouched_since)
        if self._plan.release_after:
            unattended_since = now - self._plan.release_after
            for alarm in await alarms.unattended(read, unattended_since, BATCH):
                await self._release(alarm, unattended_since)
        for number, level in self._plan.levels.items():
            # Page by page: alarms that a rule silences stay due, and must not hide the others.
            last_id = 0
            while page := await alarms.due_for_escalation(
                read, number, now - level.after, last_id, BATCH
            ):
                for alarm in page:
                    await self._escalate(alarm, number, level, now)
                last_id = page[-1].id
        waits = {number: level.after for number, level in self._plan.levels.items()}
        plan = self._plan
        due = await alarms.next_due(read, plan.expire_after, plan.release_after, waits)
        return due if due is None or now >= paused_until else max(due, paused_until)

    async def _end_snooze(self, alarm: Alarm, now: int) -> None:
        async with self._context.change() as change:
            if await alarms.end_snooze(change.sql, alarm.id, now):
                await record_step(change, alarm, "snooze-ended")

    async def _expire(self, alarm: Alarm, untouched_since: int) -> None:
        async with self._context.change() as change:
            if await alarms.expire(change.sql, alarm.id, untouched_since, change.received):
                await record_step(change, alarm, "quiet")

    async def _release(self, alarm: Alarm, unattended_since: int) -> None:
        async with self._context.change() as change:
            if await alarms.lapse(change.sql, alarm.id, unattended_since, change.received):
                await record_step(change, alarm, "released", text=alarm.acknowledged_by or "")

    async def _escalate(self, alarm: Alarm, number: int, level: EscalationLevel, now: int) -> None:
        """Store that an alarm reached a level along with its card, which mentions the roles once.

        An alarm that a rule silences now does not escalate, nor does any while mentions are paused;
        both do afterwards. In quiet hours nobody is mentioned.
        """
        facts = RoutingFacts(frozenset({"alerts"}), properties=frozenset({alarm.property_id}))
        decision = self._router.decide(facts, now, "alerts")
        if decision.silent or decision.is_paused:
            return
        roles = "" if decision.is_quiet else " ".join(map(str, level.roles))
        async with self._context.change() as change:
            card = await cards.of_subject(change.sql, str(alarm_subject(alarm.id)))
            which = card and await alarms.escalate(
                change.sql, alarm.id, number, roles, now - level.after, change.received
            )
            if card is None or which is None:
                return
            subject = Subject("alarm-call", f"{alarm.id}-{which}")
            stale = cards.StaleCard(str(subject), card.channel, change.received)
            await cards.mark_stale(change.sql, stale)
            await record_step(change, alarm, "called", number=number)
            await call_police_by_rule(change, self._context.police, alarm, _MOMENTS[number])
