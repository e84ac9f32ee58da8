"""The command line: exit codes, and what it prints where nothing is configured but a port."""

import errno
import io
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

import pytest
from aiohttp.test_utils import unused_port

from bot.cli import main

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-that-nobody-may-read"


class Ended(NamedTuple):
    """What a command ended with."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ended]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, with a port that nobody listens on."""
    for name in os.environ:
        if "SENTINEL" in name:
            monkeypatch.delenv(name)
    monkeypatch.setenv("SENTINEL_HTTP__PORT", str(unused_port()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(
    restored_logging: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a command in this process."""

    def run(*arguments: str, **environment: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["cad-sentinel", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, *capsys.readouterr())

    return run


def test_files_that_are_closed_to_this_user_are_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "data/sentinel.db")

    monkeypatch.setattr("bot.backup.list_backups", closed)  # root may read whatever is closed
    ended = run("backups")
    assert ended.returncode == 1
    assert ended.stderr == "data/sentinel.db: Permission denied; run this as the bot's user\n"


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


IMPORTED = """
import sys
from contextlib import suppress
sys.argv[0] = "cad-sentinel"
from bot.cli import main
with suppress(SystemExit):
    main()
print(sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "not_imported"),
    [
        (["--help"], {"aiohttp", "aiosqlite", "asyncio", "cogs", "discord", "pydantic"}),
        (["query", "get-tiers"], {"aiohttp", "aiosqlite", "cogs", "discord", "PIL", "uvloop"}),
        (["check"], {"aiohttp", "cogs", "discord", "PIL", "uvloop"}),
    ],
)
def test_command_imports_only_what_it_needs(arguments: list[str], not_imported: set[str]) -> None:
    ended = _process("-c", IMPORTED, *arguments)
    imported = set(ended.stderr.splitlines()[-1].strip("[]").replace("'", "").split(", "))
    assert "argparse" in imported
    assert not_imported & imported == set()


def test_python_m_bot_is_the_same_program() -> None:
    ended = _process("-m", "bot", "query", "get-tiers")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "the bot has not been started here yet" in ended.stderr


@pytest.mark.parametrize("missing", ["cad-sentinel", "pydantic"])
def test_program_that_is_not_installed_says_how_to_install_it(tmp_path: Path, missing: str) -> None:
    copytree(ROOT / "bot", tmp_path / "bot")
    if missing == "pydantic":
        metadata = tmp_path / "cad_sentinel-1.0.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text("Name: cad-sentinel\nVersion: 1.0\n")
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "bot"],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert missing in ended.stderr
    assert "pip install ." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_version_is_the_installed_one(run: Run) -> None:
    ended = run("--version")
    assert (ended.returncode, ended.stdout.strip()) == (0, version("cad-sentinel"))


def test_help_names_every_command(run: Run) -> None:
    ended = run("--help")
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
def test_command_without_a_running_bot_fails_readably(run: Run, command: list[str]) -> None:
    client = f'[{{"name": "script", "token": "{SECRET}", "scope": "admin"}}]'
    ended = run(*command, SENTINEL_CAD__KEYS=f'["{SECRET}"]', SENTINEL_WEBSOCKET__CLIENTS=client)
    assert ended.returncode == 1
    assert "is the bot running?" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_listen_writes_each_event_at_once_also_into_a_file(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = io.BytesIO()
    in_the_file: list[bytes] = []

    def listen(client: object, names: object, *, as_json: bool, say: Callable[[str], None]) -> int:
        say("an event")
        in_the_file.append(file.getvalue())
        return 0

    monkeypatch.setattr("bot.commands.query.listen", listen)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(file))
    client = f'[{{"name": "script", "token": "{SECRET}", "scope": "admin"}}]'
    ended = run("listen", SENTINEL_CAD__KEYS=f'["{SECRET}"]', SENTINEL_WEBSOCKET__CLIENTS=client)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert in_the_file == [f"an event{os.linesep}".encode()]


def test_query_without_a_name_lists_the_queries(run: Run) -> None:
    ended = run("query")
    assert ended.returncode == 0
    assert "dispatch-drone" in ended.stdout


def test_a_closed_output_pipe_is_not_an_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "bot", "query"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _out, errors = process.communicate(timeout=60)
    assert errors == b""


def test_query_reports_that_the_bot_was_never_started(run: Run) -> None:
    ended = run("query", "get-tiers")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert "the bot has not been started here yet" in ended.stderr


@pytest.mark.parametrize(
    ("command", "code", "text"),
    [
        (["backup", "copy.db"], 1, f"there is no database {Path('data', 'sentinel.db')}"),
        (["backups"], 0, f"there is no backup in {Path('data', 'backups')}"),
        (["restore", "copy.db"], 1, "nothing was restored: there is no database copy.db"),
    ],
)
def test_backup_without_a_database_is_rejected(
    run: Run, command: list[str], code: int, text: str
) -> None:
    ended = run(*command)
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (code, text, "")


@pytest.mark.parametrize("position", ["before", "after"])
def test_bad_configuration_exits_with_78_and_a_line_for_each_fault(
    run: Run, folder: Path, position: str
) -> None:
    text = "[http]\nport = 'x'\nhots = ''\nprot = 1\n"
    (folder / "other.toml").write_text(text, "utf-8")
    config = ["--config", "other.toml"]
    ended = run(*([*config, "run"] if position == "before" else ["run", *config]))
    assert ended.returncode == 78
    # The environment, which wins, has a good port.
    assert ended.stderr.splitlines() == [
        "other.toml, line 3: http.hots: no such key; did you mean host?",
        "other.toml, line 4: http.prot: no such key; did you mean port?",
    ]
    assert not (folder / "data").exists()


def test_bad_secret_is_reported_without_its_value(run: Run) -> None:
    ended = run(
        "check",
        SENTINEL_CAD__KEYS=f'["{SECRET}", ["{SECRET}"]]',
        SENTINEL_DISCORD__TOKEN=f'{{"{SECRET}": 1}}',
    )
    assert ended.returncode == 78
    assert len(ended.stderr.splitlines()) >= 1
    assert SECRET not in ended.stdout + ended.stderr


def test_check_of_an_empty_folder_finds_no_faults_and_creates_nothing(
    run: Run, folder: Path
) -> None:
    ended = run("check")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "nothing is wrong"
    assert list(folder.iterdir()) == []


def test_unusable_certificate_exits_with_78_and_one_line(run: Run) -> None:
    ended = run(
        "run",
        SENTINEL_HTTP__CERTIFICATE="none.pem",
        SENTINEL_HTTP__PRIVATE_KEY="none.pem",
    )
    assert (ended.returncode, ended.stderr.count("\n")) == (78, 1)
    assert ended.stderr.startswith("http.certificate: none.pem cannot be read: ")


def test_taken_port_is_reported_in_one_line(run: Run) -> None:
    port = int(os.environ["SENTINEL_HTTP__PORT"])
    with socket.create_server(("127.0.0.1", port)):
        ended = run("run")
    assert ended.returncode == 1
    assert any(
        line.startswith("cannot start: ") and "already listens on the address" in line
        for line in ended.stderr.splitlines()
    )
    assert "Traceback" not in ended.stderr


def test_invalid_database_is_reported_in_one_line(run: Run, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "sentinel.db").write_bytes(b"not a database" * 100)
    ended = run()
    assert ended.returncode == 1
    assert ended.stderr.count("cannot start: ") == 1
    assert "Traceback" not in ended.stderr


def test_secret_that_no_restart_cures_exits_with_78(run: Run, folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "cad-key.txt").write_text("two\nlines")
    ended = run()
    assert (ended.returncode, ended.stderr.count("\n")) == (78, 1)
    assert "data/cad-key.txt must hold one line" in ended.stderr


@pytest.mark.parametrize("speed", ["-1", "nan"])
def test_invalid_speed_is_rejected(run: Run, speed: str) -> None:
    ended = run("simulate", "--speed", speed)
    assert ended.returncode == 2
    assert "argument --speed: must be 0 or more" in ended.stderr


def test_file_named_like_the_data_folder_is_reported_in_one_line(run: Run, folder: Path) -> None:
    (folder / "data").write_text("", "utf-8")
    ended = run("run")
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert ended.stderr.startswith("cannot store the generated secrets: ")
