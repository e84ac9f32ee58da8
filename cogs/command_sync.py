"""Registers the slash commands in the guilds where they changed, in every language."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import aiohttp
import discord
import orjson
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Location

from cogs.i18n.language import translated_for
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.queries.guilds import (
    commands_digest,
    forget_commands,
    store_commands,
    store_home_guild,
)

CONTEXTS = {
    Location.command_name: "command",
    Location.group_name: "command",
    Location.parameter_name: "option",
}
"""The catalogue contexts of names, which have rules of their own.

Descriptions and choices have no context.
"""

log = logging.getLogger(__name__)


class CommandTranslator(app_commands.Translator):
    """Translates the commands from the catalogues; Discord shows each member their language."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return the translation, or None if it equals the English text."""
        found = translated_for(locale.value, CONTEXTS.get(context.location, ""), string.message)
        return None if found == string.message else found


class CommandSync:
    """Compares digests with what was registered last, so that a restart sends nothing again."""

    def __init__(self, tree: app_commands.CommandTree[Any], context: Context) -> None:
        self._tree = tree
        self._context = context
        self.translator = CommandTranslator()

    async def sync_all(self, guilds: Sequence[discord.Guild], configured: int) -> None:
        """Register the commands in the configured guild, or with 0 in all, and nowhere else."""
        await self._store_home(guilds, configured)
        for guild in guilds:
            await self.sync(guild, configured)

    async def sync(self, guild: discord.Guild, configured: int) -> None:
        is_wanted = configured in (0, guild.id)
        if is_wanted:
            self._tree.copy_global_to(guild=guild)
        else:
            log.info("server %s is not [discord] guild_id, so it gets no commands", guild.id)
            self._tree.clear_commands(guild=guild)
        digest = await self._digest(guild)
        last = await commands_digest(self._context.read, guild.id)
        if last == digest or (last is None and not is_wanted):
            return
        try:
            registered = await self._tree.sync(guild=guild)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
            log.error("the commands could not be registered in server %s: %s", guild.id, fault)
            return
        log.info("registered the commands in server %s", guild.id)
        ids = {command.name: command.id for command in registered}
        with _unless_unavailable():
            await store_commands(self._context.database, guild.id, digest, ids)

    async def forget(self, guild: discord.Guild) -> None:
        """Forget a guild's commands, as Discord does when the bot leaves."""
        with _unless_unavailable():
            await forget_commands(self._context.database, guild.id)

    async def _digest(self, guild: discord.Guild) -> str:
        payload = [
            await command.get_translated_payload(self._tree, self.translator)
            for command in self._tree.get_commands(guild=guild)
        ]
        # With the bot Discord forgets its commands; invited again, it has joined at another time.
        joined_at = guild.me.joined_at if guild.me is not None else None
        return hashlib.blake2b(orjson.dumps([payload, joined_at]), digest_size=16).hexdigest()

    async def _store_home(self, guilds: Sequence[discord.Guild], configured: int) -> None:
        """Store which guild links lead to: the configured one, or else the only one."""
        homes = [guild for guild in guilds if configured in (0, guild.id)]
        if len(homes) == 1:
            with _unless_unavailable():
                await store_home_guild(self._context.database, homes[0].id, homes[0].name)


@contextmanager
def _unless_unavailable() -> Iterator[None]:
    """Go on without what cannot be stored; it is stored after the next connection."""
    try:
        yield
    except StorageUnavailable as fault:
        log.warning(
            "the commands of a server could not be stored, trying again at the next connection: %s",
            fault,
        )
