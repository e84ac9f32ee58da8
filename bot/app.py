"""Start-up and shutdown, read top to bottom."""

import asyncio
import logging
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import time
from functools import partial
from importlib.metadata import version
from zoneinfo import ZoneInfo

from bot import secrets
from bot.again import again_and_again
from bot.backup import Backups, keep_backed_up
from bot.certificate import Certificate
from bot.discord_pipeline import FINISHING, DiscordSide, Shared, discord_side_of
from bot.discord_settings import build_router, escalation_plan
from bot.health import Health
from bot.locks import alone_on_database, alone_with_token
from bot.measure import Measure
from bot.settings import Settings
from bot.watch import Problems, Watch, Watched
from bot.watchdog import Watchdog
from cogs.bot import DiscordStatus
from cogs.commands.status import RuntimeStatus
from cogs.delivery.channel_queue import Pace
from cogs.escalation import AlarmEscalation
from cogs.i18n.language import set_language
from cogs.pictures import stored_backdrop
from db import community, journal, subscriptions
from db.community import EquipmentType, Tier
from db.database import Database
from webhook import cad
from webhook.cad.retention import Retention, forget_old
from webhook.cad.silence import LastPush
from webhook.cad.store import PushConfig
from webhook.http.app import AppDependencies, make_app
from webhook.http.authentication import LOCAL, Authenticator, Client
from webhook.http.connection_limits import ConnectionLimiter
from webhook.http.listener import Listener
from webhook.http.open_files import affordable
from webhook.http.push import CadKey
from webhook.http.websocket import ConnectionLimits
from webhook.protocol.bus import Bus
from webhook.protocol.context import ApprovalRules, Context, Scope, now
from webhook.protocol.events import ALL, CAD, EVENTS
from webhook.protocol.metrics import Metrics
from webhook.protocol.session import SESSION_MESSAGES
from webhook.queries import CATALOGUE
from webhook.queries.cad import store_cads

PRUNING = 600.0
"""Seconds between two looks for events that the journal need not remember any more."""

PRUNED_AT_ONCE = 1_000

AGEING = 60.0
"""Seconds between two looks for calls and panics that are long over."""

AGED_AT_ONCE = 100

WATCHING = 10.0
"""Seconds between two looks for a silent CAD, the end of a day, storage that is back."""

BACKING_UP = 60.0
"""Seconds until backups go on after a mistake."""

RENEWING = 60.0
"""Seconds between two looks for a renewed certificate."""

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
    set_language(settings.community.language)
    connection, last_push = DiscordStatus(), LastPush()
    metrics = Metrics(cad.HANDLED_TYPES, CATALOGUE.names | SESSION_MESSAGES)
    problems = Problems(metrics)
    certificate = Certificate.of(settings.http)
    async with AsyncExitStack() as stack:
        stack.enter_context(problems.counting())
        stack.enter_context(alone_on_database(settings.database.path))
        if settings.discord.token:
            stack.enter_context(alone_with_token(settings.discord.token))
        database = await stack.enter_async_context(Database.open(settings.database.path))
        cad_keys = _cad_keys(settings)
        cads = tuple(dict.fromkeys(key.name for key in cad_keys))
        await _put_on_offer(database, settings, cads)
        context = Context(
            database,
            Bus(),
            LOCAL,
            ZoneInfo(settings.community.timezone),
            approvals=ApprovalRules(**settings.approvals.model_dump()),
        )
        context.bus.subscribe(ALL, lambda _: metrics.published.inc())
        vitals = RuntimeStatus(
            version=version("cad-sentinel"),
            discord=lambda: connection.state,
            cads=cads,
            last_push=last_push,
        )
        alarms = AlarmEscalation(
            context,
            escalation_plan(settings.alarms, settings.discord),
            build_router(settings.discord, context.zone),
        )
        parts = Shared(context, connection, pace, metrics, vitals, alarms, last_push)
        discord_side = await discord_side_of(settings, parts)
        watch = Watch(context, _watched(settings, cads), last_push, problems, discord_side.look)
        health = Health(
            database, connection, stop, lambda: discord_side.closed_channels, lambda: watch.silent
        )
        measure = Measure(metrics, database, settings.database.path, connection, vitals.places)

        outside = Outside(health, metrics, measure, last_push)
        live_clients: Counter[str] = Counter()
        listener = await stack.enter_async_context(
            _listening(settings, cad_keys, context, outside, certificate, live_clients)
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
                always("watchdog", Watchdog(metrics.record_lag).run, WATCHING),
            ]
            if settings.database.backup_hours:
                keeping = partial(keep_backed_up, Backups.of(settings))
                background.append(always("backups", keeping, BACKING_UP))
            if certificate is not None:
                look = partial(asyncio.to_thread, certificate.look)
                background.append(always("certificate", look, RENEWING))
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
    last_push: LastPush


@asynccontextmanager
async def _listening(
    settings: Settings,
    cad_keys: list[CadKey],
    context: Context,
    outside: Outside,
    certificate: Certificate | None,
    live_clients: Counter[str],
) -> AsyncIterator[Listener]:
    """Listen for pushes, websockets and queries."""
    limiter = ConnectionLimiter(affordable(settings.http.max_connections))
    app = make_app(
        AppDependencies(
            context=context,
            catalogue=CATALOGUE,
            cad_keys=cad_keys,
            authenticator=_authenticator(settings, limiter),
            event_names=EVENT_NAMES,
            health=outside.health,
            metrics=outside.metrics,
            refresh_metrics=outside.measure,
            last_push=outside.last_push,
            push_config=PushConfig(
                window=_duplicate_window(settings),
                crimes_from_calls=settings.cad.crimes_from_calls,
            ),
            push_bytes=settings.http.max_push_bytes,
            messages_per_second=settings.websocket.messages_per_second,
            limits=ConnectionLimits(
                connections_per_client=settings.websocket.connections_per_client
            ),
            trusted_proxies=settings.http.trusted_proxies,
            live_clients=live_clients,
        )
    )
    listener = await Listener.start(
        app,
        limiter,
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


def _authenticator(settings: Settings, limiter: ConnectionLimiter) -> Authenticator:
    """Let the configured clients in; without any, only programs on this machine."""
    configured = [
        Client(client.name, client.token, Scope[client.scope.upper()])
        for client in settings.websocket.clients
    ]
    return Authenticator(
        configured or [Client(LOCAL.name, secrets.client_token(settings).value, LOCAL.scope)],
        settings.websocket.allowed_origins,
        limiter,
        open_to_loopback=not configured,
    )


async def _put_on_offer(database: Database, settings: Settings, cads: Sequence[str]) -> None:
    async with database.write() as sql:
        await community.replace(
            sql,
            [Tier(tier.id, tier.name, tier.price) for tier in settings.community.tiers],
            [EquipmentType(kind.id, kind.name) for kind in settings.community.equipment_types],
        )
        await store_cads(sql, cads)
        await stored_backdrop.store(sql, settings.map.backdrop())


async def _prune(database: Database, keep_days: int, live_clients: Counter[str]) -> None:
    """Forget old events, a few at a time so that nobody waits for it, and who resumes from none."""
    async with database.write() as sql:
        await subscriptions.touch(sql, live_clients, now())
    for forget in (journal.prune, subscriptions.forget):
        pruned = PRUNED_AT_ONCE
        while pruned == PRUNED_AT_ONCE:
            async with database.write() as sql:
                pruned = await forget(sql, now() - keep_days * DAY, PRUNED_AT_ONCE)


async def _age(context: Context, settings: Settings, discord_side: DiscordSide) -> None:
    """Forget calls and panics that are long over, a few at a time so that nobody waits for it."""
    keeping = Retention(settings.cad.keep_hours * HOUR, _duplicate_window(settings))
    while await forget_old(context, keeping, AGED_AT_ONCE):
        pass
    await discord_side.refresh_board()


def _watched(settings: Settings, cads: Sequence[str]) -> Watched:
    at = settings.community.daily_at
    return Watched(
        cads,
        settings.cad.silent_minutes * MINUTE,
        time.fromisoformat(at) if at else None,
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
