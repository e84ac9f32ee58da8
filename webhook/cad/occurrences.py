"""Which call of its number a push is about: the CAD uses numbers again."""

from db import dispatches, emergencies
from db.calls import CallKey
from webhook.protocol.context import Change


async def dispatch_key(change: Change, cad: str, call_id: int) -> CallKey:
    """Return the dispatch call that a push with this number is about."""
    call = await dispatches.get(change.sql, cad, call_id)
    return CallKey(cad, call_id) if call is None else call.key


async def emergency_key(change: Change, cad: str, call_id: int) -> CallKey:
    """Return the 911 call that a push with this number is about."""
    call = await emergencies.get(change.sql, cad, call_id)
    return CallKey(cad, call_id) if call is None else call.key
