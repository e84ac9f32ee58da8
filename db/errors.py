"""Errors of storage."""

import errno
import sqlite3
from pathlib import Path

_TRANSIENT = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)

_HEADER_BYTES = 100
_WRITTEN_BY = slice(96, 100)
"""Where a database says which SQLite last wrote it, as 3034001 for 3.34.1: fileformat2.html."""

_FORBIDDEN = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY})
_BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OF_SHARES = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_LOCKED})
"""What SQLite says where a drive cannot lock or share memory, as most network drives."""


class StorageError(Exception):
    """The database cannot be used; the text says why, for the person who runs the bot."""


class InvalidDatabase(StorageError):
    """The file is damaged or another program's: a backup must take its place."""


class StorageUnavailable(StorageError):
    """The database cannot be written right now: disk full, read-only, locked. It may pass."""


def is_transient(fault: sqlite3.Error) -> bool:
    """Whether the same statement may succeed later."""
    return code(fault) in _TRANSIENT


def is_locked(fault: StorageUnavailable) -> bool:
    """Whether storage is unavailable only because another process writes."""
    cause = fault.__cause__
    return isinstance(cause, sqlite3.Error) and code(cause) == sqlite3.SQLITE_BUSY


def code(fault: sqlite3.Error) -> int:
    """Return SQLite's code without its extension, which is in the higher bytes."""
    return getattr(fault, "sqlite_errorcode", 0) & 0xFF


def storage_error(path: Path, fault: sqlite3.Error | OSError) -> StorageError:
    """Return why a database file cannot be used, and what helps."""
    cannot = f"cannot use the database {path}:"
    number = code(fault) if isinstance(fault, sqlite3.Error) else 0
    if number == sqlite3.SQLITE_CORRUPT and (version := _newer_writer(path)):
        return StorageError(
            f"{cannot} SQLite {version} wrote it, and this Python's {sqlite3.sqlite_version} cannot"
            " read it; use a Python with that SQLite or a newer one"
        )
    if number in _BROKEN:
        return InvalidDatabase(f"{cannot} it is damaged ({fault})")
    if number == sqlite3.SQLITE_FULL or getattr(fault, "errno", 0) == errno.ENOSPC:
        return StorageError(f"{cannot} there is no room left on the disk; make room and try again")
    if number in _FORBIDDEN or isinstance(fault, PermissionError):
        return StorageError(
            f"{cannot} {fault}; this user must be allowed to read and write it and the folder"
            f" {path.parent}"
        )
    if number in _OF_SHARES:
        return StorageError(
            f"{cannot} {fault}; SQLite needs a sound disk of this machine: a network drive, a"
            " shared folder or a synchronised one (OneDrive, Dropbox) will not do"
        )
    return StorageError(f"{cannot} {fault}")


def _newer_writer(path: Path) -> str:
    """Return the version of the SQLite that last wrote a file if it is newer than this one.

    Blank otherwise: only a newer one can have written what this one cannot read.
    """
    with path.open("rb") as file:
        written_by = int.from_bytes(file.read(_HEADER_BYTES)[_WRITTEN_BY], "big")
    major, rest = divmod(written_by, 1_000_000)
    version = (major, *divmod(rest, 1_000))
    return ".".join(map(str, version)) if version > sqlite3.sqlite_version_info else ""
