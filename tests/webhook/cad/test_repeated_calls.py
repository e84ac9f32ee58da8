"""911 calls that say the same are counted on one card; a dispatch call can be made from several."""

from typing import Any

import pytest

from cogs.cards import render
from cogs.cards.dependents import linking_to
from db import emergencies
from tests.webhook.cad.test_arrival import Step, call_911, new, push, remove
from tests.webhook.harness import MINUTE, AppHarness
from webhook.cad.store import PushConfig, store_push
from webhook.protocol.events import Subject


async def card(harness: AppHarness, subject: str) -> str:
    content = await render(harness.database.read, Subject.parse(subject))
    assert content is not None
    embed = content.embeds[0]
    return f"{embed.title}\n{embed.description}\n{[field.value for field in embed.fields]}"


async def subjects(harness: AppHarness) -> list[list[str]]:
    return [[str(subject) for subject in one.subjects] for one in await harness.journal_events()]


def at(x: float, y: float) -> dict[str, Any]:
    return {"metaData": {"x": str(x), "y": str(y)}}


SAME: list[Step] = [
    call_911("shots fired", 2, caller="Bo"),
    call_911("shots fired", 2, location="12 ELM st"),
    call_911(" Shots \n FIRED ", 2, caller="Bo"),
    call_911("shots\u00a0fired", 2, location="12  Elm\tSt"),
    call_911("shots fired", 2, location="elsewhere", **at(130, 240)),
]
OTHER: list[Step] = [
    call_911("a fire", 2),
    call_911("shots fired", 2, location="elsewhere"),
    call_911("shots fired", 2, location="", **at(131, 240.1)),
    call_911("shots fired", 2, isEmergency=False),
    call_911("", 2),
]


@pytest.mark.parametrize("same", SAME)
async def test_an_equal_call_joins_the_card(harness: AppHarness, same: Step) -> None:
    await push(harness, *call_911("shots fired", **at(100, 200)))
    harness.clock.now += MINUTE
    await push(harness, *same)
    assert await subjects(harness) == [["emergency:1@cad"]] * 2
    assert "911 call 1 · × 2" in await card(harness, "emergency:1@cad")
    assert [one.call_id for one in await emergencies.open_calls(harness.database.read, 9)] == [1]


ELAN, ELM = ("12 ÉLAN Straße", "12 élan STRASSE"), ("12 Elm St", "１２ ELM ST")


@pytest.mark.parametrize(("one", "other"), [ELAN, ELAN[::-1], ELM, ELM[::-1]])
async def test_location_is_the_same_in_any_spelling(
    harness: AppHarness, one: str, other: str
) -> None:
    await push(harness, *call_911("shots fired", location=one))
    await push(harness, *call_911("shots fired", 2, location=other))
    assert await subjects(harness) == [["emergency:1@cad"]] * 2


@pytest.mark.parametrize("other", OTHER)
async def test_a_different_call_has_its_own_card(harness: AppHarness, other: Step) -> None:
    await push(harness, *call_911("shots fired", **at(100, 200)))
    await push(harness, *other)
    assert await subjects(harness) == [["emergency:1@cad"], ["emergency:2@cad"]]


async def test_call_a_minute_later_or_of_another_cad_has_its_own_card(harness: AppHarness) -> None:
    await push(harness, *call_911("shots fired"))
    await push(harness, *call_911("shots fired", 2), cad="county")
    harness.clock.now += MINUTE + 1
    await push(harness, *call_911("shots fired", 3))
    assert [one for (one,) in await subjects(harness)] == [
        "emergency:1@cad",
        "emergency:2@county",
        "emergency:3@cad",
    ]


async def test_calls_that_come_late_are_compared_by_when_they_happened(
    harness: AppHarness,
) -> None:
    for number, age in ((1, 20), (2, 19), (3, 5), (4, 0)):
        harness.age = age * MINUTE
        await push(harness, *call_911("shots fired", number))
    assert [one for (one,) in await subjects(harness)] == [
        "emergency:1@cad",
        "emergency:1@cad",
        "emergency:3@cad",
        "emergency:4@cad",
    ]


async def test_card_of_eight_calls_is_over_when_all_of_them_are(harness: AppHarness) -> None:
    for number in range(1, 9):
        harness.clock.now += MINUTE // 2
        await push(harness, *call_911("shots fired", number))
    assert "911 call 1 · × 8\n" in await card(harness, "emergency:1@cad")
    for number in range(1, 8):
        await push(harness, *remove(number))
    assert "911 call 1 · × 8\n" in await card(harness, "emergency:1@cad")
    (waiting,) = await emergencies.open_calls(harness.database.read, 9)
    assert waiting.call_id == 1
    await push(harness, *remove(8))
    assert "911 call 1 · × 8 · over" in await card(harness, "emergency:1@cad")
    assert await emergencies.open_calls(harness.database.read, 9) == []


async def test_card_of_several_calls_names_the_dispatch_call_made_from_any_of_them(
    harness: AppHarness,
) -> None:
    for number in (1, 2, 3):
        await push(harness, *call_911("shots fired", number))
    await push(harness, *remove(1))
    assert "after" not in await card(harness, "emergency:1@cad")
    await push(harness, *new("Shots", 7, metaData={"origin911": "2"}))
    assert "as dispatch call 7" in await card(harness, "emergency:1@cad")
    made = Subject.parse("dispatch:7@cad")
    assert Subject.parse("emergency:1@cad") in await linking_to(harness.database.read, made)
    await push(harness, *remove(3))
    assert "911 call 1 · × 3 · dispatched" in await card(harness, "emergency:1@cad")


async def test_equal_calls_are_one_crime(harness: AppHarness) -> None:
    for number in (1, 2):
        kind, data = call_911("shots fired", number)
        body = {"type": kind, "data": data}
        await store_push(harness.context(), "cad", body, "", PushConfig(crimes_from_calls=True))
    assert len(harness.dump()["crimes"]) == 1


@pytest.mark.parametrize("origin", ["[1, 2]", "1,2", [1, 2], ["1", "2"]])
async def test_dispatch_call_names_all_911_calls_that_were_merged_into_it(
    harness: AppHarness, origin: object
) -> None:
    await push(harness, *call_911("a fire", 1, caller="Ann"))
    await push(harness, *call_911("smoke", 2, caller="Bo"))
    await push(harness, *new("Fire", 7, metaData={"origin911": origin}))
    shown = await card(harness, "dispatch:7@cad")
    assert "911 call 1 by Ann" in shown
    assert "911 call 2 by Bo" in shown
    assert await emergencies.open_calls(harness.database.read, 9) == []


async def test_dispatch_call_names_911_calls_that_edits_add(harness: AppHarness) -> None:
    for number, text in ((1, "a fire"), (2, "smoke")):
        await push(harness, *call_911(text, number))
        dispatch = {"callId": 7, "metaData": {"origin911": number}}
        await push(harness, "EVENT_DISPATCH_EDIT", {"dispatch": dispatch})
    shown = await card(harness, "dispatch:7@cad")
    assert "911 call 1 by Ann" in shown
    assert "911 call 2 by Ann" in shown


async def test_a_call_changed_into_a_different_one_gets_its_own_card(
    harness: AppHarness,
) -> None:
    await push(harness, *call_911("shots fired", 1))
    await push(harness, *call_911("shots fired", 2, caller="Bo"))
    assert "Ann, Bo" in await card(harness, "emergency:1@cad")
    await push(harness, *call_911("officer down", 2, caller="Bo"))
    assert (await subjects(harness))[-1] == ["emergency:2@cad", "emergency:1@cad"]
    assert "×" not in await card(harness, "emergency:1@cad")
    assert "officer down" in await card(harness, "emergency:2@cad")


async def test_six_presses_in_five_seconds_are_one_panic(harness: AppHarness) -> None:
    for number in range(6):
        data = {"identIds": [61], "isPanic": number % 2 == 0}
        await store_push(harness.context(), "cad", {"type": "EVENT_UNIT_PANIC", "data": data})
        harness.clock.now += 900
    assert len(harness.dump()["panics"]) == 1
    subjects = {str(s) for event in await harness.journal_events() for s in event.subjects}
    assert {subject for subject in subjects if subject.startswith("panic:")} == {"panic:1"}
