"""The memory that the bot has while nothing happens, and that its idle clients cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks.community import community
from benchmarks.figure import Figure, Pair, Samples, at_most
from benchmarks.load import hearing
from benchmarks.processes import bot

MIB, KIB = 1024 * 1024, 1024

SETTLING = 3.0
"""Seconds after which a bot that is connected has done all that it does at its start."""

STEPS = (0, 1_000, 2_000)
"""Clients that are connected when memory is read."""

SUBSCRIPTIONS = ("visits", "alerts")


@asynccontextmanager
async def idle(folder: Path) -> AsyncIterator[Pair]:
    """Start the bot, connected and with every channel, and read its memory once it has settled."""
    async with community(is_limited=True) as town:

        async def ours() -> Samples:
            async with town.bot(folder) as server:
                await asyncio.sleep(SETTLING)
                return [server.resident / MIB]

        yield Pair(ours)


@asynccontextmanager
async def per_client(folder: Path) -> AsyncIterator[Pair]:
    """Start the bot, and read by how much it grows with each thousand of idle subscribers."""

    async def ours() -> Samples:
        async with bot(folder) as server, AsyncExitStack() as clients:
            await asyncio.sleep(SETTLING)
            read = [server.resident]
            idle_client = partial(hearing, f"{server.url}/ws", server.headers, *SUBSCRIPTIONS)
            for before, now in pairwise(STEPS):
                for _ in range(now - before):
                    await clients.enter_async_context(idle_client())
                await asyncio.sleep(SETTLING)
                read.append(server.resident)
        grown = zip(pairwise(read), pairwise(STEPS), strict=True)
        return [(after - start) / (now - before) / KIB for (start, after), (before, now) in grown]

    yield Pair(ours)


FIGURES = [
    Figure("memory of an idle instance", "MiB", "", (at_most(90),), idle, rounds=3),
    Figure(
        "memory per idle websocket client", "KiB", "", (at_most(30, of=max),), per_client, rounds=3
    ),
]
