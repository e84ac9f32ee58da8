"""The bot, and the pipeline of follower and delivery that brings events to Discord."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from typing import NamedTuple
from urllib.request import getproxies, proxy_bypass
from zoneinfo import ZoneInfo

import discord
from discord.gateway import DiscordWebSocket
from yarl import URL

from bot.background import run_periodically
from bot.called_roles import called_roles
from bot.discord_settings import (
    apply_setup,
    build_role_scopes,
    build_router,
    channels_in_use,
    checked_rule,
    effective_texts,
    escalation_plan,
    file_texts,
    game_server_access,
    layout_of,
    threaded_channels,
    with_rules,
)
from bot.settings import DiscordSettings, Settings
from cogs.bot import SentinelBot
from cogs.commands.admin.status import RuntimeStatus
from cogs.connection import DiscordStatus
from cogs.delivery.delivery import Delivery
from cogs.delivery.delivery_context import DeliveryContext, Pace, PostedBefore
from cogs.delivery.explain import Routes
from cogs.delivery.follower import Follower
from cogs.delivery.rest.messenger import DiscordMessenger, LogMessenger, Messenger
from cogs.escalation import AlarmEscalation
from cogs.i18n.language import set_language
from cogs.routing.community import CommunityTexts, CommunityZone, chosen_texts
from cogs.routing.layout import Layout, choices, merged_layout
from cogs.routing.stored import RoutingStore, StoredRouting, stored_routing
from cogs.routing.troubles import Troubles
from cogs.routing.visibility import CalledRole
from cogs.setup.wizard import SetupWizard
from cogs.trouble_reports import TroubleReports
from cogs.ui.permissions import RoleScopes
from cogs.ui.responder import Responder
from db.errors import StorageUnavailable
from webhook.protocol.context import Context
from webhook.protocol.metrics import Metrics

FINISHING = 10.0
"""Seconds that deliveries in flight have at shutdown."""

STORAGE_RETRY = 2.0
"""Seconds until the choices of /setup are read again after storage could not be read."""

REPORT_RETRY = 10.0
"""Seconds until troubles are told after that failed."""

FOLLOW_RETRY = 30.0
"""Seconds until the follower goes on after a mistake that is no single event's."""

DISCORD_HOST = "discord.com"

SECOND = 1000
MINUTE = 60 * SECOND

log = logging.getLogger(__name__)


class DiscordPipeline(NamedTuple):
    """What brings events to Discord under the settings of its time."""

    follower: Follower
    delivery: Delivery


class DiscordService:
    """The bot, if there is a token, and the pipeline that brings events to Discord.

    A choice in /setup replaces the pipeline before it is answered: the new one applies every event
    from then on, and delivers once the old one has finished its messages in flight. Both know from
    the database what is still to do. Without a token, what Discord would show goes into the log.
    """

    def __init__(
        self,
        settings: Settings,
        context: Context,
        pace: Pace,
        metrics: Metrics,
        connection: DiscordStatus,
        status: RuntimeStatus,
        alarms: AlarmEscalation,
        troubles: Troubles,
        *,
        chosen: Layout,
        stored: StoredRouting,
        posted_before: PostedBefore,
        texts: CommunityTexts,
    ) -> None:
        """Build the bot and the first pipeline; nothing runs yet.

        `chosen`: what /setup stored; `texts`: the language and the time zone that count.
        """
        self._settings = settings
        self._context = context
        self._pace = pace
        self._metrics = metrics
        self._status = status
        self._alarms = alarms
        self._troubles = troubles
        self.reports = TroubleReports(
            context, troubles, pace.settle, lambda: status.channels.get("log"), self.wake
        )
        self._posted_before = posted_before
        self._logged_in = asyncio.Event()
        self._replacing = asyncio.Lock()
        self._is_stopping = False
        self._unconfirmed: dict[str, float] = {}
        status.deliver = self._deliver_now
        self._called_roles: list[CalledRole] = []
        self._responder = Responder(context, RoleScopes({}))
        self._routes = Routes(build_router(settings.discord, context.zone), frozenset())
        self._routing_store = RoutingStore(
            checked_rule, lambda: self._routes.router.rules, self._apply_choices
        )
        self._messenger: Messenger = LogMessenger()
        self._bot: SentinelBot | None = None
        if settings.discord.token:
            self._bot = self._build_bot(connection)
            self._messenger = DiscordMessenger(self._bot, publishes=settings.discord.publish)
        else:
            self._logged_in.set()
            # Nobody else keeps a storm from filling the log.
            self._pace = replace(pace, full=pace.feed)
            log.info("Discord is off: what it would show is written here")
        self._pipeline = self._build_pipeline(chosen, texts, stored)

    def wake(self) -> None:
        """Deliver what is in the database but was not published."""
        self._pipeline.follower.wake()

    def retry(self) -> None:
        """Try again at once to deliver what waits."""
        self._pipeline.delivery.retry()

    def _deliver_now(self, channels: Collection[str]) -> None:
        self._pipeline.delivery.wake(channels)

    async def refresh_board(self) -> None:
        await self._pipeline.follower.refresh_board()

    def _on_change(self) -> None:
        """Go by what changed in Discord: try again, and say what is wrong now."""
        self.retry()
        self.reports.note_change()

    async def register_commands(self) -> list[str]:
        """Log in, register the commands anew and leave; return what failed.

        Raises:
            discord.DiscordException, aiohttp.ClientError, OSError: Discord does not let the bot in.
        """
        if self._bot is None:
            return ["[discord] has no token"]
        async with self._bot as bot:
            await bot.login(self._settings.discord.token)
            guilds = [guild async for guild in bot.fetch_guilds()]
            return await bot.register_commands(guilds)

    def start(self, group: asyncio.TaskGroup) -> None:
        """Connect, follow and deliver."""
        self._group = group
        self._start_pipeline()
        reporting = run_periodically(self.reports.run, REPORT_RETRY)
        self._reporting = group.create_task(reporting, name="troubles")
        if self._bot is not None:
            connecting = self._bot.connection.run_until_cancelled(self._settings.discord.token)
            self._connecting = group.create_task(connecting, name="discord")

    async def finish(self) -> None:
        """Finish deliveries in flight, then leave Discord."""
        self._is_stopping = True
        self._reporting.cancel()
        self._following.cancel()
        self._pipeline.delivery.stop()
        self._logged_in.set()
        await asyncio.wait({self._delivering}, timeout=FINISHING)
        self._delivering.cancel()
        if self._bot is not None:
            # Nothing new is received from Discord; what was received is answered before it leaves.
            self._connecting.cancel()
            in_flight = self._bot.responder.in_flight
            with suppress(TimeoutError):
                await asyncio.wait_for(in_flight.wait_idle(), FINISHING)
            await self._bot.close()
            # discord.py can miss that it is cancelled, but not that it is closed.
            await asyncio.wait({self._connecting}, timeout=FINISHING)
            self._connecting.cancel()
            # What it began in between must end before the database is closed.
            with suppress(TimeoutError):
                await asyncio.wait_for(in_flight.wait_idle(), FINISHING)

    def _build_bot(self, connection: DiscordStatus) -> SentinelBot:
        point_discord_at(self._settings.discord)
        alarms = self._settings.alarms
        setup = SetupWizard(
            self._responder,
            self._context,
            layout_of(self._settings),
            file_texts(self._settings),
            (alarms.call_after_minutes, alarms.call_supervisor_after_minutes),
            self._settings.http.port,
            bool(self._settings.cad.keys),
            self._status.last_push,
            game_server_access(self._settings),
            self._status.game_servers,
            self._status.outbox,
            self._called_roles,
            self._apply_choices,
        )
        return SentinelBot(
            self._context,
            self._responder,
            connection,
            self._routes,
            self._routing_store,
            self._status,
            setup,
            self._troubles,
            proxy=discord_proxy(self._settings.discord),
            on_login=self._logged_in.set,
            on_change=self._on_change,
        )

    def _build_pipeline(
        self, chosen: Layout, texts: CommunityTexts, stored: StoredRouting
    ) -> DiscordPipeline:
        """Build what the file and `/setup` ask for; commands and alarms follow them as well."""
        context = self._context
        if isinstance(context.zone, CommunityZone):
            context.zone.zone = ZoneInfo(texts.timezone)
        self._responder.language = self.reports.language = texts.language
        settings = with_rules(apply_setup(self._settings, chosen), stored)
        effective = settings.discord
        channels = channels_in_use(effective)
        router = build_router(effective, context.zone, stored)
        in_use = frozenset(channels)
        if not channels:
            log.warning("no channel is configured, nothing will be posted: type /setup in Discord")
        self._responder.roles = build_role_scopes(effective)
        self._routes.router, self._routes.in_use = router, in_use
        self._alarms.reconfigure(escalation_plan(settings.alarms, effective), router)
        self._called_roles[:] = called_roles(settings.alarms, effective)
        self._status.channels.clear()
        self._status.channels.update(channels)
        if self._bot is not None:
            self._bot.setup_health.layout = merged_layout(layout_of(self._settings), chosen)
            self._bot.setup_health.called_roles = self._called_roles
            self._bot.setup_health.rule_channels = {
                rule.channel: rule.name for rule in reversed(router.rules) if rule.channel
            }
            self._bot.setup_health.thread_rules = threaded_channels(effective)
        delivery = Delivery(
            DeliveryContext(
                context.database,
                self._messenger,
                self._pace,
                self._posted_before,
                self._status.clock,
                settings.discord.feed_age_minutes * MINUTE,
                self._metrics,
                self._unconfirmed,
                self._status.hindered,
                self._status.outage,
                ping_within=settings.discord.ping_within_seconds * SECOND,
            ),
            channels,
        )
        follower = Follower(
            context.database, context.bus, in_use, delivery.wake, router, self._metrics
        )
        return DiscordPipeline(follower, delivery)

    def _start_pipeline(self, previous: asyncio.Task[None] | None = None) -> None:
        """Follow and deliver once the `previous` pipeline has delivered what was in flight."""
        follower, delivery = self._pipeline
        # Started by somebody's choice, they would speak that member's language.
        language = copy_context()
        language.run(set_language, self._responder.language)
        following = self._follow(follower, previous)
        self._following = self._group.create_task(following, name="follower", context=language)
        delivering = self._deliver(delivery, previous)
        self._delivering = self._group.create_task(delivering, name="delivery", context=language)

    async def _apply_choices(self) -> None:
        """Go by the choices of `/setup`: no event is applied by earlier ones after this."""
        async with self._replacing:
            pipeline = self._build_pipeline(*await self._read_choices())
            self._following.cancel()
            await asyncio.wait({self._following})
            if self._is_stopping:
                return
            self._pipeline.delivery.stop()
            self._pipeline = pipeline
            self._start_pipeline(self._delivering)
        log.info("the choices of /setup are in use")
        if self._bot is not None:
            await self._bot.apply_layout()

    async def _read_choices(self) -> tuple[Layout, CommunityTexts, StoredRouting]:
        read = self._context.read
        while True:
            try:
                texts = effective_texts(self._settings, await chosen_texts(read))
                return await choices(read), texts, await stored_routing(read)
            except StorageUnavailable as fault:
                if self._is_stopping:
                    raise
                log.warning("the choices of /setup wait for storage: %s", fault)
                await asyncio.sleep(STORAGE_RETRY)

    async def _follow(self, follower: Follower, previous: asyncio.Task[None] | None) -> None:
        if previous is not None:
            await asyncio.wait({previous})  # awaited itself, it would be cancelled along with this
        await run_periodically(follower.run, FOLLOW_RETRY)

    async def _deliver(self, delivery: Delivery, previous: asyncio.Task[None] | None) -> None:
        """Deliver, once requests can be sent; cancelling this cancels `previous` too."""
        if previous is not None:
            await previous
        await self._logged_in.wait()
        await delivery.run()


def discord_proxy(settings: DiscordSettings) -> str | None:
    """Return the proxy to Discord: the configured one, or else the machine's own."""
    host = URL(discord.http.Route.BASE).host or ""
    if settings.proxy or host != DISCORD_HOST or proxy_bypass(host):
        return settings.proxy or None
    return getproxies().get("https")


def point_discord_at(settings: DiscordSettings) -> None:
    """Point discord.py at another server than Discord's, where the configuration says so."""
    if settings.api_url:
        discord.http.Route.BASE = settings.api_url
    if settings.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.gateway_url)
