"""Fills databases: the same community, small or large.

A property holds the same in every size: one camera, drones at every fourth, its share of the
visits and alerts, two allowed users, three entries at the door. `BUSY` has one of a hundred visits
and alerts of all, so that the work grows there and not the answer.

What real life limits has the same number in every size, or the answers themselves would grow:
pending properties, open requests for removal, drones that are out, crimes of the last days, link
codes. The journal and the audit log stay empty, as they are only appended to and read by number.
"""

import hashlib
import math
import random
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from db.migrate import APPLICATION_ID, migrations
from db.search import fold_case, may_be_code, words

FILLED = 3
"""The schema that is filled; the bot's own migrations bring it up to date from there."""

DAY = 24 * 60 * 60 * 1000
SPAN = 60 * DAY
"""How far the visits go back."""

ASKED_DAYS = 31 * DAY
"""How far back crimes can be asked for."""

BUSY = 8
"""The property where far more happens than elsewhere."""

BUSY_SHARE = 100
"""One of so many visits and alerts is there."""

REGULARS = 50
"""The people who visit it."""

PENDING = 20
REQUESTED = 10
OUT = 10
CRIMES = 300
CODES = 5_000
"""What has the same number in every size, see above."""


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


FIRST = _names("""
    Hill, Oak, Vine, Mirror, Grove, Alta, Forum, Power, Vespucci, Strawberry, Carson, Popular,
    Rockford, Hawick, Elgin, Milton, Marathon, Prosperity, Dorset, Eclipse, Clinton, Laguna, Meteor,
    Spanish, Tangerine, Utopia, Vista, Wild, York, Zancudo, Bay, Cascade, Dutch, Equality, Fudge,
    Glory, Hang, Integrity, Jamestown, Kimble, Lindsay, Macdonald, Nikola, Orchard, Palomino, Route,
    Senora, Tongva, Union, Vitus
""")
SECOND = _names("""
    crest, wood, view, side, field, land, ridge, gate, brook, ford, mont, dale, point, bridge, park,
    haven, court, shore, stone, well, cliff, spring
""")
KIND = _names("Avenue, Street, Drive, Boulevard, Road, Lane, Way, Place")
BUILDING = _names("""
    Villa, Warehouse, Garage, Apartment, Laundromat, Farm, Shop, Club, Office, Bank, Trailer, Studio
""")
THING = _names("""
    a pool, two floors, a view of the sea, an old roof, a locked cellar, cameras, a helipad,
    a back door, thick walls, a garden, a broken fence, no windows
""")
GIVEN = _names("""
    Wren, Marlow, Ines, Jasper, Odette, Silas, Tamsin, Ruben, Petra, Lionel, Greta, Amos, Noemi,
    Harlan, Cleo, Bruno, Sylvie, Magnus, Daphne, Otis, Ursula, Felix, Thora, Emil, Nadia, Hugo,
    Vera, Casper, Lotte, Ansel
""")
FAMILY = _names("""
    Halloway, Brandt, Quince, Okafor, Lindqvist, Marsh, Delacroix, Petrov, Ashdown, Yamada,
    Ferreira, Kowal, Sandoval, Whitlock, Byrne, Castellan, Nakamura, Orlov, Pryce, Rosales,
    Thackeray, Underhill, Vance, Winslow, Zeller, Abara, Cromwell, Dunmore, Eastman, Fairfax,
    Goldberg, Huxley, Iverson, Jarvis
""")


@dataclass(frozen=True)
class Sizes:
    """How much there is."""

    properties: int
    visits: int
    alerts: int

    @property
    def users(self) -> int:
        """Each owns two properties."""
        return self.properties // 2

    def spread(self, number: int) -> list[int]:
        """Return so many properties, far from each other and none of the first."""
        step = self.properties // (number + 1)
        return [step * place for place in range(1, number + 1)]

    @property
    def pending(self) -> list[int]:
        """The properties that wait for approval."""
        return [near // 10 * 10 + 5 for near in self.spread(PENDING)]

    @property
    def requested(self) -> list[int]:
        """The properties whose removal is requested."""
        return [near // 10 * 10 + 1 for near in self.spread(REQUESTED)]

    @property
    def flying(self) -> list[int]:
        """The properties that have a drone out."""
        return [near // 4 * 4 for near in self.spread(OUT)]


SMALL = Sizes(properties=1_000, visits=10_000, alerts=1_000)
LARGE = Sizes(properties=50_000, visits=1_000_000, alerts=50_000)


def is_removed(property_id: int) -> bool:
    """Tell whether a property was removed long ago, as one of a hundred was."""
    return property_id % 100 == 99


def has_drones(property_id: int) -> bool:
    """Tell whether a property has drones."""
    return property_id % 4 == 0


def camera(property_id: int) -> int:
    """Return the camera of a property."""
    return property_id * 4


def drones(property_id: int) -> tuple[int, int]:
    """Return the drones of a property that has some."""
    return property_id * 4 + 2, property_id * 4 + 3


def user(number: int) -> str:
    """Return the id of a user, as the game makes them."""
    return f"license:{hashlib.sha1(b'%d' % number, usedforsecurity=False).hexdigest()}"


def code(number: int) -> str:
    """Return a code with which a link can be confirmed."""
    return f"C{number:05}"


def member(number: int) -> int:
    """Return the member of the Discord server who was given that code."""
    return 200_000_000_000_000_000 + number


def filled(sizes: Sizes, path: Path) -> None:
    """Make a database of a size; its schema is brought up to date when the bot opens it."""
    today = int(time.time() * 1000) // DAY * DAY
    with closing(sqlite3.connect(path, isolation_level=None)) as sql:
        sql.executescript(
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;"
            + "".join(statements for number, statements in migrations() if number <= FILLED)
            + f"PRAGMA user_version = {FILLED}; PRAGMA application_id = {APPLICATION_ID};"
        )
        sql.execute("BEGIN")
        for into, rows in _rows(sizes, today):
            marks = ", ".join("?" * (into.count(",") + 1))
            sql.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)
        sql.execute("COMMIT")


def _rows(sizes: Sizes, today: int) -> Iterator[tuple[str, Iterable[tuple[object, ...]]]]:
    """Yield the rows of every table, with the columns that they fill."""
    users = [user(number) for number in range(sizes.users)]
    yield "tiers (id, name, price)", [(tier, f"Tier {tier}", "59.99") for tier in (1, 2, 3)]
    yield "equipment_types (id, name)", [(1, "Camera"), (2, "Badge reader"), (3, "Drone")]
    yield "users (id, full_name, searched)", _users(users)
    yield (
        "properties (id, location, tier, x, y, width, height, status, description, owner,"
        " added_at, removed_at, searched, place)",
        _properties(sizes, users, today),
    )
    yield "property_codes (code, property_id, in_location)", _codes(sizes)
    yield (
        "equipment (id, property_id, type, description, added_at, removed_at, searched)",
        _equipment(sizes, today),
    )
    yield "visits (property_id, camera_id, user_id, at)", _visits(sizes, users, today)
    yield (
        "alerts (property_id, user_id, at)",
        ((home, who, at) for home, who, at in _alerts(sizes, users, today)),
    )
    yield (
        "alarms (property_id, raised_at, raised_by, last_at, last_by, touched_at, waiting_since,"
        " outcome, settled_at, settled_by)",
        (
            (home, at, who, at, who, at, at, "resolved", at + 60_000, "dispatcher")
            for home, who, at in _alerts(sizes, users, today)
        ),
    )
    yield "allowed_users (property_id, user_id)", _allowed(sizes, users)
    yield "auth_entries (property_id, user_id, allowed, at)", _entries(sizes, users, today)
    yield "crimes (property_id, client_id, description, at)", _crimes(sizes, users, today)
    yield (
        "removals (property_id, requested_at, reason, previous_status, outcome, settled_at,"
        " settled_by)",
        _removals(sizes, today),
    )
    yield (
        "flights (drone_id, property_id, dispatched_at, dispatched_by, recalled_at, recalled_by)",
        _flights(sizes, today),
    )
    yield (
        "links (member_id, user_id, linked_at, linked_by)",
        ((number + 1, users[number], today, "admin") for number in range(0, sizes.users, 10)),
    )
    yield (
        "link_codes (code, member_id, expires_at)",
        ((code(number), member(number), today + 365 * DAY) for number in range(CODES)),
    )


def _users(users: list[str]) -> Iterator[tuple[object, ...]]:
    chance = random.Random("users")
    for number in users:
        name = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"
        yield number, name, fold_case(name, number)


def _addresses(sizes: Sizes) -> Iterator[tuple[int, str, str]]:
    """Yield id, location and description of each property."""
    chance = random.Random("addresses")
    for property_id in range(1, sizes.properties + 1):
        street = f"{chance.choice(FIRST)}{chance.choice(SECOND)} {chance.choice(KIND)}"
        postal = 1_000 + chance.randrange(900) * 10
        location = f"[{postal}] {chance.randrange(1, 3_000)} {street}"
        yield property_id, location, f"{chance.choice(BUILDING)} with {chance.choice(THING)}"


def _properties(sizes: Sizes, users: list[str], today: int) -> Iterator[tuple[object, ...]]:
    chance = random.Random("properties")
    fixed = dict.fromkeys(sizes.pending, "PENDING") | dict.fromkeys(sizes.requested, "REMOVED")
    usual = ("ACTIVE",) * 17 + ("REJECTED", "FORECLOSED", "FOR SALE")
    for property_id, location, description in _addresses(sizes):
        yield (
            property_id,
            location,
            property_id % 3 + 1,
            chance.randrange(-4_000, 4_500),
            chance.randrange(-4_000, 8_000),
            chance.randrange(5, 40),
            chance.randrange(5, 40),
            fixed.get(property_id, usual[property_id % 20]),
            description,
            users[(property_id - 1) // 2 % len(users)],
            today - SPAN,
            today - SPAN if is_removed(property_id) else None,
            fold_case(location, description),
            " ".join(words(location)),
        )


def _codes(sizes: Sizes) -> Iterator[tuple[object, ...]]:
    for property_id, location, _ in _addresses(sizes):
        for word in set(words(location)):
            if may_be_code(word):
                yield word, property_id, True


def _equipment(sizes: Sizes, today: int) -> Iterator[tuple[object, ...]]:
    added = today - SPAN
    for property_id in range(1, sizes.properties + 1):
        gone = added if is_removed(property_id) else None
        whats = [(camera(property_id), 1, f"{FIRST[property_id % len(FIRST)]} gate")]
        if has_drones(property_id):
            whats += [
                (drone, 3, f"{GIVEN[drone % len(GIVEN)]} drone") for drone in drones(property_id)
            ]
        for equipment_id, kind, name in whats:
            yield equipment_id, property_id, kind, name, added, gone, fold_case(name)


def _scattered(
    sizes: Sizes, number: int, step: int, users: list[str], today: int
) -> Iterator[tuple[int, str, int]]:
    """Yield property, user and time of so many happenings, in the order of time."""
    if math.gcd(step, sizes.properties) > 1:
        raise ValueError(f"{sizes.properties} properties would not all be visited")
    for place in range(number):
        at = today - SPAN + place * SPAN // number
        if place % BUSY_SHARE == 0:
            yield BUSY, users[place // BUSY_SHARE % REGULARS], at
        else:
            yield place * step % sizes.properties + 1, users[place * 7_919 % len(users)], at


def _visits(sizes: Sizes, users: list[str], today: int) -> Iterator[tuple[object, ...]]:
    for home, who, at in _scattered(sizes, sizes.visits, 7_919, users, today):
        yield home, camera(home), who, at


def _alerts(sizes: Sizes, users: list[str], today: int) -> Iterator[tuple[int, str, int]]:
    return _scattered(sizes, sizes.alerts, 6_007, users, today)


def _allowed(sizes: Sizes, users: list[str]) -> Iterator[tuple[object, ...]]:
    for property_id in range(1, sizes.properties + 1):
        for beside in (0, 1):
            yield property_id, users[(property_id * 7 + beside) % len(users)]


def _entries(sizes: Sizes, users: list[str], today: int) -> Iterator[tuple[object, ...]]:
    for home, who, at in _scattered(sizes, 3 * sizes.properties, 3_001, users, today):
        if home != BUSY:
            yield home, who, True, at


def _crimes(sizes: Sizes, users: list[str], today: int) -> Iterator[tuple[object, ...]]:
    old = sizes.properties // 10
    for place in range(old):
        at = today - SPAN + place * (SPAN - ASKED_DAYS - DAY) // old
        yield place * 7 % sizes.properties + 1, users[place % len(users)], "", at
    for place, home in enumerate(sizes.spread(CRIMES)):
        at = today - place * ASKED_DAYS // CRIMES
        yield None if place % 3 == 0 else home, users[place % len(users)], "A robbery", at


def _removals(sizes: Sizes, today: int) -> Iterator[tuple[object, ...]]:
    for property_id in range(20, sizes.properties + 1, 20):
        at = today - SPAN + property_id * SPAN // (sizes.properties + 1)
        yield property_id, at, "Moving away", "ACTIVE", "denied", at + DAY, "approver"
    for property_id in sizes.requested:
        yield property_id, today - DAY, "Moving away", "ACTIVE", None, None, None


def _flights(sizes: Sizes, today: int) -> Iterator[tuple[object, ...]]:
    number = sizes.properties // 4
    for place in range(2 * number):
        home = (place * 7_919 % number + 1) * 4
        at = today - SPAN + place * SPAN // (2 * number)
        yield drones(home)[place // number], home, at, "dispatcher", at + 600_000, "dispatcher"
    for home in sizes.flying:
        yield drones(home)[0], home, today - DAY, "dispatcher", None, None
