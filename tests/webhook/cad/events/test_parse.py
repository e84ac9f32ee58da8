"""Every case of the corpus: what it becomes, or why it is refused.

The split: keys and documents that are no object belong to the listener, which authenticates;
here they are only shown to pass through or stop where the listener relies on it.
"""

from typing import Any

import orjson
import pytest

from tests.webhook.cad import expected_calls, expected_units
from tests.webhook.cad.corpus import CASES, Case, document
from webhook.cad import EVENTS, HANDLED_TYPES, InvalidPush, UnhandledType, parse
from webhook.protocol.errors import BadJson
from webhook.protocol.json_reader import parse_json

EXPECTED = expected_calls.EXPECTED | expected_units.EXPECTED
BY_NAME = {case["name"]: case for case in CASES}

WRONG_KEYS = [name for name in BY_NAME if name.startswith(("bad_key_", "bad_duplicate_key"))]
NO_OBJECT = ["bad_body_null", "bad_body_list"]
BAD_JSON = [name for name in BY_NAME if name.startswith("bad_raw_")]
NAN_FOR_AN_ID = ["bad_raw_nan_id", "bad_raw_float_overflow_id"]
UNHANDLED = [name for name, case in BY_NAME.items() if case["valid"] == "unknown"]
REJECTED = {
    "bad_type_missing": "type: not text",
    "bad_type_null": "type: not text",
    "bad_type_number": "type: not text",
    "bad_type_list": "type: not text",
    "bad_911_data_missing": "data: missing",
    "bad_911_data_null": "data: missing",
    "bad_911_data_string": "data: not an object",
    "bad_911_data_empty_array": "data: empty",
    "bad_911_data_array_null": "data: empty",
    "bad_911_callid_missing": "callId: missing",
    "bad_911_callid_fraction": "callId: an id is",
    "bad_911_callid_arabic_digits": "callId: an id is",
    "bad_911_callid_2pow80": "callId: an id is",
    "bad_remove911_object_ids": "callIds: an id is",
    "bad_dispatch_callid_missing": "callId: missing",
    "bad_dispatch_idents_text": "idents: an id is",
    "bad_note_callid_missing": "callId: missing",
    "bad_note_null": "note: missing",
    "bad_attach_no_idents": "identIds: missing",
    "bad_attach_no_call": "callId: missing",
    "bad_unit_status_no_status": "status: missing",
    "bad_unit_status_identids_text": "identIds: an id is",
    "bad_unit_update_no_units": "units: missing",
    "bad_panic_no_ids": "identIds: missing",
    "bad_group_add_no_ids": "identIds: missing",
    "bad_record_missing": "record: missing",
    "bad_sign_missing": "signData: missing",
    "bad_link_empty_user": "communityUserId: missing",
    "bad_link_user_number": "communityUserId: not text",
    "bad_callout_missing": "callout: missing",
    "bad_char_no_account": "accId: missing",
}


def body_of(case: Case) -> dict[str, Any]:
    body = parse_json(document(case))
    assert isinstance(body, dict)
    return body


def test_every_case_has_a_test() -> None:
    tested = [*EXPECTED, *WRONG_KEYS, *NO_OBJECT, *BAD_JSON, *UNHANDLED, *REJECTED]
    assert len(CASES) == 185
    assert sorted(tested) == sorted(BY_NAME)
    assert set(EXPECTED) == {name for name, case in BY_NAME.items() if case["valid"] is True}


@pytest.mark.parametrize("name", EXPECTED)
def test_events_of_valid_pushes(name: str) -> None:
    found = []
    for event in parse(body_of(BY_NAME[name])):
        data = event.model_dump(by_alias=True)
        if "present" in data:
            data["present"] = set(data["present"])
        found.append((event.type, data))
    assert found == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_events_are_read_back_from_the_journal(name: str) -> None:
    for event in parse(body_of(BY_NAME[name])):
        written = orjson.dumps(event.model_dump(by_alias=True))
        read = EVENTS[event.type].model_validate_json(written)
        assert read == event
        assert read.model_fields_set >= event.model_fields_set - {"unit", "units"}
        assert orjson.dumps(read.model_dump(by_alias=True)) == written


@pytest.mark.parametrize("name", REJECTED)
def test_invalid_pushes(name: str) -> None:
    with pytest.raises(InvalidPush) as refusal:
        parse(body_of(BY_NAME[name]))
    assert refusal.value.code == "invalid-data"
    assert refusal.value.message.startswith(REJECTED[name])


@pytest.mark.parametrize("name", UNHANDLED)
def test_unhandled_types_are_rejected(name: str) -> None:
    body = body_of(BY_NAME[name])
    with pytest.raises(UnhandledType) as refusal:
        parse(body)
    assert refusal.value.code == "unknown-type"
    assert refusal.value.type == body["type"]


@pytest.mark.parametrize("name", BAD_JSON)
def test_bodies_that_are_not_json(name: str) -> None:
    with pytest.raises(BadJson):
        parse_json(document(BY_NAME[name]))


@pytest.mark.parametrize("name", NAN_FOR_AN_ID)
def test_an_invalid_number_is_not_an_id(name: str) -> None:
    with pytest.raises(InvalidPush):
        parse(parse_json(document(BY_NAME[name]), nan_as_text=True))


@pytest.mark.parametrize("name", NO_OBJECT)
def test_bodies_that_are_not_objects(name: str) -> None:
    assert not isinstance(parse_json(document(BY_NAME[name])), dict)


@pytest.mark.parametrize("name", WRONG_KEYS)
def test_parsing_ignores_the_key(name: str) -> None:
    body = body_of(BY_NAME[name])
    keyless = {member: value for member, value in body.items() if member != "key"}
    assert parse(body) == parse(keyless)
    assert b"SCAD-KISS" not in orjson.dumps(
        [event.model_dump(by_alias=True) for event in parse(body)]
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_raw_and_parsed_bodies_of_the_corpus_agree(case: Case) -> None:
    if case["body"] is not None and case["name"] != "bad_911_callid_2pow80":
        assert parse_json(document(case)) == case["body"]


def test_every_type_has_an_event() -> None:
    legacy = {
        "EVENT_DISPATCH",
        "EVENT_UNIT_CALL_CLEAR",
        "EVENT_DISPATCH_CLOSE",
        "EVENT_UNIT_ATTACH",
        "EVENT_UNIT_DETACH",
        "TOGGLE_BODYCAM",
        "GET_LOGS",
    }
    assert set(EVENTS) == HANDLED_TYPES - legacy


def test_ids_of_one_push_are_bounded_together() -> None:
    def close(*lists: range) -> dict[str, Any]:
        data = [{"callIds": list(ids)} for ids in lists]
        return {"type": "EVENT_DISPATCH_CLOSED", "data": data}

    assert len(parse(close(range(1, 1_001), range(1_001, 2_001)))) == 2
    with pytest.raises(InvalidPush, match="more than 2048 ids"):
        parse(close(range(1, 1_501), range(1_501, 3_001)))
    units = [{"id": number, "status": 1} for number in range(700)]
    with pytest.raises(InvalidPush, match="more than 2048 ids"):
        parse({"type": "EVENT_UNIT_UPDATE", "data": [{"units": units}] * 3})
