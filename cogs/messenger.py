"""Puts messages where people see them: Discord, or the log while Discord is off."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import discord

from cogs.console import render
from cogs.content import Content
from cogs.refusals import ChannelClosed, Gate, MessageGone, NoReply, Unreachable

CLOCK_SKEW = timedelta(minutes=5)
SEARCHED_MESSAGES = 500

log = logging.getLogger(__name__)


class Messenger(Protocol):
    """Posts and edits; every method raises DeliveryError."""

    async def post(self, channel_id: int, content: Content, nonce: str) -> int:
        """Post a message and return its id; the same nonce soon after gives the same message."""

    async def edit(self, channel_id: int, message_id: int, content: Content) -> None:
        """Have a message show another content."""

    async def direct(self, member_id: int) -> int:
        """Return the channel of private messages to a member."""

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Remove a message; one that is gone already is as good."""

    async def footers(self, channel_id: int, since: int) -> dict[str, int]:
        """Return own messages since a time in milliseconds: their ids by their last footer."""


class LogMessenger:
    """Writes what Discord would show into the log."""

    async def post(self, channel_id: int, content: Content, nonce: str) -> int:
        """Write a message."""
        log.info("%s", render(content))
        return 0

    async def edit(self, channel_id: int, message_id: int, content: Content) -> None:
        """Write what the message shows now."""
        log.info("%s", render(content))

    async def direct(self, member_id: int) -> int:
        """Know one place only."""
        return 0

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Leave the log as it is."""

    async def footers(self, channel_id: int, since: int) -> dict[str, int]:
        """Know of no message: the log is not read back."""
        return {}


class DiscordMessenger:
    """Talks to Discord through discord.py, which keeps its rate limits."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._gate = Gate()

    async def post(self, channel_id: int, content: Content, nonce: str) -> int:
        """Post a message; discord.py has Discord enforce the nonce."""
        channel = self._client.get_partial_messageable(channel_id)
        answered = content.reply_to
        replying: dict[str, Any] = {}
        if answered is not None and answered.channel_id == channel_id:
            replying["reference"] = discord.MessageReference(
                message_id=answered.message_id, channel_id=channel_id, fail_if_not_exists=False
            )
        try:
            async with self._sending():
                message = await channel.send(
                    content=content.text,
                    embeds=content.embeds,
                    nonce=nonce,
                    allowed_mentions=content.mentions(),
                    view=content.view() or discord.ui.View(),
                    **replying,
                )
        except NoReply:
            return await self.post(channel_id, replace(content, reply_to=None), nonce)
        return message.id

    async def direct(self, member_id: int) -> int:
        """Open the channel of private messages to a member; discord.py remembers it."""
        async with self._sending():
            return (await self._client.create_dm(discord.Object(member_id))).id

    async def edit(self, channel_id: int, message_id: int, content: Content) -> None:
        """Edit a message; without allowed_mentions Discord would parse it with its defaults."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        async with self._sending():
            await message.edit(
                content=content.text,
                embeds=content.embeds,
                view=content.view(),
                allowed_mentions=content.mentions(),
            )

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Remove a message."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        try:
            async with self._sending():
                await message.delete()
        except (MessageGone, ChannelClosed):
            return

    async def footers(self, channel_id: int, since: int) -> dict[str, int]:
        """Read the channel's newest messages back to a time."""
        channel = self._client.get_partial_messageable(channel_id)
        after = datetime.fromtimestamp(since / 1000, UTC) - CLOCK_SKEW
        found: dict[str, int] = {}
        async with self._sending():
            async for message in channel.history(
                limit=SEARCHED_MESSAGES, after=after, oldest_first=False
            ):
                mine = self._client.user is not None and message.author.id == self._client.user.id
                if mine and message.embeds and message.embeds[-1].footer.text:
                    found.setdefault(message.embeds[-1].footer.text, message.id)
        return found

    @asynccontextmanager
    async def _sending(self) -> AsyncIterator[None]:
        """Send something, if Discord takes anything."""
        if self._client.is_closed():
            raise Unreachable("the connection to Discord has ended")
        async with self._gate.passing():
            yield
