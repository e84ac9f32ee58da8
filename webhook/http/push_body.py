"""Reads the body of a push, also one that a script wrapped in a text or sent as a form."""

import re
from typing import Any
from urllib.parse import parse_qsl

from webhook.protocol.errors import BadJson, WrongFormat
from webhook.protocol.json_reader import MAX_REPAIRED, parse_json

MAX_FIELDS = 64
"""Fields of a form; a push has three."""

_FORM = re.compile(rb"[\w.%+\[\]-]{1,64}=|%7B", re.IGNORECASE)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{")


def read_push(raw: bytes, *, is_repaired: bool = True) -> Any:
    """Return the JSON document of a push, not validated.

    `is_repaired`: broken text in it is replaced, and forms are read, which takes much longer.

    Raises:
        WrongFormat: the body has another, recognised format.
        BadJson: it cannot be read at all.
    """
    if raw.startswith(_UTF_16):
        raise WrongFormat("the body is UTF-16; send it as UTF-8")
    if raw.startswith(b"--"):
        raise WrongFormat("the body is a multipart form; send the JSON as the body itself")
    try:
        body = parse_json(raw, nan_as_text=True, is_repaired=is_repaired)
    except BadJson:
        if not is_repaired or len(raw) > MAX_REPAIRED or not _FORM.match(raw):
            raise
        return _read_form(raw)
    return _unwrap(body, is_repaired) if isinstance(body, str) else body


def _unwrap(text: str, is_repaired: bool) -> Any:
    """Read a body that was encoded twice: a JSON text that holds JSON."""
    try:
        body = parse_json(text, nan_as_text=True, is_repaired=is_repaired)
    except BadJson:
        body = None
    if not isinstance(body, dict):
        raise WrongFormat("the body is a text; send the object itself, encoded once")
    return body


def _read_form(raw: bytes) -> Any:
    """Read a form with the members of a push, or with the whole push in one field."""
    try:
        pairs = parse_qsl(
            raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FIELDS
        )
    except ValueError:
        pairs = []
    form = {name: _json_or_text(value) for name, value in pairs}
    if "key" in form:
        return form | {name: dict(pairs)[name] for name in ("key", "type") if name in form}
    for whole in (*form.values(), *map(_json_or_text, form)):
        if isinstance(whole, dict):
            return whole
    raise WrongFormat("the body is a form without a push in it; send the JSON as the body itself")


def _json_or_text(written: str) -> Any:
    try:
        return parse_json(written, nan_as_text=True)
    except BadJson:
        return written
