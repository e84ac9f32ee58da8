"""The lower two layers put together on a real file, without a socket."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from db import community, journal
from db.community import EquipmentType, Tier
from db.database import Database, Transaction
from tests.databases import open_new_database
from webhook.cad import EVENT_NAMES
from webhook.protocol.bus import Bus, StoredEvent, Subscriber
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Caller, Context, ExternalRules, Scope
from webhook.protocol.events import ALL
from webhook.protocol.messages import answer_message, read_message
from webhook.protocol.metrics import Metrics
from webhook.protocol.session import Session, SessionSettings
from webhook.queries import CATALOGUE

TIERS = [Tier(1, "Basic", "59.99"), Tier(2, "Premium", "99.99"), Tier(3, "Optimum", "149.99")]
KINDS = [EquipmentType(1, "Camera"), EquipmentType(2, "Badge reader"), EquipmentType(3, "Drone")]

SHOP = {
    "location": "Forum Dr",
    "tier": 2,
    "x": -213,
    "y": 1332,
    "description": "a shop",
    "clientId": "license:owner",
}

START = 1_795_339_800_123
"""2026-11-22T09:30:00.123Z"""

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

Frame = dict[str, Any]


class Clock:
    """The time, as the test sets it."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class ObservableBus(Bus):
    """A bus whose subscriptions a test can count and wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def subscribe(self, name: str, subscriber: Subscriber) -> None:
        super().subscribe(name, subscriber)
        self._changed.set()

    def unsubscribe(self, name: str, subscriber: Subscriber) -> None:
        super().unsubscribe(name, subscriber)
        self._changed.set()

    def count(self, name: str) -> int:
        return len(self._subscribers.get(name, ()))

    async def wait_for_count(self, name: str, count: int) -> None:
        while self.count(name) != count:
            self._changed.clear()
            await self._changed.wait()


def property_data(number: int, **changed: object) -> dict[str, Any]:
    """Return what queries answer of SHOP."""
    shown = {name: SHOP[name] for name in ("location", "tier", "x", "y", "description")}
    return {"id": number, "width": 0, "height": 0, "status": "PENDING"} | shown | changed


class AppHarness:
    """Storage, bus and clock; asks queries and remembers which events went out."""

    def __init__(self, path: Path, database: Database, zone: str = "UTC") -> None:
        self.path = path
        self.database = database
        self.bus = ObservableBus()
        self.metrics = Metrics()
        self.clock = Clock()
        self.age = 0
        """Milliseconds by which what is asked comes late."""
        self.zone = ZoneInfo(zone)
        self.external = ExternalRules()
        self.published: list[Frame] = []
        self.bus.subscribe(ALL, self._hear)

    def _hear(self, event: StoredEvent) -> None:
        self.published.append(orjson.loads(event.frame))

    def context(self, scope: Scope = Scope.ADMIN, name: str = "tester") -> Context:
        caller = Caller(name, scope)
        return Context(
            self.database,
            self.bus,
            caller,
            self.zone,
            self.clock,
            external=self.external,
            age=self.age,
        )

    async def frame(
        self,
        kind: str,
        data: object = None,
        scope: Scope = Scope.ADMIN,
        catalogue: Catalogue = CATALOGUE,
        name: str = "tester",
    ) -> Frame:
        """Have one message carried out and return its answer."""
        message = read_message(orjson.dumps({"type": kind, "data": data}))
        run = partial(catalogue.run, self.context(scope, name))
        frame: Frame = orjson.loads((await answer_message(message, run, self.metrics)).frame)
        return frame

    async def ask(self, name: str, **data: object) -> Frame:
        """Ask a query that must succeed and return the answer's data."""
        frame = await self.frame(f"queries.{name}", data)
        assert frame["type"] in (name, "status"), frame
        answered: Frame = frame["data"]
        return answered

    async def error_code(self, name: str, **data: object) -> str:
        """Ask a query that must fail and return the error's code."""
        frame = await self.frame(f"queries.{name}", data)
        assert frame["type"] == "error", frame
        code: str = frame["data"]["code"]
        return code

    def take_events(self) -> list[tuple[str, Frame]]:
        """Return the events that went out since the last call, oldest first."""
        events = [
            (frame["type"].removeprefix("events."), frame["data"]) for frame in self.published
        ]
        self.published.clear()
        return events

    async def journal_events(self) -> list[StoredEvent]:
        """Return all events of the journal."""
        return [
            StoredEvent.from_journal(entry)
            for entry in await journal.after_for_discord(self.database.read, 0, 100_000)
        ]

    async def add_property(self, **data: object) -> int:
        """Add a property and return its id; its events are not counted."""
        asked = {
            "location": "Forum Dr",
            "tier": 1,
            "x": 10,
            "y": -20,
            "description": "a shop",
            "clientId": "license:owner",
        }
        number: int = (await self.ask("add-property", **asked | data))["id"]
        self.take_events()
        return number

    async def add_equipment(self, place: int, kind: int, description: str = "Kestrel") -> int:
        """Add a piece of equipment and return its id; its events are not counted."""
        added = await self.ask(
            "add-equipment", propertyId=place, equipmentType=kind, description=description
        )
        self.take_events()
        number: int = added["id"]
        return number

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of every table."""
        return dump(self.path)


def dump(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table of a database."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {
            name: connection.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608
            for (name,) in names
        }


async def _offer(sql: Transaction) -> None:
    await community.replace(sql, TIERS, KINDS)


@asynccontextmanager
async def open_harness(path: Path, zone: str = "UTC") -> AsyncIterator[AppHarness]:
    """Storage with tiers and equipment types on offer."""
    async with open_new_database(path, _offer) as database:
        yield AppHarness(path, database, zone)


class FakeSession:
    """One connection's conversation, with a list in place of its socket."""

    def __init__(
        self,
        harness: AppHarness,
        settings: SessionSettings | None = None,
        scope: Scope = Scope.ADMIN,
        caller: str = "tester",
    ) -> None:
        self.frames: list[Frame] = []
        self.session = Session(
            harness.context(scope, caller),
            CATALOGUE,
            settings or SessionSettings(EVENT_NAMES),
            self,
        )

    def put(self, frame: bytes) -> None:
        self.frames.append(orjson.loads(frame))

    async def send(self, frame: bytes) -> None:
        self.put(frame)

    async def drain(self) -> None:
        pass

    async def say(self, kind: str, **data: object) -> Frame:
        """Send a message and return its answer; whatever else came stays in `frames`."""
        identifier = f"#{id(data)}"
        message = {"type": kind, "data": data | {"requestIdentifier": identifier}}
        await self.session.handle(self.session.limit_rate(read_message(orjson.dumps(message))))
        (found,) = [f for f in self.frames if f["data"].get("requestIdentifier") == identifier]
        self.frames.remove(found)
        del found["data"]["requestIdentifier"]
        return found

    async def resume(self, client: str, last: int) -> Frame:
        return await self.say("session", id=client, lastEventId=last)

    async def subscribe(self, *names: str) -> None:
        """Subscribe, which must succeed."""
        for name in names:
            said = await self.say("subscribe", id=name)
            assert said["type"] == "status", said

    def events(self) -> list[tuple[int, str]]:
        """Return what events came since the last call, as (number, type)."""
        events = [(frame["id"], frame["type"]) for frame in self.frames]
        self.frames.clear()
        return events

    def close(self) -> None:
        self.session.close()
