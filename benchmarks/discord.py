"""What Discord sees: how soon it hears of a push, and how much of its limit a storm uses."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.community import Community, community
from benchmarks.figure import Figure, Pair, Samples, at_least, at_most, percentile
from benchmarks.load import line_to
from benchmarks.processes import Server, bare
from benchmarks.pushes import push
from tests.end_to_end.town import call_911
from tests.fake_discord import Channel

CALLS = 300
"""911 calls of a round, one after the other."""

UNCOUNTED = 30
"""Calls before the first round, of which the first ones find everything cold."""

PAUSE = 0.02
"""Seconds between two calls, in which the bot notes what it has posted."""

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
    """Have the garbage collector pass over what is there by now: the fake is measured along."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@asynccontextmanager
async def posting(folder: Path) -> AsyncIterator[Pair]:
    """Time 911 calls until the request that posts their card has reached Discord.

    Discord limits nothing, and each call is posted before the next is pushed. The time ends when
    the fake has read the head of the request. It runs in the process of the load, so what it takes
    until then, some 0.2 ms, is measured along.
    """
    calls = map(call_911, count(1))
    async with AsyncExitStack() as stack:
        town = await stack.enter_async_context(community(is_limited=False))
        server = await stack.enter_async_context(town.bot(folder))
        line = await stack.enter_async_context(line_to(server.url))
        plain = await stack.enter_async_context(
            line_to((await stack.enter_async_context(bare())).url)
        )
        stack.enter_context(without_pauses())

        async def ours(number: int = CALLS) -> Samples:
            town.fake.requests.clear()
            pushed = []
            for _ in range(number):
                written = push("EVENT_911", next(calls))
                pushed.append(time.monotonic())
                await line.send(written)
                await town.channels["emergency"].next_message()
                await asyncio.sleep(PAUSE)
            return [at - then for at, then in zip(arrivals(town, "emergency"), pushed, strict=True)]

        async def baseline() -> Samples:
            taken = []
            for _ in range(CALLS):
                written = push("EVENT_911", next(calls))
                began = time.monotonic()
                await plain.send(written)
                taken.append(time.monotonic() - began)
                await asyncio.sleep(PAUSE)
            return taken

        await ours(UNCOUNTED)
        yield Pair(ours, baseline)


def arrivals(town: Community, channel: str) -> list[float]:
    """Return when the requests came that created messages in a channel."""
    path = town.channels[channel].messages_path
    return [one.at for one in town.fake.requests if (one.method, one.path) == ("POST", path)]


STORM: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
    "records": ("EVENT_RECORD_ADD", lambda number: {"record": {"id": number, "type": 3}}),
    "dispatch": ("EVENT_TONE", lambda number: {"playTonesTo": [{"type": 0, "label": str(number)}]}),
}
"""Pushes by the channels where their feeds are shown, and where nothing else is."""


@asynccontextmanager
async def storm(folder: Path) -> AsyncIterator[Pair]:
    """Push far more than Discord lets be shown, and count the embeds that it is sent.

    Discord lets the messages of a channel through in bursts: five, and five more once five seconds
    have passed since the first. The first burst is free, as the bot was silent before, so it is
    over before anything is counted. A round counts as many messages as some bursts have, from the
    arrival of one to that of the one behind the last, so that it does not matter with which of a
    burst it begins.
    """
    async with community(is_limited=True) as town, town.bot(folder) as server:
        storming = asyncio.create_task(_push_on(server))
        places = [town.channels[name] for name in STORM]

        async def ours() -> Samples:
            found = await asyncio.gather(*map(_embeds_a_second, places))
            if town.fake.too_many_requests:
                raise RuntimeError(f"Discord answered {town.fake.too_many_requests} times with 429")
            return found

        async def baseline() -> Samples:
            return [LIMIT]

        try:
            await town.fake.until(lambda: all(len(place.created) > BURST for place in places))
            yield Pair(ours, baseline)
        finally:
            storming.cancel()
            await asyncio.wait({storming})


async def _push_on(server: Server) -> None:
    async with line_to(server.url) as line:
        for number in count(1):
            for kind, data in STORM.values():
                await line.send(push(kind, data(number)))
            await asyncio.sleep(1 / PUSHES)


async def _embeds_a_second(channel: Channel) -> float:
    """Return how many embeds come to a channel, counted over whole bursts."""
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
        "s",
        "a bare HTTP round trip",
        (at_most(12, "p50"), at_most(40, "p99", percentile(0.99))),
        posting,
    ),
    Figure(
        "feeds under storm, per channel",
        "embeds/s",
        "Discord's limit",
        (replace(at_least(0.95), of=min),),
        storm,
        rounds=3,
    ),
]
