"""Discord's own description of its REST interface, to hold bodies against where it is at hand.

It is looked for beside the repository (../shared) or where DISCORD_OPENAPI says; nothing needs it.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import JSON
from .rest import RecordedRequest

FILE = "discord-openapi.json.gz"
BESIDE = Path(__file__).resolve().parents[3] / "shared" / FILE

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


class OpenApi:
    """The description, and what of a request or an answer does not agree with it."""

    def __init__(self, description: JSON) -> None:
        self._schemas: JSON = description["components"]["schemas"]
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path, methods)
            for path, methods in sorted(description["paths"].items(), key=_literal_first)
        ]

    @classmethod
    def load(cls) -> OpenApi | None:
        """The description, or None where it is not at hand."""
        path = Path(os.environ.get("DISCORD_OPENAPI", BESIDE))
        if not path.exists():
            return None
        with gzip.open(path) as file:
            return cls(json.load(file))

    def faults(self, requests: Sequence[RecordedRequest]) -> list[str]:
        """One line for each thing in the accepted requests and their answers that is amiss."""
        return [
            f"{one.method} {one.path} {fault}"
            for one in requests
            if one.status is not None and 200 <= one.status < 300
            for fault in self._faults_of(one)
        ]

    def _faults_of(self, request: RecordedRequest) -> Iterator[str]:
        operation = self._operation(request)
        if operation is None:
            yield "is no route of Discord's"
            return
        sent = _schema(operation.get("requestBody", {}))
        if sent is not None and request.body is not None:
            yield from self.disagreements(sent, request.body, "request")
        got = operation["responses"].get(str(request.status))
        if got is None:
            yield f"is not answered {request.status}"
        elif (schema := _schema(got)) is not None:
            yield from self.disagreements(schema, request.answer, "answer")

    def _operation(self, request: RecordedRequest) -> JSON | None:
        for pattern, _, methods in self._paths:
            if pattern.fullmatch(request.path) and request.method.lower() in methods:
                found: JSON = methods[request.method.lower()]
                return found
        return None

    def disagreements(self, schema: JSON, value: Any, at: str) -> list[str]:
        """Where the value does not agree with the schema."""
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rsplit("/", 1)[1]]
            return self.disagreements(schema, value, at)
        for key in ("oneOf", "anyOf"):
            if key in schema:
                return self._closest(schema[key], value, at)
        found: list[str] = []
        for part in schema.get("allOf", []):
            found += self.disagreements(part, value, at)
        if not _fits_type(schema, value):
            return [*found, f"{at}: {value!r:.60} is no {schema.get('type')}"]
        if "const" in schema and value != schema["const"]:
            found.append(f"{at}: {value!r:.60} is not {schema['const']!r}")
        return found + self._inside(schema, value, at)

    def _closest(self, schemas: Sequence[JSON], value: Any, at: str) -> list[str]:
        return min((self.disagreements(one, value, at) for one in schemas), key=len)

    def _inside(self, schema: JSON, value: Any, at: str) -> list[str]:
        found: list[str] = []
        if isinstance(value, str):
            found += _lengths(schema, len(value), ("minLength", "maxLength"), at)
            if "pattern" in schema and not re.search(schema["pattern"], value):
                found.append(f"{at}: {value!r:.60} does not match {schema['pattern']}")
        elif isinstance(value, list):
            found += _lengths(schema, len(value), ("minItems", "maxItems"), at)
            for index, one in enumerate(value):
                found += self.disagreements(schema.get("items", {}), one, f"{at}[{index}]")
        elif isinstance(value, dict):
            missing = [key for key in schema.get("required", []) if key not in value]
            found += [f"{at}: {key} is missing" for key in missing]
            for key, inner in schema.get("properties", {}).items():
                if key in value:
                    found += self.disagreements(inner, value[key], f"{at}.{key}")
        return found


def _literal_first(item: tuple[str, Any]) -> tuple[int, str]:
    return (item[0].count("{"), item[0])


def _schema(holder: JSON) -> JSON | None:
    found: JSON | None = holder.get("content", {}).get("application/json", {}).get("schema")
    return found


def _fits_type(schema: JSON, value: Any) -> bool:
    kinds = schema.get("type")
    if kinds is None:
        return True
    names = kinds if isinstance(kinds, list) else [kinds]
    if schema.get("format") == "snowflake" and isinstance(value, int):
        # Discord takes ids as numbers too, and discord.py sends them so.
        return True
    if "integer" in names and isinstance(value, str) and value.isdigit():
        # Discord takes permissions as digits too, and discord.py sends a role's so.
        return True
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names)


def _lengths(schema: JSON, length: int, keys: tuple[str, str], at: str) -> list[str]:
    least, most = schema.get(keys[0], 0), schema.get(keys[1], float("inf"))
    return [] if least <= length <= most else [f"{at}: {length} is not in {least}…{most}"]
