"""The 911 call of an alarm: placed by a rule or by somebody, and over when the alarm is.

What happens to the call in the CAD is a step of the alarm: webhook/cad/own/alarm_calls.py.
"""

import orjson

from db import cad_requests, dispatches, emergencies, properties, simulations
from db.alarms import Alarm
from db.cad_requests import LONGEST, CadRequest
from db.calls import CallKey
from db.database import Reader
from db.emergencies import EmergencyCall
from db.properties import Property
from webhook.protocol.context import Change, PoliceRules
from webhook.protocol.events import Subject
from webhook.protocol.postals import MAX_CODE, nearest
from webhook.protocol.wire import PositionData
from webhook.queries.cad.requests import (
    CALL_LENGTH,
    LINE_LENGTH,
    NOBODY_WAITS,
    NewEmergency,
    api_cads,
    ask_cad,
    emergency_body,
    note_body,
    place_metadata,
)
from webhook.queries.models import alarm_subject

CALLER = "CAD Sentinel"

POSTAL_REACH = 300.0
"""Metres within which the postal code of a 911 call is that of a place."""

TOO_LATE = 5 * 60 * 1000
"""Milliseconds after an alarm was raised from which no rule calls the police any more."""

OUTCOMES = {
    "resolved": "The alarm is resolved.",
    "false": "It was a false alarm.",
    "quiet": "Nothing more was heard of the alarm.",
    "removed": "The property was removed.",
}
"""What the police are told when an alarm ends, by its outcome."""


async def police_by_rule(change: Change, rules: PoliceRules, alarm: Alarm, at: str) -> bool:
    """Place the 911 call of an alarm if the rules say so; return whether that was done."""
    property_ = await properties.get(change.sql, alarm.property_id)
    if property_ is None or rules.at != at or change.age > TOO_LATE:
        return False
    if rules.tiers and property_.tier not in rules.tiers:
        return False
    if await simulations.has_property(change.sql, property_.id):
        return False
    return await call_police(change, rules, alarm, property_) is not None


async def may_call_police(sql: Reader, alarm: Alarm) -> bool:
    """Return whether an alarm can have a 911 call and has none that is going on."""
    if alarm.outcome is not None or not await api_cads(sql):
        return False
    placed = await request_of(sql, alarm.id)
    if placed is not None and placed.is_open:
        return False
    calls = await emergencies.of_alarm(sql, alarm.id)
    going_on = [call for call in calls if call.is_open]
    for call in calls:
        if call.dispatch_key is not None:
            made = await dispatches.get(sql, *call.dispatch_key)
            going_on += [call] if made is not None and made.closed_at is None else []
    return not going_on


async def call_police(
    change: Change, rules: PoliceRules, alarm: Alarm, property_: Property
) -> str | None:
    """Place a 911 call for an alarm; None if it has one, or no CAD can be asked."""
    if not await may_call_police(change.sql, alarm):
        return None
    cad = (await api_cads(change.sql))[0]
    x, y, z = float(property_.x), float(property_.y), None
    if property_.position is not None:
        exact = PositionData(**orjson.loads(property_.position))
        x, y, z = exact.x, exact.y, exact.z
    nearby = await emergencies.nearest_postal(change.sql, cad, x, y, POSTAL_REACH, MAX_CODE)
    text = property_.description.strip()
    ask = NewEmergency(
        location=property_.location[:LINE_LENGTH] or f"Property {property_.id}",
        description=f"Alarm at {property_.location}{f': {text}' if text else ''}"[:CALL_LENGTH],
        postal=nearest(rules.postals, x, y) or nearby or "",
        caller=CALLER,
    )
    meta = place_metadata(x, y, z) | {"alarm": str(alarm.id)}
    return await ask_cad(
        change,
        cad,
        "create-911",
        emergency_body(ask, meta),
        about=alarm_subject(alarm.id),
        within=NOBODY_WAITS,
    )


async def end_police_call(change: Change, alarm: Alarm, outcome: str) -> None:
    """Take the 911 call of an alarm back as it is over; tell those who were dispatched."""
    about = alarm_subject(alarm.id)
    placed = await request_of(change.sql, alarm.id)
    if placed is not None and placed.is_open:
        await ask_cad(
            change, placed.cad, "remove-911", {}, about=about, after=placed.id, within=LONGEST
        )
    for call in await emergencies.of_alarm(change.sql, alarm.id):
        if call.is_open:
            await take_back(change, call, about=about)
        elif call.dispatch_key is not None:
            await tell_dispatched(change, call.dispatch_key, outcome, about=about)


async def take_back(change: Change, call: EmergencyCall, *, about: Subject) -> None:
    """Remove the 911 call of an alarm that is over, also if the CAD is down for a while."""
    await ask_cad(
        change, call.cad, "remove-911", {"callId": call.call_id}, about=about, within=LONGEST
    )


async def is_taken_back(sql: Reader, alarm_id: int) -> bool:
    """Return whether the 911 call of an alarm is about to be removed."""
    asked = await cad_requests.of_subject(sql, str(alarm_subject(alarm_id)))
    return any(each.kind == "remove-911" and each.is_open for each in asked)


async def tell_dispatched(
    change: Change, dispatch: CallKey, outcome: str, *, about: Subject
) -> None:
    """Write into the open dispatch call that was made for an alarm how that ended."""
    made = await dispatches.get(change.sql, *dispatch)
    if made is not None and made.closed_at is None:
        body = note_body(made.call_id, OUTCOMES[outcome])
        await ask_cad(change, made.cad, "note", body, about=about, within=LONGEST)


async def request_of(sql: Reader, alarm_id: int) -> CadRequest | None:
    """Return the newest request for a 911 call of an alarm."""
    asked = await cad_requests.of_subject(sql, str(alarm_subject(alarm_id)))
    return next((each for each in reversed(asked) if each.kind == "create-911"), None)


def alarm_of(request: CadRequest | None) -> int | None:
    """Return the alarm for which a 911 call was asked for."""
    if request is None or request.kind != "create-911":
        return None
    about = Subject.parse(request.subject)
    return about.number if about.kind == "alarm" else None
