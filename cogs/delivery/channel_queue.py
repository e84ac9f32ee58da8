"""Delivers what is due in one Discord channel, and waits while Discord does not take it.

Each request is awaited before the next one, so that messages keep their order and a dead channel
holds up nobody else. A member's private messages are a channel as well. What is to be posted or
edited is read from the database.
"""

import asyncio
import logging
import math
import random
from collections.abc import Callable, Collection
from contextlib import suppress

from cogs.delivery.card_queue import CardQueue
from cogs.delivery.delivery_context import DeliveryContext
from cogs.delivery.feed_queue import FeedQueue
from cogs.delivery.holds import Holds
from cogs.delivery.posting import Poster
from cogs.delivery.rest.codes import cure_of
from cogs.delivery.rest.errors import (
    ChannelClosed,
    CircuitOpen,
    DeliveryError,
    DiscordRateLimited,
    Hindrance,
    Postponed,
    Unreachable,
)
from db.cards import DIRECT
from db.errors import StorageUnavailable

MAX_BACKOFF = 60.0
MAX_RETRY_AFTER = 3_600.0

log = logging.getLogger(__name__)


class ChannelQueue:
    """What one Discord channel, or the private messages to one member, has still to show.

    The channel of private messages is opened when the first is posted, and their queue ends when
    nothing waits in it.
    """

    def __init__(
        self,
        context: DeliveryContext,
        names: list[str],
        channel_id: int,
        wake: Callable[[Collection[str]], None],
    ) -> None:
        self.names = names
        self._is_closed = False
        self._called = f"channel {names[0]}"
        self._context = context
        self._pace = context.pace
        self._woken = asyncio.Event()
        self._retried = asyncio.Event()
        self._stopping = False
        self._failures = 0
        self._is_delayed = False
        self._holds = Holds(self._backoff)
        is_direct = names[0].startswith(DIRECT)
        member_id = int(names[0].removeprefix(DIRECT)) if is_direct else 0
        self._poster = Poster(context, channel_id, member_id)
        self._cards = CardQueue(context, names, self._poster, self._holds, wake)
        self._feeds = FeedQueue(context, names, self._poster, self._holds)

    @property
    def channel_id(self) -> int:
        return self._poster.channel_id

    def wake(self) -> None:
        self._woken.set()

    def retry(self) -> None:
        """Try again at once; what Discord said before may no longer be so."""
        self._context.hindered.pop(self.channel_id, None)
        self._holds.retry()
        self._retried.set()

    def stop(self) -> None:
        """End `run` after the delivery in flight."""
        self._stopping = True
        self.wake()
        self.retry()

    async def run(self) -> None:
        """Deliver until `stop`; a failure waits and tries again, and never ends the queue."""
        while not self._stopping:
            self._woken.clear()
            self._retried.clear()  # here, so that what changes during the try is not missed
            try:
                # 0: something was delivered, so look again; infinity: nothing waits.
                wait = min(await self._cards.deliver_due(), await self._feeds.deliver_due())
            except Exception as fault:
                await wait_for(self._retried, self._note_failure(fault))
                continue
            self._note_success(wait)
            if wait == math.inf and self._poster.member_id and not self._woken.is_set():
                return
            if wait > 0:
                await wait_for(self._woken, wait)
        self._context.outage.forget(self._called)

    def _note_failure(self, fault: Exception) -> float:
        """Log a failure, once; return the seconds until the next try."""
        if isinstance(fault, CircuitOpen):
            return fault.seconds
        if isinstance(fault, ChannelClosed | Postponed) and not self._poster.member_id:
            is_closed = isinstance(fault, ChannelClosed)
            self._context.hindered[self.channel_id] = Hindrance(str(fault), fault.code, is_closed)
        if isinstance(fault, ChannelClosed):
            if not self._is_closed:
                log.error(
                    "cannot post in channel %s (%s), its messages wait: %s: %s",
                    self.channel_id,
                    ", ".join(self.names),
                    fault,
                    cure_of(fault.code),
                )
            self._is_closed = True
            return self._pace.closed
        if isinstance(fault, Postponed):  # told when it began to wait; the others are tried soon
            return self._backoff(len(self._holds))
        self._failures += 1
        backoff = self._backoff(self._failures)
        if not isinstance(fault, DeliveryError | StorageUnavailable):
            log.error("channel %s: delivery failed, trying again", self.channel_id, exc_info=fault)
        elif isinstance(fault, Unreachable):
            self._context.outage.begin(self._called, str(fault))
        elif not self._is_delayed:
            log.warning("channel %s: deliveries are waiting: %s", self.channel_id, fault)
        self._is_delayed = self._is_delayed or not isinstance(fault, Unreachable)
        if isinstance(fault, DiscordRateLimited):
            return max(backoff, min(fault.seconds, MAX_RETRY_AFTER))
        return backoff

    def _backoff(self, failures: int) -> float:
        """Return the seconds to wait after so many failures in a row."""
        backoff: float = min(MAX_BACKOFF, self._pace.retry * 2 ** min(failures - 1, 10))
        return backoff * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load

    def _note_success(self, wait: float) -> None:
        """Forget earlier failures once something was delivered, or nothing waits any more.

        `wait`: the seconds until something is due. What only waits for its time may fail again.
        """
        if wait not in (0.0, math.inf):
            return
        self._context.outage.end(self._called)
        if wait == math.inf:
            self._holds.clear()
        if not self._holds and not self._is_closed:
            self._context.hindered.pop(self.channel_id, None)
        if wait == 0.0:
            if self._is_closed or self._is_delayed:
                log.info("channel %s: deliveries resumed", self.channel_id)
                self._context.hindered.pop(self.channel_id, None)
            self._is_closed = self._is_delayed = False
        self._failures = 0


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds if seconds != math.inf else None):
            await event.wait()
