"""Eight hundred mixed pushes at once: each is answered, and each is in the journal once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
import orjson

from tests.webhook.serving import KEY, RunningApp

PUSHES = 800
CONNECTIONS = 32

MIX: list[Callable[[int], tuple[str, dict[str, Any]]]] = [
    lambda n: ("EVENT_911", {"call": {"callId": n, "location": f"[{n}] Forum Dr"}}),
    lambda n: ("EVENT_REMOVE_911", {"callIds": [n - 1]}),
    lambda n: ("EVENT_DISPATCH_NEW", {"dispatch": {"callId": n, "idents": [n % 40]}}),
    lambda n: ("EVENT_DISPATCH_EDIT", {"dispatch": {"callId": n - 1, "title": f"Fire {n}"}}),
    lambda n: ("EVENT_DISPATCH_NOTE", {"callId": n - 2, "note": f"note {n}"}),
    lambda n: ("EVENT_DISPATCH_UNIT_ATTACH", {"callId": n - 3, "ident": n % 40}),
    lambda n: ("EVENT_UNIT_STATUS", {"identIds": [n % 40], "status": n % 5}),
    lambda n: ("EVENT_UNIT_PANIC", {"identIds": [n % 40], "isPanic": n % 20 < 10}),
    lambda n: ("EVENT_PAGER_REBORN", {"addresses": ["E-9"], "body": f"page {n}"}),
    lambda n: ("EVENT_TONE", {"url": "https://tones.example/1.ogg", "playTonesTo": [{"type": 0}]}),
]


async def test_storm_of_pushes_is_answered_and_stored(app: RunningApp) -> None:
    for number in range(40):
        await app.harness.add_property(location=f"{number} Forum Dr", x=number * 30, y=0)
    known = len(await app.harness.journal_events())
    storm = iter([MIX[n % len(MIX)](n) for n in range(1, PUSHES + 1)])
    answers: Counter[tuple[int, str]] = Counter()
    sent: Counter[str] = Counter()

    async def connection() -> None:
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(connector=connector) as http:
            for kind, data in storm:
                sent[f"cad.{kind}"] += 1
                body = orjson.dumps({"key": KEY, "type": kind, "data": data})
                async with http.post(f"{app.url}/event", data=body) as response:
                    answers[response.status, await response.text()] += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(connection())
    assert answers == {(200, "OK"): PUSHES}
    journalled = (await app.harness.journal_events())[known:]
    assert Counter(event.name for event in journalled) == sent
    assert [event.id for event in journalled] == sorted({event.id for event in journalled})
    assert len(app.harness.dump()["notices"]) == sent["cad.EVENT_PAGER_REBORN"]
