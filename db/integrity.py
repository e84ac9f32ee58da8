"""Checks that a file is our database and undamaged: quickly at every start, fully for a backup."""

import sqlite3
from contextlib import closing
from pathlib import Path, PurePath
from threading import Event

from db.errors import InvalidDatabase, StorageError, code, storage_error
from db.migrate import must_be_ours

SIDE_FILES = ("-wal", "-shm", "-journal")
"""Files that SQLite keeps beside a database; a -wal or -journal belongs to exactly that file."""

STEPS = 10_000
"""Steps of SQLite's machine between two checks of `stop`: well under a millisecond."""


def beside(path: Path, suffix: str) -> Path:
    """Return the file beside a database whose name goes on with a suffix."""
    return path.with_name(path.name + suffix)


def open_for_reading(path: Path, *, at_rest: bool = False) -> sqlite3.Connection:
    """Open a file to read it; `at_rest` if nobody can write to it, so that it needs no side files.

    Raises:
        sqlite3.Error: there is none, or it cannot be opened.
    """
    uri = sqlite_uri(path, read_only(path, at_rest=at_rest))
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def read_only(path: Path, *, at_rest: bool) -> str:
    """Return the options to read a file; `at_rest`: without files beside it, if it has none."""
    alone = at_rest and not any(beside(path, suffix).exists() for suffix in SIDE_FILES)
    return "mode=ro&immutable=1" if alone else "mode=ro"


def sqlite_uri(path: PurePath, options: str) -> str:
    """Return the URI under which SQLite opens a path, whatever characters it has.

    A share, `\\\\server\\share`, has its server in the path: SQLite takes no host in a URI.
    """
    uri = (path.absolute() if isinstance(path, Path) else path).as_uri()
    return f"{uri if uri.startswith('file:///') else uri.replace('//', '////', 1)}?{options}"


def quick_check(path: Path) -> int:
    """Return the schema of a file, 0 if it has none yet, without changing anything.

    This runs at every start, so it must not take longer the more there is: no integrity_check and
    no quick_check, which read every page. SQLite itself compares the length of the file with its
    header at the first read; then the first and the last row of every table are read, which goes
    from the root of each to its two edges, where a file that was cut short lacks pages. What is
    broken between them is found by the next backup, which reads every page.

    Raises:
        StorageError: it is damaged or no database of ours, or written by a newer version.
    """
    if path.is_dir():
        raise StorageError(
            f"cannot use the database {path}: it is a folder; name a file in [database] path"
        )
    try:
        if not path.exists() or not path.stat().st_size:
            wal = beside(path, "-wal")
            if wal.exists() and wal.stat().st_size:
                # SQLite would take the file for a new one, and delete the other.
                raise InvalidDatabase(
                    f"cannot use the database {path}: it is empty or gone, but {wal.name} beside it"
                    " is not"
                )
            return 0
        with closing(open_for_reading(path)) as connection:
            schema = schema_of(connection, path)
            for (table,) in connection.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage"
                " AND name NOT LIKE 'sqlite_%'"
            ).fetchall():
                _read_edges(connection, table)
            return schema
    except sqlite3.Error as fault:
        if code(fault) == sqlite3.SQLITE_READONLY:
            # An interrupted migration must first be undone, which whoever opens it to write does.
            return 0
        raise storage_error(path, fault) from fault
    except OSError as fault:
        raise storage_error(path, fault) from fault


def schema_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return a database's schema, 0 for an empty one.

    Raises:
        StorageError: it is another program's or a newer version's.
    """
    header = [
        int(connection.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("application_id", "user_version", "schema_version")
    ]
    try:
        return must_be_ours(*header)
    except StorageError as fault:
        raise type(fault)(f"cannot use the database {path}: {fault}") from fault


def full_check(path: Path, stop: Event | None = None) -> int:
    """Read every page of a file that nobody writes to; return its schema.

    Raises:
        StorageError: it is damaged, not ours or of a newer version, or `stop` was set meanwhile.
    """
    try:
        with closing(open_for_reading(path, at_rest=True)) as connection:
            if stop is not None:
                connection.set_progress_handler(stop.is_set, STEPS)
            schema = schema_of(connection, path)
            if not schema:
                raise InvalidDatabase("it is empty")
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise InvalidDatabase(f"it is damaged ({' '.join(found.split())})")
            orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
            if orphan is not None:
                raise InvalidDatabase(
                    f"it is damaged (rows of {orphan[0]} refer to no {orphan[2]})"
                )
            return schema
    except (sqlite3.Error, OSError) as fault:
        raise storage_error(path, fault) from fault


def _read_edges(connection: sqlite3.Connection, table: str) -> None:
    columns = connection.execute(
        "SELECT name FROM pragma_table_info(?) WHERE pk ORDER BY pk", (table,)
    ).fetchall()
    key = [f'"{name}"' for (name,) in columns] or ["rowid"]
    for order in ("ASC", "DESC"):
        by = ", ".join(f"{column} {order}" for column in key)
        connection.execute(f'SELECT * FROM "{table}" ORDER BY {by} LIMIT 1').fetchall()
