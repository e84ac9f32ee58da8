"""The processor time of short commands, beside a Python that starts and ends."""

import asyncio
import json
import os
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.figure import Figure, Pair, Round, Target
from benchmarks.servers import CAD_KEY, ROOT, TOKEN, bot

PROCESSOR = "s of processor time"
BASELINE = "python -c pass"
ROUNDS = 7


async def processor(*arguments: str, folder: Path, **variables: str) -> Round:
    """Run Python with arguments until it ends; return the processor time that it used."""
    before = _of_children()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await process.wait():
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return {PROCESSOR: _of_children() - before}


def _of_children() -> float:
    """Return the processor time of all children that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@asynccontextmanager
async def _help(folder: Path) -> AsyncIterator[Pair]:
    yield Pair(
        lambda: processor("-m", "bot", "--help", folder=folder),
        lambda: processor("-c", "pass", folder=folder),
    )


@asynccontextmanager
async def _query(folder: Path) -> AsyncIterator[Pair]:
    """Send a query to a bot that runs, with the token of its client in the environment."""
    async with bot(folder) as server:
        variables = {
            "SENTINEL_HTTP__PORT": server.url.rpartition(":")[2],
            "SENTINEL_DATABASE__PATH": str(folder / "sentinel.db"),
            "SENTINEL_CAD__KEYS": json.dumps([CAD_KEY]),
            "SENTINEL_WEBSOCKET__CLIENTS": json.dumps(
                [{"name": "bench", "token": TOKEN, "scope": "admin"}]
            ),
        }
        yield Pair(
            lambda: processor("-m", "bot", "query", "get-tiers", folder=folder, **variables),
            lambda: processor("-c", "pass", folder=folder),
        )


FIGURES = [
    Figure("cad-sentinel --help", BASELINE, (Target(PROCESSOR, 6),), _help, ROUNDS),
    Figure("cad-sentinel query", BASELINE, (Target(PROCESSOR, 15),), _query, ROUNDS),
]
