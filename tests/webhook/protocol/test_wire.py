"""Fields of messages: what is read, what is rejected, and in which words."""

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from webhook.protocol.clean_text import clean_text
from webhook.protocol.errors import InvalidData
from webhook.protocol.wire import (
    MAX_ID,
    ROUNDED,
    TEXT,
    WHOLE,
    Id,
    IdOrName,
    Request,
    UserId,
    timestamp,
    validate,
)


class SomeFields(Request):
    property_id: Id
    user_id: UserId = "u"
    width: Annotated[int, Field(ge=0), WHOLE] = 0
    x: Annotated[int, Field(ge=-1_000), ROUNDED] = 0
    tier: IdOrName = 1
    note: str = ""
    search: Annotated[str, Field(max_length=20), TEXT] = ""


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
        ("note", "must be a text"),
    ]
    assert str(refused.value).startswith("userId: must have at most 64 characters; width:")


@pytest.mark.parametrize("value", [0, 7, "7", "0007", MAX_ID, str(MAX_ID)])
def test_id_is_an_integer_or_digits(value: object) -> None:
    assert validate(SomeFields, {"propertyId": value}).property_id == int(str(value))


@pytest.mark.parametrize("value", [7.0, "7.0"])
def test_id_may_be_written_as_lua_writes_numbers(value: object) -> None:
    assert validate(SomeFields, {"propertyId": value}).property_id == 7


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


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (7.0, "7"),
        (" Bob ", "Bob"),
        (" Steam:11000010ABCDEF ", "steam:11000010abcdef"),
        ("LICENSE2:9F", "license2:9f"),
        ("char1:9F", "char1:9f"),
        ("discord:80351110224678912", "discord:80351110224678912"),
        ("QBX:9F", "QBX:9F"),
    ],
)
def test_user_id_of_the_game_has_no_case_and_no_blanks(value: object, read: str) -> None:
    assert validate(SomeFields, {"propertyId": 1, "userId": value}).user_id == read


@pytest.mark.parametrize("name", ["userId", "user", "clientId"])
def test_user_id_has_synonyms(name: str) -> None:
    assert validate(SomeFields, {"propertyId": 1, name: "v"}).user_id == "v"


def test_documented_name_outranks_synonyms() -> None:
    sent = {"propertyId": 1, "clientId": "b", "userId": "a", "user": None}
    assert validate(SomeFields, sent).user_id == "a"


def test_null_is_like_an_absent_field() -> None:
    sent = dict.fromkeys(["userId", "width", "x", "tier", "note", "search"])
    assert validate(SomeFields, sent | {"propertyId": 1}) == SomeFields(property_id=1)


@pytest.mark.parametrize("value", ["", " ", "x" * 65, True, 1.5, ["a"]])
def test_invalid_user_id_is_rejected(value: object) -> None:
    assert faults(propertyId=1, userId=value) == ["userId"]


def test_user_id_of_64_characters_is_accepted() -> None:
    assert validate(SomeFields, {"propertyId": 1, "userId": "é" * 64}).user_id == "é" * 64


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0", " 3 "])
def test_whole_number_may_be_text_or_have_a_fraction_of_zero(value: object) -> None:
    assert validate(SomeFields, {"propertyId": 1, "width": value}).width == 3


def test_empty_text_is_not_a_number() -> None:
    assert validate(SomeFields, {"propertyId": 1, "width": "", "x": ""}).width == 0


@pytest.mark.parametrize(
    ("value", "read"), [(-857.23, -857), ("44.6", 45), (12, 12), ("-7", -7), ("-0.4", 0)]
)
def test_fraction_is_rounded_where_only_integers_are_stored(value: object, read: int) -> None:
    assert validate(SomeFields, {"propertyId": 1, "x": value}).x == read


@pytest.mark.parametrize("value", ["1e3", "0x10", "٣", "1,5", True, [], "nan", -1e300])
def test_invalid_number_is_rejected(value: object) -> None:
    assert faults(propertyId=1, x=value) == ["x"]


@pytest.mark.parametrize(
    ("value", "read"), [(2, 2), ("2", 2), (2.0, 2), ("Premium", "Premium"), (" a 2 ", "a 2")]
)
def test_id_or_name_is_either(value: object, read: object) -> None:
    assert validate(SomeFields, {"propertyId": 1, "tier": value}).tier == read


@pytest.mark.parametrize("value", [True, "", "x" * 65, -1, 1.5, {}])
def test_invalid_id_or_name_names_its_field(value: object) -> None:
    assert faults(propertyId=1, tier=value) == ["tier"]


@pytest.mark.parametrize(("value", "read"), [(7, "7"), (7.0, "7"), ("7", "7")])
def test_number_is_taken_as_text(value: object, read: str) -> None:
    assert validate(SomeFields, {"propertyId": 1, "search": value}).search == read


@pytest.mark.parametrize("value", [3.5, "three", True, -1])
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


@pytest.mark.parametrize("separator", [*"\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"])
def test_separators_become_blanks(separator: str) -> None:
    assert clean_text(f"shots{separator}fired\r\nnow") == "shots fired\nnow"


@pytest.mark.parametrize(
    "text",
    ["👩\u200d🚒", "❤\ufe0f\u200d🔥", "👩🏽\u200d⚕\ufe0f", "می\u200cخواهم", "क्\u200dष", "ශ්\u200dරී"],
)
def test_joiners_stay_where_they_are_needed(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize("text", ["pay\u200dpal", "\u200da", "👩\u200d", "م\u200ca", "👩\u200c🚒"])
def test_other_joiners_are_removed(text: str) -> None:
    assert not set(clean_text(text)) & {"\u200c", "\u200d"}


def test_piled_up_marks_are_limited() -> None:
    assert (
        clean_text("Z" + "\u0301" * 500 + "a\u0302\u0301") == "Z" + "\u0301" * 4 + "a\u0302\u0301"
    )
    assert clean_text("\u0301a \u0489b") == "a b"


@pytest.mark.parametrize("text", ["Việt", "हिन्दी", "שָׁלוֹם", "مُحَمَّد", "1\ufe0f\u20e3", "❤\ufe0f", "ก็้"])
def test_marks_of_languages_and_emoji_stay(text: str) -> None:
    assert clean_text(text) == text
