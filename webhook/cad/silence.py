"""When each CAD last pushed, and reporting one that falls silent while units are on duty."""

import time
from collections.abc import Callable, Sequence

from db import settings, units
from webhook.protocol.context import Context, now
from webhook.protocol.events import CadBack, CadSilent


class LastPush:
    """When each CAD last pushed something with its key, by a monotonic clock.

    A CAD that has not pushed yet counts as silent since the start, as nothing could come earlier.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._at: dict[str, float] = {}
        self._subscribers: list[Callable[[str], None]] = []

    def subscribe(self, subscriber: Callable[[str], None]) -> None:
        """Call `subscriber` with the name of each CAD at its first push."""
        self._subscribers.append(subscriber)

    def note(self, cad: str) -> None:
        is_first = cad not in self._at
        self._at[cad] = self._clock()
        if is_first:
            for subscriber in self._subscribers:
                subscriber(cad)

    def at(self, cad: str) -> int | None:
        """Return when a CAD last pushed, in milliseconds since 1970; None: not since the start."""
        return now() - self.silent_for(cad) if cad in self._at else None

    def silent_for(self, cad: str) -> int:
        """Return for how many milliseconds a CAD has not pushed."""
        return round((self._clock() - self._at.get(cad, self._started)) * 1000)


async def report_silence(
    context: Context, last_push: LastPush, cads: Sequence[str], limit: int
) -> list[str]:
    """Report CADs that fell silent for `limit` milliseconds or are back; return the silent ones.

    That a silence was reported is stored with its event, so that it is reported exactly once even
    across restarts. A CAD without units on duty has nothing to push.
    """
    return [cad for cad in cads if await _is_silent(context, last_push, cad, limit)]


async def _is_silent(context: Context, last_push: LastPush, cad: str, limit: int) -> bool:
    reported = f"cad.silent.{cad}"
    since = await settings.get(context.read, reported)
    silent_for = last_push.silent_for(cad)
    if since is not None:
        if silent_for >= limit or last_push.at(cad) is None:
            return True
        async with context.change() as change:
            await settings.forget(change.sql, reported)
            await change.note(CadBack(cad=cad, since=int(since)))
        return False
    if silent_for < limit:
        return False
    on_duty = sum(unit.cad == cad for unit in await units.on_duty(context.read))
    if not on_duty:
        return False
    async with context.change() as change:
        began = change.received - silent_for
        await settings.put(change.sql, reported, str(began))
        await change.note(CadSilent(cad=cad, since=began, on_duty=on_duty))
    return True
