"""Discord refuses, fails and falls silent: all is shown once afterwards, and it is asked rarely."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from cogs import bot
from cogs.delivery import discord_errors
from cogs.delivery.channel_queue import Pace
from tests.cogs.troubles import CLOUDFLARE, DELIVERIES, LIMITED, TROUBLES
from tests.end_to_end.town import Town, call_911
from tests.fake_discord import FakeDiscord, render

NEVER = 3_600.0
RARELY = Pace(edit=0.0, gather=0.0, feed=0.0, retry=0.01, closed=NEVER)
"""A closed channel is tried again when its permissions change."""


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discord_errors, "TIMEOUT", 0.3)
    monkeypatch.setattr(discord_errors, "MAX_SLEEP", 0.2)
    monkeypatch.setattr(discord_errors, "DEFAULT_RETRY_AFTER", 0.05)
    monkeypatch.setattr(discord_errors, "UNAUTHORIZED_RETRY", 0.05)
    monkeypatch.setattr(bot, "UNREADABLE_BACKOFF", 0.01)


async def _push_record(town: Town, number: int) -> None:
    record = {"id": number, "type": 3, "name": f"record-{number}"}
    assert await town.push("EVENT_RECORD_ADD", {"record": record}) == 200


def _refused(fake: FakeDiscord) -> int:
    return sum(one.status in (401, 403, 429) for one in fake.requests)


def _unshown(town: Town) -> int:
    """How much of what happened Discord does not show yet, as the bot's own storage has it."""
    with closing(sqlite3.connect(town.folder / "sentinel.db")) as database:
        (cards,) = database.execute(
            "SELECT count(*) FROM cards WHERE shown < version AND subject NOT LIKE 'board:%'"
        ).fetchone()
        (entries,) = database.execute("SELECT count(*) FROM feed_entries").fetchone()
    return int(cards + entries)


async def _until_unshown(town: Town, number: int) -> None:
    async with asyncio.timeout(10):
        while _unshown(town) != number:  # noqa: ASYNC110 - the database cannot tell
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_after_any_error_messages_are_posted_once_in_their_last_state(
    town: Town, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    told = {"times": 3} | TROUBLES[trouble]
    if "delay" not in told:
        town.fake.nonce_memory = 0.0  # the bot has to look into the channel
    emergency, records = town.channel("emergency"), town.channel("records")
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        first = await emergency.next_message()
        fault = town.fake.fault("*", DELIVERIES, **told)
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
        await town.push("EVENT_911", call_911(2))
        await _push_record(town, 1)
        await town.fake.until(lambda: "over" in render(first), timeout=20)
        await town.fake.until(lambda: records.messages and len(emergency.messages) == 2, timeout=20)
        await town.push("EVENT_REMOVE_911", {"callIds": [2]})
        await town.fake.until(lambda: "over" in render(emergency.messages[1]), timeout=20)
    assert fault.hits == told["times"]
    assert (len(emergency.created), len(records.created)) == (2, 1)
    assert "delivery failed" not in caplog.text  # that is for what was not foreseen


async def test_a_global_rate_limit_longer_than_a_delivery_locks_nothing(town: Town) -> None:
    async with town.bot_running():
        await town.fake.wait_connected()
        town.fake.limits.limit_globally(2 * discord_errors.TIMEOUT)
        await town.push("EVENT_911", call_911(1))
        await town.channel("emergency").next_message(timeout=10)
        reply = await town.fake.slash(town.vic, "drone list")
        await town.fake.until(lambda: "No drones are out." in render(reply))
    assert len(town.channel("emergency").created) == 1


async def test_a_global_rate_limit_stops_all_channels(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord_errors, "TIMEOUT", 10.0)
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        await town.push("EVENT_911", call_911(1))
        await town.channel("emergency").next_message()
        town.fake.limits.limit_globally(1.0)
        await town.push("EVENT_911", call_911(2))
        await town.fake.until(lambda: town.fake.too_many_requests == 1)
        for number in range(3, 20):
            await town.push("EVENT_911", call_911(number))
            await _push_record(town, number)
            await town.push("EVENT_DISPATCH_NOTE", {"callId": number, "note": "x"})
        assert town.fake.too_many_requests == 1
        await _until_unshown(town, 0)
    assert len(town.channel("emergency").created) == 19
    assert town.fake.too_many_requests <= 3  # while it lasts, one asks whether it is over


async def test_an_old_message_that_cannot_be_edited_for_an_hour_is_posted_again(town: Town) -> None:
    body = LIMITED | {"retry_after": 3600.0, "code": 30046}
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        old = await town.channel("emergency").next_message()
        town.fake.fault("PATCH", DELIVERIES, status=429, body=body, times=None)
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
        new = await town.channel("emergency").next_message()
    assert old.deleted
    assert "over" in render(new)
    assert _refused(town.fake) == 1


async def test_a_long_rate_limit_of_one_channel_stops_that_channel_only(town: Town) -> None:
    body = LIMITED | {"retry_after": NEVER}
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        limited = f"^{town.channel('emergency').messages_path}"
        town.fake.fault("POST", limited, status=429, body=body, times=None)
        for number in range(10):
            await town.push("EVENT_911", call_911(number))
            await _push_record(town, number)
        await town.fake.until(lambda: "record-9" in render(town.channel("records").messages[-1]))
    assert _refused(town.fake) == 1


@pytest.mark.parametrize("right", ["view_channel", "send_messages", "embed_links"])
async def test_a_closed_channel_is_retried_only_when_permissions_change(
    town: Town, right: str
) -> None:
    closed = town.channel("emergency")
    async with town.bot_running(RARELY):
        await town.fake.until(lambda: bool(town.guild.commands))
        closed.deny(right)
        for number in range(10):
            await town.push("EVENT_911", call_911(number))
            closed.guild.announce("CHANNEL_UPDATE", closed.to_dict() | {"name": f"{number}-on"})
            await _push_record(town, number)
        await town.fake.until(lambda: "record-9" in render(town.channel("records").messages[-1]))
        assert _refused(town.fake) == 1
        closed.restore()
        await town.fake.until(lambda: len(closed.messages) == 10)
    assert len(closed.created) == 10


async def test_a_deleted_channel_is_tried_once_and_holds_up_no_other(town: Town) -> None:
    async with town.bot_running(RARELY):
        await town.fake.until(lambda: bool(town.guild.commands))
        town.channel("emergency").delete()
        for number in range(10):
            await town.push("EVENT_911", call_911(number))
            await _push_record(town, number)
        await town.fake.until(lambda: "record-9" in render(town.channel("records").messages[-1]))
    assert sum(one.status == 404 for one in town.fake.requests) == 1


async def test_a_token_rejected_while_running_stops_all_but_the_listener(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(discord_errors, "UNAUTHORIZED_RETRY", NEVER)
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        await town.channel("emergency").next_message()
        await town.fake.until(lambda: bool(town.guild.commands))
        town.fake.token = "reset"
        await town.push("EVENT_911", call_911(2))
        await town.fake.until(lambda: _refused(town.fake) == 1)
        for number in range(3, 13):
            await town.push("EVENT_911", call_911(number))
            await _push_record(town, number)
        await _until_unshown(town, 21)
    assert _refused(town.fake) == 1
    assert "Discord rejects the token" in caplog.text


async def test_a_token_revoked_at_the_gateway_ends_only_the_bot(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with town.bot_running(), aiohttp.ClientSession() as http:
        await town.fake.until(lambda: bool(town.guild.commands))
        town.fake.token = "reset"
        town.fake.drop_gateway(4004)
        health: dict[str, Any] = {}
        async with asyncio.timeout(10):
            while health.get("discord") != "refused":
                async with http.get(f"{town.url}/healthz") as answer:
                    assert answer.status == 200
                    health = await answer.json()
        before = len(town.fake.requests)
        assert await town.push("EVENT_911", call_911(1)) == 200
        await _until_unshown(town, 1)
    assert len(town.fake.requests) == before
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
async def test_deliveries_and_commands_survive_a_lost_gateway(town: Town, how: str) -> None:
    async with town.bot_running():
        await town.fake.until(lambda: bool(town.guild.commands))
        begun = town.fake.identifies + town.fake.resumes
        GATEWAY[how](town.fake)
        await town.push("EVENT_911", call_911(1))
        await town.channel("emergency").next_message()
        await town.fake.until(
            lambda: town.fake.connected and town.fake.identifies + town.fake.resumes > begun,
            timeout=20,
        )
        reply = await town.fake.slash(town.vic, "drone list", timeout=20)
        assert "No drones are out." in render(reply)
    assert len(town.channel("emergency").created) == 1


@pytest.mark.parametrize("path", ["^/users/@me$", "^/gateway(/bot)?$", "/applications/@me$"])
@pytest.mark.parametrize("how", [{"cut": True}, {"status": 200, "body": CLOUDFLARE}], ids=str)
async def test_the_bot_starts_although_answers_cannot_be_read(
    town: Town, path: str, how: dict[str, Any]
) -> None:
    town.fake.fault("GET", path, **how)
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        await town.channel("emergency").next_message(timeout=20)
        await town.fake.wait_connected(timeout=20)
