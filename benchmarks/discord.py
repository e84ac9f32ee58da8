"""How soon a push reaches Discord, and how much of Discord's rate limit a storm uses."""

import asyncio
import gc
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.community import Community, community
from benchmarks.figure import Figure, Pair, Round, Target
from benchmarks.load import line_to
from benchmarks.servers import Server, plain
from benchmarks.throughput import nothing, push
from tests.end_to_end.environment import call_911
from tests.fake_discord import Channel

CALLS = 300
"""911 calls of a round, one after the other."""

UNCOUNTED = 30
"""Calls before the first round, of which the first ones find everything cold."""

PAUSE = 0.02
"""Seconds between two calls, in which the bot stores what it has posted."""

MEDIAN, EMBEDS = "ms, p50", "embeds/s"

PUSHES = 100
"""Pushes a second of each kind in the storm: ten times what Discord lets be shown of them."""

BURST = 5
"""Messages that Discord takes at once from a bot that was silent; a round counts none of them."""

BURSTS = 6
"""Bursts of a round: 30 seconds."""

LIMIT = 10.0
"""Embeds a second: a message a second of ten embeds."""


@contextmanager
def without_pauses() -> Iterator[None]:
    """Have the garbage collector skip what exists by now, as the fake is part of what is timed."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@asynccontextmanager
async def posting(folder: Path) -> AsyncIterator[Pair]:
    """Time 911 calls until the request that posts their card has reached Discord.

    This Discord has no rate limits, and each call is posted before the next is pushed. The time
    ends when the fake has read the head of the request; the 0.2 ms that this takes are included.
    """
    calls = map(call_911, count(1))
    async with AsyncExitStack() as stack:
        env = await stack.enter_async_context(community(is_limited=False))
        server = await stack.enter_async_context(env.bot(folder))
        cad = await stack.enter_async_context(line_to(server))
        loopback = await stack.enter_async_context(
            line_to(await stack.enter_async_context(plain(folder)))
        )
        stack.enter_context(without_pauses())

        async def ours(number: int = CALLS) -> Round:
            env.fake.requests.clear()
            pushed = []
            for _ in range(number):
                written = push("EVENT_911", next(calls))
                pushed.append(time.monotonic())
                await cad.send(written)
                await env.channels["emergency"].next_message()
                await asyncio.sleep(PAUSE)
            posted = arrivals(env, "emergency")
            return _median([at - then for at, then in zip(posted, pushed, strict=True)])

        async def baseline() -> Round:
            taken = []
            for _ in range(CALLS):
                written = nothing("EVENT_911", next(calls))
                began = time.monotonic()
                await loopback.send(written)
                taken.append(time.monotonic() - began)
                await asyncio.sleep(PAUSE)
            return _median(taken)

        await ours(UNCOUNTED)
        yield Pair(ours, baseline)


def _median(seconds: list[float]) -> Round:
    return {MEDIAN: statistics.median(seconds) * 1000}


def arrivals(env: Community, channel: str) -> list[float]:
    """Return when the requests arrived that created messages in a channel."""
    path = env.channels[channel].messages_path
    return [
        request.at
        for request in env.fake.requests
        if (request.method, request.path) == ("POST", path)
    ]


STORM: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "records": ("EVENT_RECORD_ADD", lambda number: {"record": {"id": number, "type": 3}}),
    "dispatch": ("EVENT_TONE", lambda number: {"playTonesTo": [{"type": 0, "label": str(number)}]}),
}
"""Pushes by the channels that show their feeds and nothing else."""


@asynccontextmanager
async def storm(folder: Path) -> AsyncIterator[Pair]:
    """Push far more than Discord lets be shown, and count the embeds that reach it.

    Discord lets five messages of a channel through, and five more once five seconds have passed
    since the first. The first burst is free, as the bot was silent before, so it is not counted. A
    round counts whole bursts, from the arrival of one message to that of the one after the last, so
    it does not matter with which message of a burst it begins. A 429 ends the benchmark.
    """
    async with community(is_limited=True) as env, env.bot(folder) as server:
        storming = asyncio.create_task(_push_on(server))
        channels = [env.channels[name] for name in STORM]

        async def ours() -> Round:
            rates = await asyncio.gather(*map(_embeds_a_second, channels))
            if env.fake.too_many_requests:
                raise RuntimeError(f"Discord answered {env.fake.too_many_requests} times with 429")
            return {EMBEDS: min(rates)}

        async def baseline() -> Round:
            return {EMBEDS: LIMIT}

        try:
            await env.fake.until(lambda: all(len(channel.created) > BURST for channel in channels))
            yield Pair(ours, baseline)
        finally:
            storming.cancel()
            await asyncio.wait({storming})


async def _push_on(server: Server) -> None:
    async with line_to(server) as line:
        for number in count(1):
            for kind, data in STORM.values():
                await line.send(push(kind, data(number)))
            await asyncio.sleep(1 / PUSHES)


async def _embeds_a_second(channel: Channel) -> float:
    """Return the embeds a second that reach a channel, counted over whole bursts."""
    channel.skip_messages()
    message = await channel.next_message()
    began, embeds = time.perf_counter(), 0
    for _ in range(BURST * BURSTS):
        embeds += len(message.embeds)
        message = await channel.next_message()
    return embeds / (time.perf_counter() - began)


FIGURES = [
    Figure(
        "push to Discord's create-message request",
        "a loopback round trip",
        (Target(MEDIAN, 15),),
        posting,
    ),
    Figure(
        "feeds under storm, the slowest channel, without a 429",
        "Discord's limit",
        (Target(EMBEDS, 0.95, is_at_least=True),),
        storm,
        rounds=3,
    ),
]
