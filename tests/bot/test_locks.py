"""Two copies of the bot cannot share a database or, on one machine, a token."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.locks import AlreadyRunning, alone_on_database, alone_with_token

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "MTE4.secret-token-of-the-bot"

HOLD = """
import sys, time
from pathlib import Path
from bot.locks import alone_on_database, alone_with_token
with alone_on_database(Path(sys.argv[1])), alone_with_token(sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_second_copy_on_a_database_is_rejected_and_names_the_first(database_path: Path) -> None:
    with alone_on_database(database_path):
        with (
            pytest.raises(AlreadyRunning, match=rf"\(process {os.getpid()}, started 2") as refused,
            alone_on_database(database_path),
        ):
            pass
        assert str(database_path) in str(refused.value)
    with alone_on_database(database_path):
        pass


def test_another_spelling_of_the_path_is_the_same_database(tmp_path: Path) -> None:
    path = tmp_path / "data" / "sentinel.db"
    with alone_on_database(path):
        (tmp_path / "link").symlink_to(tmp_path / "data")
        for other in (tmp_path / "link" / "sentinel.db", path.parent / ".." / "data" / path.name):
            with pytest.raises(AlreadyRunning), alone_on_database(other):
                pass
        with alone_on_database(path.with_name("another.db")):
            pass


@pytest.mark.skipif(os.name == "nt", reason="would keep SQLite out there")
def test_hard_link_to_the_database_is_the_same_database(tmp_path: Path) -> None:
    path, other = tmp_path / "sentinel.db", tmp_path / "elsewhere" / "copy.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE one (id)")
    other.parent.mkdir()
    other.hardlink_to(path)
    with alone_on_database(path):
        with pytest.raises(AlreadyRunning, match="copy"), alone_on_database(other):
            pass
        with closing(sqlite3.connect(path)) as database:  # which SQLite may use
            database.execute("INSERT INTO one VALUES (1)")
    with alone_on_database(other):
        pass


def test_second_copy_with_a_token_is_rejected(temporary: Path) -> None:
    with alone_with_token(TOKEN):
        with pytest.raises(AlreadyRunning, match="this Discord token"), alone_with_token(TOKEN):
            pass
        with alone_with_token(TOKEN + "x"):
            pass
    with alone_with_token(TOKEN):
        pass


def test_token_is_not_in_its_lock_file(temporary: Path) -> None:
    with alone_with_token(TOKEN):
        (lock,) = temporary.iterdir()
        assert TOKEN not in lock.name
        assert TOKEN.encode() not in lock.read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="there are no such rights on Windows")
def test_no_other_user_can_hold_a_lock(
    temporary: Path,
    database_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with alone_with_token(TOKEN), alone_on_database(database_path):
        (lock,) = temporary.iterdir()
        for file in (lock, database_path.with_name("sentinel.db.lock")):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        monkeypatch.setattr(os, "geteuid", lambda: lock.stat().st_uid + 1)
        with alone_with_token(TOKEN):
            assert f"{lock} is another user's" in caplog.text


def test_unusable_token_lock_is_only_a_warning(
    temporary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with alone_with_token(TOKEN):
        (lock,) = temporary.iterdir()
    lock.unlink()
    target = temporary / "precious"
    target.write_text("precious")
    lock.symlink_to(target)
    with alone_with_token(TOKEN):
        assert "cannot check whether another copy has this Discord token" in caplog.text
    assert target.read_text() == "precious"


def test_error_inside_the_lock_is_not_an_error_of_the_lock() -> None:
    with pytest.raises(OSError, match="mine"), alone_with_token(TOKEN):
        raise OSError("mine")


def test_invalid_note_is_not_repeated(database_path: Path) -> None:
    lock = database_path.with_name("sentinel.db.lock")
    with alone_on_database(database_path):
        lock.write_bytes(b"\0process \x1b[31m\nroot")
        with (
            pytest.raises(AlreadyRunning, match=r"^another copy of the bot already uses"),
            alone_on_database(database_path),
        ):
            pass


def test_kill_9_releases_both(database_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database_path), TOKEN],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(AlreadyRunning, match=f"process {holder.pid}, "),
            alone_on_database(database_path),
        ):
            pass
        with pytest.raises(AlreadyRunning), alone_with_token(TOKEN):
            pass
        holder.kill()
    with alone_on_database(database_path), alone_with_token(TOKEN):
        pass
