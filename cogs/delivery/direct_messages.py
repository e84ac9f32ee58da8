"""Private messages: each member who is to be told something has a queue of their own.

So nobody who takes no private messages, and nothing that Discord says about them, holds up others.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

from cogs.delivery.channel_queue import ChannelQueue, Delivery, Outlet
from cogs.delivery.discord_errors import Refused
from cogs.delivery.references import References
from db import cards
from db.cards import DIRECT, Card
from db.errors import StorageUnavailable

RETRY = 2.0
"""Seconds until storage that cannot be read is tried again."""

log = logging.getLogger(__name__)


def direct_place(member_id: int) -> str:
    """Return the place of private messages to a member."""
    return f"{DIRECT}{member_id}"


class FullDelivery(Delivery):
    """The queues of all channels, and those of members while there is something to tell them."""

    def __init__(self, outlet: Outlet, places: Mapping[str, int]) -> None:
        super().__init__(outlet, places)
        self._outlet = outlet
        self._members: dict[str, DirectQueue] = {}
        self._look = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Deliver until `stop`; what is in flight then is finished."""
        async with asyncio.TaskGroup() as group:
            group.create_task(super().run(), name="channels")
            group.create_task(self._serve_members(group), name="private messages")

    def wake(self, places: Collection[str]) -> None:
        """Have the queues of these places look what there is to deliver, if need be open them."""
        super().wake(places)
        if any(place.startswith(DIRECT) for place in places):
            self._look.set()
            for queue in self._members.values():
                queue.wake()

    def retry(self) -> None:
        """Have waiting queues try again at once."""
        super().retry()
        for queue in self._members.values():
            queue.retry()

    def stop(self) -> None:
        """End `run` once nothing is in flight."""
        super().stop()
        self._stopping = True
        self._look.set()
        for queue in self._members.values():
            queue.stop()

    async def _serve_members(self, group: asyncio.TaskGroup) -> None:
        """Open a queue for each member for whom there is something and none is open."""
        while not self._stopping:
            self._look.clear()
            wait = None
            try:
                for place in await cards.stale_channels(self._outlet.database.read, DIRECT):
                    if place not in self._members:
                        self._open(group, place)
            except StorageUnavailable as fault:
                log.warning("storage cannot be read, private messages wait: %s", fault)
                wait = RETRY
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._look.wait()

    def _open(self, group: asyncio.TaskGroup, place: str) -> None:
        def ended(_: asyncio.Task[None]) -> None:
            del self._members[place]
            self._look.set()  # something may have come while it ended

        queue = self._members[place] = DirectQueue(self._outlet, place, self.wake)
        group.create_task(queue.run(), name=place).add_done_callback(ended)


class DirectQueue(ChannelQueue):
    """What one member has still to be told; ends when there is nothing."""

    def __init__(self, outlet: Outlet, place: str, wake: Callable[[Collection[str]], None]) -> None:
        super().__init__(outlet, 0, [place], wake)
        self._outlet = outlet
        self._member_id = int(place.removeprefix(DIRECT))

    async def _deliver_card(self, card: Card) -> None:
        if not self.channel_id:
            try:
                self.channel_id = await self._messenger.direct(self._member_id)
            except Refused as fault:
                log.info("member %s takes no private messages: %s", self._member_id, fault)
                await self._mark_shown(card, "", card.channel_id, card.message_id, card.picture)
                return
            self._references = References(
                self._messenger,
                self.channel_id,
                self._outlet.started_at,
                self._outlet.unconfirmed,
            )
        await super()._deliver_card(card)

    async def _wait_for_work(self) -> None:
        if self._edit_due == math.inf:
            self.stop()
        else:
            await super()._wait_for_work()
