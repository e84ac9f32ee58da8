"""The bot as a process that is killed and started again in an instant."""

import asyncio
import logging
import multiprocessing
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from bot.app import run, stop_signal
from bot.logs import start_logging
from bot.settings import LogSettings, Settings
from cogs.cards import CARDS
from cogs.delivery import follower
from cogs.delivery.delivery_context import Pace
from cogs.delivery.rest import errors as rest_errors
from tests.clock import set_clock
from tests.end_to_end.environment import QUICK, BotEnvironment
from tests.fake_discord import hurry

# A fork of a process that has imported everything starts in milliseconds.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.soak.process"])

STOPPING = 30.0
"""Seconds that the bot may take to stop in order."""


@dataclass(frozen=True)
class Haste:
    """How long the bot waits, in seconds: its pace, and after refusals of everything."""

    pace: Pace
    refused: float


AT_ONCE = Haste(QUICK, refused=0.05)


@contextmanager
def bot_process(
    env: BotEnvironment, port: int, haste: Haste = AT_ONCE, clock: float = 0.0
) -> Iterator[BaseProcess]:
    """The bot of an environment, in a hurry; killed at the end of the block if it still runs.

    `clock`: seconds that its clock is ahead.
    """
    settings = env.settings()
    where = {"api_url": env.fake.rest_url, "gateway_url": env.fake.gateway_url}
    told = {
        "discord": settings.discord.model_copy(update=where),
        "http": settings.http.model_copy(update={"port": port}),
        # A wrong clock may pass the hour of the daily report, which no ledger expects.
        "community": settings.community.model_copy(update={"daily_at": ""}),
    }
    log = env.folder / "log.txt"
    arguments = (settings.model_copy(update=told), haste, log, clock)
    process = _PROCESSES.Process(target=_live, args=arguments)
    process.start()
    env.url = f"http://127.0.0.1:{port}"
    try:
        yield process
    finally:
        process.kill()
        process.join()


async def stopped(process: BaseProcess) -> bool:
    """Stop the bot in order; tell whether it did."""
    process.terminate()
    await asyncio.to_thread(process.join, STOPPING)
    return process.exitcode == 0


def _live(settings: Settings, haste: Haste, log: Path, clock: float) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    start_logging(LogSettings(), [])
    tempfile.tempdir = str(log.parent)  # of its own, as all fake Discords have one token to lock
    logging.raiseExceptions = False  # where no file can be written, the log cannot either
    patch = pytest.MonkeyPatch()  # for as long as the process lives
    hurry(patch)
    set_clock(patch, clock)
    patch.setattr(follower, "RETRY", 0.05)
    patch.setattr(rest_errors, "DEFAULT_RETRY_AFTER", haste.refused)
    patch.setattr(rest_errors, "UNAUTHORIZED_RETRY", haste.refused)
    patch.setitem(CARDS, "board", replace(CARDS["board"], edit_interval=0.5))

    async def live() -> None:
        await run(settings, stop_signal(), pace=haste.pace)

    asyncio.run(live())
