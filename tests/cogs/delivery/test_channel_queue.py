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
from cogs.delivery.channel_queue import Pace
from tests.end_to_end.town import Town, call_911
from tests.fake_discord import Message, render

NEVER = 3_600.0
ONLY_WHEN_TOLD = Pace(edit=0.0, gather=0.0, feed=0.0, retry=NEVER, closed=NEVER)
"""A failed delivery is tried again when the permissions of a channel change."""

ONE_EDIT = Pace(edit=NEVER, gather=0.0, feed=0.0, retry=0.01, closed=0.01)
"""The first edit comes at once, the next one in an hour."""


async def _note(town: Town, call_id: int, text: str) -> None:
    note = {"label": "7K", "type": "text", "content": text}
    assert await town.push("EVENT_DISPATCH_NOTE", {"callId": call_id, "note": note}) == 200


async def _noted(town: Town, call_id: int, text: str) -> Message:
    """Note something on a call never heard of before and return its card."""
    await _note(town, call_id, text)
    return await town.channel("dispatch").next_message()


def _reconfigured(town: Town, **discord: Any) -> None:
    """Have the bot start with another configuration of its Discord side from now on."""
    settings = town.settings()
    changed = settings.model_copy(update={"discord": settings.discord.model_copy(update=discord)})
    town.settings = lambda: changed  # type: ignore[method-assign]


@asynccontextmanager
async def _unwritable_cards(town: Town) -> AsyncIterator[None]:
    """Have every note of a card's message fail, as on a disk that is full."""
    await asyncio.to_thread(
        _run,
        town,
        "CREATE TRIGGER no_room BEFORE UPDATE OF message_id ON cards"
        " BEGIN SELECT RAISE(ABORT, 'no room'); END",
    )
    yield
    await asyncio.to_thread(_run, town, "DROP TRIGGER no_room")


def _run(town: Town, statement: str) -> None:
    with closing(sqlite3.connect(town.folder / "sentinel.db")) as database:
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


async def test_new_cards_come_before_edits_and_edits_take_turns(town: Town) -> None:
    place = town.channel("dispatch")
    async with town.bot_running(ONLY_WHEN_TOLD):
        await town.fake.until(lambda: bool(town.guild.commands))
        first, second = await _noted(town, 1, "old"), await _noted(town, 2, "old")
        town.fake.fault("PATCH", rf"/channels/{place.id}/", status=503)
        await _note(town, 1, "newer")
        await town.fake.until(lambda: any(one.status == 503 for one in town.fake.requests))
        before = len(town.fake.requests)
        await _note(town, 1, "newest")
        await _note(town, 2, "newest")
        await _note(town, 3, "newest")
        await town.push("EVENT_911", call_911(4))
        await town.channel("emergency").next_message()  # all before it is known by now
        place.deny("manage_messages")  # its permissions changed
        await town.fake.until(lambda: all("newest" in render(card) for card in (first, second)))
        sent = [
            (one.method, one.path.rpartition("/")[2])
            for one in town.fake.requests[before:]
            if one.path.startswith(f"/channels/{place.id}/")
        ]
    assert sent == [
        ("POST", "messages"),
        ("PATCH", str(second.id)),
        ("PATCH", str(first.id)),
    ]


async def test_changes_within_a_second_are_one_edit(town: Town) -> None:
    async with town.bot_running(ONE_EDIT):
        card = await _noted(town, 1, "first")
        for number in range(10):
            await _note(town, 1, f"note {number}")
        await _noted(town, 2, "a new card is not held up")
        assert card.edit_count <= 1
    async with town.bot_running(ONE_EDIT):
        await town.fake.until(lambda: "note 9" in render(card))
    assert card.edit_count <= 2
    assert len(town.channel("dispatch").created) == 2


async def test_a_change_that_is_not_visible_causes_no_edit(town: Town) -> None:
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        card = await town.channel("emergency").next_message()
        await town.push("EVENT_911", call_911(1, apiIds=["steam:1"]))
        await town.push("EVENT_911", call_911(2))
        await town.channel("emergency").next_message()
    assert card.edit_count == 0


async def test_a_card_too_old_to_edit_is_posted_again(town: Town) -> None:
    town.fake.limits.old_edits = 0
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        old = await town.channel("emergency").next_message()
        old.grow_older(timedelta(hours=2))
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
        new = await town.channel("emergency").next_message()
    refusals = [one for one in town.fake.requests if one.status == 429]
    assert {one.answer["code"] for one in refusals} == {30046}
    assert old.deleted
    assert town.channel("emergency").messages == [new]
    assert "911 call 1 · over" in render(new)


async def test_a_card_whose_message_id_could_not_be_stored_is_posted_once(town: Town) -> None:
    async with town.bot_running():
        await town.fake.wait_connected()
        async with _unwritable_cards(town):
            await town.push("EVENT_911", call_911(1))
            card = await town.channel("emergency").next_message()
            await town.push("EVENT_REMOVE_911", {"callIds": [1]})
            await town.fake.until(
                lambda: len(town.fake.requests_to("GET", r"/channels/\d+/messages")) > 1
            )
        await town.fake.until(lambda: "over" in render(card))
    assert town.channel("emergency").created == [card]


async def test_a_message_that_arrives_after_a_crash_and_a_search_is_edited(
    town: Town,
) -> None:
    async with town.bot_running(ONLY_WHEN_TOLD):
        of_channel = town.channel("emergency").messages_path
        town.fake.fault("POST", of_channel, reset=True, after=True)
        await town.push("EVENT_911", call_911(1))
        card = await town.channel("emergency").next_message()
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
    town.fake.fault("GET", r"/channels/\d+/messages", status=200, body=[])  # not there yet
    async with town.bot_running():
        await town.fake.until(lambda: "over" in render(card))
    assert town.channel("emergency").created == [card]


async def test_a_card_stays_in_its_channel_when_the_configuration_changes(
    town: Town,
) -> None:
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        card = await town.channel("emergency").next_message()
    elsewhere = town.guild.add_channel("elsewhere")
    places = {name: place.id for name, place in town.channels.items()}
    _reconfigured(town, channels=Channels(**places | {"emergency": elsewhere.id}))
    async with town.bot_running():
        await town.push("EVENT_911", call_911(2))
        assert "911 call 2" in render(await elsewhere.next_message())
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
        await town.fake.until(lambda: "over" in render(card))
    assert len(elsewhere.created) == 1


@pytest.mark.parametrize("how", ["deleted", "closed"])
async def test_a_card_in_a_lost_channel_is_posted_in_the_configured_channel(
    town: Town, how: str
) -> None:
    async with town.bot_running():
        await town.push("EVENT_911", call_911(1))
        await town.channel("emergency").next_message()
    if how == "deleted":
        town.channel("emergency").delete()
    else:
        town.channel("emergency").forbidden = True
    elsewhere = town.guild.add_channel("elsewhere")
    places = {name: place.id for name, place in town.channels.items()}
    _reconfigured(town, channels=Channels(**places | {"emergency": elsewhere.id}))
    async with town.bot_running():
        await town.push("EVENT_REMOVE_911", {"callIds": [1]})
        assert "911 call 1 · over" in render(await elsewhere.next_message())


async def test_without_discord_cards_are_logged_and_its_messages_are_kept(
    town: Town,
) -> None:
    with_discord = town.settings()
    async with town.bot_running():
        card = await _noted(town, 1, "first")
    _reconfigured(town, token="")
    with _reading("cogs.delivery.messenger") as log:
        async with town.bot_running():
            await _note(town, 1, "only in the log")
            await _note(town, 2, "new in the log")
            await log.until("only in the log")
            await log.until("new in the log")
    assert card.edit_count == 0
    town.settings = lambda: with_discord  # type: ignore[method-assign]
    async with town.bot_running():
        await _note(town, 1, "last")
        await town.fake.until(lambda: "last" in render(card))
        assert "only in the log" in render(card)
        await _note(town, 2, "more")
        assert "new in the log" in render(await town.channel("dispatch").next_message())
    assert len(town.channel("dispatch").created) == 2


async def test_full_feed_messages_can_be_paced_for_a_log(town: Town) -> None:
    place = town.channel("units")
    async with town.bot_running(replace(ONLY_WHEN_TOLD, gather=NEVER, feed=NEVER, full=NEVER)):
        for ident in range(30):
            await town.push("EVENT_UNIT_STATUS", {"identIds": [ident], "status": 2})
        await town.fake.until(lambda: any(len(one.embeds) == 10 for one in place.messages))
        await town.push("EVENT_911", call_911(4))
        await town.channel("emergency").next_message()  # all before it is known by now
    feed = [one for one in place.messages if "-f" in one.embeds[-1]["footer"]["text"]]
    assert [len(one.embeds) for one in feed] == [10]
