"""The order, the pace and the memory of deliveries, with the real client and a fake Discord."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.settings import Channels
from cogs.delivery.delivery_context import Pace
from tests.end_to_end.environment import BotEnvironment, call_911, dispatch_call
from tests.fake_discord import Message, render

NEVER = 3_600.0
RETRY_ON_CHANGE_ONLY = Pace(edit=0.0, gather=0.0, feed=0.0, retry=NEVER, closed=NEVER)
"""A failed delivery is tried again when the permissions of a channel change."""

ONE_EDIT = Pace(edit=NEVER, gather=0.0, feed=0.0, retry=0.01, closed=0.01)
"""The first edit comes at once, the next one in an hour."""


async def _note(env: BotEnvironment, call_id: int, text: str) -> None:
    note = {"label": "7K", "type": "text", "content": text}
    assert await env.push("EVENT_DISPATCH_NOTE", {"callId": call_id, "note": note}) == 200


async def _noted(env: BotEnvironment, call_id: int, text: str) -> Message:
    """Note something on a call never heard of before and return its card."""
    await _note(env, call_id, text)
    return await env.channel("dispatch").next_message()


def _reconfigured(env: BotEnvironment, **discord: Any) -> None:
    """Have the bot start with another configuration of its Discord side from now on."""
    settings = env.settings()
    changed = settings.model_copy(update={"discord": settings.discord.model_copy(update=discord)})
    env.settings = lambda: changed  # type: ignore[method-assign]


@asynccontextmanager
async def _unwritable_cards(env: BotEnvironment) -> AsyncIterator[None]:
    """Have every note of a card's message fail, as on a disk that is full."""
    await asyncio.to_thread(
        _run,
        env,
        "CREATE TRIGGER no_room BEFORE UPDATE OF message_id ON cards"
        " BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    yield
    await asyncio.to_thread(_run, env, "DROP TRIGGER no_room")


def _run(env: BotEnvironment, statement: str) -> None:
    with closing(sqlite3.connect(env.folder / "sentinel.db")) as database:
        database.execute(statement)
        database.commit()


class _Reader(logging.Handler):
    """Reads what is logged and waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self._read: list[str] = []
        self._news = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self._read.append(record.getMessage())
        self._news.set()

    def count(self, text: str) -> int:
        """Count the records with a text."""
        return sum(text in read for read in self._read)

    async def until(self, text: str) -> None:
        """Wait until a record has a text."""
        async with asyncio.timeout(10):
            while not any(text in read for read in self._read):
                self._news.clear()
                await self._news.wait()


@contextmanager
def _reading(logger: str) -> Iterator[_Reader]:
    reader = _Reader()
    watched = logging.getLogger(logger)
    level = watched.level
    watched.addHandler(reader)
    watched.setLevel(logging.INFO)
    yield reader
    watched.setLevel(level)
    watched.removeHandler(reader)


async def test_new_cards_come_before_edits_and_edits_take_turns(env: BotEnvironment) -> None:
    place = env.channel("dispatch")
    async with env.bot_running(RETRY_ON_CHANGE_ONLY):
        await env.fake.until(lambda: bool(env.guild.commands))
        first, second = await _noted(env, 1, "old"), await _noted(env, 2, "old")
        env.fake.fault("PATCH", rf"/channels/{place.id}/", status=503)
        await _note(env, 1, "newer")
        await env.fake.until(lambda: any(one.status == 503 for one in env.fake.requests))
        before = len(env.fake.requests)
        await _note(env, 1, "newest")
        await _note(env, 2, "newest")
        await _note(env, 3, "newest")
        await env.push("EVENT_911", call_911(4))
        await env.channel("emergency").next_message()  # all before it is known by now
        place.deny("manage_messages")  # its permissions changed
        await env.fake.until(lambda: all("newest" in render(card) for card in (first, second)))
        sent = [
            (one.method, one.path.rpartition("/")[2])
            for one in env.fake.requests[before:]
            if one.path.startswith(f"/channels/{place.id}/")
        ]
    assert sent == [
        ("POST", "messages"),
        ("PATCH", str(second.id)),
        ("PATCH", str(first.id)),
    ]


async def test_changes_within_a_second_are_one_edit(env: BotEnvironment) -> None:
    async with env.bot_running(ONE_EDIT):
        card = await _noted(env, 1, "first")
        for number in range(10):
            await _note(env, 1, f"note {number}")
        await _noted(env, 2, "a new card is not held up")
        assert card.edit_count <= 1
    async with env.bot_running(ONE_EDIT):
        await env.fake.until(lambda: "note 9" in render(card))
    assert card.edit_count <= 2
    assert len(env.channel("dispatch").created) == 2


async def test_a_change_that_is_not_visible_causes_no_edit(env: BotEnvironment) -> None:
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        card = await env.channel("emergency").next_message()
        await env.push("EVENT_911", call_911(1, apiIds=["steam:1"]))
        await env.push("EVENT_911", call_911(2, location="Pier 400"))
        await env.channel("emergency").next_message()
    assert card.edit_count == 0


async def test_a_card_too_old_to_edit_is_posted_again(env: BotEnvironment) -> None:
    env.fake.limits.old_edits = 0
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        old = await env.channel("emergency").next_message()
        old.grow_older(timedelta(hours=2))
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        new = await env.channel("emergency").next_message()
    refusals = [one for one in env.fake.requests if one.status == 429]
    assert {one.answer["code"] for one in refusals} == {30046}
    assert old.deleted
    assert env.channel("emergency").messages == [new]
    assert "911 call 1 · over" in render(new)


async def test_a_card_whose_message_id_could_not_be_stored_is_posted_once(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.fake.wait_connected()
        async with _unwritable_cards(env):
            await env.push("EVENT_911", call_911(1))
            card = await env.channel("emergency").next_message()
            await env.push("EVENT_REMOVE_911", {"callIds": [1]})
            await env.fake.until(
                lambda: len(env.fake.requests_to("GET", r"/channels/\d+/messages")) > 1
            )
        await env.fake.until(lambda: "over" in render(card))
    assert env.channel("emergency").created == [card]


async def test_a_message_that_arrives_after_a_crash_and_a_search_is_edited(
    env: BotEnvironment,
) -> None:
    async with env.bot_running(RETRY_ON_CHANGE_ONLY):
        of_channel = env.channel("emergency").messages_path
        env.fake.fault("POST", of_channel, reset=True, after=True)
        await env.push("EVENT_911", call_911(1))
        card = await env.channel("emergency").next_message()
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
    env.fake.fault("GET", r"/channels/\d+/messages", status=200, body=[])  # not there yet
    async with env.bot_running():
        await env.fake.until(lambda: "over" in render(card))
    assert env.channel("emergency").created == [card]


async def test_a_card_stays_in_its_channel_when_the_configuration_changes(
    env: BotEnvironment,
) -> None:
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        card = await env.channel("emergency").next_message()
    elsewhere = env.guild.add_channel("elsewhere")
    places = {name: place.id for name, place in env.channels.items()}
    _reconfigured(env, channels=Channels(**places | {"emergency": elsewhere.id}))
    async with env.bot_running():
        await env.push("EVENT_911", call_911(2))
        assert "911 call 2" in render(await elsewhere.next_message())
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        await env.fake.until(lambda: "over" in render(card))
    assert len(elsewhere.created) == 1


@pytest.mark.parametrize("how", ["deleted", "closed"])
async def test_a_card_in_a_lost_channel_is_posted_in_the_configured_channel(
    env: BotEnvironment, how: str
) -> None:
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        await env.channel("emergency").next_message()
    if how == "deleted":
        env.channel("emergency").delete()
    else:
        env.channel("emergency").forbidden = True
    elsewhere = env.guild.add_channel("elsewhere")
    places = {name: place.id for name, place in env.channels.items()}
    _reconfigured(env, channels=Channels(**places | {"emergency": elsewhere.id}))
    async with env.bot_running():
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        assert "911 call 1 · over" in render(await elsewhere.next_message())


async def test_without_discord_cards_are_logged_and_its_messages_are_kept(
    env: BotEnvironment,
) -> None:
    with_discord = env.settings()
    async with env.bot_running():
        card = await _noted(env, 1, "first")
    _reconfigured(env, token="")
    with _reading("cogs.delivery.rest.messenger") as log:
        async with env.bot_running():
            await _note(env, 1, "only in the log")
            await _note(env, 2, "new in the log")
            await log.until("only in the log")
            await log.until("new in the log")
            await env.push("EVENT_911", call_911(7))
            for priority in (
                1,
                2,
                3,
            ):  # each touches the card of the 911 call, which stays as it is
                of_call = {"priority": priority, "metaData": {"origin911": "7"}}
                await env.push("EVENT_DISPATCH_NEW", dispatch_call(8, **of_call))
                await log.until(f"P{priority}")
            await env.push("EVENT_911", call_911(9))
            await log.until("911 CALL 9")
            await env.push("EVENT_REMOVE_911", {"callIds": [9]})
            await log.until("911 CALL 9 · OVER")  # its edit comes after those of the other card
    assert log.count("911 CALL 7 · DISPATCHED") == 1
    assert card.edit_count == 0
    env.settings = lambda: with_discord  # type: ignore[method-assign]
    async with env.bot_running():
        await _note(env, 1, "last")
        await env.fake.until(lambda: "last" in render(card))
        assert "only in the log" in render(card)
        await _note(env, 2, "more")
        assert "new in the log" in render(await env.channel("dispatch").next_message())
    assert len(env.channel("dispatch").created) == 3


async def test_full_feed_messages_can_be_paced_for_a_log(env: BotEnvironment) -> None:
    place = env.channel("units")
    async with env.bot_running(replace(RETRY_ON_CHANGE_ONLY, gather=NEVER, feed=NEVER, full=NEVER)):
        for ident in range(30):
            await env.push("EVENT_UNIT_STATUS", {"identIds": [ident], "status": 2})
        await env.fake.until(lambda: any(len(one.embeds) == 10 for one in place.messages))
        await env.push("EVENT_911", call_911(4))
        await env.channel("emergency").next_message()  # all before it is known by now
    feed = [one for one in place.messages if "-f" in one.embeds[-1]["footer"]["text"]]
    assert [len(one.embeds) for one in feed] == [10]


async def test_a_card_whose_channel_was_out_of_use_is_brought_up_to_date(
    env: BotEnvironment,
) -> None:
    as_usual = env.settings
    async with env.bot_running():
        await env.push("EVENT_911", call_911(1))
        card = await env.channel("emergency").next_message()
    places = {name: place.id for name, place in env.channels.items()}
    _reconfigured(env, channels=Channels(**places | {"emergency": 0}))
    async with env.bot_running():
        await env.push("EVENT_REMOVE_911", {"callIds": [1]})
        await env.push("EVENT_UNIT_STATUS", {"identIds": [1], "status": 2})
        await env.channel("units").next_message()  # all before it is known by now
    assert card.edit_count == 0
    env.settings = as_usual  # type: ignore[method-assign]
    async with env.bot_running():
        await env.fake.until(lambda: "over" in render(card))
    assert len(env.channel("emergency").created) == 1


async def test_changes_without_a_token_are_shown_once_there_is_one(
    env: BotEnvironment,
) -> None:
    as_usual = env.settings
    async with env.bot_running():
        card = await _noted(env, 1, "first")
    _reconfigured(env, token="")
    with _reading("cogs.delivery.rest.messenger") as log:
        async with env.bot_running():
            await _note(env, 1, "changed meanwhile")
            await _note(env, 2, "new meanwhile")
            await log.until("changed meanwhile")
            await log.until("new meanwhile")
    env.settings = as_usual  # type: ignore[method-assign]
    async with env.bot_running():
        await env.fake.until(lambda: "changed meanwhile" in render(card))
        assert "new meanwhile" in render(await env.channel("dispatch").next_message())
    assert len(env.channel("dispatch").created) == 2
