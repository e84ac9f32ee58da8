"""A community: a fake Discord with a channel for each kind of message.

The fake runs in the process of the benchmarks, so its processor time is not the bot's.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Server, bot
from bot.settings import Channels
from tests.fake_discord import Channel, FakeDiscord, Guild, Rate

READY = 30.0
"""Seconds that the bot may take until it is connected and has registered its commands."""

MESSAGES, EVERYTHING = Rate(5, 5.0), Rate(50, 1.0)
"""Discord's limits: messages of a channel, edits among them, and requests of all kinds."""

UNLIMITED = Rate(1_000_000, 1.0)


@dataclass(frozen=True)
class Community:
    """The fake, and its channels by their names in the configuration."""

    fake: FakeDiscord
    guild: Guild
    channels: Mapping[str, Channel]

    @property
    def settings(self) -> dict[str, str]:
        """The settings that connect a bot to this Discord, as `servers.bot` takes them."""
        return {
            "DISCORD__TOKEN": self.fake.token,
            "DISCORD__API_URL": self.fake.rest_url,
            "DISCORD__GATEWAY_URL": self.fake.gateway_url,
            "DISCORD__GUILD_ID": str(self.guild.id),
            "DISCORD__CHANNELS": json.dumps({name: at.id for name, at in self.channels.items()}),
        }

    @asynccontextmanager
    async def bot(self, folder: Path, **settings: str) -> AsyncIterator[Server]:
        """Run the bot, connected to this Discord, on a folder."""
        async with bot(folder, **{**self.settings, **settings}) as server:
            await self.fake.wait_connected(READY)
            await self.fake.until(lambda: bool(self.guild.commands), READY)
            yield server


@asynccontextmanager
async def community(*, is_limited: bool) -> AsyncIterator[Community]:
    """Run a fake Discord, with the rate limits of the real one or without."""
    async with FakeDiscord() as fake:
        guild = fake.add_guild("Los Santos")
        channels = {name: guild.add_channel(name) for name in Channels.model_fields}
        fake.limits.messages = MESSAGES if is_limited else UNLIMITED
        fake.limits.everything = EVERYTHING if is_limited else None
        yield Community(fake, guild, channels)
