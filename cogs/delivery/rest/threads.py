"""Threads: a forum's posts, and the threads of messages. A thread has its first message's id."""

import re
from collections.abc import AsyncIterator, Collection
from datetime import datetime

import discord

from cogs.delivery.rest.errors import (
    ChannelClosed,
    DeliveryError,
    DiscordCircuitBreaker,
    ThreadExists,
)
from cogs.ui.embeds import MessageContent
from cogs.ui.text import plain_line, redacted

NAME = 100
"""Characters of a thread's name."""

MOST_TAGS = 5

RECENT_POSTS = 50
"""Archived posts of a forum among which one is looked for."""

TAGS = {
    False: ("open", "offen", "active", "aktiv"),
    True: ("closed", "geschlossen", "over", "done", "erledigt", "resolved", "vorbei"),
}
"""Names of a forum's tags, by whether they say that something is over."""

_MARKUP = re.compile(r"\\(?=[^\sA-Za-z0-9])|<[@#]\S*>|\*\*|`")


class ThreadLocked(DeliveryError):
    """A moderator locked the thread, so the bot leaves it as it is."""


def thread_name(content: MessageContent) -> str:
    """Return what a message's thread is called: as its first embed, without markup."""
    title = content.thread_name or content.embeds[0].title or ""
    return plain_line(_MARKUP.sub("", title), NAME) or "CAD Sentinel"


class Threads:
    """Opens, archives and finds threads; raises DeliveryError."""

    def __init__(self, client: discord.Client, circuit_breaker: DiscordCircuitBreaker) -> None:
        self._client = client
        self._circuit_breaker = circuit_breaker
        self._forums: dict[int, discord.ForumChannel] = {}

    def known_forum(self, channel_id: int) -> discord.ForumChannel | None:
        """Return a forum or media channel; None for others, and for what is not known yet."""
        channel = self._client.get_channel(channel_id) or self._forums.get(channel_id)
        return channel if isinstance(channel, discord.ForumChannel) else None

    async def fetch_forum(self, channel_id: int) -> discord.ForumChannel | None:
        """Ask Discord whether a channel is a forum, and return it."""
        async with self._circuit_breaker.guard():
            channel = await self._client.fetch_channel(channel_id)
        if isinstance(channel, discord.ForumChannel):
            self._forums[channel_id] = channel
            return channel
        return None

    async def create_post(
        self,
        forum: discord.ForumChannel,
        content: MessageContent,
        embeds: list[discord.Embed],
        files: list[discord.File],
    ) -> int:
        """Make a post of a card and return its id; Discord knows no nonce for posts."""
        async with self._circuit_breaker.guard():
            made = await forum.create_thread(
                name=thread_name(content),
                content=content.text,
                embeds=embeds,
                files=files or discord.utils.MISSING,
                view=content.view() or discord.utils.MISSING,
                allowed_mentions=content.allowed_mentions(),
                applied_tags=_tags(forum, is_over=content.is_over),
            )
        return made.thread.id

    async def open_on(self, channel_id: int, message_id: int, name: str) -> None:
        """Open the thread of a message; one that is there already is as good."""
        channel = self._client.get_partial_messageable(channel_id)
        try:
            async with self._circuit_breaker.guard():
                await self._client.http.start_thread_with_message(
                    channel.id, message_id, name=name, auto_archive_duration=10080
                )
        except ThreadExists:
            return

    async def rename(self, thread_id: int, name: str, *, archived: bool) -> None:
        """Give a thread another name if its own says what was redacted, and archive it or not.

        Raises:
            ThreadLocked: a moderator locked it.
        """
        thread = await self._fetch(thread_id)
        if thread is None:
            return
        is_clean = redacted(thread.name, single_words=True) == thread.name
        if is_clean and thread.archived == archived:
            return
        if not is_clean:
            await self.set_archived(thread_id, archived=False)
            async with self._circuit_breaker.guard():
                await thread.edit(name=name)
        await self.set_archived(thread_id, archived=archived)

    async def set_archived(self, thread_id: int, *, archived: bool) -> bool:
        """Archive a thread or open it again; a post is tagged as what it is now.

        Return whether it is a thread at all.

        Raises:
            ThreadLocked: a moderator locked it.
        """
        thread = await self._fetch(thread_id)
        if thread is None:
            return False
        if thread.locked and thread.archived:
            raise ThreadLocked(f"the thread {thread_id} is locked")
        tags = discord.utils.MISSING
        forum = self.known_forum(thread.parent_id)
        if forum is not None:
            kept = [tag for tag in thread.applied_tags if not _says_state(tag)]
            tags = [*kept, *_tags(forum, is_over=archived, among=kept)][:MOST_TAGS]
        async with self._circuit_breaker.guard():
            if thread.archived:
                await thread.edit(archived=False)
            if archived or tags is not discord.utils.MISSING:
                await thread.edit(archived=archived, applied_tags=tags)
        return True

    async def delete(self, thread_id: int) -> None:
        """Remove a post, or archive it where the bot may not remove it."""
        thread = await self._fetch(thread_id)
        if thread is None:
            return
        try:
            async with self._circuit_breaker.guard():
                await thread.delete()
        except ChannelClosed:
            await self.set_archived(thread_id, archived=True)

    async def own_posts(
        self, forum: discord.ForumChannel, after: datetime | None
    ) -> AsyncIterator[discord.Thread]:
        """Find the bot's own posts in which something was written, since a time if one is given."""
        async with self._circuit_breaker.guard():
            found = [one for one in await forum.guild.active_threads() if one.parent_id == forum.id]
            found += [one async for one in forum.archived_threads(limit=RECENT_POSTS)]
        me = self._client.user
        for thread in found:
            newest = discord.utils.snowflake_time(thread.last_message_id or thread.id)
            if me is not None and thread.owner_id == me.id and (after is None or newest >= after):
                yield thread

    async def _fetch(self, thread_id: int) -> discord.Thread | None:
        async with self._circuit_breaker.guard():
            thread = await self._client.fetch_channel(thread_id)
        return thread if isinstance(thread, discord.Thread) else None


def _says_state(tag: discord.ForumTag) -> bool:
    return any(tag.name.casefold() in names for names in TAGS.values())


def _tags(
    forum: discord.ForumChannel, *, is_over: bool, among: Collection[discord.ForumTag] = ()
) -> list[discord.ForumTag]:
    """Choose the tag that says the state; if the forum demands one, any that the bot may use."""
    usable = [tag for tag in forum.available_tags if not tag.moderated]
    fitting = [tag for tag in usable if tag.name.casefold() in TAGS[is_over]]
    if fitting or among or not forum.flags.require_tag:
        return fitting[:1]
    return [tag for tag in usable if not _says_state(tag)][:1] or usable[:1]
