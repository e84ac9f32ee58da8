"""Shapes that the corpus does not hold: each rule of tolerance and of strictness once."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.cad import InvalidPush, UnhandledType, parse
from webhook.cad.events.calls import (
    Call911,
    DispatchClosed,
    DispatchEdit,
    DispatchNew,
    DispatchNote,
    Removed911,
    UnitDetach,
)
from webhook.cad.events.event import CadEvent, collect_skipped
from webhook.cad.events.notices import Callout, PagerMessage, StationAlert, StreetSign, Tone
from webhook.cad.events.records import LinkVerified, Record, RecordAdd, RecordEdit
from webhook.cad.events.units import UnitLogin, UnitPanic, UnitStatus, UnitUpdate
from webhook.protocol.json_reader import parse_json


def push(push_type: str, data: Any, **beside: Any) -> list[CadEvent]:
    return parse({"key": "K", "type": push_type, "data": data, **beside})


def call_911(**members: Any) -> Call911:
    (event,) = push("EVENT_911", {"call": {"callId": 1, **members}})
    assert isinstance(event, Call911)
    return event


def edit(**members: Any) -> DispatchEdit:
    (event,) = push("EVENT_DISPATCH_EDIT", {"dispatch": {"callId": 1, **members}})
    assert isinstance(event, DispatchEdit)
    return event


def new(**members: Any) -> DispatchNew:
    (event,) = push("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 1, **members}})
    assert isinstance(event, DispatchNew)
    return event


@pytest.mark.parametrize("odd", [None, 5, 1.5, True, [], {}, ["a"], {"x": "y"}, "", "\x00"])
def test_unreadable_display_text_never_loses_a_911_call(odd: Any) -> None:
    names = ("caller", "location", "description", "metaData", "updated", "isEmergency")
    for name in names:
        assert call_911(**{name: odd}).call_id == 1
    assert call_911(**dict.fromkeys(names, odd)).call_id == 1
    beside = dict.fromkeys(("identities", "communityUserId", "apiIds", "metaData"), odd)
    assert len(push("EVENT_911", {"call": {"callId": 1}, **beside})) == 1


ODD_IDS = [True, 1.5, -2, "1 2", "+1", "1e3", "①", 2**63, "9" * 19, [[1]], {"0": 1}, [True], "x"]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_push_about_nothing_that_has_an_id_is_rejected(odd: Any) -> None:
    for push_type, data in (
        ("EVENT_911", {"call": {"callId": odd}}),
        ("EVENT_REMOVE_911", {"callIds": odd}),
        ("EVENT_UNIT_PANIC", {"identIds": odd}),
        ("EVENT_UNIT_LOGOUT", {"identIds": [odd, odd]}),
        ("EVENT_DISPATCH_UNIT_DETACH", {"callId": 5, "idents": odd}),
    ):
        with pytest.raises(InvalidPush):
            push(push_type, data)


@pytest.mark.parametrize("odd", [*ODD_IDS, -1, "", "none", None, {}, []])
def test_an_invalid_id_loses_only_itself(odd: Any) -> None:
    assert push("EVENT_UNIT_PANIC", {"identIds": [61, odd]}) == [UnitPanic(idents=[61])]
    assert push("EVENT_REMOVE_911", {"callIds": [odd, 8]}) == [Removed911(call_ids=[8])]
    (closed,) = push("EVENT_DISPATCH_CLOSED", {"callIds": [8, odd], "eventOriginIdent": odd})
    assert closed == DispatchClosed(call_ids=[8])
    (signs,) = push("EVENT_STREETSIGN_UPDATED", {"signData": {"ids": [odd, 4], "text1": "SLOW"}})
    assert isinstance(signs, StreetSign)
    assert signs.ids == [4]
    (paged,) = push("EVENT_PAGER_REBORN", {"body": "Meet", "identIds": odd})
    assert isinstance(paged, PagerMessage)
    assert (paged.body, paged.idents) == ("Meet", [])
    (status,) = push("EVENT_UNIT_STATUS", {"units": [odd, {"id": 61}], "status": 3})
    assert isinstance(status, UnitStatus)
    assert status.idents == [61]
    opened = new(idents=odd, primary=odd, title="Robbery")
    assert (opened.title, opened.idents, opened.primary) == ("Robbery", [], None)
    assert new(idents=[odd, 61]).idents == [61]


LISTS_OF_IDS: dict[str, Callable[[list[Any]], Any]] = {
    "EVENT_REMOVE_911": lambda ids: {"callIds": ids},
    "EVENT_DISPATCH_CLOSED": lambda ids: {"callIds": ids, "eventOriginIdent": 1},
    "EVENT_DISPATCH_NEW": lambda ids: {"dispatch": {"callId": 1, "idents": ids}},
    "EVENT_DISPATCH_EDIT": lambda ids: {"dispatch": {"callId": 1, "idents": ids}},
    "EVENT_DISPATCH_UNIT_ATTACH": lambda ids: {"callId": 1, "idents": ids},
    "EVENT_DISPATCH_UNIT_DETACH": lambda ids: {"callId": 1, "idents": ids},
    "EVENT_DISPATCH_TOGGLE_BODYCAM": lambda ids: {"idents": ids, "state": True},
    "EVENT_UNIT_LOGIN": lambda ids: {"units": ids},
    "EVENT_UNIT_LOGOUT": lambda ids: {"identIds": ids},
    "EVENT_UNIT_STATUS": lambda ids: {"identIds": ids, "status": 2},
    "EVENT_UNIT_PANIC": lambda ids: {"identIds": ids, "isPanic": True},
    "EVENT_UNIT_GROUP_ADD": lambda ids: {"identIds": ids, "groupName": "A"},
    "EVENT_UNIT_GROUP_REMOVE": lambda ids: {"identIds": ids, "groupName": "A"},
    "EVENT_UNIT_GROUP_CHANGE_NAME": lambda ids: {"identIds": ids, "newName": "B"},
    "EVENT_STREETSIGN_UPDATED": lambda ids: {"signData": {"ids": ids, "text1": "SLOW"}},
    "EVENT_PAGER_REBORN": lambda ids: {"identIds": ids, "body": "Meet"},
    "EVENT_PRINT_RECORD": lambda ids: {"identIds": ids, "url": "x"},
}
GARBAGE = st.sampled_from(
    [None, -1, -7, "", "x", "1,2", True, 1.5, [], [3], {}, {"a": 3}, "NaN", 2**64, "\ufffd"]
)


@pytest.mark.parametrize("push_type", LISTS_OF_IDS)
@given(ids=st.lists(st.integers(1, 99), min_size=1, max_size=4), data=st.data())
def test_garbage_among_ids_is_ignored(push_type: str, ids: list[int], data: st.DataObject) -> None:
    among: list[Any] = list(ids)
    among.insert(data.draw(st.integers(0, len(ids))), data.draw(GARBAGE))
    make = LISTS_OF_IDS[push_type]
    expected = push(push_type, make(ids))
    assert push(push_type, make(among)) == expected
    as_table = {str(index): each for index, each in enumerate(among, 1)}
    assert push(push_type, make(as_table)) == expected  # type: ignore[arg-type]


def test_skipped_parts_are_named_once_each() -> None:
    with collect_skipped() as skipped:
        push("EVENT_UNIT_PANIC", {"identIds": [61, "x", True, -1, None]})
        new(primary="Dispatch")
        push("EVENT_911", [{"call": {"callId": 1}}, {"call": {}}])
    assert skipped == ["identIds", "identIds", "primary", "callId: missing"]


def test_a_word_for_all_units_is_not_read_as_none() -> None:
    with pytest.raises(InvalidPush):
        new(idents="all")


@pytest.mark.parametrize("example", [-1, "-1", -1.0])
def test_a_printed_example_is_not_an_event(example: Any) -> None:
    for push_type, data in (
        ("EVENT_911", {"call": {"callId": example, "caller": "A"}}),
        ("EVENT_DISPATCH_NEW", {"dispatch": {"callId": example}}),
        ("EVENT_DISPATCH_EDIT", {"dispatch": {"callId": example}}),
        ("EVENT_DISPATCH_NOTE", {"callId": example, "note": "n"}),
        ("EVENT_REMOVE_911", {"callIds": [example]}),
        ("EVENT_UNIT_LOGIN", {"unit": {"id": example}}),
        ("EVENT_UNIT_STATUS", {"units": [{"id": example, "status": 1}]}),
    ):
        assert push(push_type, data) == []


@pytest.mark.parametrize("table", [[61, 62], {"1": 61, "2": 62}, {"2": 62, "1": 61, "n": 2}])
def test_lists_may_be_tables_of_lua(table: Any) -> None:
    assert push("EVENT_UNIT_PANIC", {"identIds": table}) == [UnitPanic(idents=[61, 62])]
    units = push("EVENT_UNIT_LOGOUT", {"units": table})
    assert units == push("EVENT_UNIT_LOGOUT", {"idents": [61, 62]})
    assert push("EVENT_UNIT_PANIC", {"1": {"identId": 61}, "2": {"identId": 62}}) == [
        UnitPanic(idents=[61]),
        UnitPanic(idents=[62]),
    ]


def test_tables_of_lua_inside_of_events() -> None:
    assert [note.content for note in new(notes={"1": "a", "3": {"content": "b"}}).notes] == [
        "a",
        "b",
    ]
    assert new(notes={}, idents={}, metaData=[]).notes == []
    (tone,) = push("EVENT_TONE", {"playTonesTo": {"1": {"type": 5, "value": 61}}})
    assert isinstance(tone, Tone)
    assert [target.ident for target in tone.play_tones_to] == [61]
    places = {"1": {"x": 1, "y": 2}, "2": {"x": 3, "y": 4}}
    (callout,) = push("EVENT_NEW_CALLOUT", {"callout": {"calloutLocations": places}})
    assert isinstance(callout, Callout)
    assert [(point.x, point.y) for point in callout.locations] == [(1, 2), (3, 4)]
    sections = {"1": {"fields": {"1": {"uid": "plate", "value": "4"}}}}
    (record,) = push("EVENT_RECORD_ADD", {"record": {"id": 1, "sections": sections}})
    assert isinstance(record, RecordAdd)
    assert record.record.plate == "4"
    assert push("EVENT_RECORD_ADD", {"record": []}) == []
    assert push("EVENT_NEW_CALLOUT", {"callout": []}) == []
    assert call_911(apiIds={}).identities == []


@pytest.mark.parametrize("name", ["ident", "idents", "identId", "identIds"])
@pytest.mark.parametrize(
    "ids", [61, "61", "0061", [61], ["61", None, 61], 61.0, "61.0", [" 61 "], {"1": 61.0}]
)
def test_ids_may_have_any_of_four_names(name: str, ids: Any) -> None:
    assert push("EVENT_UNIT_PANIC", {name: ids}) == [UnitPanic(idents=[61])]


def test_largest_id() -> None:
    assert call_911(callId=2**63 - 1).call_id == 2**63 - 1
    assert call_911(callId=str(2**63 - 1)).call_id == 2**63 - 1


def test_list_of_nulls_is_an_empty_list() -> None:
    assert push("EVENT_UNIT_PANIC", {"identIds": [None]}) == []
    with pytest.raises(InvalidPush):
        push("EVENT_UNIT_PANIC", {"identIds": None})


def test_too_many_ids_are_rejected() -> None:
    assert len(push("EVENT_UNIT_LOGOUT", {"identIds": list(range(2048))})) == 1
    with pytest.raises(InvalidPush, match="more than 2048"):
        push("EVENT_UNIT_LOGOUT", {"identIds": list(range(2049))})
    with pytest.raises(InvalidPush, match="more than 2048"):
        push("EVENT_UNIT_UPDATE", {"units": [{"id": number} for number in range(2049)]})
    with pytest.raises(InvalidPush, match="more than 64"):
        push("EVENT_911", [{"call": {"callId": number}} for number in range(65)])


def test_type_is_folded_in_ascii_only() -> None:
    assert push("event_Remove_911", {"callId": 1})
    for lookalike in ("EVENT_UNıT_PANIC", "EVENT_DıSPATCH_NEW", "EVENT_UNIT_\u017fTATUS"):
        with pytest.raises(UnhandledType):
            push(lookalike, {"identIds": 1, "status": 1})


def test_errors_are_short_and_clean() -> None:
    with pytest.raises(UnhandledType) as refusal:
        push("X\n\u202e" + "Y" * 10_000, {})
    assert len(refusal.value.message) < 128
    assert "\n" not in refusal.value.message
    with pytest.raises(InvalidPush) as invalid:
        push("EVENT_911", {"call": {"callId": "SCAD-KISS"}})
    assert "SCAD" not in invalid.value.message


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, True),
        (False, False),
        ("True", True),
        ("False", False),
        ("false", False),
        (0, False),
        (1, True),
        ("0", False),
        ("N", False),
        ("cleared", False),
        (None, True),
        ("nil", True),
        ("maybe", True),
        ([], True),
    ],
)
def test_flags_are_read(given: Any, expected: bool) -> None:
    assert call_911(isEmergency=given).is_emergency is expected
    assert call_911(emergency=given).is_emergency is expected
    assert push("EVENT_UNIT_PANIC", {"identId": 1, "isPanic": given}) == [
        UnitPanic(idents=[1], is_panic=expected)
    ]


def test_flat_911_is_read_like_any_other() -> None:
    (event,) = push("EVENT_911", {"callId": 7, "caller": "A", "location": "Elm St"})
    assert isinstance(event, Call911)
    assert (event.call_id, event.caller, event.location) == (7, "A", "Elm St")


@pytest.mark.parametrize("word", ["Civil", "311", "non-emergency"])
def test_a_civil_call_flag_may_be_a_word(word: str) -> None:
    assert call_911(isEmergency=word).is_emergency is False


def test_is_emergency_wins_over_its_synonym() -> None:
    assert call_911(isEmergency=False, emergency=True).is_emergency is False


@pytest.mark.parametrize("missing", ["", "nil", "null", "N/A", "Unknown", "-", None, [], {}])
def test_missing_postals(missing: Any) -> None:
    assert call_911(metaData={"postal": missing}).postal is None
    assert new(postal=missing).postal is None


def test_postal_code_of_a_911_call() -> None:
    assert call_911(metaData={"postal": "0042"}, location="[77] Street").postal == "0042"
    assert call_911(metaData={"postal": "nil"}, location="[77] Street").postal == "77"
    for whole in (42, 42.0, "42.0"):
        assert call_911(metaData={"postal": whole}).postal == "42"
    assert call_911(location="[Unknown] Street").postal is None


def test_postal_and_position_count_beyond_the_first_64_metadata() -> None:
    meta = {f"k{number}": "v" for number in range(100)} | {"postal": "42", "x": "1", "y": "2"}
    event = call_911(metaData=meta)
    assert event.postal == "42"
    assert event.coordinates is not None
    assert len(event.meta_data) == 64


@pytest.mark.parametrize(
    ("meta", "origin"),
    [
        ({"origin911": 4411}, 4411),
        ({"origin911": "4411"}, 4411),
        ({"createdFromId": "4411"}, 4411),
        ({"origin911": "nil", "createdFromId": 4411}, 4411),
        ({"origin911": True}, None),
        ({"origin911": "x"}, None),
        ({}, None),
        ("x", None),
    ],
)
def test_the_origin_of_a_dispatch_call_is_read(meta: Any, origin: int | None) -> None:
    assert new(metaData=meta).origin_911 == origin


@pytest.mark.parametrize(
    ("meta", "point"),
    [
        ({"x": "-213.4", "y": "-1332.9", "z": "30.8"}, (-213.4, -1332.9, 30.8)),
        ({"x": 1, "y": 2}, (1.0, 2.0, 0.0)),
        ({"x": "1e-05", "y": "2"}, (1e-05, 2.0, 0.0)),
        ({"x": "1"}, None),
        ({"x": "nan", "y": "inf"}, None),
        ({"x": "1e999", "y": "1"}, None),
        ({"x": float("inf"), "y": 1}, None),
        ({"x": 10**400, "y": 1}, None),
        ({"x": True, "y": 1}, None),
        ({"x": "1_0", "y": "٣"}, None),
        ({"x": "nil", "y": "nil", "z": "nil"}, None),
        ({"x": 0, "y": 0, "z": 30.5}, None),
        ({"x": "0.0", "y": "-0"}, None),
        ({"x": 0, "y": 5}, (0.0, 5.0, 0.0)),
        ({"x": "-213,4", "y": "1332,9"}, (-213.4, 1332.9, 0.0)),
        ({"X": "1", "Y": 2, "Z": 3}, (1.0, 2.0, 3.0)),
        ({"coords": {"x": 1, "y": 2}}, (1.0, 2.0, 0.0)),
        ({"Coords": [1, 2, 3]}, (1.0, 2.0, 3.0)),
        ({"coords": {"1": 1, "2": 2}}, (1.0, 2.0, 0.0)),
        ({"coords": "vector3(1.5, 2, 3)"}, (1.5, 2.0, 3.0)),
        ({"coords": "1.5, 2, 3"}, (1.5, 2.0, 3.0)),
        ({"position": '{"x": 1, "y": 2}'}, (1.0, 2.0, 0.0)),
        ({"coords": {"x": 0, "y": 0}}, None),
        ({"coords": "null"}, None),
    ],
)
def test_coordinates_are_read(meta: Any, point: tuple[float, float, float] | None) -> None:
    found = call_911(metaData=meta).coordinates
    assert (found and (found.x, found.y, found.z)) == point


@pytest.mark.parametrize(
    "nowhere",
    [
        *("nil", "null", "N/A", "none", "undefined", "Unknown", " - ", "(nil)"),
        *("nil / nil", "undefined, undefined", "N/A / N/A", "vector3(nan, nan, nan)"),
        *("vector3(0, 0, 0)", "vec3(0.0, 0.0, 0.0)", "0.0, 0.0, 0.0", "0, 0"),
        *({}, [], [0, 0], {"x": 0, "y": 0, "z": 31.2}, {"coords": {"x": "0", "y": None}}),
    ],
)
def test_words_for_an_unknown_place_are_not_shown(nowhere: Any) -> None:
    assert call_911(location=nowhere).location == ""
    assert (new(address=nowhere).address, new(block=nowhere).block) == ("", "")


@pytest.mark.parametrize("place", [["Elm St"], {"x": "Elm St"}, "[0] Elm St", "0 Elm St", "nil St"])
def test_odd_place_is_shown(place: Any) -> None:
    assert call_911(location=place).location != ""


@pytest.mark.parametrize("nobody", ["nil nil", "undefined undefined", "N/A", {}, []])
def test_words_for_nobody_are_not_a_caller(nobody: Any) -> None:
    assert call_911(caller=nobody).caller == ""


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999"])
def test_an_invalid_number_loses_only_itself(number: bytes) -> None:
    raw = b'{"key": "K", "type": "EVENT_911", "data": {"call": {"callId": 7, "location": %b,'
    raw += b'"caller": "A", "metaData": {"x": %b, "y": 5, "postal": "12"}}}}'
    (event,) = parse(parse_json(raw % (number, number), nan_as_text=True))
    assert isinstance(event, Call911)
    assert (event.call_id, event.caller, event.coordinates, event.postal) == (7, "A", None, "12")


def test_house_numbers_are_not_a_position() -> None:
    assert call_911(location="12, 14").coordinates is None


def test_identifiers_of_the_game_are_the_same_in_any_case() -> None:
    given = ["STEAM:11000010DEADBEE", "steam:11000010deadbee ", "license:AB12", "Own-Id"]
    assert call_911(identities=given).identities == [
        "steam:11000010deadbee",
        "license:ab12",
        "Own-Id",
    ]
    data = {"communityUserId": "license:AB12", "accountUuid": "A"}
    (event,) = push("EVENT_COMMUNITY_LINK_VERIFIED", data)
    assert isinstance(event, LinkVerified)
    assert (event.community_user_id, event.account_uuid) == ("license:ab12", "A")


def test_metadata_is_text_by_text() -> None:
    meta = {"a": True, "b": 1.5, "c": 7, "d": None, "e": {"f": [1]}, "g": ["h" * 600], "i": "nil"}
    event = call_911(metaData=meta)
    assert event.meta_data == {"a": "true", "b": "1.5", "c": "7", "e": '{"f":[1]}', "i": "nil"}


def test_metadata_of_the_call_wins_over_the_one_beside_it() -> None:
    data = {
        "call": {"callId": 1, "metaData": {"postal": "1"}},
        "metaData": {"postal": "2", "source": "script"},
    }
    (event,) = push("EVENT_911", data)
    assert isinstance(event, Call911)
    assert event.postal == "1"
    assert event.meta_data == {"postal": "1", "source": "script"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [(2, 2), ("3", 3), (1.0, 1), ("Immediate", "Immediate"), (0, "0"), (9, "9"), (True, None)],
)
def test_priority(given: Any, expected: Any) -> None:
    assert new(priority=given).priority == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [(0, "PENDING"), ("1", "ACTIVE"), (2.0, "CLOSED"), ("closed", "CLOSED"), (7, "7")],
)
def test_call_status(given: Any, expected: str) -> None:
    assert new(status=given).status == expected
    assert edit(status=given).changes() == {"status": expected}


@pytest.mark.parametrize("unreadable", ["", None, [], {}, True, 2.5])
def test_unreadable_status_changes_nothing(unreadable: Any) -> None:
    assert edit(status=unreadable).changes() == {}


def test_edit_contains_only_what_the_push_had() -> None:
    event = edit(title="New", postal="nil", primary=-1, code=None, notes="", metaData=None)
    assert event.changes() == {"title": "New", "postal": None, "primary": None}
    assert event.model_dump(by_alias=True) == {
        "callId": 1,
        "eventOriginIdent": None,
        "title": "New",
        "postal": None,
        "primary": None,
        "present": ["title", "postal", "primary"],
    }
    assert edit(notes=[]).changes() == {"notes": []}
    assert edit(idents=[]).changes() == {"idents": []}
    assert edit(metaData={}).changes() == {"meta_data": {}}
    assert edit(metaData={"origin911": "7"}).changes()["origin_911"] == 7


def test_call_without_a_primary_unit() -> None:
    for nobody in (-1, "-1", None, ""):
        assert new(primary=nobody).primary is None


def test_notes_of_earlier_years() -> None:
    notes = new(notes=["old", None, "", {"content": "odd", "type": "PHOTO"}, 5]).notes
    assert [(note.type, note.content) for note in notes] == [
        ("text", "old"),
        ("photo", "(photo attachment.)"),
        ("text", "5"),
    ]
    assert new(notes=[str(number) for number in range(60)]).notes[0].content == "10"


def dispatch_2020(dispatch_type: Any, **members: Any) -> list[CadEvent]:
    data = {"dispatch_type": dispatch_type, "dispatch": {"callId": 5, **members}}
    return push("EVENT_DISPATCH", [data])


def test_a_dispatch_call_in_the_form_of_2020_is_read() -> None:
    units = [{"id": 61}, {"id": None}, None]
    for written in (0, "0", "CALL_NEW"):
        (opened,) = dispatch_2020(written, title="T", units=units)
        assert isinstance(opened, DispatchNew)
        assert (opened.title, opened.idents) == ("T", [61])
    (changed,) = dispatch_2020(1, title="T", units=units)
    assert isinstance(changed, DispatchEdit)
    assert changed.changes() == {"title": "T", "idents": [61]}
    (noted,) = dispatch_2020(3, notes=["a", "b"])
    assert isinstance(noted, DispatchNote)
    assert noted.note.content == "b"
    assert dispatch_2020(4, units=units) == [UnitDetach(call_id=5, idents=[61])]
    assert dispatch_2020(4) == []
    for nonsense in (None, 5, -1, "x", True, [0]):
        with pytest.raises(InvalidPush, match="dispatch_type"):
            dispatch_2020(nonsense)


def test_detach_without_a_call_id_is_from_any_call() -> None:
    assert push("EVENT_UNIT_DETACH", {"ident": 1, "callId": 2}) == [
        UnitDetach(call_id=2, idents=[1])
    ]
    nowhere: list[Any] = [None, -1, "none", [], {}, True]
    for call_id in nowhere:
        data = {"ident": 1, "callId": call_id}
        assert push("EVENT_DISPATCH_UNIT_DETACH", data) == [UnitDetach(idents=[1])]


def test_attaching_to_two_calls_is_rejected() -> None:
    with pytest.raises(InvalidPush, match="more than one"):
        push("EVENT_DISPATCH_UNIT_ATTACH", {"ident": 1, "callIds": [1, 2]})


def test_units_of_one_push_may_differ_in_status() -> None:
    units = [{"id": 1, "status": 4}, {"id": 2, "status": "ENROUTE"}, {"id": 3, "status": 4}]
    events = push("EVENT_UNIT_STATUS", {"units": units})
    found = [(e.idents, e.status, e.status_code) for e in events if isinstance(e, UnitStatus)]
    assert found == [([1, 3], "ON_SCENE", 4), ([2], "ENROUTE", 3)]


def test_unit_without_status_takes_the_common_one_or_none() -> None:
    (event,) = push("EVENT_UNIT_STATUS", {"units": [{"id": 1}], "status": 2})
    assert isinstance(event, UnitStatus)
    assert event.status == "AVAILABLE"
    for data in ({"units": [{"id": 1}]}, {"identIds": 1, "status": True}):
        with pytest.raises(InvalidPush, match="status"):
            push("EVENT_UNIT_STATUS", data)


def test_partial_unit_does_not_blank_the_stored_one() -> None:
    (event,) = push("EVENT_UNIT_UPDATE", {"units": [{"id": 1, "status": 3, "data": {"rank": ""}}]})
    assert isinstance(event, UnitUpdate)
    assert event.units[0].changes() == {"rank": "", "status": "ENROUTE", "status_code": 3}
    written = {"id": 1, "rank": "", "status": "ENROUTE", "statusCode": 3}
    assert event.model_dump(by_alias=True) == {"units": [written]}


def test_update_needs_more_than_ids() -> None:
    for odd in ("all", 5, [5], ["x"], True):
        with pytest.raises(InvalidPush):
            push("EVENT_UNIT_UPDATE", {"units": odd})


def test_login_without_a_unit_id_is_rejected() -> None:
    with pytest.raises(InvalidPush, match=r"unit\.id"):
        push("EVENT_UNIT_LOGIN", {"unit": {"status": 1}})
    (event,) = push("EVENT_UNIT_LOGIN", {"id": 4, "unit": {"isDispatch": True}})
    assert isinstance(event, UnitLogin)
    assert (event.unit.id, event.is_dispatch) == (4, True)


@pytest.mark.parametrize("odd", [5, None, [], "", " x", "x\u200b", "x" * 129])
def test_text_ids_are_never_altered(odd: Any) -> None:
    with pytest.raises(InvalidPush):
        push("EVENT_COMMUNITY_LINK_VERIFIED", {"communityUserId": odd, "accountUuid": "a"})
    with pytest.raises(InvalidPush):
        push("EVENT_CHAR_SELECTED", {"accId": odd, "id": 1})


def test_a_long_sentence_is_not_audio() -> None:
    for message, has_audio in (("word " * 100, False), ("A" * 200, True), ("data:audio/x", True)):
        (event,) = push("EVENT_STATION_ALERT", {"message": message})
        assert isinstance(event, StationAlert)
        assert event.has_audio is has_audio
        assert (event.message == "") is has_audio


def test_tone_targets() -> None:
    targets = [{"type": 5, "value": 61}, {"type": 3, "value": "BCSO"}, {"type": 9}, None, "x"]
    (event,) = push("EVENT_TONE", {"playTonesTo": targets})
    assert isinstance(event, Tone)
    found = [(target.kind, target.value, target.ident) for target in event.play_tones_to]
    assert found == [("UNIT", "61", 61), ("DEPARTMENT", "BCSO", None), ("9", "", None)]


def record_of(record_type: Any, *given: dict[str, Any]) -> Record:
    (event,) = push(
        "EVENT_RECORD_EDIT",
        {"record": {"type": record_type, "sections": [{"fields": list(given)}]}},
    )
    assert isinstance(event, RecordEdit)
    return event.record


@pytest.mark.parametrize("record_type", [4, 5, 14, "5", "VEHICLE_REGISTRATION", "License"])
def test_status_of_what_is_applied_for(record_type: Any) -> None:
    names = [record_of(record_type, {"uid": "status", "value": code}).status for code in "012"]
    assert names == ["PENDING", "APPROVED", "REJECTED"]


@pytest.mark.parametrize("record_type", [2, 3, 7, "BOLO"])
def test_status_of_other_records(record_type: Any) -> None:
    names = [
        record_of(record_type, {"type": "STATUS", "value": code}).status for code in (0, "1", 2.0)
    ]
    assert names == ["ACTIVE", "CLOSED", "2"]


def test_ticked_boxes_are_the_value_of_their_field() -> None:
    boxes = {"label": "Injuries", "type": "CHECKBOXES", "data": {"flags": ["Arm", "Leg"]}}
    flags = {"type": "input", "data": {"flags": ["ARMED"]}}
    record = record_of(9, boxes, flags)
    assert record.flags == ["ARMED"]
    assert [(field.label, field.value) for field in record.fields] == [("Injuries", "Arm, Leg")]


@pytest.mark.parametrize(
    "data",
    [
        '{"call": {"callId": 7, "metaData": {"postal": "42"}}}',
        {"call": '{"callId": 7, "metaData": {"postal": "42"}}'},
        {"call": {"callId": 7, "metaData": '{"postal": "42"}'}},
        '[{"call": {"callId": 7, "metaData": "{\\"postal\\": 42.0}"}}]',
    ],
)
def test_parts_that_were_encoded_twice_are_read(data: Any) -> None:
    (event,) = parse({"type": "EVENT_911", "data": data})
    assert isinstance(event, Call911)
    assert (event.call_id, event.postal) == (7, "42")
