"""kill -9: what was answered with 200 is there, and is told exactly once."""

import asyncio
import sqlite3
from contextlib import closing, suppress

import aiohttp
from aiohttp.test_utils import unused_port

from tests.end_to_end.town import Town, call_911

PUSHES = 200


async def _healthy(town: Town) -> None:
    """Wait until the bot answers; the connection is refused until it listens."""
    async with asyncio.timeout(30), aiohttp.ClientSession() as http:
        while True:
            with suppress(aiohttp.ClientConnectionError):
                async with http.get(f"{town.url}/healthz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.02)  # polls another process; nothing here could tell us


async def _push_until_killed(town: Town, kill_after: int, kill: asyncio.Event) -> set[int]:
    """Push from eight connections and return which calls were answered with 200."""
    accepted: set[int] = set()
    calls = iter(range(1, PUSHES + 1))

    async def push() -> None:
        for call_id in calls:
            with suppress(aiohttp.ClientError):
                if await town.push("EVENT_911", call_911(call_id)) == 200:
                    accepted.add(call_id)
            if len(accepted) >= kill_after:
                kill.set()

    await asyncio.gather(*(push() for _ in range(8)))
    return accepted


async def test_every_accepted_push_is_journalled_and_has_one_card_after_kill_9(
    town: Town,
) -> None:
    port = unused_port()
    kill = asyncio.Event()
    async with town.bot_process(port) as process:
        await _healthy(town)
        pushing = asyncio.create_task(_push_until_killed(town, PUSHES // 2, kill))
        await kill.wait()
        process.kill()
        await process.wait()
        accepted = await pushing
    assert PUSHES // 2 <= len(accepted) < PUSHES
    town.fake.forget_nonces()  # a restart may take longer than Discord remembers
    with closing(sqlite3.connect(town.folder / "sentinel.db")) as database:
        rows = database.execute("SELECT data ->> 'callId' FROM journal WHERE name LIKE 'cad.%'")
        journalled = [int(call_id) for (call_id,) in rows]
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert accepted <= set(journalled)
    assert len(journalled) == len(set(journalled))

    async with town.bot_process(port):
        await town.fake.until(
            lambda: len(town.channel("emergency").messages) >= len(journalled), timeout=60
        )
        await _healthy(town)
        assert await town.push("EVENT_911", call_911(PUSHES + 1)) == 200
        last = f"911 call {PUSHES + 1}"
        await town.fake.until(
            lambda: town.channel("emergency").messages[-1].embeds[0]["title"] == last, timeout=30
        )
    titles = [card.embeds[0]["title"] for card in town.channel("emergency").created]
    expected = [f"911 call {call_id}" for call_id in [*journalled, PUSHES + 1]]
    assert sorted(titles) == sorted(expected)
    log = (town.folder / "log.txt").read_text()
    assert "Traceback" not in log
