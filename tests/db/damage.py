"""Databases as crashes, bad disks and people leave them."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from db.database import Database
from tests.databases import put_database

PAGE = 4096


def start(path: Path, *names: str, then: Callable[[], None] = lambda: None) -> None:
    """Open a database, write these settings, do something else, and close it."""

    async def run() -> None:
        async with Database.open(path) as database:
            async with database.write() as sql:
                for name in names:
                    await sql.run("INSERT INTO settings VALUES (?, 'x')", name)
            then()

    asyncio.run(run())


def start_and_kill(path: Path, *names: str) -> None:
    """Make a database whose bot was killed: these settings are still in the -wal."""
    original = path.with_name("original.db")
    put_database(original)

    def take() -> None:
        for suffix in ("", "-wal"):
            shutil.copy(f"{original}{suffix}", f"{path}{suffix}")

    start(original, *names, then=take)
    original.unlink()


def names(path: Path) -> list[str]:
    """Return the settings of a database."""
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM settings")]


def root_pages(path: Path) -> dict[str, int]:
    """Return the page that each table begins at."""
    with closing(sqlite3.connect(path)) as connection:
        return dict(
            connection.execute(
                "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'"
                " AND rootpage AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
        )


def tear(path: Path, page: int) -> None:
    """Overwrite a page, counted from 1, with what belongs to no database."""
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(b"\xa5" * PAGE)


def folder(path: Path) -> dict[str, bytes]:
    """Return what a folder holds; an empty -wal, its index, and locks are nothing to lose."""
    return {
        file.name: file.read_bytes()
        for file in path.iterdir()
        if file.is_file() and not file.name.endswith(("-shm", ".lock"))
        if file.stat().st_size or not file.name.endswith("-wal")
    }
