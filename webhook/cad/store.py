"""Storing a push whose key was checked: parsed, applied, journalled and published."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

import orjson

from db import crimes, emergencies, fingerprints
from webhook.cad.apply import apply
from webhook.cad.apply.occurrences import emergency_call
from webhook.cad.arrival import DUPLICATE_WINDOW, OWN, Arrival
from webhook.cad.events.calls import Call911
from webhook.cad.events.event import CadEvent, UnhandledType, unit_subjects
from webhook.cad.events.registry import parse
from webhook.cad.events.units import UnitPanic
from webhook.cad.events.unknown import event_data, event_name
from webhook.cad.own.echoes import is_echo
from webhook.cad.own.news import news_of
from webhook.cad.replay import replay
from webhook.cad.status_names import StatusNames
from webhook.protocol.context import Change, Context
from webhook.protocol.events import CAD, Crime, Subject
from webhook.protocol.idempotency import RequestKey, carry_out
from webhook.queries.models import property_subject

CRIME_DESCRIPTION = 2_000
"""Characters of a crime's description, as `add-crime` takes them."""

FINGERPRINT_BYTES = 16

Stored = Literal["ok", "duplicate", "replayed"]
"""What happened to a push: stored, dropped as a duplicate, or answered by its key."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PushConfig:
    """How pushes are stored.

    `window`: milliseconds within which an equal push over another transport is a duplicate; 0:
    none ever is. `crimes_from_calls`: whether emergencies count as crimes. `zone`: that of the
    CAD's times where they name none; None: the community's. `names`: what the community calls
    statuses and codes. `name_cad`: whether events name their CAD, as there are several.
    """

    window: int = DUPLICATE_WINDOW
    crimes_from_calls: bool = False
    zone: ZoneInfo | None = None
    names: StatusNames = field(default_factory=StatusNames)
    name_cad: bool = False


async def store_push(
    context: Context,
    cad: str,
    body: dict[str, Any],
    transport: str = "",
    config: PushConfig = PushConfig(),
    key: RequestKey | None = None,
) -> Stored:
    """Store a push on disk, once.

    `transport` names how it arrived, without blanks; a duplicate over another one is dropped. With
    the key of an earlier push nothing is done.

    Raises:
        UnhandledType: nobody handles the type; the push is in the journal all the same.
        InvalidPush: its envelope or ids make no sense; nothing was stored.
        KeyReused: another push came with this key; nothing was stored.
        StorageUnavailable: nothing was stored.
    """
    written, unknown = _read(body, cad, config)
    if not written:
        return "ok"
    zone = config.zone or context.zone
    arrival = Arrival(cad, transport, config.window, zone, context.zone)

    async def store(joined: Context) -> str:
        async with joined.change() as change:
            return await _store(change, arrival, written, config)

    answer, is_replayed = await carry_out(context, key, store)
    if unknown is not None:
        raise unknown
    if is_replayed:
        return "replayed"
    return "ok" if answer == "ok" else "duplicate"


def _read(
    body: dict[str, Any], cad: str, config: PushConfig
) -> tuple[list["_Written"], UnhandledType | None]:
    """Return the events of a push, and the fault if nobody handles its type."""
    sender = {"cad": cad} if config.name_cad else {}
    try:
        return [_Written.of(event, config.names, sender) for event in parse(body)], None
    except UnhandledType as fault:
        return [_Written.of_unknown(fault, body, sender)], fault


async def _store(
    change: Change, arrival: Arrival, written: list["_Written"], config: PushConfig
) -> str:
    """Apply and journal the events of a push, unless it is a duplicate."""
    digest = _fingerprint(arrival.cad, written)
    if await _is_duplicate(change, arrival, digest):
        log.debug("dropped a duplicate push that came over %s", arrival.transport)
        await replay(change, arrival, digest)
        return "duplicate"
    about: dict[Subject, None] = {}
    numbers = []
    for one in written:
        if one.event is not None and await is_echo(one.event, change, arrival.cad):
            continue
        number, subjects = await _apply(change, arrival, one, config)
        numbers.append(number)
        about |= subjects
        if isinstance(one.event, UnitPanic):  # also one that ends nothing
            about |= dict.fromkeys(unit_subjects(arrival.cad, one.event.idents))
    if config.window and numbers:
        span = numbers[-1] - numbers[0] + 1
        await fingerprints.describe(change.sql, digest, map(str, about), numbers[0], span)
    return "ok"


async def _apply(
    change: Change, arrival: Arrival, written: "_Written", config: PushConfig
) -> tuple[int, dict[Subject, None]]:
    """Apply and journal an event; return its number and its subjects."""
    event = written.event
    subjects = dict.fromkeys(await apply(event, change, arrival) if event is not None else [])
    number = await change.emit_named(f"{CAD}.{written.type}", written.data, *subjects)
    if config.crimes_from_calls and isinstance(event, Call911):
        await _count_as_crime(change, arrival, event.call_id)
    return number, subjects


async def store_own(
    change: Change,
    context: Context,
    cad: str,
    config: PushConfig,
    events: Iterable[CadEvent],
    since: int,
    *,
    is_late: bool = False,
) -> None:
    """Apply and journal what our own requests did or read, as far as it is not stored yet.

    No fingerprint is stored: the CAD may push the same later because it happened again. `since`:
    when it can have happened at the earliest. `is_late`: it may be old, so nobody is mentioned.
    """
    arrival = Arrival(cad, OWN, config.window, config.zone or context.zone, context.zone)
    sender = ({"cad": cad} if config.name_cad else {}) | ({"reconciled": True} if is_late else {})
    for event in events:
        news = await news_of(event, change, cad, since)
        if news is not None:
            await _apply(change, arrival, _Written.of(news, config.names, sender), config)


class _Written(NamedTuple):
    """The type and the JSON of an event; without the event itself if nobody handles the type."""

    type: str
    data: bytes
    event: CadEvent | None

    @classmethod
    def of(cls, event: CadEvent, names: StatusNames, sender: dict[str, Any]) -> Self:
        data = event.model_dump(by_alias=True) | sender
        names.add_to(data)
        return cls(event.type, orjson.dumps(data), event)

    @classmethod
    def of_unknown(cls, fault: UnhandledType, body: dict[str, Any], sender: dict[str, str]) -> Self:
        """Read a push of an unknown type; the fault then names the type as the event does."""
        # For declared types only declared fields are stored; here the key may be anywhere.
        key = str(body.get("key", ""))
        fault.type = event_name(fault.type, key)
        return cls(fault.type, event_data(body.get("data"), key, sender), None)


async def _is_duplicate(change: Change, arrival: Arrival, digest: bytes) -> bool:
    if not arrival.window:
        return False
    now = change.received
    since = now - arrival.window
    return await fingerprints.is_duplicate(change.sql, digest, arrival.transport, since, now)


def _fingerprint(cad: str, written: Iterable[_Written]) -> bytes:
    """Return the same bytes for the CAD's own copy of a push and the one that was forwarded.

    It is made of the events, not of the body: the order of members, arrays around objects and how
    numbers are written make no difference, as the game's resource parses some pushes and writes
    them anew.
    """
    digest = blake2b(cad.encode(), digest_size=FINGERPRINT_BYTES)
    for push_type, data, _event in written:
        digest.update(b"\0%b\0" % push_type.encode())
        digest.update(data)
    return digest.digest()


async def _count_as_crime(change: Change, arrival: Arrival, call_id: int) -> None:
    """Count an emergency as a crime, once.

    Civil calls, a panic's own call and repeats of another call are not counted.
    """
    call = await emergency_call(change, arrival, call_id)
    if call is None or not call.is_emergency or call.pressed_by is not None:
        return
    if call.crime_id is not None or call.repeats_key is not None:
        return
    description = call.description[:CRIME_DESCRIPTION]
    crime_id = await crimes.add(change.sql, call.property_id, None, description, change.happened)
    await emergencies.mark_counted(change.sql, call.key, crime_id)
    about = [] if call.property_id is None else [property_subject(call.property_id)]
    event = Crime(property_id=call.property_id, crime_id=crime_id)
    await change.emit(event, *about)
