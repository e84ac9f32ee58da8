"""What pushes leave behind: the same whatever their order and however often they come."""

import asyncio
import tempfile
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import dispatches, emergencies, units
from tests.examples import examples
from tests.webhook.cad.corpus import CASES, document
from tests.webhook.harness import AppHarness, open_harness
from webhook.cad.store import store_push
from webhook.protocol.json_reader import parse_json

CAD = "cad"
CALL = 77
ORIGIN = 4410
PANIC_CALL = 4411
LOCATION = "Forum Dr"

Push = dict[str, Any]
Story = tuple[list[tuple[str, Push]], list[tuple[str, Push]]]
"""The events of a call in their natural order, and as they arrived."""

TABLES = (
    "emergency_calls",
    "dispatch_calls",
    "dispatch_units",
    "dispatch_notes",
    "units",
    "panics",
    "panic_units",
    "notices",
)

TOUCHED_COLUMN = {"emergency_calls": 22, "dispatch_calls": 22, "units": 12}
"""The columns that only tell when a row was heard of last."""


async def push(harness: AppHarness, kind: str, data: object, cad: str = CAD) -> None:
    await store_push(harness.context(), cad, {"type": kind, "data": data})


def state(harness: AppHarness) -> dict[str, set[tuple[Any, ...]]]:
    """Return the rows of the CAD's tables, without what only tells of their arrival."""
    rows = harness.dump()
    for name, column in TOUCHED_COLUMN.items():
        for number, row in enumerate(rows[name]):
            rows[name][number] = row[:column] + row[column + 1 :]
    found = {name: set(rows[name]) for name in TABLES}
    found["dispatch_notes"] = {row[1:] for row in rows["dispatch_notes"]}
    return found


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


async def after(pushes: Sequence[tuple[str, Push]]) -> dict[str, set[tuple[Any, ...]]]:
    """Return the state that a fresh house is left in by these pushes."""
    with tempfile.TemporaryDirectory() as directory:
        async with open_harness(Path(directory) / "sentinel.db") as harness:
            await harness.add_property(location=LOCATION)
            await harness.add_property(location="Elsewhere", x=500, y=500, width=10, height=10)
            await push(harness, *LOGIN)
            for kind, data in pushes:
                await push(harness, kind, data)
            return state(harness)


def new(**fields: object) -> tuple[str, Push]:
    dispatch = {"callId": CALL, "status": 1, "title": "Robbery", "address": "Forum Dr"}
    return "EVENT_DISPATCH_NEW", {"dispatch": dispatch | fields}


def edit(**fields: object) -> tuple[str, Push]:
    return "EVENT_DISPATCH_EDIT", {"dispatch": {"callId": CALL} | fields}


FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from([0, 1, 2, "PENDING"]),
        "title": st.sampled_from(["", "Robbery", "Fire"]),
        "description": st.sampled_from(["", "Two men"]),
        "priority": st.sampled_from([1, 3, "Immediate"]),
        "postal": st.sampled_from(["", "8031"]),
        "primary": st.sampled_from([-1, 61]),
        "idents": st.lists(st.sampled_from([61, 62, 63]), unique=True),
        "notes": st.lists(
            st.sampled_from([{"time": "1", "label": "a", "content": "one"}, "two"]), max_size=2
        ),
        "address": st.sampled_from(["", "30 Forum Dr", "Route 68"]),
        "metaData": st.sampled_from(
            [{}, {"origin911": ORIGIN}, {"x": "505", "y": "505"}, {"origin911": PANIC_CALL}]
        ),
    },
)

LOGIN: tuple[str, Push] = (
    "EVENT_UNIT_LOGIN",
    {"unit": {"id": 61, "data": {"unitNum": "1-A-12", "name": "Wren"}}},
)
PANIC: tuple[str, Push] = ("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
END: tuple[str, Push] = ("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
OWN_CALL: tuple[str, Push] = (
    "EVENT_911",
    {
        "call": {
            "callId": PANIC_CALL,
            "caller": "somebody",
            "location": "[8031] Forum Dr",
            "description": "Unit 1-a-12 has pressed their panic button!",
        }
    },
)

OTHERS: list[tuple[str, Push]] = [
    (
        "EVENT_DISPATCH_NOTE",
        {"callId": CALL, "note": {"time": "1", "label": "a", "content": "one"}},
    ),
    ("EVENT_DISPATCH_NOTE", {"callId": CALL, "note": "three"}),
    ("EVENT_DISPATCH_UNIT_ATTACH", {"callId": CALL, "idents": [61, 71]}),
    ("EVENT_DISPATCH_UNIT_ATTACH", {"callId": CALL, "ident": 72}),
    ("EVENT_DISPATCH_UNIT_DETACH", {"callId": CALL, "idents": [62, 81]}),
    ("EVENT_DISPATCH_CLOSED", {"callIds": [CALL]}),
    ("EVENT_911", {"call": {"callId": ORIGIN, "caller": "Wren", "location": "[8031] Forum Dr"}}),
    ("EVENT_REMOVE_911", {"callIds": [ORIGIN]}),
]

WITH_PANIC = [*OTHERS, PANIC, OWN_CALL, ("EVENT_REMOVE_911", {"callIds": [PANIC_CALL]})]


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Draw the events of a call in their natural order, and in another with repetitions."""
    told = [new(**draw(FIELDS)), edit(**draw(FIELDS)), *WITH_PANIC]
    chosen = [event for event in told if draw(st.booleans())]
    again = [event for event in chosen if draw(st.booleans())]
    return chosen, draw(st.permutations(chosen + again))


@given(stories())
@examples(0.4)
def test_order_of_arrival_makes_no_difference(story: Story) -> None:
    check_order(story)


def check_order(story: Story) -> None:
    natural, arrived = story
    assert run(after(arrived)) == run(after(natural))


EVERYTHING = [new(), edit(), *OTHERS]


@pytest.mark.parametrize("event", range(len(EVERYTHING)))
async def test_each_event_may_come_twice(harness: AppHarness, event: int) -> None:
    for kind, data in EVERYTHING:
        await push(harness, kind, data)
    before = state(harness)
    harness.clock.now += 1_000
    await push(harness, *EVERYTHING[event])
    assert state(harness) == before


@pytest.mark.parametrize("event", range(len(EVERYTHING)))
async def test_each_event_may_be_the_first_of_its_call(harness: AppHarness, event: int) -> None:
    await push(harness, *EVERYTHING[event])
    rows = state(harness)
    assert rows["dispatch_calls"] | rows["emergency_calls"]
    (published,) = harness.take_events()
    assert published[0] == f"cad.{EVERYTHING[event][0]}"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"description": "a"}, {"description": ""}),
        ({"status": 1}, {"title": "b"}),
        ({"primary": 61}, {"primary": -1}),
        ({"idents": [61, 62]}, {"idents": []}),
        ({"idents": [61, 62]}, {"title": "b"}),
        ({"idents": [61, 62]}, {"idents": [61]}),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
async def test_edit_outranks_the_first_report_in_what_it_sets(
    harness: AppHarness, first: Push, then: Push, swapped: bool
) -> None:
    story = [new(**first), edit(**then)]
    for event in story[::-1] if swapped else story:
        await push(harness, *event)
    call = await dispatches.get(harness.database.read, CAD, CALL)
    assert call is not None
    told: Push = (
        {"title": "Robbery", "description": "", "primary": None, "idents": []} | first | then
    )
    assert call.title == told["title"]
    assert call.description == told["description"]
    assert call.status == "ACTIVE"
    assert call.primary_unit == (None if told["primary"] in (None, -1) else told["primary"])
    assert await dispatches.units(harness.database.read, CAD, CALL) == told["idents"]


async def test_edit_leaves_what_it_does_not_set(harness: AppHarness) -> None:
    await push(harness, *new(description="Two men", postal="8031"))
    await push(harness, *edit(title="Fire"))
    call = await dispatches.get(harness.database.read, CAD, CALL)
    assert call is not None
    assert (call.title, call.description, call.postal) == ("Fire", "Two men", "8031")


async def test_closed_call_keeps_its_closing_time(harness: AppHarness) -> None:
    await push(harness, "EVENT_DISPATCH_CLOSED", {"callIds": [CALL]})
    closed = harness.clock.now
    harness.clock.now += 5_000
    await push(harness, *new())
    await push(harness, "EVENT_DISPATCH_CLOSED", {"callIds": [CALL]})
    call = await dispatches.get(harness.database.read, CAD, CALL)
    assert call is not None
    assert call.closed_at == closed


async def test_edit_to_closed_closes(harness: AppHarness) -> None:
    await push(harness, *edit(status=2))
    call = await dispatches.get(harness.database.read, CAD, CALL)
    assert call is not None
    assert call.closed_at == harness.clock.now


async def test_unit_that_leaves_without_a_call_id_leaves_its_open_calls(
    harness: AppHarness,
) -> None:
    await push(harness, *new(idents=[61, 62]))
    await push(harness, "EVENT_UNIT_CALL_CLEAR", {"units": [{"id": 61}]})
    assert await dispatches.units(harness.database.read, CAD, CALL) == [62]


async def test_calls_of_two_cads_are_kept_apart(harness: AppHarness) -> None:
    await push(harness, *new(title="one"))
    await push(harness, *new(title="two"), cad="other")
    call = await dispatches.get(harness.database.read, CAD, CALL)
    other = await dispatches.get(harness.database.read, "other", CALL)
    assert call is not None
    assert other is not None
    assert (call.title, other.title) == ("one", "two")


async def test_911_call_stores_its_removal_and_its_dispatch_call(harness: AppHarness) -> None:
    await push(harness, *new(metaData={"origin911": ORIGIN}))
    await push(harness, "EVENT_REMOVE_911", {"callIds": [ORIGIN]})
    call = await emergencies.get(harness.database.read, CAD, ORIGIN)
    assert call is not None
    assert (call.seen, call.removed_at, call.dispatch_call_id) == (0, harness.clock.now, CALL)
    await push(harness, *OTHERS[6])
    call = await emergencies.get(harness.database.read, CAD, ORIGIN)
    assert call is not None
    assert (call.seen, call.caller, call.removed_at) == (1, "Wren", harness.clock.now)


async def subjects_of_last(harness: AppHarness) -> list[str]:
    return [str(subject) for subject in (await harness.journal_events())[-1].subjects]


async def test_panics_own_911_call_is_part_of_the_panic(harness: AppHarness) -> None:
    for event in (LOGIN, PANIC):
        await push(harness, *event)
    harness.clock.now += 119_000
    await push(harness, *OWN_CALL)
    assert await subjects_of_last(harness) == ["panic:1", f"emergency:{PANIC_CALL}@cad"]
    call = await emergencies.get(harness.database.read, CAD, PANIC_CALL)
    assert call is not None
    assert call.panic_id == 1
    await push(harness, *OWN_CALL)
    await push(harness, "EVENT_REMOVE_911", {"callIds": [PANIC_CALL]})
    assert await subjects_of_last(harness) == ["panic:1", f"emergency:{PANIC_CALL}@cad"]
    assert await emergencies.open_calls(harness.database.read, 9) == []


async def test_panic_takes_over_the_card_of_its_own_911_call(harness: AppHarness) -> None:
    await push(harness, *LOGIN)
    await push(harness, *OWN_CALL)
    assert await subjects_of_last(harness) == [f"emergency:{PANIC_CALL}@cad"]
    harness.clock.now += 119_000
    await push(harness, *PANIC)
    assert await subjects_of_last(harness) == ["panic:1", f"emergency:{PANIC_CALL}@cad"]


async def test_panic_long_after_a_call_does_not_own_it(harness: AppHarness) -> None:
    await push(harness, *LOGIN)
    await push(harness, *OWN_CALL)
    harness.clock.now += 121_000
    await push(harness, *PANIC)
    assert await subjects_of_last(harness) == ["panic:1"]


async def test_call_of_a_button_pressed_again_belongs_to_the_open_panic(
    harness: AppHarness,
) -> None:
    await push(harness, *LOGIN)
    await push(harness, *PANIC)
    harness.clock.now += 3_600_000
    await push(harness, *OWN_CALL)
    assert await subjects_of_last(harness) == ["panic:1", f"emergency:{PANIC_CALL}@cad"]


@pytest.mark.parametrize(
    ("caller", "description"),
    [
        ("Wren", "UNIT  HAS PRESSED THEIR PANIC BUTTON!"),
        ("", "unit 1-A-12 has pressed their panic button"),
        ("wren ", "Unit ? has pressed their panic button!"),
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
async def test_panic_is_recognised_by_unit_number_or_name(
    harness: AppHarness, caller: str, description: str, swapped: bool
) -> None:
    call = {"callId": 5, "caller": caller, "description": description}
    story: list[tuple[str, Push]] = [PANIC, ("EVENT_911", {"call": call})]
    await push(harness, *LOGIN)
    for event in story[::-1] if swapped else story:
        await push(harness, *event)
    stored = await emergencies.get(harness.database.read, CAD, 5)
    assert stored is not None
    assert stored.panic_id == 1


@pytest.mark.parametrize("swapped", [False, True])
async def test_only_panic_of_an_unknown_unit_owns_the_call(
    harness: AppHarness, swapped: bool
) -> None:
    for event in [OWN_CALL, PANIC] if swapped else [PANIC, OWN_CALL]:
        await push(harness, *event)
    stored = await emergencies.get(harness.database.read, CAD, PANIC_CALL)
    assert stored is not None
    assert stored.panic_id == 1


@pytest.mark.parametrize(
    "story",
    [
        [LOGIN, ("EVENT_UNIT_PANIC", {"identIds": [62]}), OWN_CALL],
        [LOGIN, OWN_CALL, ("EVENT_UNIT_PANIC", {"identIds": [62]})],
        [
            ("EVENT_UNIT_PANIC", {"identIds": [61]}),
            ("EVENT_UNIT_PANIC", {"identIds": [62]}),
            OWN_CALL,
        ],
        [LOGIN, PANIC, ("EVENT_911", {"call": {"callId": PANIC_CALL, "caller": "Wren"}})],
        [PANIC, ("EVENT_911", {"call": {"callId": PANIC_CALL, "description": "panic button!"}})],
    ],
)
async def test_another_units_call_is_not_part_of_a_panic(
    harness: AppHarness, story: list[tuple[str, Push]]
) -> None:
    for event in story:
        await push(harness, *event)
    stored = await emergencies.get(harness.database.read, CAD, PANIC_CALL)
    assert stored is not None
    assert stored.panic_id is None


@pytest.mark.parametrize(
    "words",
    [
        "Unit 5, Maple Court: my mother has pressed the panic button",
        "Unit 12 at Harbour Storage: the clerk has pressed the panic button, two men inside",
        "Unit 5, Maple Court has pressed their panic button!",
        "Unit 5: she has pressed their panic button!",
        "Unit 12 has pressed their panic button, two men inside",
        "My neighbour says Unit 12 has pressed their panic button!",
        "Unit 12 has pressed their panic button!\nSend help",
        "Unit 12 has pressed the panic button!",
        "Unit of the community centre next to the harbour has pressed their panic button!",
    ],
)
@pytest.mark.parametrize("swapped", [False, True])
async def test_a_citizens_words_are_not_an_officers_panic(
    harness: AppHarness, words: str, swapped: bool
) -> None:
    call: tuple[str, Push] = ("EVENT_911", {"call": {"callId": 70, "description": words}})
    for event in [call, PANIC] if swapped else [PANIC, call]:
        await push(harness, *event)
    stored = await emergencies.get(harness.database.read, CAD, 70)
    assert stored is not None
    assert (stored.pressed_by, stored.panic_id) == (None, None)
    subjects = [str(subject) for one in await harness.journal_events() for subject in one.subjects]
    assert sorted(subjects) == ["emergency:70@cad", "panic:1"]


async def test_panic_never_owns_a_call_of_another_cad(harness: AppHarness) -> None:
    await push(harness, *LOGIN, cad="other")
    await push(harness, *PANIC, cad="other")
    await push(harness, *OWN_CALL)
    stored = await emergencies.get(harness.database.read, CAD, PANIC_CALL)
    assert stored is not None
    assert stored.panic_id is None


async def test_second_panic_has_a_call_of_its_own(harness: AppHarness) -> None:
    again = {"call": OWN_CALL[1]["call"] | {"callId": 4412}}
    for event in (LOGIN, PANIC, OWN_CALL, END):
        await push(harness, *event)
    harness.clock.now += 120_001
    for event in (("EVENT_911", again), PANIC):
        await push(harness, *event)
    first = await emergencies.get(harness.database.read, CAD, PANIC_CALL)
    second = await emergencies.get(harness.database.read, CAD, 4412)
    assert first is not None
    assert second is not None
    assert (first.panic_id, second.panic_id) == (1, 2)


async def test_panic_that_goes_on_owns_the_call_that_came_before_it(harness: AppHarness) -> None:
    again = {"call": OWN_CALL[1]["call"] | {"callId": 4412}}
    for event in (LOGIN, PANIC, OWN_CALL, END, ("EVENT_911", again), PANIC):
        harness.clock.now += 5_000
        await push(harness, *event)
    second = await emergencies.get(harness.database.read, CAD, 4412)
    assert second is not None
    assert second.panic_id == 1
    assert await subjects_of_last(harness) == ["panic:1", "emergency:4412@cad"]


@pytest.mark.parametrize("swapped", [False, True])
async def test_panic_of_an_unknown_unit_owns_the_first_of_two_calls(
    harness: AppHarness, swapped: bool
) -> None:
    calls = [
        ("EVENT_911", {"call": OWN_CALL[1]["call"] | {"callId": call_id}}) for call_id in (5, 6)
    ]
    for event in [*calls, PANIC] if swapped else [PANIC, *calls]:
        await push(harness, *event)
    stored = [await emergencies.get(harness.database.read, CAD, call_id) for call_id in (5, 6)]
    assert [call.panic_id for call in stored if call is not None] == [1, None]


async def panicking(harness: AppHarness) -> list[tuple[int, list[tuple[int, bool]]]]:
    """Return the panics, each with its units and whether they still are in it."""
    rows = harness.dump()
    return [
        (
            panic,
            [
                (ident, ended is None)
                for number, _, ident, ended in rows["panic_units"]
                if number == panic
            ],
        )
        for panic, *_ in rows["panics"]
    ]


async def test_panic_begins_once_and_ends_once(harness: AppHarness) -> None:
    for _ in range(2):
        await push(harness, "EVENT_UNIT_PANIC", {"identIds": [61, 62], "isPanic": True})
    assert await panicking(harness) == [(1, [(61, True), (62, True)])]
    for _ in range(2):
        await push(harness, "EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
    assert await panicking(harness) == [(1, [(61, False), (62, True)])]
    await push(harness, "EVENT_UNIT_PANIC", {"identId": 62, "isPanic": False})
    assert await panicking(harness) == [(1, [(61, False), (62, False)])]


@pytest.mark.parametrize(
    ("later", "panics"),
    [(120_000, [(1, [(61, True)])]), (120_001, [(1, [(61, False)]), (2, [(61, True)])])],
)
async def test_panic_goes_on_if_the_button_is_pressed_again_within_two_minutes(
    harness: AppHarness, later: int, panics: list[tuple[int, list[tuple[int, bool]]]]
) -> None:
    await push(harness, *PANIC)
    await push(harness, *END)
    harness.clock.now += later
    await push(harness, *PANIC)
    assert await panicking(harness) == panics
    assert await subjects_of_last(harness) == [f"panic:{panics[-1][0]}"]
    unit = await units.get(harness.database.read, CAD, 61)
    assert unit is not None
    assert unit.is_panic


async def test_second_unit_starts_a_panic_of_its_own(harness: AppHarness) -> None:
    await push(harness, "EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
    await push(harness, "EVENT_UNIT_PANIC", {"identIds": [61, 62, 62], "isPanic": True})
    assert await panicking(harness) == [(1, [(61, True)]), (2, [(62, True)])]


async def test_ending_an_unknown_panic_changes_nothing(harness: AppHarness) -> None:
    await push(harness, "EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
    assert await panicking(harness) == []


async def test_units_keep_what_a_push_leaves_out(harness: AppHarness) -> None:
    unit = {"id": 61, "data": {"unitNum": "1-A-12", "name": "Wren"}, "status": 2}
    await push(harness, "EVENT_UNIT_LOGIN", {"unit": unit})
    await push(harness, "EVENT_UNIT_STATUS", {"identIds": [61], "status": 4})
    await push(harness, "EVENT_UNIT_LOGOUT", {"identId": 61})
    known = (await units.by_ident(harness.database.read, CAD, [61, 99]))[61]
    assert (known.unit_num, known.name, known.status) == ("1-A-12", "Wren", "ON_SCENE")
    assert not known.on_duty


async def test_whole_corpus_can_be_stored_twice(harness: AppHarness) -> None:
    understood = [parse_json(document(case)) for case in CASES if case["valid"] is True]
    for _ in range(2):
        for body in understood:
            await store_push(harness.context(), CAD, body)
    names = {event.name for event in await harness.journal_events()}
    assert len(names) > 20
    assert all(name.startswith("cad.EVENT_") for name in names)
