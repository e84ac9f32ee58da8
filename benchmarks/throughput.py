"""Reads over `/ws` and pushes, beside the plain program."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, cycle
from pathlib import Path

import orjson

from benchmarks.community import community
from benchmarks.figure import PROCESSOR, RATE, Figure, Pair, Round, Target
from benchmarks.load import connected, line_to, measure, request
from benchmarks.plain import PROPERTIES
from benchmarks.servers import CAD_KEY, Server, bot, plain, query

SECONDS = 3.0
"""One round of one side."""

REQUESTS = 1_000
"""Frames that are sent over and over."""

READERS, PUSHERS = 50, 32
UNITS = 40


async def add_properties(server: Server) -> None:
    """Add the properties that the reads ask for and the calls are compared with."""
    for number in range(PROPERTIES):
        place = {"x": number * 40, "y": 10, "width": 20, "height": 20}
        name = {"location": f"{number} Forum Drive", "tier": 1, "description": "A house"}
        await query(server, "add-property", {**place, **name, "clientId": f"license:{number}"})


def push(kind: str, data: Mapping[str, object]) -> bytes:
    """Write a push of the CAD."""
    return request("/event", orjson.dumps({"key": CAD_KEY, "type": kind, "data": data}))


def nothing(kind: str, data: Mapping[str, object]) -> bytes:
    """Write a request that the plain program only answers, as long as a push."""
    return request("/nothing", orjson.dumps({"key": CAD_KEY, "type": kind, "data": data}))


def _push(number: int) -> bytes:
    """Write a push that is like no other: a 911 call or, in turns, a unit's status."""
    if number % 2 == 0:
        status = {"identIds": [number // 2 % UNITS], "status": number // 2 // UNITS % 5}
        return push("EVENT_UNIT_STATUS", status)
    call = {
        "callId": number,
        "isEmergency": True,
        "caller": "Jane Doe",
        "location": f"{number % 9_000} Forum Dr",
        "description": "Shots fired near the bank, two suspects on foot",
        "metaData": {"postal": str(number % 9_000), "x": str(number % 4_000), "y": "20.5"},
    }
    return push("EVENT_911", {"call": call})


@asynccontextmanager
async def _reads(folder: Path) -> AsyncIterator[Pair]:
    requests = [
        {"propertyId": n % PROPERTIES + 1, "requestIdentifier": f"r{n}"} for n in range(REQUESTS)
    ]
    frames = cycle(
        [orjson.dumps({"type": "queries.get-property", "data": data}) for data in requests]
    )

    async def read(server: Server) -> Round:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(connected(server)) for _ in range(READERS)]
            clients = [lambda it=socket: it.ask(next(frames)) for socket in sockets]
            return await measure(server, clients, SECONDS)

    async with plain(folder) as baseline, bot(folder) as server:
        await add_properties(server)
        yield Pair(lambda: read(server), lambda: read(baseline))


@asynccontextmanager
async def _accepted(folder: Path) -> AsyncIterator[Pair]:
    pushes = map(_push, count(1))

    async def accept(server: Server) -> Round:
        async with AsyncExitStack() as stack:
            lines = [await stack.enter_async_context(line_to(server)) for _ in range(PUSHERS)]
            clients = [lambda it=line: it.send(next(pushes)) for line in lines]
            return await measure(server, clients, SECONDS)

    async with (
        plain(folder) as baseline,
        community(is_limited=True) as town,
        town.bot(folder) as server,
    ):
        await add_properties(server)
        yield Pair(lambda: accept(server), lambda: accept(baseline))


FIGURES = [
    Figure(
        f"get-property over /ws, {READERS} connections",
        "the plain program",
        (Target(RATE, 1.0, is_at_least=True), Target(PROCESSOR, 1.3)),
        _reads,
    ),
    Figure(
        f"pushes, each on disk before it is answered, {PUSHERS} connections",
        "the plain program",
        (Target(RATE, 1.0, is_at_least=True), Target(PROCESSOR, 1.6)),
        _accepted,
    ),
]
