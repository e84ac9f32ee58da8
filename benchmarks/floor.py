"""The floor of the pushes: what their rows cost without the program that makes them.

`python -m benchmarks.floor` measures the baseline of the pushes next to the same handler that
writes before it answers, many in one commit: the body alone, or the rows of the push as the bot
writes them. No key is looked at, nothing is checked or understood, and nobody is told.

`python -m benchmarks.floor rows` (or `body`) listens, prints its port, and serves.
"""

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import uvloop
from aiohttp import web

from benchmarks.load import post
from benchmarks.processes import bare
from benchmarks.pushes import CONNECTIONS, SECONDS, houses, pushes
from db import community
from db.community import Tier
from db.connection import Connection
from db.database import CHECKPOINT, Database
from webhook.bus import Bus
from webhook.cad.fingerprint import SIZE
from webhook.cad.receive import receive
from webhook.context import Caller, Context, Scope
from webhook.messages import Message
from webhook.queries import CATALOGUE

ROUNDS = 3

Statement = tuple[str, Sequence[Any]]

FRAME = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
"""How statements begin that only hold others together: the floor does without them."""

BODY: dict[str, list[Statement]] = {}
"""No rows of its own for any type: the body is kept."""


@contextmanager
def listening() -> Iterator[list[Statement]]:
    """Hear what a database runs at once."""
    said: list[Statement] = []
    fetch, insert = Connection.fetch_at_once, Connection.insert_at_once

    def fetched(self: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        said.append((sql, parameters))
        return fetch(self, sql, parameters)

    def inserted(self: Connection, sql: str, parameters: Sequence[Any]) -> int:
        said.append((sql, parameters))
        return insert(self, sql, parameters)

    Connection.fetch_at_once, Connection.insert_at_once = fetched, inserted  # type: ignore[method-assign]
    try:
        yield said
    finally:
        Connection.fetch_at_once, Connection.insert_at_once = fetch, insert  # type: ignore[method-assign]


async def rows_of_pushes(path: Path) -> dict[str, list[Statement]]:
    """Have the bot's own code take in a push of each type; return what it ran, by the type."""
    async with Database.open(path) as database:
        async with database.write() as sql:
            await community.replace(sql, [Tier(1, "Basic", "1")], [])
        context = Context(database, Bus(), Caller("cad", Scope.ADMIN), ZoneInfo("UTC"))
        for house in houses():
            await CATALOGUE.carry_out(context, Message("queries.add-property", house))
        sent = pushes()
        found = {}
        for _ in range(2):
            body = orjson.loads(next(sent).partition(b"\r\n\r\n")[2])
            with listening() as said:
                await receive(context, "cad", body, "/event")
            found[body["type"]] = [one for one in said if not one[0].startswith(FRAME)]
        return found


class Floor:
    """The handler; whoever waits at the same moment shares a commit."""

    def __init__(self, path: Path, rows: dict[str, list[Statement]]) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
        self._connection.execute("CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB)")
        self._rows = rows
        self._waiting: list[tuple[list[Statement], asyncio.Future[None]]] = []
        self._writing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writing.set_result(None)

    async def event(self, request: web.Request) -> web.Response:
        """Parse, write, and answer after the commit."""
        raw = await request.read()
        kind = orjson.loads(raw)["type"]
        statements = self._rows.get(kind, [("INSERT INTO bodies (body) VALUES (?)", (raw,))])
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((statements, written))
        if self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await written
        return web.Response(text="OK")

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            self._connection.execute("BEGIN IMMEDIATE")
            for statements, _ in batch:
                for sql, parameters in statements:
                    self._connection.execute(sql, [*map(_fresh, parameters)]).fetchall()
            await asyncio.to_thread(self._connection.execute, "COMMIT")
            for _, written in batch:
                written.set_result(None)


def _fresh(value: object) -> object:
    """Have no two pushes look like the same one: what is binary is a fingerprint."""
    return os.urandom(len(value)) if isinstance(value, bytes) and len(value) == SIZE else value


async def serve(what: str) -> None:
    """Serve until the process is ended."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "floor.db"
        rows = await rows_of_pushes(path)
        floor = Floor(path, rows if what == "rows" else BODY)
        app = web.Application()
        app.router.add_post("/event", floor.event)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address: Any = runner.addresses[0]
        print(address[1], flush=True)
        await asyncio.Event().wait()


async def measure() -> None:
    """Measure all three in turns, and print what comes of each."""
    async with (
        bare() as plain,
        bare("benchmarks.floor", "body") as body,
        bare("benchmarks.floor", "rows") as rows,
    ):
        sides = {"nothing": plain, "the body": body, "the rows": rows}
        rates: dict[str, list[float]] = {name: [] for name in sides}
        sent = pushes()
        for _ in range(ROUNDS):
            for name, server in sides.items():
                rate = await post(server.url, sent, connections=CONNECTIONS, seconds=SECONDS)
                rates[name].append(rate)
    for name in sides:
        rate = statistics.median(rates[name])
        ratio = rate / statistics.median(rates["nothing"])
        print(f"{name:<10}{rate:>10,.0f} pushes/s{ratio:>8.2f}")


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]) if len(sys.argv) > 1 else measure())
