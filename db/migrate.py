"""Numbered .sql files bring the schema up to date: each whole or not at all."""

from importlib.resources import files

import aiosqlite

from db.errors import StorageError

APPLICATION_ID = 0x5E471E1
"""Marks the file as ours in SQLite's header, so that a foreign database is refused."""


def migrations() -> list[tuple[int, str]]:
    """Return (number, SQL) of every migration, in order."""
    scripts = [entry for entry in files("db.migrations").iterdir() if entry.name.endswith(".sql")]
    return sorted((int(entry.name[:4]), entry.read_text("utf-8")) for entry in scripts)


async def migrate(connection: aiosqlite.Connection) -> None:
    """Run the migrations that the file has not seen.

    Raises:
        StorageError: the file belongs to another program or to a newer version of this one.
    """
    version = await _pragma(connection, "user_version")
    ours = await _pragma(connection, "application_id") == APPLICATION_ID
    if not ours and (version or await _pragma(connection, "schema_version")):
        raise StorageError("the file is a SQLite database of another program")
    known = migrations()
    if version > known[-1][0]:
        raise StorageError(
            f"the database has schema {version}, this version of CAD Sentinel knows {known[-1][0]}:"
            " it was written by a newer version; install that one or restore an older backup"
        )
    for number, sql in known:
        if number > version:
            await _apply(connection, number, sql)
    await connection.execute_fetchall("PRAGMA foreign_keys = ON")


async def check_is_current(connection: aiosqlite.Connection) -> None:
    """Look whether a file has exactly the schema that this program knows.

    Raises:
        StorageError: it has another one.
    """
    version, known = await _pragma(connection, "user_version"), migrations()[-1][0]
    if await _pragma(connection, "application_id") != APPLICATION_ID or version != known:
        raise StorageError(
            f"the database has schema {version}, this version of CAD Sentinel knows {known}:"
            " start the bot once, or use the version that wrote it"
        )


async def _apply(connection: aiosqlite.Connection, number: int, sql: str) -> None:
    try:
        cursor = await connection.executescript(
            f"BEGIN IMMEDIATE;\n{sql}\n;PRAGMA user_version = {number};"
            f"PRAGMA application_id = {APPLICATION_ID};\nCOMMIT;"
        )
        await cursor.close()
    except BaseException:
        if connection.in_transaction:
            await connection.rollback()
        raise


async def _pragma(connection: aiosqlite.Connection, name: str) -> int:
    rows = await connection.execute_fetchall(f"PRAGMA {name}")
    return int(next(iter(rows))[0])
