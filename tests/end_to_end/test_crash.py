"""kill -9: what was answered as done is there, and Discord shows it exactly once.

The kills here come at chosen moments; `make soak` kills at random ones, under load.
"""

import asyncio
import sqlite3
from contextlib import closing, suppress
from itertools import cycle
from typing import Any

import aiohttp
from aiohttp.test_utils import unused_port

from tests.end_to_end.environment import CAD_KEY, TOKEN, BotEnvironment, call_911
from tests.soak.ledger import Ledger, broken_promises, caught_up
from tests.soak.process import bot_process, stopped

MESSAGES = r"^/channels/\d+/messages"


async def test_nothing_is_lost_or_shown_twice_when_the_process_is_killed(
    env: BotEnvironment,
) -> None:
    ledger, port, fake = Ledger(), unused_port(), env.fake
    emergency, records = env.channel("emergency"), env.channel("records")

    async def push(number: int) -> None:
        record = {"id": number, "type": 3, "name": f"record-{number}"}
        for kind, name, data in (
            ("EVENT_911", str(number), call_911(number)),
            ("EVENT_RECORD_ADD", record["name"], {"record": record}),
        ):
            async with ledger.deed(f"cad.{kind}", name):
                assert await env.push(kind, data) == 200

    with bot_process(env, port) as process:  # killed before Discord gets anything
        await env.healthy()
        fake.fault("POST", MESSAGES, reset=True, times=None)
        await push(1)
        await fake.until(lambda: len(fake.requests_to("POST", MESSAGES)) >= 2)
        process.kill()
    fake.recover()
    assert emergency.created == records.created == []

    with bot_process(env, port) as process:  # killed before the bot gets Discord's answers
        await env.healthy()
        await fake.until(lambda: emergency.created and records.created)
        fake.fault("POST", MESSAGES, reset=True, after=True, times=None)
        await push(2)
        await fake.until(lambda: len(emergency.created) == len(records.created) == 2)
        process.kill()
    fake.recover()
    fake.forget_nonces()

    with bot_process(env, port) as process:  # killed when the bot may be storing the answers
        await env.healthy()
        await push(3)
        await fake.until(lambda: len(emergency.created) == len(records.created) == 3)
        process.kill()
    fake.forget_nonces()

    with bot_process(env, port) as process:
        await env.healthy()
        await caught_up(env)
        assert await stopped(process)
    assert await broken_promises(env, ledger) == []
    assert len(emergency.created) == len(records.created) == 3


async def test_a_resent_key_has_one_effect_whenever_the_process_is_killed(
    env: BotEnvironment,
) -> None:
    port, emergency, replayed = unused_port(), env.channel("emergency"), 0
    waiting = [_with_key(number) for number in range(1, 41)]
    with bot_process(env, port) as process:
        await env.healthy()
        await env.add_property("Villa")
        assert await stopped(process)
    for patience in cycle((0.01, 5.0, 0.03)):  # wherever it is by then; five: the answer is lost
        with bot_process(env, port) as process:
            await env.healthy()
            if not waiting:
                await caught_up(env)
                assert await stopped(process)
                break
            replayed += await _drain(env, waiting, 10)
            task = asyncio.create_task(_drain(env, waiting[:], 10))
            await asyncio.wait({task}, timeout=patience)
            process.kill()
            with suppress(aiohttp.ClientError):
                await task
    assert len(emergency.created) == 20
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        users = database.execute("SELECT user_id FROM alerts ORDER BY id").fetchall()
        calls = database.execute(
            "SELECT call_id FROM emergency_calls ORDER BY received_at, call_id"
        )
        assert [user for (user,) in users] == [str(number) for number in range(2, 41, 2)]
        assert [call for (call,) in calls] == list(range(1, 40, 2))
    assert replayed


def _with_key(number: int) -> dict[str, Any]:
    """Return a message of a batch: a push or, in turns, a query."""
    if number % 2:
        push = {
            "key": CAD_KEY,
            "type": "EVENT_911",
            "data": call_911(number),
        }
        return {"key": f"k{number}", "push": push}
    data = {"propertyId": 1, "userId": str(number)}
    return {"key": f"k{number}", "type": "queries.add-alert", "data": data}


async def _drain(env: BotEnvironment, waiting: list[dict[str, Any]], most: int) -> int:
    """Send a batch, and strike from the list what is answered; return how many were replayed."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"messages": waiting[:most]}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{env.url}/api/batch", json=body, headers=headers) as got,
    ):
        answers = (await got.json())["answers"]
    assert {answer["status"] for answer in answers} <= {200}
    del waiting[: len(answers)]
    return sum(answer["replayed"] for answer in answers)
