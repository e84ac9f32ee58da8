"""The day in one line: what happened from one reporting hour to the next."""

from datetime import time

from db import journal, settings
from db.database import Transaction
from db.journal import EventCount
from webhook.protocol.context import Context
from webhook.protocol.days import last_ended
from webhook.protocol.events import CAD, Daily

MESSAGES = "daily.messages"
"""The setting that counts the messages posted since the last report."""

PROBLEMS = "daily.problems"
"""The setting that counts the problems since the last report."""

TOLD = "daily.told"
"""The setting that holds the last days told, whatever the clock said in between."""

REMEMBERED = 60


async def tell_day(context: Context, at: time) -> bool:
    """Tell the last day that ended at a time of day, unless it was told; tell whether it was now.

    Of several days that nobody told, because the program did not run, only the last one is. The day
    of the first start was not seen whole, so it counts as told.
    """
    day = last_ended(at, context.now(), context.zone)
    if day.name in (await settings.get(context.read, TOLD) or "").split():
        return False
    counts = await journal.counts(context.read, day.start, day.end)
    panics = await journal.count_set(
        context.read, "cad.EVENT_UNIT_PANIC", "$.isPanic", day.start, day.end
    )
    async with context.change() as change:
        told = (await settings.get(change.sql, TOLD) or "").split()
        await settings.put(change.sql, TOLD, " ".join([*told, day.name][-REMEMBERED:]))
        messages = await _taken(change.sql, MESSAGES)
        problems = await _taken(change.sql, PROBLEMS)
        if told:
            await change.note(_report(day.name, counts, panics, messages, problems))
    return bool(told)


def _report(day: str, counts: list[EventCount], panics: int, messages: int, problems: int) -> Daily:
    by_name = {count.name: count for count in counts}

    def number(name: str) -> int:
        return by_name[name].events if name in by_name else 0

    def things(name: str) -> int:
        return by_name[name].subjects if name in by_name else 0

    return Daily(
        day=day,
        pushes=sum(
            count.events for count in counts if count.name.startswith((f"{CAD}.", "unhandled."))
        ),
        emergencies=things("cad.EVENT_911"),
        dispatches=things("cad.EVENT_DISPATCH_NEW"),
        panics=panics,
        alarms=number("alerts"),
        visits=number("visits"),
        flights=number("drone-dispatched"),
        messages=messages,
        problems=problems,
    )


async def _taken(sql: Transaction, name: str) -> int:
    """Return a count and begin it anew."""
    count = int(await settings.get(sql, name) or 0)
    await settings.put(sql, name, "0")
    return count
