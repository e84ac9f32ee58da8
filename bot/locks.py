"""One copy of the bot on one database, and one with one Discord token on one machine.

The locks are the operating system's, so they end with the process that holds them, however it
ends. The files that they are on stay; they mean nothing by themselves.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from filelock import lock_descriptor

NOTE_AT = 1
"""Where the note on the holder begins: on Windows, the locked first byte cannot be read."""

NOTE_BYTES = 100

log = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """Another copy of the bot holds the lock; the text says which process."""


@contextmanager
def alone_on_database(path: Path) -> Iterator[None]:
    """Be the only process that writes to a database, under whatever spelling of its path.

    The database itself is locked too, if it is there already: it may have another name, by a hard
    link or a mount, with another lock beside it.

    Raises:
        AlreadyRunning: another process does.
        OSError: the lock's file cannot be opened.
    """
    path = path.resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    what = f"the database {path}"
    with _lock(path.with_name(f"{path.name}.lock"), what), _locked_file(path, what):
        yield


@contextmanager
def _locked_file(path: Path, what: str) -> Iterator[None]:
    """Lock a database apart from SQLite's own locks; on Windows, this one would keep it out.

    Closing the file ends SQLite's locks on it, so nothing of this process may use it then.
    """
    if os.name == "nt" or not path.is_file():
        yield
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if not lock_descriptor(descriptor, blocking=False):
            raise AlreadyRunning(
                f"another copy of the bot already uses {what}: stop that one first"
            )
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone_with_token(token: str) -> Iterator[None]:
    """Be this user's only process with a Discord token, as far as its temporary folder shows.

    Whoever else can write there could hold the lock for ever, so only one of this user's own is
    believed.

    Raises:
        AlreadyRunning: another process has it.
    """
    digest = hashlib.sha256(f"cad-sentinel {token}".encode()).hexdigest()[:32]
    name = f"cad-sentinel-{digest}.lock"
    with ExitStack() as stack:
        try:
            path = Path(tempfile.gettempdir()) / name  # fails where no folder can be written to
            stack.enter_context(_lock(path, "this Discord token"))
        except OSError as fault:
            log.warning("cannot check whether another copy has this Discord token: %s", fault)
        yield


@contextmanager
def _lock(path: Path, what: str) -> Iterator[None]:
    descriptor = _open(path)
    try:
        if not lock_descriptor(descriptor, blocking=False):
            raise AlreadyRunning(f"{_holder(descriptor)} already uses {what}: stop that one first")
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, NOTE_AT, os.SEEK_SET)
        started = datetime.now().astimezone()
        os.write(descriptor, f"process {os.getpid()}, started {started:%Y-%m-%d %H:%M:%S}".encode())
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    """Open a lock's file, which only this user can; never through a link planted there.

    Raises:
        OSError: it cannot be opened, or is another user's.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    if os.name != "nt":
        try:
            if os.fstat(descriptor).st_uid != os.geteuid():
                raise PermissionError(f"{path} is another user's: delete it if no copy runs there")
            os.fchmod(descriptor, 0o600)
        except OSError:
            os.close(descriptor)
            raise
    return descriptor


def _holder(descriptor: int) -> str:
    os.lseek(descriptor, NOTE_AT, os.SEEK_SET)
    note = os.read(descriptor, NOTE_BYTES).decode("ascii", "replace")
    is_ours = note.isprintable() and note.startswith("process ")
    return f"another copy of the bot ({note})" if is_ours else "another copy of the bot"
