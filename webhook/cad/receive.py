"""A push, once its key was checked: understood, kept, journalled and published."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from db import fingerprints, journal
from db.journal import Audience
from webhook.cad.calls import Call911
from webhook.cad.crime import count_as_crime
from webhook.cad.errors import UnhandledType
from webhook.cad.events import CadEvent
from webhook.cad.fingerprint import fingerprint
from webhook.cad.parse import parse
from webhook.cad.state import keep
from webhook.protocol.context import Change, Context
from webhook.protocol.events import CAD

KEPT_UNHANDLED = 64 * 1024
"""Bytes of an unhandled push that the journal keeps; of a longer one it keeps only the type."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Intake:
    """How pushes are taken in.

    `window`: milliseconds within which an equal push over another transport is the same one; 0:
    none ever is. `crimes_from_calls`: whether emergencies count as crimes.
    """

    window: int = 5_000
    crimes_from_calls: bool = False


async def receive(
    context: Context,
    cad: str,
    body: dict[str, Any],
    transport: str = "",
    intake: Intake = Intake(),
) -> bool:
    """Take in a push; when this returns, it is on disk. Tell whether it was new.

    `transport` names the way it came, without blanks; what came another way already is dropped.

    Raises:
        UnhandledType: nobody handles the type; the push stands in the journal all the same.
        InvalidPush: its envelope or ids make no sense; nothing was kept.
        StorageUnavailable: nothing was kept.
    """
    try:
        events = parse(body)
    except UnhandledType as fault:
        await _journal_unhandled(context, cad, fault.type, body)
        raise
    if not events:
        return True
    async with context.change() as change:
        if await _came_already(change, cad, events, transport, intake.window):
            log.debug("an event came a second time, over %s", transport)
            return False
        await _keep_all(change, cad, events, intake)
    return True


async def _came_already(
    change: Change, cad: str, events: Sequence[CadEvent], transport: str, window: int
) -> bool:
    """Tell whether this is the copy that the game server passed on, or the CAD's own of it."""
    if not window:
        return False
    digest = fingerprint(cad, events)
    return await fingerprints.is_second_delivery(
        change.sql, digest, transport, change.now - window, change.now
    )


async def _keep_all(change: Change, cad: str, events: Sequence[CadEvent], intake: Intake) -> None:
    for event in events:
        subjects = await keep(event, change, cad)
        data = orjson.dumps(event.model_dump(by_alias=True))
        await change.emit_named(f"{CAD}.{event.type}", data, *dict.fromkeys(subjects))
        if intake.crimes_from_calls and isinstance(event, Call911):
            await count_as_crime(change, cad, event.call_id)


async def _journal_unhandled(context: Context, cad: str, kind: str, body: dict[str, Any]) -> None:
    try:
        written = orjson.dumps({"cad": cad, "data": body.get("data")}).decode()
    except orjson.JSONEncodeError:  # nested more deeply than can be written
        written = ""
    if not 0 < len(written) <= KEPT_UNHANDLED:
        written = orjson.dumps({"cad": cad}).decode()
    # Of handled types only known fields are kept; here the key may stand anywhere.
    key = str(body.get("key", ""))
    name = _without(key, f"unhandled.{kind}")
    written = _without(orjson.dumps(key).decode()[1:-1], written)
    async with context.database.write() as sql:
        await journal.append(sql, context.now(), name, "[]", written, audience=Audience.NOBODY)


def _without(key: str, text: str) -> str:
    """Take the CAD's API key out of a text, in either case."""
    return re.sub(re.escape(key), "[key]", text, flags=re.IGNORECASE) if key else text
