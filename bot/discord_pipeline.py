"""The Discord side: the bot if there is one, and what brings events to people."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import discord
from discord.gateway import DiscordWebSocket
from yarl import URL

from bot.again import again_and_again
from bot.discord_settings import (
    apply_setup,
    build_role_scopes,
    build_router,
    channels_in_use,
    escalation_plan,
    layout_of,
)
from bot.settings import DiscordSettings, Settings
from cogs.bot import DiscordStatus, SentinelBot
from cogs.commands.status import RuntimeStatus
from cogs.delivery.channel_queue import Delivery, DeliveryContext, Pace
from cogs.delivery.explain import Routes
from cogs.delivery.follower import Follower
from cogs.delivery.messenger import DiscordMessenger, LogMessenger
from cogs.delivery.references import instance_name
from cogs.escalation import AlarmEscalation
from cogs.routing.layout import choices
from cogs.setup.wizard import SetupWizard
from cogs.ui.permissions import RoleScopes
from cogs.ui.responder import Responder
from webhook.cad.silence import LastPush
from webhook.protocol.context import Context
from webhook.protocol.metrics import Metrics

FINISHING = 10.0
"""Seconds that deliveries in flight have at shutdown."""

CHANGING_OVER = 2.0
"""Seconds until the choices of /setup are taken up after storage could not be read."""

FOLLOWING = 30.0
"""Seconds until the follower goes on after a mistake that is no single event's."""

MINUTE = 60 * 1000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Line:
    """What brings events to people, as things are set up at a time."""

    delivery: Delivery
    follower: Follower


class DiscordSide:
    """What brings events to people, and the bot if there is one.

    When somebody chooses something in /setup, the line is stopped in order, what is in flight
    ends, and another one that `lay` builds goes on where it stopped: both know from the database
    what is still to do.
    """

    def __init__(
        self,
        bot: SentinelBot | None,
        token: str,
        line: Line,
        lay: Callable[[], Awaitable[Line]],
        logged_in: asyncio.Event,
        chosen: asyncio.Event,
    ) -> None:
        self._bot = bot
        self._token = token
        self._line = line
        self._lay = lay
        self._logged_in = logged_in
        self._chosen = chosen

    @property
    def closed_channels(self) -> list[str]:
        """What the channels are called that the bot could not post to when it tried last."""
        return self._line.delivery.closed

    def look(self) -> None:
        """Look whether there is something to show that nobody published."""
        self._line.follower.wake()

    def retry(self) -> None:
        """Have what waits be tried again at once."""
        self._line.delivery.retry()

    async def refresh_board(self) -> None:
        """Have the board shown again."""
        await self._line.follower.refresh_board()

    def start(self, group: asyncio.TaskGroup) -> None:
        """Connect, follow and deliver."""
        self._begin(group)
        self._connecting = group.create_task(self._connect(), name="discord")
        change_over = partial(self._change_over, group)
        self._changing = group.create_task(
            again_and_again(change_over, CHANGING_OVER), name="set-up"
        )

    async def finish(self) -> None:
        """Let deliveries in flight end, then leave Discord."""
        self._changing.cancel()
        await asyncio.wait({self._changing})
        self._following.cancel()
        self._line.delivery.stop()
        self._logged_in.set()
        await asyncio.wait({self._delivering}, timeout=FINISHING)
        self._delivering.cancel()
        if self._bot is not None:
            # Nothing new is heard from Discord; what was heard is answered before the bot leaves.
            self._connecting.cancel()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._bot.responder.in_flight.wait_idle(), FINISHING)
            await self._bot.close()
            # discord.py can miss that it is cancelled, but not that it is closed.
            await asyncio.wait({self._connecting}, timeout=FINISHING)
            self._connecting.cancel()

    def _begin(self, group: asyncio.TaskGroup) -> None:
        follow = again_and_again(self._line.follower.run, FOLLOWING)
        self._following = group.create_task(follow, name="follower")
        self._delivering = group.create_task(self._deliver(self._line.delivery), name="delivery")

    async def _change_over(self, group: asyncio.TaskGroup) -> None:
        """Once something is chosen, go on with another line; the old one has ended before."""
        while True:
            await self._chosen.wait()
            self._chosen.clear()
            try:
                line = await self._lay()
            except Exception:
                self._chosen.set()
                raise
            self._following.cancel()
            self._line.delivery.stop()
            await asyncio.wait({self._following, self._delivering})
            self._line = line
            self._begin(group)
            log.info("the choices of /setup are in use")

    async def _connect(self) -> None:
        if self._bot is not None:
            await self._bot.run_until_cancelled(self._token)

    async def _deliver(self, delivery: Delivery) -> None:
        """Deliver, once requests can be sent."""
        await self._logged_in.wait()
        await delivery.run()


@dataclass(frozen=True)
class Shared:
    """What the Discord side shares with the rest of the program."""

    context: Context
    connection: DiscordStatus
    pace: Pace
    metrics: Metrics
    vitals: RuntimeStatus
    alarms: AlarmEscalation
    last_push: LastPush


async def discord_side_of(settings: Settings, shared: Shared) -> DiscordSide:
    """Build the Discord side; without a token, what Discord would show goes into the log."""
    file, context, vitals = settings.discord, shared.context, shared.vitals
    logged_in, chosen_anew = asyncio.Event(), asyncio.Event()
    bot = None
    messenger: DiscordMessenger | LogMessenger = LogMessenger()
    pace = shared.pace
    responder = Responder(context, RoleScopes({}))
    routes = Routes(build_router(file, context.zone), frozenset())

    def retry() -> None:
        side.retry()

    if file.token:
        point_discord_at(file)
        setup = SetupWizard(
            responder,
            context,
            layout_of(file),
            settings.http.port,
            shared.last_push,
            chosen_anew.set,
        )
        shared.last_push.on_first = setup.note_first
        bot = SentinelBot(
            context,
            responder,
            shared.connection,
            routes,
            vitals,
            setup,
            on_login=logged_in.set,
            on_change=retry,
        )
        messenger = DiscordMessenger(bot)
    else:
        logged_in.set()
        pace = replace(pace, full=pace.feed)  # nobody else keeps a storm from filling the log
        log.info("Discord is off: what it would show is written here")

    unconfirmed = set[str]()

    async def lay() -> Line:
        """Go by what the file and /setup say now."""
        chosen = apply_setup(file, await choices(context.read))
        places, router = channels_in_use(chosen), build_router(chosen, context.zone)
        if not places:
            log.warning("no channel is configured, nothing will be posted: type /setup in Discord")
        responder.roles = build_role_scopes(chosen)
        routes.router, routes.in_use = router, frozenset(places)
        shared.alarms.reconfigure(escalation_plan(settings.alarms, chosen), router)
        vitals.places.clear()
        vitals.places.update(places)
        if bot is not None:
            await bot.apply_layout(layout_of(chosen))
        instance = await instance_name(context.database)
        feed_age = file.feed_age_minutes * MINUTE
        delivery = Delivery(
            DeliveryContext(
                context.database,
                messenger,
                pace,
                instance,
                vitals.started_at,
                feed_age,
                shared.metrics,
                unconfirmed,
                vitals.closed,
            ),
            places,
        )
        in_use = frozenset(places)
        follower = Follower(
            context.database, context.bus, in_use, delivery.wake, router, shared.metrics
        )
        return Line(delivery, follower)

    side = DiscordSide(bot, file.token, await lay(), lay, logged_in, chosen_anew)
    return side


def point_discord_at(settings: DiscordSettings) -> None:
    """Point discord.py at another server than Discord's, where the configuration says so."""
    if settings.api_url:
        discord.http.Route.BASE = settings.api_url
    if settings.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.gateway_url)
