"""Reads over `/ws` and pushes, beside the plain program."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import orjson

from benchmarks.community import community
from benchmarks.figure import PROCESSOR, RATE, Figure, Pair, Round, Target
from benchmarks.load import ask, post, request
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


def _pushes() -> Iterator[bytes]:
    return map(_push, count(1))


@asynccontextmanager
async def _reads(folder: Path) -> AsyncIterator[Pair]:
    async with plain(folder) as baseline, bot(folder) as server:
        await add_properties(server)
        requests = [
            orjson.dumps(
                {
                    "type": "queries.get-property",
                    "data": {"propertyId": n % PROPERTIES + 1, "requestIdentifier": f"r{n}"},
                }
            )
            for n in range(REQUESTS)
        ]

        async def read(target: Server) -> Round:
            return await ask(target, requests, connections=READERS, seconds=SECONDS)

        yield Pair(lambda: read(server), lambda: read(baseline))


@asynccontextmanager
async def _accepted(folder: Path) -> AsyncIterator[Pair]:
    async with (
        plain(folder) as baseline,
        community(is_limited=True) as env,
        env.bot(folder) as server,
    ):
        await add_properties(server)
        pushes = _pushes()

        async def accept(target: Server) -> Round:
            return await post(target, pushes, connections=PUSHERS, seconds=SECONDS)

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
