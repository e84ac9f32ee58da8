"""Every query on a large database, beside a small one.

Two bots run beside each other, one on each database, and are asked in turns, request by request.
The property is drawn anew for each request, so that no page of the file answers for all. A write is
undone by its opposite, which is measured too where it is a query; only rows of what happened stay
(a visit, a flight that is over), and no cost here depends on them.
"""

import asyncio
import random
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from benchmarks import filling
from benchmarks.figure import Figure, Pair, Round, Target
from benchmarks.filling import BUSY, LARGE, SMALL, Sizes, filled, words
from benchmarks.load import Socket, connected, wide_awake
from benchmarks.servers import bot
from webhook.queries import CATALOGUE

CALLS = 40
"""How often a query is asked in a round."""

WARM_UP = 3
SECONDS = 1.0
"""How long a case goes on at most; one that takes longer is asked once."""

NO_BACKUP = {"DATABASE__BACKUP_HOURS": "0"}
"""Otherwise the bot copies its new database while it is measured."""


class Site:
    """A bot with its database, and the rows that it can be asked about."""

    def __init__(self, sizes: Sizes, socket: Socket) -> None:
        self.sizes = sizes
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.random = random.Random("site")
        self.codes = iter(range(filling.CODES))
        self._socket = socket
        self._set_apart = {*sizes.pending, *sizes.requested, *sizes.flying, BUSY}

    async def ask(self, query: str, **data: object) -> dict[str, Any]:
        """Ask, and record how long the answer took."""
        frame = orjson.dumps({"type": f"queries.{query}", "data": data})
        began = time.perf_counter()
        answer = await self._socket.ask(frame)
        self.times[query].append((time.perf_counter() - began) * 1000)
        read: dict[str, Any] = orjson.loads(answer)
        if read["type"] == "error":
            raise RuntimeError(f"{query} {data}: {read['data']['message']}")
        return read["data"]

    def home(self) -> int:
        """Return any ordinary property."""
        while True:
            drawn = self.random.randrange(self.sizes.properties) + 1
            if not filling.is_removed(drawn) and drawn not in self._set_apart:
                return drawn

    def home_with_drones(self) -> int:
        while not filling.has_drones(drawn := self.home()):
            pass
        return drawn

    def drone(self) -> int:
        return filling.first_drone(self.home_with_drones())

    def around(self) -> dict[str, object]:
        """Return the circle around a property."""
        return {"propertyId": self.home(), "radius": 500}

    def user_number(self) -> int:
        return self.random.randrange(self.sizes.users)

    def user(self) -> str:
        return filling.user(self.user_number())


Scenario = Callable[[Site], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """A query in a scenario that asks it, and how much longer it may take on the large database."""

    query: str
    scenario: Scenario
    what: str = ""
    bound: float = 2.0

    @property
    def unit(self) -> str:
        """The unit of its figure, which names it."""
        return f"ms, {self.query}, {self.what}" if self.what else f"ms, {self.query}"


def nothing(_: Site) -> dict[str, object]:
    return {}


def at_home(site: Site) -> dict[str, object]:
    return {"propertyId": site.home()}


def at_busy(_: Site) -> dict[str, object]:
    return {"propertyId": BUSY}


def days(property_id: int) -> dict[str, object]:
    """Return a property and as many days as there are visits."""
    today = datetime.now(UTC).date()
    return {"propertyId": property_id, "from": str(today - timedelta(60)), "to": str(today)}


async def address_searched(site: Site) -> None:
    found = await site.ask("get-property", propertyId=site.home())
    await site.ask("get-properties", search=found["location"])


async def property_added(site: Site) -> None:
    added = await site.ask(
        "add-property",
        location=f"[8031] {site.random.randrange(3_000)} Forum Drive",
        tier=1,
        x=site.random.randrange(-4_000, 4_500),
        y=site.random.randrange(-4_000, 8_000),
        description="Villa with a pool",
        clientId=site.user(),
    )
    await site.ask("remove-property", propertyId=added["id"])


async def property_changed(site: Site) -> None:
    """Change everything about a property, and change it back."""
    home = site.home()
    was = await site.ask("get-property", propertyId=home)
    for by in (1, 0):
        await site.ask(
            "change-property-coordinates", propertyId=home, x=was["x"] + by, y=was["y"] + by
        )
        await site.ask(
            "change-property-size",
            propertyId=home,
            width=was["width"] + by,
            height=was["height"] + by,
        )
        await site.ask("change-property-tier", propertyId=home, tier=(was["tier"] + by - 1) % 3 + 1)
        status = "BESIEGED" if by else was["status"]
        await site.ask("change-property-status", propertyId=home, status=status)
    for by in (1, 0):
        await site.ask("edit-property", propertyId=home, x=was["x"] + by, width=was["width"] + by)


async def property_decided(site: Site) -> None:
    """Approve and reject a new property, and have it wait again."""
    home = site.random.choice(site.sizes.pending)
    for decision in ("approve-property", "reject-property"):
        await site.ask(decision, propertyId=home)
        await site.ask("change-property-status", propertyId=home, status="PENDING")


async def property_removed(site: Site) -> None:
    home = site.home()
    await site.ask("remove-property", propertyId=home)
    await site.ask("restore-property", propertyId=home)


async def removal_requested(site: Site) -> None:
    """Have a removal withdrawn, denied, and approved, and restore the property."""
    home = site.home()
    for decision in (
        "withdraw-remove-property",
        "deny-remove-property",
        "approve-remove-property",
    ):
        await site.ask("request-remove-property", propertyId=home, reason="Moving away")
        await site.ask(decision, propertyId=home)
    await site.ask("restore-property", propertyId=home)


async def equipment_added(site: Site) -> None:
    home = site.home()
    added = await site.ask(
        "add-equipment", propertyId=home, equipmentType=2, description="Front gate"
    )
    await site.ask("remove-equipment", propertyId=home, equipmentId=added["id"])


async def drone_sent(site: Site) -> None:
    sent = await site.ask("dispatch-drone", propertyId=site.home_with_drones())
    await site.ask("recall-drone", droneId=sent["droneId"])


async def guest_allowed(site: Site) -> None:
    """Put somebody on a list and take them off."""
    guest = {"propertyId": site.home(), "userId": "license:guest"}
    await site.ask("add-allowed-user", **guest)
    await site.ask("remove-allowed-user", **guest)


async def entrance_passed(site: Site) -> None:
    await site.ask("add-auth-entry", propertyId=site.home(), userId=site.user())


async def crime_reported(site: Site) -> None:
    await site.ask("add-crime", propertyId=site.home())


async def user_added(site: Site) -> None:
    """Add a user who is on two lists, and remove them."""
    newcomer = {"userId": f"license:{site.random.randbytes(20).hex()}"}
    name = " ".join(site.random.choices(filling.FAMILY, k=2))
    await site.ask("add-user", fullName=name, **newcomer)
    for _ in range(2):
        await site.ask("add-allowed-user", propertyId=site.home(), **newcomer)
    await site.ask("remove-user", **newcomer)


async def user_linked(site: Site) -> None:
    """Link a user who has no link with a member, and end it; with a code too."""
    number = next(site.codes)
    member = str(filling.member(number))
    newcomer = filling.user(site.user_number() // 10 * 10 + 5)
    await site.ask("link-user", memberId=member, userId=newcomer)
    await site.ask("unlink-user", memberId=member)
    await site.ask("confirm-link", code=filling.code(number), clientId=newcomer)
    await site.ask("unlink-user", memberId=member)


def alarm_at(home: Callable[[Site], int]) -> Scenario:
    """Raise the alarm somewhere, and see to it in every way that there is."""

    async def raised(site: Site) -> None:
        property_id = home(site)
        await site.ask("add-alert", propertyId=property_id, userId=site.user())
        page = await site.ask("get-alarms", propertyId=property_id, limit=1)
        alarm = page["alarms"][0]["id"]
        await site.ask("snooze-alarm", alarmId=alarm, minutes=5)
        await site.ask("acknowledge-alarm", alarmId=alarm)
        await site.ask("note-alarm", alarmId=alarm, text="A fox")
        await site.ask("settle-alarm", alarmId=alarm, outcome="false")

    return raised


def visit_at(home: Callable[[Site], int]) -> Scenario:
    """Have a camera see somebody somewhere."""

    async def seen(site: Site) -> None:
        property_id = home(site)
        await site.ask(
            "add-visitor",
            propertyId=property_id,
            cameraId=filling.camera(property_id),
            userId=site.user(),
        )

    return seen


AT_BUSY = "at the busy property"

BY_PROPERTY = words("""
    get-property get-property-detailed get-equipment get-allowed-users get-auth-entries get-alerts
    get-alarms get-weekly-visitors get-crimes-in-area
""")
FOR_ALL = words("""
    get-tiers get-equipment-types get-users get-properties get-pending-properties
    search-pending-properties get-requested-remove-properties search-removal-properties
    get-dispatched-drones
""")
BUSY_PLACES = words("get-alerts get-alarms get-weekly-visitors")

# Each asks with these data.
READS: list[tuple[str, str, Callable[[Site], dict[str, object]]]] = [
    *((query, "", nothing) for query in FOR_ALL),
    *((query, "", at_home) for query in BY_PROPERTY),
    *((query, AT_BUSY, at_busy) for query in BUSY_PLACES),
    ("get-user", "", lambda site: {"userId": site.user()}),
    ("get-user-properties", "", lambda site: {"userId": site.user()}),
    ("get-users", "a late page", lambda site: {"offset": 400}),
    ("get-properties", "a late page", lambda site: {"offset": 400}),
    ("get-free-drones", "", lambda site: {"propertyId": site.home_with_drones()}),
    ("get-drone-flights", "", lambda site: {"propertyId": site.home_with_drones()}),
    ("get-drone-flights", "of all", nothing),
    ("get-drone-flights", "of a drone", lambda site: {"droneId": site.drone()}),
    ("get-alarms", "of all", nothing),
    ("get-scanned-visitors", "", lambda site: days(site.home())),
    ("get-scanned-visitors", AT_BUSY, lambda site: days(BUSY)),
    ("get-crimes-in-area", "everywhere", nothing),
    ("get-crimes-in-area", "near a property", lambda site: site.around()),
    ("get-crimes-in-area", "near one, 31 days", lambda site: {**site.around(), "days": 31}),
]

STREETS, FAMILIES = filling.FIRST, filling.FAMILY
LETTERS = "abcdefghilmnoprstuvw"
NOWHERE = ["an of the sea"]
"""Words that are nowhere, though each three characters of them are in many rows."""

# Each asks for a page of what contains one of these texts.
SEARCHES: list[tuple[str, str, Sequence[str]]] = [
    ("get-users", "a name", FAMILIES),
    ("get-users", "three letters", [name[:3] for name in FAMILIES]),
    ("get-users", "one letter", LETTERS),
    ("get-users", "two letters, found nowhere", ["qx"]),
    ("get-properties", "a street", STREETS),
    ("get-properties", "three letters", [name[:3] for name in STREETS]),
    ("get-properties", "one letter", LETTERS),
    ("get-properties", "two letters, found nowhere", ["qx"]),
    ("get-properties", "words, found nowhere", NOWHERE),
    ("search-pending-properties", "three letters", [name[:3] for name in STREETS]),
    ("search-pending-properties", "one letter", LETTERS),
    ("search-removal-properties", "three letters", [name[:3] for name in STREETS]),
    ("get-dispatched-drones", "a word", ["drone"]),
]

# Each scenario measures the queries that it asks.
WRITES: list[tuple[Scenario, str, str]] = [
    (user_added, "", "add-user remove-user"),
    (user_linked, "", "link-user unlink-user confirm-link"),
    (property_added, "", "add-property"),
    (property_removed, "", "remove-property restore-property"),
    (
        property_changed,
        "",
        "change-property-coordinates change-property-size change-property-status"
        " change-property-tier edit-property",
    ),
    (property_decided, "", "approve-property reject-property"),
    (
        removal_requested,
        "",
        "request-remove-property withdraw-remove-property deny-remove-property"
        " approve-remove-property",
    ),
    (equipment_added, "", "add-equipment remove-equipment"),
    (drone_sent, "", "dispatch-drone recall-drone"),
    (guest_allowed, "", "add-allowed-user remove-allowed-user"),
    (entrance_passed, "", "add-auth-entry"),
    (crime_reported, "", "add-crime"),
    (visit_at(Site.home), "", "add-visitor"),
    (visit_at(lambda site: BUSY), AT_BUSY, "add-visitor"),
    (alarm_at(Site.home), "", "add-alert snooze-alarm acknowledge-alarm note-alarm settle-alarm"),
    (alarm_at(lambda site: BUSY), AT_BUSY, "add-alert"),
]


def _read(query: str, what: str, data: Callable[[Site], dict[str, object]]) -> Case:
    return Case(query, lambda site: site.ask(query, **data(site)), what)


def _search(query: str, what: str, texts: Sequence[str]) -> Case:
    def search(site: Site) -> Awaitable[object]:
        return site.ask(query, search=site.random.choice(texts))

    return Case(query, search, what, bound=4.0)


CASES = [
    *(_read(*row) for row in READS),
    *(_search(*row) for row in SEARCHES),
    Case("get-properties", address_searched, "an address", bound=4.0),
    *(Case(query, work, what) for work, what, queries in WRITES for query in words(queries)),
]
"""Reads come first, before writes add rows."""


@asynccontextmanager
async def site(sizes: Sizes, folder: Path) -> AsyncIterator[Site]:
    """Run a bot on a database of a size, with a connection to it."""
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread(filled, sizes, folder / "sentinel.db")
    async with bot(folder, **NO_BACKUP) as server, connected(server) as socket:
        yield Site(sizes, socket)


class Comparison:
    """Asks both bots in turns, request by request, so that the machine's load affects both."""

    def __init__(self, large: Site, small: Site) -> None:
        self._large = large
        self._small = small
        self._medians: dict[str, float] = {}

    async def baseline(self) -> Round:
        """Ask every query of both; return the medians of the small one."""
        medians = {}
        async with wide_awake():
            for case in CASES:
                await self._repeat(case, WARM_UP)
                self._small.times.clear()
                self._large.times.clear()
                await self._repeat(case, CALLS)
                medians[case.unit] = statistics.median(self._small.times[case.query])
                self._medians[case.unit] = statistics.median(self._large.times[case.query])
        return medians

    async def ours(self) -> Round:
        """Return the medians of the large one, which `baseline` has just measured."""
        return self._medians.copy()

    async def _repeat(self, case: Case, times: int) -> None:
        began = time.perf_counter()
        for _ in range(times):
            await case.scenario(self._small)
            await case.scenario(self._large)
            if time.perf_counter() - began > SECONDS:
                break


@asynccontextmanager
async def _sites(folder: Path) -> AsyncIterator[Pair]:
    measured = {case.query for case in CASES}
    missing = [query.name for query in CATALOGUE.queries if query.name not in measured]
    if missing:
        raise LookupError(f"no case measures the queries {', '.join(missing)}")
    async with site(LARGE, folder / "large") as large, site(SMALL, folder / "small") as small:
        comparison = Comparison(large, small)
        yield Pair(comparison.ours, comparison.baseline)


FIGURES = [
    Figure(
        "growth",
        "1,000 properties and 10,000 visits instead of 50,000 and 1,000,000",
        tuple(Target(case.unit, case.bound) for case in CASES),
        _sites,
    )
]
