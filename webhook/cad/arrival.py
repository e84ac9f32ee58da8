"""How and when a push arrived, which decides whether it may be older than what is stored.

A CAD's pushes are not numbered and may overtake each other: within some seconds, one that arrives
later may have been sent earlier. Of two transports, one may be a minute behind the other.
"""

from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from db import fingerprints
from webhook.cad.times import instant, seconds_of_day
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

REORDER_WINDOW = 10_000
"""Milliseconds within which pushes over one transport may arrive out of order."""

DUPLICATE_WINDOW = 60_000
"""Milliseconds by which one transport may be behind the other, if nothing else is configured."""

OWN = "own"
"""The transport of what our own requests to the CAD did or read, which is never behind."""

STAMP_RANGE = 366 * 24 * 60 * 60 * 1000
"""Milliseconds by which the CAD's clock may differ from ours."""


@dataclass(frozen=True)
class Arrival:
    """The CAD that sent a push and the transport that delivered it.

    `window`: milliseconds by which one transport may be behind the other. `zone` is that of the
    CAD's times where they name none, `shown_in` the community's. `replayed`: the push was applied
    before, and a slower transport has shown that it is newer than what was stored since.
    """

    cad: str
    transport: str = ""
    window: int = DUPLICATE_WINDOW
    zone: tzinfo = UTC
    shown_in: tzinfo = UTC
    replayed: bool = False

    def as_replayed(self) -> "Arrival":
        return replace(self, replayed=True)

    def stamp(self, text: str, now: int) -> int | None:
        """Read the CAD's own time of a change, in milliseconds since 1970.

        Years such as 0001 and 9999, which programs write for no time, count as none.
        """
        found = instant(text, self.zone)
        return found if found is not None and abs(found - now) < STAMP_RANGE else None

    def seconds_of_day(self, text: str, now: int) -> int | None:
        """Read when on its day something was written, on the community's clocks."""
        return seconds_of_day(text, self.zone, self.shown_in, now)

    async def may_precede(self, change: Change, subject: Subject, at: int) -> bool:
        """Return whether the push may have been sent before the one that came at a time."""
        if self.replayed:
            return False
        if change.happened - at <= REORDER_WINDOW or await self.is_behind(change, subject, at):
            return True
        arrived = await self._arrival_of(change, subject, at)
        return arrived is not None and change.received - arrived <= REORDER_WINDOW

    async def is_behind(self, change: Change, subject: Subject, at: int) -> bool:
        """Return whether the transport has yet to deliver what came over another one at a time.

        If its last copy of a push was not late, it is not behind: it has lost the push.
        """
        is_known_late = bool(change.age) or change.received - at > self.window
        if self.replayed or self.transport == OWN or is_known_late:
            return False
        pushes = await fingerprints.about(change.sql, str(subject), at)
        if not pushes or any(push.arrival(self.transport) for push in pushes):
            return False
        copied = await fingerprints.last_copied(change.sql, self.transport)
        return copied is None or (copied.arrival(self.transport) or 0) - copied.at > REORDER_WINDOW

    async def came_first(self, change: Change, subject: Subject, at: int) -> bool:
        """Return whether the transport was the first with what came at a time."""
        pushes = await fingerprints.about(change.sql, str(subject), at)
        return any(push.transports.split(" ")[0] == self.transport for push in pushes)

    async def _arrival_of(self, change: Change, subject: Subject, at: int) -> int | None:
        """Return when the transport delivered what came at a time; None if it is not known to."""
        pushes = await fingerprints.about(change.sql, str(subject), at)
        return max((push.arrival(self.transport) or 0 for push in pushes), default=0) or None
