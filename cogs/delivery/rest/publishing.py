"""Publishing in announcement channels, so that servers which follow one get its messages too."""

import asyncio
import logging
import time
from collections import defaultdict, deque

import discord

from cogs.delivery.rest.errors import DeliveryError, DiscordCircuitBreaker

MOST = 10
HOUR = 3600.0
"""Discord publishes ten messages an hour of a channel; more would keep the channel waiting."""

log = logging.getLogger(__name__)


class Publisher:
    """Publishes what is posted in announcement channels, up to ten messages an hour each.

    Nothing waits for it, and what is not published is not tried again: the message itself stands in
    its channel. Later edits of a published message reach the followers by themselves.
    """

    def __init__(self, client: discord.Client, circuit_breaker: DiscordCircuitBreaker) -> None:
        self._client = client
        self._circuit_breaker = circuit_breaker
        self._published: defaultdict[int, deque[float]] = defaultdict(deque)
        self._under_way: set[asyncio.Task[None]] = set()

    def offer(self, message: discord.Message) -> None:
        """Publish a new message if its channel is one for announcements and has not had enough."""
        channel = self._client.get_channel(message.channel.id)
        if not isinstance(channel, discord.TextChannel) or not channel.is_news():
            return
        times, now = self._published[channel.id], time.monotonic()
        while times and now - times[0] >= HOUR:
            times.popleft()
        if len(times) < MOST:
            times.append(now)
            if len(times) == MOST:
                log.info("channel %s: no further message is published for an hour", channel.id)
            task = asyncio.create_task(self._publish(message), name="publish")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _publish(self, message: discord.Message) -> None:
        try:
            async with self._circuit_breaker.guard():
                await message.publish()
        except DeliveryError as fault:
            log.info("cannot publish a message in channel %s: %s", message.channel.id, fault)
