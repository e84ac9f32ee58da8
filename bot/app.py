"""Start-up and shutdown, read top to bottom."""

import asyncio
import logging
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import time
from functools import partial
from zoneinfo import ZoneInfo

from bot import secrets
from bot.background import (
    ErrorCounter,
    LoopMonitor,
    PeriodicChecks,
    prune_journal,
    run_periodically,
)
from bot.backup import Backups, back_up_regularly
from bot.certificate import Certificate
from bot.discord_pipeline import FINISHING, DiscordService
from bot.discord_settings import build_router, effective_texts, escalation_plan
from bot.health import VERSION, Health, MetricsRefresher
from bot.locks import alone_on_database, alone_with_token
from bot.settings import AlarmSettings, Settings, StaleSettings
from cogs.commands.admin.status import RuntimeStatus
from cogs.connection import DiscordStatus
from cogs.delivery.delivery_context import Pace, PostedBefore
from cogs.escalation import AlarmEscalation
from cogs.i18n.language import set_language
from cogs.pictures.backdrop import store_backdrop
from cogs.program_health import GAME_SERVER, ProgramHealth
from cogs.routing.community import CommunityZone, chosen_texts
from cogs.routing.layout import choices
from cogs.routing.stored import stored_routing
from cogs.routing.troubles import Troubles
from cogs.ui.names import set_status_names
from cogs.ui.text import set_redacted_texts
from db import cards, community, redactions
from db import troubles as troubles_told
from db.community import EquipmentType, Tier
from db.database import Database, Reader
from db.folding import refold
from db.search import set_search_language
from webhook import cad
from webhook.cad.retention import Retention, forget_old
from webhook.cad.silence import LastPush
from webhook.cad.stale import StaleLimits
from webhook.cad.status_names import StatusNames
from webhook.cad.store import PushConfig
from webhook.cad_api.client import open_clients
from webhook.cad_api.game_server import GameServerTransport
from webhook.cad_api.outbox import CadOutbox
from webhook.http.app import AppDependencies, make_app
from webhook.http.authentication import LOCAL, Authenticator, Client
from webhook.http.connection import ConnectionLimits
from webhook.http.connection_limits import ConnectionLimiter, affordable
from webhook.http.listener import Listener
from webhook.http.push import CadKey
from webhook.protocol.bus import Bus
from webhook.protocol.context import ApprovalRules, Context, ExternalRules, PoliceRules, Scope, now
from webhook.protocol.events import ALL
from webhook.protocol.game_servers import GameServers
from webhook.protocol.metrics import Metrics
from webhook.protocol.postals import read_postals
from webhook.protocol.redacted_texts import RedactedTexts
from webhook.protocol.session import SESSION_MESSAGES, SessionSettings
from webhook.queries import CATALOGUE
from webhook.queries.cad.lookup import store_cads
from webhook.queries.cad.requests import game_cads, store_api_cads

FORGET_BATCH = 100

PRUNE_INTERVAL = 600.0
FORGET_INTERVAL = 60.0
CHECK_INTERVAL = 10.0
BACKUP_RETRY = 60.0
CERTIFICATE_INTERVAL = 60.0
OUTBOX_RETRY = 5.0
"""Seconds between two runs of the work in the background."""

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * 60 * SECOND
DAY = 24 * HOUR

log = logging.getLogger(__name__)


async def run(
    settings: Settings,
    stop: asyncio.Event,
    started: Callable[[int], None] = lambda port: None,
    pace: Pace = Pace(),  # noqa: B008 - frozen
) -> None:
    """Run until `stop` is set, then stop in order; `started` is called with the port.

    Raises:
        AlreadyRunning: another copy has the database or the Discord token.
        BadCertificate: the configured certificate cannot be used.
        StorageError: the database cannot be used.
        CannotListen: the port cannot be listened on.
    """
    connection, last_push, game_servers = DiscordStatus(), LastPush(), GameServers()
    status_names = StatusNames.of(**settings.cad.statuses.model_dump())
    set_status_names(status_names)
    metrics = Metrics(cad.HANDLED_TYPES, CATALOGUE.names | SESSION_MESSAGES)
    errors = ErrorCounter(metrics)
    certificate = Certificate.of(settings.http)
    cad_keys = _cad_keys(settings)
    cads = tuple(dict.fromkeys(key.name for key in cad_keys))
    duplicate_window = round(settings.cad.duplicate_seconds * SECOND)
    retention = Retention(
        settings.cad.keep_hours * HOUR, duplicate_window, _stale_limits(settings.cad.stale)
    )
    live_clients: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        stack.enter_context(errors.counting())
        stack.enter_context(alone_on_database(settings.database.path))
        if settings.discord.token:
            stack.enter_context(alone_with_token(settings.discord.token))
        database = await stack.enter_async_context(Database.open(settings.database.path))
        texts = effective_texts(settings, await chosen_texts(database.read))
        set_language(texts.language)
        set_search_language(texts.language)
        await _expect_game_servers(database.read, settings, game_servers)
        set_redacted_texts(RedactedTexts(await redactions.all_of_them(database.read)))
        accesses = settings.cad.accesses()
        await _store_configuration(database, settings, cads, tuple(accesses))
        context = Context(
            database,
            Bus(),
            LOCAL,
            CommunityZone(texts.timezone),
            approvals=ApprovalRules(**settings.approvals.model_dump()),
            external=ExternalRules(
                active=settings.community.new_external == "active",
                remove=settings.community.remove_external == "at-once",
            ),
            police=_police_rules(settings.alarms),
        )
        context.bus.subscribe(ALL, lambda _: metrics.published.inc())
        push_config = PushConfig(
            window=duplicate_window,
            crimes_from_calls=settings.cad.crimes_from_calls,
            zone=ZoneInfo(settings.cad.timezone) if settings.cad.timezone else None,
            names=status_names,
            name_cad=len(cads) > 1,
        )
        clients = await stack.enter_async_context(open_clients(accesses))
        asked_before = await game_cads(database.read)
        game_servers_ask = {
            cad: GameServerTransport(
                settings.cad.api.origin,
                was_there=cad in asked_before,
                keys=[key.key for key in cad_keys if key.name == cad],
            )
            for cad in cads
            if cad not in clients
        }
        outbox = CadOutbox(context, {**clients, **game_servers_ask}, push_config)
        await outbox.count_earlier()
        await outbox.ask_for_state()
        status = RuntimeStatus(
            version=VERSION,
            discord=lambda: connection.state,
            cads=cads,
            last_push=last_push,
            game_servers=game_servers,
            outbox=outbox,
        )
        troubles = Troubles()
        alarms = AlarmEscalation(
            context,
            escalation_plan(settings.alarms, settings.discord),
            build_router(settings.discord, context.zone),
        )
        discord = DiscordService(
            settings,
            context,
            pace,
            metrics,
            connection,
            status,
            alarms,
            troubles,
            chosen=await choices(database.read),
            stored=await stored_routing(database.read),
            posted_before=await PostedBefore.read(database),
            texts=texts,
        )
        daily_at = settings.community.daily_at
        checks = PeriodicChecks(
            context,
            last_push,
            errors,
            discord.wake,
            cads=cads,
            silent_after=settings.cad.silent_minutes * MINUTE,
            daily_at=time.fromisoformat(daily_at) if daily_at else None,
        )
        program_health = ProgramHealth(
            status,
            settings.database.path.absolute().parent,
            lambda: database.is_writable,
            lambda: checks.silent_cads,
            lambda: checks.refused,
        )
        troubles.add(program_health.troubles)
        health = Health(database, connection, stop, troubles, game_servers)
        limiter = ConnectionLimiter(affordable(settings.http.max_connections))
        app = make_app(
            AppDependencies(
                context=context,
                catalogue=CATALOGUE,
                cad_keys=cad_keys,
                authenticator=_authenticator(settings, limiter, game_servers),
                sessions=SessionSettings(
                    cad.EVENT_NAMES,
                    settings.websocket.messages_per_second,
                    live_clients,
                    metrics,
                ),
                health=health,
                refresh_metrics=MetricsRefresher(
                    metrics,
                    database,
                    settings.database.path,
                    connection,
                    status.channels,
                    game_servers,
                ),
                last_push=last_push,
                push_config=push_config,
                push_bytes=settings.http.max_push_bytes,
                limits=ConnectionLimits(
                    connections_per_client=settings.websocket.connections_per_client
                ),
                trusted_proxies=settings.http.trusted_proxies,
                game_cads=game_servers_ask,
                game_server_came=outbox.wake,
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
        stack.push_async_callback(listener.close)
        async with asyncio.TaskGroup() as group:

            def periodically(
                name: str, work: Callable[[], Awaitable[object]], interval: float
            ) -> asyncio.Task[None]:
                return group.create_task(run_periodically(work, interval), name=name)

            prune = partial(prune_journal, database, settings.database.journal_days, live_clients)
            forget = partial(_forget_old, context, retention, discord)
            background = [
                periodically("prune", prune, PRUNE_INTERVAL),
                periodically("forget", forget, FORGET_INTERVAL),
                periodically("checks", checks.run, CHECK_INTERVAL),
                periodically("alarms", partial(alarms.run, pace.watch), CHECK_INTERVAL),
                periodically("requests to the CAD", outbox.run, OUTBOX_RETRY),
                periodically("loop monitor", LoopMonitor(metrics.record_lag).run, CHECK_INTERVAL),
            ]
            if settings.database.backup_hours:
                back_up = partial(back_up_regularly, Backups(settings.database))
                background.append(periodically("backups", back_up, BACKUP_RETRY))
            if certificate is not None:
                renew = partial(asyncio.to_thread, certificate.reload)
                background.append(periodically("certificate", renew, CERTIFICATE_INTERVAL))
            discord.start(group)
            log.info("ready on port %s", listener.port)
            started(listener.port)
            await stop.wait()
            log.info("stopping")
            await listener.close()
            await discord.finish()
            for task in background:
                task.cancel()
    log.info("stopped")


def _police_rules(alarms: AlarmSettings) -> PoliceRules:
    postals = () if alarms.postals is None else read_postals(alarms.postals.read_bytes())
    return PoliceRules(alarms.call_police, frozenset(alarms.police_tiers), postals)


def _cad_keys(settings: Settings) -> list[CadKey]:
    if settings.cad.keys:
        return [CadKey(key.name, key.key, key.path) for key in settings.cad.keys]
    return [CadKey("cad", secrets.cad_key(settings).value)]


def _stale_limits(settings: StaleSettings) -> StaleLimits:
    return StaleLimits(
        calls=round(settings.calls_hours * HOUR),
        panics=round(settings.panics_minutes * MINUTE),
        units=round(settings.units_hours * HOUR),
        dispatchers=round(settings.dispatchers_hours * HOUR),
        at=time.fromisoformat(settings.at) if settings.at else None,
    )


def _authenticator(
    settings: Settings, limiter: ConnectionLimiter, game_servers: GameServers
) -> Authenticator:
    """Let the configured clients in; without any, only programs on this machine."""
    configured = [
        Client(client.name, client.token, Scope[client.scope.upper()])
        for client in settings.websocket.clients
    ]
    return Authenticator(
        configured or [Client(LOCAL.name, secrets.client_token(settings).value, LOCAL.scope)],
        settings.websocket.allowed_origins,
        limiter,
        game_servers,
        open_to_loopback=not configured,
    )


async def _expect_game_servers(sql: Reader, settings: Settings, game_servers: GameServers) -> None:
    """Go on missing the game servers of which people were told that they are gone."""
    clients = [client.name for client in settings.websocket.clients] or [LOCAL.name]
    for client in clients:
        trouble = await troubles_told.lasting(sql, f"{GAME_SERVER}{client}")
        if trouble is not None:
            game_servers.expect(client, trouble.began_at)


async def _store_configuration(
    database: Database, settings: Settings, cads: Sequence[str], asked: Sequence[str]
) -> None:
    """Store what queries and commands read: tiers, equipment types, CADs, the map image.

    What the log alone has shown for a day is posted, once Discord is on.
    """
    async with database.write() as sql:
        await community.replace(
            sql,
            [Tier(tier.id, tier.name, tier.price) for tier in settings.community.tiers],
            [EquipmentType(kind.id, kind.name) for kind in settings.community.equipment_types],
        )
        await store_cads(sql, cads)
        await store_api_cads(sql, asked)
        await refold(sql)
        await store_backdrop(sql, settings.map.backdrop())
        if settings.discord.token:
            await cards.post_logged(sql, now() - DAY)


async def _forget_old(context: Context, retention: Retention, discord: DiscordService) -> None:
    """Delete calls and panics that are long over, in batches, also from the board."""
    while await forget_old(context, retention, FORGET_BATCH):
        pass
    await discord.refresh_board()


def stop_signal() -> asyncio.Event:
    """Return an event that SIGINT or SIGTERM sets, and the end of the terminal, unless ignored."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    names = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        names.append(signal.SIGHUP)  # `nohup` has it ignored
    for name in names:
        try:
            loop.add_signal_handler(name, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(name, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop
