"""What can go wrong with storage."""

import sqlite3

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
    }
)


class StorageError(Exception):
    """The database cannot be used; the text says why, for the person who runs the bot."""


class StorageUnavailable(StorageError):
    """The database cannot be written right now: disk full, read-only, locked. It may pass."""


def is_passing(fault: sqlite3.Error) -> bool:
    """Whether the same statement may succeed later. Extended codes keep the code in one byte."""
    return (getattr(fault, "sqlite_errorcode", 0) & 0xFF) in _PASSING
