"""Deleting calls, panics and fingerprints that are long over; the CAD reuses its numbers."""

from dataclasses import dataclass, field

from db import (
    cards,
    dispatches,
    emergencies,
    fingerprints,
    incidents,
    notices,
    responders,
    stale_ends,
    units,
)
from db.calls import CallKey
from db.database import Transaction
from webhook.cad.arrival import DUPLICATE_WINDOW
from webhook.cad.events.event import dispatch_subject, emergency_subject, panic_subject
from webhook.cad.stale import StaleLimits, end_stale
from webhook.protocol.context import Context
from webhook.protocol.events import Subject

UNENDED_FACTOR = 3
"""How many times longer calls that never ended are kept after the last push about them."""


@dataclass(frozen=True)
class Retention:
    """How long, in milliseconds, calls and panics are kept after their end, and fingerprints.

    `stale`: when they end without a push that says so.
    """

    over: int = 24 * 60 * 60 * 1000
    fingerprints: int = DUPLICATE_WINDOW
    stale: StaleLimits = field(default_factory=StaleLimits)


async def forget_old(context: Context, retention: Retention, limit: int) -> bool:
    """End stale calls, and delete up to `limit` of each kind; return whether there may be more.

    A call's card stays in Discord as it is. A later call of the same number is another call with a
    card of its own.
    """
    is_more_stale = await end_stale(context, retention.stale, limit)
    now = context.now()
    over, untouched = now - retention.over, now - UNENDED_FACTOR * retention.over
    async with context.database.write() as sql:
        counts = [
            await _forget_panics(sql, over, untouched, limit),
            await _forget_dispatches(sql, over, untouched, limit),
            await _forget_emergencies(sql, over, untouched, limit),
            await notices.prune(sql, untouched, limit),
            await fingerprints.prune(sql, now - retention.fingerprints, limit),
        ]
    return is_more_stale or limit in counts


async def _forget_panics(sql: Transaction, over: int, untouched: int, limit: int) -> int:
    """Delete panics along with their own 911 calls."""
    old = await units.forgettable_panics(sql, over, untouched, limit)
    for panic_id in old:
        for call in await emergencies.of_panic(sql, panic_id):
            await _forget_emergency(sql, call.key)
        await _forget_acts(sql, panic_subject(panic_id))
        await units.forget_panic(sql, panic_id)
    return len(old)


async def _forget_dispatches(sql: Transaction, over: int, untouched: int, limit: int) -> int:
    old = await dispatches.forgettable(sql, over, untouched, limit)
    for call in old:
        await _release(sql, dispatch_subject(call))
        await dispatches.forget(sql, call)
    return len(old)


async def _forget_emergencies(sql: Transaction, over: int, untouched: int, limit: int) -> int:
    old = await emergencies.forgettable(sql, over, untouched, limit)
    for call in old:
        await _forget_emergency(sql, call)
    return len(old)


async def _forget_emergency(sql: Transaction, call: CallKey) -> None:
    await _release(sql, emergency_subject(call))
    await emergencies.forget(sql, call)


async def _release(sql: Transaction, subject: Subject) -> None:
    await cards.release(sql, str(subject))
    await _forget_acts(sql, subject)


async def _forget_acts(sql: Transaction, subject: Subject) -> None:
    """Delete what people did about a call or panic, and why it ended."""
    for table in (stale_ends, responders, incidents):
        await table.forget(sql, str(subject))
