"""A backlog drains in batches while live events go on: `python -m benchmarks.backlog`.

At the usual rate limit, one client sends 10,000 messages that the game server kept, 100 at a time:
911 calls and alerts, each with a key and an age. Meanwhile another one sends an alert every 50 ms
and hears of it over `/ws`. Printed are how long the backlog took, and how late live alerts were.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.servers import CAD_KEY, TOKEN, Server, bot, query

MESSAGES = 10_000
BATCH = 100
PAUSE = 0.05
"""Seconds between two live alerts."""
PROPERTIES = 50
LIVE_TOKEN = "token-of-the-live-client"


def backlog() -> Iterator[dict[str, Any]]:
    """Return what the game server kept, the oldest first."""
    for number in range(MESSAGES):
        kept: dict[str, Any] = {"key": f"7f3a-{number:012}", "age": (MESSAGES - number) / 10}
        if number % 2:
            user = {"propertyId": number % PROPERTIES + 1, "userId": f"license:{number % 200}"}
            yield kept | {"type": "queries.add-alert", "data": user}
            continue
        call = {"callId": number, "caller": "Wren", "location": f"{number} Forum Dr"}
        data = {"call": call | {"isEmergency": True, "description": "Shots fired"}}
        push = {"key": CAD_KEY, "type": "EVENT_911", "data": data}
        yield kept | {"push": json.dumps(push)}


async def drain(http: aiohttp.ClientSession, server: Server) -> float:
    """Send the backlog and return how many seconds it took."""
    began, messages = time.monotonic(), list(backlog())
    for start in range(0, MESSAGES, BATCH):
        body = {"messages": messages[start : start + BATCH]}
        async with http.post(f"{server.url}/api/batch", json=body, headers=server.headers) as got:
            answers = (await got.json())["answers"]
            assert all(answer["status"] == 200 for answer in answers)
    return time.monotonic() - began


async def send_live(http: aiohttp.ClientSession, server: Server) -> list[float]:
    """Send live alerts until cancelled; return how many seconds each took to reach a websocket."""
    headers = {"Authorization": f"Bearer {LIVE_TOKEN}"}
    delays: list[float] = []
    sent: dict[str, float] = {}
    async with http.ws_connect(f"{server.url}/ws", headers=headers) as socket:
        await socket.send_json({"type": "subscribe", "data": {"id": "alerts"}})

        async def hear() -> None:
            async for message in socket:
                user = message.json().get("data", {}).get("user")
                if user in sent:
                    delays.append(time.monotonic() - sent.pop(user))

        async def press(number: int) -> None:
            user = f"live:{number}"
            sent[user] = time.monotonic()
            data = {"propertyId": PROPERTIES, "userId": user}
            message = {"type": "queries.add-alert", "data": data}
            keyed = headers | {"Idempotency-Key": user}
            async with http.post(f"{server.url}/api/query", json=message, headers=keyed) as got:
                assert got.status == 200

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(hear())
                for number in range(MESSAGES):
                    group.create_task(press(number))
                    await asyncio.sleep(PAUSE)
        except asyncio.CancelledError:
            assert len(sent) < 20, f"{len(sent)} live alerts were never heard of"
    return delays


async def main() -> None:
    clients = [
        {"name": "game", "token": TOKEN, "scope": "write"},
        {"name": "live", "token": LIVE_TOKEN, "scope": "write"},
    ]
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = {"WEBSOCKET__MESSAGES_PER_SECOND": "200"}
        settings["WEBSOCKET__CLIENTS"] = json.dumps(clients)
        server = await stack.enter_async_context(bot(folder, **settings))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        for number in range(PROPERTIES):
            place = {"location": f"{number} Grove St", "x": number * 40, "y": 0}
            given = {"tier": 1, "description": "A house", "clientId": "license:1"}
            await query(server, "add-property", place | given)
        live = asyncio.create_task(send_live(http, server))
        seconds = await drain(http, server)
        live.cancel()
        delays = sorted(await live)
        median, late, last = (delays[int(len(delays) * part)] for part in (0.5, 0.99, 1 - 1e-9))
        print(f"{MESSAGES} messages drained in {seconds:.1f} s, {MESSAGES / seconds:.0f} a second")
        print(
            f"{len(delays)} live alerts: median {median * 1000:.0f} ms,"
            f" 99 % within {late * 1000:.0f} ms, the slowest {last * 1000:.0f} ms"
        )
        print(f"processor time of the bot: {server.processor:.1f} s")


if __name__ == "__main__":
    asyncio.run(main())
