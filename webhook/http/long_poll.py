"""`GET /api/events`: events for those who only have HTTP, as soon as there are some."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import Field

from db import journal
from db.journal import Entry
from webhook.http.api import frame_response
from webhook.http.authentication import Authenticator
from webhook.http.connection import ConnectionLimits
from webhook.protocol.bus import Bus, StoredEvent, Subscriber
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import FieldProblem, InvalidData, NotFound, RateLimited
from webhook.protocol.events import ALL, is_event_name, read_event_name
from webhook.protocol.messages import RateLimiter, error_answer, to_sentinel_error
from webhook.protocol.session import SessionSettings
from webhook.protocol.wire import WHOLE, Id, Request, validate

PAGE = 500
"""The most events of one answer."""

MAX_PAGES = 100
"""Pages of the journal that are read for one answer; that takes half a second."""

SILENCE = 3.0
"""Seconds after which a waiting client is sent a space, which JSON allows before its first brace.

The game server gives a request up that has brought no byte of a body for five seconds.
"""

# Proxies must pass each space on at once, and browsers must not answer from their cache.
HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


class Poll(Request):
    """What to wait for: events after a number (absent: from now on), by name, for how long."""

    after: Id | None = None
    names: str = ALL
    wait: Annotated[float, Field(ge=0, le=55), WHOLE] = 0


class JournalReader:
    """Reads events of some names from the journal, page by page.

    `turn`: who holds it reads; old events of rare names take long to find, and others need the
    event loop too. `has_gap`: events after the number from which it reads are no longer stored.
    `is_behind`: so many have other names that it has not come to the newest.
    """

    def __init__(
        self, context: Context, turn: asyncio.Lock, names: set[str], after: int, *, has_gap: bool
    ) -> None:
        self._context = context
        self._turn = turn
        self._names = names
        self._after = after
        self._has_gap = has_gap
        self.is_behind = False

    @classmethod
    async def start(
        cls, context: Context, turn: asyncio.Lock, names: set[str], after: int | None
    ) -> "JournalReader":
        """Read after a number, or only new events."""
        oldest, newest = await journal.bounds(context.read)
        if after is None:
            return cls(context, turn, names, newest, has_gap=False)
        has_gap = after > newest or after + 1 < oldest
        return cls(context, turn, names, min(after, newest), has_gap=has_gap)

    async def read(self) -> list[dict[str, Any]]:
        """Return the next events, at most a page of them."""
        found: list[dict[str, Any]] = []
        for _ in range(MAX_PAGES):
            async with self._turn:
                entries = await journal.after(self._context.read, self._after, PAGE)
                self._take(entries, found)
            if not entries or len(found) == PAGE:
                return found
        self.is_behind = True
        return found

    def _take(self, entries: list[Entry], found: list[dict[str, Any]]) -> None:
        """Add the events of a page that have the right names, until there are enough."""
        for entry in entries:
            event = StoredEvent.from_journal(entry)
            if ALL in self._names or event.subscription_names & self._names:
                name = f"events.{event.name}"
                found.append({"type": name, "id": event.id, "data": event.data})
            self._after = entry.id
            if len(found) == PAGE:
                return

    def answer(self, events: list[dict[str, Any]]) -> bytes:
        """Return the answer's body; it says up to which number the journal was read."""
        answer = {"events": events, "last": self._after}
        return orjson.dumps(answer | {"missed": True} if self._has_gap else answer)


class LongPoll:
    """The handler of `GET /api/events`."""

    def __init__(
        self,
        context: Context,
        settings: SessionSettings,
        authenticator: Authenticator,
        limits: ConnectionLimits,
    ) -> None:
        self._context = context
        self._settings = settings
        self._authenticator = authenticator
        self._most = limits.connections_per_client
        self._polls: Counter[str] = Counter()
        self._turn = asyncio.Lock()
        self._rate_limiters = defaultdict[str, RateLimiter](
            lambda: RateLimiter(settings.messages_per_second)
        )
        self._waiting: set[asyncio.Event] = set()
        self._is_closing = False

    def close(self) -> None:
        """Answer all polls at once, and let none wait any more."""
        self._is_closing = True
        for published in self._waiting:
            published.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer with the events after a number, at once or when the first is published."""
        context = self._context.of(await self._authenticator.authenticate(request))
        name = context.caller.name
        self._polls[name] += 1
        try:
            return await self._answer(request, context)
        finally:
            self._polls[name] -= 1

    async def _answer(self, request: web.Request, context: Context) -> web.StreamResponse:
        try:
            if self._polls[context.caller.name] > self._most:
                raise RateLimited("rate limit exceeded: {most} polls at a time", most=self._most)
            self._rate_limiters[context.caller.name].take()
            context.caller.must(Scope.READ)
            given = dict(request.query)
            if "names" in given:  # some clients write a list as a parameter for each item
                given["names"] = ",".join(request.query.getall("names"))
            poll = validate(Poll, given)
            names = self._read_names(poll.names)
            reader = await JournalReader.start(context, self._turn, names, poll.after)
            with self._published(context.bus, names) as published:
                events = await reader.read()
                is_due = events or reader.is_behind or not poll.wait or self._is_closing
                if is_due or request.method == "HEAD":
                    return web.Response(body=reader.answer(events), headers=HEADERS)
                return await self._wait(request, reader, published, poll.wait)
        except ConnectionError:  # the client hung up
            raise
        except Exception as exception:
            return frame_response(request, error_answer(to_sentinel_error(exception)))

    async def _wait(
        self, request: web.Request, reader: JournalReader, published: asyncio.Event, seconds: float
    ) -> web.StreamResponse:
        """Send spaces until there are events, the wait is over, or the program ends."""
        deadline = time.monotonic() + seconds
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(b" ")
        events: list[dict[str, Any]] = []
        while not (events or reader.is_behind or self._is_closing):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            try:
                async with asyncio.timeout(min(SILENCE, remaining)):
                    await published.wait()
            except TimeoutError:
                await response.write(b" ")
                continue
            published.clear()
            try:
                events = await reader.read()
            except Exception as exception:
                to_sentinel_error(exception)  # logged; the next poll gets the error
                break
        await response.write_eof(reader.answer(events))
        return response

    @contextmanager
    def _published(self, bus: Bus, names: set[str]) -> Iterator[asyncio.Event]:
        """Yield what is set when one of these events is published, and at shutdown."""
        published = asyncio.Event()
        subscriber: Subscriber = lambda _: published.set()  # noqa: E731
        self._waiting.add(published)
        for name in names:
            bus.subscribe(name, subscriber)
        try:
            yield published
        finally:
            for name in names:
                bus.unsubscribe(name, subscriber)
            self._waiting.discard(published)

    def _read_names(self, text: str) -> set[str]:
        names = {read_event_name(name) for name in text.split(",") if name.strip()}
        unknown = sorted(
            name for name in names if not is_event_name(name, self._settings.event_names)
        )
        if unknown:
            raise NotFound("unknown event {name!r}", name=unknown[0][:64])
        if not names:
            raise InvalidData(FieldProblem("names", "must have at least one event name"))
        return names
