"""What Discord refuses waits and is told, and nothing else waits with it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cogs import bot as cogs_bot
from cogs.delivery.rest.messenger import SEARCHED_MESSAGES
from tests.cogs.discord_failures import DELIVERIES
from tests.end_to_end.environment import QUICK, BotEnvironment, call_911
from tests.end_to_end.test_health import metrics, until_problems
from tests.end_to_end.test_recovery import started
from tests.fake_discord import InteractionReply, render

NEVER = 3_600.0
ON_CHANGE = replace(QUICK, retry=NEVER, closed=NEVER)
"""What waits is tried again when something changes."""

PASSING = (0, 20016, 20022, 20028, 40004, 40006, 50008, 50083, 110001, 130000, 200000, 240000, 9)
"""Refusals of the place, of the moment, and one that nobody knows."""


@pytest.fixture(autouse=True)
def _quickly_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cogs_bot, "CHANGE_INTERVAL", 0.05)


def _refusal(code: int, status: int = 400) -> dict[str, Any]:
    return {"status": status, "body": {"code": code, "message": f"No, {code}"}}


async def _status(env: BotEnvironment) -> InteractionReply:
    reply = await env.fake.slash(env.dora, "status")
    await env.fake.until(lambda: "Version" in render(reply))
    return reply


async def _push_record(env: BotEnvironment, number: int) -> None:
    record = {"id": number, "type": 3, "name": f"record-{number}"}
    assert await env.push("EVENT_RECORD_ADD", {"record": record}) == 200


async def test_after_a_passing_refusal_each_message_is_shown_once(env: BotEnvironment) -> None:
    emergency, records = env.channel("emergency"), env.channel("records")
    async with env.bot_running():
        for number, code in enumerate(PASSING):
            env.fake.fault("POST", f"^{emergency.messages_path}$", **_refusal(code))
            await env.push("EVENT_911", call_911(number))
            card = await emergency.next_message()
            env.fake.fault("POST", f"^{records.messages_path}$", **_refusal(code))
            await _push_record(env, number)
            assert f"record-{number}" in render(await records.next_message())
            env.fake.fault("PATCH", f"/{card.id}$", **_refusal(code))
            await env.push("EVENT_REMOVE_911", {"callIds": [number]})
            await env.fake.until(lambda card=card: "over" in render(card))  # type: ignore[misc]
        await until_problems(env)
    assert (len(emergency.created), len(records.created)) == (len(PASSING), len(PASSING))


async def test_a_held_card_blocks_no_other_and_is_reported_until_fixed(
    env: BotEnvironment,
) -> None:
    emergency = env.channel("emergency")
    async with env.bot_running(replace(QUICK, retry=0.05)):
        await started(env)
        await env.push("EVENT_911", call_911(1))
        card = await emergency.next_message()
        fault = env.fake.fault("PATCH", f"/{card.id}$", times=None, **_refusal(50083))
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        for number in range(2, 7):
            await env.push("EVENT_911", call_911(number))
            await emergency.next_message()
            await env.push("EVENT_REMOVE_911", {"callIds": [number]})
        await env.fake.until(lambda: all("over" in render(one) for one in emergency.messages[1:]))
        shown = render(await _status(env))
        assert "The thread is archived: open it again" in shown
        assert "1 card" in shown
        await until_problems(env, "the channel emergency")
        fault.times = 0
        emergency.deny("manage_messages")  # something changed
        await env.fake.until(lambda: "over" in render(card))
        await until_problems(env)
    assert fault.hits < 12


async def test_messages_for_an_unsuitable_channel_wait_until_another_is_chosen(
    env: BotEnvironment,
) -> None:
    category, other = env.channel("emergency"), env.guild.add_channel("calls")
    category.type = 4
    env.fake.fault("POST", f"^{category.messages_path}$", times=None, **_refusal(50008))
    async with env.bot_running(ON_CHANGE):
        await started(env)
        await env.push("EVENT_911", call_911(1))
        await until_problems(env, "emergency: it is not a text channel")
        assert "it is not a text channel" in render(await _status(env))
    env.channels["emergency"] = other
    async with env.bot_running(ON_CHANGE):
        assert "911 call 1" in render(await other.next_message())
        await until_problems(env)
    assert len(other.created) == 1


async def test_a_refused_message_is_kept_and_retried_after_a_restart(
    env: BotEnvironment,
) -> None:
    emergency, records = env.channel("emergency"), env.channel("records")
    env.feed_age_minutes = 0
    async with env.bot_running():
        await started(env)
        env.fake.fault("POST", f"^{emergency.messages_path}$", **_refusal(50035))
        await env.push("EVENT_911", call_911(1))
        await env.push("EVENT_911", call_911(2))
        assert "911 call 2" in render(await emergency.next_message())
        env.fake.fault("POST", f"^{records.messages_path}$", **_refusal(50006))
        await _push_record(env, 1)
        await _push_record(env, 2)
        await env.fake.until(lambda: "record-2" in "".join(map(render, records.messages)))
        reply = await _status(env)
        shown = render(reply)
        assert "1 refused today" in shown
        assert "No, 50035" in shown
        refused = 'sentinel_deliveries_total{channel="emergency",kind="card post",outcome="refused"'
        assert refused in await metrics(env)
        assert 'sentinel_deliveries_refused{channel="emergency"} 1.0' in await metrics(env)
    async with env.bot_running():
        await env.fake.wait_connected()
        await env.fake.click(env.dora, reply, "Post again")
        assert "911 call 1" in render(await emergency.next_message())
        await env.fake.until(lambda: "record-1" in "".join(map(render, records.messages)))
        assert "refused today" not in render(await _status(env))
    assert len(emergency.created) == 2


async def test_of_feed_entries_rejected_together_only_the_culprit_is_kept_back(
    env: BotEnvironment,
) -> None:
    records = env.channel("records")
    async with env.bot_running(replace(QUICK, gather=NEVER)):
        await started(env)
        env.fake.fault("POST", f"^{records.messages_path}$", times=2, **_refusal(50035))
        for number in range(10):
            await _push_record(env, number)
        await env.fake.until(lambda: len(records.messages) == 9)
        assert "record-0" not in "".join(map(render, records.messages))
        assert "1 refused today" in render(await _status(env))


async def test_a_private_message_waits_for_a_passing_error_but_not_for_a_blocked_member(
    env: BotEnvironment,
) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.query("link-user", memberId=str(env.stranger.id), userId="owner")
        env.fake.fault("POST", private.messages_path, **_refusal(40004, 403))
        env.fake.fault("POST", "^/users/@me/channels$", **_refusal(40003))
        first = await env.add_property("Villa")
        await env.query("change-property-status", propertyId=first, status="ACTIVE")
        await env.fake.until(lambda: len(private.messages) == 1)
        refusal = env.fake.fault("POST", private.messages_path, **_refusal(50007, 403))
        second = await env.add_property("Barn")
        await env.query("change-property-status", propertyId=second, status="ACTIVE")
        await env.fake.until(lambda: refusal.hits == 1)
        third = await env.add_property("Shed")
        await env.query("change-property-status", propertyId=third, status="ACTIVE")
        await env.fake.until(lambda: "Shed" in render(private.messages[-1]))
    assert len(private.created) == 2


async def test_a_deletion_that_is_refused_waits_so_that_there_are_never_two_messages(
    env: BotEnvironment,
) -> None:
    env.fake.limits.old_edits = 0
    emergency = env.channel("emergency")
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        old = await emergency.next_message()
        fault = env.fake.fault("DELETE", DELIVERIES, times=2, **_refusal(130000))
        old.grow_older(timedelta(hours=2))
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        new = await emergency.next_message()
        assert fault.hits == 2
    assert old.deleted
    assert emergency.messages == [new]


async def test_after_a_restart_a_backlog_is_posted_without_further_edits(
    env: BotEnvironment,
) -> None:
    emergency = env.channel("emergency")
    async with env.bot_running(ON_CHANGE):
        await started(env)
        env.fake.fault("POST", DELIVERIES, times=None, **_refusal(40004))
        for number in range(8):
            await env.push("EVENT_911", call_911(number))
    env.fake.recover()
    async with env.bot_running():
        await env.fake.until(lambda: len(emergency.messages) == 8)
        await env.push("EVENT_REMOVE_911", {"callIds": [0]})
        await env.fake.until(lambda: "over" in render(emergency.messages[0]))
    assert sum(one.edit_count for one in emergency.messages) == 1
    searches = env.fake.requests_to("GET", f"^{emergency.messages_path}$")
    assert len(searches) <= SEARCHED_MESSAGES // 100
