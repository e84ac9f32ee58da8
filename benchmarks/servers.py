"""The servers, each in a process of its own: the bot as users run it, and the plain program."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import aiohttp
import psutil

ROOT = Path(__file__).resolve().parents[1]
CAD_KEY = "CAD-KEY-OF-THE-BENCHMARKS"
TOKEN = "token-of-the-benchmarks"

STARTING = 300.0
"""Seconds that the bot may take until it is ready; a large database is migrated first."""


@dataclass(frozen=True)
class Server:
    """A server: its address, its process, and the headers that authenticate its clients."""

    url: str
    process: psutil.Process
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def resident(self) -> int:
        """Its resident memory in bytes."""
        return int(self.process.memory_info().rss)

    @property
    def processor(self) -> float:
        """Its processor time so far in seconds, user and system."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def plain(folder: Path) -> AsyncIterator[Server]:
    """Run the plain program on a database of its own in a folder."""
    path = str(folder / "plain.db")
    async with _process("benchmarks.plain", path, stdout=asyncio.subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield Server(f"http://127.0.0.1:{port}", psutil.Process(process.pid))


@asynccontextmanager
async def bot(folder: Path, **settings: str) -> AsyncIterator[Server]:
    """Run the bot on a folder; `settings` are environment variables without their prefix."""
    environment = {
        "HTTP__PORT": "0",
        "DATABASE__PATH": str(folder / "sentinel.db"),
        "CAD__KEYS": json.dumps([CAD_KEY]),
        "WEBSOCKET__CLIENTS": json.dumps([{"name": "bench", "token": TOKEN, "scope": "admin"}]),
        "WEBSOCKET__MESSAGES_PER_SECOND": "1000000",
        "WEBSOCKET__CONNECTIONS_PER_CLIENT": "20000",
        "HTTP__MAX_CONNECTIONS": "20000",
        **settings,
    }
    variables = {f"SENTINEL_{name}": value for name, value in environment.items()}
    variables["TMPDIR"] = str(folder)  # where the bot looks for others with its Discord token
    log = folder / "log.txt"
    with log.open("ab") as file:
        began = file.tell()
        async with _process(
            "bot", cwd=folder, variables=variables, stdout=file, stderr=file
        ) as process:
            port = await _ready_port(process, log, began)
            yield Server(
                f"http://127.0.0.1:{port}",
                psutil.Process(process.pid),
                {"Authorization": f"Bearer {TOKEN}"},
            )


async def _ready_port(process: asyncio.subprocess.Process, log: Path, began: int) -> int:
    """Wait until the log says that the bot is ready; return its port."""
    async with asyncio.timeout(STARTING):
        while True:
            logged = log.read_bytes()[began:].decode()
            _, found, rest = logged.partition("ready on port ")
            if found and "\n" in rest:
                return int(rest.split()[0])
            if process.returncode is not None:
                raise RuntimeError(f"the bot did not start: {logged}")
            await asyncio.sleep(0.005)


@asynccontextmanager
async def _process(
    module: str,
    *arguments: str,
    cwd: Path = ROOT,
    variables: Mapping[str, str] | None = None,
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(variables or {})}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=cwd,
        env=environment,
        stdout=stdout,
        stderr=stderr,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def query(server: Server, name: str, data: Mapping[str, object]) -> dict[str, object]:
    """Send the bot a query over HTTP; return the data of its answer."""
    async with (
        aiohttp.ClientSession(headers=server.headers) as http,
        http.post(
            f"{server.url}/api/query", json={"type": f"queries.{name}", "data": data}
        ) as reply,
    ):
        answer: dict[str, object] = (await reply.json())["data"]
        if reply.status != 200:
            raise RuntimeError(f"{name}: {answer}")
        return answer
