"""A CAD that has fallen silent while units are on duty: told once, and once when it is back."""

import time
from collections.abc import Callable, Sequence

from db import settings, units
from webhook.protocol.context import Context
from webhook.protocol.events import CadBack, CadSilent


class Heard:
    """When each CAD was heard of last, on a clock that nobody sets.

    The time before the start does not count: nothing could come then. `on_first` is told when a
    CAD is heard of for the first time since.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._at: dict[str, float] = {}
        self.on_first: Callable[[str], None] = lambda cad: None

    def note(self, cad: str) -> None:
        """Note that a CAD was heard of just now."""
        is_first = not self.knows(cad)
        self._at[cad] = self._clock()
        if is_first:
            self.on_first(cad)

    def knows(self, cad: str) -> bool:
        """Tell whether a CAD was heard of since the start."""
        return cad in self._at

    def silent_for(self, cad: str) -> int:
        """Return for how many milliseconds a CAD was not heard of."""
        return round((self._clock() - self._at.get(cad, self._started)) * 1000)


async def tell_silence(
    context: Context, heard: Heard, cads: Sequence[str], limit: int
) -> list[str]:
    """Tell what fell silent for `limit` milliseconds and what is back; return what is silent.

    Whether a silence was told is kept with the event, so that a restart tells it neither again nor
    not at all. A CAD without units on duty has nothing to say.
    """
    return [cad for cad in cads if await _is_silent(context, heard, cad, limit)]


async def _is_silent(context: Context, heard: Heard, cad: str, limit: int) -> bool:
    told = f"cad.silent.{cad}"
    since = await settings.get(context.read, told)
    silent_for = heard.silent_for(cad)
    if since is not None:
        if silent_for >= limit or not heard.knows(cad):
            return True
        async with context.change() as change:
            await settings.forget(change.sql, told)
            await change.note(CadBack(cad=cad, since=int(since)))
        return False
    if silent_for < limit:
        return False
    on_duty = sum(unit.cad == cad for unit in await units.on_duty(context.read))
    if not on_duty:
        return False
    async with context.change() as change:
        began = change.now - silent_for
        await settings.put(change.sql, told, str(began))
        await change.note(CadSilent(cad=cad, since=began, on_duty=on_duty))
    return True
