"""`/api/query` and `/api/batch`: the protocol for those who only have HTTP."""

import asyncio
import logging
from collections import defaultdict
from functools import partial
from typing import Any

import orjson
from aiohttp import web

from webhook.http.authentication import Authenticator
from webhook.http.bodies import BodyReader
from webhook.http.connection import ConnectionLimits
from webhook.http.key_header import key_of, replayed_header
from webhook.http.push import Outcome, PushListener
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Caller, Context
from webhook.protocol.errors import (
    BadMessage,
    FieldProblem,
    InvalidData,
    SentinelError,
)
from webhook.protocol.event_age import AGE, AgeReader
from webhook.protocol.idempotency import RequestKey, run_query
from webhook.protocol.json_reader import parse_json
from webhook.protocol.messages import (
    Answer,
    ClientMessage,
    RateLimiter,
    answer_message,
    error_answer,
    read_document,
)
from webhook.protocol.session import SessionSettings
from webhook.protocol.wire import Reply

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

ALWAYS_200 = "X-Always-200"
"""A header, `1`: errors too have the status 200, as the game server hides the body of others."""

log = logging.getLogger(__name__)


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
        self._rate_limiters: defaultdict[str, RateLimiter] = defaultdict(
            lambda: RateLimiter(settings.messages_per_second)
        )

    async def query(self, request: web.Request) -> web.Response:
        """Carry out one message and answer with its frame."""
        caller = await self._authenticator.authenticate(request)
        try:
            self._rate_limiters[caller.name].take()
            message = self._catalogue.read(
                await self._bodies.read(request, self._limits.frame_bytes)
            )
        except SentinelError as error:
            return frame_response(request, error_answer(error))
        context = self._context.of(caller, self._ages.read(caller.name, request.headers.get(AGE)))
        run = partial(self._run, context, key_of(request), in_turn=False)
        async with self._settings.slots[caller.name]:
            answer = await answer_message(message, run, self._settings.metrics)
        return frame_response(request, answer)

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
            return frame_response(request, error_answer(error))
        await asyncio.sleep(wait)
        items = (self._answer_item(request, caller, item) for item in messages)
        async with self._settings.slots[caller.name]:
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
        message = self._catalogue.name_query(read_document(item))
        answer = await answer_message(message, run, self._settings.metrics)
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


def _messages_of(batch: object) -> list[Any]:
    """Return the items of a batch, which need not be valid messages.

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


def frame_response(request: web.Request, answer: Answer) -> web.Response:
    """Answer with a frame, and with its status unless the client wants 200 for every frame."""
    return web.Response(
        body=answer.frame,
        status=200 if _wants_200(request) else _status(answer),
        headers=replayed_header(is_replayed=answer.is_replayed),
        content_type="application/json",
    )


def _wants_200(request: web.Request) -> bool:
    header = request.headers.get(ALWAYS_200, "")
    return request.query.get("status") == "200" or header.lower() not in ("", "0", "false")


def _item(status: int, answer: bytes, *, is_replayed: bool) -> bytes:
    """Write the answer to one message of a batch."""
    return b'{"status":%d,"replayed":%b,%b}' % (status, orjson.dumps(is_replayed), answer)
