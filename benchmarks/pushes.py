"""Pushes that are accepted, each on disk before it is answered."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import orjson

from benchmarks.community import community
from benchmarks.figure import Figure, Pair, Samples, at_least
from benchmarks.load import post, request
from benchmarks.processes import CAD_KEY, Server, bare, query

CONNECTIONS = 32
SECONDS = 4.0
"""One round of one side."""

PROPERTIES = 100
UNITS = 40


def push(kind: str, data: Mapping[str, object]) -> bytes:
    """Write a push of the CAD."""
    return request("/event", orjson.dumps({"key": CAD_KEY, "type": kind, "data": data}))


def pushes() -> Iterator[bytes]:
    """Write requests without end: 911 calls and unit statuses in turns, no two alike."""
    return map(_push, count(1))


def _push(number: int) -> bytes:
    if number % 2:
        call = {
            "callId": number,
            "isEmergency": True,
            "caller": "Jane Doe",
            "location": f"{number % 9_000} Forum Dr",
            "description": "Shots fired near the bank, two suspects on foot",
            "metaData": {"postal": str(number % 9_000), "x": str(number % 4_000), "y": "20.5"},
        }
        return push("EVENT_911", {"call": call})
    status = {"identIds": [number // 2 % UNITS], "status": number // 2 // UNITS % 5}
    return push("EVENT_UNIT_STATUS", status)


def houses() -> Iterator[dict[str, object]]:
    """Give the data of properties to add, with which 911 calls are compared."""
    for place in range(PROPERTIES):
        yield {
            "location": f"{place} Forum Drive",
            "tier": 1,
            "x": place * 40,
            "y": 10,
            "width": 20,
            "height": 20,
            "description": "A house",
            "clientId": f"license:{place}",
        }


async def add_properties(server: Server) -> None:
    """Add the houses."""
    for house in houses():
        await query(server, "add-property", house)


@asynccontextmanager
async def _accepting(folder: Path) -> AsyncIterator[Pair]:
    async with community(is_limited=True) as town, bare() as baseline, town.bot(folder) as server:
        await add_properties(server)
        sent = pushes()

        async def rate(target: Server) -> Samples:
            return [await post(target.url, sent, connections=CONNECTIONS, seconds=SECONDS)]

        yield Pair(lambda: rate(server), lambda: rate(baseline))


FIGURES = [
    Figure(
        "pushes accepted durably, 32 connections",
        "pushes/s",
        "a bare aiohttp handler that parses the JSON and answers",
        (at_least(0.5),),
        _accepting,
    )
]
