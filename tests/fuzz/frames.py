"""Frames of one connection, one a line: each has one answer, and an error changes nothing."""

from collections.abc import Iterator

import orjson

from tests.fuzz.shapes import mutate_lines
from tests.fuzz.storage import Storage
from tests.webhook.harness import AppHarness, FakeSession
from webhook.cad import EVENT_NAMES
from webhook.protocol.messages import read_message
from webhook.protocol.session import SessionSettings
from webhook.queries import CATALOGUE

MOST_LINES = 8
LIKELY = ["license:owner", 1, "2", "a shop", "2026-11-20"]

mutate = mutate_lines


def seeds() -> Iterator[bytes]:
    """Every query with its fields, alone and in pairs; and a session that subscribes."""
    frames = []
    for query in CATALOGUE.queries:
        fields = [str(field.alias) for field in query.ask.model_fields.values()]
        for value in LIKELY:
            data = dict.fromkeys(fields, value) | {"requestIdentifier": "r1"}
            frames.append(orjson.dumps({"type": f"queries.{query.name}", "data": data}))
    yield from frames
    yield from (b"\n".join(pair) for pair in zip(frames, frames[7:], strict=False))
    yield (
        b'{"type": "session", "data": {"id": "a", "lastEventId": 0}}\n'
        b'{"type": "subscribe", "data": {"id": "events.*"}}\n'
        b'{"type": "unsubscribe", "data": {"id": "events.visits", "clientId": "a"}}'
    )
    yield (
        b'{"type": "queries.add-property", "data": {"location": "Forum Dr", "tier": 1, "x": 1,'
        b' "y": 2, "description": "a shop", "clientId": "license:owner"}}\n'
        b'{"type": "queries.add-equipment", "data": {"propertyId": 3, "equipmentType": 3,'
        b' "description": "Kestrel"}}\n'
        b'{"type": "queries.dispatch-drone", "data": {"propertyId": "3"}}'
    )


async def _furnish(harness: AppHarness) -> None:
    for _ in range(2):
        place = await harness.add_property()
        for kind in (1, 2, 3, 3):
            await harness.add_equipment(place, kind)
        await harness.ask("dispatch-drone", propertyId=place)
    await harness.ask("request-remove-property", propertyId=2)
    await harness.ask("add-visitor", propertyId=1, userId="v", cameraId=1)


_STORAGE = Storage(_furnish)


def run_one(data: bytes) -> None:
    """Send every line."""
    _STORAGE.put_back()
    session = FakeSession(
        _STORAGE.harness, SessionSettings(EVENT_NAMES, messages_per_second=1_000_000)
    )
    try:
        for raw in data.split(b"\n")[:MOST_LINES]:
            _STORAGE.run(_send(session, raw))
    finally:
        session.close()


async def _send(session: FakeSession, raw: bytes) -> None:
    harness = _STORAGE.harness
    session.frames.clear()
    journalled = len(await harness.journal_events())
    message = read_message(raw)
    await session.session.handle(message)
    (answer,) = [frame for frame in session.frames if "id" not in frame]
    assert set(answer) == {"type", "data"}
    assert answer["data"].get("requestIdentifier") == message.identifier
    if answer["type"] == "error":
        assert answer["data"]["code"] != "internal", answer
        assert len(await harness.journal_events()) == journalled
