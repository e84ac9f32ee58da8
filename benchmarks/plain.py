"""The plain program: what somebody would write in an evening with aiohttp, aiosqlite and pydantic.

It does one thing each, and nothing else: no scopes, no subscribers, no Discord, no card.

- `GET /ws`: answer `queries.get-property` with one query of the database.
- `POST /event`: validate a push, write it to the journal along with the unit or the call that it is
  about, commit, answer `OK`.
- `POST /nothing`: answer `OK`; a loopback round trip.

`python -m benchmarks.plain FILE` listens, prints its port, and serves until it is ended.
"""

import asyncio
import sys
from typing import Annotated, Any, Literal

import aiosqlite
import uvloop
from aiohttp import WSMsgType, web
from pydantic import BaseModel, Field, TypeAdapter

PROPERTIES = 100

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE properties (
    id INTEGER PRIMARY KEY, location TEXT, tier INTEGER, x REAL, y REAL, width REAL, height REAL,
    status TEXT, description TEXT, owner TEXT
) STRICT;
CREATE TABLE units (id INTEGER PRIMARY KEY, status INTEGER) STRICT;
CREATE TABLE calls (id INTEGER PRIMARY KEY, caller TEXT, location TEXT, description TEXT) STRICT;
CREATE TABLE journal (id INTEGER PRIMARY KEY, type TEXT, data TEXT) STRICT;
"""


class Request(BaseModel):
    class Data(BaseModel):
        propertyId: int
        requestIdentifier: str | None = None

    type: Literal["queries.get-property"]
    data: Data


class Property(BaseModel):
    id: int
    location: str
    tier: int
    x: float
    y: float
    width: float
    height: float
    status: str
    description: str
    owner: str
    requestIdentifier: str | None


class Reply(BaseModel):
    type: str
    data: Property


class UnitStatus(BaseModel):
    class Data(BaseModel):
        identIds: list[int]
        status: int

    key: str
    type: Literal["EVENT_UNIT_STATUS"]
    data: Data


class Emergency(BaseModel):
    class Data(BaseModel):
        class Call(BaseModel):
            callId: int
            caller: str
            location: str
            description: str

        call: Call

    key: str
    type: Literal["EVENT_911"]
    data: Data


Push = Annotated[UnitStatus | Emergency, Field(discriminator="type")]


class Plain:
    """The two handlers and their database."""

    def __init__(self, database: aiosqlite.Connection) -> None:
        self._database = database
        self._writing = asyncio.Lock()
        self._pushes: TypeAdapter[UnitStatus | Emergency] = TypeAdapter(Push)

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Answer requests for properties."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                asked = Request.model_validate_json(frame.data)
                await socket.send_str((await self._property(asked)).model_dump_json())
        return socket

    async def _property(self, asked: Request) -> Reply:
        rows = await self._database.execute_fetchall(
            "SELECT id, location, tier, x, y, width, height, status, description, owner"
            " FROM properties WHERE id = ?",
            (asked.data.propertyId,),
        )
        row: Any = next(iter(rows))
        columns = dict(zip(Property.model_fields, row, strict=False))
        found = Property(**columns, requestIdentifier=asked.data.requestIdentifier)
        return Reply(type="get-property", data=found)

    async def event(self, request: web.Request) -> web.Response:
        """Validate a push, store it, and answer."""
        body = await request.read()
        push = self._pushes.validate_json(body)
        async with self._writing:
            await self._database.execute(
                "INSERT INTO journal (type, data) VALUES (?, ?)",
                (push.type, push.data.model_dump_json()),
            )
            await self._keep(push)
            await self._database.commit()
        return web.Response(text="OK")

    async def nothing(self, request: web.Request) -> web.Response:
        """Answer."""
        await request.read()
        return web.Response(text="OK")

    async def _keep(self, push: UnitStatus | Emergency) -> None:
        if isinstance(push, UnitStatus):
            await self._database.executemany(
                "INSERT OR REPLACE INTO units VALUES (?, ?)",
                [(unit, push.data.status) for unit in push.data.identIds],
            )
        else:
            call = push.data.call
            await self._database.execute(
                "INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?)",
                (call.callId, call.caller, call.location, call.description),
            )


async def serve(path: str) -> None:
    """Serve until the process is ended."""
    async with aiosqlite.connect(path) as database:
        await database.executescript(SCHEMA)
        await database.executemany(
            "INSERT INTO properties VALUES (?, ?, 1, ?, 10, 20, 20, 'PENDING', 'A house', ?)",
            [(n, f"{n} Forum Drive", n * 40, f"license:{n}") for n in range(1, PROPERTIES + 1)],
        )
        await database.commit()
        plain = Plain(database)
        app = web.Application()
        app.router.add_get("/ws", plain.websocket)
        app.router.add_post("/event", plain.event)
        app.router.add_post("/nothing", plain.nothing)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
        address: Any = runner.addresses[0]
        print(address[1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
