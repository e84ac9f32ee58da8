"""The board: one message in the units channel that shows the last state, with few edits."""

import asyncio
import time
from dataclasses import replace
from itertools import pairwise

import pytest

from cogs.cards import CARDS
from cogs.delivery.channel_queue import Pace
from tests.end_to_end.town import QUICK, Town, call_911, dispatch_call, log_in, unit
from tests.fake_discord import Message, render


@pytest.fixture(autouse=True)
def _quick_board(monkeypatch: pytest.MonkeyPatch) -> None:
    _set_pace(monkeypatch, 0.05)


def _set_pace(monkeypatch: pytest.MonkeyPatch, every: float) -> None:
    monkeypatch.setitem(CARDS, "board", replace(CARDS["board"], edit_interval=every))


def boards(town: Town) -> list[Message]:
    """The messages of the units channel that are the board; the others are feeds."""
    return [
        message
        for message in town.channel("units").messages
        if any(
            " duty" in embed.get("title", "") and embed["title"][:2] in ("On", "No")
            for embed in message.embeds
        )
        and not message.embeds[0].get("timestamp")
    ]


async def board_says(town: Town, *texts: str) -> Message:
    """Wait until there is one board and it says all this."""
    await town.fake.until(
        lambda: len(boards(town)) == 1 and all(text in render(boards(town)[0]) for text in texts),
        timeout=10,
    )
    return boards(town)[0]


async def test_the_board_links_to_a_card_that_is_posted_later_than_the_board(town: Town) -> None:
    waiting = town.channel("emergency")
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        town.fake.fault("POST", waiting.messages_path, delay=0.5)
        await town.push("EVENT_911", call_911(4410))
        board = await board_says(town, "**911 · 1 waiting**")
        assert waiting.messages == []
        card = await waiting.next_message()
        await town.fake.until(lambda: f"[4410]({card.jump_url})" in str(board.embeds))


async def test_the_board_shows_units_calls_and_drones_and_follows_them(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        await log_in(town, 61, "7K-22", "LSPD", status=2)
        await log_in(town, 62, "7K-25", "LSPD", status=4)
        await log_in(town, 74, "E-9", "Fire", status=3)
        await board_says(
            town, "On duty · 3", "LSPD · 2", "**On scene** 7K-25", "**Available** 7K-22"
        )
        await town.push("EVENT_DISPATCH_NEW", dispatch_call(8120, idents=[74], priority=2))
        await board_says(town, "8120", "P2 · Structure fire · E-9")
        await town.push("EVENT_911", call_911(4410))
        await board_says(town, "**911 · 1 waiting**", "Forum Dr / Strawberry Ave")
        place = await town.add_property("Vinewood villa", drones=1)
        await town.query("dispatch-drone", propertyId=place)
        await board_says(town, "Drones out · 1", "Drone 1 · Vinewood villa")
        await town.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        shown = await board_says(town, "**PANIC** 7K-22")
        assert shown.pings == []
        await town.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
        await town.push("EVENT_DISPATCH_CLOSED", {"callIds": [8120]})
        await town.push("EVENT_REMOVE_911", {"callIds": [4410]})
        await town.query("recall-drone", droneId=1)
        for ident in (61, 62, 74):
            await town.push("EVENT_UNIT_LOGOUT", {"identId": ident})
        shown = await board_says(town, "Nobody is on duty", "No open calls", "Last change <t:")
    assert "Drones out" not in render(shown)


async def test_after_300_statuses_the_board_is_right_with_at_most_one_edit_in_its_time(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = 0.5
    _set_pace(monkeypatch, every)
    async with town.bot_running(replace(QUICK, edit=0.0)):
        await town.fake.until(lambda: town.fake.connected)
        for ident in range(10):
            await log_in(town, ident, f"7K-{ident}", "LSPD", status=2)
        began = time.monotonic()
        for number in range(30):
            await asyncio.gather(
                *(
                    town.push("EVENT_UNIT_STATUS", {"identIds": [ident], "status": number % 5})
                    for ident in range(10)
                )
            )
        await town.push("EVENT_UNIT_STATUS", {"identIds": [3], "status": 4})
        names = ", ".join(f"7K-{ident}" for ident in range(10) if ident != 3)
        for ident in range(10):
            if ident != 3:
                await town.push("EVENT_UNIT_STATUS", {"identIds": [ident], "status": 2})
        shown = await board_says(town, "**On scene** 7K-3", f"**Available** {names}")
        took = time.monotonic() - began
    assert shown.edit_count <= took / every + 2
    times = [edit.at.timestamp() for edit in shown.edits]
    assert all(later - earlier > every * 0.9 for earlier, later in pairwise(times))


async def test_other_cards_of_the_channel_do_not_wait_for_the_board(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_pace(monkeypatch, 60.0)
    town.channels["dispatch"] = town.channels["units"]
    async with town.bot_running():
        await town.push("EVENT_DISPATCH_NEW", dispatch_call(1))
        for number in range(3):
            await town.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": f"note {number}"})
        await town.fake.until(
            lambda: any("note 2" in render(one) for one in town.channel("units").messages)
        )


async def test_a_board_that_discord_edits_no_more_is_posted_afresh(town: Town) -> None:
    town.fake.limits.old_after = 0.0
    town.fake.limits.old_edits = 2
    async with town.bot_running():
        for number in range(8):
            await log_in(town, number, f"7K-{number}", "LSPD")
            await asyncio.sleep(0.1)
        shown = await board_says(town, "On duty · 8")
    assert boards(town) == [shown]
    assert sum(message.deleted for message in town.channel("units").created) >= 1


async def test_a_board_of_an_hour_is_replaced_before_discord_refuses(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CARDS, "board", replace(CARDS["board"], edit_interval=0.0, max_age=0.3))
    async with town.bot_running():
        await log_in(town, 1, "7K-1", "LSPD")
        first = await board_says(town, "On duty · 1")
        await asyncio.sleep(0.4)
        await log_in(town, 2, "7K-2", "LSPD")
        second = await board_says(town, "On duty · 2")
    assert first.deleted
    assert second is not first


async def test_the_board_survives_a_restart_in_the_same_message(town: Town) -> None:
    async with town.bot_running():
        await log_in(town, 1, "7K-1", "LSPD")
        first = await board_says(town, "On duty · 1")
    async with town.bot_running(Pace(edit=0.0, retry=0.01)):
        await log_in(town, 2, "7K-2", "LSPD")
        assert await board_says(town, "On duty · 2") is first


async def test_hundreds_of_units_and_calls_fit_into_a_message(town: Town) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        for start in range(0, 600, 30):
            units = [
                unit(ident, f"7K-{ident}**@everyone", f"Department {ident % 30}", status=ident % 5)
                for ident in range(start, start + 30)
            ]
            assert await town.push("EVENT_UNIT_LOGIN", {"units": units}) == 200
        for number in range(60):
            title = f"{number} " + "*" * 250
            await town.push("EVENT_DISPATCH_NEW", dispatch_call(number, title=title))
            await town.push("EVENT_911", call_911(number, location="`" * 250))
        shown = await board_says(town, "On duty · 600", "Dispatch calls · 60", "911 · 60 waiting")
        await town.fake.until(lambda: "and " in render(shown))
    assert shown.pings == []


async def test_units_and_calls_that_grow_old_leave_the_board_without_an_event(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.FORGET_INTERVAL", 0.2)
    async with town.bot_running():
        await log_in(town, 1, "7K-1", "LSPD")
        await board_says(town, "On duty · 1")
        monkeypatch.setattr("webhook.cad.retention.SILENT_SHIFT", -60_000)
        await board_says(town, "Nobody is on duty")
