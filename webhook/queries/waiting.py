"""What waits for somebody now, of what the caller may act on."""

from typing import NamedTuple

from db import properties
from db.properties import PENDING, REMOVED
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.queries.alarms import list_open_alarms
from webhook.queries.models import MAX_ROWS, SearchPage
from webhook.queries.properties.drones import suggest_drones_out


class Waiting(NamedTuple):
    """How many alarms nobody handles, drones are out, properties and removals wait for approval."""

    alarms: int = 0
    drones: int = 0
    properties: int = 0
    removals: int = 0


@operation(scope=Scope.NONE)
async def count_waiting(context: Context) -> Waiting:
    """Count what waits: to those without a role what is theirs, approvals only to approvers."""
    open_alarms = await list_open_alarms(context)
    waiting = Waiting(
        alarms=sum(alarm.acknowledged_by is None for alarm in open_alarms),
        drones=len(await suggest_drones_out(context, SearchPage(limit=MAX_ROWS))),
    )
    if context.caller.scope < Scope.APPROVE:
        return waiting
    return waiting._replace(
        properties=await properties.count(context.read, PENDING),
        removals=await properties.count(context.read, REMOVED),
    )
