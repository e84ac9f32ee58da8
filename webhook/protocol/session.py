"""A connection's session: opening and resuming it, subscriptions, queries. Knows no socket."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Literal, Protocol

from pydantic import AliasChoices, Field

from db import journal, subscriptions
from db.database import Transaction
from db.errors import StorageUnavailable
from webhook.protocol.bus import StoredEvent, Subscriber
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, Forbidden, NotFound, RateLimited
from webhook.protocol.events import ALL, ALL_WITH_CAD, is_event_name, read_event_name
from webhook.protocol.messages import Answer, ClientMessage, RateLimiter, answer_message
from webhook.protocol.metrics import Metrics
from webhook.protocol.wire import TEXT, Flag, Id, Reply, Request, StatusReply, UserId, validate

REPLAY_BATCH = 500
"""Journal rows that are read at once for a resumed session."""

REPLAY_BYTES = 1024 * 1024
"""Bytes that are replayed before the next wait until these have been sent."""

MAX_CLIENTS = 1_000
"""Client ids of one token whose subscriptions are remembered."""

MAX_UNDECLARED = 100
"""The most unknown push types of the CAD to which one session may subscribe."""

AT_A_TIME = 64
"""Messages of one client that are carried out at the same time, over all its connections."""

_EVERYTHING = frozenset({ALL, ALL_WITH_CAD})

NO_CLIENT_ID = ""
"""The client id of a session that was opened without one; nobody can resume it."""


CLIENT_ID_NAMES = ("id", "clientId", "userId")
"""The names under which clients say who they are when they open a session."""


class OpenSession(Request):
    """Who the client is, and the last event that it has, if it resumes.

    `fresh`: without the subscriptions that are remembered.
    """

    id: Annotated[UserId, Field(validation_alias=AliasChoices(*CLIENT_ID_NAMES))]
    last_event_id: Id | None = None
    fresh: Flag = False


class OfSubscription(Request):
    """An event name, for this connection's session or, by name, for the client's."""

    id: Annotated[str, Field(validation_alias=AliasChoices("id", "event")), TEXT]
    client_id: Annotated[UserId | None, Field(alias="clientId")] = None

    @property
    def name(self) -> str:
        """The event's name without its prefix."""
        return read_event_name(self.id)


class NewSubscription(OfSubscription):
    """What to subscribe to; `cad`: with every event, also those of the CAD."""

    cad: Flag = False


class CreatedWithGap(StatusReply):
    """A resumed session some of whose events the journal no longer holds."""

    missed: Literal[True] = True


def _slots() -> defaultdict[str, asyncio.Semaphore]:
    return defaultdict(lambda: asyncio.Semaphore(AT_A_TIME))


@dataclass(frozen=True)
class SessionSettings:
    """What all sessions share; `live_clients` counts the open sessions of each client id.

    `slots`, by the caller's name: whoever asks too much waits for itself, and nobody for it.
    """

    event_names: frozenset[str]
    messages_per_second: int = 200
    live_clients: Counter[str] = field(default_factory=Counter)
    metrics: Metrics = field(default_factory=Metrics)
    slots: defaultdict[str, asyncio.Semaphore] = field(default_factory=_slots)


class QueryRunner(Protocol):
    """What carries queries out: a catalogue."""

    async def run(self, context: Context, message: ClientMessage) -> Reply:
        """Carry a query out.

        Raises:
            SentinelError: it cannot be carried out.
        """


class Outgoing(Protocol):
    """The way of frames to the client."""

    def put(self, frame: bytes) -> None:
        """Queue a frame; never waits, never raises."""

    async def send(self, frame: bytes) -> None:
        """Send a frame, after those that are queued."""

    async def drain(self) -> None:
        """Wait until few frames are left to send."""


Responder = Callable[[Answer], Awaitable[None]]
"""Sends an answer to the client."""


class Session:
    """The session of one connection."""

    def __init__(
        self,
        context: Context,
        catalogue: QueryRunner,
        settings: SessionSettings,
        outgoing: Outgoing,
    ) -> None:
        self._context = context
        self._run_query = partial(catalogue.run, context)
        self._settings = settings
        self._outgoing = outgoing
        self._rate_limiter = RateLimiter(settings.messages_per_second)
        self._slots = settings.slots[context.caller.name]
        self._client: str | None = None
        self._subscriptions: set[str] = set()
        self._lock = asyncio.Lock()
        # While missed events are replayed, live ones only raise `_newest`.
        self._replayed_to: int | None = None
        self._newest = 0
        self._last_sent = 0

    def limit_rate(self, message: ClientMessage) -> ClientMessage:
        """Count a message, whatever it is; one too many becomes the error that answers it."""
        try:
            self._rate_limiter.take()
        except RateLimited as error:
            return message._replace(error=error)
        return message

    @property
    def client(self) -> str | None:
        """The client id that it was opened with; None while it is not open."""
        return self._client

    async def wait_for_rate(self) -> None:
        """Count a message, and wait until it is within the rate limit."""
        await self._rate_limiter.wait()

    async def handle(self, message: ClientMessage, respond: Responder | None = None) -> None:
        """Carry a message out and send its one answer; after `session`, also missed events.

        `respond` sends the answer where it does not go the way of the events.
        """
        send = respond or self._send_answer
        change = _SESSION_MESSAGES.get(message.type)
        if change is None:
            await send(await self._answer(message, self._run_query))
            return
        async with self._lock:  # the session itself changes: one message after the other
            await send(await self._answer(message, partial(change, self)))
            await self._replay()

    async def _answer(
        self, message: ClientMessage, run: Callable[[ClientMessage], Awaitable[Reply]]
    ) -> Answer:
        async with self._slots:
            await asyncio.sleep(0)  # some answers wait for nothing: others have their turn
            return await answer_message(message, run, self._settings.metrics)

    async def _send_answer(self, answer: Answer) -> None:
        await self._outgoing.send(answer.frame)

    def close(self) -> None:
        """End the session; its subscriptions are remembered for a client that resumes it."""
        for name in self._subscriptions:
            self._context.bus.unsubscribe(*self._subscriber(name))
        self._subscriptions.clear()
        if self._client is not None:
            live, key = self._settings.live_clients, self._key(self._client)
            live[key] -= 1
            if not live[key]:
                del live[key]
        self._client = None

    async def _open(self, message: ClientMessage) -> StatusReply:
        self._context.caller.must(Scope.READ)
        request = validate(OpenSession, message.data)
        if request.fresh:
            await self._start_anew(request.id)
        elif request.last_event_id is not None:
            return await self._resume(request.id, request.last_event_id)
        elif request.id != self._client:
            self._enter(request.id, await self._remembered(request.id))
        return StatusReply(message="created")

    async def _start_anew(self, client: str) -> None:
        """Open a session without subscriptions; those of other connections with its id stay."""
        self._enter(client, set())
        key = self._key(client)
        if self._settings.live_clients[key] == 1:
            async with self._context.database.write() as sql:
                await subscriptions.remove_all(sql, key)

    async def _resume(self, client: str, last_event_id: int) -> StatusReply:
        """Open a session and have the events replayed that were missed."""
        names = await self._remembered(client)
        oldest, newest = await journal.bounds(self._context.read)
        self._replayed_to = min(last_event_id, newest)
        self._newest = 0
        self._enter(client, names)
        if last_event_id + 1 < oldest or last_event_id > newest:
            return CreatedWithGap(message="created")
        return StatusReply(message="created")

    async def _remembered(self, client: str) -> set[str]:
        """Return a client's subscriptions, with those made here before the first session."""
        key = self._key(client)
        made_here = self._subscriptions.copy() if self._client == NO_CLIENT_ID else set()
        try:
            async with self._context.database.write() as sql:
                if made_here:
                    await self._make_room(sql, key)
                for name in made_here:
                    await subscriptions.add(sql, key, name, self._context.now())
                await subscriptions.touch(sql, [key], self._context.now())
        except StorageUnavailable:
            if made_here:
                raise  # without any, reading is enough
        return made_here.union(await subscriptions.of_client(self._context.read, key))

    def _enter(self, client: str, names: set[str]) -> None:
        """Give the connection a client id and these subscriptions, without a gap between."""
        self.close()
        self._client = client
        self._settings.live_clients[self._key(client)] += 1
        for name in names:
            self._add_subscription(name)

    async def _subscribe(self, message: ClientMessage) -> StatusReply:
        self._context.caller.must(Scope.READ)
        request = validate(NewSubscription, message.data)
        name = ALL_WITH_CAD if request.name == ALL and request.cad else request.name
        if client := self._client_of(request):
            async with self._context.database.write() as sql:
                await self._make_room(sql, self._key(client))
                await subscriptions.add(sql, self._key(client), name, self._context.now())
        self._add_subscription(name)
        return StatusReply(message=f"Subscribed to events.{request.name}")

    async def _unsubscribe(self, message: ClientMessage) -> StatusReply:
        self._context.caller.must(Scope.READ)
        request = validate(OfSubscription, message.data)
        names = _EVERYTHING if request.name == ALL else {request.name}
        if client := self._client_of(request):
            async with self._context.database.write() as sql:
                for name in names:
                    await subscriptions.remove(sql, self._key(client), name)
        for name in names:
            self._subscriptions.discard(name)
            self._context.bus.unsubscribe(*self._subscriber(name))
        return StatusReply(message=f"Unsubscribed from events.{request.name}")

    async def _answer_ping(self, _: ClientMessage) -> StatusReply:
        return StatusReply(message="pong")

    async def _make_room(self, sql: Transaction, key: str) -> None:
        """Forget the client that is away for the longest if there are too many, for a new one.

        Pages may choose another client id each time they are loaded.

        Raises:
            Conflict: all of them are connected.
        """
        if await subscriptions.of_client(sql, key):
            return
        own = self._key(NO_CLIENT_ID)
        if await subscriptions.count_clients(sql, own) < MAX_CLIENTS:
            return
        gone = await subscriptions.longest_away(sql, own, self._settings.live_clients)
        if gone is None:
            raise Conflict(
                "this token already has {most} clients with subscriptions:"
                " reuse one of their client ids, or unsubscribe one",
                most=MAX_CLIENTS,
            )
        await subscriptions.remove_all(sql, gone)

    def _client_of(self, request: OfSubscription) -> str:
        """Return the client id of a subscription; opens a session where there is none.

        Raises:
            NotFound: there is no such event.
            Forbidden: the session has another client id.
        """
        declared, name = self._settings.event_names, request.name
        if not is_event_name(name, declared):
            raise NotFound("unknown event {name!r}", name=request.id[:64])
        if len(self._subscriptions - declared) >= MAX_UNDECLARED and name not in declared:
            raise Conflict("too many subscriptions to unknown push types; use events.cad")
        if self._client is None:
            self._enter(request.client_id or NO_CLIENT_ID, set())
        elif request.client_id not in (None, self._client):
            raise Forbidden("the session of this connection has another client id")
        return self._client or NO_CLIENT_ID

    def _key(self, client: str) -> str:
        """Keep the client ids of different tokens apart: nobody resumes another's session."""
        return f"{self._context.caller.name}/{client}"

    def _add_subscription(self, name: str) -> None:
        self._subscriptions.add(name)
        self._context.bus.subscribe(*self._subscriber(name))

    def _subscriber(self, name: str) -> tuple[str, Subscriber]:
        """Return under which name the bus has a subscription, and who receives its events."""
        return (ALL, self._send_for_all) if name in _EVERYTHING else (name, self._send_event)

    def _send_event(self, event: StoredEvent) -> None:
        if self._is_next(event):
            self._outgoing.put(event.frame)

    def _send_for_all(self, event: StoredEvent) -> None:
        if event.is_in_all(self._subscriptions) and self._is_next(event):
            self._outgoing.put(event.frame_for_all)

    def _is_next(self, event: StoredEvent) -> bool:
        """Return whether a live event is sent now; while missed ones are replayed, it waits."""
        if self._replayed_to is None and event.id > self._last_sent:
            return True
        self._newest = event.id
        return False

    async def _replay(self) -> None:
        """Send the missed events in journal order until nothing is left before the live ones.

        The journal holds every event before it is published. So once a read finds nothing and no
        published event lies beyond it, the live ones follow without a gap.
        """
        while self._replayed_to is not None:
            entries = await journal.after(self._context.read, self._replayed_to, REPLAY_BATCH)
            sent = 0
            for entry in entries:
                for frame in StoredEvent.from_journal(entry).frames_for(self._subscriptions):
                    self._outgoing.put(frame)
                    sent += len(frame)
                self._replayed_to = entry.id
                if sent >= REPLAY_BYTES:
                    await self._outgoing.drain()
                    sent = 0
            await self._outgoing.drain()
            if not entries and self._newest <= self._replayed_to:
                self._last_sent, self._replayed_to = self._replayed_to, None


_SESSION_MESSAGES: dict[str, Callable[[Session, ClientMessage], Awaitable[Reply]]] = {
    "session": Session._open,
    "subscribe": Session._subscribe,
    "unsubscribe": Session._unsubscribe,
    "ping": Session._answer_ping,
}

SESSION_MESSAGES = frozenset(_SESSION_MESSAGES)
"""The types of the messages about the connection itself."""
