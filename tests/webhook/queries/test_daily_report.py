"""The day in one line: once a day, whatever the clock and the restarts do."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from db import journal, settings
from tests.webhook.harness import DAY, HOUR, AppHarness, FakeSession, open_harness
from webhook.cad.events.event import UnhandledType
from webhook.cad.store import store_push
from webhook.queries.daily_report import MESSAGES, PROBLEMS, report_day

SIX = time(6)
SENT = 4 * 24 * 2


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


async def report_at(harness: AppHarness, moment: str, hour: time = SIX) -> bool:
    harness.clock.now = at(moment)
    return await report_day(harness.context(), hour)


async def reports(harness: AppHarness) -> list[dict[str, Any]]:
    return [
        event.data for event in await harness.journal_events() if event.name == "sentinel.daily"
    ]


async def days(harness: AppHarness) -> list[str]:
    return [report["day"] for report in await reports(harness)]


async def test_report_counts_the_events_of_the_last_day(harness: AppHarness) -> None:
    await report_at(harness, "2026-11-20T12:00Z")
    harness.clock.now = at("2026-11-21T05:59:59Z")
    await _evening(harness)
    harness.clock.now = at("2026-11-21T06:00Z")
    await _evening(harness)
    assert await report_at(harness, "2026-11-22T05:59Z") is True
    harness.clock.now = at("2026-11-22T06:00Z")
    await _evening(harness)
    async with harness.database.write() as sql:
        await settings.add(sql, MESSAGES, 7)
        await settings.add(sql, PROBLEMS, 2)
    assert await report_at(harness, "2026-11-22T06:00Z") is True
    assert await report_at(harness, "2026-11-22T06:01Z") is False
    _, report = await reports(harness)
    assert report == {
        "day": "2026-11-22",
        "pushes": 6,
        "emergencies": 1,
        "dispatches": 1,
        "panics": 1,
        "alarms": 1,
        "visits": 1,
        "flights": 1,
        "messages": 7,
        "problems": 2,
    }
    await report_at(harness, "2026-11-23T06:00Z")
    assert [(r["messages"], r["problems"]) for r in await reports(harness)][-1] == (0, 0)


async def _evening(harness: AppHarness) -> None:
    """A few of everything at one moment."""
    for kind, data in (
        ("EVENT_911", {"call": {"callId": 1}}),
        ("EVENT_911", {"call": {"callId": 1, "caller": "Wren"}}),
        ("EVENT_DISPATCH_NEW", {"dispatch": {"callId": 5}}),
        ("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True}),
        ("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": False}),
    ):
        await store_push(harness.context(), "county", {"type": kind, "data": data})
    with pytest.raises(UnhandledType):
        await store_push(harness.context(), "county", {"type": "EVENT_NEW_TO_US", "data": {}})
    place = await harness.add_property()
    await harness.ask("change-property-status", propertyId=place, status="ACTIVE")
    camera, _ = await harness.add_equipment(place, 1), await harness.add_equipment(place, 3)
    await harness.ask("add-alert", propertyId=place, userId="u")
    await harness.ask("add-visitor", propertyId=place, userId="u", cameraId=camera)
    await harness.ask("dispatch-drone", propertyId=place)


async def test_repeated_pushes_are_counted_once(harness: AppHarness) -> None:
    await report_at(harness, "2026-11-20T12:00Z")
    await harness.add_property(location="Forum Dr 12")
    dispatch = {"callId": 5, "metaData": {"createdFromId": 1}}
    for kind, data in (
        ("EVENT_911", {"call": {"callId": 1}}),
        ("EVENT_DISPATCH_NEW", {"dispatch": dispatch}),
        ("EVENT_911", {"call": {"callId": 1, "location": "Forum Dr 12"}}),
        ("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True}),
        ("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True, "again": 1}),
        ("EVENT_UNIT_PANIC", {"identIds": [1], "isPanic": True, "again": 2}),
    ):
        await store_push(harness.context(), "county", {"type": kind, "data": data})
    await report_at(harness, "2026-11-21T12:00Z")
    (report,) = await reports(harness)
    assert (report["emergencies"], report["dispatches"], report["panics"]) == (1, 1, 1)


async def test_first_start_and_restart_do_not_report(tmp_path: Path) -> None:
    path = tmp_path / "sentinel.db"
    for moment, reports_now in (
        ("2026-11-20T12:00Z", False),
        ("2026-11-20T23:00Z", False),
        ("2026-11-21T06:00Z", True),
        ("2026-11-21T06:00Z", False),
        ("2026-11-24T20:00Z", True),  # of the days that it slept through only the last
        ("2026-11-24T21:00Z", False),
    ):
        async with open_harness(path) as harness:
            assert await report_at(harness, moment) is reports_now, moment
    async with open_harness(path) as harness:
        assert await days(harness) == ["2026-11-21", "2026-11-24"]


async def test_each_day_is_reported_once_when_the_clock_jumps(
    harness: AppHarness,
) -> None:
    for moment in (
        "2026-11-20T12:00Z",
        "2026-11-21T06:00:10Z",
        "2026-11-21T05:59:50Z",
        "2026-11-21T06:00:20Z",
        "1970-01-01T07:00Z",  # a machine without a battery, before it knows the time
        "2026-11-21T12:00Z",
        "2099-01-01T12:00Z",
        "2026-11-21T13:00Z",
        "2026-11-22T06:00Z",
    ):
        await report_at(harness, moment)
    told = await days(harness)
    assert len(told) == len(set(told))
    assert [day for day in told if day.startswith("2026")] == ["2026-11-21", "2026-11-22"]


@pytest.mark.parametrize("hour", ["02:30", "03:00", "00:00", "23:59"])
@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
async def test_every_day_and_event_is_reported_when_clocks_change(
    tmp_path: Path, hour: str, change: str
) -> None:
    async with open_harness(tmp_path / "sentinel.db", "Europe/Berlin") as harness:
        start = datetime.fromisoformat(change).replace(tzinfo=UTC) - timedelta(days=2)
        harness.clock.now = int(start.timestamp() * 1000)
        for _ in range(SENT):
            await report_day(harness.context(), time.fromisoformat(hour))
            push = {"type": "EVENT_REMOVE_911", "data": {"callIds": [1]}}
            await store_push(harness.context(), "county", push)
            harness.clock.now += HOUR // 2
        harness.clock.now += DAY
        await report_day(harness.context(), time.fromisoformat(hour))
        told = await reports(harness)
    assert len({report["day"] for report in told}) == len(told)
    assert sum(report["pushes"] for report in told) == SENT
    assert change in {report["day"] for report in told}


async def test_report_is_not_sent_to_scripts(harness: AppHarness) -> None:
    line = FakeSession(harness)
    await line.subscribe("all")
    await report_at(harness, "2026-11-20T12:00Z")
    await report_at(harness, "2026-11-21T12:00Z")
    assert await days(harness) == ["2026-11-21"]
    assert (harness.published, line.events()) == ([], [])
    line.close()
    resumed = FakeSession(harness)
    assert (await resumed.resume("client", 0))["type"] == "status"
    await resumed.subscribe("all")
    assert resumed.events() == []
    assert await journal.after(harness.database.read, 0, 10) == []
    assert (await resumed.say("subscribe", id="sentinel.daily"))["data"]["code"] == "not-found"
