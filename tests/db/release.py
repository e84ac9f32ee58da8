"""Keep the newest schema with an evening's data, for the test that migrates all released ones.

Run before a release that has a new migration, and commit the file that it names:

    python -m tests.db.release
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.settings import Channels
from cogs.delivery.follower import Follower
from db import fingerprints, links, settings, subscriptions
from tests.cogs.scenario import Scenario
from tests.webhook.harness import open_harness

RELEASED = Path(__file__).with_name("released")


def dumped(path: Path) -> tuple[int, str]:
    """Return a database's schema number, and the SQL that makes it again with all its rows."""
    with closing(sqlite3.connect(path)) as connection:
        header = {
            name: connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        }
        lines = ["PRAGMA foreign_keys = OFF;", *_statements(connection)]
    lines += [f"PRAGMA {name} = {value};" for name, value in header.items()]
    return header["user_version"], "\n".join(lines) + "\n"


def tables(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
    """Return the names of the plain tables and of the virtual ones, without what SQLite adds.

    SQLite has a list of its own, pragma_table_list, from 3.37 on only.
    """
    ours = connection.execute(
        "SELECT name, sql LIKE 'CREATE VIRTUAL%' FROM sqlite_schema"
        " WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    virtual = [name for name, is_virtual in ours if is_virtual]
    theirs = tuple(f"{name}_" for name in virtual)
    plain = [name for name, is_virtual in ours if not is_virtual and not name.startswith(theirs)]
    return plain, virtual


def _statements(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what makes a database again.

    Python's own iterdump writes virtual tables in a way that cannot be read back.
    """
    made = connection.execute(
        "SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL"
        " AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    plain, virtual = tables(connection)
    for name in plain:
        yield next(f"{sql};" for made_name, _, sql in made if made_name == name)
        columns = connection.execute("SELECT name FROM pragma_table_info(?)", (name,)).fetchall()
        quoted = " || ',' || ".join(f'quote("{column}")' for (column,) in columns)
        for (values,) in connection.execute(f'SELECT {quoted} FROM "{name}"'):
            yield f'INSERT INTO "{name}" VALUES ({values});'
    yield "DELETE FROM sqlite_sequence;"
    for name, number in connection.execute("SELECT name, seq FROM sqlite_sequence"):
        yield f"INSERT INTO sqlite_sequence VALUES ('{name}', {number});"
    yield from (f"{sql};" for _, kind, sql in made if kind in ("view", "index"))
    for name, _, sql in made:
        if name in virtual:
            yield f"{sql};"
            for (row,) in connection.execute(f"SELECT rowid || ',' || quote(text) FROM {name}"):
                yield f"INSERT INTO {name} (rowid, text) VALUES ({row});"
    yield from (f"{sql};" for _, kind, sql in made if kind == "trigger")


async def fill(path: Path) -> None:
    """Make a database of an evening in which everything happens once."""
    async with open_harness(path) as harness:
        await Scenario(harness).play()
        await harness.ask("add-allowed-user", propertyId=1, userId="license:friend")
        await Follower(
            harness.database, harness.bus, frozenset(Channels.model_fields), lambda _places: None
        ).apply_next()
        async with harness.database.write() as sql:
            await settings.put(sql, "colour", "blue")
            await subscriptions.add(sql, "dashboard", "alerts", harness.clock())
            await links.put(sql, 7, "license:friend", "discord:9", harness.clock())
            await links.put_code(sql, "CODE", 8, harness.clock() + 1, harness.clock())
            await fingerprints.is_duplicate(sql, b"\xff\x00", "cad", 0, harness.clock())


def main() -> None:
    """Write the file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sentinel.db"
        asyncio.run(fill(path))
        number, sql = dumped(path)
    file = RELEASED / f"{number:04}.sql"
    file.write_text(sql, "utf-8", newline="\n")
    print(file)  # noqa: T201


if __name__ == "__main__":
    main()
