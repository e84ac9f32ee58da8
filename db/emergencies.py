"""911 calls from the CAD's pushes, which may come in any order."""

from typing import Any, NamedTuple

from db.calls import FIRST, THESE_CALLS, CallKey, json_keys
from db.database import Reader, Transaction


class EmergencyCall(NamedTuple):
    """A 911 call, or a 311 call where `is_emergency` is 0.

    `seen` is 0 while only its removal or its dispatch call is known. `dispatch_call_id` is the
    dispatch call that was made from it, `panic_id` the panic whose own call this is, `crime_id`
    the crime that it was counted as. `pressed_by` is the number of the unit whose panic button the
    call reports, folded; None if it reports none. `occurrence` is which call of its number it is,
    `dispatch_occurrence` the same of its dispatch call. `age`: how many milliseconds after it
    happened its first push was received. `updated` is the newest of the CAD's own time stamps, in
    milliseconds since 1970. `repeats_call_id` and `repeats_occurrence` are the call that already
    said the same, on whose card this one is counted. `alarm_id` is the alarm for which it was
    placed.
    """

    cad: str
    call_id: int
    is_emergency: int
    caller: str
    location: str
    postal: str
    description: str
    received_at: int
    seen: int
    removed_at: int | None
    dispatch_call_id: int | None
    property_id: int | None
    panic_id: int | None
    crime_id: int | None
    pressed_by: str | None
    x: float | None
    y: float | None
    updated: int | None
    repeats_call_id: int | None
    repeats_occurrence: int | None
    dispatch_occurrence: int | None
    occurrence: int
    touched_at: int
    age: int
    alarm_id: int | None

    @property
    def happened_at(self) -> int:
        return self.received_at - self.age

    @property
    def key(self) -> CallKey:
        return CallKey(self.cad, self.call_id, self.occurrence)

    @property
    def is_open(self) -> bool:
        """Whether nobody has taken it yet."""
        return self.removed_at is None and self.dispatch_call_id is None

    @property
    def repeats_key(self) -> CallKey | None:
        """The call on whose card it is counted."""
        if self.repeats_call_id is None:
            return None
        return CallKey(self.cad, self.repeats_call_id, self.repeats_occurrence or FIRST)

    @property
    def dispatch_key(self) -> CallKey | None:
        """The dispatch call that was made from it."""
        if self.dispatch_call_id is None:
            return None
        return CallKey(self.cad, self.dispatch_call_id, self.dispatch_occurrence or FIRST)


async def put(
    sql: Transaction,
    call: CallKey,
    *,
    is_emergency: bool,
    caller: str,
    location: str,
    postal: str,
    description: str,
    property_id: int | None,
    pressed_by: str | None,
    now: int,
    age: int = 0,
    updated: int | None = None,
    x: float | None = None,
    y: float | None = None,
) -> EmergencyCall:
    """Store what a call says and return it; a removal that came before stays."""
    values = {
        "is_emergency": is_emergency,
        "caller": caller,
        "location": location,
        "postal": postal,
        "description": description,
        "property_id": property_id,
        "pressed_by": pressed_by,
        "updated": updated,
        "x": x,
        "y": y,
        "seen": 1,
    }
    return await _upsert(sql, call, now, values, age)


async def mark_removed(sql: Transaction, call: CallKey, now: int, age: int = 0) -> EmergencyCall:
    """Store that a call, seen or not, is gone; return it."""
    stored = await get(sql, *call)
    at = now - age if stored is None or stored.removed_at is None else stored.removed_at
    return await _upsert(sql, call, now, {"removed_at": at}, age)


async def mark_dispatched(
    sql: Transaction, call: CallKey, dispatch: CallKey, now: int, age: int = 0
) -> EmergencyCall:
    """Store which dispatch call was made from a call, seen or not; return it."""
    made = {"dispatch_call_id": dispatch.call_id, "dispatch_occurrence": dispatch.occurrence}
    return await _upsert(sql, call, now, made, age)


async def mark_repeated(
    sql: Transaction, call: EmergencyCall, repeated: CallKey | None
) -> EmergencyCall:
    """Store that a call says the same as another one, or as none; return it."""
    _, number, occurrence = repeated or (None, None, None)
    await sql.update(
        "emergency_calls",
        {"repeats_call_id": number, "repeats_occurrence": occurrence},
        **call.key._asdict(),
    )
    return call._replace(repeats_call_id=number, repeats_occurrence=occurrence)


async def alike(sql: Reader, call: EmergencyCall, within: int, near: float) -> list[EmergencyCall]:
    """Return the open calls that say the same as a call and may be about the same, oldest first.

    They happened within so many milliseconds of it. Blanks and, in ASCII, capitals make no
    difference. Their location is written alike, which is for the caller to check if it is not all
    ASCII, or they may be within so many metres. `+cad` has SQLite go through the
    newest open calls, not through all calls of the CAD.
    """
    same = (
        "seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND panic_id IS NULL"
        " AND received_at >= ?1 AND received_at - age BETWEEN ?1 AND ?2"
        f" AND +cad = ?3 AND is_emergency = ?4 AND {_compact('description')} = {_compact('?5')}"
        " AND pressed_by IS NULL AND (call_id, occurrence) <> (?6, ?7)"
        f" AND ({_compact('location')} = {_compact('?8')} OR x BETWEEN ?9 - ?10 AND ?9 + ?10"
        "  OR NOT ?11 OR location GLOB '*[^ -~]*')"
    )
    ordered = f"emergency_calls WHERE {same} ORDER BY received_at, call_id"
    return await sql.select(
        EmergencyCall,
        ordered,
        call.happened_at - within,  # a call is never received before it happened
        call.happened_at + within,
        call.cad,
        call.is_emergency,
        call.description,
        call.call_id,
        call.occurrence,
        call.location,
        call.x,
        near,
        call.location.isascii(),
    )


def _compact(text: str) -> str:
    """Return SQL for a text without blanks and, as far as it is ASCII, in lower case."""
    for blank in " \n\t\u00a0":
        text = f"replace({text}, char({ord(blank)}), '')"
    return f"lower({text})"


async def repeats(sql: Reader, call: CallKey) -> list[EmergencyCall]:
    """Return the calls that are counted on a call's card, oldest first."""
    same = "cad = ? AND repeats_call_id = ? AND repeats_occurrence = ?"
    ordered = f"emergency_calls WHERE {same} ORDER BY received_at, call_id"
    return await sql.select(EmergencyCall, ordered, *call)


async def made_into(sql: Reader, dispatch: CallKey) -> list[EmergencyCall]:
    """Return the 911 calls that a dispatch call was made from, by number."""
    made = "cad = ? AND dispatch_call_id = ? AND dispatch_occurrence = ?"
    ordered = f"emergency_calls WHERE {made} ORDER BY call_id, occurrence"
    return await sql.select(EmergencyCall, ordered, *dispatch)


async def _upsert(
    sql: Transaction, call: CallKey, now: int, values: dict[str, Any], age: int
) -> EmergencyCall:
    changed = {**values, "touched_at": now}
    return await sql.upsert(
        EmergencyCall, "emergency_calls", call._asdict(), changed, received_at=now, age=age
    )


async def get(
    sql: Reader, cad: str, call_id: int, occurrence: int | None = None
) -> EmergencyCall | None:
    """Return a call; without an occurrence, the newest of its number."""
    if occurrence is None:
        return next(iter(await of_number(sql, cad, call_id)), None)
    return await sql.find(
        EmergencyCall, "emergency_calls", **CallKey(cad, call_id, occurrence)._asdict()
    )


async def of_number(sql: Reader, cad: str, call_id: int) -> list[EmergencyCall]:
    """Return the calls of a number, the newest first."""
    newest_first = "emergency_calls WHERE cad = ? AND call_id = ? ORDER BY occurrence DESC"
    return await sql.select(EmergencyCall, newest_first, cad, call_id)


async def by_keys(sql: Reader, keys: list[CallKey]) -> list[EmergencyCall]:
    these = f"emergency_calls WHERE {THESE_CALLS} ORDER BY call_id, occurrence"
    return await sql.select(EmergencyCall, these, json_keys(keys))


async def open_calls(sql: Reader, limit: int) -> list[EmergencyCall]:
    """Return the calls of all CADs that nobody has taken yet, but not those of panics.

    Emergencies come first, then those that have waited longest.

    Calls that say the same are one, also if the first of them is over.
    """
    waiting = "seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND panic_id IS NULL"
    first = (
        "SELECT cad, coalesce(repeats_call_id, call_id), coalesce(repeats_occurrence, occurrence)"
        f" FROM emergency_calls WHERE {waiting}"
    )
    urgent_first = "ORDER BY is_emergency DESC, received_at - age, cad, call_id, occurrence"
    urgent = f"emergency_calls WHERE (cad, call_id, occurrence) IN ({first}) {urgent_first} LIMIT ?"
    return await sql.select(EmergencyCall, urgent, limit)


async def of_cad(sql: Reader, cad: str, limit: int) -> list[EmergencyCall]:
    """Return the newest calls of a CAD that are not removed."""
    newest = "removed_at IS NULL AND seen AND cad = ? ORDER BY received_at DESC LIMIT ?"
    return await sql.select(EmergencyCall, f"emergency_calls WHERE {newest}", cad, limit)


async def silent(sql: Reader, before: int, limit: int) -> list[EmergencyCall]:
    """Return calls that nobody has taken and about which the last push came before a time."""
    waiting = "seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND touched_at < ?"
    oldest = f"emergency_calls WHERE {waiting} ORDER BY touched_at LIMIT ?"
    return await sql.select(EmergencyCall, oldest, before, limit)


async def of_panic(sql: Reader, panic_id: int) -> list[EmergencyCall]:
    """Return the 911 calls that scripts made of a panic, oldest first."""
    oldest = "emergency_calls WHERE panic_id = ? AND seen ORDER BY received_at, call_id"
    return await sql.select(EmergencyCall, oldest, panic_id)


async def open_at(sql: Reader, property_id: int) -> list[EmergencyCall]:
    """Return the calls at a property that nobody has taken yet, panics' too, oldest first.

    Those that say the same as another are left out.
    """
    waiting = (
        "seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND property_id = ?"
        " AND repeats_call_id IS NULL"
    )
    oldest = f"emergency_calls WHERE {waiting} ORDER BY received_at, call_id"
    return await sql.select(EmergencyCall, oldest, property_id)


async def loose_panic_calls(sql: Reader, cad: str, since: int) -> list[EmergencyCall]:
    """Return the calls since a time that report a panic button and belong to no panic yet."""
    loose = "cad = ? AND received_at >= ? AND pressed_by IS NOT NULL AND panic_id IS NULL"
    ordered = f"emergency_calls WHERE {loose} ORDER BY received_at, call_id"
    return await sql.select(EmergencyCall, ordered, cad, since)


async def fold_into_panic(sql: Transaction, call: CallKey, panic_id: int) -> None:
    await sql.update("emergency_calls", {"panic_id": panic_id}, **call._asdict())


async def of_alarm(sql: Reader, alarm_id: int) -> list[EmergencyCall]:
    """Return the 911 calls that were placed for an alarm, oldest first."""
    oldest = "emergency_calls WHERE alarm_id = ? AND seen ORDER BY received_at, call_id"
    return await sql.select(EmergencyCall, oldest, alarm_id)


async def set_alarm(sql: Transaction, call: EmergencyCall, alarm_id: int) -> EmergencyCall:
    """Store for which alarm a call was placed; return it."""
    await sql.update("emergency_calls", {"alarm_id": alarm_id}, **call.key._asdict())
    return call._replace(alarm_id=alarm_id)


async def nearest_postal(
    sql: Reader, cad: str, x: float, y: float, near: float, longest: int
) -> str | None:
    """Return the postal code of the stored call that is nearest to a point, within some metres.

    `longest`: characters of a code; scripts write whole sentences there.
    """
    there = (
        "cad = ?1 AND length(postal) BETWEEN 1 AND ?5"
        " AND x BETWEEN ?2 - ?4 AND ?2 + ?4 AND y BETWEEN ?3 - ?4 AND ?3 + ?4"
    )
    by_distance = "ORDER BY (x - ?2) * (x - ?2) + (y - ?3) * (y - ?3) LIMIT 1"
    return await sql.one(
        str,
        f"SELECT postal FROM emergency_calls WHERE {there} {by_distance}",
        cad,
        x,
        y,
        near,
        longest,
    )


async def mark_counted(sql: Transaction, call: CallKey, crime_id: int) -> None:
    await sql.update("emergency_calls", {"crime_id": crime_id}, **call._asdict())


async def forgettable(
    sql: Reader, over_before: int, untouched_before: int, limit: int
) -> list[CallKey]:
    """Return calls that were removed or not heard of before these times.

    A call stays as long as the dispatch call made from it is open.
    """
    return await sql.all(
        CallKey,
        "SELECT cad, call_id, occurrence FROM emergency_calls AS call WHERE touched_at < ?"
        " AND (touched_at < ? OR (removed_at IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM dispatch_calls WHERE cad = call.cad AND call_id = call.dispatch_call_id"
        " AND occurrence = call.dispatch_occurrence AND closed_at IS NULL)))"
        " ORDER BY touched_at LIMIT ?",
        max(over_before, untouched_before),
        untouched_before,
        limit,
    )


async def forget(sql: Transaction, call: CallKey) -> None:
    await sql.delete("emergency_calls", **call._asdict())
