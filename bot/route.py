"""`cad-sentinel route`: which rule sends an event where, and why; no running bot is needed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from bot.layout import effective
from bot.query import Say
from bot.settings import DiscordSettings, RuleSettings, Settings
from cogs.commands.route import Routes, explained, resolve_event
from cogs.routing.layout import choices
from cogs.routing.rules import QuietHours, Router, Rule
from db.database import Database, Reader, open_read_only
from db.errors import StorageError
from webhook.protocol.errors import SentinelError
from webhook.protocol.wire import clean_text

LINE = 2_000
"""Characters of a line."""


async def route(settings: Settings, typed: str, data: str | None, *, say: Say) -> int:
    """Explain the routing of a stored event, or of one that is typed; return the exit code."""
    try:
        async with _reading(settings.database.path) as sql:
            discord = effective(settings.discord, await choices(sql))
            router = router_of(discord, ZoneInfo(settings.community.timezone))
            routes = Routes(router, frozenset(places_of(discord)))
            event = await resolve_event(sql, typed, data)
            for line in explained(event, await routes.of(sql, event)):
                say(" ".join(clean_text(line, LINE).split()))
    except (SentinelError, StorageError) as fault:
        say(str(fault))
        return 1
    return 0


def router_of(settings: DiscordSettings, zone: tzinfo) -> Router:
    """Return what decides by the configured rules."""
    return Router([_rule(rule) for rule in settings.rules], zone, settings.panic_role)


def places_of(settings: DiscordSettings) -> dict[str, int]:
    """Return the channels in use: by their name in the channel map, or by the id that a rule gives.

    Without a token everything is in use and goes to the log.
    """
    mapped = settings.channels.model_dump()
    ruled = {str(rule.channel): rule.channel for rule in settings.rules if rule.channel}
    if not settings.token:
        return dict.fromkeys([*mapped, *ruled], 0)
    return {name: channel_id for name, channel_id in mapped.items() if channel_id} | ruled


def _rule(rule: RuleSettings) -> Rule:
    return Rule(
        name=rule.name,
        types=None if rule.types is None else frozenset(rule.types),
        priority=None if rule.priority is None else tuple(rule.priority),
        emergency=rule.emergency,
        departments=None if rule.departments is None else tuple(rule.departments),
        postals=None if rule.postals is None else tuple(rule.postals),
        keywords=None if rule.keywords is None else tuple(rule.keywords),
        properties=None if rule.properties is None else frozenset(rule.properties),
        channel=rule.channel,
        mention=rule.mention,
        silent=rule.silent,
        quiet=None if rule.quiet is None else QuietHours.parse(rule.quiet),
        panics_always=rule.panics_always,
    )


@asynccontextmanager
async def _reading(path: Path) -> AsyncIterator[Reader]:
    """Look into the database; before the bot's first start, into an empty one."""
    if await asyncio.to_thread(path.exists):
        async with open_read_only(path) as sql:
            yield sql
        return
    with TemporaryDirectory() as folder:
        async with Database.open(Path(folder) / "empty.db") as database:
            yield database.read
