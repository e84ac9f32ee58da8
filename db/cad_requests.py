"""What the bot asks of a CAD: the outbox, and when what was sent to each endpoint."""

import json
from collections.abc import Collection
from typing import Any, Literal, NamedTuple

from db.database import Reader, Transaction

RequestState = Literal["new", "sent", "done", "refused", "unknown"]
"""`new`: nothing can have happened yet. `sent`: it may have. The others are the end of it."""

OPEN = "state IN ('new', 'sent')"

LONGEST = 60 * 60 * 1000
"""Milliseconds within which a request with a deadline has ended."""


class CadRequest(NamedTuple):
    """A request to a CAD; times in milliseconds since 1970.

    `body`: what is asked, a JSON object. `lane`: lower ones go first. `subject`: whose card shows
    it, blank for none. `after`: the request whose call it is about, which must be done first.
    `due_at`: not before; `deadline`: not afterwards, None for whenever. `answer`: what is known of
    its effect, a JSON object with `callId` and `identIds`. `why`: a word for why it was not done,
    `detail` the CAD's own text about it.
    """

    seq: int
    id: str
    cad: str
    kind: str
    lane: int
    body: str
    subject: str
    asked_by: str
    after: str | None
    state: RequestState
    tries: int
    asked_at: int
    due_at: int
    deadline: int | None
    sent_at: int | None
    ended_at: int | None
    answer: str
    why: str
    detail: str

    @property
    def is_open(self) -> bool:
        return self.ended_at is None

    @property
    def asked(self) -> dict[str, Any]:
        """What is asked."""
        asked: dict[str, Any] = json.loads(self.body)
        return asked

    @property
    def call_id(self) -> int | None:
        """The call that it made or was about; None if that is not known."""
        return self._effect.get("callId")

    @property
    def idents(self) -> list[int] | None:
        """The units that it was done for; None if that is not known."""
        return self._effect.get("identIds")

    @property
    def _effect(self) -> dict[str, Any]:
        effect: dict[str, Any] = json.loads(self.answer or "{}")
        return effect


class CadSend(NamedTuple):
    """When a request was sent to an endpoint."""

    endpoint: str
    at: int


class WaitingRequests(NamedTuple):
    """How much people and rules have asked of a CAD that is not done yet, and since when."""

    cad: str
    number: int
    since: int


def effect_text(call_id: int | None, idents: list[int] | None = None) -> str:
    """Write the effect of a request as it is stored."""
    return json.dumps({"callId": call_id, "identIds": idents})


async def add(
    sql: Transaction,
    *,
    id: str,  # noqa: A002 - the column's name
    cad: str,
    kind: str,
    lane: int,
    body: str,
    now: int,
    deadline: int | None,
    subject: str = "",
    asked_by: str = "",
    after: str | None = None,
) -> None:
    await sql.insert(
        "cad_requests",
        id=id,
        cad=cad,
        kind=kind,
        lane=lane,
        body=body,
        subject=subject,
        asked_by=asked_by,
        after=after,
        asked_at=now,
        due_at=now,
        deadline=deadline,
    )


async def get(sql: Reader, request_id: str) -> CadRequest | None:
    return await sql.find(CadRequest, "cad_requests", id=request_id)


async def ready(sql: Reader, now: int, latest_due: int, once: Collection[str]) -> list[CadRequest]:
    """Return what may be sent now: of each kind and CAD the oldest, the first lanes first.

    What is about one subject, or asked by one member, keeps its order; panics overtake it.
    `latest_due`: who is to wait longer was postponed before the clock was set back. `once`: the
    kinds that must not be sent again just like that.
    """
    oldest = f"""
        SELECT min(seq) FROM cad_requests AS asked INDEXED BY cad_requests_open
        WHERE {OPEN} AND (due_at <= ?1 OR due_at > ?2)
        AND NOT (state = 'sent' AND kind IN (SELECT value FROM json_each(?3)))
        AND NOT EXISTS (
            SELECT 1 FROM cad_requests AS made WHERE made.id = asked.after AND made.ended_at IS NULL
        )
        AND (lane = 0 OR subject = '' OR NOT EXISTS (
            SELECT 1 FROM cad_requests AS earlier WHERE earlier.{OPEN}
            AND earlier.subject = asked.subject AND earlier.seq < asked.seq
        ))
        AND (lane = 0 OR asked_by NOT LIKE 'discord:%' OR NOT EXISTS (
            SELECT 1 FROM cad_requests AS earlier WHERE earlier.{OPEN}
            AND earlier.asked_by = asked.asked_by AND earlier.seq < asked.seq
            AND earlier.cad = asked.cad
        ))
        GROUP BY cad, kind
    """
    return await sql.select(
        CadRequest,
        f"cad_requests WHERE seq IN ({oldest}) ORDER BY lane, seq",
        now,
        latest_due,
        json.dumps(sorted(once)),
    )


async def next_moment(sql: Reader, now: int) -> int | None:
    """Return when a request is due next, or too late."""
    columns = [f"SELECT {name} AS at FROM cad_requests WHERE {OPEN}" for name in _MOMENTS]
    later = f"SELECT at FROM ({' UNION ALL '.join(columns)}) WHERE at > ? ORDER BY at LIMIT 1"
    return await sql.one(int, later, now)


_MOMENTS = ("due_at", "deadline")


async def overdue(sql: Reader, now: int) -> list[CadRequest]:
    """Return what is too late by now and not done yet."""
    return await sql.select(CadRequest, f"cad_requests WHERE {OPEN} AND deadline <= ?", now)


async def interrupted(sql: Reader) -> list[CadRequest]:
    """Return what was sent and has no answer yet."""
    return await sql.select(
        CadRequest, f"cad_requests WHERE {OPEN} AND state = 'sent' ORDER BY lane, seq"
    )


async def waiting(sql: Reader) -> list[WaitingRequests]:
    """Return how much waits for each CAD; its readings do not count."""
    columns = "SELECT cad, count(*), min(asked_at) FROM cad_requests INDEXED BY cad_requests_open"
    return await sql.all(
        WaitingRequests, f"{columns} WHERE {OPEN} AND deadline IS NOT NULL GROUP BY cad"
    )


async def unfinished_of_kind(sql: Reader, cad: str, kind: str) -> list[CadRequest]:
    ordered = f"cad_requests WHERE {OPEN} AND cad = ? AND kind = ? ORDER BY seq"
    return await sql.select(CadRequest, ordered, cad, kind)


async def of_subject(sql: Reader, subject: str) -> list[CadRequest]:
    """Return the requests about a subject, oldest first."""
    return await sql.select(CadRequest, "cad_requests WHERE subject = ? ORDER BY seq", subject)


async def recent(sql: Reader, cad: str, kinds: Collection[str], since: int) -> list[CadRequest]:
    """Return requests of these kinds that were sent, and are not done yet or ended since a time."""
    theirs = "cad = ? AND kind IN (SELECT value FROM json_each(?)) AND asked_at >= ?"
    sent = "sent_at IS NOT NULL AND state <> 'refused' AND (ended_at IS NULL OR ended_at >= ?)"
    earliest = since - LONGEST
    return await sql.select(
        CadRequest,
        f"cad_requests WHERE {theirs} AND {sent} ORDER BY seq",
        cad,
        json.dumps(sorted(kinds)),
        earliest,
        since,
    )


async def asked_since(sql: Reader, cad: str, asked_by: str, kind: str, since: int) -> int:
    """Count what somebody asked of a CAD since a time."""
    theirs = "cad_requests WHERE cad = ? AND asked_by = ? AND kind = ? AND asked_at >= ?"
    return await sql.count(theirs, cad, asked_by, kind, since)


async def mark_sent(sql: Transaction, request_id: str, now: int) -> bool:
    """Store that a request is about to be sent; return whether it is still to be done."""
    sent = "UPDATE cad_requests SET state = 'sent', tries = tries + 1, sent_at = ?"
    return await sql.count_changes(f"{sent} WHERE id = ? AND {OPEN}", now, request_id) > 0


async def postpone(
    sql: Transaction, request_id: str, due_at: int, *, may_have_happened: bool
) -> bool:
    """Have a request tried again at a time; return whether it is still to be done."""
    state = "sent" if may_have_happened else "new"
    later = f"UPDATE cad_requests SET state = ?, due_at = ? WHERE id = ? AND {OPEN}"
    return await sql.count_changes(later, state, due_at, request_id) > 0


async def hasten(sql: Transaction, cad: str, now: int) -> None:
    """Have everything that a CAD has not done yet tried now, in its order."""
    await sql.run(f"UPDATE cad_requests SET due_at = ? WHERE {OPEN} AND cad = ?", now, cad)


async def end(
    sql: Transaction,
    request_id: str,
    state: RequestState,
    now: int,
    *,
    answer: str = "",
    why: str = "",
    detail: str = "",
) -> bool:
    """End a request; return whether it was not ended before."""
    ended = "state = ?, ended_at = ?, answer = ?, why = ?, detail = ?"
    whose = f"UPDATE cad_requests SET {ended} WHERE id = ? AND {OPEN}"
    changes = await sql.count_changes(whose, state, now, answer, why, detail, request_id)
    return changes > 0


async def note_answer(sql: Transaction, request_id: str, answer: str) -> None:
    """Store what is known of the effect of a request before its end."""
    await sql.update("cad_requests", {"answer": answer}, id=request_id)


async def confirm(sql: Transaction, request_id: str, now: int, answer: str) -> None:
    """Store that a request was done after all, whatever was thought of it."""
    done = {"state": "done", "ended_at": now, "answer": answer, "why": "", "detail": ""}
    await sql.update("cad_requests", done, id=request_id)


async def add_send(sql: Transaction, cad: str, endpoint: str, now: int) -> None:
    """Store that an endpoint of a CAD is about to be asked."""
    await sql.insert("cad_sends", cad=cad, endpoint=endpoint, at=now)


async def sends(sql: Reader, cad: str, since: int) -> list[CadSend]:
    """Return what was sent to a CAD since a time."""
    return await sql.select(CadSend, "cad_sends WHERE at >= ? AND cad = ? ORDER BY at", since, cad)


async def forget_sends(sql: Transaction, before: int) -> None:
    await sql.run("DELETE FROM cad_sends WHERE at < ?", before)


async def prune(sql: Transaction, before: int, limit: int) -> int:
    """Delete up to `limit` requests that ended before a time; return how many."""
    oldest = "SELECT seq FROM cad_requests WHERE ended_at < ? ORDER BY ended_at LIMIT ?"
    return await sql.count_changes(
        f"DELETE FROM cad_requests WHERE seq IN ({oldest})", before, limit
    )
