"""Queries and events over `/ws`, next to what aiohttp's websockets can do at all."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import orjson
from picows import WSListener, WSMsgType

from benchmarks.figure import Figure, Pair, Samples, at_least
from benchmarks.load import Audience, ask, connected, hearing, line_to
from benchmarks.processes import Server, bare, bot, query
from benchmarks.pushes import PROPERTIES, add_properties, push

SECONDS = 3.0
"""One round of one side."""

QUESTIONS = 1_000
"""Frames that are sent over and over."""

HEARERS = 10
SUBSCRIBERS = 1_000
EVENTS = 30
"""Events that are told one after the other, each once the last subscriber has the one before."""


def message(name: str, number: int, **data: object) -> bytes:
    """Write a message as a script does, with an identifier."""
    return orjson.dumps({"type": name, "data": data | {"requestIdentifier": f"r{number}"}})


def lookup(number: int) -> bytes:
    """Write a query for one of the properties."""
    return message("queries.get-property", number, propertyId=number % PROPERTIES + 1)


LOOKUPS = [lookup(number) for number in range(QUESTIONS)]


@asynccontextmanager
async def _asked(
    folder: Path, questions: list[bytes], connections: int, in_flight: int
) -> AsyncIterator[Pair]:
    async with bare() as baseline, bot(folder) as server:
        await add_properties(server)

        yield _asking(server, baseline, questions, connections, in_flight)


def _asking(
    server: Server, baseline: Server, questions: list[bytes], connections: int, in_flight: int
) -> Pair:
    """Ask both sides the same; the baseline only sends the questions back."""

    async def rate(target: Server) -> Samples:
        answers = await ask(
            f"{target.url}/ws",
            target.headers,
            questions,
            connections=connections,
            in_flight=in_flight,
            seconds=SECONDS,
        )
        return [answers]

    return Pair(lambda: rate(server), lambda: rate(baseline))


def _looking_up(
    connections: int, in_flight: int
) -> Callable[[Path], AbstractAsyncContextManager[Pair]]:
    return lambda folder: _asked(folder, LOOKUPS, connections, in_flight)


@asynccontextmanager
async def _mixed(folder: Path) -> AsyncIterator[Pair]:
    async with bare() as baseline, bot(folder) as server, AsyncExitStack() as stack:
        await add_properties(server)
        camera = await query(
            server, "add-equipment", {"propertyId": 1, "equipmentType": 1, "description": "Camera"}
        )
        visit = {"propertyId": 1, "cameraId": camera["id"]}
        questions = [
            message("queries.add-visitor", number, userId=f"license:{number % 500}", **visit)
            if number % 5 == 0
            else lookup(number)
            for number in range(QUESTIONS)
        ]
        for _ in range(HEARERS):
            await stack.enter_async_context(
                hearing(f"{server.url}/ws", server.headers, "visits", "scanned")
            )
        yield _asking(server, baseline, questions, connections=50, in_flight=1)


@asynccontextmanager
async def _told(folder: Path) -> AsyncIterator[Pair]:
    """Push a tone, which is written to disk and told; the bare loop is told to send at once."""
    async with bare() as baseline, bot(folder) as server, AsyncExitStack() as stack:
        ours, theirs = Audience(SUBSCRIBERS), Audience(SUBSCRIBERS)
        await ours.listen(stack, f"{server.url}/ws", server.headers, "cad.EVENT_TONE")
        await theirs.listen(stack, f"{baseline.url}/ws?listen", {})
        cad = await stack.enter_async_context(line_to(server.url))
        teller = await stack.enter_async_context(
            connected(WSListener, f"{baseline.url}/ws?tell", {})
        )
        numbers = count(1)

        def tone() -> dict[str, object]:
            return {"playTonesTo": [{"type": 0, "label": f"station {next(numbers)}"}]}

        async def push_tone() -> None:
            await cad.send(push("EVENT_TONE", tone()))

        async def send() -> None:
            frame = {"type": "events.cad.EVENT_TONE", "id": 1, "data": tone()}
            teller.send(WSMsgType.TEXT, orjson.dumps(frame))

        async def own() -> Samples:
            return [SUBSCRIBERS / await ours.told(push_tone) for _ in range(EVENTS)]

        async def bare_loop() -> Samples:
            return [SUBSCRIBERS / await theirs.told(send) for _ in range(EVENTS)]

        yield Pair(own, bare_loop)


_ECHO = "a bare aiohttp websocket that echoes the same frames"

FIGURES = [
    Figure(
        "get-property, 50 connections, 1 in flight each",
        "answers/s",
        _ECHO,
        (at_least(0.4),),
        _looking_up(50, 1),
    ),
    Figure(
        "get-property, 1 connection, 64 in flight",
        "answers/s",
        _ECHO,
        (at_least(0.4),),
        _looking_up(1, 64),
    ),
    Figure(
        "80 % get-property, 20 % add-visitor told to 10 subscribers",
        "answers/s",
        _ECHO,
        (at_least(0.25),),
        _mixed,
    ),
    Figure(
        "one event to 1,000 subscribers, until the last has it",
        "frames/s",
        "a bare loop that sends a ready frame to 1,000 websockets",
        (at_least(0.8),),
        _told,
    ),
]
