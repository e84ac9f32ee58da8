"""`POST /api/query` and `GET /api/events`: the protocol for those who only have HTTP."""

import asyncio
import time
from collections import Counter, defaultdict
from functools import partial
from typing import Annotated

import orjson
from aiohttp import web
from pydantic import Field

from db import journal
from webhook.http.authentication import Authenticator
from webhook.http.bodies import BodyReader
from webhook.http.connection import ConnectionLimits
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import FieldProblem, InvalidData, NotFound, RateLimited, SentinelError
from webhook.protocol.events import ALL, StoredEvent, Subscriber
from webhook.protocol.messages import (
    Answer,
    RateLimiter,
    answer_message,
    error_answer,
    read_message,
    to_sentinel_error,
)
from webhook.protocol.session import SessionSettings
from webhook.protocol.wire import WHOLE, Id, Request, validate

STATUS = {
    "bad-json": 400,
    "bad-message": 400,
    "unknown-type": 400,
    "invalid-data": 400,
    "forbidden": 403,
    "not-found": 404,
    "conflict": 409,
    "too-large": 413,
    "rate-limited": 429,
    "unavailable": 503,
    "internal": 500,
}

PAGE = 500
"""The most events of one answer to a long poll."""


class Poll(Request):
    """What to wait for: events after a number (absent: from now on), by name, for how long."""

    after: Id | None = None
    names: str = ALL
    wait: Annotated[float, Field(ge=0, le=55), WHOLE] = 0


class Api:
    def __init__(
        self,
        context: Context,
        catalogue: Catalogue,
        settings: SessionSettings,
        authenticator: Authenticator,
        limits: ConnectionLimits,
        bodies: BodyReader,
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._settings = settings
        self._authenticator = authenticator
        self._limits = limits
        self._bodies = bodies
        self._polls: Counter[str] = Counter()
        self._rate_limiters: defaultdict[str, RateLimiter] = defaultdict(
            lambda: RateLimiter(settings.messages_per_second)
        )
        self._is_closing = False
        self._timeouts: set[asyncio.Timeout] = set()

    def close(self) -> None:
        """Answer all long polls at once, and let none wait any more."""
        self._is_closing = True
        for timeout in self._timeouts:
            if not timeout.expired():
                timeout.reschedule(asyncio.get_running_loop().time())

    async def query(self, request: web.Request) -> web.Response:
        """Carry out one message and answer with its frame."""
        context = self._context.of(await self._authenticator.authenticate(request))
        try:
            self._rate_limiters[context.caller.name].take()
            message = read_message(await self._bodies.read(request, self._limits.frame_bytes))
        except SentinelError as error:
            return _response(error_answer(error))
        run = partial(self._catalogue.run, context)
        return _response(await answer_message(message, run, self._settings.metrics))

    async def events(self, request: web.Request) -> web.Response:
        """Answer with the events after a number, at once or when the first is published."""
        context = self._context.of(await self._authenticator.authenticate(request))
        name = context.caller.name
        self._polls[name] += 1
        try:
            most = self._limits.connections_per_client
            if self._polls[name] > most:
                raise RateLimited("rate limit exceeded: {most} polls at a time", most=most)
            context.caller.must(Scope.READ)
            poll = validate(Poll, dict(request.query))
            body = await self._wait_for_events(context, poll, self._read_names(poll.names))
        except Exception as exception:
            return _response(error_answer(to_sentinel_error(exception)))
        finally:
            self._polls[name] -= 1
        return web.Response(body=orjson.dumps(body), content_type="application/json")

    async def _wait_for_events(
        self, context: Context, poll: Poll, names: set[str]
    ) -> dict[str, object]:
        oldest, newest = await journal.bounds(context.read)
        after = newest if poll.after is None else min(poll.after, newest)
        has_gap = poll.after is not None and (poll.after > newest or poll.after + 1 < oldest)
        published = asyncio.Event()
        subscriber: Subscriber = lambda _: published.set()  # noqa: E731
        deadline = time.monotonic() + poll.wait
        for name in names:
            context.bus.subscribe(name, subscriber)
        try:
            while True:
                published.clear()
                events, after = await _matching_events(context, after, names)
                remaining = deadline - time.monotonic()
                if events or remaining <= 0 or self._is_closing:
                    return {"events": events, "last": after} | ({"missed": True} if has_gap else {})
                try:
                    async with asyncio.timeout(remaining) as timeout:
                        self._timeouts.add(timeout)
                        await published.wait()
                except TimeoutError:
                    deadline = 0.0
                finally:
                    self._timeouts.discard(timeout)
        finally:
            for name in names:
                context.bus.unsubscribe(name, subscriber)

    def _read_names(self, text: str) -> set[str]:
        names = {name.strip().removeprefix("events.") for name in text.split(",") if name.strip()}
        unknown = sorted(names - self._settings.event_names)
        if unknown:
            raise NotFound("unknown event {name!r}", name=unknown[0][:64])
        if not names:
            raise InvalidData(FieldProblem("names", "must have at least one event name"))
        return names


async def _matching_events(
    context: Context, after: int, names: set[str]
) -> tuple[list[dict[str, object]], int]:
    """Return a page of events of these names, and the number up to which the journal was read."""
    found: list[dict[str, object]] = []
    while entries := await journal.after(context.read, after, PAGE):
        for entry in entries:
            event = StoredEvent.from_journal(entry)
            if ALL in names or event.subscription_names & names:
                found.append({"type": f"events.{event.name}", "id": event.id, "data": event.data})
            after = entry.id
            if len(found) == PAGE:
                return found, after
    return found, after


def _response(answer: Answer) -> web.Response:
    status = 200 if answer.error is None else STATUS[answer.error.code]
    return web.Response(body=answer.frame, status=status, content_type="application/json")
