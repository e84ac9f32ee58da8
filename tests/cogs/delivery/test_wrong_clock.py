"""A wrong clock doubles nothing and leaves nothing out; `set_clock` leaves Discord's own right."""

from dataclasses import replace

import pytest

from cogs.cards import CARDS
from tests.clock import set_clock
from tests.cogs.discord_failures import DELIVERIES
from tests.end_to_end.environment import QUICK, BotEnvironment, call_911, log_in
from tests.end_to_end.test_recovery import started
from tests.fake_discord import render

HOUR = 3_600.0
ONCE = replace(QUICK, retry=HOUR, closed=HOUR)


@pytest.mark.parametrize(
    ("before", "after"),
    [(HOUR, HOUR), (600.0, 0.0), (24 * HOUR, 0.0), (0.0, -24 * HOUR), (-HOUR, -HOUR)],
    ids=["fast", "set right", "a day fast, set right", "set back a day", "slow"],
)
async def test_a_message_without_an_answer_is_posted_once_whatever_the_clock_says(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch, before: float, after: float
) -> None:
    emergency, records = env.channel("emergency"), env.channel("records")
    env.feed_age_minutes = 0
    set_clock(monkeypatch, before)
    async with env.bot_running(ONCE):
        await started(env)
        env.fake.fault("POST", DELIVERIES, reset=True, after=True, times=None)
        await env.push("EVENT_911", call_911(1))
        await emergency.next_message()
        await env.push("EVENT_RECORD_ADD", {"record": {"id": 1, "type": 3, "name": "once"}})
        await records.next_message()
    env.fake.recover()
    env.fake.forget_nonces()
    set_clock(monkeypatch, after)
    async with env.bot_running():
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        await env.fake.until(lambda: "over" in render(emergency.messages[0]))
        await env.push("EVENT_RECORD_ADD", {"record": {"id": 2, "type": 3, "name": "next"}})
        await records.next_message()
    assert len(emergency.created) == 1
    assert "once" in render(records.created[0])
    assert len(records.created) == 2


async def test_the_board_is_edited_although_the_clock_is_an_hour_fast(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CARDS, "board", replace(CARDS["board"], edit_interval=0.0))
    set_clock(monkeypatch, HOUR)
    board = env.channel("board")
    async with env.bot_running():
        await started(env)
        for number in range(1, 4):
            await log_in(env, number, f"7K-{number}")
            await env.fake.until(
                lambda number=number: any(  # type: ignore[misc]
                    f"7K-{number}" in render(one) for one in board.messages
                )
            )
    boards = [one for one in board.created if "-c" in one.embeds[-1]["footer"]["text"]]
    assert len(boards) == 1


async def test_a_message_that_may_have_been_posted_is_found_although_the_clock_is_turned(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    emergency = env.channel("emergency")
    async with env.bot_running():
        await started(env)
        env.fake.nonce_memory = 0.0
        env.fake.fault("POST", DELIVERIES, reset=True, after=True)
        set_clock(monkeypatch, 2 * HOUR)
        await env.push("EVENT_911", call_911(1))
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        await env.fake.until(lambda: emergency.messages and "over" in render(emergency.messages[0]))
    assert len(emergency.created) == 1
