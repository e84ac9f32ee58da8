"""A connection's conversation: session, subscribe, unsubscribe, queries. Knows no socket."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from db import journal, subscriptions
from db.database import Transaction
from db.errors import StorageUnavailable
from webhook.protocol.bus import Subscriber
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Context, Scope
from webhook.protocol.errors import Conflict, Forbidden, NotFound, RateLimited
from webhook.protocol.events import ALL, StoredEvent
from webhook.protocol.messages import Incoming, Message, counted_answer
from webhook.protocol.metrics import Metrics
from webhook.protocol.rate_limit import RateLimiter
from webhook.protocol.wire import MAX_ID, Reply, StatusReply, UserId, Wire, validate

REPLAY_BATCH = 500
"""Journal rows read at once for a resumed session."""

REPLAY_BYTES = 1024 * 1024
"""Bytes sent to it before the next ones wait until these have gone out."""

MOST_CLIENTS = 1_000
"""Client ids of one token whose subscriptions are remembered."""

NAMELESS = ""
"""The client id of a session that was opened without one; nobody can resume it."""


class OpenSession(Wire):
    """Who the client is, and the last event that it has, if it resumes."""

    id: UserId
    last_event_id: Annotated[int, Field(ge=0, le=MAX_ID)] | None = None


class Subscription(Wire):
    """An event name, for this connection's session or, by name, for the client's."""

    id: str
    client_id: UserId | None = None


class CreatedWithGap(StatusReply):
    """A resumed session some of whose events the journal no longer holds."""

    missed: Literal[True] = True


@dataclass(frozen=True)
class SessionSettings:
    """What holds for every session: the event names there are, how much one may ask, who counts."""

    event_names: frozenset[str]
    messages_per_second: int = 200
    live_clients: Counter[str] = field(default_factory=Counter)
    metrics: Metrics = field(default_factory=Metrics)


class Session:
    """One connection. `send` takes a frame and never waits; `taken` waits until it has gone out."""

    def __init__(
        self,
        context: Context,
        catalogue: Catalogue,
        rules: SessionSettings,
        send: Callable[[bytes], None],
        taken: Callable[[], Awaitable[None]],
    ) -> None:
        self._context = context
        self._catalogue = catalogue
        self._rules = rules
        self._send = send
        self._taken = taken
        self._budget = RateLimiter(rules.messages_per_second)
        self._client: str | None = None
        self._subscriptions: set[str] = set()
        self._turn = asyncio.Lock()
        # While the journal is read for a resumed session, live events only raise `_newest`.
        self._replayed_to: int | None = None
        self._newest = 0
        self._last_sent = 0

    def count(self, incoming: Incoming) -> Incoming:
        """Count what came in, whatever it is; one too many becomes the error that answers it."""
        try:
            self._budget.take()
        except RateLimited as fault:
            return Incoming(fault, incoming.identifier)
        return incoming

    async def receive(self, incoming: Incoming) -> None:
        """Carry a message out and send its one answer, then what a resumed session has missed."""
        if isinstance(incoming.message, Message) and incoming.message.type in _INTERNAL:
            # These change the session itself, so they take turns.
            async with self._turn:
                await self._answer(incoming)
                await self._replay()
        else:
            await self._answer(incoming)

    def close(self) -> None:
        """End the conversation; what it had subscribed to is remembered for a resumed session."""
        for name in self._subscriptions:
            self._context.bus.unsubscribe(name, self._sink(name))
        self._subscriptions.clear()
        self._leave()

    async def _answer(self, incoming: Incoming) -> None:
        outcome = await counted_answer(incoming, self._carry_out, self._rules.metrics)
        self._send(outcome.frame)

    async def _carry_out(self, message: Message) -> Reply:
        internal = _INTERNAL.get(message.type)
        if internal is None:
            return await self._catalogue.carry_out(self._context, message)
        self._context.caller.must(Scope.READ)
        return await internal(self, message)

    async def _open(self, message: Message) -> StatusReply:
        ask = validate(OpenSession, message.data)
        self.close()
        self._enter(ask.id)
        key = self._key(ask.id)
        if ask.last_event_id is None:
            if self._rules.live_clients[key] == 1:
                async with self._context.database.write() as sql:
                    await subscriptions.remove_all(sql, key)
            return StatusReply(message="created")
        with suppress(StorageUnavailable):  # to resume, reading is enough
            async with self._context.database.write() as sql:
                await subscriptions.touch(sql, [key], self._context.now())
        oldest, newest = await journal.bounds(self._context.read)
        self._replayed_to = min(ask.last_event_id, newest)
        self._newest = 0
        for name in await subscriptions.of_client(self._context.read, key):
            self._listen(name)
        if ask.last_event_id + 1 < oldest or ask.last_event_id > newest:
            return CreatedWithGap(message="created")
        return StatusReply(message="created")

    async def _subscribe(self, message: Message) -> StatusReply:
        name, client = self._subscription(message)
        if client:
            async with self._context.database.write() as sql:
                await self._check_room(sql, self._key(client))
                await subscriptions.add(sql, self._key(client), name, self._context.now())
        self._listen(name)
        return StatusReply(message=f"Subscribed to events.{name}")

    async def _unsubscribe(self, message: Message) -> StatusReply:
        name, client = self._subscription(message)
        if client:
            async with self._context.database.write() as sql:
                await subscriptions.remove(sql, self._key(client), name)
        self._subscriptions.discard(name)
        self._context.bus.unsubscribe(name, self._sink(name))
        return StatusReply(message=f"Unsubscribed from events.{name}")

    async def _check_room(self, sql: Transaction, key: str) -> None:
        if await subscriptions.of_client(sql, key):
            return
        if await subscriptions.count_clients(sql, self._key(NAMELESS)) >= MOST_CLIENTS:
            raise Conflict(
                "this token has {most} clients with subscriptions, the most there may be:"
                " use the client id of one again, or unsubscribe it",
                most=MOST_CLIENTS,
            )

    def _subscription(self, message: Message) -> tuple[str, str]:
        """Return the event name and the client; opens a session where there is none."""
        ask = validate(Subscription, message.data)
        name = ask.id.removeprefix("events.")
        if name not in self._rules.event_names:
            raise NotFound("there is no event {name!r}", name=ask.id[:64])
        if self._client is None:
            self._enter(ask.client_id or NAMELESS)
        elif ask.client_id not in (None, self._client):
            raise Forbidden("this connection's session has another client id")
        return name, self._client or NAMELESS

    def _key(self, client: str) -> str:
        """Keep the client ids of different tokens apart: nobody resumes another's session."""
        return f"{self._context.caller.name}/{client}"

    def _enter(self, client: str) -> None:
        self._client = client
        self._rules.live_clients[self._key(client)] += 1

    def _leave(self) -> None:
        if self._client is not None:
            live, key = self._rules.live_clients, self._key(self._client)
            live[key] -= 1
            if not live[key]:
                del live[key]
        self._client = None

    def _listen(self, name: str) -> None:
        self._subscriptions.add(name)
        self._context.bus.subscribe(name, self._sink(name))

    def _sink(self, name: str) -> Subscriber:
        return self._hear_all if name == ALL else self._hear

    # Called for each of many subscribers, so nothing more is called from here.
    def _hear(self, event: StoredEvent) -> None:
        if self._replayed_to is None and event.id > self._last_sent:
            self._send(event.frame)
        else:
            self._newest = event.id

    def _hear_all(self, event: StoredEvent) -> None:
        if self._replayed_to is None and event.id > self._last_sent:
            self._send(event.frame_for_all)
        else:
            self._newest = event.id

    async def _replay(self) -> None:
        """Send what was missed, in journal order, until there is nothing left between it and now.

        The journal holds every event before it is published, so once a read finds nothing and no
        published event lies beyond it, the live ones follow without a gap.
        """
        while self._replayed_to is not None:
            entries = await journal.after(self._context.read, self._replayed_to, REPLAY_BATCH)
            on_the_way = 0
            for entry in entries:
                for frame in StoredEvent.from_journal(entry).frames(self._subscriptions):
                    self._send(frame)
                    on_the_way += len(frame)
                self._replayed_to = entry.id
                if on_the_way >= REPLAY_BYTES:
                    await self._taken()
                    on_the_way = 0
            await self._taken()
            if not entries and self._newest <= self._replayed_to:
                self._last_sent, self._replayed_to = self._replayed_to, None


_INTERNAL: dict[str, Callable[[Session, Message], Awaitable[Reply]]] = {
    "session": Session._open,
    "subscribe": Session._subscribe,
    "unsubscribe": Session._unsubscribe,
}

OWN_MESSAGES = frozenset(_INTERNAL)
"""The messages that are about the connection itself, by name."""
