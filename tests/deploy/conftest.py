"""The real bot behind a real nginx or Caddy that runs the configuration from deploy/."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp.test_utils import unused_port

from bot.app import run
from bot.settings import (
    CadSettings,
    ClientSettings,
    DatabaseSettings,
    HttpSettings,
    NamedKey,
    Settings,
    WebsocketSettings,
)

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SITE = "sentinel.example.org"
KEY = "CAD-KEY-OF-THE-TESTS"
TOKEN = "token-of-the-admin-script"

CLIENT = "127.0.0.2"
"""Whom the proxy sees: another address than its own, though on this machine too."""


@dataclass
class Front:
    """A proxy that runs, the bot behind it, and a client of it that trusts its certificate."""

    url: str
    behind: str
    http: aiohttp.ClientSession


Start = Callable[[Path, int, int], subprocess.Popen[bytes]]
"""Starts a proxy from a folder: where it listens, where the bot listens."""


def _written(source: Path, *changes: tuple[str, str]) -> str:
    """Return a configuration with changes, each of which must find something to change."""
    text = source.read_text("utf-8")
    for old, new in changes:
        assert old in text, f"{source.name} no longer has {old!r}"
        text = text.replace(old, new)
    return text


def _start_nginx(folder: Path, port: int, bot: int) -> subprocess.Popen[bytes]:
    site = _written(
        DEPLOY / "nginx" / "cad-sentinel.conf",
        ("listen 80;", f"listen 127.0.0.1:{unused_port()};"),
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("    listen [::]:80;\n", ""),
        ("    listen [::]:443 ssl;\n", ""),
        (f"/etc/letsencrypt/live/{SITE}/", f"{folder}/"),
        ("/var/log/nginx/", f"{folder}/"),
        ("127.0.0.1:30150", f"127.0.0.1:{bot}"),
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/nginx.pid; events {{}}"
        f" http {{ {temporary} access_log off;\n{site} }}",
        "utf-8",
    )
    return subprocess.Popen(
        [
            shutil.which("nginx") or "nginx",
            "-c",
            folder / "nginx.conf",
            "-e",
            folder / "error.log",
            "-p",
            folder,
        ]
    )


def _start_caddy(folder: Path, port: int, bot: int) -> subprocess.Popen[bytes]:
    site = _written(
        DEPLOY / "caddy" / "Caddyfile",
        (
            f"{{$SITE:{SITE}}} {{",
            f"https://{SITE}:{port} {{\nbind 127.0.0.1\n"
            f"tls {folder}/fullchain.pem {folder}/privkey.pem",
        ),
    )
    options = f"{{\nadmin off\nauto_https disable_redirects\nstorage file_system {folder}\n}}\n"
    (folder / "Caddyfile").write_text(options + site, "utf-8")
    environment = {"UPSTREAM": f"127.0.0.1:{bot}", "HOME": str(folder)}
    with (folder / "caddy.log").open("wb") as log:
        return subprocess.Popen(
            [shutil.which("caddy") or "caddy", "run", "--config", folder / "Caddyfile"],
            env=environment,
            stderr=log,
        )


def certificate_files(folder: Path, authority: trustme.CA | None = None) -> tuple[Path, Path]:
    """Write a certificate and its key and return their paths."""
    issued = (authority or trustme.CA()).issue_cert(SITE)
    certificate, private_key = folder / "fullchain.pem", folder / "privkey.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(private_key)
    return certificate, private_key


@asynccontextmanager
async def _bot(settings: Settings) -> AsyncIterator[str]:
    stop = asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run(settings, stop, port.set_result))
    try:
        async with asyncio.timeout(30):
            started = await port
        yield f"http://127.0.0.1:{started}"
    finally:
        stop.set()
        await task


async def _until_it_answers(front: Front, process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(30):
        while True:
            assert process.poll() is None, "the proxy ended at its start"
            with suppress(aiohttp.ClientConnectionError):
                async with front.http.get(f"{front.url}/healthz"):
                    return
            await asyncio.sleep(0.02)  # polls another process; nothing here could tell us


@asynccontextmanager
async def proxied(start: Start, folder: Path, *, has_clients: bool) -> AsyncIterator[Front]:
    """Run the bot and a proxy in front of it until the block ends."""
    authority = trustme.CA()
    certificate_files(folder, authority)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    clients = [ClientSettings(name="script", token=TOKEN, scope="admin")] if has_clients else []
    settings = Settings(
        http=HttpSettings(port=0, trusted_proxies=[ip_network("127.0.0.1")]),
        cad=CadSettings(keys=[NamedKey(key=KEY)]),
        websocket=WebsocketSettings(clients=clients),
        database=DatabaseSettings(path=folder / "sentinel.db"),
    )
    async with _bot(settings) as behind:
        port = unused_port()
        process = start(folder, port, int(behind.rpartition(":")[2]))
        connector = aiohttp.TCPConnector(
            ssl=trusting, local_addr=(CLIENT, 0), resolver=_Loopback(), limit=0
        )
        try:
            async with aiohttp.ClientSession(connector=connector) as http:
                front = Front(f"https://{SITE}:{port}", behind, http)
                await _until_it_answers(front, process)
                yield front
        finally:
            process.terminate()
            process.wait(30)


class _Loopback(aiohttp.abc.AbstractResolver):
    """Finds every name on this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: int = 0
    ) -> list[aiohttp.abc.ResolveResult]:
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": port,
                "family": 2,
                "proto": 0,
                "flags": 0,
            }
        ]

    async def close(self) -> None:
        """Nothing to close."""


@pytest.fixture(params=["nginx", "caddy"])
def start(request: pytest.FixtureRequest) -> Start:
    """How to start each proxy, where it is installed."""
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return {"nginx": _start_nginx, "caddy": _start_caddy}[name]
