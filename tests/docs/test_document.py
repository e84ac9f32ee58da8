"""A script that was written from the protocol document works, and so does one of the first edition.

`document.json` lists the fields of the document, `first_edition.json` what the first edition sent.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.docs.examples import ADMIN, running_server
from tests.docs.walk import DOCUMENT, HERE, STEPS, Step, Types, json_type, types_of, walk
from tests.seed import SEED_EVENTS, SEED_QUERIES

TEXT = Path(__file__).parents[3] / "shared" / "document_protocol.txt"

FIRST_EDITION: list[dict[str, Any]] = json.loads((HERE / "first_edition.json").read_text("utf-8"))

CORRECTED = {
    "queries.get-weekly-visitors answer.visitors[]": "string",
    "queries.add-crime events.crimes.clientId": "string",
}
"""Where the document contradicts itself: it calls the ids of users strings everywhere else."""

OPTIONAL = {
    "events.property-equipment-change": {"equipmentType", "description"},
    "events.crimes": {"propertyId", "clientId"},
}
"""Fields that not every event of a name has: by the document on add only; unless they are sent."""

CHANGED = {"events.crimes": {"propertyId", "clientId"}}
"""Fields that the first edition sent as null, and that are now left out."""


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """What the running bot answers to every message."""

    async def run() -> list[Step]:
        async with running_server(tmp_path_factory.mktemp("walk")) as server:
            return await walk(server.http, server.url, ADMIN)

    return asyncio.run(run())


def test_document_is_complete() -> None:
    messages = {f"queries.{name}" for name in SEED_QUERIES} | {"session", "subscribe"}
    assert DOCUMENT["messages"].keys() == messages
    assert DOCUMENT["events"].keys() == {f"events.{name}" for name in SEED_EVENTS}
    assert messages <= {kind for kind, _ in STEPS}


@pytest.mark.skipif(not TEXT.exists(), reason="the document is not part of this project")
def test_fields_are_those_of_the_document() -> None:
    """Its headings are lost, so what is left to compare is every field in its order."""
    listed: list[tuple[str, str]] = []
    for line in TEXT.read_text("utf-8").splitlines():
        if event := re.match(r"emits: (\S+)", line):
            listed.append((event[1], "emitted"))
        elif line.startswith("- An array of scanned visitor objects"):
            listed.append(("visitors", "array"))  # what it is called is not said
        elif line.startswith("- "):
            fields = re.findall(r"(\w+): (\w+|\[\{)", line if "{" in line else line[:40])
            listed += [(name, WORDS[kind]) for name, kind in fields if kind in WORDS]
    assert listed == [
        *chain.from_iterable(_fields_of_message(shape) for shape in DOCUMENT["messages"].values()),
        *chain.from_iterable(_fields(shape) for shape in DOCUMENT["events"].values()),
    ]


WORDS = {
    "String": "string",
    "int": "integer",
    "List": "array",
    "Array": "array",
    "[{": "array",
    "Object": "object",
}


def _fields_of_message(message: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _fields(message["data"])
    # Of successes and sentences the document gives only the kind.
    if message["answer"].keys() not in ({"success"}, {"message"}):
        yield from _fields(message["answer"])
    yield from _fields(message.get("error", {}))
    for event, shape in message.get("emits", {}).items():
        yield event, "emitted"
        yield from _fields(shape)


def _fields(shape: Any) -> Iterator[tuple[str, str]]:
    for name, inner in shape.items():
        if name == "*":
            continue
        yield name, _type(inner)
        element = inner[0] if isinstance(inner, list) else inner
        if isinstance(element, dict):
            yield from _fields(element)


@pytest.mark.parametrize("kind", DOCUMENT["messages"])
def test_answer_has_every_field_of_the_document(kind: str, steps: list[Step]) -> None:
    message = DOCUMENT["messages"][kind]
    answers = [step for step in steps if step.type == kind]
    succeeded = [step for step in answers if step.answer_type != "error"]
    failed = [step for step in answers if step.answer_type == "error"]
    assert succeeded
    assert bool(failed) == ("error" in message)
    for step in succeeded:
        assert list(_faults(message["answer"], step.answer, f"{kind} answer")) == []
    for step in failed:
        assert list(_faults(message["error"], step.answer, f"{kind} error")) == []


@pytest.mark.parametrize("kind", DOCUMENT["messages"])
def test_message_sends_no_more_than_the_document_asks_for(kind: str) -> None:
    """What it is tested with is what a script that was written from the document sends."""
    shape = DOCUMENT["messages"][kind]["data"]
    plainest = min((data for sent, data in STEPS if sent == kind), key=len)
    assert plainest.keys() <= shape.keys()
    assert all(json_type(value) == shape[name] for name, value in plainest.items())


@pytest.mark.parametrize("kind", DOCUMENT["messages"])
def test_message_emits_what_the_document_says(kind: str, steps: list[Step]) -> None:
    for name, shape in DOCUMENT["messages"][kind].get("emits", {}).items():
        events = [
            event.data
            for step in steps
            if step.type == kind
            for event in step.events
            if event.name == name
        ]
        _must_have_fields(shape, events, name, f"{kind} {name}")


@pytest.mark.parametrize("name", DOCUMENT["events"])
def test_event_has_every_field_of_the_document(name: str, steps: list[Step]) -> None:
    events = [event.data for step in steps for event in step.events if event.name == name]
    _must_have_fields(DOCUMENT["events"][name], events, name, name)


def _must_have_fields(
    shape: dict[str, Any], events: list[dict[str, Any]], name: str, where: str
) -> None:
    """Check that an event has every field, and others at least those that are not optional."""
    assert any(shape.keys() <= event.keys() for event in events)
    for event in events:
        absent = OPTIONAL.get(name, set()) - event.keys()
        present = {field: inner for field, inner in shape.items() if field not in absent}
        assert list(_faults(present, event, where)) == []


def _faults(shape: Any, value: object, where: str) -> Iterator[str]:
    """Yield what a shape lists and a value does not have, or not with that type."""
    shape = CORRECTED.get(where, shape)
    if json_type(value) != _type(shape):
        yield f"{where} is {json_type(value)} and not {_type(shape)}"
    elif isinstance(value, dict):
        for name, inner in shape.items():
            for field in value if name == "*" else [name]:
                yield from _faults(inner, value.get(field), f"{where}.{field}")
    elif isinstance(value, list):
        if not value:
            yield f"{where} is empty, so nothing is known of what is in it"
        for element in value:
            yield from _faults(shape[0], element, f"{where}[]")


def _type(shape: Any) -> str:
    return shape if isinstance(shape, str) else json_type(shape)


def test_everything_of_the_first_edition_is_still_there(steps: list[Step]) -> None:
    assert [[old["type"], old["sent"]] for old in FIRST_EDITION] == [
        [step.type, step.sent] for step in steps
    ]
    for old, step in zip(FIRST_EDITION, steps, strict=True):
        if old["answer_type"] == "error" != step.answer_type:
            continue  # what was refused is now carried out
        assert step.answer_type == old["answer_type"], step
        assert _changes(old["answer"], types_of(step.answer)) == {}, step.type
        events = {event.name: types_of(event.data) for event in step.events}
        for event in old["events"]:
            changes = _changes(event["data"], events.get(event["name"], {}))
            assert changes.keys() <= CHANGED.get(event["name"], set()), (event, changes)


def _changes(old: Types, new: Types) -> dict[str, tuple[list[str], list[str]]]:
    """Return the paths that are gone, or have a type that they did not have."""
    return {
        path: (types, new.get(path, []))
        for path, types in old.items()
        if not new.get(path) or set(new[path]) - set(types)
    }
