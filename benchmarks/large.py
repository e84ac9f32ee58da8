"""Every query on a large database and on a small one; the start; the memory after a million events.

Two bots run beside each other, one on each database, and are asked in turns over one connection
each, with one question outstanding. Which property is asked about is drawn anew each time, so that
no page of the file answers for all. What writes is undone by its opposite, so that the next round
finds what this one found; that is measured too, where it is a query that has its turn. Only rows
of what happened stay (a visit, a flight that is over, the steps of an alarm), to which no cost
here looks back.
"""

import asyncio
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from benchmarks import filling
from benchmarks.figure import Figure, Pair, Samples, Work, at_most
from benchmarks.filling import HOT, LARGE, SMALL, Sizes, filled
from benchmarks.load import connected, wide_awake
from benchmarks.processes import CAD_KEY, Server, bot
from webhook.queries import CATALOGUE

CALLS = 100
"""How often a query is asked in a round."""

WARM_UP = 3
SECONDS = 1.0
"""How long either goes on at most; what takes longer than that is asked once."""

EVENTS = 1_000_000
FIRST_EVENTS = 10_000
AT_ONCE = 64
"""Events in a push, the most that one may hold."""

PUSHERS = 4
CAD_UNITS = 200
SETTLING = 5.0
"""Seconds that the follower has to take in the last events; the feeds go on for far longer."""

NO_BACKUP = {"DATABASE__BACKUP_HOURS": "0"}
"""Else the bot copies the database, which it was given a moment ago, while it is measured."""


class Conversation(WSListener):
    """A connection with one question outstanding at a time."""

    def __init__(self) -> None:
        self._answered: asyncio.Future[tuple[float, bytes]] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT and self._answered is not None:
            self._answered.set_result((time.perf_counter(), frame.get_payload_as_bytes()))

    async def ask(self, query: str, data: dict[str, object]) -> tuple[float, dict[str, Any]]:
        """Return how many milliseconds the answer took, and its data."""
        question = orjson.dumps({"type": f"queries.{query}", "data": data})
        self._answered = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        self._transport.send(WSMsgType.TEXT, question)
        ended, frame = await self._answered
        answer = orjson.loads(frame)
        if answer["type"] == "error":
            raise RuntimeError(f"{query} {data}: {answer['data']['message']}")
        return (ended - began) * 1000, answer["data"]


class Site:
    """A bot with its database, and what there is to ask about."""

    def __init__(self, sizes: Sizes, conversation: Conversation) -> None:
        self.sizes = sizes
        self.times: defaultdict[str, Samples] = defaultdict(list)
        self.chance = random.Random("site")
        self.codes = iter(range(filling.CODES))
        self._conversation = conversation
        self._set_apart = {*sizes.pending, *sizes.requested, *sizes.flying, HOT}

    async def ask(self, query: str, **data: object) -> dict[str, Any]:
        """Ask, and note how long the answer took."""
        took, answer = await self._conversation.ask(query, data)
        self.times[query].append(took)
        return answer

    def home(self) -> int:
        """Return any ordinary property."""
        while True:
            drawn = self.chance.randrange(self.sizes.properties) + 1
            if not filling.is_removed(drawn) and drawn not in self._set_apart:
                return drawn

    def home_with_drones(self) -> int:
        """Return any ordinary property that has drones."""
        while not filling.has_drones(drawn := self.home()):
            pass
        return drawn

    def user_number(self) -> int:
        """Return any user's number."""
        return self.chance.randrange(self.sizes.users)

    def user(self) -> str:
        """Return any user."""
        return filling.user(self.user_number())


Scenario = Callable[[Site], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """A query in a scenario that asks it, and how much longer it may take on the large database."""

    query: str
    scenario: Scenario
    what: str = ""
    bound: float = 2.0


def asking(query: str, data: Callable[[Site], dict[str, object]], what: str = "") -> Case:
    """Ask a query that changes nothing."""
    return Case(query, lambda site: site.ask(query, **data(site)), what)


def searching(query: str, search: Callable[[Site], str], what: str) -> Case:
    """Ask a query for a page of what holds a text."""
    return Case(query, lambda site: site.ask(query, search=search(site)), what, bound=4.0)


def nothing(_: Site) -> dict[str, object]:
    """Give no data."""
    return {}


def at_home(site: Site) -> dict[str, object]:
    """Name a property."""
    return {"propertyId": site.home()}


def at_the_hot_one(_: Site) -> dict[str, object]:
    """Name the property where far more happens than elsewhere."""
    return {"propertyId": HOT}


def of_user(site: Site) -> dict[str, object]:
    """Name a user."""
    return {"userId": site.user()}


def far_on(_: Site) -> dict[str, object]:
    """Want a page far behind the first, which the small database has too."""
    return {"offset": 400}


def near(site: Site) -> dict[str, object]:
    """Name a property and its surroundings."""
    return {"propertyId": site.home(), "radius": 500}


def days(property_id: int) -> dict[str, object]:
    """Name a property and as many days as there are visits."""
    today = datetime.now(UTC).date()
    return {
        "propertyId": property_id,
        "from": str(today - timedelta(60)),
        "to": str(today),
    }


def street(site: Site) -> str:
    """Return how the names of many streets begin."""
    return site.chance.choice(filling.FIRST)


def part_of_street(site: Site) -> str:
    """Return three letters of the name of a street."""
    return site.chance.choice(filling.FIRST)[:3]


def family(site: Site) -> str:
    """Return a family's name."""
    return site.chance.choice(filling.FAMILY)


def part_of_family(site: Site) -> str:
    """Return three letters of a family's name."""
    return site.chance.choice(filling.FAMILY)[:3]


def letter(site: Site) -> str:
    """Return one letter."""
    return site.chance.choice("abcdefghilmnoprstuvw")


def two_letters_nowhere(_: Site) -> str:
    """Return two letters that are nowhere."""
    return "qx"


def words_nowhere(_: Site) -> str:
    """Return words that are nowhere, though each three characters of them are in many rows."""
    return "an of the sea"


async def address_searched(site: Site) -> None:
    """Search for one property."""
    found = await site.ask("get-property", propertyId=site.home())
    await site.ask("get-properties", search=found["location"])


async def property_added(site: Site) -> None:
    """Add a property and remove it."""
    added = await site.ask(
        "add-property",
        location=f"[8031] {site.chance.randrange(3_000)} Forum Drive",
        tier=1,
        x=site.chance.randrange(-4_000, 4_500),
        y=site.chance.randrange(-4_000, 8_000),
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
    home = site.chance.choice(site.sizes.pending)
    for decision in ("approve-property", "reject-property"):
        await site.ask(decision, propertyId=home)
        await site.ask("change-property-status", propertyId=home, status="PENDING")


async def property_removed(site: Site) -> None:
    """Remove a property and restore it."""
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
    """Add a badge reader and remove it."""
    home = site.home()
    added = await site.ask(
        "add-equipment", propertyId=home, equipmentType=2, description="Front gate"
    )
    await site.ask("remove-equipment", propertyId=home, equipmentId=added["id"])


async def drone_sent(site: Site) -> None:
    """Send a drone out and call it back."""
    sent = await site.ask("dispatch-drone", propertyId=site.home_with_drones())
    await site.ask("recall-drone", droneId=sent["droneId"])


async def guest_allowed(site: Site) -> None:
    """Put somebody on a list and take them off."""
    guest = {"propertyId": site.home(), "userId": "license:guest"}
    await site.ask("add-allowed-user", **guest)
    await site.ask("remove-allowed-user", **guest)


async def user_added(site: Site) -> None:
    """Add a user who is on two lists, and remove them."""
    newcomer = {"userId": f"license:{site.chance.randbytes(20).hex()}"}
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
    asking("get-users", far_on, "far on"),
    searching("get-users", family, "a name"),
    searching("get-users", part_of_family, "three letters"),
    searching("get-users", letter, "one letter"),
    searching("get-users", two_letters_nowhere, "two letters, found nowhere"),
    asking("get-user-properties", of_user),
    asking("get-property", at_home),
    asking("get-property-detailed", at_home),
    asking("get-properties", nothing),
    asking("get-properties", far_on, "far on"),
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
        lambda site: {"droneId": filling.drones(site.home_with_drones())[0]},
        "of a drone",
    ),
    asking("get-allowed-users", at_home),
    asking("get-auth-entries", at_home),
    asking("get-alerts", at_home),
    asking("get-alerts", at_the_hot_one, "at the hot property"),
    asking("get-alarms", nothing, "of all"),
    asking("get-alarms", at_home),
    asking("get-alarms", at_the_hot_one, "at the hot property"),
    asking("get-weekly-visitors", at_home),
    asking("get-weekly-visitors", at_the_hot_one, "at the hot property"),
    asking("get-scanned-visitors", lambda site: days(site.home())),
    asking("get-scanned-visitors", lambda site: days(HOT), "at the hot property"),
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
    Case("add-visitor", visit_at(lambda site: HOT), "at the hot property"),
    Case("add-alert", alarm),
    Case("add-alert", alarm_at(lambda site: HOT), "at the hot property"),
    Case("snooze-alarm", alarm),
    Case("acknowledge-alarm", alarm),
    Case("note-alarm", alarm),
    Case("settle-alarm", alarm),
]

CASES = [*READS, *WRITES]
"""What changes nothing comes first: what happened meanwhile would be more, on the small one."""


def _must_be_complete() -> None:
    named = {case.query for case in CASES}
    missing = [query.name for query in CATALOGUE.queries if query.name not in named]
    if missing:
        raise LookupError(f"nobody measures the queries {', '.join(missing)}")


_must_be_complete()


class Sites(NamedTuple):
    """The two bots that are compared."""

    large: Site
    small: Site


@asynccontextmanager
async def site(sizes: Sizes, folder: Path) -> AsyncIterator[Site]:
    """Run a bot on a database of a size, and talk with it."""
    await filled(sizes, folder)
    conversation = Conversation()
    async with (
        bot(folder, **NO_BACKUP) as server,
        connected(lambda: conversation, f"{server.url}/ws", server.headers),
    ):
        yield Site(sizes, conversation)


@asynccontextmanager
async def _sites() -> AsyncIterator[Sites]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sentinel-bench-")))
        yield Sites(
            large=await stack.enter_async_context(site(LARGE, folder / "large")),
            small=await stack.enter_async_context(site(SMALL, folder / "small")),
        )


class Stage:
    """Keeps the two bots from the first figure that asks for them on.

    A task of their own holds them, which the event loop ends when it does, in order.
    """

    def __init__(self) -> None:
        self._keeper: asyncio.Task[None] | None = None

    async def sites(self) -> Sites:
        """Return the two bots; the first time, start them."""
        if self._keeper is None:
            self._ready = asyncio.get_running_loop().create_future()
            self._keeper = asyncio.create_task(self._keep(), name="sites")
        return await asyncio.shield(self._ready)

    async def _keep(self) -> None:
        try:
            async with _sites() as sites:
                self._ready.set_result(sites)
                await asyncio.Event().wait()
        except Exception as fault:
            self._ready.set_exception(fault)


_STAGE = Stage()


def rounds_of(case: Case, site: Site) -> Work:
    """Measure a case on a site, a round at a time."""

    async def work() -> Samples:
        async with wide_awake():
            await repeat(WARM_UP)
            site.times.clear()
            await repeat(CALLS)
        return site.times[case.query]

    async def repeat(times: int) -> None:
        began = time.perf_counter()
        for _ in range(times):
            await case.scenario(site)
            if time.perf_counter() - began > SECONDS:
                break

    return work


def _figure(case: Case) -> Figure:
    @asynccontextmanager
    async def prepare(_: Path) -> AsyncIterator[Pair]:
        sites = await _STAGE.sites()
        yield Pair(ours=rounds_of(case, sites.large), baseline=rounds_of(case, sites.small))

    name = f"{case.query}, {case.what}" if case.what else case.query
    return Figure(name, "ms", "1,000 properties", (at_most(case.bound),), prepare)


@asynccontextmanager
async def _starts(folder: Path) -> AsyncIterator[Pair]:
    """Start a bot on a database that is large, and on one that has nothing in it yet."""
    large, empty = folder / "large", folder / "empty"
    await filled(LARGE, large)
    await asyncio.to_thread(empty.mkdir)
    for path in (large, empty):
        await _started(path)
    yield Pair(ours=lambda: _started(large), baseline=lambda: _started(empty))


async def _started(folder: Path) -> Samples:
    """Return the seconds until a bot says that it is ready."""
    began = time.perf_counter()
    async with bot(folder, **NO_BACKUP):
        return [time.perf_counter() - began]


@asynccontextmanager
async def _events(folder: Path) -> AsyncIterator[Pair]:
    """Push to one bot, some at first and then many more."""
    async with bot(folder, **NO_BACKUP) as server:
        pushed = iter(range(EVENTS // AT_ONCE))

        async def after(number: int) -> Samples:
            await _push(server, [next(pushed) for _ in range(number // AT_ONCE)])
            await asyncio.sleep(SETTLING)
            return [server.resident / 2**20]

        yield Pair(
            ours=lambda: after(EVENTS - FIRST_EVENTS),
            baseline=lambda: after(FIRST_EVENTS),
        )


async def _push(server: Server, numbers: list[int]) -> None:
    """Have units change their status, `AT_ONCE` in each of the pushes with these numbers."""
    waiting = iter(numbers)

    async def pushing() -> None:
        for number in waiting:
            async with http.post(f"{server.url}/event", data=_statuses(number)) as answer:
                if answer.status != 200:
                    raise RuntimeError(await answer.text())

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(pushing() for _ in range(PUSHERS)))


def _statuses(number: int) -> bytes:
    """Write a push; each differs from the one before."""
    data = [
        {
            "identIds": [(number + place) % CAD_UNITS + 1],
            "status": (number + place) // CAD_UNITS % 5,
        }
        for place in range(AT_ONCE)
    ]
    return orjson.dumps({"key": CAD_KEY, "type": "EVENT_UNIT_STATUS", "data": data})


FIGURES: list[Figure] = [
    Figure(
        "start to ready with 1,000,000 properties", "s", "no properties", (at_most(1.2),), _starts
    ),
    Figure(
        "memory after 1,000,000 events", "MB", "10,000 events", (at_most(1.1),), _events, rounds=1
    ),
    *map(_figure, CASES),
]
