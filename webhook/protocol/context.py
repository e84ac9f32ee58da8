"""What an operation works with: storage, who asks, and the one way to change something."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from zoneinfo import ZoneInfo

import orjson

from db import audit, journal
from db.database import Database, Reader, Transaction
from db.journal import Audience
from webhook.protocol.bus import Bus
from webhook.protocol.errors import Forbidden
from webhook.protocol.events import Event, StoredEvent, Subject, SystemEvent


class Scope(IntEnum):
    """What a caller may do; each includes those before it. NONE: only with what is their own."""

    NONE = 0
    READ = 1
    WRITE = 2
    APPROVE = 3
    ADMIN = 4


class Share(IntEnum):
    """How far a property is somebody's own; each includes those before it."""

    NONE = 0
    ALLOWED = 1
    """They are on its list of allowed users."""
    OWNER = 2


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: `name` stands in the records, `scope` says what they may do.

    `user_ids`: which game user a person is, the surest id first; a program is none.
    """

    name: str
    scope: Scope
    user_ids: tuple[str, ...] = ()

    @property
    def is_person(self) -> bool:
        """Whether it is somebody in Discord, not a program."""
        return bool(self.user_ids)

    def is_one_of(self, *ids: str | None) -> bool:
        """Tell whether one of these ids, of records or of the game, means the caller."""
        return any(known in ids for known in (self.name, *self.user_ids))

    def must(self, scope: Scope) -> None:
        """Refuse a caller whose scope does not reach.

        Raises:
            Forbidden: it does not.
        """
        if self.scope < scope:
            # Programs are configured as read, write or admin; the last may approve.
            needed = "admin" if scope > Scope.WRITE else scope.name.lower()
            raise Forbidden("this needs the scope {needed}", scope.name, needed=needed)


def now() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Change:
    """An open write transaction; what it emits is journalled with it and told after it."""

    def __init__(self, sql: Transaction, bus: Bus, caller: Caller, now: int) -> None:
        self.sql = sql
        self.now = now
        self.caller = caller
        self._bus = bus

    async def emit(self, event: Event, *about: Subject) -> int:
        """Journal an event about these subjects; it is published once the change is on disk."""
        return await self.emit_named(event.name, event.dump(), *about)

    async def note(self, event: SystemEvent) -> None:
        """Journal an event for Discord alone: scripts neither hear of it nor can ask for it."""
        await journal.append(
            self.sql,
            self.now,
            event.name,
            "[]",
            event.dump().decode(),
            audience=Audience.DISCORD,
        )

    async def emit_named(self, name: str, data: bytes, *about: Subject) -> int:
        """Journal an event whose data is already JSON and return its number."""
        subjects = [str(subject) for subject in about]
        number = await journal.append(
            self.sql, self.now, name, orjson.dumps(subjects).decode(), data.decode()
        )
        event = StoredEvent(number, self.now, name, subjects, data)
        self.sql.after_commit(lambda: self._bus.publish(event))
        return number

    async def audit(
        self,
        action: str,
        about: Subject,
        *,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
    ) -> None:
        """Put what the caller changed into the audit log: only what differs, in JSON's types."""
        was, is_now = (orjson.dumps(dict(state or {})).decode() for state in (before, after))
        await audit.append(self.sql, self.now, self.caller.name, action, str(about), was, is_now)


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """How people decide on new properties and requested removals; programs decide alone.

    `own`: whether somebody may approve what they asked for or own. `approvers`: how many must
    approve. `restore_hours`: how long a removed property can be restored.
    """

    own: bool = False
    approvers: int = 1
    restore_hours: int = 72


@dataclass(frozen=True)
class Context:
    """Everything an operation needs; one per caller."""

    database: Database
    bus: Bus
    caller: Caller
    zone: ZoneInfo
    now: Callable[[], int] = now
    approvals: ApprovalRules = ApprovalRules()

    def of(self, caller: Caller) -> "Context":
        """Return the same for another caller."""
        return replace(self, caller=caller)

    @property
    def read(self) -> Reader:
        """Reads what is committed."""
        return self.database.read

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """Open the one write transaction: all of the block, with its events, or nothing.

        Raises:
            StorageUnavailable: storage cannot be written right now.
        """
        async with self.database.write() as sql:
            yield Change(sql, self.bus, self.caller, self.now())
