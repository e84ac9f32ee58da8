"""The board: one message in its channel that shows the last state, with few edits."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from cogs.cards import CARDS
from cogs.delivery.delivery_context import Pace
from tests.end_to_end.environment import (
    QUICK,
    BotEnvironment,
    call_911,
    dispatch_call,
    log_in,
    unit,
)
from tests.fake_discord import Message, render


@pytest.fixture(autouse=True)
def _quick_board(monkeypatch: pytest.MonkeyPatch) -> None:
    _set_pace(monkeypatch, 0.05)


def _set_pace(monkeypatch: pytest.MonkeyPatch, every: float) -> None:
    monkeypatch.setitem(CARDS, "board", replace(CARDS["board"], edit_interval=every))


def boards(env: BotEnvironment) -> list[Message]:
    """The messages of its channel that are the board; the others are feeds."""
    return [
        message
        for message in env.channel("board").messages
        if any(
            " duty" in embed.get("title", "") and embed["title"][:2] in ("On", "No")
            for embed in message.embeds
        )
        and not message.embeds[0].get("timestamp")
    ]


async def board_says(env: BotEnvironment, *texts: str) -> Message:
    """Wait until there is one board and it says all this."""
    await env.fake.until(
        lambda: len(boards(env)) == 1 and all(text in render(boards(env)[0]) for text in texts),
        timeout=10,
    )
    return boards(env)[0]


async def test_the_board_links_to_a_card_that_is_posted_later_than_the_board(
    env: BotEnvironment,
) -> None:
    waiting = env.channel("emergency")
    async with env.bot_running():
        await env.wait_for_commands()
        env.fake.fault("POST", waiting.messages_path, delay=0.5)
        await env.push("EVENT_911", call_911(4410))
        board = await board_says(env, "**911 · 1 waiting**")
        assert waiting.messages == []
        card = await waiting.next_message()
        await env.fake.until(lambda: f"[4410]({card.jump_url})" in str(board.embeds))


async def test_the_board_shows_units_calls_and_drones_and_follows_them(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        await log_in(env, 61, "7K-22", "LSPD", status=2)
        await log_in(env, 62, "7K-25", "LSPD", status=4)
        await log_in(env, 74, "E-9", "Fire", status=3)
        await board_says(
            env, "On duty · 3", "LSPD · 2", "**On scene** 7K-25", "**Available** 7K-22"
        )
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(8120, idents=[74], priority=2))
        await board_says(env, "8120", "**P2** · Structure fire · Forum Dr (8031) · E-9 · <t:")
        await env.push("EVENT_911", call_911(4410))
        await board_says(env, "**911 · 1 waiting**", "Forum Dr / Strawberry Ave")
        property_id = await env.add_property("Vinewood villa", drones=1)
        await env.query("dispatch-drone", propertyId=property_id)
        await board_says(env, "Drones out · 1", "Drone 1 · Vinewood villa")
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": True})
        shown = await board_says(env, "**PANIC** 7K-22")
        assert shown.pings == []
        await env.push("EVENT_UNIT_PANIC", {"identIds": [61], "isPanic": False})
        await env.push("EVENT_DISPATCH_CLOSED", {"callIds": [8120]})
        await env.push("EVENT_REMOVE_911", {"callIds": [4410]})
        await env.query("recall-drone", droneId=1)
        for ident in (61, 62, 74):
            await env.push("EVENT_UNIT_LOGOUT", {"identId": ident})
        shown = await board_says(env, "Nobody is on duty", "No open calls", "Last change <t:")
    assert "Drones out" not in render(shown)


async def test_300_status_changes_edit_the_board_once_per_interval(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = 0.5
    _set_pace(monkeypatch, every)
    async with env.bot_running(replace(QUICK, edit=0.0)):
        await env.fake.until(lambda: env.fake.connected)
        for ident in range(10):
            await log_in(env, ident, f"7K-{ident}", "LSPD", status=2)
        began = time.monotonic()
        for number in range(30):
            await asyncio.gather(
                *(
                    env.push("EVENT_UNIT_STATUS", {"identIds": [ident], "status": number % 5})
                    for ident in range(10)
                )
            )
        await env.push("EVENT_UNIT_STATUS", {"identIds": [3], "status": 4})
        names = ", ".join(f"7K-{ident}" for ident in range(10) if ident != 3)
        for ident in range(10):
            if ident != 3:
                await env.push("EVENT_UNIT_STATUS", {"identIds": [ident], "status": 2})
        shown = await board_says(env, "**On scene** 7K-3", f"**Available** {names}")
        took = time.monotonic() - began
    assert shown.edit_count <= took / every + 2
    times = [edit.at.timestamp() for edit in shown.edits]
    assert all(later - earlier > every * 0.9 for earlier, later in pairwise(times))


async def test_other_cards_of_the_channel_do_not_wait_for_the_board(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set_pace(monkeypatch, 60.0)
    env.channels["dispatch"] = env.channels["board"]
    async with env.bot_running():
        await env.push("EVENT_DISPATCH_NEW", dispatch_call(1))
        for number in range(3):
            await env.push("EVENT_DISPATCH_NOTE", {"callId": 1, "note": f"note {number}"})
        await env.fake.until(
            lambda: any("note 2" in render(one) for one in env.channel("board").messages)
        )


async def test_a_board_that_can_no_longer_be_edited_is_posted_again(env: BotEnvironment) -> None:
    env.fake.limits.old_after = 0.0
    env.fake.limits.old_edits = 2
    async with env.bot_running():
        for number in range(8):
            await log_in(env, number, f"7K-{number}", "LSPD")
            await asyncio.sleep(0.1)
        shown = await board_says(env, "On duty · 8")
    assert boards(env) == [shown]
    assert sum(message.deleted for message in env.channel("board").created) >= 1


async def test_a_board_of_an_hour_is_replaced_before_discord_refuses(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = replace(CARDS["board"], edit_interval=0.0, max_age=3600.0)
    monkeypatch.setitem(CARDS, "board", board)
    async with env.bot_running():
        await log_in(env, 1, "7K-1", "LSPD")
        first = await board_says(env, "On duty · 1")
        # Any age is too old now; Discord's clock is known to the second only.
        monkeypatch.setitem(CARDS, "board", replace(board, max_age=-60.0))
        await log_in(env, 2, "7K-2", "LSPD")
        second = await board_says(env, "On duty · 2")
        await env.fake.until(lambda: first.deleted)
    assert second is not first


async def test_the_board_survives_a_restart_in_the_same_message(env: BotEnvironment) -> None:
    async with env.bot_running():
        await log_in(env, 1, "7K-1", "LSPD")
        first = await board_says(env, "On duty · 1")
    async with env.bot_running(Pace(edit=0.0, retry=0.01)):
        await log_in(env, 2, "7K-2", "LSPD")
        assert await board_says(env, "On duty · 2") is first


async def test_hundreds_of_units_and_calls_fit_into_a_message(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.wait_for_commands()
        for number in range(20):
            title = f"{number} " + "*" * 250
            await env.push("EVENT_DISPATCH_NEW", dispatch_call(number, title=title))
            await env.push("EVENT_911", call_911(number, location="`" * 250))
        units = [
            unit(ident, f"7K-{ident}**@everyone", f"Department {ident % 30}", status=ident % 5)
            for ident in range(600)
        ]
        for start in range(0, 600, 200):
            pushed = {"units": units[start : start + 200]}
            assert await env.push("EVENT_UNIT_LOGIN", pushed) == 200
        shown = await board_says(env, "On duty · 600", "Dispatch calls · 20", "911 · 20 waiting")
        await env.fake.until(lambda: "and " in render(shown))
    assert shown.pings == []


async def test_outdated_units_and_calls_leave_the_board_without_an_event(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch, later: Callable[[float], None]
) -> None:
    monkeypatch.setattr("bot.app.FORGET_INTERVAL", 0.2)
    async with env.bot_running():
        await log_in(env, 1, "7K-1", "LSPD")
        await board_says(env, "On duty · 1")
        later(12 * 60 * 60 + 1)
        await board_says(env, "Nobody is on duty")
