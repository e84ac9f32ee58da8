"""When each CAD last pushed, and which is silent while units are on duty."""

import time
from collections.abc import Callable, Sequence

from db import settings, units
from webhook.protocol.context import Context, now


class LastPush:
    """When each CAD last pushed something with its key, by a monotonic clock.

    A CAD that has not pushed yet counts as silent since the start, as nothing could come earlier.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._at: dict[str, float] = {}
        self._subscribers: list[Callable[[str], None]] = []
        self.wrong_key_at: int | None = None
        """When a push last came with a key that is no CAD's, in milliseconds since 1970."""

    def subscribe(self, subscriber: Callable[[str], None]) -> None:
        """Call `subscriber` with the name of each CAD at its first push."""
        self._subscribers.append(subscriber)

    def note(self, cad: str) -> None:
        is_first = cad not in self._at
        self._at[cad] = self._clock()
        if is_first:
            for subscriber in self._subscribers:
                subscriber(cad)

    def note_wrong_key(self) -> None:
        self.wrong_key_at = now()

    def at(self, cad: str) -> int | None:
        """Return when a CAD last pushed, in milliseconds since 1970; None: not since the start."""
        return now() - self.silent_for(cad) if cad in self._at else None

    def silent_for(self, cad: str) -> int:
        """Return for how many milliseconds a CAD has not pushed."""
        return round((self._clock() - self._at.get(cad, self._started)) * 1000)


async def silent_cads(
    context: Context, last_push: LastPush, cads: Sequence[str], limit: int
) -> dict[str, int]:
    """Return the CADs that have been silent for `limit` milliseconds, with the time since when.

    That a CAD is silent is stored, so that it still is after a restart. A CAD without units on duty
    has nothing to push.
    """
    found = {cad: await _silent_since(context, last_push, cad, limit) for cad in cads}
    return {cad: since for cad, since in found.items() if since is not None}


async def _silent_since(context: Context, last_push: LastPush, cad: str, limit: int) -> int | None:
    name = f"cad.silent.{cad}"
    stored = await settings.get(context.read, name)
    silent_for = last_push.silent_for(cad)
    if stored is not None:
        if silent_for >= limit or last_push.at(cad) is None:
            return int(stored)
        async with context.change() as change:
            await settings.forget(change.sql, name)
        return None
    if silent_for < limit:
        return None
    if not any(unit.cad == cad for unit in await units.on_duty(context.read)):
        return None
    async with context.change() as change:
        since = change.received - silent_for
        await settings.put(change.sql, name, str(since))
    return since
