"""A SockJS connection: what waits for its client and what that sent, over whichever transport.

Frames to the client: `o` opens, `a["…"]` holds messages, `h` is a heartbeat, `c[code,"reason"]`
closes.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from aiohttp import web

from webhook.http.connection import CLOSE_TIMEOUT, SendQueue
from webhook.protocol.context import Caller

log = logging.getLogger(__name__)

HEARTBEAT = 25.0
"""Seconds between two heartbeats to a client that receives nothing else."""

DISCONNECT_DELAY = 5.0
"""Seconds that a session lives while no request waits for its frames."""

FRAME_BYTES = 64 * 1024
"""Bytes of messages that are put into one frame; a longer message has a frame of its own."""

OPEN = b"o"
BEAT = b"h"
GO_AWAY = b'c[3000,"Go away!"]'


class Text(Protocol):
    """A message to the client; its bytes are only put together when it is sent."""

    def __len__(self) -> int: ...
    def __bytes__(self) -> bytes: ...


class SockJsSession:
    """The session of one connection.

    `serve` iterates over the messages of the client and puts its own into `outgoing`. The session
    ends when it returns, after `max_silence` seconds without a message, and when more than
    `max_bytes` wait for the client.
    """

    def __init__(
        self,
        caller: Caller,
        max_bytes: int,
        max_silence: float,
        serve: Callable[["SockJsSession"], Awaitable[None]],
    ) -> None:
        self.caller = caller
        self.outgoing = SendQueue[Text](max_bytes, self._drop_slow_client)
        self.is_too_slow = False
        self.is_closed = False
        self.turn = asyncio.Lock()
        """Held by the request whose messages come next."""
        self._loop = asyncio.get_running_loop()
        self._texts: deque[str] = deque()
        self._has_texts = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()
        self._is_opened = False
        self._next_beat = self._loop.time() + HEARTBEAT
        self._receiver: web.Request | None = None
        self._removal: asyncio.TimerHandle | None = None
        self._max_silence = max_silence
        self._last_sign = self._loop.time()
        self._silence = self._loop.call_later(max_silence, self._check_silence)
        self._task = asyncio.create_task(self._run(serve), name="sockjs-session")

    def close(self) -> None:
        """End the session, and tell the client to go away, if it takes that within a moment."""
        if self.is_closed:
            return
        self.is_closed = True
        self.outgoing.close()
        self._texts.clear()
        self._is_idle.set()
        self._silence.cancel()
        self._task.cancel()
        if self._receiver is not None:
            self._loop.call_later(CLOSE_TIMEOUT, self._abort, self._receiver)

    async def receive(self, texts: list[str]) -> None:
        """Take messages of the client, once those before them have been carried out."""
        await self.wait_until_idle()
        if texts and not self.is_closed:
            self._texts.extend(texts)
            self._is_idle.clear()
            self._has_texts.set()

    async def wait_until_idle(self) -> None:
        """Wait until all messages of the client have been carried out, or the session ends."""
        await self._is_idle.wait()

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            await self._has_texts.wait()
            while self._texts:
                self._last_sign = self._loop.time()
                yield self._texts.popleft()
            self._has_texts.clear()
            self._is_idle.set()

    def attach(self, request: web.Request) -> bool:
        """Let a request receive the frames; False: another one does."""
        if self._receiver is not None:
            return False
        self._receiver = request
        if self._removal is not None:
            self._removal.cancel()
        return True

    def detach(self, remove: Callable[[], None]) -> None:
        """Let the request go; unless another one comes in time, call `remove`."""
        self._receiver = None
        self._removal = self._loop.call_later(DISCONNECT_DELAY, remove)

    async def send_frames(self, send: Callable[[bytes], Awaitable[bool]]) -> None:
        """Send frames until the session ends or `send` returns that the receiver takes no more.

        A message stays until `send` has returned, so that none is lost with a broken connection.
        """
        takes_more = True
        if not self._is_opened:
            takes_more = await send(OPEN)
            self._is_opened = True
        while takes_more:
            messages = await self.next_messages(FRAME_BYTES)
            if self.is_closed:
                await send(GO_AWAY)
                return
            takes_more = await send(_messages_frame(messages) if messages else BEAT)
            self.confirm(len(messages))

    async def next_messages(self, max_bytes: int) -> list[Text]:
        """Wait for messages to the client; there are none when a heartbeat is due."""
        try:
            async with asyncio.timeout_at(self._next_beat):
                await self.outgoing.wait()
        except TimeoutError:
            self._next_beat = self._loop.time() + HEARTBEAT
        return self.outgoing.oldest(max_bytes)

    def confirm(self, count: int) -> None:
        """Forget messages that have been sent."""
        self.outgoing.remove(count)
        if not self._is_idle.is_set():  # nothing is read meanwhile: this is the sign of life
            self._last_sign = self._loop.time()

    async def _run(self, serve: Callable[["SockJsSession"], Awaitable[None]]) -> None:
        try:
            await serve(self)
        except Exception:
            log.warning("an event bus connection of %s failed", self.caller.name, exc_info=True)
        finally:
            self.close()

    def _drop_slow_client(self) -> None:
        self.is_too_slow = True
        self.close()

    def _check_silence(self) -> None:
        left = self._last_sign + self._max_silence - self._loop.time()
        if left > 0:
            self._silence = self._loop.call_later(left, self._check_silence)
        else:
            self.close()

    def _abort(self, request: web.Request) -> None:
        """Break the connection of a client that does not take its last frame."""
        if self._receiver is request and request.transport is not None:
            request.transport.abort()


def _messages_frame(messages: list[Text]) -> bytes:
    """Put messages into a frame; all that is not ASCII is escaped, as some proxies break it."""
    texts = (json.dumps(bytes(message).decode()) for message in messages)
    return f"a[{','.join(texts)}]".encode()
