"""The real bot without Discord, in a process of its own that starts in an instant."""

import asyncio
import json
import multiprocessing
import os
import tempfile
import time
import urllib.error
import urllib.request
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Self

from bot.app import run, stop_signal
from bot.logs import start_logging
from bot.settings import (
    CadSettings,
    ClientSettings,
    DatabaseSettings,
    HttpSettings,
    LogSettings,
    NamedKey,
    Settings,
    WebsocketSettings,
)

# A fork of a process that has imported everything starts in milliseconds.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.fivem.bot_process"])

CAD_KEY = "CAD-KEY-OF-THE-TESTS"
TOKEN = "token-of-the-game-server"
OTHER_TOKEN = "token-of-another-script"
START_TIMEOUT = 60.0
"""Seconds that a start may take on a busy machine."""


class BotProcess:
    """A bot that is killed and started again on one database and one port."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self._process: BaseProcess | None = None
        self._settings = Settings(
            http=HttpSettings(port=port),
            # A push that comes twice is not to be hidden by the bot.
            cad=CadSettings(keys=[NamedKey(key=CAD_KEY)], duplicate_seconds=0),
            websocket=WebsocketSettings(
                clients=[
                    ClientSettings(name="game", token=TOKEN, scope="write"),
                    ClientSettings(name="other", token=OTHER_TOKEN, scope="write"),
                ]
            ),
            database=DatabaseSettings(path=folder / "sentinel.db"),
        )

    @property
    def database(self) -> Path:
        """The bot's database."""
        return self.folder / "sentinel.db"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start the bot; it answers a moment later."""
        arguments = (self._settings, self.folder / "log.txt")
        self._process = _PROCESSES.Process(target=_live, args=arguments)
        self._process.start()

    def kill(self) -> None:
        """Kill -9."""
        if self._process:
            self._process.kill()
            self._process.join()
            self._process = None

    def wait(self) -> None:
        """Wait until the bot answers."""
        ends = time.monotonic() + START_TIMEOUT
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5).close()  # noqa: S310
                return
            except (urllib.error.URLError, OSError):
                if time.monotonic() > ends:
                    raise
                time.sleep(0.02)  # polls another process; nothing here could tell us

    def query(self, name: str, **data: Any) -> dict[str, Any]:
        """Send a query as another client than the game server and return the answer's data."""
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.url}/api/query",
            json.dumps({"type": f"queries.{name}", "data": data}).encode(),
            {"Authorization": f"Bearer {OTHER_TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)["data"]
            return found


def _live(settings: Settings, log: Path) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    start_logging(LogSettings(), [])
    tempfile.tempdir = str(log.parent)

    async def live() -> None:
        await run(settings, stop_signal())

    asyncio.run(live())
