"""The message protocol: one frame in, exactly one frame out (docs/protocol.md).

{"type": "<name>", "data": {…, "requestIdentifier": "…"}}
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import orjson

from db.errors import StorageUnavailable
from webhook.protocol.errors import (
    BadMessage,
    FieldProblem,
    InvalidData,
    RateLimited,
    SentinelError,
    Unavailable,
)
from webhook.protocol.json_reader import parse_json
from webhook.protocol.metrics import Metrics
from webhook.protocol.wire import Reply, StatusReply

QUERIES = "queries."
"""The prefix of every query's message type."""

IDENTIFIER = "requestIdentifier"
IDENTIFIER_LENGTH = 128
SHOWN_TYPE_LENGTH = 64

LONGEST_WAIT = 2.0
"""Seconds that a batch waits for the rate limit; the game server gives up after five."""

log = logging.getLogger(__name__)


Identifier = str | int | float
"""By which a client matches answers: the text or number that it sent."""


class ClientMessage(NamedTuple):
    """A message as it was received, its identifier taken out of the data.

    `error` is the answer to a message that cannot be carried out. `answer_type` replaces the usual
    type of the answer. `echo_on_top`: the identifier was beside the data, so the answer has it
    there too. `query`: the type of the query without aliases.
    """

    type: str
    data: dict[str, Any]
    identifier: Identifier | None = None
    error: SentinelError | None = None
    answer_type: str | None = None
    echo_on_top: bool = False
    query: str = ""

    @property
    def name(self) -> str:
        """The type without the prefix of queries, as answers carry it."""
        return self.type.removeprefix(QUERIES)


NO_MESSAGE = ClientMessage("", {})
"""Stands for the message when an error comes before one could be read."""


class Answer(NamedTuple):
    """The one answer to a message, ready to send; `error` is None if it was carried out.

    `is_replayed`: an earlier message with the same key was carried out, and this is its answer.
    """

    frame: bytes
    error: SentinelError | None = None
    is_replayed: bool = False


class StoredReply(Reply):
    """The answer to a message as it is stored under its key: the frame without an identifier."""

    frame: str
    is_replayed: bool

    @property
    def type(self) -> str:
        kind: str = orjson.loads(self.frame)["type"]
        return kind

    def dump(self) -> bytes:
        return orjson.dumps(orjson.loads(self.frame)["data"])


def read_message(raw: bytes | str) -> ClientMessage:
    """Read a frame; never raises, because every frame is owed an answer."""
    try:
        document = parse_json(raw)
    except SentinelError as error:
        return ClientMessage("", {}, error=error)
    return read_document(document)


def read_document(document: object) -> ClientMessage:
    """Read a message that is already parsed; never raises."""
    if not isinstance(document, dict):
        return ClientMessage("", {}, error=BadMessage("a message must be a JSON object"))
    data = document.get("data")
    beside = document.get(IDENTIFIER)
    within = data.pop(IDENTIFIER, None) if isinstance(data, dict) else None
    identifier = beside if within is None else within
    message = ClientMessage("", {}, identifier, echo_on_top=beside is not None)
    if not _is_identifier(identifier):
        problem = "must be a number or a string of at most {most} characters"
        invalid = InvalidData(FieldProblem(IDENTIFIER, problem, most=IDENTIFIER_LENGTH))
        message = message._replace(identifier=_shorten(identifier), error=invalid)
    try:
        return message._replace(type=_read_type(document), data=_read_data(document))
    except BadMessage as error:
        return message._replace(error=error)


def _is_identifier(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return value is None or (isinstance(value, Identifier) and len(str(value)) <= IDENTIFIER_LENGTH)


def _shorten(identifier: object) -> str:
    """Return the text by which a rejected identifier is echoed."""
    text = identifier if isinstance(identifier, str) else orjson.dumps(identifier).decode()
    return text[:IDENTIFIER_LENGTH]


def _read_type(document: dict[str, Any]) -> str:
    """Return a message's type, without the footnote marks that the protocol's page printed."""
    kind = document.get("type")
    if not isinstance(kind, str):
        raise BadMessage("the type of a message must be a string")
    return kind.strip().rstrip("*")


def _read_data(document: dict[str, Any]) -> dict[str, Any]:
    """Return a message's data; Lua writes an empty table as an empty array."""
    data = document.get("data")
    if data is None or data == []:
        return {}
    if not isinstance(data, dict):
        raise BadMessage("the data of a message must be an object")
    return data


async def answer_message(
    message: ClientMessage, run: Callable[[ClientMessage], Awaitable[Reply]], metrics: Metrics
) -> Answer:
    """Carry out a message, map what goes wrong to an error, and count it.

    The one way from a message to its answer, for the websocket and for HTTP.
    """
    started = time.perf_counter()
    if message.error is not None:
        answer = error_answer(message.error, message)
    else:
        try:
            reply = await run(message)
            frame = _frame(_type_of_answer(message, reply), reply.dump(), message)
            is_replayed = isinstance(reply, StoredReply) and reply.is_replayed
            answer = Answer(frame, is_replayed=is_replayed)
        except Exception as exception:
            answer = error_answer(to_sentinel_error(exception), message)
    outcome = "ok" if answer.error is None else answer.error.code
    metrics.count_query(message.name, outcome, time.perf_counter() - started)
    return answer


def storable_answer(message: ClientMessage, reply: Reply) -> str:
    """Return what `StoredReply` holds of the answer to a message."""
    return _frame(_type_of_answer(message, reply), reply.dump(), NO_MESSAGE).decode()


def _type_of_answer(message: ClientMessage, reply: Reply) -> str:
    if message.answer_type is not None:
        return message.answer_type
    if isinstance(reply, StoredReply):
        return reply.type
    return "status" if isinstance(reply, StatusReply) else message.name


def error_answer(error: SentinelError, message: ClientMessage = NO_MESSAGE) -> Answer:
    data: dict[str, Any] = {"code": error.code, "error": error.message, "message": error.message}
    if isinstance(error, InvalidData):
        data["fields"] = [{"field": f.field, "problem": f.problem} for f in error.fields]
    return Answer(_frame("error", orjson.dumps(data), message), error)


def to_sentinel_error(exception: Exception) -> SentinelError:
    """Map any exception to an error of the protocol; log unexpected ones."""
    if isinstance(exception, SentinelError):
        return exception
    if isinstance(exception, StorageUnavailable):
        log.warning("storage is unavailable: %s", exception)
        return Unavailable("storage is unavailable, try again later")
    log.error("a message could not be answered", exc_info=exception)
    return SentinelError("internal error, see the log")


def _frame(name: str, data: bytes, message: ClientMessage) -> bytes:
    """Put a frame around data that is a JSON object already; the identifier is its last member.

    `query` beside the data says which query is answered, as the type of a status or error does not.
    """
    identifier, beside = b"", b""
    if message.identifier is not None:
        identifier = b'"%b":%b' % (IDENTIFIER.encode(), orjson.dumps(message.identifier))
        data = b"%b%b%b}" % (data[:-1], b"" if data == b"{}" else b",", identifier)
    if message.query:
        beside += b'"query":"%b",' % message.query.encode()
    if message.echo_on_top and identifier:
        beside += identifier + b","
    return b'{"type":"%b",%b"data":%b}' % (name.encode(), beside, data)


class RateLimiter:
    """A token bucket: a steady rate, and bursts of twice that."""

    def __init__(self, per_second: int) -> None:
        self._rate = per_second
        self._tokens = self._most_tokens = float(2 * per_second)
        self._refilled_at = time.monotonic()

    def take(self) -> None:
        """Count one message.

        Raises:
            RateLimited: there were too many.
        """
        self._refill()
        if self._tokens < 1:
            raise RateLimited("rate limit exceeded: {rate} messages a second", rate=self._rate)
        self._tokens -= 1

    def reserve(self, count: int) -> float:
        """Count several messages at once; return after how many seconds they may be carried out.

        More than a burst are taken too, and those that come after them wait for it.

        Raises:
            RateLimited: that would be too long.
        """
        self._refill()
        wait = (min(count, self._most_tokens) - self._tokens) / self._rate
        if wait > LONGEST_WAIT:
            raise RateLimited("rate limit exceeded: {rate} messages a second", rate=self._rate)
        self._tokens -= count
        return max(0.0, wait)

    async def wait(self) -> None:
        """Count one message, and wait until it is within the rate."""
        self._refill()
        self._tokens -= 1
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._rate)

    def _refill(self) -> None:
        now = time.monotonic()
        refill = (now - self._refilled_at) * self._rate
        self._tokens = min(self._most_tokens, self._tokens + refill)
        self._refilled_at = now
