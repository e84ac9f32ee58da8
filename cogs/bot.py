"""The Discord client: logs in, keeps trying, registers commands where they changed."""

import asyncio
import hashlib
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import orjson
from discord import app_commands
from discord.ext import commands

from cogs import access, alerts, audit, drones, equipment, names, properties, removals
from cogs.answers import Desk
from cogs.buttons import CardButton
from cogs.cad import Cad
from cogs.crimes import Crimes
from cogs.help import Help, forget_command_ids, keep_command_ids
from cogs.links import Links
from cogs.pages import PageButton
from cogs.refusals import reading_429s
from cogs.route import RouteCommands, Routes
from cogs.status import Status, Vitals
from cogs.visitors import Visitors
from db import settings
from db.errors import StorageUnavailable
from webhook.context import Context
from webhook.messages import as_error

LONGEST_RETRY = 300.0

TOKEN_REFUSED = 4004
"""The gateway's close code for a token that does not hold, or no longer does."""

WRONG_TOKEN = "Discord refuses the token; make a new one and put it into [discord]"  # noqa: S105

UNREADABLE = (ValueError, KeyError, TypeError)
"""What discord.py raises on an answer that was cut short, or is not Discord's."""

UNREADABLE_RETRY = 5.0

log = logging.getLogger(__name__)


@dataclass
class Connection:
    """How things stand with Discord: `off`, `connecting`, `ready` or `refused`."""

    state: str = "off"


class SentinelTree(app_commands.CommandTree["SentinelBot"]):
    """Commands, and what is said when one fails in a way that it did not foresee itself."""

    async def on_error(
        self,
        interaction: discord.Interaction["SentinelBot"],
        error: app_commands.AppCommandError,
        /,
    ) -> None:
        """Tell whoever acts; an unknown autocomplete or a late answer is only logged."""
        fault = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        if interaction.type is discord.InteractionType.autocomplete:
            log.debug("no choices: %s", fault)
            return
        await self.client.desk.tell_error(interaction, as_error(fault))


class SentinelBot(commands.Bot):
    """The bot. `on_login` is called once requests can be sent, `on_change` when rights change."""

    def __init__(
        self,
        context: Context,
        desk: Desk,
        guild_id: int,
        connection: Connection,
        routes: Routes,
        vitals: Vitals,
    ) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=discord.Intents(guilds=True),
            help_command=None,
            tree_cls=SentinelTree,
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=reading_429s(),
        )
        self.desk = desk
        self.presses = drones.BUTTONS | removals.BUTTONS | properties.BUTTONS | alerts.BUTTONS
        self.lists = (
            drones.LISTS
            | removals.LISTS
            | properties.LISTS
            | equipment.LISTS
            | access.LISTS
            | alerts.LISTS
            | audit.LISTS
        )
        self._context = context
        self._guild_id = guild_id
        self._routes = routes
        self._vitals = vitals
        self._connection_state = connection
        self.on_login: Callable[[], None] = lambda: None
        self.on_change: Callable[[], None] = lambda: None

    async def run_until_cancelled(self, token: str) -> None:
        """Log in and stay connected; while Discord is down, try again and again.

        Returns if Discord refuses the token: trying again would only get the address banned.
        """
        self._connection_state.state = "connecting"
        try:
            await self._log_in(token)
            self.on_login()
            await self._stay_connected()
        except discord.LoginFailure:
            self._refused(WRONG_TOKEN)
        except discord.ConnectionClosed as fault:
            is_token = fault.code == TOKEN_REFUSED
            self._refused(WRONG_TOKEN if is_token else f"Discord ended the connection: {fault}")
        except discord.PrivilegedIntentsRequired as fault:
            self._refused(str(fault))

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Start the handlers of an event; after `close` discord.py has nowhere to run them."""
        if not self.is_closed():
            super().dispatch(event_name, *args, **kwargs)

    async def setup_hook(self) -> None:
        """Register the commands and buttons."""
        if not self.cogs:
            await self.add_cog(properties.Properties(self.desk))
            await self.add_cog(equipment.EquipmentCommands(self.desk))
            await self.add_cog(access.AccessCommands(self.desk))
            await self.add_cog(drones.Drones(self.desk))
            await self.add_cog(removals.Removals(self.desk))
            await self.add_cog(Visitors(self.desk))
            await self.add_cog(Crimes(self.desk))
            await self.add_cog(alerts.Alerts(self.desk))
            await self.add_cog(Cad(self.desk))
            await self.add_cog(Links(self.desk))
            await self.add_cog(audit.Audit(self.desk))
            await self.add_cog(Status(self.desk, self._vitals))
            await self.add_cog(Help(self.desk))
            await self.add_cog(RouteCommands(self.desk, self._routes, self._context.zone))
            self.add_dynamic_items(CardButton, PageButton)

    async def on_ready(self) -> None:
        """Register the commands in every guild where they changed."""
        self._connection_state.state = "ready"
        log.info("connected to Discord as %s, in %s guilds", self.user, len(self.guilds))
        self.on_change()
        with self.desk.in_flight.one():
            await self._keep_guild()
            for guild in self.guilds:
                await self.sync(guild)

    async def on_resumed(self) -> None:
        """Go on."""
        await self.on_ready()

    async def on_disconnect(self) -> None:
        """Wait for discord.py to connect again."""
        if self._connection_state.state == "ready":
            self._connection_state.state = "connecting"

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Register the commands in a guild that the bot was invited to."""
        self.on_change()
        with self.desk.in_flight.one():
            await self._keep_guild()
            await self.sync(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Discord forgets a guild's commands with the bot; so does the bot."""
        log.warning("the bot was removed from guild %s", guild.id)
        with self.desk.in_flight.one(), _unless_unavailable():
            async with self._context.database.write() as sql:
                await settings.forget(sql, _synced(guild.id))
                await forget_command_ids(sql, guild.id)

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """A channel's permissions may have changed; bots that rename channels change none."""
        if before.overwrites != after.overwrites:
            self.on_change()

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """The bot's permissions may have changed."""
        if before.permissions != after.permissions:
            self.on_change()

    async def sync(self, guild: discord.Guild) -> None:
        """Register the commands in a guild, if they are not what it was given last."""
        if self._guild_id not in (0, guild.id):
            log.info("guild %s is not the configured one: no commands there", guild.id)
            return
        self.tree.copy_global_to(guild=guild)
        payload = [command.to_dict(self.tree) for command in self.tree.get_commands(guild=guild)]
        digest = hashlib.blake2b(orjson.dumps(payload), digest_size=16).hexdigest()
        if await settings.get(self._context.read, _synced(guild.id)) == digest:
            return
        try:
            given = await self.tree.sync(guild=guild)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
            log.error("the commands could not be registered in guild %s: %s", guild.id, fault)
            return
        log.info("registered the commands in guild %s", guild.id)
        with _unless_unavailable():
            async with self._context.database.write() as sql:
                await settings.put(sql, _synced(guild.id), digest)
                await keep_command_ids(sql, guild.id, given)

    async def _keep_guild(self) -> None:
        """Keep which guild links lead to: the configured one, or else the only one."""
        guilds = [self._guild_id] if self._guild_id else [guild.id for guild in self.guilds]
        if len(guilds) == 1:
            with _unless_unavailable():
                async with self._context.database.write() as sql:
                    await names.keep_guild(sql, guilds[0])

    async def _stay_connected(self) -> None:
        """Be connected for good; what discord.py does not foresee is another connection's end."""
        while not self.is_closed():
            try:
                await self.connect(reconnect=True)
            except UNREADABLE as fault:
                log.warning("Discord's gateway said what cannot be read: %r", fault)
                await self.on_disconnect()
                if self.ws is not None:
                    await self.ws.close()
                await asyncio.sleep(UNREADABLE_RETRY)

    async def _log_in(self, token: str) -> None:
        delay = 1.0
        while True:
            try:
                await self.login(token)
            except discord.LoginFailure:
                raise
            except (
                discord.HTTPException,
                aiohttp.ClientError,
                OSError,
                TimeoutError,
                *UNREADABLE,
            ) as fault:
                log.warning("Discord cannot be reached, trying again in %.0f s: %s", delay, fault)
                await self.http.close()
                # The closed session took its connector along; discord.py would use it again.
                self.http.connector = discord.utils.MISSING
                await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load
                delay = min(LONGEST_RETRY, delay * 2)
            else:
                return

    def _refused(self, reason: str) -> None:
        self._connection_state.state = "refused"
        log.error("%s", reason)


@contextmanager
def _unless_unavailable() -> Iterator[None]:
    """Go without a note that cannot be stored; the next connection makes it again."""
    try:
        yield
    except StorageUnavailable as fault:
        log.warning("something about the guild could not be stored: %s", fault)


def _synced(guild_id: int) -> str:
    """Return the setting that holds the digest of a guild's commands."""
    return f"discord.commands.{guild_id}"
