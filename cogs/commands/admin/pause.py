"""`/pause`: nobody is mentioned for a time; cards and feeds go on."""

from typing import Literal

import discord
from discord import app_commands

from cogs.i18n.language import _
from cogs.routing.stored import ALL, RoutingStore
from cogs.ui.permissions import needs
from cogs.ui.responder import Responder, SentinelCog, reply_text
from cogs.ui.text import timestamp
from webhook.protocol.context import Scope

MINUTES = {"15m": 15, "30m": 30, "1h": 60, "2h": 120, "4h": 240, "8h": 480, "12h": 720, "24h": 1440}

Time = Literal["15m", "30m", "1h", "2h", "4h", "8h", "12h", "24h", "end"]
Channel = Literal["all", "emergency", "dispatch", "records", "alerts", "visits", "crimes", "log"]


class PauseCommands(SentinelCog):
    def __init__(self, responder: Responder, store: RoutingStore) -> None:
        super().__init__(responder)
        self._store = store

    @app_commands.command(
        description="Have nobody mentioned for a time; panics still mention their role",
        extras=needs(Scope.ADMIN),
    )
    @app_commands.describe(
        time="For how long, or end to end every pause",
        channel="Where; without it, everywhere",
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    async def pause(
        self, interaction: discord.Interaction, time: Time, channel: Channel = "all"
    ) -> None:
        context = await self._responder.defer(interaction)
        if time == "end":
            await self._store.pause(context, ALL, 0)
            await reply_text(interaction, _("Roles are mentioned again."))
            return
        until = context.now() + MINUTES[time] * 60_000
        await self._store.pause(context, channel, until)
        text = _("Nobody is mentioned until {time}, except by panics. Cards and feeds go on.")
        if channel != ALL:
            text = _("In {channel}, nobody is mentioned until {time}. Cards and feeds go on.")
        await reply_text(interaction, text.format(time=timestamp(until), channel=channel))
