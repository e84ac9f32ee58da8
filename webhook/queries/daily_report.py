"""The daily report: what happened from one reporting hour to the next, in numbers."""

from datetime import time
from typing import Any

from db import journal, settings
from db.database import Reader, Transaction
from webhook.protocol.catalogue import operation
from webhook.protocol.context import Context, Scope
from webhook.protocol.events import CAD, Daily
from webhook.queries.days import Day, last_ended

MESSAGES = "daily.messages"
"""The setting that counts the messages posted since the last report."""

PROBLEMS = "daily.problems"
"""The setting that counts the problems since the last report."""

REPORTED = "daily.told"
"""The setting that holds the last days reported, whatever the clock did in between."""

DAYS_REMEMBERED = 60


@operation(scope=Scope.ADMIN)
async def report_day(context: Context, at: time) -> bool:
    """Report the last day that ended at a time of day, once; return whether it was now.

    Of several days that passed while the program did not run, only the last one is reported. The
    day of the first start was not seen whole, so it counts as reported.
    """
    day = last_ended(at, context.now(), context.zone)
    if day.name in (await settings.get(context.read, REPORTED) or "").split():
        return False
    report = await _count(context.read, day)
    async with context.change() as change:
        reported = (await settings.get(change.sql, REPORTED) or "").split()
        recent = [*reported, day.name][-DAYS_REMEMBERED:]
        await settings.put(change.sql, REPORTED, " ".join(recent))
        messages = await _take_count(change.sql, MESSAGES)
        problems = await _take_count(change.sql, PROBLEMS)
        if reported:
            await change.note(Daily(**report, messages=messages, problems=problems))
    return bool(reported)


async def _count(sql: Reader, day: Day) -> dict[str, Any]:
    events = await journal.counts(sql, day.start, day.end)

    async def subjects(name: str, kind: str, path: str | None = None) -> int:
        return await journal.count_subjects(sql, name, kind, day.start, day.end, path=path)

    return {
        "day": day.name,
        "pushes": sum(
            number for name, number in events.items() if name.startswith((f"{CAD}.", "unhandled."))
        ),
        "emergencies": await subjects("cad.EVENT_911", "emergency"),
        "dispatches": await subjects("cad.EVENT_DISPATCH_NEW", "dispatch"),
        "panics": await subjects("cad.EVENT_UNIT_PANIC", "panic", "$.isPanic"),
        "alarms": events.get("alerts", 0),
        "visits": events.get("visits", 0),
        "flights": events.get("drone-dispatched", 0),
    }


async def _take_count(sql: Transaction, name: str) -> int:
    """Return a count and set it to 0."""
    count = int(await settings.get(sql, name) or 0)
    await settings.put(sql, name, "0")
    return count
