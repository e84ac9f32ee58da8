"""Clients of the event bus, one a transport, all of them driven in the same way."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from typing import Any, Protocol

import aiohttp
from aiohttp import WSMsgType

from tests.webhook.harness import Frame
from tests.webhook.serving import BOSS, RunningApp

IN_TIME = 20.0

FROM = "events.from.martians"
TO = "events.to.martians"

_numbers = count(1)


class SockJsTransport(Protocol):
    """Sends messages, and receives frames of SockJS."""

    async def send(self, *texts: str) -> None: ...

    async def frame(self) -> str: ...


class OverWebSocket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self.socket = socket

    async def send(self, *texts: str) -> None:
        await self.socket.send_str(json.dumps(texts))

    async def frame(self) -> str:
        message = await self.socket.receive(timeout=IN_TIME)
        assert message.type is WSMsgType.TEXT, message
        return str(message.data)


class OverHttp:
    """A session whose frames come by xhr, xhr_streaming or eventsource."""

    def __init__(self, app: RunningApp, transport: str, token: str) -> None:
        self.http = app.http
        self.url = f"{app.url}/events/000/s{next(_numbers)}"
        self.transport = transport
        self.headers = {"Authorization": f"Bearer {token}"}
        self._frames: deque[str] = deque()
        self._answer: aiohttp.ClientResponse | None = None

    async def send(self, *texts: str) -> None:
        assert await self.post(json.dumps(texts).encode()) == (204, "")

    async def post(self, body: bytes) -> tuple[int, str]:
        """Post to xhr_send, and return the status and the text of the answer."""
        url = f"{self.url}/xhr_send"
        async with self.http.post(url, data=body, headers=self.headers) as answer:
            return answer.status, await answer.text()

    async def ask(self) -> aiohttp.ClientResponse:
        """Ask for frames."""
        method = "GET" if self.transport == "eventsource" else "POST"
        return await self.http.request(method, f"{self.url}/{self.transport}", headers=self.headers)

    async def frame(self) -> str:
        async with asyncio.timeout(IN_TIME):
            while True:
                if self._answer is None:
                    self._answer = await self.ask()
                    assert self._answer.status == 200
                line = (await self._answer.content.readline()).decode()
                if not line:
                    self._answer = None
                    continue
                frame = line.rstrip("\r\n").removeprefix("data: ")
                if frame and frame != "h" * 2048:
                    return frame

    def close(self) -> None:
        if self._answer is not None:
            self._answer.close()


class BusClient:
    """A client of the bridge, as the original one begins: ping, register, session."""

    def __init__(self, transport: SockJsTransport) -> None:
        self.transport = transport
        self.client = ""
        self._texts: deque[str] = deque()

    async def send_frame(self, kind: str, **members: object) -> None:
        await self.transport.send(json.dumps({"type": kind} | members))

    async def receive(self) -> Frame:
        """Return the next frame of the bridge."""
        while not self._texts:
            frame = await self.transport.frame()
            if frame[0] == "a":
                self._texts.extend(json.loads(frame[1:]))
            else:
                assert frame in ("o", "h"), frame
        received: Frame = json.loads(self._texts.popleft())
        return received

    async def say(self, kind: str, *, at: str | None = None, **data: object) -> None:
        """Send a message, the way the original does: as a string."""
        address = at or f"{FROM}.{self.client}"
        body = json.dumps({"type": kind, "data": data})
        await self.send_frame("send", address=address, headers={}, body=body)

    async def hear(self) -> Frame:
        """Return the body of the next message to the client's own address."""
        received = await self.receive()
        assert (received["type"], received["address"]) == ("rec", f"{TO}.{self.client}"), received
        body: Frame = received["body"]
        return body

    async def ask(self, kind: str, **data: object) -> Frame:
        """Send a message without an identifier and return its answer."""
        await self.say(kind, at=None, **data)
        while (answer := await self.hear())["type"].startswith("events."):
            pass
        return answer

    async def start(self, client: str) -> "BusClient":
        """Open a session as the original does."""
        self.client = client
        await self.send_frame("ping")
        await self.send_frame("register", address=f"{TO}.{client}", headers={})
        await self.say("session", at=FROM, id=client, requestIdentifier="1")
        assert await self.hear() == {
            "type": "status",
            "data": {"message": "created", "requestIdentifier": "1"},
        }
        return self

    async def subscribe(self, *names: str) -> None:
        for name in names:
            answer = await self.ask("subscribe", clientId=self.client, id=f"events.{name}")
            assert answer["data"]["message"] == f"Subscribed to events.{name}"


@asynccontextmanager
async def over_websocket(app: RunningApp, token: str = BOSS) -> AsyncIterator[BusClient]:
    url = f"{app.url}/events/000/{next(_numbers)}/websocket?token={token}"
    async with app.http.ws_connect(url, max_msg_size=0) as socket:
        transport = OverWebSocket(socket)
        assert await transport.frame() == "o"
        yield BusClient(transport)


@asynccontextmanager
async def over_http(
    app: RunningApp, transport: str, token: str = BOSS
) -> AsyncIterator[tuple[BusClient, OverHttp]]:
    session = OverHttp(app, transport, token)
    try:
        assert await session.frame() == "o"
        yield BusClient(session), session
    finally:
        session.close()


def _over(transport: str) -> Callable[[RunningApp], AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def connect(app: RunningApp) -> AsyncIterator[BusClient]:
        async with over_http(app, transport) as (client, _):
            yield client

    return connect


TRANSPORTS = {
    "websocket": over_websocket,
    "xhr_streaming": _over("xhr_streaming"),
    "eventsource": _over("eventsource"),
    "xhr": _over("xhr"),
}
"""Ways to connect, by the last part of their address."""
