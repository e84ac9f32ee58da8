"""Seen from outside: a disk that is full, Discord that is away, a CAD that fell silent."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from bot import app
from tests.end_to_end.environment import TOKEN, BotEnvironment, call_911, log_in
from tests.fake_discord import render
from webhook.queries.daily_report import MESSAGES


@pytest.fixture(autouse=True)
def _checking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "CHECK_INTERVAL", 0.05)


async def health(env: BotEnvironment) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as http, http.get(f"{env.url}/healthz") as answer:
        return answer.status, await answer.json()


async def metrics(env: BotEnvironment) -> str:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{env.url}/metrics?token={TOKEN}") as answer,
    ):
        assert answer.status == 200
        return await answer.text()


async def until_problems(env: BotEnvironment, *parts: str) -> int:
    """Wait until exactly these problems are reported; return the status then."""
    async with asyncio.timeout(30):
        while True:
            status, body = await health(env)
            problems = body["problems"]
            if len(problems) == len(parts) and all(map(str.__contains__, problems, parts)):
                return status
            await asyncio.sleep(0.02)  # polls from outside; nothing here could tell us


async def test_bot_is_unready_while_the_database_cannot_be_written(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.database.BUSY_TIMEOUT", 0.05)
    async with env.bot_running():
        assert await until_problems(env) == 200
        path = env.folder / "sentinel.db"
        with closing(sqlite3.connect(path, check_same_thread=False)) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            assert await env.push("EVENT_911", call_911(1)) == 503
            assert await until_problems(env, "The database could not be written") == 503
        assert await until_problems(env) == 200
        assert await env.push("EVENT_911", call_911(1)) == 200


async def test_unreachable_discord_and_closed_channels_are_problems_but_pushes_are_stored(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await until_problems(env)
        env.channel("emergency").forbidden = True
        assert await env.push("EVENT_911", call_911(1)) == 200
        assert await until_problems(env, "The channel emergency") == 200
        await env.fake.until(lambda: env.fake.invalid_requests > 0)
        closed = 'sentinel_deliveries_total{channel="emergency",kind="card post",outcome="closed"}'
        assert closed in await metrics(env)
        env.channel("emergency").forbidden = False
        env.channel("emergency").restore()
        assert await until_problems(env) == 200
        env.fake.outage()
        env.fake.drop_gateway(resumable=False)
        assert await until_problems(env, "not connected to Discord") == 200
        assert await env.push("EVENT_911", call_911(2)) == 200
        env.fake.recover()
        assert await until_problems(env) == 200


async def test_silent_cad_and_its_return_are_reported_once_across_restarts(
    env: BotEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "MINUTE", 30)  # thirty of them are 0.9 s
    env.feed_age_minutes = 0
    messages = env.channel("log").created
    async with env.bot_running():
        await log_in(env, 61, "7K-22")
        await until_problems(env, "Nothing comes from the CAD cad")
        await env.fake.until(lambda: bool(messages), timeout=20)
    async with env.bot_running():
        assert await until_problems(env, "Nothing comes from the CAD cad") == 200
        async with asyncio.timeout(30):
            while "This is over" not in render(messages[0]):
                assert await env.push("EVENT_REMOVE_911", {"callIds": [1]}) == 200
    (message,) = messages
    assert "# Nothing comes from the CAD cad, although units are on duty." in render(message)
    assert "This is over. It lasted" in render(message)


async def test_metrics_and_status_do_not_name_members(
    env: BotEnvironment,
) -> None:
    private = env.guild.direct(env.stranger)
    async with env.bot_running():
        await env.wait_for_commands()
        await env.query("link-user", memberId=str(env.stranger.id), userId="owner")
        property_id = await env.add_property("Villa")
        env.fake.fault("POST", private.messages_path, status=503, times=None)
        await env.query("change-property-status", propertyId=property_id, status="ACTIVE")
        await env.fake.until(lambda: any(one.status == 503 for one in env.fake.requests))
        reply = await env.fake.slash(env.dora, "status")
        await env.fake.until(lambda: "Private messages · 1 card" in render(reply))
        page = await metrics(env)
    assert 'channel="direct",kind="card post",outcome="unreachable"' in page
    assert str(env.stranger.id) not in page + render(reply)


async def test_metrics_count_what_happened_and_have_no_secrets(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        await env.channel("emergency").next_message()
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        wanted = (
            'sentinel_pushes_total{outcome="ok",type="EVENT_911"} 1.0',
            'sentinel_deliveries_total{channel="emergency",kind="card post",outcome="ok"} 1.0',
            'sentinel_deliveries_total{channel="emergency",kind="card edit",outcome="ok"} 1.0',
            'sentinel_deliveries_waiting{channel="emergency",kind="card edit"} 0.0',
            'sentinel_discord_state{sentinel_discord_state="ready"} 1.0',
            "sentinel_events_published_total 2.0",
            "sentinel_events_passed_over_total 0.0",
            "sentinel_storage_writable 1.0",
            "sentinel_loop_lag_seconds_count",
        )
        async with asyncio.timeout(30):
            page = await metrics(env)
            while not all(line in page for line in wanted):
                page = await metrics(env)
        async with aiohttp.ClientSession() as http, http.get(f"{env.url}/metrics") as refused:
            assert refused.status == 401
    settings = env.settings()
    for secret in (settings.discord.token, settings.cad.keys[0].key, TOKEN, "Wren Halloway"):
        assert secret not in page
    posted = sum(len(channel.created) for channel in env.channels.values())
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        (kept,) = database.execute(
            "SELECT value FROM settings WHERE name = ?", (MESSAGES,)
        ).fetchone()
    assert int(kept) == posted > 0
