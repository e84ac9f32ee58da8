"""Puts messages where people see them: Discord, or the log while Discord is off."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import discord

from cogs.delivery.rest.errors import (
    ChannelClosed,
    ChannelGone,
    DiscordCircuitBreaker,
    MessageGone,
    NoMessageChannel,
    Postponed,
    Rejected,
    ReplyRejected,
    ThreadArchived,
)
from cogs.delivery.rest.publishing import Publisher
from cogs.delivery.rest.threads import Threads
from cogs.ui.embeds import MessageContent

SEARCHED_MESSAGES = 500
"""How many of a channel's newest messages are looked through for an own one."""

WITHOUT_PICTURES = 300.0
"""Seconds that a channel gets no pictures after it took a message only without its picture."""

_TIME = re.compile(r"<t:(\d+):[A-Za-z]>(?: \(<t:\d+:R>\))?")
_ESCAPE = re.compile(r"\\(?=[^\sA-Za-z0-9])")
_BOLD = re.compile(r"(?<!\\)\*\*")
_LINK = re.compile(r"(?<!\\)\[((?:\\.|[^\]\\])*)\]\(https://discord\.com/[^)\s]*\)")

log = logging.getLogger(__name__)


class SentMessage(NamedTuple):
    """A message in Discord; `picture` is the digest of the one that it has, blank for none.

    `is_current`: it shows what was sent, and not an older state that came first with that nonce.
    `channel_id`: where it is if not in the channel that it was sent to: the post in a forum.
    """

    message_id: int
    picture: str = ""
    is_current: bool = True
    channel_id: int = 0


class MessageReader(NamedTuple):
    """A member who gets a private message: their roles, and whether they see a channel."""

    roles: frozenset[int] = frozenset()
    sees: bool = False


class LogMessenger:
    """Writes what Discord would show into the log, while Discord is off."""

    is_discord = False

    async def post(self, channel_id: int, content: MessageContent, nonce: str) -> SentMessage:
        log.info("%s", as_text(content))
        return SentMessage(0)

    async def edit(
        self, channel_id: int, sent: SentMessage, content: MessageContent
    ) -> SentMessage:
        log.info("%s", as_text(content))
        return sent  # what it has in Discord stays there

    async def open_direct(self, member_id: int) -> int:
        return 0

    async def reader(self, member_id: int, guild_id: int, channel_id: int) -> MessageReader:
        return MessageReader()

    async def edit_answer(self, token: str, message_id: int, content: MessageContent) -> bool:
        return False

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Leave the log as it is."""

    async def open_thread(self, channel_id: int, message_id: int, name: str) -> None:
        """Leave the log as it is."""

    async def rename_thread(self, thread_id: int, name: str, *, archived: bool) -> None:
        """Leave the log as it is."""

    async def archive_thread(self, thread_id: int, *, archived: bool) -> None:
        """Leave the log as it is."""

    async def own_references(
        self, channel_id: int, after: datetime | None
    ) -> dict[str, SentMessage]:
        return {}


class DiscordMessenger:
    """Talks to Discord through discord.py, which keeps its rate limits.

    Every method raises DeliveryError. A picture that cannot be drawn, or that Discord rejects, is
    left out.
    """

    is_discord = True

    def __init__(self, client: discord.Client, *, publishes: bool = False) -> None:
        """`publishes`: whether messages of announcement channels are published."""
        self._client = client
        self._circuit_breaker = DiscordCircuitBreaker(client)
        self._threads = Threads(client, self._circuit_breaker)
        self._publisher = Publisher(client, self._circuit_breaker) if publishes else None
        self._without_pictures: dict[int, float] = {}

    async def post(self, channel_id: int, content: MessageContent, nonce: str) -> SentMessage:
        """Post a message, in a forum as a post; the same nonce soon after gives the same message.

        discord.py has Discord enforce the nonce; posts of a forum have none.
        """
        forum = self._threads.known_forum(channel_id)
        if forum is not None:
            return await self._post_in_forum(forum, content, nonce)
        try:
            return await self._post_in_channel(channel_id, content, nonce)
        except NoMessageChannel:
            forum = await self._threads.fetch_forum(channel_id)
            if forum is None:
                raise
            return await self._post_in_forum(forum, content, nonce)

    async def _post_in_forum(
        self, forum: discord.ForumChannel, content: MessageContent, nonce: str
    ) -> SentMessage:
        """Make a post; a reply to a message goes into that one's post."""
        if content.reply_to is not None and content.reply_to.channel_id != forum.id:
            thread_id = content.reply_to.channel_id
            sent = await self._post_in_channel(thread_id, content, nonce)
            return sent._replace(channel_id=thread_id)

        async def send(embeds: list[discord.Embed], files: list[discord.File]) -> SentMessage:
            post_id = await self._threads.create_post(forum, content, embeds, files)
            return SentMessage(post_id, channel_id=post_id)

        return await self._with_picture(forum.id, content, send)

    async def _post_in_channel(
        self, channel_id: int, content: MessageContent, nonce: str
    ) -> SentMessage:
        channel = self._client.get_partial_messageable(channel_id)
        reply: dict[str, Any] = {}
        if content.reply_to is not None and content.reply_to.channel_id == channel_id:
            reply["reference"] = content.reply_to

        async def send(embeds: list[discord.Embed], files: list[discord.File]) -> SentMessage:
            async with self._circuit_breaker.guard():
                message = await channel.send(
                    content=content.text,
                    embeds=embeds,
                    files=files or discord.utils.MISSING,
                    nonce=nonce,
                    allowed_mentions=content.allowed_mentions(),
                    view=content.view() or discord.ui.View(),
                    silent=content.is_silent,
                    **reply,
                )
            if self._publisher is not None:
                self._publisher.offer(message)
            return SentMessage(message.id, is_current=_shows(message, content))

        try:
            return await self._with_picture(channel_id, content, send)
        except (ReplyRejected, MessageGone):
            if not reply:
                raise
            return await self._post_in_channel(channel_id, replace(content, reply_to=None), nonce)

    async def open_direct(self, member_id: int) -> int:
        """Open the channel of private messages to a member; discord.py remembers it."""
        async with self._circuit_breaker.guard():
            return (await self._client.create_dm(discord.Object(member_id))).id

    async def reader(self, member_id: int, guild_id: int, channel_id: int) -> MessageReader:
        """Look up a member of a server; one who is not in it has no roles and sees nothing."""
        guild = self._client.get_guild(guild_id)
        if guild is None:
            return MessageReader()
        try:
            async with self._circuit_breaker.guard():
                member = await guild.fetch_member(member_id)
        except (MessageGone, ChannelClosed, Postponed, Rejected):
            return MessageReader()
        channel = guild.get_channel_or_thread(channel_id)
        sees = channel is not None and channel.permissions_for(member).view_channel
        return MessageReader(frozenset(role.id for role in member.roles), sees)

    async def edit(
        self, channel_id: int, sent: SentMessage, content: MessageContent
    ) -> SentMessage:
        """Have a message show another content, in an archived thread too.

        A moderator's lock holds, and the thread is archived again.
        """
        try:
            return await self._edit(channel_id, sent, content)
        except ThreadArchived:
            if not await self._threads.set_archived(channel_id, archived=False):
                raise
            edited = await self._edit(channel_id, sent, content)
            await self._threads.set_archived(channel_id, archived=True)
            return edited

    async def _edit(
        self, channel_id: int, sent: SentMessage, content: MessageContent
    ) -> SentMessage:
        """Have a message show another content; a picture that it has is not sent again.

        Without allowed_mentions Discord would parse the message with its defaults. It keeps what is
        attached unless `attachments` says what to keep.
        """
        channel = self._client.get_partial_messageable(channel_id)
        message = channel.get_partial_message(sent.message_id)

        async def send(embeds: list[discord.Embed], files: list[discord.File]) -> SentMessage:
            async with self._circuit_breaker.guard():
                await message.edit(
                    content=content.text,
                    embeds=embeds,
                    attachments=files,
                    view=content.view(),
                    allowed_mentions=content.allowed_mentions(),
                )
            return SentMessage(sent.message_id)

        if content.picture is not None and content.picture.digest == sent.picture:
            await send(content.embeds_with_picture(), discord.utils.MISSING)
            return sent
        return await self._with_picture(channel_id, content, send)

    async def edit_answer(self, token: str, message_id: int, content: MessageContent) -> bool:
        """Have a private answer show another content; return False if Discord allows it no more."""
        if self._client.application_id is None:
            return False
        webhook = discord.Webhook.partial(self._client.application_id, token, client=self._client)
        async with self._circuit_breaker.guard():
            try:
                await webhook.edit_message(
                    message_id,
                    content=content.text,
                    embeds=content.embeds,
                    view=content.view(),
                    allowed_mentions=content.allowed_mentions(),
                )
            except discord.HTTPException as fault:
                if fault.status not in (400, 401, 403, 404):  # of the token, not of the bot's own
                    raise
                return False
        return True

    async def _with_picture(
        self,
        channel_id: int,
        content: MessageContent,
        send: Callable[[list[discord.Embed], list[discord.File]], Awaitable[SentMessage]],
    ) -> SentMessage:
        """Send content with its picture, or without it if Discord rejects the picture."""
        picture = content.picture
        is_too_early = time.monotonic() < self._without_pictures.get(channel_id, 0.0)
        file = await picture.file() if picture is not None and not is_too_early else None
        if picture is None or file is None:
            return await send(content.embeds, [])
        try:
            sent = await send(content.embeds_with_picture(), [file])
            return sent._replace(picture=picture.digest)
        except (ChannelClosed, Rejected) as fault:
            sent = await send(content.embeds, [])
            log.warning(
                "channel %s rejects the picture %s, which is left out: %s",
                channel_id,
                picture.name,
                fault,
            )
            if isinstance(fault, ChannelClosed):  # Discord counts these
                self._without_pictures[channel_id] = time.monotonic() + WITHOUT_PICTURES
            return sent

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Remove a message, a forum's post whole.

        One that is gone already, or is another's, is as good.
        """
        if channel_id == message_id:
            with suppress(ChannelGone, Rejected):
                await self._threads.delete(channel_id)
            return
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        try:
            async with self._circuit_breaker.guard():
                await message.delete()
        except (MessageGone, Rejected):
            return

    async def open_thread(self, channel_id: int, message_id: int, name: str) -> None:
        """Open the thread of a message, unless it has one."""
        await self._threads.open_on(channel_id, message_id, name)

    async def rename_thread(self, thread_id: int, name: str, *, archived: bool) -> None:
        """Give a thread another name if its own says what was redacted, and archive it or not."""
        await self._threads.rename(thread_id, name, archived=archived)

    async def archive_thread(self, thread_id: int, *, archived: bool) -> None:
        """Archive a thread, or open it again."""
        await self._threads.set_archived(thread_id, archived=archived)

    async def own_references(
        self, channel_id: int, after: datetime | None
    ) -> dict[str, SentMessage]:
        """Return the last own messages, of Discord's time `after`, by their references.

        A reference is the last word of the last footer, of older messages as well:
        `ref f4-c28.1`. In a forum they are the posts and what stands in them.
        """
        forum = self._threads.known_forum(channel_id)
        if forum is None and self._client.get_channel(channel_id) is None:
            forum = await self._threads.fetch_forum(channel_id)
        if forum is None:
            return await self._references_in(channel_id, after)
        found: dict[str, SentMessage] = {}
        async for thread in self._threads.own_posts(forum, after):
            in_thread = await self._references_in(thread.id, after)
            for reference, sent in in_thread.items():
                found.setdefault(reference, sent._replace(channel_id=thread.id))
        return found

    async def _references_in(
        self, channel_id: int, after: datetime | None
    ) -> dict[str, SentMessage]:
        channel = self._client.get_partial_messageable(channel_id)
        found: dict[str, SentMessage] = {}
        async with self._circuit_breaker.guard():
            async for message in channel.history(
                limit=SEARCHED_MESSAGES, after=after, oldest_first=False
            ):
                mine = self._client.user is not None and message.author.id == self._client.user.id
                footer = message.embeds[-1].footer.text if message.embeds else None
                if mine and footer:
                    sent = SentMessage(message.id, is_current=False)
                    found.setdefault(footer.split()[-1], sent)
        return found


Messenger = DiscordMessenger | LogMessenger


def _shows(message: discord.Message, content: MessageContent) -> bool:
    """Tell whether a message looks as its content says; a picture is not looked at."""
    shown = [button for row in message.components for button in getattr(row, "children", ())]
    return _texts(message.embeds) == _texts(content.embeds) and [
        (button.custom_id, button.label) for button in shown
    ] == [(button.custom_id, button.text) for button in content.buttons]


def _texts(embeds: Sequence[discord.Embed]) -> list[tuple[object, ...]]:
    return [
        (
            embed.title,
            embed.description,
            embed.colour,
            embed.footer.text,
            [(field.name, field.value, field.inline) for field in embed.fields],
        )
        for embed in embeds
    ]


def as_text(content: MessageContent) -> str:
    """Write a message as plain text, embed by embed, with its buttons below."""
    parts = [_plain(content.text)] if content.text else []
    parts += [_embed(embed) for embed in content.embeds]
    if content.picture is not None:
        parts.append(f"( {content.picture.alt} )")
    if content.buttons:
        parts.append(" ".join(f"[ {button.text} ]" for button in content.buttons))
    return "\n".join(parts)


def _embed(embed: discord.Embed) -> str:
    lines = [_plain(embed.title or "").upper()]
    if embed.description:
        lines.append(_plain(embed.description))
    lines += [f"{field.name}: {_plain(field.value or '')}" for field in embed.fields]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Take the markup out, links to other cards too, and write times in UTC."""
    text = _TIME.sub(lambda time: f"{datetime.fromtimestamp(int(time[1]), UTC):%H:%M:%S} UTC", text)
    return _ESCAPE.sub("", _BOLD.sub("", _LINK.sub(r"\1", text)))
