"""The baselines: what aiohttp does with the same traffic and no program behind it.

`python -m benchmarks.bare` listens, prints its port, and serves until it is ended:

- `GET /ws` sends every frame back, with `?tell` to all who listen, with `?listen` none,
- `POST /event` parses the JSON and answers.
"""

import asyncio
from typing import Any

import orjson
import uvloop
from aiohttp import WSMsgType, web


class Bare:
    """The handlers, and who listens."""

    def __init__(self) -> None:
        self._listeners: list[web.WebSocketResponse] = []

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Echo, tell or listen."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        if "listen" in request.query:
            self._listeners.append(socket)
        tells = "tell" in request.query
        async for frame in socket:
            if frame.type is WSMsgType.TEXT and tells:
                await self._tell(frame.data.encode())
            elif frame.type is WSMsgType.TEXT:
                await socket.send_str(frame.data)
        return socket

    async def event(self, request: web.Request) -> web.Response:
        """Parse and answer."""
        orjson.loads(await request.read())
        return web.Response(text="OK")

    async def _tell(self, frame: bytes) -> None:
        for socket in self._listeners:
            await socket.send_frame(frame, WSMsgType.TEXT)


async def serve() -> None:
    """Serve until the process is ended."""
    bare = Bare()
    app = web.Application()
    app.router.add_get("/ws", bare.connect)
    app.router.add_post("/event", bare.event)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    address: Any = runner.addresses[0]
    print(address[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
