"""What the files in deploy/ name really exists: settings, paths, ports, commands, log lines."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from pydantic import BaseModel

from bot.certificate import Certificate
from bot.cli import EX_CONFIG
from bot.discord_pipeline import FINISHING
from bot.settings import HttpSettings, Settings
from bot.settings.config import load
from tests.deploy.conftest import DEPLOY, SITE, certificate_files
from webhook.http.websocket import HEARTBEAT

ROOT = DEPLOY.parent
PORT = str(HttpSettings().port)
STOPPING = 4 * FINISHING
"""Seconds that a stop takes at the most: connections, deliveries, answers, leaving Discord."""

DOCKERFILE = (DEPLOY / "docker" / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text("utf-8"))
UNIT = (DEPLOY / "systemd" / "cad-sentinel.service").read_text("utf-8")
EGG: dict[str, Any] = json.loads(
    (DEPLOY / "pterodactyl" / "egg-cad-sentinel.json").read_text("utf-8")
)
START = DEPLOY / "windows" / "start.bat"
GUIDES = [ROOT / "docs" / "install.md", ROOT / "SECURITY.md", ROOT / "README.md"]
TEXTS = [*(path for path in DEPLOY.rglob("*") if path.is_file()), *GUIDES]


def _is_setting(variable: str) -> bool:
    model: Any = Settings
    for part in variable.removeprefix("SENTINEL_").lower().split("__"):
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            return False
        model = field.annotation
    return not (isinstance(model, type) and issubclass(model, BaseModel))


def unit(key: str) -> list[str]:
    """The values of a key of the systemd unit."""
    return re.findall(rf"(?m)^{key}=(.*)$", UNIT)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_setting_and_path_in_the_guides_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    for variable in re.findall(r"SENTINEL_[A-Z_]+[A-Z]", text):
        assert _is_setting(variable) or variable == "SENTINEL_<SECTION>__<KEY>", variable
    for named in re.findall(r"\b(?:deploy|docs)[/\\](?:[\w-]+[/\\])*[\w-]+\.\w+", text):
        assert (ROOT / named.replace("\\", "/")).exists(), named
    for port in re.findall(r"\b30\d{3}\b", text):
        assert port in {PORT, str(int(PORT) + 1)}  # that of a second copy


def test_links_in_the_guides_exist() -> None:
    for guide in GUIDES:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", guide.read_text("utf-8")):
            assert (guide.parent / link).exists(), f"{guide.name}: {link}"


def test_toml_in_the_guides_is_a_valid_configuration(tmp_path: Path) -> None:
    """Every indented block that begins with a section loads."""
    for guide in GUIDES:
        lines = guide.read_text("utf-8").splitlines()
        for number, line in enumerate(lines):
            if not re.match(r" {4,8}\[{1,2}[a-z.]+\]{1,2}$", line):
                continue
            indent = len(line) - len(line.lstrip())
            block = []
            for following in lines[number:]:
                if following.strip() and not following.startswith(" " * indent):
                    break
                block.append(following[indent:])
            text = "\n".join(block)
            # Ellipses stand for what is yours.
            text = re.sub(r'"(…|YOUR-API-KEY)"', '"0123456789abcdef0123"', text)
            assert tomllib.loads(text)
            (tmp_path / "config.toml").write_text(text, "utf-8")
            load(tmp_path / "config.toml")


def test_stop_timeouts_are_longer_than_the_bot_needs() -> None:
    (seconds,) = unit("TimeoutStopSec")
    assert float(seconds) > STOPPING
    assert float(COMPOSE["services"]["sentinel"]["stop_grace_period"].removesuffix("s")) > STOPPING
    guide = (ROOT / "docs" / "install.md").read_text("utf-8")
    assert all(
        int(milliseconds) > STOPPING * 1000
        for milliseconds in re.findall(r"AppStopMethodConsole (\d+)", guide)
    )


def test_bad_configuration_is_not_restarted() -> None:
    assert unit("RestartPreventExitStatus") == [str(EX_CONFIG)]
    assert f'if "%CODE%"=="{EX_CONFIG}" goto bad_configuration' in START.read_text("utf-8")


def test_panel_waits_for_the_ready_line() -> None:
    done = json.loads(EGG["config"]["startup"])["done"]
    assert f'log.info("{done} ' in (ROOT / "bot" / "app.py").read_text("utf-8")
    assert EGG["config"]["stop"] == "^C"
    assert EGG["meta"]["version"] == "PTDL_v2"
    assert EGG["startup"].endswith("python -m bot run")


def test_panel_installs_with_the_python_that_it_runs_first() -> None:
    images = list(EGG["docker_images"].values())
    python = images[0].rpartition("_")[2]
    assert EGG["scripts"]["installation"]["container"].startswith(f"python:{python}-")


def test_panel_installs_again_for_another_python(tmp_path: Path) -> None:
    """Run its start command with a Python that only notes how it was called."""
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "python-version").write_text("Python 3.13.1\n", "utf-8")
    fake = tmp_path / "python"

    def start(version: str) -> list[str]:
        fake.write_text(
            f'#!/bin/sh\nif [ "$1" = -V ]; then echo "Python {version}"; exit; fi\n'
            f'mkdir -p {tmp_path}/program\necho "$*" >> {tmp_path}/calls\n',
            "utf-8",
        )
        fake.chmod(0o755)
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        calls = tmp_path / "calls"
        calls.unlink(missing_ok=True)
        subprocess.run(
            ["/bin/bash", "-c", EGG["startup"]], cwd=tmp_path, env=environment, check=True
        )
        return calls.read_text("utf-8").splitlines()

    assert start("3.13.1") == ["-m bot run"]
    install = "-m pip install --no-cache-dir --target program ./source"
    assert start("3.14.0") == [install, "-m bot run"]
    assert start("3.14.0") == ["-m bot run"]


def test_panel_installation_keeps_existing_files(tmp_path: Path) -> None:
    """Run its script with a folder of our own, and a pip that only leaves what it was asked for."""
    script = EGG["scripts"]["installation"]["script"].replace("/mnt/server", str(tmp_path))
    script = script.replace("python3 -m pip", "fake_pip").replace("python3 -V", "true")
    script = script.replace("set -e\n", 'set -e\nfake_pip() { mkdir "$4" && touch "$4/$RUN"; }\n')

    def install(run: str) -> int:
        command = ["/bin/bash", "-c", script]
        environment = {"PATH": os.environ["PATH"], "RUN": run}
        return subprocess.run(command, env=environment, check=False).returncode

    assert install("first") == 1, "without the program it says so"
    (tmp_path / "source").mkdir()
    for name in ("pyproject.toml", "config.example.toml"):
        shutil.copy(ROOT / name, tmp_path / "source")
    assert install("second") == 0
    (tmp_path / "config.toml").write_text("mine", "utf-8")
    (tmp_path / "data").mkdir()
    assert install("third") == 0
    assert (tmp_path / "config.toml").read_text("utf-8") == "mine"
    assert (tmp_path / "data").is_dir()
    assert {path.name for path in (tmp_path / "program").iterdir()} == {"third", "python-version"}


def test_start_bat_has_windows_line_ends() -> None:
    content = START.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") > 0
    assert "*.bat text eol=crlf" in (ROOT / ".gitattributes").read_text("utf-8")
    labels = set(re.findall(r"(?m)^:(\w+)", START.read_text("utf-8")))
    assert labels == set(re.findall(r"(?:goto|call) :?(\w+)", START.read_text("utf-8")))


def test_image_has_the_program_and_no_secrets() -> None:
    copied = set(" ".join(re.findall(r"(?m)^COPY (?!--)(.*) \S+$", DOCKERFILE)).split())
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    assert {name.rstrip("*") for name in packages["packages"]["find"]["include"]} <= copied
    assert re.findall(r"(?m)^EXPOSE (.*)$", DOCKERFILE) == [PORT]
    # The last USER counts, and everything that runs afterwards is not root.
    assert DOCKERFILE.index("\nUSER 30150") < DOCKERFILE.index("\nENTRYPOINT")


def test_compose_agrees_with_the_image() -> None:
    bot, caddy = COMPOSE["services"]["sentinel"], COMPOSE["services"]["caddy"]
    folder = DEPLOY / "docker"
    build = bot["build"]
    assert (folder / build["context"] / build["dockerfile"]).resolve() == folder / "Dockerfile"
    targets = [
        volume["target"] if isinstance(volume, dict) else volume.split(":")[1]
        for volume in bot["volumes"]
    ]
    assert targets == [
        re.findall(r"(?m)^VOLUME (.*)$", DOCKERFILE)[0],
        re.findall(r"(?m)^WORKDIR (/etc.*)$", DOCKERFILE)[0] + "/config.toml",
    ]
    assert caddy["environment"]["UPSTREAM"] == f"sentinel:{PORT}"
    trusted = bot["environment"]["SENTINEL_HTTP__TRUSTED_PROXIES"]
    assert caddy["networks"]["sentinel"]["ipv4_address"] == trusted
    (network,) = COMPOSE["networks"]["sentinel"]["ipam"]["config"]
    subnet = trusted.removesuffix(".2")
    assert network == {"subnet": f"{subnet}.0/24", "ip_range": f"{subnet}.128/25"}
    assert (folder / caddy["volumes"][0].partition(":")[0]).resolve() == (
        DEPLOY / "caddy" / "Caddyfile"
    )
    for service in (bot, caddy):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_proxies_have_longer_timeouts_and_larger_bodies_than_the_bot() -> None:
    nginx = (DEPLOY / "nginx" / "cad-sentinel.conf").read_text("utf-8")
    for seconds in re.findall(r"proxy_\w+_timeout (\d+)s;", nginx):
        assert int(seconds) > max(3 * HEARTBEAT, 55)
    assert int(re.findall(r"client_max_body_size (\d+)m;", nginx)[0]) * 1024**2 > (
        HttpSettings().max_push_bytes
    )
    caddy = (DEPLOY / "caddy" / "Caddyfile").read_text("utf-8")
    assert int(re.findall(r"max_size (\d+)MB", caddy)[0]) * 1000**2 > (
        HttpSettings().max_push_bytes
    )
    assert SITE in nginx
    assert SITE in caddy


@pytest.mark.parametrize("has_tls", [False, True])
async def test_healthcheck_reports_whether_the_bot_is_ready(tmp_path: Path, has_tls: bool) -> None:
    status = 200

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    try:
        tls = Certificate(*certificate_files(tmp_path)).context if has_tls else None
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        port = str(runner.addresses[0][1])
        assert await _healthcheck(port) == 0
        status = 503
        assert await _healthcheck(port) == 1
    finally:
        await runner.cleanup()
    assert await _healthcheck(port) == 1


async def _healthcheck(port: str) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        DEPLOY / "docker" / "healthcheck.py",
        env={"SENTINEL_HTTP__PORT": port},
    )
    return await process.wait()
