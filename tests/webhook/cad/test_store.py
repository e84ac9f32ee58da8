"""911 calls counted as crimes, where the community wants it."""

from typing import Any

from tests.webhook.harness import AppHarness
from webhook.cad.store import PushConfig, store_push

COUNTING = PushConfig(crimes_from_calls=True)


async def call(harness: AppHarness, config: PushConfig = COUNTING, **fields: Any) -> None:
    body = {"type": "EVENT_911", "data": {"call": {"callId": 5} | fields}}
    await store_push(harness.context(), "cad", body, config=config)


async def crimes_today(harness: AppHarness, **area: Any) -> int:
    answer = await harness.ask("get-crimes-in-area", **area)
    count: int = answer["today"]
    return count


async def test_emergency_counts_once_at_its_property(harness: AppHarness) -> None:
    place = await harness.add_property(location="Forum Dr")
    other = await harness.add_property(location="Route 68")
    for _ in range(2):
        await call(harness, location="30 Forum Dr", description="Shots fired")
    told = [event for event in harness.take_events() if event[0] == "crimes"]
    assert told == [("crimes", {"propertyId": place, "crimeId": 1})]
    assert await crimes_today(harness) == 1
    assert await crimes_today(harness, propertyId=place) == 1
    assert await crimes_today(harness, propertyId=other) == 0
    (*_, last) = [event for event in await harness.journal_events() if event.name == "crimes"]
    assert [str(subject) for subject in last.subjects] == [f"property:{place}"]


async def test_crime_may_have_no_property(harness: AppHarness) -> None:
    await call(harness, description="x" * 4_000)
    assert await crimes_today(harness) == 1
    assert len(harness.dump()["crimes"][0][3]) == 2_000


async def test_civil_calls_and_calls_of_panics_are_not_crimes(harness: AppHarness) -> None:
    await call(harness, isEmergency=False)
    await call(harness, callId=6, description="Unit 7 has pressed their panic button!")
    await call(harness, PushConfig(), callId=7)
    assert await crimes_today(harness) == 0
