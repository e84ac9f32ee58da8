"""Change, journal, publish: the one door through which everything goes."""

import asyncio

import pytest

from db import settings
from tests.webhook.house import House
from webhook.protocol.events import DroneRecalled, Scanned, Subject

EVENT = Scanned(property_id="3", client_id="u")


async def test_an_event_is_published_after_the_commit_under_its_number(house: House) -> None:
    async with house.context().change() as change:
        number = await change.emit(EVENT, Subject("property", "3"))
        assert house.published == []
    assert house.published == [
        {
            "type": "events.all",
            "id": number,
            "event": "events.scanned",
            "data": {"propertyId": "3", "clientId": "u"},
        }
    ]
    (stored,) = await house.journalled()
    assert (stored.id, stored.at) == (number, house.clock.now)
    assert stored.subjects == [Subject("property", "3")]


async def test_an_undone_change_is_neither_journalled_nor_published(house: House) -> None:
    async def fail() -> None:
        async with house.context().change() as change:
            await change.emit(EVENT)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await fail()
    assert house.published == []
    assert await house.journalled() == []


async def test_events_go_out_in_journal_order_however_many_write(house: House) -> None:
    async def write(number: int) -> None:
        async with house.context().change() as change:
            await settings.put(change.sql, f"n{number}", "")
            for drone in range(3):
                await change.emit(DroneRecalled(property_id=number, drone_id=drone))
            if number % 5 == 0:
                raise ArithmeticError

    await asyncio.gather(*(write(number) for number in range(50)), return_exceptions=True)
    numbers = [frame["id"] for frame in house.published]
    assert numbers == sorted(numbers)
    assert len(numbers) == 120
    assert [(event.id, event.data) for event in await house.journalled()] == [
        (frame["id"], frame["data"]) for frame in house.published
    ]


async def test_fields_that_were_not_given_are_not_sent(house: House) -> None:
    place = await house.add_property()
    await house.ask("request-remove-property", propertyId=place)
    assert house.told() == [("requested-remove-property", {"propertyId": place})]


@pytest.mark.parametrize("subject", [Subject("dispatch", "12@cad:two"), Subject("a", "")])
def test_a_subject_survives_as_text(subject: Subject) -> None:
    assert Subject.parse(str(subject)) == subject
