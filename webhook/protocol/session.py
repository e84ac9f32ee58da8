"""A connection's session: opening and resuming it, subscriptions, queries. Knows no socket."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, Protocol

from db import journal, subscriptions
from db.database import Transaction
from db.errors import StorageUnavailable
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, Forbidden, NotFound, RateLimited
from webhook.protocol.events import ALL, StoredEvent, Subscriber
from webhook.protocol.messages import Answer, ClientMessage, RateLimiter, answer_message
from webhook.protocol.metrics import Metrics
from webhook.protocol.wire import Id, Reply, Request, StatusReply, UserId, validate

REPLAY_BATCH = 500
"""Journal rows that are read at once for a resumed session."""

REPLAY_BYTES = 1024 * 1024
"""Bytes that are replayed before the next wait until these have been sent."""

MAX_CLIENTS = 1_000
"""Client ids of one token whose subscriptions are remembered."""

NO_CLIENT_ID = ""
"""The client id of a session that was opened without one; nobody can resume it."""


class OpenSession(Request):
    """Who the client is, and the last event that it has, if it resumes."""

    id: UserId
    last_event_id: Id | None = None


class Subscription(Request):
    """An event name, for this connection's session or, by name, for the client's."""

    id: str
    client_id: UserId | None = None


class CreatedWithGap(StatusReply):
    """A resumed session some of whose events the journal no longer holds."""

    missed: Literal[True] = True


@dataclass(frozen=True)
class SessionSettings:
    """What all sessions share; `live_clients` counts the open sessions of each client id."""

    event_names: frozenset[str]
    messages_per_second: int = 200
    live_clients: Counter[str] = field(default_factory=Counter)
    metrics: Metrics = field(default_factory=Metrics)


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
        """Carry a message out and send its one answer; after `session`, also what was missed.

        `respond` sends the answer where it does not go the way of the events.
        """
        send = respond or self._send_answer
        change = _SESSION_MESSAGES.get(message.type)
        if change is None:
            await send(await answer_message(message, self._run_query, self._settings.metrics))
            return
        async with self._lock:  # the session itself changes: one message after the other
            run = partial(change, self)
            await send(await answer_message(message, run, self._settings.metrics))
            await self._replay()

    async def _send_answer(self, answer: Answer) -> None:
        await self._outgoing.send(answer.frame)

    def close(self) -> None:
        """End the session; its subscriptions are remembered for a client that resumes it."""
        for name in self._subscriptions:
            self._context.bus.unsubscribe(name, self._subscriber(name))
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
        self.close()
        self._set_client(request.id)
        key = self._key(request.id)
        if request.last_event_id is None:
            if self._settings.live_clients[key] == 1:
                async with self._context.database.write() as sql:
                    await subscriptions.remove_all(sql, key)
            return StatusReply(message="created")
        with suppress(StorageUnavailable):  # to resume, reading is enough
            async with self._context.database.write() as sql:
                await subscriptions.touch(sql, [key], self._context.now())
        oldest, newest = await journal.bounds(self._context.read)
        self._replayed_to = min(request.last_event_id, newest)
        self._newest = 0
        for name in await subscriptions.of_client(self._context.read, key):
            self._add_subscription(name)
        if request.last_event_id + 1 < oldest or request.last_event_id > newest:
            return CreatedWithGap(message="created")
        return StatusReply(message="created")

    async def _subscribe(self, message: ClientMessage) -> StatusReply:
        name, client = self._read_subscription(message)
        if client:
            async with self._context.database.write() as sql:
                await self._check_room(sql, self._key(client))
                await subscriptions.add(sql, self._key(client), name, self._context.now())
        self._add_subscription(name)
        return StatusReply(message=f"Subscribed to events.{name}")

    async def _unsubscribe(self, message: ClientMessage) -> StatusReply:
        name, client = self._read_subscription(message)
        if client:
            async with self._context.database.write() as sql:
                await subscriptions.remove(sql, self._key(client), name)
        self._subscriptions.discard(name)
        self._context.bus.unsubscribe(name, self._subscriber(name))
        return StatusReply(message=f"Unsubscribed from events.{name}")

    async def _answer_ping(self, _: ClientMessage) -> StatusReply:
        return StatusReply(message="pong")

    async def _check_room(self, sql: Transaction, key: str) -> None:
        if await subscriptions.of_client(sql, key):
            return
        if await subscriptions.count_clients(sql, self._key(NO_CLIENT_ID)) >= MAX_CLIENTS:
            raise Conflict(
                "this token already has {most} clients with subscriptions:"
                " reuse one of their client ids, or unsubscribe one",
                most=MAX_CLIENTS,
            )

    def _read_subscription(self, message: ClientMessage) -> tuple[str, str]:
        """Return the event name and the client id; opens a session where there is none."""
        self._context.caller.must(Scope.READ)
        request = validate(Subscription, message.data)
        name = request.id.removeprefix("events.")
        if name not in self._settings.event_names:
            raise NotFound("unknown event {name!r}", name=request.id[:64])
        if self._client is None:
            self._set_client(request.client_id or NO_CLIENT_ID)
        elif request.client_id not in (None, self._client):
            raise Forbidden("the session of this connection has another client id")
        return name, self._client or NO_CLIENT_ID

    def _key(self, client: str) -> str:
        """Keep the client ids of different tokens apart: nobody resumes another's session."""
        return f"{self._context.caller.name}/{client}"

    def _set_client(self, client: str) -> None:
        self._client = client
        self._settings.live_clients[self._key(client)] += 1

    def _add_subscription(self, name: str) -> None:
        self._subscriptions.add(name)
        self._context.bus.subscribe(name, self._subscriber(name))

    def _subscriber(self, name: str) -> Subscriber:
        return self._send_for_all if name == ALL else self._send_event

    def _send_event(self, event: StoredEvent) -> None:
        if self._is_next(event):
            self._outgoing.put(event.frame)

    def _send_for_all(self, event: StoredEvent) -> None:
        if self._is_next(event):
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
