"""911 calls counted as crimes, where the community wants it."""

from typing import Any

from tests.webhook.house import House
from webhook.cad.receive import Intake, receive

COUNTING = Intake(crimes_from_calls=True)


async def call(house: House, intake: Intake = COUNTING, **fields: Any) -> None:
    body = {"type": "EVENT_911", "data": {"call": {"callId": 5} | fields}}
    await receive(house.context(), "cad", body, intake=intake)


async def crimes_today(house: House, **area: Any) -> int:
    answer = await house.ask("get-crimes-in-area", **area)
    count: int = answer["crimes"][0]["count"]
    return count


async def test_an_emergency_counts_once_at_its_property(house: House) -> None:
    place = await house.add_property(location="Forum Dr")
    other = await house.add_property(location="Route 68")
    for _ in range(2):
        await call(house, location="30 Forum Dr", description="Shots fired")
    told = [event for event in house.told() if event[0] == "crimes"]
    assert told == [("crimes", {"propertyId": place, "clientId": None, "crimeId": 1})]
    assert await crimes_today(house) == 1
    assert await crimes_today(house, propertyId=place) == 1
    assert await crimes_today(house, propertyId=other) == 0
    (*_, last) = [event for event in await house.journalled() if event.name == "crimes"]
    assert [str(subject) for subject in last.subjects] == [f"property:{place}"]


async def test_a_crime_may_be_nowhere_in_particular(house: House) -> None:
    await call(house, description="x" * 4_000)
    assert await crimes_today(house) == 1
    assert len(house.dump()["crimes"][0][3]) == 2_000


async def test_what_is_no_emergency_or_a_panic_is_no_crime(house: House) -> None:
    await call(house, isEmergency=False)
    await call(house, callId=6, description="Unit 7 has pressed their panic button!")
    await call(house, Intake(), callId=7)
    assert await crimes_today(house) == 0
