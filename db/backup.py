"""Backups of a database: made while it is in use, and restored."""

import errno
import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from db.errors import InvalidDatabase, StorageError, code, storage_error
from db.integrity import SIDE_FILES, beside, full_check, open_for_reading, schema_of

PAGES = 2_000
"""Pages copied between two checks of `stop`: 8 MB."""


class CopyStopped(Exception):
    """`stop` was set."""


def copy(source: Path, target: Path, *, at_rest: bool = False, stop: Event | None = None) -> int:
    """Copy a database that may be in use; return its schema.

    The target appears under its name, replacing what was there, only once every page of it was
    read back and found sound. SQLite's backup copies page by page from one moment's snapshot,
    which in WAL mode neither waits for writers nor makes them wait. VACUUM INTO would make a
    smaller file, but builds it afresh: damage in the source would go unseen, while a copy of the
    pages that is sound proves that the source was.

    Raises:
        StorageError: the copy could not be made; what was there is still there.
        CopyStopped: `stop` was set.
    """
    stop = stop or Event()
    part = beside(target, ".part")
    try:
        with closing(_open_snapshot(source, at_rest)) as origin:
            _check_target(target)
            part.unlink(missing_ok=True)
            # Before SQLite opens it, which would let others read it too.
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            _copy_pages(origin, part, stop)
        schema = _check_copy(part, source, stop)
        _sync(part)
        os.replace(part, target)
        _sync(target.parent)
    except (sqlite3.Error, OSError) as fault:
        raise _copy_error(source, target, fault) from fault
    finally:
        for suffix in ("", *SIDE_FILES):
            with suppress(OSError):
                beside(part, suffix).unlink(missing_ok=True)
    return schema


def restore(backup: Path, path: Path) -> Path | None:
    """Put a backup into a database's place; return where what was there is kept.

    Nobody may have the database open. Until the copy is whole and sound, nothing changes. Then it
    gets the name that `finish_restore` looks for, and with that the restore is decided: a crash
    before leaves the old database, a crash after it the new one, once that has run.

    Raises:
        StorageError: the backup is not sound, or could not be put in place.
    """
    path = path.resolve()
    if backup.resolve() == path:
        raise StorageError(f"{backup} is the database itself: name a backup")
    try:
        copy(backup, _restored(path), at_rest=True)
    except StorageError as fault:
        raise StorageError(f"nothing was restored: {fault}") from fault
    return finish_restore(path)


def finish_restore(path: Path) -> Path | None:
    """Put a database that was restored in place, unless that is done; return what is kept.

    The old one's -wal goes before it does, as SQLite would write it into whichever file stands
    there. In between nobody opens the old one, as whoever writes calls this first.

    Raises:
        StorageError: a file could not be renamed.
    """
    path = path.resolve()
    restored = _restored(path)
    try:
        if not restored.exists():
            return None
        at = datetime.fromtimestamp(restored.stat().st_mtime, UTC)
        kept = path.with_name(f"{path.stem}-replaced-{at:%Y%m%d-%H%M%S-%f}{path.suffix}")
        for suffix in SIDE_FILES:
            if beside(path, suffix).exists():
                os.replace(beside(path, suffix), beside(kept, suffix))
        if path.exists():
            _keep_old(path, kept)
        os.replace(restored, path)
        _sync(path.parent)
    except OSError as fault:
        raise StorageError(
            f"the restored database could not take the place of {path}: {fault}; close every"
            " program that uses it and start the bot, which tries again"
        ) from fault
    return kept if kept.exists() else None


def _keep_old(path: Path, kept: Path) -> None:
    """Give the old database a second name, so that there always is a file under its own."""
    try:
        os.link(path, kept)
    except FileExistsError:
        return  # before a crash
    except OSError:
        os.replace(path, kept)  # a file system without links


def _restored(path: Path) -> Path:
    return beside(path, ".restored")


def _open_snapshot(path: Path, at_rest: bool) -> sqlite3.Connection:
    """Open the source and begin to read; without a snapshot each write would restart the copy."""
    if not path.is_file():
        raise StorageError(f"there is no database {path}")
    try:
        origin = open_for_reading(path, at_rest=at_rest)
        try:
            if not schema_of(origin, path):
                raise InvalidDatabase(f"the database {path} is empty")
            origin.execute("BEGIN")
            origin.execute("SELECT 1 FROM sqlite_schema").fetchone()
        except BaseException:
            origin.close()
            raise
    except sqlite3.Error as fault:
        raise storage_error(path, fault) from fault
    return origin


def _copy_pages(origin: sqlite3.Connection, part: Path, stop: Event) -> None:
    def check_stop(*_: int) -> None:
        if stop.is_set():
            raise CopyStopped

    with closing(sqlite3.connect(part, isolation_level=None)) as copied:
        # A crash leaves nothing that anybody would use; _sync makes it last in the end.
        copied.execute("PRAGMA synchronous = OFF")
        origin.backup(copied, pages=PAGES, progress=check_stop)
        # One file, which can be read on a read-only medium too.
        copied.execute("PRAGMA journal_mode = DELETE")


def _check_target(target: Path) -> None:
    if target.is_dir():
        raise StorageError(f"{target} is a folder: name a file in it")
    if not target.parent.is_dir():
        raise StorageError(f"there is no folder {target.parent}: create it, or choose another one")


def _check_copy(part: Path, source: Path, stop: Event) -> int:
    try:
        return full_check(part, stop)
    except StorageError as fault:
        if stop.is_set():
            raise CopyStopped from fault
        raise type(fault)(f"{source} cannot be copied: {fault}") from fault


def _copy_error(source: Path, target: Path, fault: sqlite3.Error | OSError) -> StorageError:
    number = code(fault) if isinstance(fault, sqlite3.Error) else 0
    if number in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return storage_error(source, fault)
    if number == sqlite3.SQLITE_FULL or getattr(fault, "errno", 0) == errno.ENOSPC:
        return StorageError(f"{target} cannot be written: there is no room left on the disk")
    reason = getattr(fault, "strerror", None) or fault
    return StorageError(f"{target} cannot be written: {reason}")


def _sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk; Windows cannot do that for folders."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
