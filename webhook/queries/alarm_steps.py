"""The steps of an alarm: stored and published here, and audited if somebody takes them."""

from typing import Any

from db import access, alarm_steps, alarms, escalations
from db.alarms import Alarm, AlarmOutcome
from webhook.protocol.audit_actions import AuditAction
from webhook.protocol.context import Change, PoliceRules, Scope, Share
from webhook.protocol.events import AlarmChanged, Subject
from webhook.queries.models import alarm_subject, property_subject
from webhook.queries.police import OUTCOMES, end_police_call, police_by_rule

ENDS_WAITING = frozenset({"acknowledged", "snoozed", "resolved", "false", "quiet", "removed"})
"""The steps after which nobody has to be called any more."""

CHANGES_HANDLER = frozenset({"taken", "released"})
"""The steps whose text is who handled the alarm until then."""


async def record_step(
    change: Change,
    alarm: Alarm,
    action: str,
    by: str = "",
    *,
    text: str = "",
    number: int | None = None,
) -> None:
    """Record what was done about an alarm, and publish it; `by` is blank if nobody did it."""
    await alarm_steps.add(change.sql, alarm.id, change.happened, by, action, text, number)
    if action in ENDS_WAITING:
        await escalations.answer(change.sql, alarm.id, action, by, change.received)
    if action in OUTCOMES:
        await end_police_call(change, alarm, action)
    given: dict[str, Any] = {"by": by} if by else {}
    if action in CHANGES_HANDLER:
        given["previous"] = text
    await change.emit(
        AlarmChanged(alarm_id=alarm.id, property_id=alarm.property_id, action=action, **given),
        alarm_subject(alarm.id),
        property_subject(alarm.property_id),
    )


async def record_act(
    change: Change, alarm: Alarm, action: AuditAction, *, text: str = "", until: int | None = None
) -> None:
    step = _step(action)
    await record_step(change, alarm, step, change.caller.name, text=text, number=until)
    changes_state = action != "alarm-noted"
    after = {"state": step if changes_state else None, "text": text, "until": until}
    await change.audit(
        action,
        alarm_subject(alarm.id),
        before={"state": alarm.state} if changes_state else None,
        after={name: value for name, value in after.items() if value},
    )


async def record_handler(change: Change, alarm: Alarm, action: AuditAction) -> None:
    """Record that somebody else, or nobody, handles an alarm from now on."""
    previous, by = alarm.acknowledged_by or "", change.caller.name
    await record_step(change, alarm, _step(action), by, text=previous)
    await change.audit(
        action,
        alarm_subject(alarm.id),
        before={"handler": previous},
        after={"handler": by if action == "alarm-taken" else None},
    )


def _step(action: AuditAction) -> str:
    """Return how an alarm's history calls what the audit log calls `alarm-noted`."""
    return action.removeprefix("alarm-")


async def acknowledge(change: Change, alarm: Alarm) -> bool:
    """Have the caller handle an alarm, and record it; return whether nobody did yet."""
    by = change.caller.name
    is_first = await alarms.acknowledge(change.sql, alarm.id, by, change.received)
    if is_first:
        await record_act(change, alarm, "alarm-acknowledged")
    return is_first


async def end_alarm_of(change: Change, property_id: int, outcome: AlarmOutcome) -> None:
    """End the open alarm of a property, if there is one."""
    alarm = await alarms.open_of_property(change.sql, property_id)
    if alarm is not None:
        by = change.caller.name
        await alarms.settle(change.sql, alarm.id, outcome, by, change.received)
        await record_step(change, alarm, outcome, by)


async def note_drone(change: Change, property_id: int, drone_id: int) -> list[Subject]:
    """Note on the property's open alarm that a drone was sent out; return the alarm's subject.

    A member who sends one handles the alarm from then on if nobody does and they may; a program
    that sends one by itself does not: somebody still has to look.
    """
    alarm = await alarms.open_of_property(change.sql, property_id)
    if alarm is None:
        return []
    await alarms.touch(change.sql, alarm.id, change.received)
    await alarm_steps.add(
        change.sql, alarm.id, change.happened, change.caller.name, "drone", number=drone_id
    )
    caller = change.caller
    if caller.is_person and (caller.scope >= Scope.WRITE or await _is_owner(change, alarm)):
        await acknowledge(change, alarm)
    return [alarm_subject(alarm.id)]


async def call_police_by_rule(change: Change, rules: PoliceRules, alarm: Alarm, at: str) -> None:
    """Place a 911 call for an alarm at a moment, if the rules say so."""
    if await police_by_rule(change, rules, alarm, at):
        await record_step(change, alarm, "police")


async def _is_owner(change: Change, alarm: Alarm) -> bool:
    share = await access.share_of(change.sql, alarm.property_id, change.caller.user_ids)
    return share == Share.OWNER
