"""A push, once its key was checked: understood, kept, journalled and published."""

from collections.abc import Sequence
from typing import Any

import orjson

from db import journal
from webhook.cad.errors import UnhandledType
from webhook.cad.events import CadEvent
from webhook.cad.parse import parse
from webhook.cad.state import keep
from webhook.context import Context
from webhook.events import CAD

KEPT_UNHANDLED = 64 * 1024
"""Bytes of an unhandled push that the journal keeps; of a longer one it keeps only the type."""


async def receive(context: Context, cad: str, body: dict[str, Any]) -> None:
    """Take in a push; when this returns, it is on disk.

    Raises:
        UnhandledType: nobody handles the type; the push stands in the journal all the same.
        InvalidPush: its envelope or ids make no sense; nothing was kept.
        StorageUnavailable: nothing was kept.
    """
    try:
        events = parse(body)
    except UnhandledType as fault:
        await _journal_unhandled(context, cad, fault.type, body.get("data"))
        raise
    if events:
        await _keep_all(context, cad, events)


async def _keep_all(context: Context, cad: str, events: Sequence[CadEvent]) -> None:
    async with context.change() as change:
        for event in events:
            subjects = await keep(event, change, cad)
            data = orjson.dumps(event.model_dump(by_alias=True))
            await change.emit_named(f"{CAD}.{event.type}", data, *subjects)


async def _journal_unhandled(context: Context, cad: str, kind: str, data: object) -> None:
    try:
        written = orjson.dumps({"cad": cad, "data": data})
    except orjson.JSONEncodeError:  # nested more deeply than can be written
        written = b""
    if not 0 < len(written) <= KEPT_UNHANDLED:
        written = orjson.dumps({"cad": cad})
    async with context.database.write() as sql:
        await journal.append(
            sql, context.now(), f"unhandled.{kind}", "[]", written.decode(), published=False
        )
