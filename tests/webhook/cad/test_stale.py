"""What ends because nothing was heard of it, and what opens it again."""

from datetime import time

import pytest

from cogs.cards import render
from db import dispatches, emergencies, units
from tests.webhook.cad.test_arrival import (
    SECOND,
    attach,
    call_911,
    edit,
    new,
    panic,
    push,
    texts,
    titles,
)
from tests.webhook.harness import DAY, HOUR, MINUTE, AppHarness, open_harness
from webhook.cad.stale import StaleLimits, end_stale
from webhook.protocol.events import Subject


async def end(harness: AppHarness, limits: StaleLimits) -> None:
    while await end_stale(harness.context(), limits, 2):
        pass


async def card(harness: AppHarness, subject: str) -> str:
    content = await render(harness.database.read, Subject.parse(subject))
    assert content is not None
    return str(content.embeds[0].to_dict())


async def test_calls_end_after_hours_without_news_and_their_cards_say_so(
    harness: AppHarness,
) -> None:
    limits = StaleLimits(calls=6 * HOUR)
    for number in range(1, 6):
        await push(harness, *call_911(f"fire {number}", number))
        await push(harness, *new("Fire", number))
    harness.clock.now += 5 * HOUR
    await push(harness, *edit(2, description="still burning"))
    harness.clock.now += HOUR
    await end(harness, limits)
    assert len(await dispatches.open_calls(harness.database.read, 9)) == 5
    harness.take_events()
    harness.clock.now += 1
    await end(harness, limits)
    assert [call.call_id for call in await dispatches.open_calls(harness.database.read, 9)] == [2]
    assert await emergencies.open_calls(harness.database.read, 9) == []
    for subject in ("dispatch:1@cad", "emergency:1@cad"):
        assert "no news for 6 h" in await card(harness, subject)
    outdated = [
        subject
        for event in await harness.journal_events()
        if event.name == "sentinel.cards-outdated"
        for subject in event.data["subjects"]
    ]
    assert len(set(outdated)) == len(outdated) == 9
    assert harness.take_events() == []


@pytest.mark.parametrize(
    "news", [edit(title="x"), attach(61), ("EVENT_DISPATCH_NOTE", {"callId": 1, "note": "here"})]
)
async def test_call_that_seemed_over_is_opened_by_news_of_it(
    harness: AppHarness, news: tuple[str, dict[str, object]]
) -> None:
    await push(harness, *new("Fire"))
    harness.clock.now += HOUR + 1
    await end(harness, StaleLimits(calls=HOUR))
    assert await titles(harness) == [("Fire", False)]
    harness.clock.now += SECOND
    await push(harness, *news)
    assert [is_open for _, is_open in await titles(harness)] == [True]
    assert "no news" not in await card(harness, "dispatch:1@cad")


async def test_panic_ends_after_minutes_and_goes_on_if_pressed_again(harness: AppHarness) -> None:
    limits = StaleLimits(panics=30 * MINUTE)
    await push(harness, *panic(on=True))
    harness.clock.now += 20 * MINUTE
    await push(harness, *panic(on=True))
    harness.clock.now += 30 * MINUTE
    await end(harness, limits)
    assert await units.open_panics(harness.database.read, "cad", [61]) == {61: 1}
    harness.clock.now += 1
    await end(harness, limits)
    assert await units.open_panics(harness.database.read, "cad", [61]) == {}
    assert "no news for 30 min" in await card(harness, "panic:1")
    await push(harness, *panic(on=True))
    await end(harness, limits)
    assert await units.open_panics(harness.database.read, "cad", [61]) == {61: 1}


async def test_units_and_dispatchers_have_times_of_their_own(harness: AppHarness) -> None:
    for ident, is_dispatch in ((1, False), (2, True)):
        unit = {"id": ident, "data": {"unitNum": f"1-{ident}"}}
        await push(harness, "EVENT_UNIT_LOGIN", {"unit": unit, "isDispatch": is_dispatch})
    harness.clock.now += 2 * HOUR
    await end(harness, StaleLimits(units=HOUR, dispatchers=3 * HOUR))
    assert [unit.ident for unit in await units.on_duty(harness.database.read)] == [2]
    harness.clock.now += 2 * HOUR
    await end(harness, StaleLimits(units=0, dispatchers=3 * HOUR))
    assert await units.on_duty(harness.database.read) == []


async def test_nothing_ends_by_itself_unless_configured(harness: AppHarness) -> None:
    for event in (call_911("fire"), new("Fire"), panic(on=True)):
        await push(harness, *event)
    harness.clock.now += 2 * DAY
    await end(harness, StaleLimits())
    assert await texts(harness) == [("fire", True)]
    assert await titles(harness) == [("Fire", True)]
    assert await units.open_panics(harness.database.read, "cad", [61]) == {61: 1}
    assert await units.on_duty(harness.database.read) == []


async def test_everything_ends_at_a_time_of_day_also_if_the_bot_did_not_run_then(
    harness: AppHarness,
) -> None:
    """It is half past nine; the day ends at five in the morning."""
    limits = StaleLimits(units=0, dispatchers=0, at=time(5))
    for event in (call_911("fire"), new("Fire"), panic(on=True)):
        await push(harness, *event)
    await end(harness, limits)
    assert await titles(harness) == [("Fire", True)]
    harness.clock.now += 20 * HOUR
    await push(harness, *new("After five", 2))
    async with open_harness(harness.path) as again:
        again.clock.now = harness.clock.now
        await end(again, limits)
        assert await texts(again) == [("fire", False)]
        assert await titles(again) == [("Fire", False)]
        assert [call.call_id for call in await dispatches.open_calls(again.database.read, 9)] == [2]
        assert await units.open_panics(again.database.read, "cad", [61]) == {}
        assert await units.on_duty(again.database.read) == []
        assert "time of day" in await card(again, "panic:1")
