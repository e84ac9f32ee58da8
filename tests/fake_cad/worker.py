"""The outbox as a process of its own, which can be killed at any moment."""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp

from db.database import Database
from webhook.cad.store import PushConfig
from webhook.cad_api.client import CadApiClient
from webhook.cad_api.endpoints import ENDPOINTS, ApiAccess
from webhook.cad_api.limits import SlidingLimit
from webhook.cad_api.outbox import CadOutbox
from webhook.protocol.bus import Bus
from webhook.protocol.context import Caller, Context, Scope

HURRY = 60
"""How much faster than ours the time of these processes is: a minute is a second."""

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.fake_cad.worker"])


def hurried() -> float:
    return time.monotonic() * HURRY


def hurried_now() -> int:
    """Return milliseconds that all processes of this machine agree on."""
    return round(hurried() * 1000)


@contextmanager
def worker_process(path: Path, url: str, key: str) -> Iterator[BaseProcess]:
    """Carry out the requests in a database until the end of the block, which kills it."""
    process = _PROCESSES.Process(target=_live, args=(path, url, key))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def context_of(database: Database, caller: Caller) -> Context:
    return Context(database, Bus(), caller, ZoneInfo("UTC"), hurried_now)


def _live(path: Path, url: str, key: str) -> None:
    async def live() -> None:
        limits = {name: SlidingLimit(one.most, hurried) for name, one in ENDPOINTS.items()}
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            Database.open(path) as database,
            aiohttp.ClientSession(connector=connector) as http,
        ):
            client = CadApiClient(http, ApiAccess(key, 1, url), limits)
            context = context_of(database, Caller("bot", Scope.ADMIN))
            outbox = CadOutbox(context, {"cad": client}, PushConfig(), 1 / HURRY, hurried)
            await outbox.count_earlier()
            await outbox.ask_for_state()
            await outbox.run()

    asyncio.run(live())
