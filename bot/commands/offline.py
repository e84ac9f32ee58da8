"""Commands that need no running bot: `cad-sentinel route`, `register` and `forget-setup`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import aiohttp
import discord

from bot.commands.check_discord import setup_choices
from bot.discord_pipeline import DiscordService
from bot.discord_settings import (
    apply_setup,
    build_router,
    channels_in_use,
    effective_texts,
    file_texts,
    layout_of,
    with_rules,
)
from bot.locks import AlreadyRunning, alone_on_database
from bot.settings import Settings
from cogs.commands.admin.status import RuntimeStatus
from cogs.connection import DiscordStatus
from cogs.delivery.delivery_context import Pace, PostedBefore
from cogs.delivery.explain import Routes, explain, resolve_event
from cogs.escalation import AlarmEscalation, EscalationPlan
from cogs.routing.community import CommunityTexts, chosen_texts, store_texts
from cogs.routing.layout import choices, store_choices
from cogs.routing.rules import Router
from cogs.routing.stored import StoredRouting, stored_routing
from cogs.routing.troubles import Troubles
from db.database import Database, Reader, open_read_only
from db.errors import StorageError
from webhook.cad.silence import LastPush
from webhook.http.authentication import LOCAL
from webhook.protocol.bus import Bus
from webhook.protocol.clean_text import clean_text
from webhook.protocol.context import Context
from webhook.protocol.errors import SentinelError
from webhook.protocol.metrics import Metrics

LINE = 2_000
"""Characters of a line."""


async def route(
    settings: Settings, event_name: str, data: str | None, *, say: Callable[[str], None]
) -> int:
    """Explain which rule sends an event where, and why; return the exit code.

    The event is a stored one, by its number, or one of this name with `data` as JSON.
    """
    try:
        async with _reader(settings.database.path) as sql:
            stored = await stored_routing(sql)
            effective = with_rules(apply_setup(settings, await choices(sql)), stored).discord
            texts = effective_texts(settings, await chosen_texts(sql))
            router = build_router(effective, ZoneInfo(texts.timezone), stored)
            routes = Routes(router, frozenset(channels_in_use(effective)))
            event = await resolve_event(sql, event_name, data)
            for line in explain(event, await routes.find(sql, event)):
                say(" ".join(clean_text(line, LINE).split()))
    except (SentinelError, StorageError) as fault:
        say(str(fault))
        return 1
    return 0


async def register(settings: Settings, say: Callable[[str], None]) -> int:
    """Register the commands, and delete those of other programs; return the exit code.

    What the running bot has stored of them is left alone; it sees at its next start whether that
    is still right.
    """
    chosen = await setup_choices(settings.database.path)
    with TemporaryDirectory() as folder:
        async with Database.open(Path(folder) / "sentinel.db") as database:
            context = Context(database, Bus(), LOCAL, UTC)
            service = DiscordService(
                settings,
                context,
                Pace(),
                Metrics(),
                DiscordStatus(),
                RuntimeStatus("", lambda: "off", (), LastPush()),
                AlarmEscalation(context, EscalationPlan(), Router()),
                Troubles(),
                chosen=chosen,
                stored=StoredRouting(),
                texts=effective_texts(settings, CommunityTexts()),
                posted_before=await PostedBefore.read(database),
            )
            try:
                failed = await service.register_commands()
            except (discord.DiscordException, aiohttp.ClientError, OSError) as fault:
                failed = [str(fault)]
    for reason in failed:
        say(f"the commands could not be registered: {reason}")
    if not failed:
        say("the commands are registered; restart Discord if it still shows the old ones")
    return 1 if failed else 0


async def forget_setup(settings: Settings, say: Callable[[str], None]) -> int:
    """Delete every choice of `/setup`, for when nobody can reach it; return the exit code."""
    path = settings.database.path
    try:
        with alone_on_database(path):
            async with Database.open(path) as database:
                context = Context(database, Bus(), LOCAL, UTC)
                chosen = await choices(database.read)
                await store_choices(context, layout_of(settings), dict.fromkeys(chosen))
                await store_texts(context, file_texts(settings), CommunityTexts())
    except (StorageError, AlreadyRunning, OSError) as fault:
        say(f"nothing was deleted: {fault}")
        return 1
    say("the choices made in /setup are deleted, config.toml applies again: start the bot")
    return 0


@asynccontextmanager
async def _reader(path: Path) -> AsyncIterator[Reader]:
    """Read the database; before the bot's first start, an empty one."""
    if await asyncio.to_thread(path.exists):
        async with open_read_only(path) as sql:
            yield sql
        return
    with TemporaryDirectory() as folder:
        async with Database.open(Path(folder) / "empty.db") as database:
            yield database.read
