"""Reading JSON as clients and CADs write it, with broken text repaired."""

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import orjson

from webhook.protocol.errors import BadJson

MAX_VALUES = 50_000
"""The most commas and brackets of a document; parsing each costs time on the event loop."""

MAX_REPAIRED = 256 * 1024
"""Bytes of a document in which broken text is replaced, which is slower than parsing; of a form."""

_BACKSLASH_AFTER_LETTER = re.compile(r"(?<=[^\x00-\x7f])\\")
_SURROGATES = re.compile(rb"(?:\xed[\xa0-\xbf][\x80-\xbf])+")


def parse_json(
    body: bytes | str,
    *,
    nan_as_text: bool = False,
    max_values: int = MAX_VALUES,
    is_repaired: bool = True,
) -> Any:
    """Read one JSON document.

    A byte order mark is skipped, and what is no text becomes U+FFFD, as Lua cuts strings in the
    middle of a letter and knows no encoding: half a surrogate pair, and bytes that are not UTF-8.
    NaN and numbers beyond floating point are rejected, or count as texts. All of this only if
    `is_repaired`.

    Raises:
        BadJson: the body is not one JSON document, or one that would take too long to read.
    """
    raw = _bounded(body, max_values)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if is_repaired and len(raw) <= MAX_REPAIRED:
            for text in _repaired(raw):
                with suppress(ValueError, RecursionError):
                    return _load(text, _keep_text if nan_as_text else _reject)
        raise BadJson("invalid JSON: {fault}", fault=error) from None


def _bounded(body: bytes | str, max_values: int) -> bytes:
    raw = body.encode(errors="replace") if isinstance(body, str) else body
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if len(raw) > max_values and sum(map(raw.count, (b",", b"[", b"{"))) > max_values:
        raise BadJson("a message must not contain more than {most} values", most=max_values)
    return raw


def _repaired(raw: bytes) -> Iterator[str]:
    """Decode bytes, with U+FFFD for anything that is not UTF-8.

    The second reading is for encodings such as GBK, in which the second byte of a letter may look
    like a backslash.
    """
    text = _SURROGATES.sub(_pair_surrogates, raw).decode("utf-8", "replace")
    yield text
    yield _BACKSLASH_AFTER_LETTER.sub("\ufffd", text)


def _pair_surrogates(written: re.Match[bytes]) -> bytes:
    """Join the halves of a letter that were written one by one (CESU-8)."""
    halves = written[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass")
    return halves.decode("utf-16", "replace").encode()


def _load(text: str, read_constant: Callable[[str], object]) -> Any:
    """Read JSON with the standard library; `read_constant` gets numbers that are not finite."""

    def read_float(digits: str) -> object:
        number = float(digits)
        return number if math.isfinite(number) else read_constant(digits)

    found = json.loads(text, parse_constant=read_constant, parse_float=read_float)
    text = json.dumps(found, ensure_ascii=False)
    return orjson.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _keep_text(written: str) -> str:
    return written


def _reject(written: str) -> None:
    raise ValueError(f"{written} is not a number")
