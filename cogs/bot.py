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

from cogs.commands import access, alerts, audit, drones, equipment, properties, removals
from cogs.commands.cad import CadCommands
from cogs.commands.crimes import CrimeCommands
from cogs.commands.help import HelpCommands, forget_command_ids, keep_command_ids
from cogs.commands.links import LinkCommands
from cogs.commands.route import RouteCommands, Routes
from cogs.commands.status import RuntimeStatus, StatusCommands
from cogs.commands.visitors import VisitorCommands
from cogs.delivery.discord_errors import trace_429s
from cogs.i18n.language import using_locale
from cogs.i18n.translator import CommandTranslator
from cogs.routing.layout import Layout, single_id
from cogs.routing.setup_health import SetupHealth
from cogs.setup import Setup
from cogs.ui import names
from cogs.ui.buttons import CardButton, Control
from cogs.ui.pages import PageButton
from cogs.ui.responder import Responder
from db import settings
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.protocol.messages import to_sentinel_error

LONGEST_RETRY = 300.0

TOKEN_REFUSED = 4004
"""The gateway's close code for a token that does not hold, or no longer does."""

WRONG_TOKEN = "Discord refuses the token; make a new one and put it into [discord]"  # noqa: S105

UNREADABLE = (ValueError, KeyError, TypeError)
"""What discord.py raises on an answer that was cut short, or is not Discord's."""

UNREADABLE_RETRY = 5.0

SETTLING = 5.0
"""Seconds between two calls of `on_change`, as many things can change at once."""

log = logging.getLogger(__name__)


@dataclass
class DiscordStatus:
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
        with using_locale(interaction.locale.value):
            await self.client.responder.report_error(interaction, to_sentinel_error(fault))


class SentinelBot(commands.Bot):
    """The bot. `on_login` is called once requests can be sent, `on_change` when rights change."""

    def __init__(
        self,
        context: Context,
        responder: Responder,
        connection: DiscordStatus,
        routes: Routes,
        vitals: RuntimeStatus,
        setup: Setup,
    ) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=discord.Intents(guilds=True),
            help_command=None,
            tree_cls=SentinelTree,
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=trace_429s(),
        )
        self.responder = responder
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
        self.controls = setup.controls
        self.setup_health = SetupHealth(lambda: self.guilds)
        self._context = context
        self._routes = routes
        self._vitals = vitals
        self._setup = setup
        self._looked_at = 0.0
        self._settling: asyncio.TimerHandle | None = None
        self._connection_state = connection
        self._translator = CommandTranslator()
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
        await self.tree.set_translator(self._translator)
        if not self.cogs:
            await self.add_cog(properties.PropertyCommands(self.responder))
            await self.add_cog(equipment.EquipmentCommands(self.responder))
            await self.add_cog(access.AccessCommands(self.responder))
            await self.add_cog(drones.DroneCommands(self.responder))
            await self.add_cog(removals.RemovalCommands(self.responder))
            await self.add_cog(VisitorCommands(self.responder))
            await self.add_cog(CrimeCommands(self.responder))
            await self.add_cog(alerts.AlertCommands(self.responder))
            await self.add_cog(CadCommands(self.responder))
            await self.add_cog(LinkCommands(self.responder))
            await self.add_cog(audit.AuditCommands(self.responder))
            await self.add_cog(StatusCommands(self.responder, self._vitals))
            await self.add_cog(HelpCommands(self.responder))
            await self.add_cog(RouteCommands(self.responder, self._routes, self._context.zone))
            await self.add_cog(self._setup)
            self.add_dynamic_items(CardButton, PageButton, Control)

    async def on_ready(self) -> None:
        """Register the commands in every guild where they changed."""
        self._connection_state.state = "ready"
        log.info("connected to Discord as %s, in %s guilds", self.user, len(self.guilds))
        self._look()
        with self.responder.in_flight.track():
            await self.register()

    async def register(self) -> None:
        """Register the commands where they belong and are not."""
        await self._keep_guild()
        for guild in self.guilds:
            await self.sync(guild)

    async def use(self, layout: Layout) -> None:
        """Go by another layout."""
        self.setup_health.layout = layout
        if self.is_ready():
            self._note_change()
            await self.register()

    async def on_resumed(self) -> None:
        """Go on."""
        await self.on_ready()

    async def on_disconnect(self) -> None:
        """Wait for discord.py to connect again."""
        if self._connection_state.state == "ready":
            self._connection_state.state = "connecting"

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Register the commands in a guild that the bot was invited to."""
        self._look()
        with self.responder.in_flight.track():
            await self._keep_guild()
            await self.sync(guild)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Discord forgets a guild's commands with the bot; so does the bot."""
        log.warning("the bot was removed from guild %s", guild.id)
        self._look()
        with self.responder.in_flight.track(), _unless_unavailable():
            async with self._context.database.write() as sql:
                await settings.forget(sql, _synced(guild.id))
                await forget_command_ids(sql, guild.id)

    async def on_guild_available(self, _: discord.Guild) -> None:
        """Discord's outage is over for a guild."""
        self._note_change()

    async def on_guild_channel_create(self, _: discord.abc.GuildChannel) -> None:
        """A channel may be there that was not."""
        self._note_change()

    async def on_guild_channel_delete(self, _: discord.abc.GuildChannel) -> None:
        """A channel may be gone that is posted to."""
        self._note_change()

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        """A channel's permissions may have changed; bots that rename channels change none."""
        if before.overwrites != after.overwrites:
            self._note_change()

    async def on_guild_role_delete(self, _: discord.Role) -> None:
        """A role may be gone that allows something."""
        self._note_change()

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """The bot's permissions may have changed."""
        if before.permissions != after.permissions or before.mentionable != after.mentionable:
            self._note_change()

    def _note_change(self) -> None:
        """Look what works now: at once, and then once for all that changes meanwhile."""
        if self._settling is None:
            loop = asyncio.get_running_loop()
            due = max(loop.time(), self._looked_at + SETTLING)
            self._settling = loop.call_at(due, self._look)

    def _look(self) -> None:
        """Tell what works no more, and have what waits tried again."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self._looked_at = asyncio.get_running_loop().time()
        if not self.is_closed():
            self.setup_health.log_changes()
            self.on_change()

    async def sync(self, guild: discord.Guild) -> None:
        """Register the commands in a guild, if they are not what it was given last."""
        is_meant = single_id(self.setup_health.layout, "guild_id") in (0, guild.id)
        if is_meant:
            self.tree.copy_global_to(guild=guild)
        else:
            log.info("guild %s is not the configured one: no commands there", guild.id)
            self.tree.clear_commands(guild=guild)
        payload = [
            await command.get_translated_payload(self.tree, self._translator)
            for command in self.tree.get_commands(guild=guild)
        ]
        # With the bot Discord forgets its commands; invited again, it has joined at another time.
        joined_at = guild.me.joined_at if guild.me is not None else None
        digest = hashlib.blake2b(orjson.dumps([payload, joined_at]), digest_size=16).hexdigest()
        known = await settings.get(self._context.read, _synced(guild.id))
        if known == digest or (known is None and not is_meant):
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
        only = single_id(self.setup_health.layout, "guild_id")
        guilds = [only] if only else [guild.id for guild in self.guilds]
        if len(guilds) == 1:
            with _unless_unavailable():
                async with self._context.database.write() as sql:
                    await names.store_guild(sql, guilds[0])

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
