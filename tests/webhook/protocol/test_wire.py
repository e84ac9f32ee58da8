"""JSON in and out: what is read, what is refused, and in which words."""

from contextlib import suppress
from typing import Annotated, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import BadJson, InvalidData
from webhook.protocol.wire import MAX_ID, WHOLE, Id, UserId, Wire, parse_json, timestamp, validate

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class SomeFields(Wire):
    property_id: Id
    user_id: UserId = "u"
    width: Annotated[int, Field(ge=0), WHOLE] = 0
    note: str = ""


def faults(**data: object) -> list[str]:
    with pytest.raises(InvalidData) as refused:
        validate(SomeFields, data)
    return [fault.field for fault in refused.value.fields]


def test_problems_are_plain_sentences() -> None:
    with pytest.raises(InvalidData) as refused:
        validate(SomeFields, {"propertyId": 1, "userId": "u" * 65, "width": -1, "note": 1})
    assert [(fault.field, fault.problem) for fault in refused.value.fields] == [
        ("userId", "must have at most 64 characters"),
        ("width", "must be 0 or more"),
        ("note", "Input should be a valid string"),
    ]
    assert str(refused.value).startswith("userId: must have at most 64 characters; width:")


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
        b'"\xff"',
        b'"\xed\xa0\x80"',
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


@pytest.mark.parametrize("value", [0, 7, "7", "0007", MAX_ID, str(MAX_ID)])
def test_id_is_an_integer_or_digits(value: object) -> None:
    assert validate(SomeFields, {"propertyId": value}).property_id == int(str(value))


@pytest.mark.parametrize(
    "value",
    [None, True, -1, -1.0, 1.5, "", "7a", "-7", " 7", "٣", "1e3", [7], {}, MAX_ID + 1, str(2**63)],
)
def test_invalid_id_names_its_field(value: object) -> None:
    assert faults(propertyId=value) == ["propertyId"]


def test_user_id_may_be_an_integer() -> None:
    assert validate(SomeFields, {"propertyId": 1, "userId": 210987654321098765}).user_id == (
        "210987654321098765"
    )


@pytest.mark.parametrize("value", ["", "x" * 65, True, None, 1.5, ["a"]])
def test_invalid_user_id_is_rejected(value: object) -> None:
    assert faults(propertyId=1, userId=value) == ["userId"]


def test_user_id_of_64_characters_is_accepted() -> None:
    assert validate(SomeFields, {"propertyId": 1, "userId": "é" * 64}).user_id == "é" * 64


@pytest.mark.parametrize("value", [3, 3.0])
def test_whole_number_may_be_written_with_a_fraction_of_zero(value: float) -> None:
    assert validate(SomeFields, {"propertyId": 1, "width": value}).width == 3


@pytest.mark.parametrize("value", [3.5, "3", True, None, -1])
def test_invalid_whole_number_is_rejected(value: object) -> None:
    assert faults(propertyId=1, width=value) == ["width"]


def test_every_wrong_field_is_named() -> None:
    assert faults(userId=True, width="wide", note=7) == ["propertyId", "userId", "width", "note"]


def test_unknown_fields_are_ignored() -> None:
    assert validate(SomeFields, {"propertyId": 1, "api": "old", "Note": 7}).property_id == 1


def test_timestamp_has_milliseconds_and_says_utc() -> None:
    assert timestamp(1_795_339_800_123) == "2026-11-22T09:30:00.123Z"
    assert timestamp(1_795_339_800_007) == "2026-11-22T09:30:00.007Z"
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"


@given(st.text(max_size=40), st.integers(1, 20))
def test_cleaned_text_is_short_visible_and_stays_as_it_is(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert clean_text(cleaned, limit) == cleaned


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\x00", "\x1b", "\ue000", "\u3164"])
def test_invisible_characters_are_removed(hidden: str) -> None:
    assert clean_text(f"a{hidden}b\nc") == "ab\nc"


def test_piled_up_marks_are_limited() -> None:
    assert (
        clean_text("Z" + "\u0301" * 500 + "a\u0302\u0301") == "Z" + "\u0301" * 4 + "a\u0302\u0301"
    )
    assert clean_text("\u0301a \u0489b") == "a b"


@pytest.mark.parametrize("text", ["Việt", "हिन्दी", "שָׁלוֹם", "مُحَمَّد", "1\ufe0f\u20e3", "❤\ufe0f", "ก็้"])
def test_marks_of_languages_and_emoji_stay(text: str) -> None:
    assert clean_text(text) == text
