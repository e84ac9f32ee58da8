"""A storm of pushes, under limits in Discord's own proportions, ten times as fast."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import chain, islice
from typing import Any

import aiohttp

from cogs.delivery.delivery_context import Pace
from tests.end_to_end.environment import CAD_KEY, BotEnvironment, call_911, dispatch_call
from tests.fake_discord import Channel, Message, Rate, render

TENTH = Pace(edit=0.1, gather=0.1, feed=0.1, retry=0.01, closed=0.05)
CALLS = 20
RECORDS = STATUSES = 240
CONNECTIONS = 100

Push = tuple[str, dict[str, Any]]


def _life_of_call(number: int) -> Iterator[Push]:
    """A 911 call that is dispatched, noted and closed."""
    yield "EVENT_911", call_911(number)
    yield "EVENT_DISPATCH_NEW", dispatch_call(number, metaData={"origin911": str(number)})
    yield "EVENT_DISPATCH_NOTE", {"callId": number, "note": f"note on {number}"}
    yield "EVENT_DISPATCH_EDIT", dispatch_call(number, title=f"Final title {number}")
    yield "EVENT_REMOVE_911", {"callIds": [number]}
    yield "EVENT_DISPATCH_CLOSED", {"callIds": [number]}


def _records() -> Iterator[Push]:
    for number in range(RECORDS):
        record = {"id": number, "type": 3, "name": f"record-{number:03}"}
        yield "EVENT_RECORD_ADD", {"record": record}


def _statuses() -> Iterator[Push]:
    for number in range(STATUSES):
        yield "EVENT_UNIT_STATUS", {"identIds": [1000 + number], "status": 3}


def _storm() -> list[Push]:
    """600 pushes: the lives of 20 calls, 240 records, 240 statuses, one after the other in turn."""
    calls = list(
        chain.from_iterable(zip(*(_life_of_call(n + 1) for n in range(CALLS)), strict=True))
    )
    turns = (iter(calls), _records(), _statuses())
    return list(
        chain.from_iterable(
            islice(pushes, share)
            for _ in range(60)
            for pushes, share in zip(turns, (2, 4, 4), strict=True)
        )
    )


async def _push_all(env: BotEnvironment, pushes: list[Push]) -> Counter[int]:
    """Push everything at once; count the statuses of the answers."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http:

        async def push(kind: str, data: dict[str, Any]) -> int:
            body = json.dumps({"key": CAD_KEY, "type": kind, "data": data})
            async with http.post(f"{env.url}/event", data=body) as answer:
                await answer.read()
                return answer.status

        return Counter(await asyncio.gather(*(push(*one) for one in pushes)))


def _journalled(env: BotEnvironment, name: str, path: str) -> list[str]:
    """What the events of a name say at a place of their data, in the order of the journal."""
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        rows = database.execute(
            "SELECT json_extract(data, ?) FROM journal WHERE name = ? ORDER BY id", (path, name)
        )
        return [str(value) for (value,) in rows]


def _feed(channel: Channel) -> list[Message]:
    """The messages of a channel's feed, told from cards by their reference."""
    return [m for m in channel.messages if "-f" in m.embeds[-1]["footer"]["text"]]


def _entries(channel: Channel) -> list[str]:
    """Each entry of a feed as text."""
    return [
        f"{embed['title']} {embed.get('description', '')}"
        for message in _feed(channel)
        for embed in message.embeds
    ]


def _are_at_their_final_state(env: BotEnvironment) -> bool:
    taken = env.channel("emergency").messages
    closed = env.channel("dispatch").messages
    return sum("dispatched" in render(card) for card in taken) == CALLS and {
        number
        for number in range(1, CALLS + 1)
        for card in closed
        if f"Dispatch call {number} · Final title {number} · closed" in render(card)
        and f"note on {number}" in render(card)
    } == set(range(1, CALLS + 1))


async def test_a_storm_is_answered_and_shown_once_in_order_without_a_429(
    env: BotEnvironment,
) -> None:
    env.fake.limits.messages = Rate(5, 0.5)
    env.fake.limits.everything = Rate(50, 0.1)
    pushes = _storm()
    assert len(pushes) == 600
    records, units = env.channel("records"), env.channel("units")
    async with env.bot_running(TENTH):
        await env.fake.wait_connected()
        assert await _push_all(env, pushes) == {200: 600}
        await env.fake.until(
            lambda: len(_entries(records)) >= RECORDS and len(_entries(units)) >= STATUSES,
            timeout=10,
        )
        await env.fake.until(lambda: _are_at_their_final_state(env), timeout=10)
    assert env.fake.too_many_requests == 0
    # Each card once, each entry once and in the order of the journal, in full messages.
    assert len(env.channel("emergency").created) == len(env.channel("dispatch").created) == CALLS
    named = _journalled(env, "cad.EVENT_RECORD_ADD", "$.record.name")
    assert [entry.split()[-1] for entry in _entries(records)] == named
    idents = _journalled(env, "cad.EVENT_UNIT_STATUS", "$.idents[0]")
    assert [entry.split()[0] for entry in _entries(units)] == idents
    for channel in (records, units):
        assert len(_entries(channel)) / len(_feed(channel)) >= 9
