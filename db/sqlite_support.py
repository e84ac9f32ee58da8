"""Which SQLite this program runs on: from 3.34 on, with full-text search and JSON built in.

Python brings no SQLite on Linux; the distribution does. RHEL 9 and its relatives have 3.34,
Ubuntu 22.04 has 3.37. Statements therefore use nothing newer than 3.34.
"""

import sqlite3
from contextlib import closing

from db.errors import StorageError

OLDEST = (3, 34, 0)

KNOWS_STRICT = (3, 37, 0)
"""The first SQLite with STRICT tables."""

_NEEDED = (
    "CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'trigram')",
    "SELECT value FROM json_each('[1]')",
)


def check_sqlite() -> None:
    """Look whether this machine's SQLite can do what the program needs.

    Raises:
        StorageError: it is too old, or was built without a part.
    """
    here = f"this Python has SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < OLDEST:
        raise StorageError(
            f"{here}, and CAD Sentinel needs {'.'.join(map(str, OLDEST))} or newer:"
            " update the operating system, or install a newer Python from python.org"
        )
    try:
        with closing(sqlite3.connect(":memory:")) as connection:
            for statement in _NEEDED:
                connection.execute(statement)
    except sqlite3.Error as fault:
        raise StorageError(
            f"{here} without a part that CAD Sentinel needs ({fault}):"
            " install Python from python.org or from the distribution"
        ) from fault


def portable(sql: str) -> str:
    """Leave STRICT out where SQLite does not know it: types are then not checked a second time."""
    if sqlite3.sqlite_version_info >= KNOWS_STRICT:
        return sql
    return sql.replace(") STRICT, WITHOUT ROWID;", ") WITHOUT ROWID;").replace(") STRICT;", ");")
