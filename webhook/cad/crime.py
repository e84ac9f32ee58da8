"""Counting 911 calls as crimes, for communities that want it."""

from db import crimes, emergencies
from webhook.protocol.context import Change
from webhook.protocol.events import Crime
from webhook.queries.subjects import property_subject

LONGEST = 2_000
"""Characters of a crime's description, as `add-crime` takes them."""


async def count_as_crime(change: Change, cad: str, call_id: int) -> None:
    """Count an emergency as a crime, once; neither a civil call nor a panic's own call is one."""
    call = await emergencies.get(change.sql, cad, call_id)
    if call is None or not call.is_emergency or call.pressed_by is not None:
        return
    if call.crime_id is not None:
        return
    number = await crimes.add(
        change.sql, call.property_id, None, call.description[:LONGEST], change.now
    )
    await emergencies.mark_counted(change.sql, cad, call_id, number)
    about = [] if call.property_id is None else [property_subject(call.property_id)]
    await change.emit(Crime(property_id=call.property_id, client_id=None, crime_id=number), *about)
