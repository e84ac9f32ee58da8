"""Puts messages where people see them: Discord, or the log while Discord is off."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import aiohttp
import discord

from cogs.console import render
from cogs.content import Content

TIMEOUT = 60.0
"""Seconds that one delivery may take, discord.py's own retries and waits included."""

CLOCK_SKEW = timedelta(minutes=5)
SEARCHED_MESSAGES = 500

log = logging.getLogger(__name__)


class DeliveryError(Exception):
    """A message that Discord did not take; `outcome` is how it is counted."""

    outcome = "failed"


class Unreachable(DeliveryError):
    """Discord did not answer, or not as it should: the message may or may not be there."""

    outcome = "unreachable"


class ChannelClosed(DeliveryError):
    """The channel is gone, or the bot may not post in it."""

    outcome = "closed"


class MessageGone(DeliveryError):
    """The message to edit was deleted."""

    outcome = "gone"


class MessageTooOld(DeliveryError):
    """Discord edits this old message no more."""

    outcome = "too-old"


class Refused(DeliveryError):
    """Discord will never take this content."""

    outcome = "refused"


class NotWanted(Refused):
    """The member takes no private messages from the bot."""


class NoReply(Refused):
    """The bot may not answer messages there, as it may not read them."""


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
            async with _translated():
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
        async with _translated():
            return (await self._client.create_dm(discord.Object(member_id))).id

    async def edit(self, channel_id: int, message_id: int, content: Content) -> None:
        """Edit a message; without allowed_mentions Discord would parse it with its defaults."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        async with _translated():
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
            async with _translated():
                await message.delete()
        except (MessageGone, ChannelClosed):
            return

    async def footers(self, channel_id: int, since: int) -> dict[str, int]:
        """Read the channel's newest messages back to a time."""
        channel = self._client.get_partial_messageable(channel_id)
        after = datetime.fromtimestamp(since / 1000, UTC) - CLOCK_SKEW
        found: dict[str, int] = {}
        async with _translated():
            async for message in channel.history(
                limit=SEARCHED_MESSAGES, after=after, oldest_first=False
            ):
                mine = self._client.user is not None and message.author.id == self._client.user.id
                if mine and message.embeds and message.embeds[-1].footer.text:
                    found.setdefault(message.embeds[-1].footer.text, message.id)
        return found


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Turn what discord.py raises into delivery errors, and bound the time."""
    try:
        async with asyncio.timeout(TIMEOUT):
            yield
    except discord.HTTPException as fault:
        kind = _OF_CODE.get(fault.code) or _OF_STATUS.get(fault.status, Unreachable)
        raise kind(str(fault)) from fault
    except (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError) as fault:
        raise Unreachable(str(fault) or type(fault).__name__) from fault


_OF_CODE: dict[int, type[DeliveryError]] = {
    10003: ChannelClosed,  # unknown channel
    10008: MessageGone,  # unknown message
    30046: MessageTooOld,  # too many edits of a message older than an hour
    50001: ChannelClosed,  # missing access
    50007: NotWanted,  # cannot send messages to this user
    50013: ChannelClosed,  # missing permissions
    50278: NotWanted,  # no guild in common
    160002: NoReply,  # cannot reply without permission to read message history
}

_OF_STATUS: dict[int, type[DeliveryError]] = {
    400: Refused,
    403: ChannelClosed,
    404: ChannelClosed,
    413: Refused,
}
