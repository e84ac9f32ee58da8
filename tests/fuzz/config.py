"""Configurations: TOML, then lines `NAME=value` of the environment behind a line of dashes.

Either there are settings, from which the rules can be made, or faults: each one printable line,
in which no value stands.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp
from zoneinfo import ZoneInfo

from bot.discord_settings import build_router, channels_in_use
from bot.settings.config import ConfigError, load
from bot.settings.sources import PREFIX
from tests.cogs.hostile_texts import invisible

SECRET = "S3CR3T-Value-1"
BETWEEN = b"\n-----\n"
_FILE = Path(mkdtemp(prefix="fuzz-")) / "config.toml"
_EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.toml"


def seeds() -> Iterator[bytes]:
    """The example, with and without what it only shows, and secrets in many places."""
    example = _EXAMPLE.read_text("utf-8")
    yield example.encode()
    bare = [line for line in example.splitlines() if line and not line.startswith("# ")]
    yield "\n".join(bare).encode()
    shown = [line.removeprefix("# ") for line in example.splitlines() if " = " in line]
    yield from (line.encode() for line in shown)
    for line in (
        f'[discord]\ntoken = "{SECRET}"',
        f'[discord]\nguild_id = "{SECRET}"',
        f'[cad]\nkeys = ["{SECRET}", {{ name = "b", key = "{SECRET}" }}]',
        f'[cad]\nkeys = [{{ "{SECRET}" = "cad" }}]',
        f'[cad]\nkeys = "{SECRET}"\n"{SECRET}" = 1',
        f'[[websocket.clients]]\nname = "{SECRET}"\ntoken = "{SECRET}"\nscope = "{SECRET}"',
        f'[log]\nlevel = "{SECRET}"\n[community]\ntimezone = "{SECRET}"',
        f'[[discord.rules]]\nname = "{SECRET}"\ntypes = ["{SECRET}"]\nquiet = "{SECRET}"',
        f"[cad]\nkeys = [{SECRET}]",
        "[http]\nport = 0x7fff\nhost = '::1'\n[cad]\nduplicate_seconds = inf",
    ):
        yield line.encode()
    for variable in (
        f"CAD__KEYS={SECRET}",
        f'CAD__KEYS=["{SECRET}"]',
        f'CAD__KEYS=[{{"{SECRET}": 1}}]',
        f'WEBSOCKET__CLIENTS=[{{"name": "a", "token": "{SECRET}", "scope": "x"}}]',
        f"DISCORD__CHANNELS__PANIC={SECRET}",
        "DISCORD__ROLES=[[[[1]]]]",
        f"HTPP__PORT={SECRET}",
    ):
        yield b"" + BETWEEN + f"{PREFIX}{variable}".encode()


def run_one(data: bytes) -> None:
    """Load one configuration."""
    text, _, variables = data.partition(BETWEEN)
    _FILE.write_bytes(text)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    for line in variables.split(b"\n"):
        variable, _, value = os.fsdecode(line).partition("=")
        if variable.startswith(PREFIX) and "\0" not in variable + value:
            os.environ[variable] = value
    try:
        settings = load(_FILE)
    except ConfigError as problem:
        _check_faults(problem.faults)
        return
    assert load(_FILE) == settings
    build_router(settings.discord, ZoneInfo(settings.community.timezone))
    channels_in_use(settings.discord)


def _check_faults(faults: list[str]) -> None:
    assert faults
    for fault in faults:
        assert invisible(fault) == [], fault
        assert "\n" not in fault, fault
        assert len(fault) < 1_000, fault
        assert SECRET not in fault, fault
