"""The protocol for machines: an AsyncAPI 3.0 document of `/ws`.

It is made from the models that validate the frames, so it cannot say anything else.
docs/asyncapi.json is written by `python -m webhook.http.asyncapi docs/asyncapi.json`.
"""

import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema
from pydantic_core import core_schema

from webhook import cad
from webhook.cad import Partial
from webhook.protocol.catalogue import Catalogue, Nothing
from webhook.protocol.context import Scope
from webhook.protocol.errors import SentinelError
from webhook.protocol.events import ALL, CAD, EVENTS, Event
from webhook.protocol.messages import IDENTIFIER, IDENTIFIER_LENGTH, QUERIES
from webhook.protocol.session import CreatedWithGap, NewSubscription, OfSubscription, OpenSession
from webhook.protocol.wire import StatusReply
from webhook.queries import CATALOGUE

JsonSchema = dict[str, Any]

PROTOCOL_VERSION = "1.0.0"
"""The version of the protocol; the first number rises when old clients would break."""

_SOURCE = re.compile(r" \(sonoran-wire[^)]*\)")

_CHANNEL = {"$ref": "#/channels/ws"}
_IDENTIFIER_SCHEMA: JsonSchema = {
    "description": "Chosen by the client, and returned in the one answer.",
    "type": ["string", "number"],
    "minLength": 1,
    "maxLength": IDENTIFIER_LENGTH,
}
_BESIDE_SCHEMA = _IDENTIFIER_SCHEMA | {
    "description": "May stand here instead of in the data; then the answer has it in both places."
}
_QUERY_SCHEMA: JsonSchema = {
    "description": "The query that it answers, by its own name if an alias was sent.",
    "type": "string",
}


class _Operation(NamedTuple):
    """A kind of message that clients send: its types, the models of request and answers."""

    types: tuple[str, ...]
    summary: str
    request: type[BaseModel]
    replies: tuple[type[BaseModel], ...]
    scope: Scope

    @property
    def name(self) -> str:
        return self.types[0].removeprefix(QUERIES)

    @property
    def answer_types(self) -> tuple[str, ...]:
        if issubclass(self.replies[0], StatusReply):
            return ("status",)
        return tuple(name.removeprefix(QUERIES) for name in self.types)


SESSION_OPERATIONS = [
    _Operation(
        ("session",),
        "Say who this connection is; with `lastEventId`, resume.",
        OpenSession,
        (StatusReply, CreatedWithGap),
        Scope.READ,
    ),
    _Operation(
        ("subscribe",), "Receive an event from now on.", NewSubscription, (StatusReply,), Scope.READ
    ),
    _Operation(
        ("unsubscribe",), "Receive an event no longer.", OfSubscription, (StatusReply,), Scope.READ
    ),
    _Operation(("ping",), "Ask whether the connection works.", Nothing, (StatusReply,), Scope.READ),
]


@lru_cache(maxsize=1)
def asyncapi(catalogue: Catalogue) -> JsonSchema:
    """Return the AsyncAPI document of `/ws`, as seen from this program."""
    operations = SESSION_OPERATIONS + [
        _Operation(query.types, query.summary, query.ask, (query.reply,), query.scope)
        for query in catalogue.queries
    ]
    messages = {"error": _error_message()}
    described: dict[str, JsonSchema] = {}
    for operation in operations:
        request, answer = f"{operation.name}.request", f"{operation.name}.answer"
        messages[request] = _request_message(operation)
        messages[answer] = _answer_message(operation)
        # Configured clients cannot have the scope `approve`; the next one includes it.
        scope = Scope.ADMIN if operation.scope is Scope.APPROVE else operation.scope
        described[operation.name] = {
            "action": "receive",
            "channel": _CHANNEL,
            "summary": operation.summary,
            "tags": [{"name": f"scope:{scope.name.lower()}"}],
            "messages": _in_channel(request),
            "reply": {"channel": _CHANNEL, "messages": _in_channel(answer, "error")},
        }
    for name, message in _event_messages().items():
        messages[name] = message
        described[name] = {
            "action": "send",
            "channel": _CHANNEL,
            "summary": message["summary"],
            "messages": _in_channel(name),
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "CAD Sentinel",
            "version": PROTOCOL_VERSION,
            "description": (
                "The websocket on which in-game scripts send queries and receive events. Every"
                " message has exactly one answer. More is taken than the requests say, such as"
                " digits for numbers; docs/protocol.md describes the rest."
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
        "operations": described,
        "components": {
            "messages": messages,
            "schemas": _model_schemas(operations),
            "correlationIds": {
                "request": {
                    "description": _IDENTIFIER_SCHEMA["description"],
                    "location": f"$message.payload#/data/{IDENTIFIER}",
                }
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "token": {"type": "httpApiKey", "name": "token", "in": "query"},
            },
        },
    }


def document(catalogue: Catalogue) -> bytes:
    """Return the AsyncAPI document as the bytes of docs/asyncapi.json."""
    return orjson.dumps(asyncapi(catalogue), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class _ModelSchema(GenerateJsonSchema):
    """The schemas of what clients send: without titles of fields and sources in descriptions."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchema:
        written = super().model_schema(schema)
        written["description"] = _first_line(written.get("description", ""))
        return written

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


class _SentSchema(_ModelSchema):
    """The schemas of what is sent to clients: without defaults, and with what is always there."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchema:
        written = super().model_schema(schema)
        fields: dict[str, JsonSchema] = written.get("properties", {})
        always = set(written.get("required", []))
        for name, field in fields.items():
            field.pop("default", None)
            if issubclass(schema["cls"], Event) and name not in always:
                fields[name] = _without_null(field)
        # These two are sent without what is unknown; all others with every field.
        if not issubclass(schema["cls"], Event | Partial):
            optional = schema["cls"].model_fields.values()
            left_out = {field.alias for field in optional if field.exclude_if is not None}
            written["required"] = [name for name in fields if name not in left_out]
        return written


def _model_schemas(operations: list[_Operation]) -> dict[str, JsonSchema]:
    """Return the schemas of all models by name."""
    requests: set[type[BaseModel]] = {operation.request for operation in operations}
    replies = {reply for operation in operations for reply in operation.replies}
    sent = {*replies, *_event_models().values()}
    schemas: dict[str, JsonSchema] = {}
    for models, generator in ((requests, _ModelSchema), (sent, _SentSchema)):
        mode: JsonSchemaMode = "validation"
        _, schema = models_json_schema(
            [(model, mode) for model in sorted(models, key=lambda model: model.__name__)],
            ref_template="#/components/schemas/{model}",
            schema_generator=generator,
        )
        found: dict[str, JsonSchema] = schema["$defs"]
        missing = {model.__name__ for model in models} - found.keys()
        if twice := missing | (schemas.keys() & found.keys()):
            raise ValueError(f"two models have the name {', '.join(sorted(twice))}")
        schemas |= found
    return dict(sorted(schemas.items()))


def _event_models() -> dict[str, type[BaseModel]]:
    """Return the model of every event's data by the event's full name."""
    own: dict[str, type[BaseModel]] = {f"events.{name}": model for name, model in EVENTS.items()}
    return own | {f"events.{CAD}.{kind}": model for kind, model in cad.EVENTS.items()}


def _request_message(operation: _Operation) -> JsonSchema:
    data = _with_identifier({"allOf": [_reference(operation.request)]})
    is_needed = any(field.is_required() for field in operation.request.model_fields.values())
    if not is_needed:
        data = {"anyOf": [data, {"type": "null"}]}
    message = _message(operation.types, operation.summary, data)
    if not is_needed:
        message["payload"]["required"] = ["type"]
    return message


def _answer_message(operation: _Operation) -> JsonSchema:
    models = [_reference(model) for model in operation.replies]
    data = _with_identifier({"allOf" if len(models) == 1 else "anyOf": models})
    query = _QUERY_SCHEMA | {"const": operation.types[0]}
    beside = {"query": query} if operation.types[0].startswith(QUERIES) else {}
    return _message(operation.answer_types, f"The answer to {operation.types[0]}.", data, **beside)


def _with_identifier(data: JsonSchema) -> JsonSchema:
    return data | {"type": "object", "properties": {IDENTIFIER: _IDENTIFIER_SCHEMA}}


def _error_message() -> JsonSchema:
    errors: list[type[SentinelError]] = [SentinelError, *SentinelError.__subclasses__()]
    text: JsonSchema = {"type": "string"}
    fields = {
        "type": "array",
        "description": "With `invalid-data`: every invalid field.",
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
            IDENTIFIER: _IDENTIFIER_SCHEMA,
        },
        "required": ["code", "error", "message"],
    }
    message = _message(("error",), "Why a message was not carried out.", data)
    message["payload"]["properties"]["query"] = _QUERY_SCHEMA
    return message


def _event_messages() -> dict[str, JsonSchema]:
    """Return the message of every event by its type; the last is that of `events.all`."""
    number = {"type": "integer", "minimum": 1, "description": "The event's number."}
    messages = {
        name: _message((name,), _first_line(model.__doc__ or ""), _reference(model), id=number)
        for name, model in _event_models().items()
    }
    every = f"events.{ALL}"
    event = {"type": "string", "pattern": r"^events\."}
    data = {"type": "object", "properties": {"event": event}, "required": ["event"]}
    messages[every] = _message(
        (every,), "Any event, for subscribers of all.", data, id=number, event=event
    )
    return messages


def _message(
    types: tuple[str, ...], summary: str, data: JsonSchema, **beside_data: JsonSchema
) -> JsonSchema:
    """Describe a message; its frame has the data and these other members."""
    kind = {"const": types[0]} if len(types) == 1 else {"enum": list(types)}
    payload: JsonSchema = {
        "description": summary,
        "type": "object",
        "properties": {"type": {"type": "string"} | kind, "data": data} | beside_data,
        "required": ["type", *beside_data, "data"],
    }
    message = {"name": types[0], "title": types[0], "summary": summary, "payload": payload}
    if IDENTIFIER in str(payload):
        payload["properties"][IDENTIFIER] = _BESIDE_SCHEMA
        message["correlationId"] = {"$ref": "#/components/correlationIds/request"}
    return message


def _reference(model: type[BaseModel]) -> JsonSchema:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _in_channel(*messages: str) -> list[JsonSchema]:
    return [{"$ref": f"#/channels/ws/messages/{message}"} for message in messages]


def _first_line(docstring: str) -> str:
    """Return a docstring's first line, without its sources."""
    return _SOURCE.sub("", docstring.strip().partition("\n")[0])


def _without_null(field: JsonSchema) -> JsonSchema:
    """Leave null out: an event is sent without what is unknown."""
    choices = [choice for choice in field.get("anyOf", []) if choice != {"type": "null"}]
    if not choices:
        return field
    rest = {name: value for name, value in field.items() if name != "anyOf"}
    return rest | (choices[0] if len(choices) == 1 else {"anyOf": choices})


def main() -> None:
    """Write the AsyncAPI document to the file given as argument."""
    Path(sys.argv[1]).write_bytes(document(CATALOGUE))


if __name__ == "__main__":
    main()
