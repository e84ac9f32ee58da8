"""The event bus: the dialect of the protocol that its original web client speaks.

A bridge of Vert.x 4.2.4, inside SockJS: the client sends messages to addresses that begin with
`events.from.martians` and registers for those that begin with `events.to.martians`. What the
original answered otherwise than docs/protocol.md says is in this module alone.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, get_origin

import orjson

from webhook.http.connection import MAX_INVALID, PAUSE, MessageRunner
from webhook.http.sockjs_session import SockJsSession
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import BadJson, NotFound
from webhook.protocol.json_reader import parse_json
from webhook.protocol.messages import (
    IDENTIFIER,
    Answer,
    ClientMessage,
    read_document,
    read_message,
)
from webhook.protocol.session import (
    CLIENT_ID_NAMES,
    SESSION_MESSAGES,
    Session,
    SessionSettings,
)
from webhook.protocol.wire import Reply, parse_user_id

log = logging.getLogger(__name__)

PING_TIMEOUT = 10.0
"""Seconds without a message after which a connection is closed; the client pings every five."""

FROM_CLIENTS = "events.from.martians"
"""Where clients send `session`; afterwards each sends to `events.from.martians.<its id>`."""

TO_CLIENTS = "events.to.martians"
"""Where clients receive: each at `events.to.martians.<its id>`."""

ALL_TO_CLIENTS = "events.to."
"""The prefix of addresses to which clients may not send, unlike in the original."""

MAX_ADDRESS = 200
MAX_REPLY_ADDRESS = 36
MAX_ADDRESSES = 1_000
"""The longest addresses, in characters, and the most for which one connection is registered."""

ENVELOPE = b'{"type":"rec","address":%b,"body":%b}'

ANSWER_TYPES = {
    "add-property": "Property added",
    "add-equipment-property": "add-equipment",
    "change-property-coordinates": "change-property-location",
    "get-dispatched-drones": "dispatched-drones",
    "get-equipment-property": "get-equipment",
    "get-equipment-types": "equipment-types",
    "get-user-properties": "get-properties",
    "recall-drone": "recall-drone",
    "remove-equipment-property": "remove-equipment",
}
"""The types of answers that were not those of their queries."""

ONE_THING = frozenset({"get-property", "get-property-detailed", "get-user"})
"""Queries that were answered with nothing at all about a thing that does not exist."""

_ADDRESS = re.compile(r"events\..+", re.DOTALL)


class BusError(Exception):
    """The bridge rejects a frame; the text is the reason that the client gets."""


@dataclass(frozen=True, slots=True)
class AddressedMessage:
    """A message to an address; the body of an event is shared by all recipients."""

    address: str
    body: bytes

    def __len__(self) -> int:
        return len(ENVELOPE) + len(self.address) + len(self.body)

    def __bytes__(self) -> bytes:
        return ENVELOPE % (orjson.dumps(self.address), self.body)


class EmptyReply(Reply):
    """The answer of the original about something that does not exist."""

    fields: dict[str, Any]

    def dump(self) -> bytes:
        return orjson.dumps(self.fields)


class OriginalQueries:
    """The queries, with the empty answers of the original about things that do not exist."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.empty_answers = {
            kind: {} if query.name in ONE_THING else _empty_collections(query.reply)
            for query in catalogue.queries
            for kind in query.types
            if query.scope is Scope.READ
        }
        """The answers by message type."""

    async def run(self, context: Context, message: ClientMessage) -> Reply:
        try:
            return await self._catalogue.run(context, message)
        except NotFound:
            if message.type not in self.empty_answers:
                raise
            return EmptyReply(fields=self.empty_answers[message.type])


class EventBus:
    """The bridge; `serve` is one connection."""

    def __init__(self, context: Context, catalogue: Catalogue, settings: SessionSettings) -> None:
        self._context = context
        self._queries = OriginalQueries(catalogue)
        self._settings = settings

    async def serve(self, connection: SockJsSession) -> None:
        """Answer until the connection is closed or sends only invalid messages."""
        context = self._context.of(connection.caller)
        bridge = BusConnection(connection, context, self._queries, self._settings)
        try:
            await bridge.run()
        finally:
            bridge.close()


class BusConnection:
    """One connection: the addresses it is registered for, and the session behind it."""

    def __init__(
        self,
        connection: SockJsSession,
        context: Context,
        queries: OriginalQueries,
        settings: SessionSettings,
    ) -> None:
        self._connection = connection
        self._queries = queries
        self._session = Session(context, queries, settings, self)
        self._addresses: dict[str, str] = {}
        """Those for which the client is registered, as it wrote them, by what they stand for."""
        self.drain = connection.outgoing.drain

    def put(self, frame: bytes) -> None:
        """Send an event to the client's own address."""
        self._deliver(_own_address(self._session.client), frame)

    async def send(self, frame: bytes) -> None:
        self.put(frame)

    def close(self) -> None:
        self._session.close()

    async def run(self) -> None:
        """Answer until cancelled; return if the client sends too many invalid messages in a row.

        A client above the rate limit is slowed down instead of getting an error: the original's
        pages ask again after each answer, and stop for good at an error.
        """
        invalid_in_a_row = 0
        async with asyncio.TaskGroup() as group:
            runner = MessageRunner(group)
            async for text in self._connection:
                await self._session.wait_for_rate()
                try:
                    is_valid = await self._carry_out(text, runner)
                except BusError as reason:
                    self._connection.outgoing.put(
                        orjson.dumps({"type": "err", "body": str(reason)})
                    )
                    is_valid = False
                invalid_in_a_row = 0 if is_valid else invalid_in_a_row + 1
                if invalid_in_a_row == MAX_INVALID:
                    name = self._connection.caller.name
                    log.warning("closed an event bus of %s that sent only invalid messages", name)
                    return
                await asyncio.sleep(0 if is_valid else PAUSE)  # others have their turn

    async def _carry_out(self, text: str, runner: MessageRunner) -> bool:
        """Carry out a frame of the client; False: the message in it is invalid.

        Raises:
            BusError: the frame is.
        """
        frame = _read_frame(text)
        kind, address = frame.get("type"), frame.get("address")
        if not isinstance(kind, str):
            raise BusError("missing_type")
        if kind == "ping":
            return True
        if not isinstance(address, str):
            raise BusError("missing_address")
        match kind:
            case "send" | "publish":
                return await self._send(address, frame, runner)
            case "register":
                self._register(address)
            case "unregister":
                self._addresses.pop(_stored_address(address), None)
            case _:
                raise BusError("invalid_type")
        return True

    def _register(self, address: str) -> None:
        if len(self._addresses) >= MAX_ADDRESSES:
            raise BusError("max_handlers_reached")
        if len(address) > MAX_ADDRESS:
            raise BusError("max_address_length_reached")
        stored = _stored_address(address)
        if not _ADDRESS.fullmatch(address) or self._is_of_another(stored):
            raise BusError("access_denied")
        if stored in self._addresses:
            raise BusError("address_already_registered")
        self._addresses[stored] = address

    def _is_of_another(self, address: str) -> bool:
        """Return whether an address is another client's; before `session`, the first is its own."""
        if not address.startswith(f"{TO_CLIENTS}."):
            return False
        if self._session.client:
            return address != _own_address(self._session.client)
        return any(
            other.startswith(f"{TO_CLIENTS}.") for other in self._addresses.keys() - {address}
        )

    async def _send(self, address: str, frame: dict[str, Any], runner: MessageRunner) -> bool:
        """Carry out a message to an address; messages to unknown addresses are dropped."""
        reply_address = frame.get("replyAddress") or ""
        if not isinstance(reply_address, str) or len(reply_address) > MAX_REPLY_ADDRESS:
            raise BusError("invalid_reply_address")
        client = self._session.client
        if not _ADDRESS.fullmatch(address) or address.startswith(ALL_TO_CLIENTS):
            raise BusError("access_denied")
        is_public = address == FROM_CLIENTS
        if not is_public:
            if client is None or not address.startswith(f"{FROM_CLIENTS}."):
                return True
            if _stored_address(address) != f"{FROM_CLIENTS}.{client}":
                raise BusError("access_denied")
        body = frame.get("body")
        message = read_message(body) if isinstance(body, str) else read_document(body)
        message = message._replace(answer_type=ANSWER_TYPES.get(message.name))
        handle = partial(self._handle, is_public)
        if message.type in SESSION_MESSAGES:
            await handle(message)  # what follows may be for the address that it opens
        else:
            await runner.run(message, handle)
        return message.error is None

    async def _handle(self, is_public: bool, message: ClientMessage) -> None:
        async def respond(answer: Answer) -> None:
            address = _answer_address(message, self._session.client, is_public)
            self._deliver(address, answer.frame)
            is_awaited = message.identifier is not None and message.type not in SESSION_MESSAGES
            if answer.error is not None and is_awaited:
                self._deliver(address, self._failure(message, answer.error.message))

        await self._session.handle(message, respond)

    def _failure(self, message: ClientMessage, text: str) -> bytes:
        """Return what follows a query's error: the original client shows that, but goes on waiting.

        It has the type of the query's answer, and `success` is false.
        """
        data = {"success": False, "message": text, IDENTIFIER: message.identifier}
        data |= self._queries.empty_answers.get(message.type, {})
        return orjson.dumps({"type": message.answer_type or message.name, "data": data})

    def _deliver(self, address: str, body: bytes) -> None:
        """Send a body to an address, if the client is registered for it."""
        if written := self._addresses.get(address):
            self._connection.outgoing.put(AddressedMessage(written, body))


def _read_frame(text: str) -> dict[str, Any]:
    try:
        document = parse_json(text)
    except BadJson:
        raise BusError("invalid_json") from None
    if not isinstance(document, dict):
        raise BusError("invalid_json")
    return document


def _stored_address(address: str) -> str:
    """Return an address with the client id in it, if there is one, in its stored form."""
    for shared in (FROM_CLIENTS, TO_CLIENTS):
        if address.startswith(f"{shared}."):
            return f"{shared}.{parse_user_id(address.removeprefix(f'{shared}.'))}"
    return address


def _own_address(client: str | None) -> str:
    return f"{TO_CLIENTS}.{client}" if client else TO_CLIENTS


def _answer_address(message: ClientMessage, client: str | None, is_public: bool) -> str:
    """Return where an answer goes; that of `session` goes to the address of its client id."""
    if message.type == "session":
        given = (message.data.get(name) for name in CLIENT_ID_NAMES)
        asked = parse_user_id(next((value for value in given if value is not None), None))
        return _own_address(asked if isinstance(asked, str) else None)
    return TO_CLIENTS if is_public else _own_address(client)


def _empty_collections(reply: type[Reply]) -> dict[str, Any]:
    """Return the lists and objects of an answer, with nothing in them."""
    collections = {
        field.serialization_alias or field.alias or name: get_origin(field.annotation)
        for name, field in reply.model_fields.items()
    }
    return {name: kind() for name, kind in collections.items() if kind in (list, dict)}
