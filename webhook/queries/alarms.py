"""Alerts and alarms.

An alert is one press of a property's alarm button; an alarm is the incident that collects its
alerts until it is settled.
"""

from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from db import alarm_steps, alarms, users
from db.alarm_steps import AlarmStep
from db.alarms import Alarm, OpenAlarm
from db.database import Reader
from webhook.protocol.catalogue import Catalogue, operation
from webhook.protocol.context import Change, Context, Scope, Share
from webhook.protocol.errors import Conflict, NotFound
from webhook.protocol.events import AlertRaised
from webhook.protocol.wire import TEXT, WHOLE, Id, Reply, Request, Success, timestamp
from webhook.queries.alarm_steps import (
    acknowledge,
    call_police_by_rule,
    record_act,
    record_handler,
    record_step,
)
from webhook.queries.cad.requests import api_cads, cannot_ask
from webhook.queries.models import (
    MAX_LONG,
    Added,
    ListPage,
    OfProperty,
    PageReply,
    PropertyPage,
    PropertyReference,
    RowAtProperty,
    Timestamp,
    UserAtProperty,
    alarm_subject,
    between,
    count_rows,
    existing_property,
    is_none,
    own_property_ids,
    page_fields,
    property_subject,
    with_external_ids,
)
from webhook.queries.police import call_police

table = Catalogue()

MAX_OPEN = 200
"""Open alarms among which somebody chooses."""

MAX_STEPS = 200
"""Steps of an alarm that are listed."""

NoteText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), TEXT
]


class NewAlert(UserAtProperty):
    """Where the alarm is raised, by whom, and a note for those who answer it."""

    note: NoteText | None = None


class AlertPage(PropertyPage):
    """A page of a property's alerts; all of them by default."""

    limit: Annotated[int, Field(ge=1, le=MAX_LONG), between(1, MAX_LONG)] = 10

    @model_validator(mode="before")
    @classmethod
    def _take_all(cls, data: Any) -> Any:
        is_paged = not isinstance(data, dict) or any(
            data.get(name) not in (None, "") for name in ("limit", "offset", "page")
        )
        return data if is_paged else data | {"limit": MAX_LONG}


class NewAlertIds(Added):
    """The ids of the alert, and of the alarm that it raised or repeats."""

    alarm_id: int


class AlertData(Reply):
    """An alert as scripts see it, and which alarm it belongs to, if that is known."""

    id: int
    alarm_id: Annotated[int | None, Field(exclude_if=is_none)]
    user_id: str
    timestamp: str


class AlertList(PageReply):
    """A property's alerts."""

    alerts: list[AlertData]


class OfAlarm(Request):
    """One alarm."""

    alarm_id: Id

    async def which_property(self, sql: Reader) -> int | None:
        alarm = await alarms.get(sql, self.alarm_id)
        return None if alarm is None else alarm.property_id


class AlarmPage(PropertyReference, ListPage):
    """A page of the alarms of a property, or of all."""


class AlarmNote(OfAlarm):
    """A note on an alarm."""

    text: NoteText


class Snooze(OfAlarm):
    """For how long an alarm is not escalated."""

    minutes: Annotated[int, Field(ge=1, le=24 * 60), WHOLE]


class TakeOver(OfAlarm):
    """Whom an alarm is taken over from; without that, from whoever handles it."""

    handler: Annotated[str | None, Field(max_length=128), TEXT] = None


class Settlement(OfAlarm):
    """How an alarm ended."""

    outcome: Literal["resolved", "false"]


class AlarmData(RowAtProperty):
    """An alarm; `repeats` counts its alerts."""

    id: int
    state: str
    raised_at: Timestamp
    raised_by: str
    last_at: Timestamp
    last_by: str
    repeats: int
    acknowledged_by: str | None
    snoozed_until: Timestamp | None
    settled_at: Timestamp | None
    settled_by: str | None


class AlarmList(PageReply):
    """Some of the alarms."""

    alarms: list[AlarmData]


@table.query("get-alerts", scope=Scope.READ, share=Share.ALLOWED)
async def get_alerts(context: Context, ask: AlertPage) -> AlertList:
    """List a property's alerts, newest first."""
    await existing_property(context.read, ask.property_id)
    page = await alarms.alerts(context.read, ask.property_id, ask.limit, ask.offset)
    total = await count_rows(ask, page, partial(alarms.count_alerts, context.read, ask.property_id))
    return AlertList(
        **page_fields(ask, total),
        alerts=[
            AlertData(
                id=row.id, alarm_id=row.alarm_id, user_id=row.user_id, timestamp=timestamp(row.at)
            )
            for row in page
        ],
    )


@table.query("add-alert", scope=Scope.WRITE, share=Share.ALLOWED)
async def add_alert(context: Context, ask: NewAlert) -> NewAlertIds:
    """Raise the alarm at a property."""
    async with context.change() as change:
        await existing_property(change.sql, ask.property_id)
        if ask.user_id != context.caller.name:  # a member without a link is no user of the game
            await users.add_seen(change.sql, ask.user_id)
        alarm_id = await alarms.raise_or_repeat(
            change.sql, ask.property_id, ask.user_id, change.received, change.age
        )
        alert_id = await alarms.add_alert(
            change.sql, ask.property_id, alarm_id, ask.user_id, change.happened
        )
        if ask.note:
            note = (context.caller.name, "noted", ask.note, alert_id)
            await alarm_steps.add(change.sql, alarm_id, change.happened, *note)
        await change.emit(
            AlertRaised(
                property_id=str(ask.property_id),
                user=ask.user_id,
                alert_id=alert_id,
                alarm_id=alarm_id,
                timestamp=timestamp(change.happened),
            ),
            alarm_subject(alarm_id),
            property_subject(ask.property_id),
        )
        raised = await alarms.get(change.sql, alarm_id)
        if raised is not None and raised.repeats == 1:
            await call_police_by_rule(change, context.police, raised, "alert")
    return NewAlertIds(id=alert_id, alarm_id=alarm_id)


@table.query("get-alarms", scope=Scope.READ, share=Share.ALLOWED)
async def get_alarms(context: Context, ask: AlarmPage) -> AlarmList:
    """List alarms: waiting ones first, then other open ones, then the newest."""
    if ask.property_id is not None:
        await existing_property(context.read, ask.property_id)
    page, total = await alarms.page(context.read, ask.property_id, ask.limit, ask.offset)
    rows = [AlarmData.of(row) for row in page]
    found = await with_external_ids(context.read, rows)
    return AlarmList(alarms=found, **page_fields(ask, total))


@operation(scope=Scope.NONE)
async def list_alarms(context: Context, ask: ListPage) -> tuple[list[Alarm], int]:
    """Return alarms and their number, open ones first; to those without a role those of their own.

    Raises:
        Forbidden: they have no property.
    """
    if context.caller.scope >= Scope.READ:
        return await alarms.page(context.read, None, ask.limit, ask.offset)
    own = await own_property_ids(context.read, context.caller)
    return await alarms.page_of_properties(context.read, own, ask.limit, ask.offset)


@table.query("acknowledge-alarm", scope=Scope.WRITE, share=Share.OWNER)
async def acknowledge_alarm(context: Context, ask: OfAlarm) -> Success:
    """Record that the caller sees to an alarm; this ends a snooze."""
    async with context.change() as change:
        alarm = await _open_alarm(change, ask.alarm_id)
        if not await acknowledge(change, alarm):
            raise Conflict(
                "alarm {id} was already acknowledged by {who}",
                id=alarm.id,
                who=alarm.acknowledged_by,
            )
    return Success()


@table.query("take-alarm", scope=Scope.WRITE)
async def take_alarm(context: Context, ask: TakeOver) -> Success:
    """Handle an alarm in place of whoever handles it; one that nobody handles is acknowledged."""
    async with context.change() as change:
        alarm = await _open_alarm(change, ask.alarm_id)
        taker, handler = context.caller.name, alarm.acknowledged_by
        if handler is None:
            await acknowledge(change, alarm)
            return Success()
        if handler == taker or ask.handler not in (None, handler):
            raise Conflict("alarm {id} is already handled by {who}", id=alarm.id, who=handler)
        await alarms.take_over(change.sql, alarm.id, handler, taker, change.received)
        await record_handler(change, alarm, "alarm-taken")
    return Success()


@table.query("release-alarm", scope=Scope.WRITE, share=Share.OWNER)
async def release_alarm(context: Context, ask: OfAlarm) -> Success:
    """Have an acknowledged alarm wait again; it escalates like a new one.

    An owner without the scope can release only what they handle themself.
    """
    async with context.change() as change:
        alarm = await _open_alarm(change, ask.alarm_id)
        if not context.caller.is_one_of(alarm.acknowledged_by):
            context.caller.must(Scope.WRITE)
        if not await alarms.release(change.sql, alarm.id, change.received):
            raise Conflict("nobody handles alarm {id}", id=alarm.id)
        await record_handler(change, alarm, "alarm-released")
    return Success()


@table.query("note-alarm", scope=Scope.WRITE, share=Share.OWNER)
async def note_alarm(context: Context, ask: AlarmNote) -> Success:
    """Add a note to an open alarm."""
    async with context.change() as change:
        alarm = await _open_alarm(change, ask.alarm_id)
        await alarms.touch(change.sql, alarm.id, change.received)
        await record_act(change, alarm, "alarm-noted", text=ask.text)
    return Success()


@table.query("snooze-alarm", scope=Scope.WRITE, share=Share.OWNER)
async def snooze_alarm(context: Context, ask: Snooze) -> Success:
    """Put off an alarm for some minutes, then it waits again; until then nobody handles it."""
    async with context.change() as change:
        alarm = await _open_alarm(change, ask.alarm_id)
        until = change.received + ask.minutes * 60_000
        if not await alarms.snooze(
            change.sql, alarm.id, until, context.caller.name, change.received
        ):
            raise Conflict(
                "alarm {id} cannot be snoozed, it is {state}", id=alarm.id, state=alarm.state
            )
        await record_act(change, alarm, "alarm-snoozed", until=until)
    return Success()


@table.query("settle-alarm", scope=Scope.WRITE, share=Share.OWNER)
async def settle_alarm(context: Context, ask: Settlement) -> Success:
    """End an alarm: it is resolved, or was false. The next alert opens another."""
    async with context.change() as change:
        alarm = await _open_alarm(change, ask.alarm_id)
        await alarms.settle(change.sql, alarm.id, ask.outcome, context.caller.name, change.received)
        is_false = ask.outcome == "false"
        await record_act(change, alarm, "alarm-false" if is_false else "alarm-resolved")
    return Success()


@operation(scope=Scope.WRITE, share=Share.OWNER)
async def get_alarm(context: Context, ask: OfAlarm) -> Alarm:
    """Return an alarm.

    Raises:
        NotFound: there is no such alarm.
    """
    alarm = await alarms.get(context.read, ask.alarm_id)
    if alarm is None:
        raise NotFound("this alarm is no longer stored")
    return alarm


@operation(scope=Scope.NONE)
async def list_open_alarms(context: Context) -> list[OpenAlarm]:
    """Return the newest open alarms; to a caller without the scope to read, those at their own."""
    caller = context.caller
    owners = None if caller.scope >= Scope.READ else caller.user_ids
    return await alarms.open_ones(context.read, MAX_OPEN, owners)


@operation(scope=Scope.WRITE, share=Share.ALLOWED)
async def open_alarm_at(context: Context, ask: OfProperty) -> Alarm | None:
    return await alarms.open_of_property(context.read, ask.property_id)


@operation(scope=Scope.READ, share=Share.OWNER)
async def get_steps(context: Context, ask: OfAlarm) -> tuple[list[AlarmStep], int]:
    """Return the newest steps of an alarm, the oldest of them first, and how many there are."""
    return await alarm_steps.last(context.read, ask.alarm_id, MAX_STEPS)


@operation(scope=Scope.WRITE, share=Share.OWNER)
async def police_alarm(context: Context, ask: OfAlarm) -> str:
    """Place a 911 call for an alarm; return the id of the request to the CAD.

    Raises:
        Conflict: it has one, or the CAD cannot be asked.
    """
    async with context.change() as change:
        alarm = await _open_alarm(change, ask.alarm_id)
        property_ = await existing_property(change.sql, alarm.property_id)
        request_id = await call_police(change, context.police, alarm, property_)
        if request_id is None:
            if not await api_cads(change.sql):
                raise cannot_ask()
            raise Conflict("the police have been called already")
        await record_step(change, alarm, "police", change.caller.name)
        await change.audit("alarm-police", alarm_subject(alarm.id))
        return request_id


async def _open_alarm(change: Change, alarm_id: int) -> Alarm:
    alarm = await alarms.get(change.sql, alarm_id)
    if alarm is None:
        raise NotFound("there is no alarm {id}", id=alarm_id)
    if alarm.outcome is not None:
        raise Conflict("alarm {id} is over: {state}", id=alarm_id, state=alarm.state)
    return alarm
