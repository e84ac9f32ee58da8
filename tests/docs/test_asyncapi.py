"""docs/asyncapi.json is current and valid, and the examples of docs/protocol.md match it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.protocols import Validator

from tests.docs.examples import Frame, Results
from tests.docs.page import BY_PEOPLE, DOCS, SECTIONS
from webhook import cad
from webhook.http.asyncapi import asyncapi, document
from webhook.protocol.events import EVENTS
from webhook.protocol.json_reader import parse_json
from webhook.protocol.session import SESSION_MESSAGES
from webhook.queries import CATALOGUE

DOCUMENT = asyncapi(CATALOGUE)
OPERATION_OF = {
    **{kind: kind for kind in SESSION_MESSAGES},
    **{kind: query.name for query in CATALOGUE.queries for kind in query.types},
}

REFERENCE = {"type": "object", "required": ["$ref"], "additionalProperties": False} | {
    "properties": {"$ref": {"type": "string", "pattern": "^#/"}}
}


def _object(required: str, optional: str = "", **properties: Any) -> dict[str, Any]:
    """A JSON Schema of an object with these members and no others."""
    names = [*required.split(), *optional.split()]
    return {
        "type": "object",
        "required": required.split(),
        "properties": {name: properties.get(name, {}) for name in names},
        "additionalProperties": False,
    }


def _map_of(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "minProperties": 1, "additionalProperties": schema}


REFERENCES = {"type": "array", "items": REFERENCE, "minItems": 1}

# The parts of AsyncAPI 3.0.0 that our document has, as the specification describes them.
SHAPE = _object(
    "asyncapi info channels operations components",
    "id defaultContentType servers",
    asyncapi={"const": "3.0.0"},
    info=_object("title version", "description termsOfService contact license tags externalDocs"),
    servers=_map_of(
        _object(
            "host protocol",
            "protocolVersion pathname description title summary variables security tags bindings",
        )
    ),
    channels=_map_of(
        _object(
            "messages",
            "address title summary description servers parameters tags externalDocs bindings",
            messages=_map_of(REFERENCE),
        )
    ),
    operations=_map_of(
        _object(
            "action channel",
            "title summary description security tags bindings traits messages reply externalDocs",
            action={"enum": ["send", "receive"]},
            channel=REFERENCE,
            messages=REFERENCES,
            reply=_object("channel messages", "address", channel=REFERENCE, messages=REFERENCES),
        )
    ),
    components=_object(
        "schemas messages",
        "securitySchemes correlationIds servers channels operations parameters replies tags",
        messages=_map_of(
            _object(
                "payload",
                "name title summary description contentType headers correlationId tags examples"
                " externalDocs bindings traits",
            )
        ),
        securitySchemes=_map_of(
            {"required": ["type"], "properties": {"type": {"enum": ["http", "httpApiKey"]}}}
        ),
        correlationIds=_map_of(_object("location", "description")),
    ),
)


@pytest.fixture(scope="module")
def shape() -> Validator:
    """What every AsyncAPI document must fit."""
    return Draft202012Validator(SHAPE)


def test_file_is_current() -> None:
    assert (DOCS / "asyncapi.json").read_bytes() == document(CATALOGUE), (
        "run: python -m webhook.http.asyncapi docs/asyncapi.json"
    )


def test_document_is_valid_asyncapi(shape: Validator) -> None:
    shape.validate(DOCUMENT)


@pytest.mark.parametrize("missing", ["asyncapi", "info"])
def test_incomplete_document_is_detected(shape: Validator, missing: str) -> None:
    broken = {name: value for name, value in DOCUMENT.items() if name != missing}
    with pytest.raises(ValidationError):
        shape.validate(broken)


def test_incomplete_operation_is_detected(shape: Validator) -> None:
    broken = deepcopy(DOCUMENT)
    del broken["operations"]["get-user"]["action"]
    with pytest.raises(ValidationError):
        shape.validate(broken)


def test_every_reference_resolves() -> None:
    references = set(_references(DOCUMENT))
    assert references
    for reference in references:
        assert isinstance(_follow(DOCUMENT, reference), dict), reference


def test_every_component_is_referenced() -> None:
    references = set(_references(DOCUMENT))
    for kind in ("schemas", "messages", "correlationIds", "securitySchemes"):
        for name in DOCUMENT["components"][kind]:
            assert f"#/components/{kind}/{name}" in references


def test_operations_use_messages_of_their_channel() -> None:
    # The specification wants references to the channel's messages here, not to the components.
    for operation in DOCUMENT["operations"].values():
        for message in (*operation["messages"], *operation.get("reply", {}).get("messages", [])):
            assert message["$ref"].startswith("#/channels/ws/messages/")


def test_every_message_and_event_has_an_operation() -> None:
    received, sent = (
        {name for name, operation in DOCUMENT["operations"].items() if operation["action"] == way}
        for way in ("receive", "send")
    )
    assert received == set(OPERATION_OF.values())
    assert sent == {"events.all"} | {f"events.{name}" for name in EVENTS} | {
        f"events.cad.{name}" for name in cad.EVENTS
    }


def test_schemas_are_valid() -> None:
    for frame in DOCUMENT["components"]["messages"].values():
        Draft202012Validator.check_schema(frame["payload"])
    for model in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(model)
    # `ge` and the like are ignored by validators: what remains of them would bound nothing.
    assert not {"ge", "gt", "le", "lt"} & set(_keywords(DOCUMENT))


def test_schemas_use_only_keywords_of_draft_7() -> None:
    # AsyncAPI's tools read its schemas as draft 7.
    newer = {"prefixItems", "unevaluatedProperties", "dependentRequired", "$dynamicRef", "$defs"}
    assert not newer & set(_keywords(DOCUMENT))


def test_every_example_matches_its_schemas(results: Results) -> None:
    matched = set()
    for run in results.runs:
        if run.sent is None or run.answer.get("type") == "error":
            continue
        kind = run.sent["type"]
        if kind in OPERATION_OF:
            _validator(f"{OPERATION_OF[kind]}.request").validate(run.sent)
            _validator(f"{OPERATION_OF[kind]}.answer").validate(run.answer)
            assert run.answer["type"] in ("status", kind.removeprefix("queries."))
            matched.add(kind)
    assert matched == set(OPERATION_OF)


def test_every_error_matches_its_schema(
    results: Results, provoked_errors: dict[str, Frame]
) -> None:
    errors = [run.answer for run in results.runs if run.answer.get("type") == "error"]
    for error in (*errors, *provoked_errors.values()):
        _validator("error").validate(error)


def test_every_event_matches_its_schema(results: Results) -> None:
    emitted = {frame["type"] for frame in results.events}
    assert {f"events.{name}" for name in EVENTS} - BY_PEOPLE < emitted
    for frame in results.events:
        _validator(frame["type"]).validate(frame)


def test_every_cad_event_matches_its_schema() -> None:
    text = (DOCS / "cad.md").read_text("utf-8")
    for name in cad.EVENTS:
        section = text.partition(f"\n### {name}\n")[2]
        data = json.loads(section.partition("```json event\n")[2].partition("```")[0])
        kind = f"events.cad.{name}"
        _validator(kind).validate({"type": kind, "id": 1, "data": data})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("queries.get-property", {"propertyId": "seven"}),
        ("queries.get-property", {"propertyId": -1}),
        ("queries.get-property", {}),
        ("queries.get-property", None),
        ("queries.get-user", {"userId": "x" * 65}),
        ("queries.get-users", {"limit": 0}),
        ("queries.get-users", {"limit": 101}),
        ("queries.get-crimes-in-area", {"radius": 100_001}),
        ("queries.change-property-size", {"propertyId": 1, "width": -1, "height": 1}),
        ("session", {"id": "mdt-1", "lastEventId": -1}),
        ("session", {"id": "mdt-1", "requestIdentifier": ""}),
    ],
)
def test_invalid_requests_do_not_match_the_schema(name: str, data: Frame | None) -> None:
    request = _validator(f"{OPERATION_OF[name]}.request")
    assert not request.is_valid({"type": name, "data": data})


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("queries.get-property", {"propertyId": "12", "unknown": [1]}),
        ("queries.get-user", {"userId": 228914573}),
        ("queries.get-users", None),
        ("queries.get-crimes-in-area", {"propertyId": None, "radius": None}),
        ("subscribe", {"id": "alerts", "clientId": None, "requestIdentifier": "1"}),
    ],
)
def test_valid_requests_match_the_schema(name: str, data: Frame | None) -> None:
    request = _validator(f"{OPERATION_OF[name]}.request")
    assert request.is_valid({"type": name, "data": data})


def test_json_blocks_of_the_docs_are_valid_json() -> None:
    blocks = [block for section in SECTIONS for block in section.blocks]
    for block in blocks:
        if block.info.startswith("json"):
            parse_json(block.body)


def _validator(message: str) -> Validator:
    """What a frame must match; references are followed within the document."""
    reference = {"$ref": f"#/components/messages/{message}/payload"}
    return Draft202012Validator(reference | {"components": DOCUMENT["components"]})


def _references(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(reference := document.get("$ref"), str):
            yield reference
        for value in document.values():
            yield from _references(value)
    elif isinstance(document, list):
        for value in document:
            yield from _references(value)


def _follow(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def _keywords(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            yield from _keywords(value)
    elif isinstance(document, list):
        for value in document:
            yield from _keywords(value)


def test_identifier_may_be_a_number_beside_the_data() -> None:
    asked: Frame = {"type": "queries.get-tiers", "requestIdentifier": 7}
    assert _validator("get-tiers.request").is_valid(asked)
    answered: Frame = {"type": "get-tiers", "data": {"tiers": [], "requestIdentifier": 7}}
    assert _validator("get-tiers.answer").is_valid(answered | {"query": "queries.get-tiers"})
    assert not _validator("get-tiers.answer").is_valid(answered | {"query": "queries.get-user"})
    assert not _validator("get-tiers.answer").is_valid(answered)
