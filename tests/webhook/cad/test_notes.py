"""Notes of dispatch calls: their times, the same one in two forms, those that are taken back."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cogs.cards import render
from cogs.cards.notes import in_order, notes_text
from db import dispatches
from db.calls import CallKey
from tests.webhook.cad.test_arrival import GAME, SECOND, edit, new, push
from tests.webhook.harness import MINUTE, START, AppHarness
from webhook.cad.events.event import dispatch_subject
from webhook.cad.store import PushConfig, store_push
from webhook.cad.times import instant, seconds_of_day

NEW_YORK = ZoneInfo("America/New_York")
NINE_SIXTEEN = (21 * 60 + 16) * 60


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-29T02:16:00Z",
        "2026-11-29T02:16:00.000Z",
        "2026-11-29T02:16:00+00:00",
        "2026-11-29T03:16:00+0100",
        "2026-11-28 21:16",
        "2026-11-28T21:16:00",
        "1795918560",
        "1795918560000",
        "Sat Nov 28 2026 21:16:00 GMT-0500 (Eastern Standard Time)",
        "11/28/2026, 9:16:00 PM",
        "28.11.2026 21:16",
        "29 November 2026 02:16 UTC",
    ],
)
def test_moment_is_read_in_every_form(written: str) -> None:
    moment = datetime(2026, 11, 28, 21, 16, tzinfo=NEW_YORK)
    assert instant(written, NEW_YORK) == moment.timestamp() * 1000
    assert seconds_of_day(written, NEW_YORK, NEW_YORK, START) == NINE_SIXTEEN


@pytest.mark.parametrize(
    "written", ["21:16", "21:16:00", "9:16 PM", "9:16 p.m.", "02:16Z", "21:16 GMT-0500", "20:16-06"]
)
def test_time_of_day_is_moved_to_the_communitys_clocks(written: str) -> None:
    assert instant(written, NEW_YORK) is None
    assert seconds_of_day(written, NEW_YORK, NEW_YORK, START) == NINE_SIXTEEN
    if written[-1].isdigit() and "-" not in written:
        moved = seconds_of_day(written, ZoneInfo("UTC"), NEW_YORK, START)
        assert moved == NINE_SIXTEEN - 5 * 60 * 60


@pytest.mark.parametrize(
    "written",
    ["", "1", "00:00:00", "00:00", "25:00", "12:60", "soon", "99999999999999", "2026-11-29", "9:1"],
)
def test_an_invalid_time_is_none(written: str) -> None:
    assert instant(written, NEW_YORK) is None
    assert seconds_of_day(written, NEW_YORK, NEW_YORK, START) is None


def note(content: str, time: str = "", label: str = "1A-1") -> dict[str, str]:
    return {"time": time, "label": label, "content": content}


async def add(harness: AppHarness, given: object, via: str = "/event") -> None:
    await push(harness, "EVENT_DISPATCH_NOTE", {"callId": 1, "note": given}, via)


async def contents(harness: AppHarness) -> list[str]:
    found = await dispatches.last_notes(harness.database.read, CallKey("cad", 1), 50)
    return [one.content for one in found]


async def test_notes_are_sorted_and_shown_in_the_communitys_time_zone(harness: AppHarness) -> None:
    harness.zone = NEW_YORK
    written = [
        note("third", "2026-11-29T02:18:00Z"),
        note("first", "2026-11-29T02:16:00Z"),
        note("second", "21:17:00"),
    ]
    await push(harness, *new("T", notes=written))
    found = await dispatches.last_notes(harness.database.read, CallKey("cad", 1), 9)
    assert [one.content for one in in_order(found)] == ["first", "second", "third"]
    lines = notes_text(found).splitlines()
    assert [line[:6] for line in lines] == ["21:16 ", "21:17 ", "21:18 "]
    content = await render(harness.database.read, dispatch_subject((await _call(harness)).key))
    assert content is not None
    assert "\n".join(lines) in [field.value for field in content.embeds[0].fields]


async def _call(harness: AppHarness) -> dispatches.DispatchCall:
    call = await dispatches.get(harness.database.read, "cad", 1)
    assert call is not None
    return call


async def test_cads_time_zone_can_be_configured(harness: AppHarness) -> None:
    harness.zone = NEW_YORK
    dispatch = {"callId": 1, "notes": [note("a", "02:16:00"), note("b", "2026-11-29T02:17:00Z")]}
    body = {"type": "EVENT_DISPATCH_NEW", "data": {"dispatch": dispatch}}
    await store_push(harness.context(), "cad", body, "", PushConfig(zone=ZoneInfo("UTC")))
    found = await dispatches.last_notes(harness.database.read, CallKey("cad", 1), 9)
    assert notes_text(found).startswith("21:16 **1A-1** a\n21:17")


SAME = [
    (note("EN ROUTE", "21:16:00"), note("EN ROUTE", "2026-11-29T02:16:00Z")),
    (note("EN ROUTE", "21:16"), note("EN ROUTE", "21:16:40")),
    (note("EN ROUTE", "21:16:40"), "EN ROUTE"),
    (note("EN ROUTE"), "EN ROUTE"),
    (note("EN ROUTE", "9:16:00 PM"), note("EN ROUTE", "21:16:00", label="")),
]


@pytest.mark.parametrize(("one", "other"), SAME)
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("listed", [False, True])
async def test_same_note_in_two_forms_is_one(
    harness: AppHarness, one: object, other: object, swapped: bool, listed: bool
) -> None:
    harness.zone = NEW_YORK
    first, second = (other, one) if swapped else (one, other)
    await add(harness, first)
    harness.clock.now += SECOND
    if listed:
        await push(harness, *edit(notes=[second]))
    else:
        await add(harness, second, GAME)
    assert await contents(harness) == ["EN ROUTE"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (note("EN ROUTE", "21:16:10"), note("EN ROUTE", "21:16:40")),
        (note("EN ROUTE", "21:16"), note("EN ROUTE", "21:17")),
        (note("EN ROUTE", "21:16"), note("EN ROUTE", "21:16", label="1A-2")),
        (note("EN ROUTE", "21:16"), note("ON SCENE", "21:16")),
    ],
)
async def test_notes_that_differ_are_two(harness: AppHarness, one: object, other: object) -> None:
    await add(harness, one)
    await add(harness, other)
    assert len(await contents(harness)) == 2


async def test_repeated_status_without_a_time_is_kept(harness: AppHarness) -> None:
    for content in ("EN ROUTE", "ON SCENE", "EN ROUTE"):
        await add(harness, content)
        harness.clock.now += MINUTE
    assert await contents(harness) == ["EN ROUTE", "ON SCENE", "EN ROUTE"]
    await push(harness, *edit(notes=["EN ROUTE", "ON SCENE", "EN ROUTE"]))
    assert await contents(harness) == ["EN ROUTE", "ON SCENE", "EN ROUTE"]


async def test_edit_takes_back_notes_that_it_does_not_have(harness: AppHarness) -> None:
    await add(harness, "call me at 555-0100")
    await add(harness, "two men")
    harness.clock.now += MINUTE
    await add(harness, "just now")
    harness.clock.now += SECOND
    await push(harness, *edit(notes=["two men"]))
    assert await contents(harness) == ["two men", "just now"]
    await push(harness, *edit(title="Robbery"))
    assert await contents(harness) == ["two men", "just now"]
    harness.clock.now += 2 * MINUTE
    await push(harness, *edit(notes=[]))
    assert await contents(harness) == []
