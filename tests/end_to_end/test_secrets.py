"""Known secrets are in nothing that the program writes, answers or keeps, whatever goes wrong."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from bot.cli import main
from tests.end_to_end.environment import ROOT, call_911
from tests.fake_discord import FakeDiscord

CAD_KEY = 'Scad-key "quoted" %41/\u00fc$x'
OTHER_KEY = "Scad-key-of-the-county"
CLIENT = "client-token-$(x)&%-'1'"
API_KEY = "api-key-\\back-9"
DISCORD = "MTIz.abc.discord-token"
SECRETS = (CAD_KEY, OTHER_KEY, CLIENT, API_KEY, DISCORD)


def _forms(secret: str) -> Iterator[str]:
    plain = json.dumps(secret, ensure_ascii=False)[1:-1]
    for form in (secret, plain, json.dumps(secret)[1:-1], repr(secret)[1:-1]):
        yield from (form, form.replace("\\", "\\\\"), quote(form), quote_plus(form))
        yield quote(form, safe="")


FORMS = {form.lower() for secret in SECRETS for form in _forms(secret)}


def leaks(text: str) -> list[str]:
    """Return the secrets that stand in a text, however they are written."""
    lowered = text.lower()
    return [form for form in FORMS if form in lowered]


def written_config(folder: Path, port: int, discord: dict[str, Any]) -> None:
    """A configuration with every secret that there is."""
    sections: dict[str, dict[str, Any]] = {
        "discord": {"token": DISCORD, **discord},
        "http": {"port": port},
        "cad": {"keys": [CAD_KEY, OTHER_KEY], "api_key": API_KEY},
        "log": {"level": "debug", "format": "json" if port % 2 else "text"},
    }
    lines: list[str] = []
    for name, values in sections.items():
        lines += [
            f"[{name}]",
            *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items()),
        ]
    clients = f'[[websocket.clients]]\nname = "script"\ntoken = {json.dumps(CLIENT)}\n'
    (folder / "config.toml").write_text("\n".join([*lines, clients]), "utf-8")


@asynccontextmanager
async def program(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program in a folder; what it writes is read from its pipe.

    It is killed at the end of the block if it still runs: no lock outlives a test.
    """
    ours = {name: value for name, value in os.environ.items() if "SENTINEL" not in name}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=folder,
        env=ours | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def run_command(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command to its end; return its code and all that it has written."""
    async with program(folder, *arguments) as process:
        output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


async def read_until(output: asyncio.StreamReader, expected: str) -> list[str]:
    """Read lines up to one that contains a text; fail with them if the program ends before."""
    lines: list[str] = []
    while not lines or expected not in lines[-1]:
        line = (await output.readline()).decode()
        assert line, lines
        lines.append(line)
    return lines


@pytest.mark.parametrize(
    ("arguments", "discord", "expected"),
    [
        (["--token", DISCORD], {}, "usage: "),
        ([f"--key={OTHER_KEY}", "check"], {}, "unrecognized arguments: --key=…"),
        (["simulate", "--speed", CLIENT], {}, "argument --speed: must be a number"),
        (["check"], {"guild_id": DISCORD, OTHER_KEY: 1}, "discord.guild_id: "),
    ],
)
def test_faults_in_arguments_and_configuration_are_reported_without_values(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    discord: dict[str, str],
    expected: str,
) -> None:
    written_config(tmp_path, 1, discord)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["cad-sentinel", *arguments])
    with pytest.raises(SystemExit):
        main()
    text = capsys.readouterr().err
    assert expected in text
    assert leaks(text) == []


async def test_a_crash_at_the_start_is_reported_without_secrets(tmp_path: Path) -> None:
    written_config(tmp_path, unused_port(), {})
    # A library that fails, found before the real one as it is in the folder that `-m` starts from.
    library = f"def new_event_loop():\n    raise RuntimeError({f'not with {DISCORD}'!r})\n"
    (tmp_path / "uvloop.py").write_text(library)
    code, text = await run_command(tmp_path)
    assert code == 1
    assert "Traceback" in text
    assert "RuntimeError: not with [secret]" in text
    assert leaks(text) == []


def _requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what goes wrong in different ways, with a secret in it."""
    call = call_911(1, description="fire")
    for path in ("/event", "/", "/sonorancad/event"):
        for body in (
            {"key": f"{CAD_KEY} ", "type": "EVENT_911", "data": call},
            {"key": CAD_KEY[:-1], "type": "EVENT_911", "data": call},
            {"key": CAD_KEY, "type": "EVENT_OF_TOMORROW", "data": {"key": CAD_KEY.upper()}},
            {"key": CAD_KEY, "type": f"EVENT {CAD_KEY}", "data": [CAD_KEY, {CAD_KEY: CAD_KEY}]},
            {"key": CAD_KEY, "type": "EVENT_911", "data": {"call": {"callId": CAD_KEY}}},
            {"key": CAD_KEY, "type": "EVENT_UNIT_PANIC", "data": {"identIds": [CAD_KEY]}},
            {"key": CAD_KEY, "type": 7, "data": CAD_KEY},
        ):
            yield "POST", path, {"data": json.dumps(body)}
        yield "POST", path, {"data": f'{{"key": {json.dumps(CAD_KEY)}, "type": "EVENT_911'}
    bearer = {"Authorization": f"Bearer {CLIENT}"}
    for data in ({"propertyId": CLIENT}, {"propertyId": [CAD_KEY]}, {"limit": API_KEY}):
        asked = json.dumps({"type": "queries.get-property", "data": data})
        yield "POST", "/api/query", {"data": asked, "headers": bearer}
    yield "POST", "/api/query", {"data": f"{{{CLIENT}", "headers": bearer}
    yield "POST", "/api/query", {"data": "{}", "headers": {"Authorization": f"Basic {CLIENT}"}}
    yield "GET", "/ws", {"params": {"token": CLIENT}}
    yield "GET", "/ws", {"params": {"token": f"{CLIENT}x"}}
    yield "GET", "/api/events", {"params": {"token": CLIENT, "after": CLIENT}}
    yield "GET", "/healthz", {}


@pytest.mark.parametrize("discord_is", ["refusing", "unreachable"])
async def test_no_secret_is_in_log_answers_or_files(tmp_path: Path, discord_is: str) -> None:
    async with FakeDiscord() as fake:
        api = fake.rest_url if discord_is == "refusing" else "http://127.0.0.1:9/api"
        port = unused_port()
        written_config(tmp_path, port, {"api_url": api, "gateway_url": fake.gateway_url})
        answers = []
        async with program(tmp_path) as process:
            assert process.stdout is not None
            expected = {
                "refusing": "Discord rejects the token",
                "unreachable": "Discord cannot be reached",
            }
            lines = await asyncio.wait_for(read_until(process.stdout, expected[discord_is]), 60)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http:
                for method, path, options in _requests():
                    async with http.request(method, path, **options) as answer:
                        answers.append(await answer.text())
            files = (tmp_path / "data").rglob("*")
            stored = [file.read_bytes() for file in files if file.is_file()]
            process.terminate()
            output, _ = await asyncio.wait_for(process.communicate(), 60)
        code, checked = (
            await run_command(tmp_path, "check") if discord_is == "refusing" else (1, "FAULT")
        )
    assert code == 1
    assert "FAULT" in checked
    assert len(answers) > 30
    assert "EVENT_OF_TOMORROW" in output.decode()
    texts = [*lines, output.decode(), *answers, checked]
    texts += [data.decode("utf-8", "replace") for data in stored]
    for text in texts:
        assert leaks(text) == []
