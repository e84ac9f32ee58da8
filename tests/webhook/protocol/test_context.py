"""Change, journal, publish: the one door through which everything goes."""

import asyncio

import pytest

from db import settings
from tests.webhook.harness import AppHarness
from webhook.protocol.events import DroneRecalled, Scanned, Subject

EVENT = Scanned(property_id="3", client_id="u")


async def test_event_is_published_after_the_commit_under_its_number(harness: AppHarness) -> None:
    async with harness.context().change() as change:
        number = await change.emit(EVENT, Subject("property", "3"))
        assert harness.published == []
    assert harness.published == [
        {
            "type": "events.scanned",
            "id": number,
            "data": {"propertyId": "3", "clientId": "u"},
        }
    ]
    (stored,) = await harness.journal_events()
    assert (stored.id, stored.at) == (number, harness.clock.now)
    assert stored.subjects == [Subject("property", "3")]


async def test_rolled_back_change_is_neither_stored_nor_published(harness: AppHarness) -> None:
    async def fail() -> None:
        async with harness.context().change() as change:
            await change.emit(EVENT)
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        await fail()
    assert harness.published == []
    assert await harness.journal_events() == []


async def test_parallel_changes_publish_in_journal_order(harness: AppHarness) -> None:
    async def write(number: int) -> None:
        async with harness.context().change() as change:
            await settings.put(change.sql, f"n{number}", "")
            for drone in range(3):
                await change.emit(DroneRecalled(property_id=number, drone_id=drone))
            if number % 5 == 0:
                raise ArithmeticError

    await asyncio.gather(*(write(number) for number in range(50)), return_exceptions=True)
    numbers = [frame["id"] for frame in harness.published]
    assert numbers == sorted(numbers)
    assert len(numbers) == 120
    assert [(event.id, event.data) for event in await harness.journal_events()] == [
        (frame["id"], frame["data"]) for frame in harness.published
    ]


async def test_fields_that_were_not_given_are_not_sent(harness: AppHarness) -> None:
    place = await harness.add_property()
    await harness.ask("request-remove-property", propertyId=place)
    assert ("requested-remove-property", {"propertyId": place}) in harness.take_events()


@pytest.mark.parametrize("subject", [Subject("dispatch", "12@cad:two"), Subject("a", "")])
def test_subject_survives_as_text(subject: Subject) -> None:
    assert Subject.parse(str(subject)) == subject
