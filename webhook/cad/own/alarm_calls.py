"""What happens in the CAD to the 911 call of an alarm, as steps of the alarm."""

from db import alarms, emergencies
from db.calls import CallKey
from db.emergencies import EmergencyCall
from webhook.protocol.context import Change
from webhook.queries.alarm_steps import record_step


async def note_alarm_call(
    change: Change, call: EmergencyCall, action: str, number: int | None = None
) -> None:
    """Record a step of the alarm for which a 911 call was placed, if it was for one."""
    alarm = None if call.alarm_id is None else await alarms.get(change.sql, call.alarm_id)
    if alarm is not None and alarm.outcome is None:
        await record_step(change, alarm, action, number=number or call.call_id)


async def note_alarm_dispatch(change: Change, dispatch: CallKey, action: str) -> None:
    """Do the same for a dispatch call that was made from one."""
    for call in await emergencies.made_into(change.sql, dispatch):
        await note_alarm_call(change, call, action, dispatch.call_id)
