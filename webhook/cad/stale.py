"""Ending calls, panics and shifts that had no news for long.

The push that ended them was lost, for example while the bot or the game server was down.
"""

from dataclasses import dataclass
from datetime import time

from db import dispatches, emergencies, stale_ends, units
from webhook.cad.events.event import (
    dispatch_subject,
    emergency_subject,
    panic_subject,
    unit_subjects,
)
from webhook.protocol.context import Change, Context
from webhook.protocol.events import CardsOutdated, Subject
from webhook.queries.days import last_ended

SHIFT = 12 * 60 * 60 * 1000
"""Milliseconds without a push about a unit after which it counts as off duty."""


@dataclass(frozen=True)
class StaleLimits:
    """Milliseconds without news after which open calls, panics and shifts end; 0: never.

    `at`: the time of day at which everything without news since then ends; None: never.
    """

    calls: int = 0
    panics: int = 0
    units: int = SHIFT
    dispatchers: int = SHIFT
    at: time | None = None


async def end_stale(context: Context, limits: StaleLimits, limit: int) -> bool:
    """End up to `limit` of each kind; return whether there may be more.

    News of a call that was ended here reopens it.
    """
    since = last_ended(limits.at, context.now(), context.zone).end if limits.at else 0

    def before(silence: int) -> int:
        return max(since, context.now() - silence if silence else 0)

    async with context.change() as change:
        calls = await _end_calls(change, before(limits.calls), limits.calls, limit)
        panics = await _end_panics(change, before(limits.panics), limits.panics, limit)
        off_duty = [
            *await units.log_out_silent(change.sql, before(limits.units), limit),
            *await units.log_out_silent(
                change.sql, before(limits.dispatchers), limit, dispatchers=True
            ),
        ]
        shifts = [subject for cad, ident in off_duty for subject in unit_subjects(cad, [ident])]
        ended = [*calls, *panics, *shifts]
        if ended:
            await change.note(CardsOutdated(subjects=[str(subject) for subject in ended]))
    return limit in (len(calls), len(panics), len(shifts))


async def _end_calls(change: Change, before: int, silence: int, limit: int) -> list[Subject]:
    ended: list[Subject] = []
    for dispatch in await dispatches.silent(change.sql, before, limit):
        await dispatches.close(change.sql, dispatch.key, change.received)
        subject = dispatch_subject(dispatch.key)
        await _mark(change, subject, dispatch.touched_at, silence)
        ended.append(subject)
    for call in await emergencies.silent(change.sql, before, limit - len(ended)):
        await emergencies.mark_removed(change.sql, call.key, change.received)
        subject = emergency_subject(call.repeats_key or call.key)
        await _mark(change, subject, call.touched_at, silence)
        ended.append(subject)
    return ended


async def _end_panics(change: Change, before: int, silence: int, limit: int) -> list[Subject]:
    ended = []
    for panic in await units.silent_panics(change.sql, before, limit):
        await units.end_panic(change.sql, panic.id, change.received)
        subject = panic_subject(panic.id)
        await _mark(change, subject, panic.pressed_at, silence)
        ended.append(subject)
    return ended


async def _mark(change: Change, subject: Subject, last_news: int, silence: int) -> None:
    """Store why something ended: its silence was that long, or else the time of day came."""
    silent_for = change.received - last_news
    is_silence = 0 < silence <= silent_for
    await stale_ends.put(change.sql, str(subject), silent_for if is_silence else 0, change.received)
