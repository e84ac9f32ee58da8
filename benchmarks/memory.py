"""The bot's memory while nothing happens, and what its idle clients add."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

from benchmarks.community import community
from benchmarks.figure import Figure, Pair, Round, Target
from benchmarks.load import subscribed
from benchmarks.servers import bot

MIB, KIB = "MiB", "KiB"
BYTES = {MIB: 1024 * 1024, KIB: 1024}

SETTLING = 3.0
"""Seconds after which a connected bot has finished its start."""

STEPS = (0, 1_000, 2_000)
"""Clients that are connected when memory is read."""

SUBSCRIPTIONS = ("visits", "alerts")


@asynccontextmanager
async def idle(folder: Path) -> AsyncIterator[Pair]:
    """Start the bot, connected to Discord with every channel, and read its memory."""
    async with community(is_limited=True) as env:

        async def ours() -> Round:
            async with env.bot(folder) as server:
                await asyncio.sleep(SETTLING)
                return {MIB: server.resident / BYTES[MIB]}

        yield Pair(ours)


@asynccontextmanager
async def per_client(folder: Path) -> AsyncIterator[Pair]:
    """Start the bot, and read how much it grows with each thousand idle subscribers."""

    async def ours() -> Round:
        async with bot(folder) as server, AsyncExitStack() as clients:
            await asyncio.sleep(SETTLING)
            read = [server.resident]
            for before, now in pairwise(STEPS):
                for _ in range(now - before):
                    await clients.enter_async_context(subscribed(server, *SUBSCRIPTIONS))
                await asyncio.sleep(SETTLING)
                read.append(server.resident)
        grown = zip(pairwise(read), pairwise(STEPS), strict=True)
        most = max((after - start) / (now - before) for (start, after), (before, now) in grown)
        return {KIB: most / BYTES[KIB]}

    yield Pair(ours)


FIGURES = [
    Figure("memory of an idle instance", "", (Target(MIB, 80),), idle, rounds=3),
    Figure("memory of an idle websocket client", "", (Target(KIB, 30),), per_client, rounds=3),
]
