"""The 911 call of an alarm: what happens to one of them in the CAD is told to the other."""

from db import alarms, cad_requests, emergencies
from db.calls import CallKey
from db.emergencies import EmergencyCall
from webhook.protocol.context import Change
from webhook.queries.alarm_steps import record_step
from webhook.queries.models import alarm_subject
from webhook.queries.police import alarm_of, is_taken_back, take_back, tell_dispatched


async def join_alarm(change: Change, call: EmergencyCall, mark: str | None) -> EmergencyCall:
    """Make a 911 call that was placed for an alarm a part of it, by the mark of our request.

    One that the CAD has again after its end gets a card of its own if the alarm is over by then, as
    nobody looks at the alarm's any more. One that comes only after the alarm's end, as the answer
    was lost, is taken back.
    """
    request = None if mark is None else await cad_requests.get(change.sql, mark)
    alarm_id = alarm_of(request)
    alarm = None if alarm_id is None else await alarms.get(change.sql, alarm_id)
    if request is None or alarm is None or call.alarm_id is not None or request.cad != call.cad:
        return call
    is_again = request.state == "done" and (request.ended_at or 0) < change.received
    if is_again and alarm.outcome is not None:
        return call
    call = await emergencies.set_alarm(change.sql, call, alarm.id)
    if is_again:
        await record_step(change, alarm, "police-again", number=call.call_id)
    elif alarm.outcome is not None and not await is_taken_back(change.sql, alarm.id):
        await take_back(change, call, about=alarm_subject(alarm.id))
    return call


async def note_alarm_call(
    change: Change, call: EmergencyCall, action: str, number: int | None = None
) -> None:
    """Record a step of the alarm for which a 911 call was placed, if it was for one.

    Of an alarm that is over, only that is news of which somebody may expect the contrary.
    """
    alarm = None if call.alarm_id is None else await alarms.get(change.sql, call.alarm_id)
    if alarm is not None and (alarm.outcome is None or action == "police-reopened"):
        await record_step(change, alarm, action, number=number or call.call_id)


async def note_alarm_dispatch(change: Change, dispatch: CallKey, action: str) -> None:
    """Do the same for a dispatch call that was made from one."""
    for call in await emergencies.made_into(change.sql, dispatch):
        await note_alarm_call(change, call, action, dispatch.call_id)


async def note_dispatched(change: Change, call: EmergencyCall, dispatch: CallKey) -> None:
    """Record that a dispatch call was made from a 911 call; tell it if the alarm is over by now."""
    await note_alarm_call(change, call, "police-dispatched", dispatch.call_id)
    alarm = None if call.alarm_id is None else await alarms.get(change.sql, call.alarm_id)
    if alarm is not None and alarm.outcome is not None:
        await tell_dispatched(change, dispatch, alarm.outcome, about=alarm_subject(alarm.id))
