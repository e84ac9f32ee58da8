"""The Discord client: knows the commands and buttons, and what follows from Discord's events."""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import aiohttp
import discord
from discord.ext import commands

from cogs.command_sync import CommandSync
from cogs.command_tree import SentinelTree
from cogs.commands import alerts, cad, incidents, links
from cogs.commands.admin import audit
from cogs.commands.admin.drills import DrillCommands
from cogs.commands.admin.pause import PauseCommands
from cogs.commands.admin.redact import RedactCommands
from cogs.commands.admin.route import RouteCommands
from cogs.commands.admin.status import RuntimeStatus, StatusCommands
from cogs.commands.crimes import CrimeCommands
from cogs.commands.help import HelpCommands
from cogs.commands.open_card import CardOpener
from cogs.commands.properties import access, drones, equipment, removals
from cogs.commands.properties import lists as property_lists
from cogs.commands.properties import property as properties
from cogs.commands.properties.decisions import PropertyDecisions
from cogs.commands.properties.visitors import VisitorCommands
from cogs.connection import DiscordConnection, DiscordStatus
from cogs.debounce import Debounce
from cogs.delivery.explain import Routes
from cogs.delivery.outage import GATEWAY
from cogs.delivery.rest.errors import trace_answers
from cogs.routing.layout import single_id
from cogs.routing.setup_health import SetupHealth, find_channel
from cogs.routing.stored import RoutingStore
from cogs.routing.troubles import Troubles
from cogs.setup.greeting import Greeting
from cogs.setup.wizard import SetupWizard
from cogs.ui.buttons import Buttons
from cogs.ui.modals import Forms
from cogs.ui.pages import PageTurner
from cogs.ui.responder import Responder, SentinelClient, SentinelCog
from webhook.protocol.context import Context
from webhook.queries.audit import count_undelivered

SYNC_RETRY = 10.0
"""Seconds until commands are registered again after a fault that is not Discord's."""

CHANGE_INTERVAL = 5.0
"""Seconds between two looks at what changed in Discord, as many things can change at once."""

LISTS = (
    access.lists
    | alerts.lists
    | audit.lists
    | cad.lists
    | drones.lists
    | equipment.lists
    | incidents.lists
    | links.lists
    | property_lists.lists
    | removals.lists
)
"""Every list that is shown in pages."""

log = logging.getLogger(__name__)


class SentinelBot(SentinelClient):
    """The bot.

    `on_login` is called once requests can be sent, `on_change` when channels, roles or permissions
    changed, so that what waits may be possible now.
    """

    def __init__(
        self,
        context: Context,
        responder: Responder,
        discord_status: DiscordStatus,
        routes: Routes,
        routing_store: RoutingStore,
        runtime_status: RuntimeStatus,
        setup: SetupWizard,
        troubles: Troubles,
        *,
        proxy: str | None,
        on_login: Callable[[], None],
        on_change: Callable[[], None],
    ) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=discord.Intents(guilds=True),
            help_command=None,
            tree_cls=SentinelTree,
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=trace_answers(runtime_status.clock),
            proxy=proxy,
        )
        self.responder = responder
        self.setup_health = SetupHealth(lambda: self.guilds if self._has_looked else None)
        troubles.add(self.setup_health.troubles)
        self._discord_status = discord_status
        self._outage = runtime_status.outage
        self.connection = DiscordConnection(self, discord_status, self._outage, on_login)
        self._context = context
        self._has_looked = False
        self._sync = CommandSync(self.tree, context)
        troubles.add(self._sync.troubles)
        self._sync_due = asyncio.Event()
        self._registering: asyncio.Task[None] | None = None
        runtime_status.register_commands = lambda: self.register_commands(self.guilds)
        self._greeting = Greeting(context)
        self._change = Debounce(CHANGE_INTERVAL, self._check_setup)
        self._on_change = on_change
        self._our_cogs: list[commands.Cog] = [
            properties.PropertyCommands(responder),
            PropertyDecisions(responder),
            equipment.EquipmentCommands(responder),
            access.AccessCommands(responder),
            drones.DroneCommands(responder),
            removals.RemovalCommands(responder),
            VisitorCommands(responder),
            CrimeCommands(responder),
            alerts.AlertCommands(responder),
            cad.CadCommands(responder),
            cad.EmergencyCommand(responder),
            incidents.IncidentButtons(responder),
            links.LinkCommands(responder),
            audit.AuditCommands(responder),
            StatusCommands(responder, runtime_status, troubles),
            HelpCommands(responder, self.tree),
            RouteCommands(responder, routes, routing_store),
            PauseCommands(responder, routing_store),
            DrillCommands(responder, routes, runtime_status),
            RedactCommands(responder, runtime_status, self),
            setup,
        ]
        self._buttons = Buttons(
            responder, [*self._our_cogs, PageTurner(responder, LISTS), CardOpener(responder)]
        )
        self._forms = Forms(responder, self._our_cogs)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Start the handlers of an event; after `close` discord.py has nowhere to run them."""
        if not self.is_closed():
            super().dispatch(event_name, *args, **kwargs)

    async def setup_hook(self) -> None:
        if not self.cogs:
            for cog in self._our_cogs:
                await self.add_cog(cog)
                for menu in cog.context_menus if isinstance(cog, SentinelCog) else ():
                    self.tree.add_command(menu)

    async def apply_layout(self) -> None:
        """Check the channels and register the commands as `setup_health.layout` says now."""
        if self.is_ready():
            await self._open_threads()
            self._change.note()
            self._sync_due.set()

    async def close(self) -> None:
        """Leave Discord; a registration of commands that waits is given up."""
        if self._registering is not None:
            self._registering.cancel()
            await asyncio.wait({self._registering})
        await super().close()

    # Events of discord.py

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Hand on presses of buttons and menus, and forms; discord.py hands on the commands."""
        if interaction.type is discord.InteractionType.component:
            await self._buttons.press(interaction)
        elif interaction.type is discord.InteractionType.modal_submit:
            await self._forms.submit(interaction)

    async def on_ready(self) -> None:
        self._discord_status.state = "ready"
        log.info("connected to Discord as %s; servers: %s", self.user, len(self.guilds))
        await self._open_threads()
        self._change.act()
        self._sync_due.set()
        if self._registering is None:
            self._registering = asyncio.create_task(self._keep_registered(), name="commands")
        self._outage.end(GATEWAY, await count_undelivered(self._context))
        self.responder.in_flight.track()
        await self._greeting.greet(self, self.setup_health.layout)

    on_resumed = on_ready

    async def on_disconnect(self) -> None:
        self.connection.lose_connection()

    async def on_guild_join(self, _: discord.Guild) -> None:
        self._change.act()
        self._sync_due.set()
        self.responder.in_flight.track()
        await self._greeting.greet(self, self.setup_health.layout)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        log.warning("the bot was removed from server %s", guild.id)
        self._change.act()
        self.responder.in_flight.track()
        await self._sync.forget(guild)

    async def on_guild_available(self, _: object) -> None:
        self._change.note()
        self._sync_due.set()

    async def on_guild_role_delete(self, _: object) -> None:
        self._change.note()

    on_guild_channel_create = on_guild_channel_delete = on_guild_role_delete

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        # Bots that rename channels change neither.
        if before.overwrites != after.overwrites or before.type != after.type:
            self._change.note()

    async def on_thread_update(self, _before: discord.Thread, after: discord.Thread) -> None:
        if after.id in self.setup_health.channels:
            await self._open_threads()
            self._change.note()

    async def on_thread_join(self, thread: discord.Thread) -> None:
        if thread.id in self.setup_health.channels:
            self._change.note()

    async def on_raw_thread_delete(self, deleted: discord.RawThreadDeleteEvent) -> None:
        if deleted.thread_id in self.setup_health.channels:
            self.setup_health.threads.discard(deleted.thread_id)
            self._change.note()

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.permissions != after.permissions or before.mentionable != after.mentionable:
            self._change.note()

    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Notice what the bot itself was given or denied; Discord sends no other members'."""
        is_changed = before.roles != after.roles or before.is_timed_out() != after.is_timed_out()
        if self.user is not None and after.id == self.user.id and is_changed:
            self._change.note()

    # What follows from them

    async def _open_threads(self) -> None:
        """Open the archived threads that something is posted to, which discord.py forgets.

        Discord archives a thread in which nothing was written for some days.
        """
        for channel_id in self.setup_health.channels:
            known = find_channel(self.guilds, channel_id)
            try:
                thread = known or await self.fetch_channel(channel_id)
                if isinstance(thread, discord.Thread):
                    self.setup_health.threads.add(channel_id)
                    if thread.archived:
                        await thread.edit(archived=False)
            except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
                log.debug("channel %s is not there, or stays archived: %s", channel_id, fault)
        self._has_looked = True

    def _check_setup(self) -> None:
        """Have what waits tried again, and what is wrong told."""
        if not self.is_closed():
            self._on_change()

    async def _keep_registered(self) -> None:
        """Register the commands whenever something changed, and again after a failure."""
        while True:
            self._sync_due.clear()
            try:
                wait = await self._sync.sync_all(self.guilds, self._configured_guild())
            except Exception:
                log.exception("the commands could not be registered, trying again")
                wait = SYNC_RETRY
            with suppress(TimeoutError):
                async with asyncio.timeout(wait if wait != math.inf else None):
                    await self._sync_due.wait()

    async def register_commands(self, guilds: Sequence[discord.Guild]) -> list[str]:
        """Register the commands whatever Discord has; return what failed."""
        failed = await self._sync.register_anew(guilds, self._configured_guild())
        self._sync_due.set()
        return failed

    def _configured_guild(self) -> int:
        return single_id(self.setup_health.layout, "guild_id")
