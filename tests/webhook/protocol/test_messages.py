"""A frame in, exactly one frame out."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import StorageUnavailable
from webhook.protocol.errors import Conflict, FieldProblem, InvalidData, NotFound, SentinelError
from webhook.protocol.messages import ClientMessage, answer_message, read_message
from webhook.protocol.metrics import Metrics
from webhook.protocol.wire import Reply, StatusReply, Success

METRICS = Metrics()


class SomeReply(Reply):
    property_id: int


async def answered(raw: bytes | str, reply: Reply | Exception) -> dict[str, Any]:
    async def run(_: ClientMessage) -> Reply:
        if isinstance(reply, Exception):
            raise reply
        return reply

    answer = await answer_message(read_message(raw), run, METRICS)
    frame: dict[str, Any] = orjson.loads(answer.frame)
    return frame


ASKED = b'{"type": "queries.look", "data": {"requestIdentifier": "r1"}}'


async def test_data_is_answered_under_the_name_of_the_query() -> None:
    assert await answered(ASKED, SomeReply(property_id=3)) == {
        "type": "look",
        "data": {"propertyId": 3, "requestIdentifier": "r1"},
    }


async def test_success_is_answered_under_the_name_of_the_query() -> None:
    frame = await answered(b'{"type": "queries.look"}', Success())
    assert frame == {"type": "look", "data": {"success": True}}


async def test_sentence_is_a_status() -> None:
    frame = await answered(ASKED, StatusReply(message="created"))
    assert frame == {"type": "status", "data": {"message": "created", "requestIdentifier": "r1"}}


async def test_error_says_its_sentence_twice() -> None:
    frame = await answered(ASKED, NotFound("there is none"))
    assert frame == {
        "type": "error",
        "data": {
            "code": "not-found",
            "error": "there is none",
            "message": "there is none",
            "requestIdentifier": "r1",
        },
    }


async def test_invalid_data_names_its_fields() -> None:
    frame = await answered(ASKED, InvalidData(FieldProblem("x", "too far"), FieldProblem("y", "?")))
    assert frame["data"]["fields"] == [
        {"field": "x", "problem": "too far"},
        {"field": "y", "problem": "?"},
    ]
    assert frame["data"]["message"] == "x: too far; y: ?"


async def test_unexpected_exception_is_internal_and_reveals_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = await answered(ASKED, ZeroDivisionError("secret"))
    assert frame["data"]["code"] == "internal"
    assert "secret" not in orjson.dumps(frame).decode()
    assert "secret" in caplog.text


async def test_storage_that_cannot_be_written_is_unavailable() -> None:
    assert (await answered(ASKED, StorageUnavailable("full")))["data"]["code"] == "unavailable"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"{", "bad-json"),
        (b"null", "bad-message"),
        (b"[]", "bad-message"),
        (b"{}", "bad-message"),
        (b'{"type": 7}', "bad-message"),
        (b'{"type": "a", "data": [1]}', "bad-message"),
        (b'{"type": "a", "data": "x"}', "bad-message"),
        (b'{"type": "a", "data": {"requestIdentifier": true}}', "invalid-data"),
        (b'{"type": "a", "requestIdentifier": ["r1"]}', "invalid-data"),
    ],
)
async def test_invalid_messages_are_answered(raw: bytes, code: str) -> None:
    assert (await answered(raw, Success()))["data"]["code"] == code


async def test_error_carries_the_identifier_even_without_a_type() -> None:
    frame = await answered(b'{"data": {"requestIdentifier": "r1"}}', Success())
    assert frame["data"]["requestIdentifier"] == "r1"


@pytest.mark.parametrize("identifier", ["r1", 7, 7.5, 0, ""])
async def test_identifier_is_echoed_as_it_came(identifier: object) -> None:
    within = {"type": "queries.look", "data": {"requestIdentifier": identifier}}
    frame = await answered(orjson.dumps(within), Success())
    assert frame == {"type": "look", "data": {"success": True, "requestIdentifier": identifier}}


async def test_identifier_beside_the_data_is_echoed_in_both_places() -> None:
    frame = await answered(b'{"type": "queries.look", "requestIdentifier": 7}', Success())
    assert frame == {
        "type": "look",
        "requestIdentifier": 7,
        "data": {"success": True, "requestIdentifier": 7},
    }


async def test_a_null_identifier_means_no_identifier() -> None:
    raw = b'{"type": "a", "requestIdentifier": null, "data": {"requestIdentifier": null}}'
    assert read_message(raw) == ClientMessage("a", {})


@pytest.mark.parametrize(
    ("identifier", "echoed"),
    [("x" * 129, "x" * 128), (True, "true"), ({"a": [1]}, '{"a":[1]}'), ([0] * 99, "[0," * 64)],
)
async def test_refused_identifier_is_echoed_as_text(identifier: object, echoed: str) -> None:
    raw = orjson.dumps({"type": "a", "data": {"requestIdentifier": identifier}})
    frame = await answered(raw, Success())
    assert frame["data"]["code"] == "invalid-data"
    assert frame["data"]["requestIdentifier"][:3] == echoed[:3]
    assert len(frame["data"]["requestIdentifier"]) <= 128


async def test_footnote_marks_in_the_protocol_docs_are_not_part_of_a_type() -> None:
    assert read_message(b'{"type": "queries.look**"}').type == "queries.look"


@pytest.mark.parametrize("data", ["null", "{}", "[]"])
async def test_data_may_be_null_or_empty(data: str) -> None:
    assert read_message(f'{{"type": "a", "data": {data}}}') == ClientMessage("a", {})


async def test_data_may_be_absent() -> None:
    assert read_message('{"type": "a"}') == ClientMessage("a", {})


def test_identifier_is_taken_out_of_the_data() -> None:
    message = read_message(b'{"type": "a", "data": {"x": 1, "requestIdentifier": "r1"}}')
    assert message == ClientMessage("a", {"x": 1}, "r1")


@pytest.mark.parametrize("length", [1, 128])
def test_identifier_has_1_to_128_characters(length: int) -> None:
    raw = orjson.dumps({"type": "a", "data": {"requestIdentifier": "é" * length}})
    assert read_message(raw).identifier == "é" * length


def test_identifier_of_129_characters_is_rejected() -> None:
    raw = orjson.dumps({"type": "a", "data": {"requestIdentifier": "x" * 129}})
    assert isinstance(read_message(raw).error, InvalidData)


@given(st.binary(max_size=200) | st.text(max_size=200))
async def test_any_frame_has_one_answer(raw: bytes | str) -> None:
    frame = await answered(raw, Conflict("no"))
    assert frame["type"] == "error"
    assert set(frame["data"]) >= {"code", "error", "message"}


def test_every_error_has_a_code_of_its_own() -> None:
    classes = SentinelError.__subclasses__()
    ours = [kind.code for kind in classes if kind.__module__ == "webhook.protocol.errors"]
    assert sorted(ours) == sorted(
        [
            "bad-json",
            "bad-message",
            "unknown-type",
            "invalid-data",
            "not-found",
            "conflict",
            "forbidden",
            "key-reused",
            "rate-limited",
            "too-large",
            "unavailable",
        ]
    )
