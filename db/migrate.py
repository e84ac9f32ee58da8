"""Numbered .sql files bring the schema up to date: each whole or not at all."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import aiosqlite

from db.errors import InvalidDatabase, StorageError
from db.search import indexed
from db.sqlite_support import portable
from db.user_ids import stored_id

APPLICATION_ID = 0x5E471E1
"""Marks the file as ours in SQLite's header, so that a foreign database is refused."""


@cache
def migrations() -> Sequence[tuple[int, str]]:
    """Return (number, SQL) of every migration, in order, as this machine's SQLite takes it."""
    scripts = [entry for entry in files("db.migrations").iterdir() if entry.name.endswith(".sql")]
    return sorted((int(entry.name[:4]), portable(entry.read_text("utf-8"))) for entry in scripts)


def newest() -> int:
    """Return the schema that this program needs."""
    return migrations()[-1][0]


async def migrate(connection: aiosqlite.Connection) -> None:
    """Run the migrations that the file has not seen.

    Raises:
        StorageError: the file belongs to another program or to a newer version of this one.
    """
    version = must_be_ours(
        await _pragma(connection, "application_id"),
        await _pragma(connection, "user_version"),
        await _pragma(connection, "schema_version"),
    )
    await connection.create_function("indexed", 1, indexed, deterministic=True)
    await connection.create_function("stored_id", 1, stored_id, deterministic=True)
    for number, sql in migrations():
        if number > version:
            await _apply(connection, number, sql)
    await connection.execute_fetchall("PRAGMA foreign_keys = ON")


def must_be_ours(application_id: int, version: int, schema_version: int) -> int:
    """Return the schema that a file's header tells of, 0 for a file with nothing in it.

    Raises:
        StorageError: the file belongs to another program or to a newer version of this one.
    """
    if application_id != APPLICATION_ID and (version or schema_version):
        raise InvalidDatabase("it is a SQLite database of another program")
    if version > newest():
        raise StorageError(
            f"it has schema {version}, this version of CAD Sentinel knows {newest()}: it was"
            " written by a newer version; install that one or restore an older backup"
        )
    return version


async def check_is_current(connection: aiosqlite.Connection) -> None:
    """Look whether a file has exactly the schema that this program knows.

    Raises:
        StorageError: it has another one.
    """
    version, known = await _pragma(connection, "user_version"), newest()
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
