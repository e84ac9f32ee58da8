"""`cad-sentinel register`: the slash commands in Discord anew, whether the bot runs or not."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import aiohttp
import discord

from bot.check_discord import setup_choices
from bot.discord_pipeline import DiscordService
from bot.settings import Settings
from cogs.bot import DiscordStatus
from cogs.commands.status import RuntimeStatus
from cogs.delivery.channel_queue import Pace, PostedBefore
from cogs.escalation import AlarmEscalation, EscalationPlan
from cogs.routing.rules import Router
from cogs.routing.troubles import Troubles
from db.database import Database
from webhook.cad.silence import LastPush
from webhook.http.authentication import LOCAL
from webhook.protocol.bus import Bus
from webhook.protocol.context import Context
from webhook.protocol.metrics import Metrics


async def register(settings: Settings, say: Callable[[str], None]) -> int:
    """Register the commands, and delete those of other programs; return the exit code.

    What the running bot has stored of them is left alone; it sees at its next start whether that
    is still right.
    """
    chosen = await setup_choices(settings.database.path)
    with TemporaryDirectory() as folder:
        async with Database.open(Path(folder) / "sentinel.db") as database:
            context = Context(database, Bus(), LOCAL, ZoneInfo(settings.community.timezone))
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
