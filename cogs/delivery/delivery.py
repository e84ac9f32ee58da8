"""All queues: one per Discord channel, and one per member while there is something to tell them."""

import asyncio
import logging
from collections.abc import Collection, Mapping

from cogs.delivery.channel_queue import ChannelQueue, wait_for
from cogs.delivery.delivery_context import DeliveryContext
from db import cards
from db.cards import DIRECT
from db.errors import StorageUnavailable

STORAGE_RETRY = 2.0

log = logging.getLogger(__name__)


class Delivery:
    """The queues of all channels, and of members while there is something to tell them.

    `channels`: Discord ids by the names that cards and feeds use: those of the channel map, and for
    channels that rules choose their ids.
    """

    def __init__(self, context: DeliveryContext, channels: Mapping[str, int]) -> None:
        self._context = context
        names: dict[int, list[str]] = {}
        for name, channel_id in channels.items():
            names.setdefault(channel_id, []).append(name)
        self._channels = [
            ChannelQueue(context, of_channel, channel_id, self.wake)
            for channel_id, of_channel in names.items()
        ]
        self._queues = {name: queue for queue in self._channels for name in queue.names}
        self._tasks: asyncio.TaskGroup | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Deliver until `stop`; what is in flight then is finished."""
        async with asyncio.TaskGroup() as self._tasks:
            for queue in self._channels:
                self._tasks.create_task(queue.run(), name=f"channel {queue.channel_id}")
            await self._resume_direct_messages()
            await self._stopping.wait()

    def wake(self, channels: Collection[str]) -> None:
        """Have the queues of these channels look for something to deliver.

        The others sleep on: each that wakes delays the request of the one that has something.
        """
        for name in channels:
            queue = self._queues.get(name)
            if queue is not None:
                queue.wake()
            elif name.startswith(DIRECT) and self._tasks and not self._stopping.is_set():
                self._tasks.create_task(self._deliver_direct_messages(name), name=name)

    def retry(self) -> None:
        """Have waiting queues try again at once: Discord is back, or permissions changed."""
        for queue in set(self._queues.values()):
            queue.retry()

    def stop(self) -> None:
        """End `run` once nothing is in flight."""
        self._stopping.set()
        for queue in set(self._queues.values()):
            queue.stop()

    async def _resume_direct_messages(self) -> None:
        """Go on with the private messages that waited when the process ended."""
        while not self._stopping.is_set():
            try:
                self.wake(await cards.stale_channels(self._context.database.read, DIRECT))
            except StorageUnavailable as fault:
                log.warning("storage cannot be read, private messages wait: %s", fault)
                await wait_for(self._stopping, STORAGE_RETRY)
            else:
                return

    async def _deliver_direct_messages(self, name: str) -> None:
        """Deliver what there is for a member, and what comes meanwhile."""
        if name not in self._queues and not self._stopping.is_set():
            queue = self._queues[name] = ChannelQueue(self._context, [name], 0, self.wake)
            await queue.run()
            del self._queues[name]
