"""Start-up and shutdown, read top to bottom."""

import asyncio
import logging
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import time
from functools import partial
from importlib.metadata import version
from zoneinfo import ZoneInfo

import discord
from discord.gateway import DiscordWebSocket
from yarl import URL

from bot import secrets
from bot.again import again_and_again
from bot.backup import Backups, keep_backed_up
from bot.certificate import Certificate
from bot.config import DiscordSettings, Settings
from bot.health import Health
from bot.layout import effective, layout_of
from bot.locks import alone_on_database, alone_with_token
from bot.measure import Measure
from bot.route import places_of, router_of
from bot.watch import Problems, Watch, Watched
from bot.watchdog import Watchdog
from cogs import names
from cogs.answers import Desk
from cogs.bot import Connection, SentinelBot
from cogs.delivery import Delivery, Outlet, Pace
from cogs.direct import FullDelivery
from cogs.follower import Follower
from cogs.language import speak
from cogs.layout import choices
from cogs.messenger import DiscordMessenger, LogMessenger
from cogs.pictures import backdrop
from cogs.references import instance_name
from cogs.roles import Roles
from cogs.route import Routes
from cogs.setup import Setup
from cogs.status import Vitals
from cogs.watch import DISPATCHERS, SUPERVISOR, AlarmWatch, Stage, Waiting
from db import community, journal, subscriptions
from db.community import EquipmentType, Tier
from db.database import Database
from webhook import cad
from webhook.app import Parts, make_app
from webhook.authentication import LOCAL, Client, Door
from webhook.bus import Bus
from webhook.cad.ageing import Keeping, forget_old
from webhook.cad.receive import Intake
from webhook.cad.silence import Heard
from webhook.channel import Limits
from webhook.context import ApprovalRules, Context, Scope, now
from webhook.events import ALL, CAD, EVENTS
from webhook.gate import Gate
from webhook.listener import Listener, affordable
from webhook.metrics import Metrics
from webhook.push import CadKey
from webhook.queries import CATALOGUE
from webhook.session import OWN_MESSAGES

FINISHING = 10.0
"""Seconds that deliveries in flight have at shutdown."""

PRUNING = 600.0
"""Seconds between two looks for events that the journal need not remember any more."""

PRUNED_AT_ONCE = 1_000

AGEING = 60.0
"""Seconds between two looks for calls and panics that are long over."""

AGED_AT_ONCE = 100

WATCHING = 10.0
"""Seconds between two looks for a silent CAD, the end of a day, storage that is back."""

CHANGING_OVER = 2.0
"""Seconds until the choices of /setup are taken up after storage could not be read."""

FOLLOWING = 30.0
"""Seconds until the follower goes on after a mistake that is no single event's."""

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * 60 * SECOND
DAY = 24 * 60 * 60 * 1000

EVENT_NAMES = frozenset({ALL, CAD, *EVENTS, *(f"{CAD}.{kind}" for kind in cad.EVENTS)})
"""What scripts can subscribe to."""

log = logging.getLogger(__name__)


async def run(
    settings: Settings,
    stop: asyncio.Event,
    started: Callable[[int], None] = lambda port: None,
    pace: Pace = Pace(),  # noqa: B008 - frozen
) -> None:
    """Run until `stop` is set, then stop in order; `started` is told the port.

    Raises:
        AlreadyRunning: another copy has the database or the Discord token.
        BadCertificate: the configured certificate cannot be used.
        StorageError: the database cannot be used.
        OSError: the port cannot be listened on.
    """
    speak(settings.community.language)
    connection, heard = Connection(), Heard()
    metrics = Metrics(cad.HANDLED_TYPES, CATALOGUE.names | OWN_MESSAGES)
    problems = Problems(metrics)
    certificate = Certificate.of(settings.http)
    async with AsyncExitStack() as stack:
        stack.enter_context(problems.counting())
        stack.enter_context(alone_on_database(settings.database.path))
        if settings.discord.token:
            stack.enter_context(alone_with_token(settings.discord.token))
        database = await stack.enter_async_context(Database.open(settings.database.path))
        await _put_on_offer(database, settings)
        context = Context(
            database,
            Bus(),
            LOCAL,
            ZoneInfo(settings.community.timezone),
            approvals=ApprovalRules(**settings.approvals.model_dump()),
        )
        context.bus.subscribe(ALL, lambda _number, _frame: metrics.published.inc())
        vitals = Vitals(
            version=version("cad-sentinel"),
            discord=lambda: connection.state,
            cads=tuple(dict.fromkeys(key.name for key in _cad_keys(settings))),
        )
        alarms = AlarmWatch(context, _waiting(settings), router_of(settings.discord, context.zone))
        parts = Shared(context, connection, pace, metrics, vitals, alarms, heard)
        discord_side = await _discord_side(settings, parts)
        watch = Watch(context, _watched(settings), heard, problems, discord_side.look)
        health = Health(
            database, connection, stop, lambda: discord_side.closed_channels, lambda: watch.silent
        )
        places = vitals.places
        measure = Measure(metrics, database, settings.database.path, connection, places)

        def hear(name: str) -> None:
            heard.note(name)
            vitals.heard[name] = context.now()

        outside = Outside(health, metrics, measure, hear)
        live_clients: Counter[str] = Counter()
        listener = await stack.enter_async_context(
            _listening(settings, context, outside, certificate, live_clients)
        )
        async with asyncio.TaskGroup() as group:

            def always(
                name: str, work: Callable[[], Awaitable[object]], pause: float
            ) -> asyncio.Task[None]:
                return group.create_task(again_and_again(work, pause), name=name)

            days = settings.database.journal_days
            background = [
                always("prune", partial(_prune, database, days, live_clients), PRUNING),
                always("age", partial(_age, context, settings, discord_side), AGEING),
                always("watch", watch.look, WATCHING),
                always("alarms", partial(alarms.run, pace.watch), WATCHING),
                always("watchdog", Watchdog(metrics.note_lag).run, WATCHING),
            ]
            if settings.database.backup_hours:
                keeping = keep_backed_up(Backups.of(settings))
                background.append(group.create_task(keeping, name="backups"))
            if certificate is not None:
                background.append(group.create_task(certificate.follow(), name="certificate"))
            discord_side.start(group)
            log.info("ready on port %s", listener.port)
            started(listener.port)
            await stop.wait()
            log.info("stopping")
            await listener.close()
            await discord_side.finish()
            for task in background:
                task.cancel()
    log.info("stopped")


@dataclass(frozen=True)
class Outside:
    """What those who look from outside are told by."""

    health: Health
    metrics: Metrics
    measure: Measure
    heard: Callable[[str], None]


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
    ) -> None:
        self._bot = bot
        self._token = token
        self._line = line
        self._lay = lay
        self._logged_in = logged_in
        self._chosen = asyncio.Event()

    @property
    def closed_channels(self) -> list[str]:
        """What the channels are called that the bot could not post to when it tried last."""
        return self._line.delivery.closed

    def look(self) -> None:
        """Look whether there is something to show that nobody published."""
        self._line.follower.look()

    def retry(self) -> None:
        """Have what waits be tried again at once."""
        self._line.delivery.retry()

    def choose(self) -> None:
        """Go on with what is chosen now."""
        self._chosen.set()

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
                await asyncio.wait_for(self._bot.desk.in_flight.ended(), FINISHING)
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
    connection: Connection
    pace: Pace
    metrics: Metrics
    vitals: Vitals
    alarms: AlarmWatch
    heard: Heard


async def _discord_side(settings: Settings, shared: Shared) -> DiscordSide:
    """Build the Discord side; without a token, what Discord would show goes into the log."""
    file, context, vitals = settings.discord, shared.context, shared.vitals
    logged_in = asyncio.Event()
    bot = None
    messenger: DiscordMessenger | LogMessenger = LogMessenger()
    desk = Desk(context, Roles({}))
    routes = Routes(router_of(file, context.zone), frozenset())
    if file.token:
        point_discord_at(file)
        setup = Setup(desk, context, layout_of(file), settings.http.port, shared.heard)
        bot = SentinelBot(context, desk, shared.connection, routes, vitals, setup)
        messenger = DiscordMessenger(bot)
    else:
        logged_in.set()
        log.info("Discord is off: what it would show is written here")

    async def lay() -> Line:
        """Go by what the file and /setup say now."""
        chosen = effective(file, await choices(context.read))
        places, router = places_of(chosen), router_of(chosen, context.zone)
        if not places:
            log.warning("no channel is configured, nothing will be posted: type /setup in Discord")
        desk.roles = _roles(chosen)
        routes.router, routes.in_use = router, frozenset(places)
        shared.alarms.use(_waiting(settings.model_copy(update={"discord": chosen})), router)
        vitals.places.clear()
        vitals.places.update(places)
        if bot is not None:
            await bot.use(layout_of(chosen))
        instance = await instance_name(context.database)
        feed_age = file.feed_age_minutes * MINUTE
        outlet = Outlet(
            context.database,
            messenger,
            shared.pace,
            instance,
            feed_age,
            shared.metrics,
            vitals.closed,
        )
        delivery = FullDelivery(outlet, places)
        in_use = frozenset(places)
        follower = Follower(
            context.database, context.bus, in_use, delivery.wake, router, shared.metrics
        )
        return Line(delivery, follower)

    side = DiscordSide(bot, file.token, await lay(), lay, logged_in)
    if bot is not None:
        bot.on_login, bot.on_change = logged_in.set, side.retry
        setup.on_choice, shared.heard.on_first = side.choose, setup.note_first
    return side


def _roles(settings: DiscordSettings) -> Roles:
    ids = {
        Scope.READ: frozenset(settings.roles.viewer),
        Scope.WRITE: frozenset(settings.roles.dispatcher),
        Scope.APPROVE: frozenset(settings.roles.approver),
        Scope.ADMIN: frozenset(settings.roles.admin),
    }
    return Roles(ids, settings.guild_id)


def point_discord_at(settings: DiscordSettings) -> None:
    """Point discord.py at another server than Discord's, where the configuration says so."""
    if settings.api_url:
        discord.http.Route.BASE = settings.api_url
    if settings.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(settings.gateway_url)


@asynccontextmanager
async def _listening(
    settings: Settings,
    context: Context,
    outside: Outside,
    certificate: Certificate | None,
    live_clients: Counter[str],
) -> AsyncIterator[Listener]:
    """Listen for pushes, websockets and queries."""
    gate = Gate(affordable(settings.http.max_connections))
    app = make_app(
        Parts(
            context=context,
            catalogue=CATALOGUE,
            cad_keys=_cad_keys(settings),
            door=_door(settings, gate),
            event_names=EVENT_NAMES,
            health=outside.health,
            metrics=outside.metrics,
            measure=outside.measure,
            heard=outside.heard,
            intake=Intake(
                window=_duplicate_window(settings),
                crimes_from_calls=settings.cad.crimes_from_calls,
            ),
            push_bytes=settings.http.max_push_bytes,
            messages_per_second=settings.websocket.messages_per_second,
            limits=Limits(connections_per_client=settings.websocket.connections_per_client),
            trusted_proxies=settings.http.trusted_proxies,
            live_clients=live_clients,
        )
    )
    listener = await Listener.start(
        app,
        gate,
        settings.http.host,
        settings.http.port,
        FINISHING,
        certificate.context if certificate is not None else None,
    )
    try:
        yield listener
    finally:
        await listener.close()


def _cad_keys(settings: Settings) -> list[CadKey]:
    if settings.cad.keys:
        return [CadKey(key.name, key.key) for key in settings.cad.keys]
    return [CadKey("cad", secrets.cad_key(settings).value)]


def _door(settings: Settings, gate: Gate) -> Door:
    """Let the configured clients in; without any, only programs on this machine."""
    configured = [
        Client(client.name, client.token, Scope[client.scope.upper()])
        for client in settings.websocket.clients
    ]
    return Door(
        configured or [Client(LOCAL.name, secrets.client_token(settings).value, LOCAL.scope)],
        settings.websocket.allowed_origins,
        gate,
        open_to_loopback=not configured,
    )


async def _put_on_offer(database: Database, settings: Settings) -> None:
    async with database.write() as sql:
        await community.replace(
            sql,
            [Tier(tier.id, tier.name, tier.price) for tier in settings.community.tiers],
            [EquipmentType(kind.id, kind.name) for kind in settings.community.equipment_types],
        )
        await names.keep_cads(sql, [key.name for key in _cad_keys(settings)])
        await backdrop.keep(sql, settings.map.backdrop())


async def _prune(database: Database, keep_days: int, live_clients: Counter[str]) -> None:
    """Forget old events, a few at a time so that nobody waits for it, and who resumes from none."""
    async with database.write() as sql:
        await subscriptions.use(sql, live_clients, now())
    for forget in (journal.prune, subscriptions.forget):
        pruned = PRUNED_AT_ONCE
        while pruned == PRUNED_AT_ONCE:
            async with database.write() as sql:
                pruned = await forget(sql, now() - keep_days * DAY, PRUNED_AT_ONCE)


async def _age(context: Context, settings: Settings, discord_side: DiscordSide) -> None:
    """Forget calls and panics that are long over, a few at a time so that nobody waits for it."""
    keeping = Keeping(settings.cad.keep_hours * HOUR, _duplicate_window(settings))
    while await forget_old(context, keeping, AGED_AT_ONCE):
        pass
    await discord_side.refresh_board()


def _watched(settings: Settings) -> Watched:
    at = settings.community.daily_at
    return Watched(
        [key.name for key in _cad_keys(settings)],
        settings.cad.silent_minutes * MINUTE,
        time.fromisoformat(at) if at else None,
    )


def _waiting(settings: Settings) -> Waiting:
    """Return how long alarms wait; a stage without a time or without roles is never called."""
    alarms = settings.alarms
    stages = {
        DISPATCHERS: (alarms.call_after_minutes, settings.discord.roles.dispatcher),
        SUPERVISOR: (alarms.call_supervisor_after_minutes, alarms.supervisor),
    }
    return Waiting(
        {
            number: Stage(minutes * MINUTE, tuple(filter(None, roles)))
            for number, (minutes, roles) in stages.items()
            if minutes and any(roles)
        },
        alarms.quiet_after_minutes * MINUTE,
    )


def _duplicate_window(settings: Settings) -> int:
    return round(settings.cad.duplicate_seconds * SECOND)


def stop_signal() -> asyncio.Event:
    """Return what is set by SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop
