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
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from benchmarks import filling
from benchmarks.figure import Figure, Pair, Round, Target
from benchmarks.filling import BUSY, LARGE, SMALL, Sizes, filled
from benchmarks.load import connected, wide_awake
from benchmarks.servers import bot
from webhook.queries import CATALOGUE

CALLS = 40
"""How often a query is asked in a round."""

WARM_UP = 3
SECONDS = 1.0
"""How long a case goes on at most; one that takes longer is asked once."""

NO_BACKUP = {"DATABASE__BACKUP_HOURS": "0"}
"""Otherwise the bot copies its new database while it is measured."""


class Conversation(WSListener):
    """A connection with one request in flight."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[tuple[float, bytes]] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT and self._answered is not None:
            self._answered.set_result((time.perf_counter(), frame.get_payload_as_bytes()))

    async def ask(self, query: str, data: dict[str, object]) -> tuple[float, dict[str, Any]]:
        """Return how many milliseconds the answer took, and its data."""
        frame = orjson.dumps({"type": f"queries.{query}", "data": data})
        self._answered = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        self._transport.send(WSMsgType.TEXT, frame)
        ended, received = await self._answered
        answer = orjson.loads(received)
        if answer["type"] == "error":
            raise RuntimeError(f"{query} {data}: {answer['data']['message']}")
        return (ended - began) * 1000, answer["data"]


class Site:
    """A bot with its database, and the rows that it can be asked about."""

    def __init__(self, sizes: Sizes, conversation: Conversation) -> None:
        self.sizes = sizes
        self.times: defaultdict[str, list[float]] = defaultdict(list)
        self.random = random.Random("site")
        self.codes = iter(range(filling.CODES))
        self._conversation = conversation
        self._set_apart = {*sizes.pending, *sizes.requested, *sizes.flying, BUSY}

    async def ask(self, query: str, **data: object) -> dict[str, Any]:
        """Ask, and record how long the answer took."""
        took, answer = await self._conversation.ask(query, data)
        self.times[query].append(took)
        return answer

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


def asking(query: str, data: Callable[[Site], dict[str, object]], what: str = "") -> Case:
    return Case(query, lambda site: site.ask(query, **data(site)), what)


def searching(query: str, search: Callable[[Site], str], what: str) -> Case:
    """Ask a query for a page of what holds a text."""
    return Case(query, lambda site: site.ask(query, search=search(site)), what, bound=4.0)


def nothing(_: Site) -> dict[str, object]:
    return {}


def at_home(site: Site) -> dict[str, object]:
    return {"propertyId": site.home()}


def at_the_busy_one(_: Site) -> dict[str, object]:
    """Return the property where far more happens than elsewhere."""
    return {"propertyId": BUSY}


def of_user(site: Site) -> dict[str, object]:
    return {"userId": site.user()}


def far_back(_: Site) -> dict[str, object]:
    """Return a page far behind the first, which the small database has too."""
    return {"offset": 400}


def near(site: Site) -> dict[str, object]:
    return {"propertyId": site.home(), "radius": 500}


def days(property_id: int) -> dict[str, object]:
    """Return a property and as many days as there are visits."""
    today = datetime.now(UTC).date()
    return {
        "propertyId": property_id,
        "from": str(today - timedelta(60)),
        "to": str(today),
    }


def street(site: Site) -> str:
    """Return how the names of many streets begin."""
    return site.random.choice(filling.FIRST)


def part_of_street(site: Site) -> str:
    return site.random.choice(filling.FIRST)[:3]


def family(site: Site) -> str:
    return site.random.choice(filling.FAMILY)


def part_of_family(site: Site) -> str:
    return site.random.choice(filling.FAMILY)[:3]


def letter(site: Site) -> str:
    return site.random.choice("abcdefghilmnoprstuvw")


def two_letters_nowhere(_: Site) -> str:
    return "qx"


def words_nowhere(_: Site) -> str:
    """Return words that are nowhere, though each three characters of them are in many rows."""
    return "an of the sea"


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


async def user_added(site: Site) -> None:
    """Add a user who is on two lists, and remove them."""
    newcomer = {"userId": f"license:{site.random.randbytes(20).hex()}"}
    await site.ask("add-user", fullName=f"{family(site)} {family(site)}", **newcomer)
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


alarm = alarm_at(Site.home)

READS = [
    asking("get-tiers", nothing),
    asking("get-equipment-types", nothing),
    asking("get-user", of_user),
    asking("get-users", nothing),
    asking("get-users", far_back, "a late page"),
    searching("get-users", family, "a name"),
    searching("get-users", part_of_family, "three letters"),
    searching("get-users", letter, "one letter"),
    searching("get-users", two_letters_nowhere, "two letters, found nowhere"),
    asking("get-user-properties", of_user),
    asking("get-property", at_home),
    asking("get-property-detailed", at_home),
    asking("get-properties", nothing),
    asking("get-properties", far_back, "a late page"),
    Case("get-properties", address_searched, "an address", bound=4.0),
    searching("get-properties", street, "a street"),
    searching("get-properties", part_of_street, "three letters"),
    searching("get-properties", letter, "one letter"),
    searching("get-properties", two_letters_nowhere, "two letters, found nowhere"),
    searching("get-properties", words_nowhere, "words, found nowhere"),
    asking("get-pending-properties", nothing),
    asking("search-pending-properties", nothing),
    searching("search-pending-properties", part_of_street, "three letters"),
    searching("search-pending-properties", letter, "one letter"),
    asking("get-requested-remove-properties", nothing),
    asking("search-removal-properties", nothing),
    searching("search-removal-properties", part_of_street, "three letters"),
    asking("get-equipment", at_home),
    asking("get-free-drones", lambda site: {"propertyId": site.home_with_drones()}),
    asking("get-dispatched-drones", nothing),
    searching("get-dispatched-drones", lambda site: "drone", "a word"),
    asking("get-drone-flights", nothing, "of all"),
    asking("get-drone-flights", lambda site: {"propertyId": site.home_with_drones()}),
    asking(
        "get-drone-flights",
        lambda site: {"droneId": filling.first_drone(site.home_with_drones())},
        "of a drone",
    ),
    asking("get-allowed-users", at_home),
    asking("get-auth-entries", at_home),
    asking("get-alerts", at_home),
    asking("get-alerts", at_the_busy_one, "at the busy property"),
    asking("get-alarms", nothing, "of all"),
    asking("get-alarms", at_home),
    asking("get-alarms", at_the_busy_one, "at the busy property"),
    asking("get-weekly-visitors", at_home),
    asking("get-weekly-visitors", at_the_busy_one, "at the busy property"),
    asking("get-scanned-visitors", lambda site: days(site.home())),
    asking("get-scanned-visitors", lambda site: days(BUSY), "at the busy property"),
    asking("get-crimes-in-area", nothing, "everywhere"),
    asking("get-crimes-in-area", at_home),
    asking("get-crimes-in-area", near, "near a property"),
    asking("get-crimes-in-area", lambda site: near(site) | {"days": 31}, "near one, 31 days"),
]

WRITES = [
    Case("add-user", user_added),
    Case("remove-user", user_added),
    Case("link-user", user_linked),
    Case("unlink-user", user_linked),
    Case("confirm-link", user_linked),
    Case("add-property", property_added),
    Case("remove-property", property_removed),
    Case("restore-property", property_removed),
    Case("change-property-coordinates", property_changed),
    Case("change-property-size", property_changed),
    Case("change-property-status", property_changed),
    Case("change-property-tier", property_changed),
    Case("edit-property", property_changed),
    Case("approve-property", property_decided),
    Case("reject-property", property_decided),
    Case("request-remove-property", removal_requested),
    Case("withdraw-remove-property", removal_requested),
    Case("deny-remove-property", removal_requested),
    Case("approve-remove-property", removal_requested),
    Case("add-equipment", equipment_added),
    Case("remove-equipment", equipment_added),
    Case("dispatch-drone", drone_sent),
    Case("recall-drone", drone_sent),
    Case("add-allowed-user", guest_allowed),
    Case("remove-allowed-user", guest_allowed),
    Case(
        "add-auth-entry",
        lambda site: site.ask("add-auth-entry", propertyId=site.home(), userId=site.user()),
    ),
    Case("add-crime", lambda site: site.ask("add-crime", propertyId=site.home())),
    Case("add-visitor", visit_at(Site.home)),
    Case("add-visitor", visit_at(lambda site: BUSY), "at the busy property"),
    Case("add-alert", alarm),
    Case("add-alert", alarm_at(lambda site: BUSY), "at the busy property"),
    Case("snooze-alarm", alarm),
    Case("acknowledge-alarm", alarm),
    Case("note-alarm", alarm),
    Case("settle-alarm", alarm),
]

CASES = [*READS, *WRITES]
"""Reads come first, before writes add rows."""


@asynccontextmanager
async def site(sizes: Sizes, folder: Path) -> AsyncIterator[Site]:
    """Run a bot on a database of a size, with a connection to it."""
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread(filled, sizes, folder / "sentinel.db")
    conversation = Conversation()
    async with (
        bot(folder, **NO_BACKUP) as server,
        connected(lambda: conversation, f"{server.url}/ws", server.headers),
    ):
        yield Site(sizes, conversation)


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
