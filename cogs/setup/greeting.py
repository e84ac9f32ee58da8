"""Tells who invited the bot what to do next, once for each server."""

import logging
from collections.abc import AsyncIterator

import aiohttp
import discord

from cogs.i18n.language import _, using_locale
from cogs.routing.layout import GUILD, Layout, channel_ids, single_id
from cogs.ui.home import home_guild, several_servers
from cogs.ui.text import inert_line
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.queries.guilds import store_greeting, was_greeted

log = logging.getLogger(__name__)


class Greeting:
    """Says “Type /setup” where nothing is set up yet.

    To who invited the bot, if it may read that in the audit log; else in the first channel that it
    can write in; else to the server's owner.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def greet(self, client: discord.Client, layout: Layout) -> None:
        """Greet in every server where that is due."""
        chosen = single_id(layout, GUILD)
        if channel_ids(layout):
            return
        for guild in list(client.guilds):
            if guild.unavailable or chosen not in (0, guild.id):
                continue
            try:
                if not await was_greeted(self._context.read, guild.id):
                    # Stored first: twice would be worse than not at all.
                    await store_greeting(self._context.database, guild.id)
                    await self._greet(client, guild)
            except StorageUnavailable as fault:
                log.warning("the greeting in server %s waits for storage: %s", guild.id, fault)

    async def _greet(self, client: discord.Client, guild: discord.Guild) -> None:
        with using_locale(guild.preferred_locale.value):
            text = _(
                "I am CAD Sentinel. Type `/setup` in {server}: there you choose who may do what and"
                " where I post. Members with Manage Server can."
            ).format(server=inert_line(guild.name, 100))
            if home_guild(client.guilds, 0, ()) is None:
                first = several_servers([(one.id, one.name) for one in client.guilds])
                text = f"{first}\n{_('Then:')} {text}"
        async for target in _targets(client, guild):
            try:
                await target.send(text)
            except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
                log.info("the greeting did not reach %s: %s", target, fault)
            else:
                return
        log.warning("nobody in server %s could be told to type /setup", guild.id)


async def _targets(
    client: discord.Client, guild: discord.Guild
) -> AsyncIterator[discord.abc.Messageable]:
    """Yield to whom or where the greeting goes, the best first."""
    inviter_id = await _inviter(client, guild)
    if inviter_id is not None and (inviter := await _user(client, inviter_id)) is not None:
        yield inviter
    channels = [guild.system_channel, *guild.text_channels]
    for channel in filter(None, channels):
        allowed = channel.permissions_for(guild.me)
        if allowed.view_channel and allowed.send_messages:
            yield channel
            break
    if guild.owner_id is not None and (owner := await _user(client, guild.owner_id)) is not None:
        yield owner


async def _inviter(client: discord.Client, guild: discord.Guild) -> int | None:
    if not guild.me.guild_permissions.view_audit_log:
        return None
    try:
        async for entry in guild.audit_logs(limit=10, action=discord.AuditLogAction.bot_add):
            if client.user is not None and entry.target and entry.target.id == client.user.id:
                return entry.user_id
    except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
        log.info("the audit log of server %s cannot be read: %s", guild.id, fault)
    return None


async def _user(client: discord.Client, user_id: int) -> discord.User | None:
    try:
        return await client.fetch_user(user_id)
    except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
        log.info("user %s cannot be looked up: %s", user_id, fault)
        return None
