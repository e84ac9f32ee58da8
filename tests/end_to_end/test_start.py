"""The program from outside: started in an empty folder, used, and stopped."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from tests.end_to_end.environment import ROOT, call_911


class Program:
    """The program, running in an empty folder on its defaults."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if "SENTINEL" not in name},
            "PYTHONPATH": str(ROOT),
            "SENTINEL_HTTP__PORT": str(port),
        }

    def log(self) -> str:
        """Everything that it has written."""
        return (self.folder / "out.txt").read_text("utf-8")

    def secret(self, name: str) -> str:
        """A secret that it made up."""
        return (self.folder / "data" / f"{name}.txt").read_text("ascii").strip()

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """Run a command of the program, its output going to out.txt."""
        with (self.folder / "out.txt").open("ab") as out:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                *arguments,
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=out,
            )

    async def healthy(self) -> None:
        """Wait until it is ready."""
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while True:
                with suppress(aiohttp.ClientConnectionError):
                    async with http.get(f"{self.url}/healthz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)  # polls another process; nothing here could tell us

    async def logged(self, text: str) -> None:
        """Wait until its log has a text."""
        async with asyncio.timeout(30):
            while text not in self.log():  # noqa: ASYNC110
                await asyncio.sleep(0.02)  # likewise


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program, not started yet."""
    return Program(tmp_path, unused_port())


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program, ready; killed at the end of the block if it still runs."""
    process = await program.start()
    try:
        await program.healthy()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_program_without_configuration_logs_cards_and_no_secrets(program: Program) -> None:
    async with running(program) as process, aiohttp.ClientSession() as http:
        key, token = program.secret("cad-key"), program.secret("client-token")
        assert program.log().splitlines()[0].endswith("cad-key.txt")
        push = {"key": key, "type": "EVENT_911", "data": call_911(4410)}
        async with http.post(f"{program.url}/sonorancad/event", json=push) as answer:
            assert (answer.status, await answer.text()) == (200, "OK")
        await program.logged("911 CALL 4410")
        await program.logged("| Caller: Wren Halloway")
        message = {"type": "queries.get-tiers"}
        async with http.post(f"{program.url}/api/query", json=message) as answer:
            assert (await answer.json())["type"] == "get-tiers"
        for body in (
            push | {"key": f"{key} "},
            push | {"type": "EVENT_NOBODY_KNOWS", "data": {"key": key}},
            push | {"data": {"call": {"callId": key}}},
        ):
            async with http.post(f"{program.url}/event", json=body) as answer:
                assert answer.status == 400
        async with http.get(f"{program.url}/ws?token={token}x") as answer:
            assert answer.status == 401
        await _stops_in_order_and_closes_clients(program, process, http)
    assert (program.log().count(key), program.log().count(token)) == (0, 0)


async def _stops_in_order_and_closes_clients(
    program: Program, process: asyncio.subprocess.Process, http: aiohttp.ClientSession
) -> None:
    """Send the program SIGTERM."""
    async with http.ws_connect(f"{program.url}/ws") as socket:
        process.terminate()
        message = await socket.receive(timeout=20)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == 1001
        await socket.close()
        assert await process.wait() == 0
    assert program.log().rstrip().endswith("stopped")
