"""Fingerprints of recent pushes, by which duplicates and late pushes are found."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from db.database import Reader, Transaction


class RecentPush(NamedTuple):
    """A recent push.

    `transports` are those that delivered it, in that order, and `arrivals` when each did, in
    milliseconds since 1970, both separated by blanks. `subjects` are what it is about, as a JSON
    list; `first_event` and `events` say where it is in the journal. `at` is its first arrival.
    """

    id: int
    transports: str
    arrivals: str
    subjects: str
    at: int
    first_event: int
    events: int

    def arrival(self, transport: str) -> int | None:
        """Return when a transport delivered the push."""
        times = map(int, self.arrivals.split(" "))
        return dict(zip(self.transports.split(" "), times, strict=True)).get(transport)


_HAS_TRANSPORT = "instr(' ' || transports || ' ', ' ' || ?2 || ' ')"
_HAS_SEVERAL = "instr(transports, ' ')"
_CAME_FIRST_OVER = "instr(transports || ' ', ?2 || ' ') = 1"
_SHARES_SUBJECT = (
    "EXISTS (SELECT 1 FROM json_each(fingerprints.subjects) AS own"
    " JOIN json_each(?3) AS other ON own.value = other.value)"
)


async def is_duplicate(
    sql: Transaction, digest: bytes, transport: str, since: int, now: int
) -> bool:
    """Record a push; return whether another transport has delivered it since a time.

    What comes twice over one transport happened twice: the nth copy of each transport is the
    same event as the nth of the others.
    """
    number = await sql.one(
        int,
        "SELECT id FROM fingerprints WHERE digest = ?1 AND at >= ?3"
        f" AND NOT {_HAS_TRANSPORT} ORDER BY at, id LIMIT 1",
        digest,
        transport,
        since,
    )
    if number is None:
        await sql.insert(
            "fingerprints", digest=digest, transports=transport, arrivals=str(now), at=now
        )
        return False
    await sql.run(
        "UPDATE fingerprints SET transports = transports || ' ' || ?2,"
        " arrivals = arrivals || ' ' || ?3 WHERE id = ?1",
        number,
        transport,
        now,
    )
    return True


async def newest(sql: Reader, digest: bytes, transport: str) -> RecentPush | None:
    """Return the newest of equal pushes that a transport delivered."""
    of_transport = f"fingerprints WHERE digest = ?1 AND {_HAS_TRANSPORT} ORDER BY id DESC LIMIT 1"
    found = await sql.select(RecentPush, of_transport, digest, transport)
    return found[0] if found else None


async def describe(
    sql: Transaction,
    digest: bytes,
    subjects: Iterable[str],
    first_event: int,
    events: int,
) -> None:
    """Store what the newest push with a digest is about, and where it is in the journal."""
    await sql.run(
        "UPDATE fingerprints SET subjects = ?, first_event = ?, events = ?"
        " WHERE id = (SELECT max(id) FROM fingerprints WHERE digest = ?)",
        json.dumps(list(subjects)),
        first_event,
        events,
        digest,
    )


async def about(sql: Reader, subject: str, at: int) -> list[RecentPush]:
    """Return the pushes about a subject that first came at a time."""
    these = "EXISTS (SELECT 1 FROM json_each(subjects) WHERE value = ?)"
    return await sql.select(RecentPush, f"fingerprints WHERE at = ? AND {these}", at, subject)


async def last_copied(sql: Reader, transport: str) -> RecentPush | None:
    """Return the newest push that a transport and also another one delivered."""
    copied = f"fingerprints WHERE id > ?1 AND {_HAS_TRANSPORT} AND {_HAS_SEVERAL}"
    found = await sql.select(RecentPush, f"{copied} ORDER BY id DESC LIMIT 1", 0, transport)
    return found[0] if found else None


async def delivered_others(
    sql: Reader, push: RecentPush, transport: str, since: int, until: int
) -> bool:
    """Return whether a transport was the first with another push about the same.

    That one came after this push, or first came from `since` on and before `until`.
    """
    others = f"fingerprints WHERE id <> ?1 AND {_CAME_FIRST_OVER} AND {_SHARES_SUBJECT}"
    either = f"{others} AND (id > ?1 OR (at >= ?4 AND at < ?5))"
    return await sql.count(either, push.id, transport, push.subjects, since, until) > 0


async def since(sql: Reader, push: RecentPush, transport: str) -> list[RecentPush]:
    """Return a push and later ones about the same.

    Those that came first over the transport are left out.
    """
    later = f"fingerprints WHERE id >= ?1 AND NOT {_CAME_FIRST_OVER} AND {_SHARES_SUBJECT}"
    return await sql.select(RecentPush, f"{later} ORDER BY id", push.id, transport, push.subjects)


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` pushes that are older than a time; return how many."""
    oldest = "SELECT id FROM fingerprints WHERE at < ? ORDER BY at LIMIT ?"
    return await sql.count_changes(
        f"DELETE FROM fingerprints WHERE id IN ({oldest})", before, limit
    )
