"""A TCP proxy between the game server and the bot that loses and delays answers."""

import asyncio
import threading
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Self

LATE = 6.0
"""Seconds: longer than FXServer waits for an answer."""


@dataclass(frozen=True)
class Losses:
    """The share of the answers that are lost, or late; the bot has carried all of them out."""

    lost: float = 0.05
    late: float = 0.01


class LossyProxy:
    """Listens on a port of its own, in a thread of its own. `counts` says what was done."""

    def __init__(self, target: int, random: Random, losses: Losses) -> None:
        self._target = target
        self._random = random
        self._losses = losses
        self.counts: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._is_closing = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        """Let every task end by itself: cancelled while it connects, it leaves its sockets open."""
        self._server.close()
        self._is_closing.set()
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            bot_reader, bot_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        is_asked = asyncio.Event()

        async def ask() -> None:
            while data := await reader.read(65536):
                is_asked.set()
                bot_writer.write(data)
                await bot_writer.drain()

        async def answer() -> None:
            while data := await bot_reader.read(65536):
                if is_asked.is_set():  # the first part of an answer
                    is_asked.clear()
                    if not await self._lets_through():
                        return
                writer.write(data)
                await writer.drain()

        tasks = [asyncio.ensure_future(each) for each in (ask(), answer(), self._is_closing.wait())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.transport.abort()
        bot_writer.transport.abort()

    async def _lets_through(self) -> bool:
        chance = self._random.random()
        if chance < self._losses.lost:
            self.counts["lost"] += 1
            return False
        if chance < self._losses.lost + self._losses.late:
            self.counts["late"] += 1
            await asyncio.sleep(LATE)
        else:
            self.counts["answered"] += 1
        return True
