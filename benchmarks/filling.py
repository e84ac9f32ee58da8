"""Fills databases: the same community, small or large.

A property holds the same in every size: one camera, drones at every fourth, its share of the
visits and alerts, two allowed users, three entries at the door. `BUSY` has one of a hundred visits
and alerts of all, so that the work grows there and not the answer.

What real life limits has the same number in every size, or the answers themselves would grow:
pending properties, open requests for removal, drones that are out, crimes of the last days, link
codes. The journal and the audit log stay empty, as they are only appended to and read by number.
"""

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from db.migrate import APPLICATION_ID, migrations

FILLED = 3
"""The schema that is filled; the bot's own migrations bring it up to date from there."""

SQL = Path(__file__).with_suffix(".sql")

DAY = 24 * 60 * 60 * 1000
SPAN = 60 * DAY
"""How far the visits go back, in milliseconds."""

BUSY = 8
"""The property where far more happens than elsewhere."""

CODES = 5_000
PENDING, REQUESTED, OUT = 20, 10, 10
"""How much of it there is in every size."""


def words(text: str) -> list[str]:
    return text.split()


FIRST = words("""
    Hill Oak Vine Mirror Grove Alta Forum Power Vespucci Strawberry Carson Popular Rockford
    Hawick Elgin Milton Marathon Prosperity Dorset Eclipse Clinton Laguna Meteor Spanish Tangerine
    Utopia Vista Wild York Zancudo Bay Cascade Dutch Equality Fudge Glory Hang Integrity Jamestown
    Kimble Lindsay Macdonald Nikola Orchard Palomino Route Senora Tongva Union Vitus
""")
FAMILY = words("""
    Halloway Brandt Quince Okafor Lindqvist Marsh Delacroix Petrov Ashdown Yamada Ferreira
    Kowal Sandoval Whitlock Byrne Castellan Nakamura Orlov Pryce Rosales Thackeray Underhill Vance
    Winslow Zeller Abara Cromwell Dunmore Eastman Fairfax Goldberg Huxley Iverson Jarvis
""")
WORDS = {
    "first": FIRST,
    "second": words("crest wood view side field land ridge gate brook ford mont dale point haven"),
    "kind": words("Avenue Street Drive Boulevard Road Lane Way Place"),
    "building": words("Villa Warehouse Garage Apartment Farm Shop Club Office Bank Trailer"),
    "thing": [
        *["a pool", "two floors", "a view of the sea", "an old roof", "a locked cellar", "cameras"],
        *["a helipad", "a back door", "thick walls", "a garden", "a broken fence", "no windows"],
    ],
    "given": words("""
        Wren Marlow Ines Jasper Odette Silas Tamsin Ruben Petra Lionel Greta Amos Noemi
        Harlan Cleo Bruno Sylvie Magnus Daphne Otis Ursula Felix Thora Emil Nadia Hugo
    """),
    "family": FAMILY,
}


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

    def _spread(self, number: int, step: int, offset: int) -> list[int]:
        """Return so many properties, far from each other; step and offset keep them apart."""
        distance = self.properties // (number + 1)
        return [distance * place // step * step + offset for place in range(1, number + 1)]

    @property
    def pending(self) -> list[int]:
        """The properties that wait for approval."""
        return self._spread(PENDING, 10, 5)

    @property
    def requested(self) -> list[int]:
        """The properties whose removal is requested."""
        return self._spread(REQUESTED, 10, 1)

    @property
    def flying(self) -> list[int]:
        """The properties that have a drone out."""
        return self._spread(OUT, 4, 0)


SMALL = Sizes(properties=1_000, visits=10_000, alerts=1_000)
LARGE = Sizes(properties=50_000, visits=1_000_000, alerts=50_000)


def is_removed(property_id: int) -> bool:
    """Tell whether a property was removed long ago, as one of a hundred was."""
    return property_id % 100 == 99


def has_drones(property_id: int) -> bool:
    return property_id % 4 == 0


def camera(property_id: int) -> int:
    return property_id * 4


def first_drone(property_id: int) -> int:
    """Return the first drone of a property that has some."""
    return property_id * 4 + 2


def user(number: int) -> str:
    return f"license:{number:040x}"


def code(number: int) -> str:
    """Return a code with which a link can be confirmed."""
    return f"C{number:05}"


def member(number: int) -> int:
    """Return the member of the Discord server who was given that code."""
    return 200_000_000_000_000_000 + number


def filled(sizes: Sizes, path: Path) -> None:
    """Make a database of a size; its schema is brought up to date when the bot opens it."""
    states = {"pending": sizes.pending, "requested": sizes.requested, "flying": sizes.flying}
    values = {
        "users": sizes.users,
        "properties": sizes.properties,
        "visits": sizes.visits,
        "alerts": sizes.alerts,
        "today": int(time.time() * 1000) // DAY * DAY,
        "day": DAY,
        "span": SPAN,
        "states": json.dumps(states),
    }
    with closing(sqlite3.connect(path, isolation_level=None)) as sql:
        sql.create_function("word", 2, lambda name, n: WORDS[name][n % len(WORDS[name])])
        sql.executescript(
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;"
            + "".join(statements for number, statements in migrations() if number <= FILLED)
            + f"PRAGMA user_version = {FILLED}; PRAGMA application_id = {APPLICATION_ID};"
            + "CREATE TEMP TABLE series (n INTEGER PRIMARY KEY); BEGIN;"
        )
        sql.executemany("INSERT INTO series VALUES (?)", ((n,) for n in range(sizes.visits + 1)))
        for statement in SQL.read_text("utf-8").split(";\n"):
            sql.execute(statement, values)
        sql.execute("COMMIT")
