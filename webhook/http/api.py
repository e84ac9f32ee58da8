"""`/api/query`, `/api/batch` and `/api/events`: the protocol for those who only have HTTP."""

import asyncio
import logging
import time
from collections import Counter, defaultdict
from functools import partial
from typing import Annotated, Any

import orjson
from aiohttp import web
from pydantic import Field

from db import journal
from webhook.http.authentication import Authenticator
from webhook.http.bodies import BodyReader
from webhook.http.connection import ConnectionLimits
from webhook.http.key_header import key_of, replayed_header
from webhook.http.push import Outcome, PushListener
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Caller, Context, Scope
from webhook.protocol.errors import (
    BadMessage,
    FieldProblem,
    InvalidData,
    NotFound,
    RateLimited,
    SentinelError,
)
from webhook.protocol.event_age import AGE, AgeReader
from webhook.protocol.events import ALL, StoredEvent, Subscriber
from webhook.protocol.idempotency import RequestKey, run_query
from webhook.protocol.messages import (
    Answer,
    ClientMessage,
    RateLimiter,
    answer_message,
    error_answer,
    read_document,
    read_message,
    to_sentinel_error,
)
from webhook.protocol.session import SessionSettings
from webhook.protocol.wire import WHOLE, Id, Reply, Request, parse_json, validate

STATUS = {
    "bad-json": 400,
    "bad-message": 400,
    "unknown-type": 400,
    "invalid-data": 400,
    "forbidden": 403,
    "not-found": 404,
    "conflict": 409,
    "too-large": 413,
    "key-reused": 422,
    "rate-limited": 429,
    "unavailable": 503,
    "internal": 500,
}

MAX_BATCH = 100
"""The most messages of a batch."""

BATCH_BYTES = 4 * 1024 * 1024
"""The longest batch."""

BATCH_VALUES = 200_000
"""The most commas and brackets of a batch, those in the texts of its pushes too."""

PAGE = 500
"""The most events of one answer to a long poll."""

log = logging.getLogger(__name__)


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
        pushes: PushListener,
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._settings = settings
        self._authenticator = authenticator
        self._limits = limits
        self._bodies = bodies
        self._pushes = pushes
        self._ages = AgeReader()
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
        caller = await self._authenticator.authenticate(request)
        try:
            self._rate_limiters[caller.name].take()
            message = read_message(await self._bodies.read(request, self._limits.frame_bytes))
        except SentinelError as error:
            return _response(error_answer(error))
        context = self._context.of(caller, self._ages.read(caller.name, request.headers.get(AGE)))
        run = partial(self._run, context, key_of(request), in_turn=False)
        return _response(await answer_message(message, run, self._settings.metrics))

    async def batch(self, request: web.Request) -> web.Response:
        """Carry out messages in order, in one commit, and answer each.

        Each opens its transaction before anything else, and transactions take turns; so each sees
        what those before it have changed.
        """
        caller = await self._authenticator.authenticate(request)
        try:
            text = await self._bodies.read(request, BATCH_BYTES)
            messages = _messages_of(parse_json(text, max_values=BATCH_VALUES))
            wait = self._rate_limiters[caller.name].reserve(len(messages))
        except SentinelError as error:
            return _response(error_answer(error))
        await asyncio.sleep(wait)
        items = (self._answer_item(request, caller, item) for item in messages)
        answers = b",".join(await asyncio.gather(*items))
        return web.Response(body=b'{"answers":[%b]}' % answers, content_type="application/json")

    async def _answer_item(self, request: web.Request, caller: Caller, item: object) -> bytes:
        given = item if isinstance(item, dict) else {}
        key, age, push = given.get("key"), given.get("age"), given.get("push")
        if push is not None:
            outcome = await self._store_push(request, push, key, age)
            text = b'"text":%b' % orjson.dumps(outcome.text)
            return _item(outcome.status, text, is_replayed=outcome.is_replayed)
        context = self._context.of(caller, self._ages.read(caller.name, age))
        run = partial(self._run, context, key, in_turn=True)
        answer = await answer_message(read_document(item), run, self._settings.metrics)
        return _item(_status(answer), b'"frame":%b' % answer.frame, is_replayed=answer.is_replayed)

    async def _store_push(
        self, request: web.Request, push: object, key: object, age: object
    ) -> Outcome:
        try:
            return await self._pushes.store_from_batch(request, push, key, age)
        except Exception:  # the others of the batch are answered all the same
            log.exception("a push of a batch could not be stored")
            return Outcome(500, "Internal Error", "internal")

    async def _run(
        self, context: Context, given_key: object, message: ClientMessage, *, in_turn: bool
    ) -> Reply:
        asked = [message.type, message.data]
        key = RequestKey.of(f"client:{context.caller.name}", given_key, asked)
        if self._catalogue.only_reads(message):
            key = None
        if key is None and not in_turn:
            return await self._catalogue.run(context, message)
        return await run_query(self._catalogue, context, key, message)

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


def _messages_of(batch: object) -> list[Any]:
    """Return what a batch consists of; each is read by itself, as one may be no message at all.

    Raises:
        BadMessage: it is no batch.
        InvalidData: there are too many.
    """
    messages = batch.get("messages") if isinstance(batch, dict) else None
    if not isinstance(messages, list):
        raise BadMessage("a batch must be an object with a list of messages")
    if len(messages) > MAX_BATCH:
        raise InvalidData(
            FieldProblem("messages", "must be at most {most} messages", most=MAX_BATCH)
        )
    return messages


def _status(answer: Answer) -> int:
    return 200 if answer.error is None else STATUS[answer.error.code]


def _response(answer: Answer) -> web.Response:
    return web.Response(
        body=answer.frame,
        status=_status(answer),
        headers=replayed_header(is_replayed=answer.is_replayed),
        content_type="application/json",
    )


def _item(status: int, answer: bytes, *, is_replayed: bool) -> bytes:
    """Write the answer to one message of a batch."""
    return b'{"status":%d,"replayed":%b,%b}' % (status, orjson.dumps(is_replayed), answer)
