"""Who responds to an incident: a member says so on a card, and no longer does.

What else follows from that, such as attaching their unit in the CAD, belongs into the same
transaction, where `respond_to_call` and `leave_call` have stored it and published the event.
"""

from db import responders
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict
from webhook.queries.incidents import (
    OfIncident,
    existing_incident,
    open_incident,
    publish_act,
)


@operation(scope=Scope.READ)
async def respond_to_call(context: Context, ask: OfIncident) -> None:
    """Record that the caller responds to an incident that is not over.

    Raises:
        Conflict: it is over, or they already do.
    """
    async with context.change() as change:
        incident = await open_incident(change.sql, ask.subject)
        by = change.caller.name
        current = await responders.of_subjects(change.sql, list(map(str, incident.subjects)))
        if any(response.caller == by for response in current):
            raise Conflict("you are responding to this call already")
        await responders.add(change.sql, str(incident.subject), by, change.received)
        await publish_act(change, incident, "responding")


@operation(scope=Scope.READ)
async def leave_call(context: Context, ask: OfIncident) -> None:
    """Record that the caller no longer responds to an incident.

    Raises:
        Conflict: they do not respond to it.
    """
    async with context.change() as change:
        incident = await existing_incident(change.sql, ask.subject)
        subjects, by = list(map(str, incident.subjects)), change.caller.name
        if not await responders.leave(change.sql, subjects, by, change.received):
            raise Conflict("you are not responding to this call")
        await publish_act(change, incident, "left")


@operation(scope=Scope.READ)
async def is_responding(context: Context, ask: OfIncident) -> bool:
    """Return whether the caller responds to an incident."""
    incident = await existing_incident(context.read, ask.subject)
    current = await responders.of_subjects(context.read, list(map(str, incident.subjects)))
    return any(response.caller == context.caller.name for response in current)
