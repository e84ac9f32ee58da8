"""Node with the packages of tests/npm, which are installed when a test first needs them."""

import asyncio
import functools
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent / "npm"
INSTALLED = PACKAGES.parents[1] / ".npm"
"""Where they are installed, in a folder for each version of the list."""

INSTALL_SECONDS = 120


@functools.cache
def _install() -> tuple[Path | None, str]:
    """Return the folder of the packages, or why there is none."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None, "needs node and npm"
    lock = (PACKAGES / "package-lock.json").read_bytes()
    folder = INSTALLED / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.exists():
        INSTALLED.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=INSTALLED) as temporary:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(PACKAGES / name, temporary)
            try:
                subprocess.run(
                    [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
                    cwd=temporary,
                    check=True,
                    capture_output=True,
                    timeout=INSTALL_SECONDS,
                )
            except (subprocess.SubprocessError, OSError) as fault:
                return None, f"npm cannot install its packages: {fault}"
            with suppress(OSError):  # another process was faster
                Path(temporary).rename(folder)
                Path(temporary).mkdir()  # for its removal
    return folder / "node_modules", ""


def node_environment() -> dict[str, str]:
    """Return the environment in which node finds the packages; skips the test without them."""
    modules, fault = _install()
    if modules is None:
        pytest.skip(fault)
    return os.environ | {"NODE_PATH": str(modules), "NODE_ENV": "production"}


class NodeProcess:
    """A script that takes a JSON value a line, and answers each with one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def call(self, command: object, seconds: float = 60.0) -> object:
        """Send a command and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        async with asyncio.timeout(seconds):
            answer = await self._process.stdout.readline()
        assert answer, "the script has ended"
        return json.loads(answer)


@asynccontextmanager
async def run_node(script: Path) -> AsyncIterator[NodeProcess]:
    """Run a script until the block ends."""
    environment = node_environment()
    process = await asyncio.create_subprocess_exec(
        "node",
        script,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**22,
        env=environment,
    )
    try:
        yield NodeProcess(process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
