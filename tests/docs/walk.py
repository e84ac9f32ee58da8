"""A walk through every query of the protocol, on an empty database, and the types of the answers.

`python -m tests.docs.walk URL >tests/docs/first_edition.json` walks a bot that runs with nothing
configured. That file is what the first edition answered: old scripts rely on it.
"""

import asyncio
import json
import re
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).parent
DOCUMENT: dict[str, dict[str, Any]] = json.loads((HERE / "document.json").read_text("utf-8"))
"""What the protocol document lists, in its order: of each message the data, the answer and the
events, of each event the data; a shape is a JSON type, an object of shapes, or a list of one."""

OWNER, VISITOR = "license:41aa90be", "license:77c0ffee"

OUR_EVENTS = [
    "events.alarm-changed",
    "events.property-removed",
    "events.denied-remove-property",
    "events.withdrawn-remove-property",
    "events.property-restored",
]
"""Those that the first edition has, but not the document."""

Types = dict[str, list[str]]
"""JSON types by path: `properties[].id` is that of all rows."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _property(**changed: object) -> dict[str, object]:
    return {
        "location": "Forum Dr",
        "tier": 1,
        "x": -14,
        "y": 20,
        "description": "a shop",
        "clientId": OWNER,
    } | changed


PAGE = {"limit": 10, "offset": 0, "search": ""}

STEPS: list[tuple[str, dict[str, object]]] = [
    ("session", {"id": "walker"}),
    ("subscribe", {"clientId": "walker", "id": "events.alerts"}),
    ("unsubscribe", {"id": "events.alerts"}),
    ("queries.get-tiers", {}),
    ("queries.get-equipment-types", {}),
    ("queries.add-user", {"userId": OWNER, "fullName": "Wren Halloway"}),
    ("queries.add-property", _property()),
    ("queries.add-property", _property(location="Grove St", clientId=VISITOR)),
    ("queries.add-property", _property(location="Alta St", clientId=VISITOR)),
    ("queries.get-user", {"userId": OWNER}),
    ("queries.get-users", PAGE),
    ("queries.get-users", {}),
    ("queries.get-user-properties", {"userId": OWNER}),
    ("queries.get-properties", PAGE),
    ("queries.get-pending-properties", {}),
    ("queries.search-pending-properties", PAGE),
    ("queries.add-equipment", {"propertyId": 1, "equipmentType": 1, "description": "door"}),
    ("queries.add-equipment", {"propertyId": 1, "equipmentType": 3, "description": "Kestrel"}),
    ("queries.add-equipment-property", {"propertyId": 1, "equipmentType": 2, "description": "b"}),
    ("queries.get-property", {"propertyId": 1}),
    ("queries.get-property-detailed", {"propertyId": 1}),
    ("queries.get-equipment", {"propertyId": 1}),
    ("queries.get-equipment-property", {"propertyId": 1}),
    ("queries.get-free-drones", {"propertyId": 1}),
    ("queries.dispatch-drone", {"propertyId": 1}),
    ("queries.dispatch-drone", {"propertyId": 1}),
    ("queries.get-dispatched-drones", PAGE),
    ("queries.recall-drone", {"droneId": 2}),
    ("queries.get-drone-flights", {"propertyId": 1}),
    ("queries.change-property-size", {"propertyId": 1, "width": 30, "height": 20}),
    ("queries.change-property-coordinates", {"propertyId": 1, "x": 5, "y": 6}),
    ("queries.change-property-status", {"propertyId": 1, "status": "SOLD"}),
    ("queries.change-property-tier", {"propertyId": 1, "tier": 2}),
    ("queries.edit-property", {"propertyId": 1, "location": "Forum Drive", "tier": 3}),
    ("queries.add-allowed-user", {"propertyId": "1", "userId": VISITOR}),
    ("queries.get-allowed-users", {"propertyId": "1"}),
    ("queries.add-auth-entry", {"propertyId": "1", "userId": VISITOR}),
    ("queries.get-auth-entries", {"propertyId": "1"}),
    ("queries.add-alert", {"propertyId": "1", "userId": VISITOR}),
    ("queries.get-alerts", {"propertyId": "1"}),
    ("queries.get-alarms", {}),
    ("queries.snooze-alarm", {"alarmId": 1, "minutes": 5}),
    ("queries.acknowledge-alarm", {"alarmId": 1}),
    ("queries.note-alarm", {"alarmId": 1, "text": "on our way"}),
    ("queries.settle-alarm", {"alarmId": 1, "outcome": "false"}),
    ("queries.add-visitor", {"userId": VISITOR, "propertyId": 1, "cameraId": 1}),
    ("queries.get-weekly-visitors", {"propertyId": 1}),
    (
        "queries.get-scanned-visitors",
        {"propertyId": "1", "from": "2026-11-01", "to": "2026-11-30"},
    ),
    ("queries.add-crime", {}),
    ("queries.add-crime", {"propertyId": 1, "clientId": VISITOR, "description": "theft"}),
    ("queries.get-crimes-in-area", {}),
    ("queries.get-crimes-in-area", {"propertyId": 1, "radius": 500}),
    ("queries.request-remove-property", {"propertyId": 1}),
    ("queries.get-requested-remove-properties", {}),
    ("queries.search-removal-properties", PAGE),
    ("queries.deny-remove-property", {"propertyId": 1, "reason": "still inhabited"}),
    ("queries.request-remove-property", {"propertyId": 1, "userId": OWNER, "reason": "moving"}),
    ("queries.withdraw-remove-property", {"propertyId": 1}),
    ("queries.request-remove-property", {"propertyId": 2}),
    ("queries.approve-remove-property", {"propertyId": 2}),
    ("queries.remove-allowed-user", {"propertyId": "1", "userId": VISITOR}),
    ("queries.remove-equipment", {"propertyId": 1, "equipmentId": 1}),
    ("queries.remove-equipment-property", {"propertyId": 1, "equipmentId": 3}),
    ("queries.link-user", {"userId": OWNER, "memberId": "200000000000000001"}),
    ("queries.unlink-user", {"memberId": "200000000000000001"}),
    ("queries.approve-property", {"propertyId": 3}),
    ("queries.remove-property", {"propertyId": 3}),
    ("queries.restore-property", {"propertyId": 3}),
    ("queries.change-property-status", {"propertyId": 3, "status": "PENDING"}),
    ("queries.reject-property", {"propertyId": 3}),
    ("queries.remove-user", {"userId": OWNER}),
]


@dataclass
class Event:
    """An event that a subscriber received."""

    name: str
    data: dict[str, Any]


@dataclass
class Step:
    """A message, its answer, and the events between them."""

    type: str
    sent: dict[str, object]
    answer_type: str
    answer: dict[str, Any]
    events: list[Event] = field(default_factory=list)


async def walk(http: aiohttp.ClientSession, url: str, token: str | None = None) -> list[Step]:
    """Send every message of STEPS, and hear of every event by its own name."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        http.ws_connect(f"{url}/ws", headers=headers) as socket,
        http.ws_connect(f"{url}/ws", headers=headers) as listener,
    ):
        for name in [*DOCUMENT["events"], *OUR_EVENTS]:
            await _ask(listener, "subscribe", {"id": name})
        steps: list[Step] = []
        for kind, data in STEPS:
            frame = await _ask(socket, kind, data)
            step = Step(kind, data, frame["type"], frame["data"])
            await listener.send_json({"type": "queries.get-tiers"})
            while "id" in (event := await listener.receive_json(timeout=10)):
                step.events.append(Event(event["type"], event["data"]))
            steps.append(step)
        return steps


async def _ask(
    socket: aiohttp.ClientWebSocketResponse, kind: str, data: dict[str, object]
) -> dict[str, Any]:
    await socket.send_json({"type": kind, "data": data})
    while "id" in (frame := await socket.receive_json(timeout=10)):
        pass  # an event
    answer: dict[str, Any] = frame
    return answer


def types_of(value: object, path: str = "") -> Types:
    """Return the JSON types in a value by path; days in the place of names are all the same."""
    found: dict[str, set[str]] = {}

    def collect(value: object, path: str) -> None:
        found.setdefault(path, set()).add(json_type(value))
        if isinstance(value, dict):
            for name, inner in value.items():
                collect(inner, f"{path}.{_DAY.sub('DAY', name)}".lstrip("."))
        elif isinstance(value, list):
            for inner in value:
                collect(inner, f"{path}[]")

    collect(value, path)
    return {path: sorted(types) for path, types in found.items() if path}


def json_type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


async def _print_walk(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        steps = await walk(http, url)
    for step in steps:
        step.answer = types_of(step.answer)
        for event in step.events:
            event.data = types_of(event.data)
    rows = ",\n".join(f"  {json.dumps(asdict(step))}" for step in steps)
    sys.stdout.write(f"[\n{rows}\n]\n")


if __name__ == "__main__":
    asyncio.run(_print_walk(sys.argv[1]))
