"""JSON documents: what is read, repaired and rejected."""

from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.protocol.errors import BadJson
from webhook.protocol.json_reader import parse_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_dumped_json_is_parsed(value: Any) -> None:
    assert parse_json(orjson.dumps(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_parsed_or_rejected(raw: bytes) -> None:
    with suppress(BadJson):
        parse_json(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{}{}",
        b"NaN",
        b"[1e999]",
        b"-Infinity",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a": 1,}',
        b'["\\ud800", NaN]',
        b'["\\ud800", 1e999]',
        b'["\\ud800", ' + b"9" * 5_000 + b"]",
        b'["\\ud800", ' + b"[" * 100_000 + b"]" * 100_000 + b"]",
        '{"a": 1}'.encode("utf-16"),
    ],
)
def test_invalid_json_is_rejected(raw: bytes) -> None:
    with pytest.raises(BadJson):
        parse_json(raw)


def test_byte_order_mark_is_skipped() -> None:
    assert parse_json(b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"\ud83d", "\ufffd"),
        (r"\ude00", "\ufffd"),
        (r"a\ud83db", "a\ufffdb"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\ud83d\u0041", "\ufffdA"),
        (r"\ud83dé", "\ufffdé"),
    ],
)
def test_half_of_a_surrogate_pair_becomes_a_replacement_character(written: str, read: str) -> None:
    assert parse_json(f'{{"{written}": "{written}"}}') == {read: read}
    orjson.dumps(parse_json(f'"{written}"'))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"Stra\xc3", "Stra\ufffd"),
        ("Stra\u00dfe".encode("latin-1"), "Stra\ufffde"),
        ("\u2013 \u20ac".encode("cp1252"), "\ufffd \ufffd"),
        ("\u0443\u043b".encode("cp1251"), "\ufffd\ufffd"),
        ("中".encode("gbk"), "\ufffd\ufffd"),
        ("乗x".encode("gbk"), "\ufffd\ufffdx"),
        ("\U0001f525".encode()[:3], "\ufffd"),
        (b"\xed\xa0\xbd\xed\xb4\xa5", "\U0001f525"),
        (b"\xed\xa0\xbd!", "\ufffd!"),
    ],
)
def test_bytes_that_are_not_utf8_become_replacement_characters(written: bytes, read: str) -> None:
    assert parse_json(b'{"a": ["%b", "\\n"]}' % written) == {"a": [read, "\n"]}


def test_an_invalid_number_may_be_read_as_text() -> None:
    raw = b'{"x": NaN, "y": [-Infinity, 1e999, 1.5], "t": "NaN \xff"}'
    assert parse_json(raw, nan_as_text=True) == {
        "x": "NaN",
        "y": ["-Infinity", "1e999", 1.5],
        "t": "NaN \ufffd",
    }
