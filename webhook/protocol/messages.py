"""The message protocol: a frame in, exactly one frame out (docs/protocol.md).

{"type": "<name>", "data": {…, "requestIdentifier": "…"}}
"""

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
    SentinelError,
    Unavailable,
)
from webhook.protocol.metrics import Metrics
from webhook.protocol.wire import Reply, StatusReply, parse_json

QUERIES = "queries."
"""How the type of every query begins."""

IDENTIFIER = "requestIdentifier"
IDENTIFIER_LENGTH = 128
SHOWN_TYPE_LENGTH = 64

log = logging.getLogger(__name__)


class Message(NamedTuple):
    """A message as it came, its identifier taken out."""

    type: str
    data: dict[str, Any]


class Answer(NamedTuple):
    """The one answer to a message, ready to be sent; `error` is None if it was carried out."""

    frame: bytes
    error: SentinelError | None = None


class Incoming(NamedTuple):
    """What came in: a message or what is wrong with it, and the identifier for its answer."""

    message: Message | SentinelError
    identifier: str | None


def read(raw: bytes | str) -> Incoming:
    """Read what came in; never raises, as the asker is owed an answer in any case."""
    identifier: str | None = None
    try:
        document = parse_json(raw)
        identifier = take_identifier(document)
        return Incoming(_message(document), identifier)
    except SentinelError as fault:
        return Incoming(fault, identifier)


async def answer(incoming: Incoming, carry_out: Callable[[Message], Awaitable[Reply]]) -> Answer:
    """Have a message carried out and make its one answer, whatever happens."""
    message, identifier = incoming
    if isinstance(message, SentinelError):
        return error_answer(message, identifier)
    try:
        reply = await carry_out(message)
    except Exception as fault:
        return error_answer(as_error(fault), identifier)
    name = "status" if isinstance(reply, StatusReply) else _name(message)
    return Answer(_frame(name, reply.dump(), identifier))


async def counted_answer(
    incoming: Incoming, carry_out: Callable[[Message], Awaitable[Reply]], metrics: Metrics
) -> Answer:
    """Do as `answer` does, and count the message by its name and what became of it."""
    began = time.perf_counter()
    outcome = await answer(incoming, carry_out)
    message = incoming.message
    name = _name(message) if isinstance(message, Message) else ""
    code = outcome.error.code if outcome.error is not None else "ok"
    metrics.count_query(name, code, time.perf_counter() - began)
    return outcome


def error_answer(error: SentinelError, identifier: str | None = None) -> Answer:
    """Make the answer that says what is wrong."""
    data: dict[str, Any] = {"code": error.code, "error": error.message, "message": error.message}
    if isinstance(error, InvalidData):
        data["fields"] = [{"field": f.field, "problem": f.problem} for f in error.fields]
    return Answer(_frame("error", orjson.dumps(data), identifier), error)


def as_error(fault: Exception) -> SentinelError:
    """Say what went wrong in the words of the protocol; the unforeseen goes to the log."""
    if isinstance(fault, SentinelError):
        return fault
    if isinstance(fault, StorageUnavailable):
        log.warning("storage cannot be used: %s", fault)
        return Unavailable("storage cannot be used right now, try again later")
    log.error("a message failed", exc_info=fault)
    return SentinelError("something went wrong here, the log says what")


def take_identifier(document: object) -> str | None:
    """Take the identifier, which the answer will carry, out of a message's data.

    Raises:
        InvalidData: it is not a string of 1 to 128 characters.
    """
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or IDENTIFIER not in data:
        return None
    identifier = data.pop(IDENTIFIER)
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= IDENTIFIER_LENGTH:
        problem = f"a string of 1 to {IDENTIFIER_LENGTH} characters"
        raise InvalidData(FieldProblem(IDENTIFIER, problem))
    return identifier


def _message(document: object) -> Message:
    if not isinstance(document, dict):
        raise BadMessage("a message is a JSON object")
    kind = document.get("type")
    if not isinstance(kind, str):
        raise BadMessage("a message has a type, which is a string")
    data = document.get("data")
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise BadMessage("the data of a message is an object")
    return Message(kind, data)


def _name(message: Message) -> str:
    return message.type.removeprefix(QUERIES)


def _frame(name: str, data: bytes, identifier: str | None) -> bytes:
    """Put a frame around data that is a JSON object already; the identifier is its last member."""
    if identifier is not None:
        members = data[:-1] + b"," if data != b"{}" else b"{"
        data = b'%b"%b":%b}' % (members, IDENTIFIER.encode(), orjson.dumps(identifier))
    return b'{"type":"%b","data":%b}' % (name.encode(), data)
