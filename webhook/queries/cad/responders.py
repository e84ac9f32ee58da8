"""Who responds to an incident: a member says so on a card, and no longer does.

Where the CAD can be asked, their unit is attached to the call there and taken off it again.
"""

from db import responders
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict
from webhook.queries.cad.attachments import attach_caller, detach_caller, has_failed
from webhook.queries.cad.incidents import (
    OfIncident,
    existing_incident,
    open_incident,
    publish_act,
)


@operation(scope=Scope.READ)
async def respond_to_call(context: Context, ask: OfIncident) -> str | None:
    """Record that the caller responds to an incident that is not over; ask the CAD for their unit.

    Return the id of the request to the CAD, None if it cannot be asked. If the CAD has refused,
    they may ask again.

    Raises:
        Conflict: it is over, or they already do.
    """
    async with context.change() as change:
        incident = await open_incident(change.sql, ask.subject)
        by = change.caller.name
        current = await responders.of_subjects(change.sql, list(map(str, incident.subjects)))
        if any(response.caller == by for response in current):
            if await has_failed(change.sql, incident, by):
                return await attach_caller(change, incident)
            raise Conflict("you are responding to this call already")
        await responders.add(change.sql, str(incident.subject), by, change.received)
        await publish_act(change, incident, "responding")
        return await attach_caller(change, incident)


@operation(scope=Scope.READ)
async def leave_call(context: Context, ask: OfIncident) -> str | None:
    """Record that the caller no longer responds to an incident; take their unit off its call.

    Return the id of the request to the CAD, None if there is nothing to ask.

    Raises:
        Conflict: they do not respond to it.
    """
    async with context.change() as change:
        incident = await existing_incident(change.sql, ask.subject)
        subjects, by = list(map(str, incident.subjects)), change.caller.name
        if not await responders.leave(change.sql, subjects, by, change.received):
            raise Conflict("you are not responding to this call")
        await publish_act(change, incident, "left")
        return await detach_caller(change, incident)


@operation(scope=Scope.READ)
async def is_responding(context: Context, ask: OfIncident) -> bool:
    """Return whether the caller responds to an incident, and the CAD has not refused."""
    incident = await existing_incident(context.read, ask.subject)
    current = await responders.of_subjects(context.read, list(map(str, incident.subjects)))
    by = context.caller.name
    is_on_it = any(response.caller == by for response in current)
    return is_on_it and not await has_failed(context.read, incident, by)
