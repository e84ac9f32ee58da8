"""The memory that the bot has while nothing happens, and that its idle clients cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from benchmarks.community import community
from benchmarks.figure import Figure, Pair, Samples, at_most
from benchmarks.load import connected
from benchmarks.processes import Server, bot

MIB, KIB = 1024 * 1024, 1024

SETTLING = 3.0
"""Seconds after which a bot that is connected has done all that it does at its start."""

STEPS = (0, 1_000, 2_000)
"""Clients that are connected when memory is read."""

SUBSCRIPTIONS = (
    orjson.dumps({"type": "subscribe", "data": {"id": "events.visits"}}),
    orjson.dumps({"type": "subscribe", "data": {"id": "events.alerts"}}),
)


class Subscriber(WSListener):
    """Subscribes, and then keeps still."""

    def __init__(self) -> None:
        self.subscribed = asyncio.get_running_loop().create_future()
        self._answers = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        for question in SUBSCRIPTIONS:
            transport.send(WSMsgType.TEXT, question)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            self._answers += 1
            if not frame.get_payload_as_bytes().startswith(b'{"type":"status"'):
                self.subscribed.set_exception(RuntimeError(frame.get_payload_as_utf8_text()))
            elif self._answers == len(SUBSCRIPTIONS):
                self.subscribed.set_result(None)


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
            for before, now in pairwise(STEPS):
                for _ in range(now - before):
                    await clients.enter_async_context(subscribed(server))
                await asyncio.sleep(SETTLING)
                read.append(server.resident)
        grown = zip(pairwise(read), pairwise(STEPS), strict=True)
        return [(after - start) / (now - before) / KIB for (start, after), (before, now) in grown]

    yield Pair(ours)


@asynccontextmanager
async def subscribed(server: Server) -> AsyncIterator[None]:
    """Hold a websocket open that has subscribed to something."""
    subscriber = Subscriber()
    async with connected(lambda: subscriber, f"{server.url}/ws", server.headers):
        await subscriber.subscribed
        yield


FIGURES = [
    Figure("memory of an idle instance", "MiB", "", (at_most(90),), idle, rounds=3),
    Figure(
        "memory per idle websocket client", "KiB", "", (at_most(30, of=max),), per_client, rounds=3
    ),
]
