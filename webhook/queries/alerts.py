"""Alerts: an alert is one press of a property's alarm button."""

from db import alarms, users
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope, Share
from webhook.protocol.events import AlertRaised
from webhook.protocol.wire import Reply, timestamp
from webhook.queries.alarms import NoteText, count_alert
from webhook.queries.models import Added, PropertyPage, UserAtProperty
from webhook.queries.property_data import existing_property
from webhook.queries.subjects import property_subject

table = Catalogue()


class NewAlert(UserAtProperty):
    """Where the alarm is raised, by whom, and a note for those who answer it."""

    note: NoteText | None = None


class AlertData(Reply):
    """An alert as scripts see it."""

    id: int
    user_id: str
    timestamp: str


class AlertList(Reply):
    """A property's alerts."""

    alerts: list[AlertData]


@table.query("get-alerts", scope=Scope.READ, share=Share.ALLOWED)
async def get_alerts(context: Context, ask: PropertyPage) -> AlertList:
    """List a property's alerts, newest first."""
    await existing_property(context.read, ask.property_id)
    page = await alarms.alerts(context.read, ask.property_id, ask.limit, ask.offset)
    return AlertList(
        alerts=[
            AlertData(id=row.id, user_id=row.user_id, timestamp=timestamp(row.at)) for row in page
        ]
    )


@table.query("add-alert", scope=Scope.WRITE, share=Share.ALLOWED)
async def add_alert(context: Context, ask: NewAlert) -> Added:
    """Raise the alarm at a property."""
    async with context.change() as change:
        await existing_property(change.sql, ask.property_id)
        if ask.user_id != context.caller.name:  # a member without a link is no user of the game
            await users.add_seen(change.sql, ask.user_id)
        alert_id = await alarms.add_alert(change.sql, ask.property_id, ask.user_id, change.now)
        alarm = await count_alert(change, ask.property_id, ask.user_id, ask.note)
        await change.emit(
            AlertRaised(
                property_id=str(ask.property_id),
                user=ask.user_id,
                alert_id=alert_id,
                timestamp=timestamp(change.now),
            ),
            alarm,
            property_subject(ask.property_id),
        )
    return Added(id=alert_id)
