"""What holds for every push, however odd: no surprise, bounded, visible, the same twice."""

import copy
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.webhook.cad.corpus import CASES
from webhook.cad import (
    EVENTS,
    HANDLED_TYPES,
    CadEvent,
    InvalidPush,
    UnhandledType,
    parse,
)

"""In the suite; `python -m tests.soak.corpus` tries many more."""

KEY = "TEST-KEY-4711"
TYPES = sorted(HANDLED_TYPES)

MAX_EVENT_BYTES = 1024 * 1024
"""No normalised event is longer than this as UTF-8 JSON; real ones have one or two kilobytes."""
BODIES = [case["body"] for case in CASES if isinstance(case["body"], dict)]
SMALL = [body for body in BODIES if len(repr(body)) < 5_000 and isinstance(body.get("type"), str)]
NAMES = re.findall(
    r"\w+",
    """
    call dispatch callId callIds idents identIds ident identId units unit id data metaData status
    priority notes note primary isPanic isEmergency postal location coordinates x y z record
    sections fields signData ids callout eventOriginIdent dispatch_type playTonesTo locations
    message title caller
    """,
)

ODD_TEXT = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp", "Mn"]), max_size=20),
    st.sampled_from(["nil", "true", "-1", "7", "vector3(1, 2, 3)", "[8031] Forum Dr", "1e999"]),
)
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 200),
    st.integers(),
    st.floats(),
    ODD_TEXT,
)
JSON = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(NAMES), ODD_TEXT), inner, max_size=6),
    ),
    max_leaves=25,
)


@st.composite
def odd_bodies(draw: st.DrawFn) -> dict[str, Any]:
    push_type = draw(st.one_of(st.sampled_from(TYPES), ODD_TEXT))
    return {"key": KEY, "type": push_type, "data": draw(JSON), draw(st.sampled_from(NAMES)): 1}


@st.composite
def mutated_bodies(draw: st.DrawFn) -> dict[str, Any]:
    body = copy.deepcopy(draw(st.sampled_from(SMALL)))
    body["key"] = KEY
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(body.get("data")))
        if places:
            container, member = draw(st.sampled_from(places))
            container[member] = draw(JSON)
    if draw(st.integers(0, 9)) == 0:
        body["type"] = draw(st.sampled_from(TYPES))
    return dict(body)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value that something else can be put into."""
    if isinstance(value, dict | list):
        for member, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, member
            yield from _places(inner)


def parsed(body: dict[str, Any]) -> list[CadEvent]:
    """Parse, or check that the refusal is a proper one."""
    try:
        return parse(body)
    except (InvalidPush, UnhandledType) as refusal:
        message = refusal.message
    assert 0 < len(message) <= 200
    assert KEY not in message
    check_visible(message)
    return []


def check_visible(value: Any) -> None:
    if isinstance(value, str):
        for character in value:
            category = unicodedata.category(character)
            assert character in "\n\t" or category not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
            assert character not in "\u2800\u3164\u115f\u1160\uffa0\u034f"
    elif isinstance(value, dict):
        for name, inner in value.items():
            check_visible(name)
            check_visible(inner)
    elif isinstance(value, list):
        for inner in value:
            check_visible(inner)


def check(body: dict[str, Any]) -> None:
    before = copy.deepcopy(body)
    events = parsed(body)
    assert repr(body) == repr(before)
    assert events == parsed(copy.deepcopy(body))
    for event in events:
        data = event.model_dump(by_alias=True)
        check_visible(data)
        written = orjson.dumps(data)
        assert len(written) <= MAX_EVENT_BYTES
        assert KEY.encode() not in written
        assert EVENTS[event.type].model_validate_json(written) == event


@given(odd_bodies())
@examples(2)
def test_any_json(body: dict[str, Any]) -> None:
    check(body)


@given(mutated_bodies())
@examples(2)
def test_mutated_corpus(body: dict[str, Any]) -> None:
    check(body)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_corpus(case: dict[str, Any]) -> None:
    if isinstance(case["body"], dict) and isinstance(case["body"].get("type"), str):
        check(case["body"] | {"key": KEY})


# Four bytes a character, which is the most that any can take.
LONG = "\N{MATHEMATICAL FRAKTUR CAPITAL U}" * 10_000
TEXTS = {f"{number:04}{LONG[:200]}": LONG[:512] for number in range(300)}
IDS = [2**63 - 1 - number for number in range(2048)]
UNIT = {
    "id": 1,
    **dict.fromkeys(("accId", "status", "location", "aop"), LONG),
    "data": {
        **dict.fromkeys(("unitNum", "name", "department", "subdivision", "rank"), LONG),
        **dict.fromkeys(("district", "group", "page"), LONG),
        "communityUserIds": [f"{number}{LONG[:126]}" for number in range(100)],
    },
}
UNITS = [UNIT | {"id": number} for number in range(100)]
DISPATCH = {
    "callId": 1,
    "idents": IDS,
    "notes": [dict.fromkeys(("time", "label", "content"), LONG)] * 200,
    **dict.fromkeys(("metaData", "template", "values"), TEXTS),
    **dict.fromkeys(("origin", "status", "priority", "block", "address", "postal"), LONG),
    **dict.fromkeys(("title", "code", "description", "statusId", "updated"), LONG),
}
FIELD = dict.fromkeys(("uid", "label", "type", "value"), LONG)
FIELDS = [
    FIELD | {"data": {"flags": [f"{n}-{m}{LONG[:60]}" for m in range(99)]}} for n in range(99)
]
RECORD = {
    **dict.fromkeys(("syncId", "name", "type"), LONG),
    "sections": [{"label": LONG, "fields": FIELDS}] * 10,
}
CALL_911 = {
    "callId": 1,
    "metaData": TEXTS,
    "communityUserIds": [f"{number}{LONG[:126]}" for number in range(100)],
    **dict.fromkeys(("caller", "location", "description", "updated"), LONG),
}
STATION = {"name": LONG, "open": [LONG] * 99, "close": [LONG] * 99}
HUGE: dict[str, Any] = {
    "EVENT_911": {"call": CALL_911},
    "EVENT_REMOVE_911": {"callIds": IDS},
    "EVENT_DISPATCH_NEW": {"dispatch": DISPATCH},
    "EVENT_DISPATCH_EDIT": {"dispatch": DISPATCH},
    "EVENT_DISPATCH_CLOSED": {"callIds": IDS},
    "EVENT_DISPATCH_NOTE": {"callId": 1, "note": DISPATCH["notes"]},
    "EVENT_DISPATCH_UNIT_ATTACH": {"callId": 1, "idents": IDS},
    "EVENT_DISPATCH_UNIT_DETACH": {"callId": 1, "idents": IDS},
    "EVENT_DISPATCH_TOGGLE_BODYCAM": {"idents": IDS},
    "EVENT_UNIT_LOGIN": {"units": UNITS},
    "EVENT_UNIT_LOGOUT": {"identIds": IDS},
    "EVENT_UNIT_STATUS": {"units": UNITS},
    "EVENT_UNIT_UPDATE": {"units": UNITS},
    "EVENT_UNIT_PANIC": {"identIds": IDS},
    "EVENT_UNIT_GROUP_ADD": {"identIds": IDS, "groupName": LONG},
    "EVENT_UNIT_GROUP_REMOVE": {"identIds": IDS, "groupName": LONG},
    "EVENT_UNIT_GROUP_CHANGE_NAME": {"identIds": IDS, "oldName": LONG, "newName": LONG},
    "EVENT_RECORD_ADD": {"record": RECORD},
    "EVENT_RECORD_EDIT": {"record": RECORD},
    "EVENT_RECORD_REMOVE": {"record": RECORD},
    "EVENT_PRINT_RECORD": {"identIds": IDS, "url": LONG},
    "EVENT_TONE": {
        "url": LONG,
        "playTonesTo": [dict.fromkeys(("type", "value", "label"), LONG)] * 999,
    },
    "EVENT_STREETSIGN_UPDATED": {
        "signData": {"ids": IDS, **dict.fromkeys(("text1", "text2", "text3"), LONG)}
    },
    "EVENT_CHAR_SELECTED": {"accId": LONG[:128], "id": LONG[:128]},
    "EVENT_COMMUNITY_LINK_VERIFIED": {"communityUserId": LONG[:128], "accountUuid": LONG[:128]},
    "EVENT_NEW_CALLOUT": {
        "callout": {
            "id": LONG,
            "calloutName": LONG,
            "calloutLocations": [{"x": -1.7976931348623157e308, "y": 5e-324}] * 999,
            **TEXTS,
        }
    },
    "EVENT_PAGER_REBORN": {
        "addresses": [LONG] * 999,
        "identIds": IDS,
        "nature": LONG,
        "body": LONG,
    },
    "EVENT_STATION_ALERT": {
        "locations": [STATION] * 999,
        "message": LONG,
        "colors": [LONG] * 999,
        "tone": LONG,
    },
}


@pytest.mark.parametrize("push_type", EVENTS)
def test_largest_event_is_within_the_limit(push_type: str) -> None:
    events = parse({"key": KEY, "type": push_type, "data": HUGE[push_type]})
    sizes = [len(orjson.dumps(event.model_dump(by_alias=True))) for event in events]
    assert 0 < max(sizes) <= MAX_EVENT_BYTES
