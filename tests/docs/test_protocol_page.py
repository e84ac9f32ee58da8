"""docs/protocol.md is complete, says nothing that does not exist, and its examples are true."""

import json
import re
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tests.docs.examples import Frame, Results
from tests.docs.page import BY_PEOPLE, DOCS, SECTIONS, TEXT, Section, sections_of
from tests.seed import SEED_EVENTS, SEED_QUERIES
from webhook.http.api import STATUS
from webhook.http.asyncapi import SESSION_OPERATIONS
from webhook.http.connection import ConnectionLimits
from webhook.http.long_poll import Poll
from webhook.protocol.catalogue import Query
from webhook.protocol.context import Scope
from webhook.protocol.errors import SentinelError
from webhook.protocol.events import ALL, CAD, EVENTS
from webhook.protocol.session import SESSION_MESSAGES
from webhook.protocol.wire import PositionData
from webhook.queries import CATALOGUE
from webhook.queries.models import PropertyReference

QUERIES = {f"queries.{query.name}": query for query in CATALOGUE.queries}
BY_NAME = {section.name: section for section in SECTIONS}
ASKED = {name for name in BY_NAME if name.startswith("queries.")}
ERRORS: list[type[SentinelError]] = [SentinelError, *SentinelError.__subclasses__()]
CODES = {error.code for error in ERRORS}
SCOPES = {Scope.READ: "read", Scope.WRITE: "write", Scope.APPROVE: "admin", Scope.ADMIN: "admin"}

WORDED_ELSEWHERE = re.compile(r"(?<=invalid JSON: )[^\"]*")
"""What a library says, which may find better words."""


def test_sections_match_the_queries() -> None:
    assert set(QUERIES) == ASKED
    assert len(BY_NAME) == len(SECTIONS), "two sections have the same name"


def test_sections_match_the_events() -> None:
    names = {*EVENTS, ALL, CAD}
    assert set(sections_of("Events")) == {f"events.{name}" for name in names}


def test_sections_match_the_errors() -> None:
    assert set(sections_of("Errors")) == CODES


def test_sections_match_the_session_messages() -> None:
    assert set(sections_of("Sessions and subscriptions")) == SESSION_MESSAGES


def test_only_existing_names_are_mentioned() -> None:
    names = {f"queries.{name}" for query in CATALOGUE.queries for name in _names(query)}
    assert set(re.findall(r"\bqueries\.[a-z][a-z-]*", TEXT)) <= names
    # What is followed by `.martians` is an address of the event bus.
    assert set(re.findall(r"\bevents\.[a-z][a-z-]*\b(?!\.(?:md|martians|…))", TEXT)) <= {
        f"events.{name}" for name in (*EVENTS, ALL, CAD)
    }
    anchors = {_anchor(section.name) for section in SECTIONS}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= anchors
    assert all((DOCS / file).exists() for file in re.findall(r"\]\((\w[\w./-]*)\)", TEXT))


def test_original_protocol_is_complete() -> None:
    assert len(SEED_QUERIES) == 37
    assert len(SEED_EVENTS) + len({ALL}) == 16
    assert {f"queries.{name}" for name in SEED_QUERIES} <= BY_NAME.keys()
    assert {f"events.{name}" for name in [*SEED_EVENTS, ALL]} <= BY_NAME.keys()


@pytest.mark.parametrize("name", QUERIES)
def test_query_section_matches_its_models(name: str) -> None:
    query, section = QUERIES[name], BY_NAME[name]
    assert f"`{SCOPES[query.scope]}`" in section.marked("Scope")
    assert all(f"`queries.{alias}`" in section.text for alias in query.aliases)
    _must_describe(section, query.ask, query.reply)


@pytest.mark.parametrize("operation", SESSION_OPERATIONS, ids=lambda operation: operation.name)
def test_session_message_section_matches_its_models(operation: Any) -> None:
    section = BY_NAME[operation.name]
    assert f"`{SCOPES[operation.scope]}`" in section.marked("Scope")
    _must_describe(section, operation.request, *operation.replies)


@pytest.mark.parametrize("name", EVENTS)
def test_event_section_matches_its_model(name: str) -> None:
    rows = _rows(BY_NAME[f"events.{name}"], "field")
    fields = {str(field.alias): field for field in EVENTS[name].model_fields.values()}
    assert not fields.pop("external").is_required()  # described once, for all events
    assert rows.keys() == fields.keys()
    for field, (kind, meaning) in rows.items():
        assert kind == _json_type(fields[field]), field
        assert ("sometimes" in meaning) == (not fields[field].is_required()), field


def test_examples_are_answered_as_shown(results: Results) -> None:
    assert len(results.runs) > len(ASKED)
    for run in results.runs:
        assert _comparable(run.answer) == _comparable(run.expected), f"{run.section}: {run.request}"


@pytest.mark.parametrize(
    "code", ["key-reused", "rate-limited", "too-large", "unavailable", "internal"]
)
def test_provoked_errors_are_answered_as_shown(
    code: str, provoked_errors: dict[str, Frame]
) -> None:
    (block,) = BY_NAME[code].blocks
    shown = json.loads(block.body)
    assert shown == {name: provoked_errors[code][name] for name in ("type", "data")}


def test_every_name_of_every_message_has_an_example(results: Results) -> None:
    sent = {run.sent.get("type") for run in results.runs if run.sent}
    names = {f"queries.{name}" for query in CATALOGUE.queries for name in _names(query)}
    assert names | SESSION_MESSAGES <= sent
    for name in QUERIES:
        assert name in {run.sent["type"] for run in _of(results, name)}


def test_every_error_has_an_example(results: Results, provoked_errors: dict[str, Frame]) -> None:
    answers = [run.answer["data"] for run in results.runs if run.answer.get("type") == "error"]
    assert CODES - provoked_errors.keys() <= {answer["code"] for answer in answers}


@pytest.mark.parametrize("name", [*QUERIES, *sorted(SESSION_MESSAGES)])
def test_emitted_events_are_listed(name: str, results: Results) -> None:
    listed = set(re.findall(r"`(events\.[a-z-]+)`", BY_NAME[name].marked("Emits")))
    emitted = {frame["type"] for run in _of(results, name) for frame in run.events}
    emitted.discard("events.all")
    assert emitted <= listed
    assert bool(emitted) == bool(listed)


@pytest.mark.parametrize("name", sorted({*sections_of("Events")} - BY_PEOPLE))
def test_every_shown_event_was_received(name: str, results: Results) -> None:
    shown = [json.loads(block.body) for block in BY_NAME[name].blocks if block.info == "json event"]
    assert len(shown) == 1
    assert shown[0]["type"].startswith(name)
    # Once, although the listener has subscribed to everything that there is.
    assert results.events.count(shown[0]) == 1


def test_every_event_is_listed_by_its_query(
    results: Results,
) -> None:
    listed = {
        event
        for name in QUERIES
        for event in re.findall(r"`(events\.[a-z-]+)`", BY_NAME[name].marked("Emits"))
    }
    assert listed == {f"events.{name}" for name in EVENTS} - BY_PEOPLE


def test_http_statuses_are_current() -> None:
    rows = {int(row[0]): row[1] for row in BY_NAME["Plain HTTP"].table("status")}
    listed = {
        code: status for status, text in rows.items() for code in re.findall(r"`(.+?)`", text)
    }
    assert listed == STATUS


def test_long_poll_parameters_are_current() -> None:
    rows = {row[0].strip("`") for row in BY_NAME["Plain HTTP"].table("parameter")}
    assert rows == {str(field.alias) for field in Poll.model_fields.values()}


def test_limits_are_current() -> None:
    limits, text = ConnectionLimits(), BY_NAME["Limits"].text
    assert f"{limits.frame_bytes // 1024} KiB" in text
    assert f"| {limits.waiting_bytes // 1024**2} MiB |" in text
    assert f"| {limits.client_bytes // 1024**2} MiB |" in text
    assert f"| {limits.connections_per_client} (" in text


def _names(query: Query) -> tuple[str, ...]:
    return query.name, *query.aliases


def _of(results: Results, section: str) -> list[Any]:
    return [run for run in results.runs if run.section == section]


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _comparable(frame: Frame) -> Frame:
    """Return a frame without the words of a library."""
    settled: Frame = json.loads(WORDED_ELSEWHERE.sub("…", json.dumps(frame)))
    return settled


def _rows(section: Section, first: str) -> dict[str, list[str]]:
    """Return a table's rows by the names in its first column, of which a row may have several."""
    rows: dict[str, list[str]] = {}
    for names, *rest in section.table(first):
        for name in re.findall(r"`(\w+)`", names):
            assert name not in rows, f"{section.name}: {name} twice"
            rows[name] = rest
    return rows


def _must_describe(section: Section, ask: type[BaseModel], *replies: type[BaseModel]) -> None:
    data = _rows(section, "data")
    fields = {str(field.alias): field for field in ask.model_fields.values()}
    if issubclass(ask, PropertyReference):
        del fields["external"]  # described once, for every query that takes propertyId
    assert data.keys() == fields.keys()
    assert {name: row[1] for name, row in data.items()} == {
        name: "yes" if field.is_required() else "no" for name, field in fields.items()
    }
    answered = {
        str(field.alias): field for reply in replies for field in reply.model_fields.values()
    }
    known = section.text + BY_NAME["External ids"].text
    if "(#a-property)" in known:
        known += BY_NAME["A property"].text
        answered.pop("external", None)
    assert _rows(section, "answer").keys() == answered.keys()
    for field in answered.values():
        for name in _inner_names(field.annotation):
            assert re.search(rf"\b{name}\b", known), f"{section.name} does not tell {name}"


def _inner_names(annotation: object) -> set[str]:
    """Return the names of the fields of all models within a type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.values()
        inner = [_inner_names(field.annotation) for field in fields]
        return {str(field.alias) for field in fields}.union(*inner)
    return set().union(*(_inner_names(part) for part in get_args(annotation)))


def _json_type(field: FieldInfo) -> str:
    """Return the JSON type of an event's field, without the null of one that may be absent."""
    words = {int: "number", str: "string", bool: "boolean", PositionData: "object"}
    words[type(None)] = "null"
    parts = get_args(field.annotation) or (field.annotation,)
    listed = [words[part] for part in parts if field.is_required() or part is not type(None)]
    return " or ".join(listed)
