"""The follower takes every event in exactly once, whatever stops it."""

import asyncio
from collections.abc import Callable, Collection

import pytest

from cogs.cards import render
from cogs.delivery.follower import BATCH, Follower
from cogs.feeds import entry_embed
from cogs.routing.rules import Router, Rule
from db import cards, feeds, settings
from db.errors import StorageUnavailable
from tests.cogs.scenario import Scenario
from tests.db.interrupt import interrupt
from tests.webhook.harness import HOUR, MINUTE, AppHarness
from webhook.cad import UnhandledType
from webhook.protocol.events import Subject
from webhook.protocol.metrics import Metrics

EVERYWHERE = frozenset({"emergency", "board", "units", "visits", "dispatch"})


def _follower(
    harness: AppHarness,
    in_use: frozenset[str] = EVERYWHERE,
    wake: Callable[[Collection[str]], None] = lambda _places: None,
) -> Follower:
    return Follower(harness.database, harness.bus, in_use, wake)


async def _versions(harness: AppHarness) -> list[int]:
    """Return how often each card was marked stale."""
    return [version for _, version in await _cards(harness)]


async def _cards(harness: AppHarness) -> list[tuple[str, int]]:
    return await harness.database.read.all(
        lambda subject, version: (subject, version),
        "SELECT subject, version FROM cards WHERE subject LIKE 'emergency:%' ORDER BY id",
    )


async def _mentions(harness: AppHarness) -> list[tuple[str, int]]:
    """Return the cards with the roles that they mention, after all events are applied."""
    in_use = frozenset({"alerts", "emergency", "panic"})
    router = Router([Rule("all", mention=5)], roles={"panic": 9})
    follower = Follower(harness.database, harness.bus, in_use, lambda _: None, router)
    while await follower.apply_next():
        pass
    return await harness.database.read.all(
        lambda subject, mention: (subject, mention),
        "SELECT subject, mention FROM cards WHERE mention ORDER BY id",
    )


async def _call(harness: AppHarness, number: int, **fields: object) -> None:
    await Scenario(harness).push("EVENT_911", {"call": {"callId": number} | fields})


async def test_every_event_is_applied_once_across_a_restart(
    harness: AppHarness,
) -> None:
    await _call(harness, 1)
    await _call(harness, 2)
    assert await _follower(harness).apply_next()
    assert not await _follower(harness).apply_next()
    await _call(harness, 1, caller="Wren")
    assert await _follower(harness).apply_next()
    assert await _cards(harness) == [("emergency:1@county", 2), ("emergency:2@county", 1)]


async def test_events_are_applied_in_batches(harness: AppHarness) -> None:
    await _call(harness, 0)
    async with harness.context().change() as change:
        for _ in range(BATCH):
            await change.emit_named("scanned", b"{}")
    await _call(harness, 1)
    follower = _follower(harness)
    assert await follower.apply_next()
    assert len(await _cards(harness)) == 1
    assert await follower.apply_next()
    assert len(await _cards(harness)) == 2
    assert not await follower.apply_next()


async def test_unused_channels_get_no_cards_or_feed_entries(harness: AppHarness) -> None:
    await _call(harness, 1)
    await Scenario(harness).duty()
    await _follower(harness, frozenset({"units", "board"})).apply_next()
    assert await _cards(harness) == []
    assert await feeds.waiting(harness.database.read, ["units"], 10)
    assert await cards.of_subject(harness.database.read, "board:units") is not None


async def test_pushes_of_unknown_types_are_shown_where_a_rule_says(harness: AppHarness) -> None:
    scenario = Scenario(harness)
    for push_type in ("EVENT_WEATHER_CHANGED", "EVENT_OTHER"):
        with pytest.raises(UnhandledType):
            await scenario.push(push_type, {"weather": "fog", "at": {"zone": "*Paleto*"}})
    rule = Rule("weather", types=["EVENT_WEATHER_CHANGED"], channel=77)
    follower = Follower(
        harness.database, harness.bus, EVERYWHERE | {"77"}, lambda _: None, Router([rule])
    )
    await follower.apply_next()
    (entry,) = await feeds.waiting(harness.database.read, ["77"], 10)
    event, _ = await harness.journal_events()
    assert entry.journal_id == event.id
    embed = await entry_embed(harness.database.read, event)
    assert (embed.title, embed.description) == (
        "EVENT\\_WEATHER\\_CHANGED",
        "weather\\: fog\nzone\\: \\*Paleto\\*",
    )
    woken = asyncio.Event()
    follower = _follower(harness, wake=lambda _: woken.set())
    running = asyncio.create_task(follower.run())
    async with asyncio.timeout(5):
        await woken.wait()
    running.cancel()
    assert await feeds.channels(harness.database.read) == []


async def test_feed_entries_are_queued_in_the_order_of_their_events(harness: AppHarness) -> None:
    await Scenario(harness).duty()
    await _follower(harness).apply_next()
    waiting = await feeds.waiting(harness.database.read, ["units"], 100)
    numbers = [entry.journal_id for entry in waiting]
    assert numbers == [event.id for event in await harness.journal_events()]


async def test_events_are_applied_once_wherever_it_is_interrupted(
    harness: AppHarness,
) -> None:
    for number in range(3):
        await _call(harness, number)

    async def once() -> None:
        await _follower(harness).apply_next()

    point = 0
    while True:
        point += 1
        seen = await interrupt(once(), point)
        async with harness.database.write():
            pass  # what was on its way to the disk when the process ended is there
        if not seen.cut_short:
            break
    await once()
    assert await _versions(harness) == [1, 1, 1]
    last = (await harness.journal_events())[-1].id
    assert await settings.get(harness.database.read, "discord.cursor") == str(last)


async def test_an_event_that_cannot_be_applied_is_skipped_alone(
    harness: AppHarness, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):
        await _call(harness, number)
    async with harness.database.write() as sql:
        await sql.run(
            "CREATE TRIGGER no_room BEFORE INSERT ON cards WHEN NEW.subject LIKE '%:2@%'"
            " BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    metrics = Metrics()
    follower = Follower(
        harness.database, harness.bus, EVERYWHERE, lambda _places: None, metrics=metrics
    )
    assert await follower.apply_next()
    assert await _cards(harness) == [("emergency:1@county", 1), ("emergency:3@county", 1)]
    assert (
        f"event {(await harness.journal_events())[1].id} (cad.EVENT_911) is skipped" in caplog.text
    )
    assert "sentinel_events_passed_over_total 1.0" in metrics.render("")[0].decode()
    assert not await follower.apply_next()


async def test_a_storage_failure_leaves_the_whole_batch_for_later(
    harness: AppHarness,
) -> None:
    await _call(harness, 1)
    await _call(harness, 2)
    async with harness.database.write() as sql:
        await sql.run(
            "CREATE TRIGGER large BEFORE INSERT ON cards WHEN NEW.subject LIKE '%:2@%'"
            " BEGIN INSERT INTO settings VALUES ('large', hex(zeroblob(100000))); END"
        )
        pages = await sql.one(int, "PRAGMA page_count")
        await sql.run(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageUnavailable):
        await _follower(harness).apply_next()
    assert await _cards(harness) == []
    async with harness.database.write() as sql:
        await sql.run("PRAGMA max_page_count = 1000000")
    assert await _follower(harness).apply_next()
    assert await _versions(harness) == [1, 1]


async def test_published_events_are_applied_at_once_and_wake_the_queues(
    harness: AppHarness,
) -> None:
    woken = asyncio.Event()
    await _call(harness, 1)
    running = asyncio.create_task(_follower(harness, wake=lambda _places: woken.set()).run())
    async with asyncio.timeout(5):
        await woken.wait()
        woken.clear()
        await _call(harness, 2)
        await woken.wait()
    assert len(await _cards(harness)) == 2
    running.cancel()
    await asyncio.wait({running})
    woken.clear()
    await _call(harness, 3)
    assert not woken.is_set()


async def _scan(harness: AppHarness) -> None:
    async with harness.context().change() as change:
        await change.emit_named("visits", b'{"propertyId":1}')


@pytest.mark.parametrize("with_card", [True, False])
async def test_feed_events_are_collected_until_a_card_event_or_a_short_delay(
    harness: AppHarness, monkeypatch: pytest.MonkeyPatch, *, with_card: bool
) -> None:
    monkeypatch.setattr("cogs.delivery.follower.FEED_DELAY", 3_600.0 if with_card else 0.0)
    woken = asyncio.Queue[set[str]]()
    follower = _follower(harness, wake=lambda places: woken.put_nowait(set(places)))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        await _scan(harness)
        running = group.create_task(follower.run())
        assert await woken.get() == {"visits"}  # from before it ran
        await _scan(harness)
        await _scan(harness)
        if with_card:
            await _call(harness, 1)
        assert await woken.get() == ({"visits", "emergency", "board"} if with_card else {"visits"})
        running.cancel()


async def test_a_new_press_mentions_people_once_if_the_alarm_came_too_late_to(
    harness: AppHarness,
) -> None:
    await harness.add_property()
    for age, expected in (
        (HOUR, []),
        (HOUR, []),
        (0, [("alarm-again:1", 5)]),
        (0, [("alarm-again:1", 5)]),
    ):
        harness.age = age
        await harness.ask("add-alert", propertyId=1, userId="u")
        assert await _mentions(harness) == expected
    shown = await render(harness.database.read, Subject("alarm-again", "1"))
    assert shown is not None
    assert shown.embeds[0].title == "Alarm raised again · Forum Dr"


async def test_repeat_of_an_alarm_that_mentioned_people_mentions_nobody(
    harness: AppHarness,
) -> None:
    await harness.add_property()
    for age in (0, 0, HOUR):
        harness.age = age
        await harness.ask("add-alert", propertyId=1, userId="u")
        assert await _mentions(harness) == [("alarm:1", 5)]


async def test_a_new_press_mentions_people_once_if_the_card_came_too_late_to(
    harness: AppHarness,
) -> None:
    scenario = Scenario(harness)
    for age, is_panic, expected in (
        (HOUR, True, []),
        (0, True, [("panic-again:1", 5)]),
        (0, True, [("panic-again:1", 5)]),
        (0, False, [("panic-again:1", 5)]),
    ):
        harness.age = age
        await scenario.push("EVENT_UNIT_PANIC", {"identIds": [4], "isPanic": is_panic})
        assert await _mentions(harness) == expected


async def test_call_that_repeats_a_late_one_mentions_people_and_an_edit_does_not(
    harness: AppHarness,
) -> None:
    what = {"description": "Shots fired", "location": "Forum Dr"}
    harness.age = 2 * MINUTE + 1
    await _call(harness, 1, **what)
    assert await _mentions(harness) == []
    harness.age = 0
    await _call(harness, 1, **what, caller="Wren")
    assert await _mentions(harness) == []
    harness.age = 2 * MINUTE
    await _call(harness, 2, **what)
    assert await _mentions(harness) == [("emergency-again:1@county", 5)]
