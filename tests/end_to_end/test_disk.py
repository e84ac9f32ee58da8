"""The disk goes wrong while everybody works: writes are refused, reads go on, and it recovers."""

import asyncio
import resource
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from random import Random
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from cogs.delivery import follower
from db import database
from tests.db.disk import FULL, IOERR_FSYNC, IOERR_WRITE, READONLY, Disk, faulty_disk
from tests.end_to_end.environment import TOKEN, BotEnvironment, call_911
from tests.fake_discord import render
from tests.soak.ledger import Ledger, broken_promises, caught_up
from tests.soak.load import Load
from tests.soak.process import bot_process, stopped

Trouble = Callable[[BotEnvironment, Disk], Any]


def _wrong(**how: int) -> Trouble:
    @asynccontextmanager
    async def failure(_: BotEnvironment, disk: Disk) -> AsyncIterator[None]:
        vars(disk).update(how)
        yield
        disk.mend()

    return failure


@asynccontextmanager
async def _locked(env: BotEnvironment, _: Disk) -> AsyncIterator[None]:
    path = env.folder / "sentinel.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


FAILURES: dict[str, Trouble] = {
    "full": _wrong(on_write=FULL),
    "broken": _wrong(on_write=IOERR_WRITE),
    "read-only": _wrong(on_write=READONLY),
    "never done": _wrong(on_sync=IOERR_FSYNC),
    "locked": _locked,
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failing_disk_refuses_writes_readably_allows_reads_and_recovers(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT", 0.05)
    monkeypatch.setattr(follower, "RETRY", 0.02)
    with faulty_disk() as disk:
        async with (
            env.bot_running(),
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http,
            http.ws_connect(f"{env.url}/ws") as socket,
        ):
            await env.wait_for_commands()
            property_id = await env.add_property("Villa", drones=1)
            card = await env.channel("approvals").next_message()
            async with FAILURES[failure](env, disk):
                assert await env.push("EVENT_911", call_911(1)) == 503
                data = {"propertyId": property_id, "userId": "refused"}
                assert (await env.query("add-auth-entry", **data))["code"] == "unavailable"
                await socket.send_json({"type": "queries.add-auth-entry", "data": data})
                assert (await socket.receive_json())["data"]["code"] == "unavailable"
                clicked = await env.fake.click(env.anna, card, "Approve")
                used = await env.fake.slash(env.dora, "drone dispatch", property=str(property_id))
                for reply in (clicked, used):
                    assert reply.content == "Storage is unavailable, try again later."
                    assert reply.ephemeral
                assert (await env.query("get-property", propertyId=property_id))[
                    "status"
                ] == "PENDING"
                listed = await env.fake.slash(env.vic, "drone list")
                assert "No drones are out." in render(listed)
                async with http.get(f"{env.url}/healthz") as answer:
                    assert (await answer.json())["live"]
            assert await env.push("EVENT_911", call_911(2)) == 200
            await socket.send_json({"type": "queries.add-auth-entry", "data": data})
            assert (await socket.receive_json())["data"] == {"success": True}
            reply = await env.fake.click(env.anna, card, "Approve")
            assert "approved." in reply.content
            await env.channel("emergency").next_message()
            await env.channel("access").next_message()
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as stored:
        names = [name for (name,) in stored.execute("SELECT name FROM journal")]
        assert stored.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert names.count("cad.EVENT_911") == names.count("auth-entries") == 1
    assert len(env.channel("emergency").created) == len(env.channel("access").created) == 1


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits another process")
async def test_a_process_that_cannot_write_files_recovers_once_it_can(
    env: BotEnvironment,
) -> None:
    ledger = Ledger()
    load = Load(env, ledger, Random(1))
    with bot_process(env, unused_port()) as process:
        await env.healthy()
        await load.prepare()
        await env.fake.until(lambda: bool(env.guild.commands), timeout=30)
        working = asyncio.create_task(load.run())
        for _ in range(3):
            await _until_more(ledger.done)
            with _no_room(process.pid or 0):
                assert await env.push("EVENT_911", call_911(10**6)) == 503
                async with aiohttp.ClientSession() as http, http.get(f"{env.url}/healthz") as got:
                    assert (got.status, (await got.json())["live"]) == (503, True)
                await _until_more(ledger.begun)
        working.cancel()
        await asyncio.wait({working})
        await caught_up(env)
        assert await stopped(process)
    assert await broken_promises(env, ledger) == []
    assert ledger.begun.total() > ledger.done.total() > 150


@contextmanager
def _no_room(process: int) -> Iterator[None]:
    """Have a process write to no file."""
    limits = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, limits[1]))
    yield
    resource.prlimit(process, resource.RLIMIT_FSIZE, limits)


async def _until_more(deeds: Counter[str]) -> None:
    enough = deeds.total() + 50
    async with asyncio.timeout(60):
        while deeds.total() < enough:  # noqa: ASYNC110 - another process cannot tell
            await asyncio.sleep(0.02)
