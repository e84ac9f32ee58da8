"""What an operation works with: storage, the caller, and the one way to change something."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import tzinfo
from enum import IntEnum
from typing import Literal

import orjson

from db import audit, journal, properties
from db.database import Database, Reader, Transaction
from db.journal import Audience
from webhook.protocol.audit_actions import AuditAction
from webhook.protocol.bus import Bus, StoredEvent
from webhook.protocol.errors import Forbidden
from webhook.protocol.events import BaseEvent, Event, Subject
from webhook.protocol.postals import Postal
from webhook.protocol.wire import ExternalData


class Scope(IntEnum):
    """What a caller may do; each includes those before it. NONE: only what concerns their own."""

    NONE = 0
    READ = 1
    WRITE = 2
    APPROVE = 3
    ADMIN = 4


class Share(IntEnum):
    """What a person is at a property; each includes those before it."""

    NONE = 0
    ALLOWED = 1
    """On its list of allowed users."""
    OWNER = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls an operation; the audit log records the `name`.

    `user_ids`: the ids by which the game may know a person, the surest first; a program has none.
    """

    name: str
    scope: Scope
    user_ids: tuple[str, ...] = ()

    @property
    def is_person(self) -> bool:
        """Whether it is a member of the Discord server, not a program."""
        return bool(self.user_ids)

    @property
    def member_id(self) -> int | None:
        """The Discord id of a member; None for a program."""
        kind, _colon, number = self.name.partition(":")
        return int(number) if kind == "discord" else None

    def must_be_member(self) -> int:
        """Return the Discord id of a member.

        Raises:
            Forbidden: the caller is a program.
        """
        if self.member_id is None:
            raise Forbidden("only members of the Discord server can do this")
        return self.member_id

    def is_one_of(self, *ids: str | None) -> bool:
        """Return whether one of these ids, of the audit log or of the game, is the caller's."""
        return any(own in ids for own in (self.name, *self.user_ids))

    def must(self, scope: Scope) -> None:
        """Require a scope.

        Raises:
            Forbidden: the caller does not have it.
        """
        if self.scope < scope:
            # Programs are configured as read, write or admin; the last may approve.
            needed = "admin" if scope > Scope.WRITE else scope.name.lower()
            raise Forbidden("this needs the scope {needed}", scope.name, needed=needed)


def now() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Change:
    """An open write transaction; its events are journalled with it and published after it.

    `received`: when the message arrived; order and timeouts go by it. `happened`: when the reported
    thing happened, which is what people see. Both in milliseconds since 1970; they differ if the
    game server had to queue the message.
    """

    sql: Transaction
    bus: Bus
    caller: Caller
    received: int
    happened: int

    @property
    def age(self) -> int:
        """How many milliseconds after it happened the message was received."""
        return self.received - self.happened

    async def emit(self, event: Event, *about: Subject) -> int:
        """Journal an event about these subjects and return its number; publish it on commit."""
        if (number := event.property_number) is not None:
            external = (await properties.externals_of(self.sql, [number])).get(number)
            if external is not None:
                data = ExternalData(**external._asdict())
                event = event.model_copy(update={"external": data})
        return await self.emit_named(event.name, event.dump(), *about)

    async def emit_named(self, name: str, data: bytes, *about: Subject) -> int:
        """Do the same for an event whose data is already JSON."""
        subjects = _json([str(subject) for subject in about])
        number = await journal.append(
            self.sql, self.received, name, subjects, data.decode(), age=self.age
        )
        event = StoredEvent(number, self.received, name, about, data, self.age)
        self.sql.after_commit(lambda: self.bus.publish(event))
        return number

    async def note(self, event: BaseEvent, *about: Subject) -> None:
        """Journal an event for Discord only: scripts neither receive it nor can ask for it.

        On commit it is handed to those in this program who subscribed to it by its name.
        """
        data, subjects = event.dump(), _json([str(subject) for subject in about])
        number = await journal.append(
            self.sql,
            self.received,
            event.name,
            subjects,
            data.decode(),
            audience=Audience.DISCORD,
        )
        stored = StoredEvent(number, self.received, event.name, about, data)
        self.sql.after_commit(lambda: self.bus.publish_internal(stored))

    async def audit(
        self,
        action: AuditAction,
        about: Subject,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
    ) -> None:
        """Record in the audit log what the caller changed: only what differs, as JSON values."""
        by, subject = self.caller.name, str(about)
        before_text, after_text = _json(dict(before or {})), _json(dict(after or {}))
        await audit.append(self.sql, self.received, by, action, subject, before_text, after_text)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """How people decide on new properties and requested removals; programs decide alone.

    `own`: whether somebody may approve what they own or asked for. `approvers`: how many must
    approve. `restore_hours`: for how long a removed property can be restored.
    """

    own: bool = False
    approvers: int = 1
    restore_hours: int = 72


@dataclass(frozen=True, slots=True)
class ExternalRules:
    """What scripts may do without an approval to properties that have an external id.

    `active`: a property that they add is active at once. `remove`: one whose removal they request
    is removed at once.
    """

    active: bool = False
    remove: bool = False


@dataclass(frozen=True, slots=True)
class PoliceRules:
    """When an alarm places a 911 call in the CAD by itself.

    `at`: with the first alert, when it escalates to the dispatchers or to the supervisors, or
    never. `tiers`: only at properties of these; empty: at all. `postals`: those of the map, where
    they are known.
    """

    at: Literal["never", "alert", "dispatchers", "supervisors"] = "never"
    tiers: frozenset[int] = frozenset()
    postals: tuple[Postal, ...] = ()


@dataclass(frozen=True)
class Context:
    """Everything an operation needs; one per caller.

    `age`: how many milliseconds ago the reported thing happened. `transaction`: an open one that
    reads and changes take part in; None: each change opens its own.
    """

    database: Database
    bus: Bus
    caller: Caller
    zone: tzinfo
    now: Callable[[], int] = now
    approvals: ApprovalRules = ApprovalRules()
    external: ExternalRules = ExternalRules()
    police: PoliceRules = PoliceRules()
    age: int = 0
    transaction: Transaction | None = None

    def of(self, caller: Caller, age: int = 0) -> "Context":
        return replace(self, caller=caller, age=age)

    def joining(self, transaction: Transaction) -> "Context":
        """Return the context with all its reads and changes in an open transaction."""
        return replace(self, transaction=transaction)

    @property
    def read(self) -> Reader:
        return self.transaction or self.database.read

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """Open the one write transaction: all of the block and its events take effect, or nothing.

        Raises:
            StorageUnavailable: storage cannot be written at present.
        """
        async with self._transaction() as sql:
            received = self.now()
            yield Change(sql, self.bus, self.caller, received, received - self.age)

    def _transaction(self) -> AbstractAsyncContextManager[Transaction]:
        if self.transaction is not None:
            return nullcontext(self.transaction)
        return self.database.write()
