"""Deleting calls, panics and fingerprints that are long over; the CAD reuses its numbers."""

from dataclasses import dataclass

from db import cards, dispatches, emergencies, fingerprints, notices, units
from db.calls import CallKey
from db.database import Transaction
from webhook.cad.arrival import COPIES
from webhook.cad.events import dispatch_subject, emergency_subject
from webhook.protocol.context import Context

SILENT_SHIFT = 12 * 60 * 60 * 1000
"""Milliseconds without a push about a unit after which it counts as off duty."""

WITHOUT_END = 3
"""How many times longer calls that never ended are kept after the last push about them."""


@dataclass(frozen=True)
class Retention:
    """How long, in milliseconds, calls and panics are kept after their end, and fingerprints."""

    over: int = 24 * 60 * 60 * 1000
    fingerprints: int = COPIES


async def forget_old(context: Context, retention: Retention, limit: int) -> bool:
    """Delete up to `limit` of each kind; return whether there may be more.

    A call's card stays in Discord as it is. A later call of the same number is another call with a
    card of its own.
    """
    now = context.now()
    over, untouched = now - retention.over, now - WITHOUT_END * retention.over
    async with context.database.write() as sql:
        counts = [
            await _forget_panics(sql, over, untouched, limit),
            await _forget_dispatches(sql, over, untouched, limit),
            await _forget_emergencies(sql, over, untouched, limit),
            await notices.prune(sql, untouched, limit),
            await units.log_out_silent(sql, now - SILENT_SHIFT, limit),
            await fingerprints.prune(sql, now - retention.fingerprints, limit),
        ]
    return limit in counts


async def _forget_panics(sql: Transaction, over: int, untouched: int, limit: int) -> int:
    """Delete panics along with their own 911 calls."""
    old = await units.forgettable_panics(sql, over, untouched, limit)
    for panic_id in old:
        for call in await emergencies.of_panic(sql, panic_id):
            await _forget_emergency(sql, call.key)
        await units.forget_panic(sql, panic_id)
    return len(old)


async def _forget_dispatches(sql: Transaction, over: int, untouched: int, limit: int) -> int:
    old = await dispatches.forgettable(sql, over, untouched, limit)
    for call in old:
        await cards.release(sql, str(dispatch_subject(call)))
        await dispatches.forget(sql, call)
    return len(old)


async def _forget_emergencies(sql: Transaction, over: int, untouched: int, limit: int) -> int:
    old = await emergencies.forgettable(sql, over, untouched, limit)
    for call in old:
        await _forget_emergency(sql, call)
    return len(old)


async def _forget_emergency(sql: Transaction, call: CallKey) -> None:
    await cards.release(sql, str(emergency_subject(call)))
    await emergencies.forget(sql, call)
