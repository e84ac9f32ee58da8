"""The command line from outside, each in a process of its own."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-that-nobody-may-read"


class Shell:
    """Runs the program in an empty folder, with nothing configured but a port nobody listens on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if "SENTINEL" not in name},
            "PYTHONPATH": str(ROOT),
            "SENTINEL_HTTP__PORT": str(unused_port()),
        }

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bot", *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell in an empty folder."""
    return Shell(tmp_path)


def test_the_version_is_the_installed_one(shell: Shell) -> None:
    ended = shell.run("--version")
    assert (ended.returncode, ended.stdout.strip()) == (0, version("cad-sentinel"))


def test_help_names_every_command(shell: Shell) -> None:
    ended = shell.run("--help")
    assert ended.returncode == 0
    for command in (
        "run",
        "check",
        "query",
        "listen",
        "simulate",
        "backup",
        "backups",
        "restore",
        "forget-setup",
    ):
        assert f"\n    {command} " in ended.stdout


@pytest.mark.parametrize("command", [["query", "get-tiers"], ["listen"], ["simulate"]])
def test_what_needs_a_running_bot_says_readably_that_there_is_none(
    shell: Shell, command: list[str]
) -> None:
    client = f'[{{"name": "script", "token": "{SECRET}", "scope": "admin"}}]'
    ended = shell.run(
        *command, SENTINEL_CAD__KEYS=f'["{SECRET}"]', SENTINEL_WEBSOCKET__CLIENTS=client
    )
    assert ended.returncode == 1
    assert "is the bot running?" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_where_the_bot_was_never_started_a_query_says_so(shell: Shell) -> None:
    ended = shell.run("query", "get-tiers")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "the bot was not yet started here" in ended.stderr


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (["backup", "copy.db"], 1, f"there is no database {Path('data', 'sentinel.db')}"),
        (["backups"], 0, f"there is no backup in {Path('data', 'backups')}"),
        (["restore", "copy.db"], 1, "nothing was restored: there is no database copy.db"),
    ],
)
def test_where_the_bot_was_never_started_there_is_nothing_to_back_up(
    shell: Shell, command: list[str], code: int, told: str
) -> None:
    ended = shell.run(*command)
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (code, told, "")


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_bad_configuration_is_78_and_a_line_for_each_fault(shell: Shell, place: str) -> None:
    (shell.folder / "other.toml").write_text("[http]\nport = 'x'\nhots = ''\n", "utf-8")
    config = ["--config", "other.toml"]
    ended = shell.run(*([*config, "run"] if place == "before" else ["run", *config]))
    assert ended.returncode == 78
    # The environment, which wins, has a good port.
    assert ended.stderr.splitlines() == ["other.toml: http.hots: no such key; did you mean host?"]


def test_a_bad_secret_is_told_of_without_its_value(shell: Shell) -> None:
    ended = shell.run(
        "check",
        SENTINEL_CAD__KEYS=f'["{SECRET}", ["{SECRET}"]]',
        SENTINEL_DISCORD__TOKEN=f'{{"{SECRET}": 1}}',
    )
    assert ended.returncode == 78
    assert len(ended.stderr.splitlines()) >= 1
    assert SECRET not in ended.stdout + ended.stderr


def test_check_of_an_empty_folder_finds_nothing_wrong_and_makes_nothing(shell: Shell) -> None:
    ended = shell.run("check")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "nothing is wrong"
    assert list(shell.folder.iterdir()) == []


def test_a_certificate_that_cannot_be_used_is_78_and_one_readable_line(shell: Shell) -> None:
    ended = shell.run(
        "run", SENTINEL_HTTP__CERTIFICATE="none.pem", SENTINEL_HTTP__PRIVATE_KEY="none.pem"
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (78, 1)
    assert ended.stderr.startswith("http.certificate: none.pem cannot be read: ")


@pytest.mark.parametrize("speed", ["-1", "nan"])
def test_a_speed_that_is_none_is_refused(shell: Shell, speed: str) -> None:
    ended = shell.run("simulate", "--speed", speed)
    assert ended.returncode == 2
    assert "--speed" in ended.stderr


def test_a_file_in_the_place_of_the_data_folder_is_one_readable_line(shell: Shell) -> None:
    (shell.folder / "data").write_text("", "utf-8")
    ended = shell.run("run")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("cannot keep secrets: ")
