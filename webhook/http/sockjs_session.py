"""A SockJS session: the messages from and to its client, over any transport.

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

from webhook.http.connection import CLOSE_TIMEOUT, SendQueue, WaitingBytes
from webhook.protocol.context import Caller
from webhook.protocol.metrics import Metrics

log = logging.getLogger(__name__)

HEARTBEAT = 25.0
"""Seconds between two heartbeats to a client that receives nothing else."""

DISCONNECT_DELAY = 5.0
"""Seconds that a session lives while no request waits for its frames."""

FRAME_BYTES = 64 * 1024
"""Bytes of messages that are put into one frame; a longer message has a frame of its own."""

WAITING_TEXT = 64 * 1024
"""Characters of a client's messages that may wait to be carried out before more are read."""

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
    ends when it returns, after `max_silence` seconds without a message, and when too many
    bytes wait for the client.
    """

    def __init__(
        self,
        caller: Caller,
        waiting: WaitingBytes,
        max_silence: float,
        metrics: Metrics,
        serve: Callable[["SockJsSession"], Awaitable[None]],
    ) -> None:
        self.caller = caller
        self.outgoing = SendQueue[Text](waiting, self._drop_slow_client)
        self.is_closed = False
        self.turn = asyncio.Lock()
        """Held by the request whose messages come next."""
        self._loop = asyncio.get_running_loop()
        self._texts: deque[str] = deque()
        self._has_texts = asyncio.Event()
        self._texts_size = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_busy = False
        self._is_opened = False
        self._next_beat = self._loop.time() + HEARTBEAT
        self._receiver: web.Request | None = None
        self._removal: asyncio.TimerHandle | None = None
        self._max_silence = max_silence
        self._metrics = metrics
        self._last_sign = self._loop.time()
        self._silence = self._loop.call_later(max_silence, self._check_silence)
        self._task = asyncio.create_task(self._run(serve), name="sockjs-session")

    def close(self) -> None:
        """End the session; a client that reads within a moment gets the frame that closes it."""
        if self.is_closed:
            return
        self.is_closed = True
        self.outgoing.close()
        self._texts.clear()
        self._has_room.set()
        self._silence.cancel()
        self._task.cancel()
        if self._receiver is not None:
            self._loop.call_later(CLOSE_TIMEOUT, self._abort, self._receiver)

    async def receive(self, texts: list[str]) -> None:
        """Take messages of the client, once few of those before them are left."""
        await self.wait_for_room()
        if texts and not self.is_closed:
            self._texts.extend(texts)
            self._texts_size += sum(map(len, texts))
            self._has_texts.set()
            if self._texts_size > WAITING_TEXT:
                self._has_room.clear()

    async def wait_for_room(self) -> None:
        """Wait until few messages of the client are left to carry out, or the session ends."""
        await self._has_room.wait()

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            await self._has_texts.wait()
            self._is_busy = True
            while self._texts:
                self._last_sign = self._loop.time()
                text = self._texts.popleft()
                yield text
                self._texts_size -= len(text)
                if self._texts_size <= WAITING_TEXT:
                    self._has_room.set()
            self._is_busy = False
            self._has_texts.clear()

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
        if self._is_busy:  # perhaps nothing is read meanwhile: this is a sign of life as well
            self._last_sign = self._loop.time()

    async def _run(self, serve: Callable[["SockJsSession"], Awaitable[None]]) -> None:
        try:
            await serve(self)
        except Exception:
            log.warning("an event bus connection of %s failed", self.caller.name, exc_info=True)
        finally:
            self.close()

    def _drop_slow_client(self) -> None:
        self._metrics.too_slow.inc()
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
