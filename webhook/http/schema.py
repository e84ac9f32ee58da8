"""The protocol as machines read it: JSON Schemas of every frame, and an AsyncAPI document.

Both are made from the models that check the frames, so they cannot say anything else. What stands
in docs/asyncapi.json is written by `python -m webhook.http.schema docs/asyncapi.json`.
"""

import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from webhook import cad
from webhook.cad import Partial
from webhook.protocol.catalogue import Catalogue
from webhook.protocol.context import Scope
from webhook.protocol.errors import SentinelError
from webhook.protocol.events import ALL, CAD, EVENTS, Event
from webhook.protocol.messages import IDENTIFIER, IDENTIFIER_LENGTH, QUERIES
from webhook.protocol.session import CreatedWithGap, OpenSession, Subscription
from webhook.protocol.wire import MAX_ID, StatusReply, parse_id, parse_user_id
from webhook.queries import CATALOGUE

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

PROTOCOL_VERSION = "1.0.0"
"""The version of the protocol; the first number rises when old clients would stumble."""

_REFERENCE = "#/components/schemas/{model}"
_DEFINITION = "#/$defs/{model}"

_SOURCE = re.compile(r" \(sonoran-wire[^)]*\)")

_WORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
"""Bounds that pydantic leaves in its own words where they stand before a validator."""


class _Kind(NamedTuple):
    """A kind of message: its types on the wire, what it is for, what is in its data."""

    types: tuple[str, ...]
    summary: str
    ask: type[BaseModel]
    replies: tuple[type[BaseModel], ...]
    needs: Scope

    @property
    def name(self) -> str:
        return self.types[0].removeprefix(QUERIES)

    @property
    def answers(self) -> tuple[str, ...]:
        """The types that a frame with the answer's data may have."""
        if issubclass(self.replies[0], StatusReply):
            return ("status",)
        return tuple(name.removeprefix(QUERIES) for name in self.types)


INTERNAL = (
    _Kind(
        ("session",),
        "Say who this connection is; with `lastEventId`, resume.",
        OpenSession,
        (StatusReply, CreatedWithGap),
        Scope.READ,
    ),
    _Kind(("subscribe",), "Hear an event from now on.", Subscription, (StatusReply,), Scope.READ),
    _Kind(("unsubscribe",), "Hear an event no longer.", Subscription, (StatusReply,), Scope.READ),
)
"""The messages on the connection itself."""


def json_schemas(catalogue: Catalogue) -> dict[str, dict[str, JsonSchema]]:
    """Return a schema of draft 2020-12 for every frame: `requests`, `answers` and `events`.

    Requests are listed under the type that they are sent with, answers under that of their request,
    events under their own. Each schema stands for itself.
    """
    asked, told = _definitions(catalogue, _DEFINITION)
    requests: dict[str, JsonSchema] = {}
    answers: dict[str, JsonSchema] = {"error": _whole("error", _error_frame(), told)}
    for kind in _kinds(catalogue):
        for number, name in enumerate(kind.types):
            request = _request_frame(kind, (name,), _DEFINITION)
            answer = _answer_frame(kind, kind.answers[number : number + 1], _DEFINITION)
            requests[name] = _whole(name, request, asked)
            answers[name] = _whole(f"answer to {name}", answer, told)
    events = {name: _whole(name, frame, told) for name, frame in _event_frames(_DEFINITION)}
    return {"requests": requests, "answers": answers, "events": events}


def asyncapi(catalogue: Catalogue) -> JsonSchema:
    """Return the AsyncAPI 3.0 document of `/ws`, as seen from this program."""
    asked, told = _definitions(catalogue, _REFERENCE)
    messages: dict[str, JsonSchema] = {"error": _message("error", _error_frame(), "What is wrong.")}
    operations: dict[str, JsonSchema] = {}
    for kind in _kinds(catalogue):
        request, answer = f"{kind.name}.request", f"{kind.name}.answer"
        messages[request] = _message(
            kind.types[0], _request_frame(kind, kind.types, _REFERENCE), kind.summary
        )
        messages[answer] = _message(
            kind.answers[0],
            _answer_frame(kind, kind.answers, _REFERENCE),
            f"The answer to {kind.types[0]}.",
        )
        operations[kind.name] = {
            "action": "receive",
            "channel": {"$ref": "#/channels/ws"},
            "summary": kind.summary,
            "tags": [{"name": f"scope:{_scope_of_client(kind.needs)}"}],
            "messages": [_in_channel(request)],
            "reply": {
                "channel": {"$ref": "#/channels/ws"},
                "messages": [_in_channel(answer), _in_channel("error")],
            },
        }
    for name, frame in _event_frames(_REFERENCE):
        messages[name] = _message(name, frame, frame["description"])
        operations[name] = {
            "action": "send",
            "channel": {"$ref": "#/channels/ws"},
            "summary": frame["description"],
            "messages": [_in_channel(name)],
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CAD Sentinel",
            "version": PROTOCOL_VERSION,
            "description": (
                "The websocket on which in-game scripts ask queries and hear events. Every message"
                " has exactly one answer; docs/protocol.md tells the rest."
            ),
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "community": {
                "host": "127.0.0.1:30150",
                "protocol": "ws",
                "description": "Where the program listens unless it is configured otherwise.",
                "security": [
                    {"$ref": "#/components/securitySchemes/bearer"},
                    {"$ref": "#/components/securitySchemes/token"},
                ],
            }
        },
        "channels": {
            "ws": {
                "address": "/ws",
                "summary": "Text frames, each one JSON object.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": operations,
        "components": {
            "messages": messages,
            "schemas": dict(sorted((asked | told).items())),
            "correlationIds": {
                "request": {
                    "description": "Chosen by the client, and put into the one answer.",
                    "location": f"$message.payload#/data/{IDENTIFIER}",
                }
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "token": {"type": "httpApiKey", "name": "token", "in": "query"},
            },
        },
    }


@lru_cache(maxsize=1)
def written(catalogue: Catalogue) -> bytes:
    """Return what `GET /api/schema` answers: both, as JSON."""
    return orjson.dumps({"asyncapi": asyncapi(catalogue), "schemas": json_schemas(catalogue)})


def document(catalogue: Catalogue) -> bytes:
    """Return the AsyncAPI document for people to read and for docs/."""
    return orjson.dumps(asyncapi(catalogue), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class _Asked(GenerateJsonSchema):
    """Schemas of what clients send: what the validators take that stand before a type."""

    def function_before_schema(
        self, schema: core_schema.BeforeValidatorFunctionSchema
    ) -> JsonSchema:
        inner = super().function_before_schema(schema)
        function = schema["function"]["function"]
        if function is parse_id:
            whole = {"type": "integer", "minimum": 0, "maximum": MAX_ID}
            return {"anyOf": [whole, {"type": "string", "pattern": "^[0-9]{1,19}$"}]}
        if function is parse_user_id:
            return {"anyOf": [inner, {"type": "integer"}]}
        return inner

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchema:
        return _tidy(super().model_schema(schema))


class _Told(_Asked):
    """Schemas of what is sent to clients, where a default says nothing."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchema:
        written = super().model_schema(schema)
        fields: dict[str, JsonSchema] = written.get("properties", {})
        always = set(written.get("required", []))
        for name, field in fields.items():
            field.pop("default", None)
            if issubclass(schema["cls"], Event) and name not in always:
                fields[name] = _not_null(field)
        # Of these two only what is known is written; of all others every field is.
        if not issubclass(schema["cls"], Event | Partial):
            written["required"] = list(fields)
        return written


def _definitions(
    catalogue: Catalogue, reference: str
) -> tuple[dict[str, JsonSchema], dict[str, JsonSchema]]:
    """Return the schemas of all models by name: those that are asked with, those that are told."""
    kinds = _kinds(catalogue)
    asked = _by_name({kind.ask for kind in kinds}, reference, _Asked)
    told = _by_name(
        {*(reply for kind in kinds for reply in kind.replies), *_event_models().values()},
        reference,
        _Told,
    )
    if twice := asked.keys() & told.keys():
        raise ValueError(f"two models have the name {', '.join(sorted(twice))}")
    return asked, told


def _by_name(
    models: set[type[BaseModel]], reference: str, generator: type[GenerateJsonSchema]
) -> dict[str, JsonSchema]:
    mode: JsonSchemaMode = "validation"
    in_order = sorted(models, key=lambda model: model.__name__)
    _, schema = models_json_schema(
        [(model, mode) for model in in_order], ref_template=reference, schema_generator=generator
    )
    definitions: dict[str, JsonSchema] = schema["$defs"]
    if missing := {model.__name__ for model in models} - definitions.keys():
        raise ValueError(f"two models have the name {', '.join(sorted(missing))}")
    return definitions


def _kinds(catalogue: Catalogue) -> list[_Kind]:
    """Return every message that clients may send."""
    queries = [
        _Kind(
            query.types,
            query.summary,
            query.ask,
            (query.reply,),
            query.scope,
        )
        for query in catalogue.queries
    ]
    return [*INTERNAL, *queries]


def _event_models() -> dict[str, type[BaseModel]]:
    """Return the model of every event's data by the event's full name."""
    own: dict[str, type[BaseModel]] = {f"events.{name}": model for name, model in EVENTS.items()}
    pushed = {f"events.{CAD}.{kind}": model for kind, model in cad.EVENTS.items()}
    return own | pushed


def _request_frame(kind: _Kind, types: tuple[str, ...], reference: str) -> JsonSchema:
    data: JsonSchema = {
        "allOf": [_refer(kind.ask, reference)],
        "type": "object",
        "properties": {IDENTIFIER: _identifier()},
    }
    if any(field.is_required() for field in kind.ask.model_fields.values()):
        return _frame(types, data, kind.summary)
    optional = {"anyOf": [data, {"type": "null"}]}
    return _frame(types, optional, kind.summary) | {"required": ["type"]}


def _answer_frame(kind: _Kind, types: tuple[str, ...], reference: str) -> JsonSchema:
    models = [_refer(model, reference) for model in kind.replies]
    data: JsonSchema = {
        **({"allOf": models} if len(models) == 1 else {"anyOf": models}),
        "type": "object",
        "properties": {IDENTIFIER: _identifier()},
    }
    return _frame(types, data, f"The answer to {kind.types[0]}.")


def _error_frame() -> JsonSchema:
    errors: list[type[SentinelError]] = [SentinelError, *SentinelError.__subclasses__()]
    text: JsonSchema = {"type": "string"}
    fields = {
        "type": "array",
        "description": "With `invalid-data`: every field that does not fit.",
        "items": {
            "type": "object",
            "properties": {"field": text, "problem": text},
            "required": ["field", "problem"],
        },
    }
    data = {
        "type": "object",
        "properties": {
            "code": {"type": "string", "enum": sorted({error.code for error in errors})},
            "error": text,
            "message": {"type": "string", "description": "The same sentence once more."},
            "fields": fields,
            IDENTIFIER: _identifier(),
        },
        "required": ["code", "error", "message"],
    }
    return _frame(("error",), data, "Why a message was not carried out.")


def _event_frames(reference: str) -> Iterator[tuple[str, JsonSchema]]:
    """Return the frame of every event by its type; the last is that for `events.all`."""
    number = {"type": "integer", "minimum": 1, "description": "The event's number."}
    for name, model in _event_models().items():
        frame = _frame((name,), _refer(model, reference), _sentence(model.__doc__ or ""))
        frame["properties"]["id"] = number
        frame["required"] = ["type", "id", "data"]
        yield name, frame
    every = _frame((f"events.{ALL}",), {"type": "object"}, "Any event, for those who hear all.")
    every["properties"] |= {
        "id": number,
        "event": {"type": "string", "enum": list(_event_models())},
    }
    every["required"] = ["type", "id", "event", "data"]
    yield f"events.{ALL}", every


def _frame(types: tuple[str, ...], data: JsonSchema, description: str) -> JsonSchema:
    kind = {"const": types[0]} if len(types) == 1 else {"enum": list(types)}
    return {
        "description": description,
        "type": "object",
        "properties": {"type": {"type": "string"} | kind, "data": data},
        "required": ["type", "data"],
    }


def _identifier() -> JsonSchema:
    return {
        "description": "Chosen by the client, and put into the one answer.",
        "type": "string",
        "minLength": 1,
        "maxLength": IDENTIFIER_LENGTH,
    }


def _refer(model: type[BaseModel], reference: str) -> JsonSchema:
    return {"$ref": reference.format(model=model.__name__)}


def _whole(title: str, frame: JsonSchema, definitions: dict[str, JsonSchema]) -> JsonSchema:
    """Return a frame's schema with the definitions that it needs, and no others."""
    needed: dict[str, JsonSchema] = {}
    waiting = list(_referred(frame))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = definitions[name]
            waiting += _referred(definitions[name])
    rest = {"$defs": dict(sorted(needed.items()))} if needed else {}
    return {"$schema": DIALECT, "title": title} | frame | rest


def _referred(schema: object) -> Iterator[str]:
    """Return the names of the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(target := schema.get("$ref"), str):
            yield target.rpartition("/")[2]
        for value in schema.values():
            yield from _referred(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _referred(value)


def _tidy(schema: JsonSchema) -> JsonSchema:
    """Say bounds in the words of JSON Schema; keep of names and docstrings what tells something."""
    schema["description"] = _sentence(schema.get("description", ""))
    fields: dict[str, JsonSchema] = schema.get("properties", {})
    for name, field in fields.items():
        fields[name] = _in_words(field)
        fields[name].pop("title", None)
    return schema


def _sentence(docstring: str) -> str:
    """Return what a docstring says to strangers: its first line, without its sources."""
    return _SOURCE.sub("", docstring.strip().partition("\n")[0])


def _in_words(schema: JsonSchema) -> JsonSchema:
    renamed = {_WORDS.get(name, name): value for name, value in schema.items()}
    if "anyOf" in renamed:
        renamed["anyOf"] = [_in_words(choice) for choice in renamed["anyOf"]]
    return renamed


def _not_null(field: JsonSchema) -> JsonSchema:
    """Leave null out: what an event does not know is not there at all."""
    choices = [choice for choice in field.get("anyOf", []) if choice != {"type": "null"}]
    if not choices:
        return field
    rest = {name: value for name, value in field.items() if name != "anyOf"}
    return rest | (choices[0] if len(choices) == 1 else {"anyOf": choices})


def _message(title: str, payload: JsonSchema, summary: str) -> JsonSchema:
    message = {
        "name": title,
        "title": title,
        "summary": summary,
        "payload": payload,
    }
    if IDENTIFIER in str(payload):
        message["correlationId"] = {"$ref": "#/components/correlationIds/request"}
    return message


def _in_channel(message: str) -> dict[str, str]:
    return {"$ref": f"#/channels/ws/messages/{message}"}


def _scope_of_client(scope: Scope) -> str:
    """Return the scope that a configured client needs: those have no `approve` of their own."""
    return Scope.ADMIN.name.lower() if scope is Scope.APPROVE else scope.name.lower()


def main() -> None:
    """Write the AsyncAPI document to the file that is named."""
    Path(sys.argv[1]).write_bytes(document(CATALOGUE))


if __name__ == "__main__":
    main()
