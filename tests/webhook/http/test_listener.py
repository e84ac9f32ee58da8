"""The listener with https: who says nothing counts from the start, and pushes get in."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
import trustme
import uvloop
from aiohttp import ClientSession, TCPConnector, web

from webhook.http import listener
from webhook.http.connection_limits import ConnectionLimiter
from webhook.http.listener import Listener

UNAUTHENTICATED = 16
SILENT = 60
DEADLINE = 10.0


class Served:
    """A listener with https in front of a handler that answers with the body."""

    def __init__(self, listening: Listener, trusting: ssl.SSLContext) -> None:
        self.port = listening.port
        self.trusting = trusting

    @asynccontextmanager
    async def silent(self, number: int) -> AsyncIterator[list[asyncio.StreamReader]]:
        """Connections that send nothing, not even a TLS greeting."""
        opened = [await asyncio.open_connection("127.0.0.1", self.port) for _ in range(number)]
        try:
            yield [reader for reader, _ in opened]
        finally:
            for _, writer in opened:
                writer.transport.abort()

    async def post(self, body: bytes) -> bytes:
        connector = TCPConnector(ssl=self.trusting)
        async with (
            asyncio.timeout(DEADLINE),
            ClientSession(connector=connector) as http,
            http.post(f"https://localhost:{self.port}/", data=body) as answer,
        ):
            return await answer.read()


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def echo(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application()
    app.router.add_post("/", echo)
    limiter = ConnectionLimiter(UNAUTHENTICATED * 4)
    listening = await Listener.start(app, limiter, "127.0.0.1", 0, 1.0, context)
    try:
        yield Served(listening, trusting)
    finally:
        await listening.close()


def run(work: Callable[[], Coroutine[None, None, None]], loop: str) -> None:
    """Run in each kind of event loop that the program uses."""
    factory = uvloop.new_event_loop if loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work())


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_silent_connections_are_evicted_and_a_push_gets_in(loop: str) -> None:
    async def work() -> None:
        async with served() as https, https.silent(SILENT) as silent:
            assert await https.post(b"a push") == b"a push"
            async with asyncio.timeout(DEADLINE):
                # All but those that have a place were hung up on.
                await asyncio.gather(
                    *(reader.read() for reader in silent[: SILENT - UNAUTHENTICATED])
                )
            assert sum(not reader.at_eof() for reader in silent) <= UNAUTHENTICATED

    run(work, loop)


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_large_bodies_and_many_at_once_arrive_whole(loop: str) -> None:
    async def work() -> None:
        async with served() as https:
            bodies = [bytes([number]) * (number * 20_000 + 1) for number in range(8)]
            assert await asyncio.gather(*map(https.post, bodies)) == bodies

    run(work, loop)


def test_a_slow_handshake_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HANDSHAKE_TIMEOUT", 0.05)

    async def work() -> None:
        async with served() as https, https.silent(1) as (reader,):
            async with asyncio.timeout(DEADLINE):
                assert await reader.read() == b""
            assert await https.post(b"next") == b"next"

    run(work, "uvloop")


def test_plain_http_is_reported_with_its_address(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        async with served() as https:
            reader, writer = await asyncio.open_connection("127.0.0.1", https.port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            async with asyncio.timeout(DEADLINE):
                await reader.read()
            writer.close()

    with caplog.at_level(logging.WARNING):
        run(work, "uvloop")
    assert "refused a plain http request from 127.0.0.1: this port speaks https" in caplog.text


def test_data_sent_with_the_handshake_is_not_lost() -> None:
    """The request in the same packet as the end of the handshake."""

    async def work() -> None:
        async with served() as https:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            client = https.trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
            reader, writer = await asyncio.open_connection("127.0.0.1", https.port)
            async with asyncio.timeout(DEADLINE):
                while True:
                    try:
                        client.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        writer.write(outgoing.read())
                        incoming.write(await reader.read(65_536))
                client.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nearly")
                writer.write(outgoing.read())  # Finished and the request at once
                answer = b""
                while not answer.endswith(b"early"):
                    incoming.write(await reader.read(65_536))
                    try:
                        answer += client.read(65_536)
                    except ssl.SSLWantReadError:
                        continue
            writer.transport.abort()

    for loop in ("uvloop", "asyncio"):
        run(work, loop)
