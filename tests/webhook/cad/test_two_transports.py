"""Pushes over two transports, of which one is slow, lose and double: the true order is found."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from db import dispatches, emergencies, units
from tests.webhook.cad.test_arrival import (
    CAD,
    GAME,
    SECOND,
    Step,
    attach,
    call_911,
    close,
    detach,
    edit,
    new,
    panic,
    push,
    remove,
)
from tests.webhook.harness import START, AppHarness, open_harness

WINDOW = 60 * SECOND

STEPS: list[Step] = [
    new("Fire", address="Elm St", idents=[61]),
    new("Robbery", address="Oak St", idents=[62]),
    edit(title="Big fire"),
    edit(status=1),
    edit(status=2),
    edit(idents=[61, 62]),
    attach(62),
    detach(61),
    close(),
    call_911("a fire", location="Elm St"),
    call_911("a robbery", caller="Bo", location="Oak St"),
    remove(),
    panic(on=True),
    panic(on=False),
]


FIRST = [STEPS[0], STEPS[9]]
"""What the calls begin with."""

ENDS = {"EVENT_911": "EVENT_REMOVE_911", "EVENT_DISPATCH_NEW": "EVENT_DISPATCH_CLOSED"}
"""Which push ends what another reports."""


class Delivery(NamedTuple):
    """A push of the story, and when each transport brings it; None: it loses the push."""

    step: Step
    at: int
    quick: int | None
    slow: int | None
    is_doubled: bool


@st.composite
def stories(draw: st.DrawFn) -> list[Delivery]:
    """Draw what happens, more than ten seconds apart, and how it is delivered."""
    lag = draw(st.integers(1, 55)) * SECOND
    at, story = 0, list[Delivery]()
    later = draw(st.lists(st.sampled_from(STEPS), max_size=7))
    for step in [*draw(st.permutations(FIRST)), *later]:
        at += draw(st.integers(11, 25)) * SECOND
        fate = draw(st.sampled_from(["both", "both", "quick", "slow"]))
        quick = at if fate != "slow" else None
        slow = at + lag if fate != "quick" else None
        story.append(Delivery(step, at, quick, slow, draw(st.integers(0, 5)) == 0))
    return story


def is_open(story: Sequence[Delivery]) -> bool:
    """Return whether the pushes leave open what happened.

    - Within a minute, each transport lost something: nothing says in which order those came.
    - A doubled push is like one that came twice, of which the other transport lost one, or both.
    - The quick transport lost a report or an end of a number that is used twice: until the slow one
      brings it, what the quick one brings looks like news of the other call.
    """
    lost = [(one.at, one.quick is None) for one in story if None in (one.quick, one.slow)]
    for at, by_quick in lost:
        if any(by_quick != other and abs(at - then) <= 2 * WINDOW for then, other in lost):
            return True
    types = [one.step[0] for one in story]
    reused = {end for report, end in ENDS.items() if types.count(report) > 1}
    reused |= {report for report in ENDS if types.count(report) > 1}
    if any(one.quick is None and one.step[0] in reused for one in story):
        return True
    equal = [one.step for one in story]
    return any(one.is_doubled and (one.quick is None or equal.count(one.step) > 1) for one in story)


def arrivals(story: Sequence[Delivery]) -> list[tuple[int, Step, str]]:
    found = []
    for one in story:
        for at, via in ((one.quick, CAD), (one.slow, GAME)):
            if at is not None:
                found += [(at + extra, one.step, via) for extra in range(1 + one.is_doubled)]
    return sorted(found, key=lambda arrival: arrival[0])


async def state(harness: AppHarness) -> dict[str, Any]:
    """Return what people see of the newest calls of the number, and of the panic."""
    read = harness.database.read
    dispatch = await dispatches.get(read, "cad", 1)
    emergency = await emergencies.get(read, "cad", 1)
    return {
        "dispatch": dispatch and (dispatch.title, dispatch.address, dispatch.closed_at is None),
        "units": dispatch and await dispatches.units(read, *dispatch.key),
        "911": emergency and (emergency.description, emergency.is_open),
        "panic": list(await units.open_panics(read, "cad", [61])),
    }


async def after(pushes: Sequence[tuple[int, Step, str]]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        async with open_harness(Path(directory) / "sentinel.db") as harness:
            for at, step, via in pushes:
                harness.clock.now = START + at
                await push(harness, *step, via)
            return await state(harness)


@pytest.mark.parametrize("lag", [1, 12, 40])
async def test_call_is_open_that_came_again_after_an_end_that_one_transport_lost(
    harness: AppHarness, lag: int
) -> None:
    report = call_911("a fire", location="Elm St")
    for at, step, via in sorted(
        [
            (11, report, CAD),
            (11 + lag, report, GAME),
            (44 + lag, remove(), GAME),
            (55, report, CAD),
            (55 + lag, report, GAME),
        ],
        key=lambda arrival: arrival[0],
    ):
        harness.clock.now = START + at * SECOND
        await push(harness, *step, via)
    assert (await state(harness))["911"] == ("a fire", True)


@given(stories())
def test_state_is_that_of_the_true_order_unless_the_pushes_leave_it_open(
    story: list[Delivery],
) -> None:
    if is_open(story):
        return
    truth = asyncio.run(after([(one.at, one.step, CAD) for one in story]))
    arrived = arrivals(story)
    note("\n".join(f"{at / SECOND:7.3f} {via} {step}" for at, step, via in arrived))
    assert asyncio.run(after(arrived)) == truth
