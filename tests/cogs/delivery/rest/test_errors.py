"""Discord refuses, fails and falls silent: all is shown once afterwards, and it is asked rarely."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from cogs import connection
from cogs.delivery.delivery_context import Pace
from cogs.delivery.rest import errors as rest_errors
from tests.cogs.discord_failures import CLOUDFLARE, DELIVERIES, FAILURES, LIMITED
from tests.end_to_end.environment import BotEnvironment, call_911
from tests.fake_discord import FakeDiscord, render

NEVER = 3_600.0
RARELY = Pace(edit=0.0, gather=0.0, feed=0.0, retry=0.01, closed=NEVER)
"""A closed channel is tried again when its permissions change."""


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_errors, "TIMEOUT", 0.3)
    monkeypatch.setattr(rest_errors, "MAX_SLEEP", 0.2)
    monkeypatch.setattr(rest_errors, "DEFAULT_RETRY_AFTER", 0.05)
    monkeypatch.setattr(rest_errors, "UNAUTHORIZED_RETRY", 0.05)
    monkeypatch.setattr(connection, "UNREADABLE_BACKOFF", 0.01)


async def _push_record(env: BotEnvironment, number: int) -> None:
    record = {"id": number, "type": 3, "name": f"record-{number}"}
    assert await env.push("EVENT_RECORD_ADD", {"record": record}) == 200


def _refused(fake: FakeDiscord) -> int:
    return sum(one.status in (401, 403, 429) for one in fake.requests)


def _stale_count(env: BotEnvironment) -> int:
    """How much of what happened Discord does not show yet, as the bot's own storage has it."""
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        (cards,) = database.execute(
            "SELECT count(*) FROM cards WHERE shown < version AND subject NOT LIKE 'board:%'"
        ).fetchone()
        (entries,) = database.execute("SELECT count(*) FROM feed_entries").fetchone()
    return int(cards + entries)


async def _wait_for_stale(env: BotEnvironment, number: int) -> None:
    async with asyncio.timeout(10):
        while _stale_count(env) != number:  # noqa: ASYNC110 - the database cannot tell
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("failure", FAILURES)
async def test_after_any_error_messages_are_posted_once_in_their_last_state(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture, failure: str
) -> None:
    told = {"times": 3} | FAILURES[failure]
    if "delay" not in told:
        env.fake.nonce_memory = 0.0  # the bot has to look into the channel
    emergency, records = env.channel("emergency"), env.channel("records")
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        first = await emergency.next_message()
        fault = env.fake.fault("*", DELIVERIES, **told)
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        await env.push("EVENT_911", call_911(2))
        await _push_record(env, 1)
        await env.fake.until(lambda: "over" in render(first), timeout=20)
        await env.fake.until(lambda: records.messages and len(emergency.messages) == 2, timeout=20)
        await env.push("EVENT_REMOVE_911", {"callIds": [2]})
        await env.fake.until(lambda: "over" in render(emergency.messages[1]), timeout=20)
    assert fault.hits == told["times"]
    assert (len(emergency.created), len(records.created)) == (2, 1)
    assert "delivery failed" not in caplog.text  # that is for what was not foreseen


async def test_a_global_rate_limit_longer_than_a_delivery_leaves_nothing_locked(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.fake.wait_connected()
        env.fake.limits.limit_globally(2 * rest_errors.TIMEOUT)
        await env.push("EVENT_911", call_911(1))
        await env.channel("emergency").next_message(timeout=10)
        await env.wait_for_commands()
        reply = await env.fake.slash(env.vic, "drone list")
        await env.fake.until(lambda: "No drones are out." in render(reply))
    assert len(env.channel("emergency").created) == 1


async def test_a_global_rate_limit_stops_all_channels(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_errors, "TIMEOUT", 10.0)
    async with env.bot_running():
        await env.fake.until(lambda: bool(env.guild.commands))
        await env.push("EVENT_911", call_911(1))
        await env.channel("emergency").next_message()
        env.fake.limits.limit_globally(1.0)
        await env.push("EVENT_911", call_911(2))
        await env.fake.until(lambda: env.fake.too_many_requests == 1)
        for number in range(3, 20):
            await env.push("EVENT_911", call_911(number))
            await _push_record(env, number)
            await env.push("EVENT_DISPATCH_NOTE", {"callId": number, "note": "x"})
        assert env.fake.too_many_requests == 1
        await _wait_for_stale(env, 0)
    assert len(env.channel("emergency").created) == 19
    assert env.fake.too_many_requests <= 3  # while it lasts, one asks whether it is over


async def test_an_old_message_that_cannot_be_edited_for_an_hour_is_posted_again(
    env: BotEnvironment,
) -> None:
    body = LIMITED | {"retry_after": 3600.0, "code": 30046}
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        old = await env.channel("emergency").next_message()
        env.fake.fault("PATCH", DELIVERIES, status=429, body=body, times=None)
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        new = await env.channel("emergency").next_message()
    assert old.deleted
    assert "over" in render(new)
    assert _refused(env.fake) == 1


async def test_a_long_rate_limit_of_one_channel_stops_that_channel_only(
    env: BotEnvironment,
) -> None:
    body = LIMITED | {"retry_after": NEVER}
    async with env.bot_running():
        await env.fake.until(lambda: bool(env.guild.commands))
        limited = f"^{env.channel('emergency').messages_path}"
        env.fake.fault("POST", limited, status=429, body=body, times=None)
        for number in range(10):
            await env.push("EVENT_911", call_911(number))
            await _push_record(env, number)
        await env.fake.until(lambda: "record-9" in render(env.channel("records").messages[-1]))
    assert _refused(env.fake) == 1


@pytest.mark.parametrize("right", ["view_channel", "send_messages", "embed_links"])
async def test_a_closed_channel_is_retried_only_when_permissions_change(
    env: BotEnvironment, right: str
) -> None:
    closed = env.channel("emergency")
    async with env.bot_running(RARELY):
        await env.fake.until(lambda: bool(env.guild.commands))
        closed.deny(right)
        for number in range(10):
            await env.push("EVENT_911", call_911(number))
            closed.guild.announce("CHANNEL_UPDATE", closed.to_dict() | {"name": f"{number}-on"})
            await _push_record(env, number)
        await env.fake.until(lambda: "record-9" in render(env.channel("records").messages[-1]))
        assert _refused(env.fake) == 1
        closed.restore()
        await env.fake.until(lambda: len(closed.messages) == 10)
    assert len(closed.created) == 10


async def test_a_deleted_channel_is_tried_once_and_holds_up_no_other(env: BotEnvironment) -> None:
    async with env.bot_running(RARELY):
        await env.fake.until(lambda: bool(env.guild.commands))
        env.channel("emergency").delete()
        for number in range(10):
            await env.push("EVENT_911", call_911(number))
            await _push_record(env, number)
        await env.fake.until(lambda: "record-9" in render(env.channel("records").messages[-1]))
    assert sum(one.status == 404 for one in env.fake.requests) == 1


async def test_a_token_rejected_while_running_stops_everything_but_the_listener(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rest_errors, "UNAUTHORIZED_RETRY", NEVER)
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        await env.channel("emergency").next_message()
        # The last that is asked about commands, which is for those of other programs.
        last = r"^/applications/\d+/commands$"
        await env.fake.until(lambda: bool(env.fake.requests_to("GET", last)))
        env.fake.token = "reset"
        await env.push("EVENT_911", call_911(2))
        await env.fake.until(lambda: _refused(env.fake) == 1)
        for number in range(3, 13):
            await env.push("EVENT_911", call_911(number))
            await _push_record(env, number)
        await _wait_for_stale(env, 21)
    assert _refused(env.fake) == 1
    assert "Discord rejects the token" in caplog.text


async def test_a_token_revoked_at_the_gateway_ends_only_the_bot(
    env: BotEnvironment, caplog: pytest.LogCaptureFixture
) -> None:
    async with env.bot_running(), aiohttp.ClientSession() as http:
        await env.fake.until(lambda: bool(env.guild.commands))
        env.fake.token = "reset"
        env.fake.drop_gateway(4004)
        health: dict[str, Any] = {}
        async with asyncio.timeout(10):
            while health.get("discord") != "refused":
                async with http.get(f"{env.url}/healthz") as answer:
                    assert answer.status == 200
                    health = await answer.json()
        before = len(env.fake.requests)
        assert await env.push("EVENT_911", call_911(1)) == 200
        await _wait_for_stale(env, 1)
    assert len(env.fake.requests) == before
    assert "Discord rejects the token" in caplog.text
    assert "Traceback" not in caplog.text


GATEWAY: dict[str, Callable[[FakeDiscord], None]] = {
    "cut off": lambda fake: fake.drop_gateway(),
    "cut off and forgotten": lambda fake: fake.drop_gateway(resumable=False),
    "closed with 1000": lambda fake: fake.drop_gateway(1000),
    "closed with 4000": lambda fake: fake.drop_gateway(4000),
    "closed with 4007": lambda fake: fake.drop_gateway(4007, resumable=False),
    "closed with 4008": lambda fake: fake.drop_gateway(4008),
    "closed with 4009": lambda fake: fake.drop_gateway(4009, resumable=False),
    "op 7 reconnect": lambda fake: fake.ask_reconnect(),
    "op 9 resumable": lambda fake: fake.invalidate_sessions(resumable=True),
    "op 9": lambda fake: fake.invalidate_sessions(),
}


@pytest.mark.parametrize("how", GATEWAY)
async def test_deliveries_and_commands_survive_a_lost_gateway(
    env: BotEnvironment, how: str
) -> None:
    async with env.bot_running():
        await env.fake.until(lambda: bool(env.guild.commands))
        begun = env.fake.identifies + env.fake.resumes
        GATEWAY[how](env.fake)
        await env.push("EVENT_911", call_911(1))
        await env.channel("emergency").next_message()
        await env.fake.until(
            lambda: env.fake.connected and env.fake.identifies + env.fake.resumes > begun,
            timeout=20,
        )
        reply = await env.fake.slash(env.vic, "drone list", timeout=20)
        assert "No drones are out." in render(reply)
    assert len(env.channel("emergency").created) == 1


@pytest.mark.parametrize("path", ["^/users/@me$", "^/gateway(/bot)?$", "/applications/@me$"])
@pytest.mark.parametrize("how", [{"cut": True}, {"status": 200, "body": CLOUDFLARE}], ids=str)
async def test_the_bot_starts_although_answers_cannot_be_read(
    env: BotEnvironment, path: str, how: dict[str, Any]
) -> None:
    env.fake.fault("GET", path, **how)
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        await env.channel("emergency").next_message(timeout=20)
        await env.fake.wait_connected(timeout=20)
