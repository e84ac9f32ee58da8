"""How a push came, by which a late one is told from news.

A CAD's pushes have no number, and may cross on their way: for some seconds, what came later may
have been sent earlier. Where they come over two transports, one may be a minute behind the other.
"""

from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from db import fingerprints
from webhook.cad.times import instant, seconds_of_day
from webhook.protocol.context import Change
from webhook.protocol.events import Subject

ORDER = 10_000
"""Milliseconds within which pushes over one transport may arrive in another order."""

COPIES = 60_000
"""Milliseconds by which one transport may be behind the other, if nothing else is configured."""


@dataclass(frozen=True)
class Arrival:
    """The CAD that sent a push and the transport that brought it.

    `window`: milliseconds by which one transport may be behind the other. `zone` is that of the
    CAD's times where they name none, `shown_in` the community's. `replayed`: the push came before,
    and a slower transport has shown that it is newer than what was stored meanwhile.
    """

    cad: str
    transport: str = ""
    window: int = COPIES
    zone: tzinfo = UTC
    shown_in: tzinfo = UTC
    replayed: bool = False

    def again(self) -> "Arrival":
        return replace(self, replayed=True)

    def stamp(self, text: str) -> int | None:
        """Read the CAD's own time of a change, in milliseconds since 1970."""
        return instant(text, self.zone)

    def seconds_of_day(self, text: str, now: int) -> int | None:
        """Read when on its day something was written, on the community's clocks."""
        return seconds_of_day(text, self.zone, self.shown_in, now)

    async def may_precede(self, change: Change, subject: Subject, at: int) -> bool:
        """Return whether the push may have been sent before that which came at a time."""
        if self.replayed:
            return False
        if change.happened - at <= ORDER or await self.is_behind(change, subject, at):
            return True
        brought = await self._brought(change, subject, at)
        return brought != 0 and change.received - brought <= ORDER

    async def is_behind(self, change: Change, subject: Subject, at: int) -> bool:
        """Return whether the transport has yet to bring what came over another one at a time.

        It has lost that if it keeps up: if its last copy of a push was no late one.
        """
        if self.replayed or change.age or change.received - at > self.window:
            return False
        pushes = await fingerprints.about(change.sql, str(subject), at)
        if not pushes or any(push.arrival(self.transport) for push in pushes):
            return False
        copied = await fingerprints.last_copied(change.sql, self.transport)
        return copied is None or (copied.arrival(self.transport) or 0) - copied.at > ORDER

    async def _brought(self, change: Change, subject: Subject, at: int) -> int:
        """Return when the transport brought what came at a time; 0: it did not, as far as known."""
        pushes = await fingerprints.about(change.sql, str(subject), at)
        return max((push.arrival(self.transport) or 0 for push in pushes), default=0)
